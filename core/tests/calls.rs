//! Runs the request and response pairs of `tests/vectors/calls` through [`Call`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use orgo_core::client::config::{CallOptions, Config};
use orgo_core::encoding::json::MAX_VALUES;
use orgo_core::error::Error;
use orgo_core::rest::call::{Call, Output, Step};
use orgo_core::rest::calls::OPERATIONS;
use orgo_core::rest::http::{Body, Redirects, Request, Response, ResponseBody, SendFailure};
use orgo_core::rest::upload::Content;
use serde_json::{Value, json};

mod vectors;

const KEY: &str = "sk_live_test";

fn config(case: &Value) -> Config {
    let mut raw = json!({ "api_key": KEY, "max_retries": 0 });
    for (name, value) in case["config"].as_object().into_iter().flatten() {
        raw[name] = value.clone();
    }
    read(raw).expect("the vector's config is valid")
}

fn read(config: Value) -> Result<Config, Error> {
    Config::read(&serde_json::from_value(config).expect("the configuration is an object"))
}

fn start(case: &Value) -> Result<Call, Error> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let content = case.get("content").map(|content| Content {
        name: text(&content["name"]),
        content_type: text(&content["content_type"]),
        data: text(&content["text"]).into_bytes().into(),
    });
    let operation = case["operation"].as_str().expect("a case names its operation");
    let options = serde_json::from_value(case["options"].clone()).unwrap_or_default();
    let params = serde_json::from_value(case["params"].clone()).unwrap_or_default();
    Call::new(&config(case), operation, &params, &CallOptions::read(operation, &options)?, content, 1)
}

fn compare_request(name: &str, request: &Request, expected: &Value) {
    assert_eq!(request.method.as_str(), expected["method"], "{name}: method");
    assert_eq!(request.url, expected["url"], "{name}: url");
    let authorized =
        request.headers.iter().any(|header| *header == ("authorization".into(), format!("Bearer {KEY}")));
    assert_eq!(authorized, expected["authorized"] != false, "{name}: authorized");
    for (field, value) in expected["headers"].as_object().into_iter().flatten() {
        let sent = request.headers.iter().find(|(sent, _)| sent == field).map(|(_, value)| value.as_str());
        assert_eq!(sent, value.as_str(), "{name}: {field}");
    }
    let body = request.body.as_ref().and_then(Body::to_vec).unwrap_or_default();
    if let Some(json) = expected.get("body") {
        assert_eq!(&serde_json::from_slice::<Value>(&body).unwrap(), json, "{name}: body");
    }
    for part in expected["contains"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains(part), "{name}: the body lacks {part:?}:\n{text}");
    }
}

/// Returns the response as a platform reads it, with the limit of the body applied.
fn response(expected: &Value, limit: u64) -> Response {
    let bytes = match (expected.get("body"), expected.get("text"), expected.get("base64")) {
        (Some(json), _, _) => json.to_string().into_bytes(),
        (_, Some(text), _) => text.as_str().unwrap().as_bytes().to_vec(),
        (_, _, Some(base64)) => STANDARD.decode(base64.as_str().unwrap()).unwrap(),
        _ => Vec::new(),
    };
    let mut body = ResponseBody::new(limit, None).unwrap();
    let body = body.room(bytes.len()).map(|room| room.copy_from_slice(&bytes)).map(|()| body);
    let headers = expected["headers"].as_object().cloned().unwrap_or_default();
    Response {
        status: expected["status"].as_u64().unwrap_or(200).try_into().unwrap(),
        headers: headers
            .into_iter()
            .map(|(name, value)| (name, value.as_str().unwrap().to_owned()))
            .collect(),
        too_large: body.is_none(),
        body: body.map(ResponseBody::into_bytes).unwrap_or_default(),
    }
}

fn run(case: &Value) -> Result<Output, Error> {
    let name = case["name"].as_str().unwrap();
    let mut call = start(case)?;
    let mut exchange = case["exchange"].as_array().unwrap().iter();
    let mut now = 0;
    loop {
        match call.step(now) {
            Step::Done(result) => {
                assert_eq!(exchange.next(), None, "{name}: ended too early");
                return result;
            }
            Step::Wait(time) => {
                let wait = &exchange.next().unwrap_or_else(|| panic!("{name}: waits"))["wait"];
                let bounds = wait[0].as_u64().unwrap()..=wait[1].as_u64().unwrap();
                assert!(bounds.contains(&time), "{name}: waits {time} ms, not {bounds:?}");
                now += time;
            }
            Step::Send(request, limits) => {
                let next = exchange.next().unwrap_or_else(|| panic!("{name}: sends {request:?}"));
                compare_request(name, &request, &next["request"]);
                if let Some(expected) = next.get("response") {
                    call.handle_response(response(expected, request.max_response_bytes));
                } else if let Some(failure) = next.get("failure") {
                    let message = failure["message"].as_str().unwrap();
                    let never = failure["reached"] == "never";
                    call.handle_failure(if never {
                        SendFailure::never(message)
                    } else {
                        SendFailure::maybe(message)
                    });
                } else if next.get("stall").is_some() {
                    now += limits.idle;
                    call.handle_stall();
                } else {
                    now += limits.request;
                    call.handle_timeout();
                }
            }
        }
    }
}

#[test]
fn all_call_vectors_pass() {
    let mut cases = 0;
    let mut seen: Vec<String> = Vec::new();
    for (file, list) in vectors::read("calls") {
        for case in list.as_array().unwrap_or_else(|| panic!("{file} is a list")) {
            let name = format!("{file}: {}", case["name"].as_str().unwrap());
            cases += 1;
            seen.push(case["operation"].as_str().unwrap().to_owned());
            match (run(case), case.get("result"), case.get("error")) {
                (Ok(output), Some(expected), _) => {
                    let value = match output {
                        Output::Value(value) => json!(value),
                        Output::Content(data) => json!({ "bytes": data.len() }),
                        Output::Stream(download) => {
                            download.size().map_or_else(|| json!({}), |size| json!({ "size": size }))
                        }
                        Output::Screenshot(shot) => json!({
                            "mime_type": shot.mime_type,
                            "width": shot.width,
                            "height": shot.height,
                            "bytes": shot.data.len(),
                        }),
                    };
                    assert_eq!(&value, expected, "{name}");
                }
                (Err(error), _, Some(expected)) => {
                    let record = serde_json::to_value(error.record()).unwrap();
                    for (field, value) in expected.as_object().unwrap() {
                        assert_eq!(&record[field], value, "{name}: {field} of {record}");
                    }
                }
                (outcome, _, _) => panic!("{name}: {outcome:?}"),
            }
        }
    }
    for operation in OPERATIONS {
        assert!(seen.iter().any(|name| name == operation.name), "no vector for {}", operation.name);
    }
    assert!(cases > 50, "{cases} cases");
}

#[test]
fn the_specification_has_28_calls() {
    // The last two entries fetch the content of a file in two steps. They are not calls of the specification.
    assert_eq!(OPERATIONS.len(), 30);
    let mut requests: Vec<_> =
        OPERATIONS.iter().map(|operation| (operation.method.as_str(), operation.path)).collect();
    requests.sort_unstable();
    requests.dedup();
    assert_eq!(requests.len(), 28);
}

#[test]
fn a_typed_call_equals_the_call_by_name() {
    use orgo_core::rest::calls::actions::{Click, MouseButton};
    let config = config(&Value::Null);
    let click = Click { id: "c".into(), x: 1, y: 2, button: Some(MouseButton::Right), ..Click::default() };
    let mut typed = Call::typed(&config, &click, &Default::default(), 1).unwrap();
    let params = serde_json::from_value(json!({ "id": "c", "x": 1, "y": 2, "button": "right" })).unwrap();
    let mut named = Call::new(&config, "computers.click", &params, &Default::default(), None, 1).unwrap();
    assert_eq!(typed.step(0), named.step(0));
    typed.handle_response(Response {
        status: 200,
        body: br#"{"success":true}"#.to_vec(),
        ..Response::default()
    });
    let Step::Done(Ok(output)) = typed.step(0) else { panic!("it is done") };
    assert_eq!(output.into_typed::<Click>().unwrap().success, Some(true));
}

#[test]
fn an_aborted_call_reports_whether_it_was_sent() {
    let case = json!({ "operation": "computers.click", "params": { "id": "c", "x": 1, "y": 1 } });
    let delivered = |call: &mut Call| match call.step(0) {
        Step::Done(Err(error)) => serde_json::to_value(error.record()).unwrap()["delivered"].clone(),
        step => panic!("{step:?}"),
    };
    let mut before = start(&case).unwrap();
    before.abort();
    assert_eq!(delivered(&mut before), "no");
    let mut after = start(&case).unwrap();
    let _ = after.step(0);
    after.abort();
    assert_eq!(delivered(&mut after), "maybe");
}

#[test]
fn a_request_that_waits_for_its_connection_was_not_sent() {
    let once = json!({ "id": "c", "x": 1, "y": 1 });
    let mut clocked = Clocked::new("computers.click", &once, &json!({ "timeout": 700, "max_retries": 1 }));
    let _ = clocked.send();
    clocked.call.handle_unsent();
    clocked.call.handle_timeout();
    // Nothing was sent, so even a click is retried.
    clocked.wait();
    let _ = clocked.send();
    clocked.call.handle_unsent();
    clocked.call.handle_timeout();
    let error = clocked.error();
    assert_eq!(error["message"], "computers.click: no connection within 700 ms, so nothing was sent");
    assert_eq!((&error["kind"], &error["delivered"]), (&json!("timeout"), &json!("no")));

    let mut aborted = Clocked::new("computers.click", &once, &json!({}));
    let _ = aborted.send();
    aborted.call.handle_unsent();
    aborted.call.abort();
    assert_eq!(aborted.error()["delivered"], "no");
}

#[test]
fn a_redirect_never_carries_the_headers_of_the_caller_to_another_origin() {
    let options = json!({ "headers": { "x-tenant": "t" } });
    let case = json!({ "operation": "workspaces.list", "params": {}, "options": options, "config": { "api_key": null } });
    let mut call = start(&case).unwrap();
    let Step::Send(request, _) = call.step(0) else { panic!("it sends") };
    assert_eq!(request.redirects(), Redirects::SameOrigin);
    let headers = vec![("Location".to_owned(), "https://elsewhere.example/".to_owned())];
    call.handle_response(Response { status: 302, headers, ..Response::default() });
    let Step::Done(Err(Error::Server(error))) = call.step(0) else { panic!("it is refused") };
    assert_eq!(error.status, 302);
}

#[test]
fn redirects_end_after_five() {
    let mut clocked = Clocked::new("workspaces.list", &json!({}), &json!({}));
    for _ in 0..6 {
        let _ = clocked.send();
        let headers = vec![("location".to_owned(), "/again".to_owned())];
        clocked.call.handle_response(Response { status: 302, headers, ..Response::default() });
    }
    assert_eq!(clocked.error()["network"]["message"], "too many redirects");
}

#[test]
fn an_unsupported_content_encoding_is_named() {
    let mut clocked = Clocked::new("workspaces.list", &json!({}), &json!({}));
    let _ = clocked.send();
    let headers = vec![("Content-Encoding".to_owned(), "br".to_owned())];
    let body = vec![0x8b, 0x02, 0x80, 0xff];
    clocked.call.handle_response(Response { status: 200, headers, body, ..Response::default() });
    let error = clocked.error();
    assert_eq!(error["kind"], "decode");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.ends_with("found a body with the `Content-Encoding` br, which is not supported"),
        "{message}"
    );
}

#[test]
fn the_media_type_of_json_is_case_insensitive() {
    let params = json!({ "method": "GET", "path": "/x" });
    for (kind, decoded) in
        [("application/problem+JSON", false), ("APPLICATION/JSON", false), ("text/plain", true)]
    {
        let mut clocked = Clocked::new("request", &params, &json!({}));
        let _ = clocked.send();
        let headers = vec![("content-type".to_owned(), kind.to_owned())];
        let body = b"cut {".to_vec();
        clocked.call.handle_response(Response { status: 200, headers, body, ..Response::default() });
        assert_eq!(matches!(clocked.call.step(0), Step::Done(Ok(_))), decoded, "{kind}");
    }
}

#[test]
fn a_broken_escape_in_a_path_is_refused() {
    for path in ["/a%", "/a%2", "/a%zz", "/%%41"] {
        let case = json!({ "operation": "request", "params": { "method": "GET", "path": path } });
        let Err(Error::Encode(error)) = start(&case) else { panic!("{path}") };
        assert_eq!(error.field, "path", "{path}");
    }
    let case = json!({ "operation": "request", "params": { "method": "GET", "path": "/a%2Fb%c3%A9" } });
    assert!(start(&case).is_ok());
}

#[test]
fn the_debug_form_of_a_request_hides_the_key() {
    let mut call = start(&json!({ "operation": "workspaces.list", "params": {} })).unwrap();
    let Step::Send(request, _) = call.step(0) else { panic!("it sends") };
    assert!(!format!("{request:?} {call:?}").contains(KEY));
}

/// A call with the options of a binding, and a virtual clock.
struct Clocked {
    call: Call,
    now: u64,
}

impl Clocked {
    fn new(operation: &str, params: &Value, options: &Value) -> Self {
        let case = json!({ "operation": operation, "params": params, "options": options });
        Self { call: start(&case).unwrap(), now: 5_000 }
    }

    /// Returns the time limit of the next request.
    fn send(&mut self) -> u64 {
        match self.call.step(self.now) {
            Step::Send(_, limits) => limits.request,
            step => panic!("{step:?}"),
        }
    }

    fn wait(&mut self) {
        match self.call.step(self.now) {
            Step::Wait(time) => self.now += time,
            step => panic!("{step:?}"),
        }
    }

    fn time_out(&mut self) {
        self.now += self.send();
        self.call.handle_timeout();
    }

    fn refuse(&mut self, status: u16, retry_after: &str) {
        let _ = self.send();
        let headers = vec![("retry-after".to_owned(), retry_after.to_owned())];
        let body = br#"{"error":"no","request_id":"req_7"}"#.to_vec();
        self.call.handle_response(Response { status, headers, body, ..Response::default() });
    }

    fn error(&mut self) -> Value {
        match self.call.step(self.now) {
            Step::Done(Err(error)) => serde_json::to_value(error.record()).unwrap(),
            step => panic!("{step:?}"),
        }
    }

    fn log(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.call.poll_log())
            .map(|entry| format!("{} {entry}", entry.level().name()))
            .collect()
    }
}

#[test]
fn the_total_limit_shortens_the_last_request() {
    let options = json!({ "timeout": 1_000, "total_timeout": 2_500, "max_retries": 5 });
    let mut clocked = Clocked::new("computers.get", &json!({ "id": "c" }), &options);
    assert_eq!(clocked.send(), 1_000);
    clocked.now += 1_000;
    clocked.call.handle_timeout();
    clocked.wait();
    let left = 5_000 + 2_500 - clocked.now;
    assert_eq!(clocked.send(), left.min(1_000));
    clocked.now = 5_000 + 2_500 - 300;
    clocked.call.handle_failure(SendFailure::never("refused"));
    let error = loop {
        match clocked.call.step(clocked.now) {
            Step::Wait(time) => clocked.now += time,
            Step::Send(_, limits) => {
                clocked.now += limits.request;
                clocked.call.handle_timeout();
            }
            Step::Done(result) => break result.unwrap_err(),
        }
    };
    assert!(clocked.now <= 5_000 + 2_500, "{}", clocked.now);
    // The first request may have reached the server, regardless of the last request.
    assert_eq!(serde_json::to_value(error.record()).unwrap()["delivered"], "maybe");
}

#[test]
fn each_expired_limit_is_named() {
    let once = json!({ "id": "c", "x": 1, "y": 1 });
    let mut request = Clocked::new("computers.click", &once, &json!({ "timeout": 700 }));
    request.time_out();
    let error = request.error();
    assert_eq!(
        (&error["message"], &error["limit"]),
        (&json!("computers.click: no response within 700 ms"), &json!(700))
    );

    let mut total = Clocked::new("computers.click", &once, &json!({ "timeout": 700, "total_timeout": 300 }));
    total.time_out();
    let error = total.error();
    assert_eq!(error["message"], "computers.click: no success within 300 ms, retries included");
    assert_eq!((&error["limit"], total.now), (&json!(300), 5_300));

    let mut idle = Clocked::new("computers.click", &once, &json!({ "idle_timeout": 200 }));
    let Step::Send(_, limits) = idle.call.step(0) else { panic!("it sends") };
    assert_eq!((limits.request, limits.idle), (60_000, 200));
    idle.call.handle_stall();
    let error = idle.error();
    assert_eq!(error["message"], "computers.click: the response stalled for 200 ms");
    assert_eq!((&error["limit"], &error["delivered"]), (&json!(200), &json!("maybe")));
}

/// Returns the default time limit of a call.
fn default_limit(operation: &str, params: &Value) -> u64 {
    let mut call = Clocked::new(operation, params, &json!({}));
    call.send()
}

#[test]
fn the_default_limit_includes_the_time_that_the_parameters_take_on_the_server() {
    let long = "é".repeat(1300);
    for (operation, params, limit) in [
        ("computers.type", json!({ "id": "c", "text": "short", "delay_ms": 50 }), 60_000),
        ("computers.type", json!({ "id": "c", "text": long, "delay_ms": 50 }), 1300 * (50 + 50) + 15_000),
        ("computers.type", json!({ "id": "c", "text": long, "delay_ms": 0 }), 1300 * 50 + 15_000),
        ("computers.type", json!({ "id": "c", "text": long }), 1300 * (12 + 50) + 15_000),
        ("computers.type", json!({ "id": "c", "text": "a".repeat(600), "delay_ms": 1000 }), 645_000),
        ("computers.type", json!({ "id": "c", "text": "ab", "delay_ms": 9_000_000_000_i64 }), 86_415_000),
        (
            "computers.drag",
            json!({ "id": "c", "start_x": 0, "start_y": 0, "end_x": 1, "end_y": 1, "duration": 60 }),
            75_000,
        ),
        ("computers.wait", json!({ "id": "c", "duration": 60 }), 75_000),
        ("computers.bash", json!({ "id": "c", "command": "a" }), 215_000),
        ("computers.bash", json!({ "id": "c", "command": "a", "timeout": 300 }), 315_000),
        ("computers.exec", json!({ "id": "c", "code": "a" }), 60_000),
        ("computers.exec", json!({ "id": "c", "code": "a", "timeout": 300 }), 315_000),
    ] {
        assert_eq!(default_limit(operation, &params), limit, "{operation} {params:.60}");
    }
    // Parameters with these names determine the time on the server.
    for operation in OPERATIONS {
        let time =
            operation.fields.iter().find(|field| ["timeout", "duration", "delay_ms"].contains(&field.name));
        assert_eq!(
            operation.server_time.map(|time| time.field),
            time.map(|field| field.name),
            "{}",
            operation.name
        );
    }
}

/// Returns the response limits of the two requests of a call whose first response contains a link.
fn response_limits(operation: &str, link: &str, config: &Value, options: &Value) -> (u64, u64) {
    let case =
        json!({ "operation": operation, "params": { "id": "c" }, "config": config, "options": options });
    let mut call = start(&case).unwrap();
    let mut send = || match call.step(0) {
        Step::Send(request, _) => {
            let body = link.as_bytes().to_vec();
            call.handle_response(Response { status: 200, body, ..Response::default() });
            request.max_response_bytes
        }
        step => panic!("{step:?}"),
    };
    (send(), send())
}

#[test]
fn the_content_of_a_file_has_a_separate_limit() {
    const DEFAULT: u64 = 64 << 20;
    let (none, small) = (json!({}), json!({ "max_response_bytes": 5 }));
    let file = |config, options| response_limits("files.bytes", r#"{"url":"/x"}"#, config, options);
    assert_eq!(file(&none, &none), (DEFAULT, 1 << 30));
    assert_eq!(file(&small, &none), (5, 1 << 30));
    assert_eq!(file(&none, &small), (5, 5));
    let screenshot =
        |config, options| response_limits("computers.screenshot", r#"{"image":"/x"}"#, config, options);
    assert_eq!(screenshot(&none, &none), (DEFAULT, DEFAULT));
    assert_eq!(screenshot(&small, &none), (5, 5));
    assert_eq!(screenshot(&small, &json!({ "max_response_bytes": 7 })), (7, 7));
}

#[test]
fn a_response_with_too_many_values_is_final() {
    let mut clocked = Clocked::new("workspaces.list", &json!({}), &json!({ "max_retries": 5 }));
    let _ = clocked.send();
    let body = format!("[{}]", vec!["0"; MAX_VALUES].join(",")).into_bytes();
    clocked.call.handle_response(Response { status: 200, body, ..Response::default() });
    let error = clocked.error();
    assert_eq!(error["kind"], "decode");
    assert_eq!(
        error["message"],
        "workspaces.list: the response is not of the documented shape: holds more than 262144 values"
    );
    assert_eq!(error["delivered"], "yes");
}

#[test]
fn a_wait_beyond_the_total_limit_does_not_start() {
    let once = json!({ "id": "c", "x": 1, "y": 1 });
    let options = json!({ "max_retries": 2, "total_timeout": 30_000 });
    let mut clocked = Clocked::new("computers.click", &once, &options);
    clocked.refuse(429, "20");
    clocked.wait();
    clocked.refuse(429, "20");
    let error = clocked.error();
    assert_eq!((&error["kind"], &error["retry_after"]), (&json!("server"), &json!(20)));
    assert_eq!(clocked.now, 25_000);

    // The default total limit does not allow a wait of a day either.
    let mut clocked = Clocked::new("computers.click", &once, &json!({ "max_retries": 2 }));
    clocked.refuse(429, "86400");
    assert_eq!(clocked.error()["retry_after"], 86_400.0);
}

#[test]
fn retries_and_the_end_of_a_call_are_logged() {
    let case = json!({
        "operation": "computers.click", "params": { "id": "c", "x": 1, "y": 1 },
        "config": { "log_level": "debug", "max_retries": 2 },
    });
    let mut clocked = Clocked { call: start(&case).unwrap(), now: 0 };
    clocked.refuse(429, "3");
    clocked.wait();
    assert_eq!(
        clocked.log(),
        ["info computers.click: 429 no; retrying in 3000 ms (1 of 2), request id req_7"]
    );
    let _ = clocked.send();
    clocked.now += 20;
    clocked.call.handle_failure(SendFailure::maybe("reset"));
    assert_eq!(clocked.error()["kind"], "transport");
    assert_eq!(clocked.log(), ["debug computers.click: the network failed: reset; 3020 ms, 2 requests"]);
}

#[test]
fn invalid_limits_and_levels_are_named_in_the_error() {
    for (field, name) in
        [("timeout", "timeout"), ("idle_timeout", "idleTimeout"), ("total_timeout", "totalTimeout")]
    {
        assert_eq!(json!(read(json!({ field: 0 })).unwrap_err().record())["field"], name);
    }
    for size in [0.0, 1.5, -1.0, 4_294_967_296.0] {
        let error = json!(read(json!({ "max_response_bytes": size })).unwrap_err().record());
        assert_eq!(error["field"], "maxResponseBytes", "{size}");
        assert_eq!(
            error["message"],
            "Orgo: `maxResponseBytes` must be a whole number of bytes from 1 to 4294967295"
        );
    }
    assert_eq!(json!(read(json!({ "log_level": "loud" })).unwrap_err().record())["field"], "logLevel");
}
