//! Tests calls with any parameters. Either an error names the refused parameter, or the request contains exactly these
//! parameters in a well-formed URL, headers and body.

use orgo_core::client::address::{BaseUrl, ComputerAddress, SocketTemplate};
use orgo_core::client::config::{CallOptions, Config};
use orgo_core::client::credentials::Password;
use orgo_core::encoding::json::{Map, Value, parse};
use orgo_core::error::Error;
use orgo_core::rest::call::{Call, Step};
use orgo_core::rest::calls::OPERATIONS;
use orgo_core::rest::http::{Body as RequestBody, Method, Request};
use orgo_core::rest::operation::{Operation, ParameterEncoding};
use orgo_core::rest::upload::{Content, Data};

use super::input::Input;

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    if input.byte().is_multiple_of(4) {
        address(&mut input);
    } else {
        call(&mut input);
    }
}

fn call(input: &mut Input<'_>) {
    let mut settings = Map::new();
    settings.insert("base_url", input.flag().then(|| input.text()).into());
    settings.insert("api_key", input.flag().then(|| input.text()).into());
    settings.insert("headers", Value::Object(fields(input)));
    let config = match Config::read(&settings) {
        Ok(config) => config,
        Err(Error::Encode(_)) => Config::default(),
        Err(error) => panic!("not a refusal: {error:?}"),
    };
    let operation = input.pick(OPERATIONS);
    let options = Map::from_iter([("headers".to_owned(), Value::Object(fields(input)))]);
    let Ok(options) = CallOptions::read(operation.name, &options) else { return };
    let content = (operation.encoding == ParameterEncoding::Multipart).then(|| Content {
        name: input.text(),
        content_type: input.text(),
        data: input.bytes().to_vec().into(),
    });
    let Ok(Value::Object(params)) = parse(input.rest()) else { return };
    let mut call = match Call::new(&config, operation.name, &params, &options, content.clone(), 1) {
        Ok(call) => call,
        Err(Error::Encode(error)) => {
            assert!(error.problem.len() < 1_000, "an error is short: {error:?}");
            return;
        }
        Err(error) => panic!("not a refusal: {error:?}"),
    };
    let Step::Send(request, _) = call.step(0) else { panic!("a new call is sent") };
    check(&config.base_url, operation, &params, &request, content.as_ref());
}

fn fields(input: &mut Input<'_>) -> Map {
    (0..input.byte() % 3).map(|_| (input.text(), input.text().into())).collect()
}

fn check(base: &BaseUrl, operation: &Operation, params: &Map, request: &Request, content: Option<&Content>) {
    assert_eq!(request.method, operation.method);
    let target = request.url.strip_prefix(&base.join("")).expect("below the base URL");
    assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "a target is ASCII: {target}");
    for (name, value) in &request.headers {
        assert!(!name.is_empty() && !name.bytes().any(|byte| byte.is_ascii_uppercase() || byte <= b' '));
        assert!(value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{name}: {value:?}");
    }

    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut wanted = operation.path.split('/');
    let mut found = path.split('/');
    for (wanted, found) in wanted.by_ref().zip(found.by_ref()) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => assert_eq!(params.get(name).and_then(Value::as_str), Some(&*decoded(found))),
            None => assert_eq!(wanted, found),
        }
    }
    assert_eq!((wanted.next(), found.next()), (None, None), "the number of path segments is exact");

    let body = request.body.as_ref().and_then(RequestBody::to_vec);
    let body = body.as_deref();
    let sent: Vec<(String, Value)> = match operation.encoding {
        ParameterEncoding::Query => query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').expect("a name and a value"))
            .map(|(name, value)| (name.to_owned(), Value::String(decoded(value))))
            .collect(),
        ParameterEncoding::Json if operation.method == Method::Post => {
            let text = body.expect("a POST request has a body");
            serde_json::from_slice::<serde_json::Value>(text).expect("a body is JSON");
            let Ok(Value::Object(fields)) = parse(text) else { panic!("a body is an object") };
            fields.into_iter().map(|(name, value)| (name.into_owned(), value)).collect()
        }
        ParameterEncoding::Json => Vec::new(),
        ParameterEncoding::Multipart => parts(request, content.expect("the call has content")),
    };
    for field in operation.fields {
        let Some(value) = params.get(field.name).filter(|value| !value.is_null()) else { continue };
        for name in field.wire_names() {
            let found = sent.iter().find(|(own, _)| own == name).map(|(_, value)| value);
            let found = found.unwrap_or_else(|| panic!("{name} is sent"));
            let same = match (value.as_f64(), found.as_f64()) {
                (Some(value), Some(found)) => value == found,
                (Some(value), None) => found.as_str().and_then(|text| text.parse().ok()) == Some(value),
                (None, _) => found == value || found.as_str() == Some(&value.to_string()),
            };
            assert!(same, "{name} is {value}, but {found} is sent");
        }
    }
}

fn bytes(content: &Content) -> &[u8] {
    let Data::Bytes(bytes) = &content.data else { panic!("the content is in memory") };
    bytes
}

/// Returns the text fields of a multipart body. Checks the content of the file.
fn parts(request: &Request, content: &Content) -> Vec<(String, Value)> {
    let header = request.headers.iter().find(|(name, _)| name == "content-type");
    let boundary = header
        .and_then(|(_, value)| value.strip_prefix("multipart/form-data; boundary="))
        .expect("a boundary is given");
    let body = request.body.as_ref().and_then(RequestBody::to_vec).expect("a POST request has a body");
    let find = |bytes: &[u8], text: &str| bytes.windows(text.len()).position(|part| part == text.as_bytes());
    let first = format!("--{boundary}\r\n");
    let mut rest = body.strip_prefix(first.as_bytes()).expect("the first boundary");
    let mut fields = Vec::new();
    loop {
        let head_end = find(rest, "\r\n\r\n").expect("a head ends");
        let head = std::str::from_utf8(&rest[..head_end]).expect("a head is text");
        let inner = &rest[head_end + 4..];
        let end = find(inner, &format!("\r\n--{boundary}")).expect("a part ends");
        let name = head.split('"').nth(1).expect("a part has a name");
        let after = &inner[end + boundary.len() + 4..];
        if head.contains("filename=") {
            assert_eq!(head.lines().count(), 2, "a name cannot add a header field: {head:?}");
            assert_eq!(
                (&inner[..end], after),
                (bytes(content), &b"--\r\n"[..]),
                "the content is complete, and last"
            );
            return fields;
        }
        fields.push((name.to_owned(), String::from_utf8_lossy(&inner[..end]).into_owned().into()));
        rest = after.strip_prefix(b"\r\n").expect("a line end after the boundary");
    }
}

fn address(input: &mut Input<'_>) {
    let optional = |input: &mut Input<'_>| input.flag().then(|| input.text());
    let address = ComputerAddress {
        computer_id: input.text(),
        instance_id: optional(input),
        connection_url: optional(input),
    };
    let template = optional(input).and_then(|text| SocketTemplate::parse(&text).ok());
    let base = BaseUrl::parse(&input.text()).unwrap_or_default();
    let Ok(url) = address.channel_url(&base, template.as_ref(), "events") else { return };
    let secret = input.text();
    let url = url.with_token(Password::new(secret.as_str())).with("cols", input.number());
    let exposed = url.expose();
    let scheme = exposed.split("://").next().unwrap_or_default().to_ascii_lowercase();
    assert!(scheme == "ws" || scheme == "wss", "{exposed}");
    assert!(
        exposed.chars().all(|character| !character.is_whitespace() && !character.is_control()),
        "{exposed:?}"
    );
    let (_, query) = exposed.rsplit_once("token=").expect("the URL contains the token");
    assert_eq!(decoded(query.split('&').next().unwrap_or_default()), secret);
}

/// Decodes percent-encoded text.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(&after[..2]).expect("two digits");
        bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
        rest = &after[2..];
    }
    String::from_utf8(bytes).expect("encoded text is UTF-8")
}
