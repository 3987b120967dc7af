//! Tests that secrets are masked in all text that the core prints: debug forms, errors and log entries, even if a
//! server echoes them.

use orgo_core::channel::{Action, ConnectFailure, Session, Target};
use orgo_core::client::address::{BaseUrl, ComputerAddress, SocketTemplate};
use orgo_core::client::config::{CallOptions, Config};
use orgo_core::client::credentials::{ApiKey, Password};
use orgo_core::diagnostics::log::LogLevel;
use orgo_core::encoding::json::{self, Map, Value};
use orgo_core::rest::call::{Call, Step};
use orgo_core::rest::calls::computers::{Computer, VncPassword};
use orgo_core::rest::http::{Response, SendFailure};

const KEY: &str = "sk_live_S3cr3t/Key+1";
const PASSWORD: &str = "p@ss w/ord%+é";
const HEADER: &str = "h3ad3r-s3cr3t";
const SIGNATURE: &str = "c2lnbmF0dXJl+z8/";
/// The secrets, plain and escaped as in URLs and in JSON.
const FORMS: [&str; 11] = [
    KEY,
    "sk_live_S3cr3t%2FKey%2B1",
    r"sk_live_S3cr3t\/Key+1",
    PASSWORD,
    "p%40ss%20w%2Ford%25%2B%C3%A9",
    "p@ss+w%2ford%25%2b%c3%a9",
    r"p@ss w\/ord%+\u00e9",
    HEADER,
    SIGNATURE,
    "c2lnbmF0dXJl%2Bz8%2F",
    r"c2lnbmF0dXJl+z8\/",
];

#[track_caller]
fn shows_none(shown: impl AsRef<str>) {
    let shown = shown.as_ref();
    assert!(!shown.is_empty());
    for form in FORMS {
        assert!(!shown.contains(form), "{form} is in {shown}");
    }
}

fn object(json: &str) -> Map {
    match json::parse(json.as_bytes()) {
        Ok(Value::Object(fields)) => fields,
        other => panic!("not an object: {other:?}"),
    }
}

fn config() -> Config {
    let headers = vec![("x-gateway-key".to_owned(), HEADER.to_owned())];
    Config {
        base_url: BaseUrl::parse("https://h/api").unwrap(),
        realtime_url: Some(SocketTemplate::parse(&format!("wss://h/{{channel}}?gateway={HEADER}")).unwrap()),
        api_key: Some(ApiKey::new(KEY)),
        headers,
        log_level: Some(LogLevel::Debug),
        ..Config::default()
    }
}

fn call(operation: &str, params: &str) -> Call {
    let options = CallOptions { max_retries: Some(1), ..CallOptions::default() };
    let mut call = Call::new(&config(), operation, &object(params), &options, None, 1).unwrap();
    shows_none(format!("{call:?} {:?}", call.step(0)));
    call
}

/// Returns a response with every form of the known secrets in each of its parts, and with a password in a password
/// field.
fn echo(status: u16) -> Response {
    let known = [&FORMS[..3], &FORMS[7..8]].concat().join("; ");
    let written = known.replace('\\', "\\\\");
    let body = format!(
        r#"{{"error":"{written}","message":"{written}","code":"{written}","request_id":"{written}","vnc_password":"{PASSWORD}"}}"#
    );
    let headers = vec![("x-request-id".to_owned(), known.clone()), ("location".to_owned(), known)];
    Response { status, headers, body: body.into_bytes(), ..Response::default() }
}

fn log(call: &mut Call) -> String {
    std::iter::from_fn(|| call.poll_log()).map(|entry| format!("{entry} {entry:?}\n")).collect()
}

#[test]
fn settings_print_no_secrets() {
    let raw = format!(
        r#"{{"api_key":"{KEY}","headers":{{"x-gateway-key":"{HEADER}"}},"realtime_url":"wss://h/{{channel}}?k={HEADER}"}}"#
    );
    let settings = serde_json::from_str(&raw).unwrap();
    shows_none(format!("{:?} {:?}", config(), Config::read(&settings).unwrap()));
    let options = serde_json::from_str(&format!(r#"{{"headers":{{"x-gateway-key":"{HEADER}"}}}}"#)).unwrap();
    shows_none(format!("{:?}", CallOptions::read("call", &options).unwrap()));
    let (key, password) = (ApiKey::new(KEY), Password::new(PASSWORD));
    shows_none(format!("{key:?} {key} {password:?} {password}"));
    shows_none(serde_json::to_string(&(key, password)).unwrap());
}

#[test]
fn results_print_no_secrets() {
    let body = format!(r#"{{"password":"{PASSWORD}","desktop_api_token":"{HEADER}"}}"#);
    let mut call = call("computers.vncPassword", r#"{"id":"c"}"#);
    call.handle_response(Response { status: 200, body: body.clone().into_bytes(), ..Response::default() });
    shows_none(format!("{call:?}"));
    let step = call.step(1);
    shows_none(format!("{step:?} {}", log(&mut call)));
    let Step::Done(Ok(output)) = step else { panic!("the call succeeds") };
    let typed = output.into_typed::<orgo_core::rest::calls::computers::GetVncPassword>().unwrap();
    assert_eq!(typed.password.expose(), PASSWORD);
    shows_none(format!("{typed:?} {}", serde_json::to_string(&typed).unwrap()));
    let typed: VncPassword = serde_json::from_str(&body).unwrap();
    let computer: Computer =
        serde_json::from_str(&format!(r#"{{"id":"c","vnc_password":"{PASSWORD}"}}"#)).unwrap();
    shows_none(format!("{typed:?} {computer:?} {}", serde_json::to_string(&computer).unwrap()));
}

#[test]
fn an_error_response_that_echoes_the_request_is_masked() {
    for status in [302, 400, 401, 404, 409, 429, 500, 503] {
        let mut call = call("computers.get", r#"{"id":"c"}"#);
        call.handle_response(echo(status));
        let step = call.step(2);
        shows_none(format!("{step:?} {call:?} {}", log(&mut call)));
        if let Step::Done(result) = step {
            let error = result.expect_err("the server refused the call");
            shows_none(format!("{error} {error:?} {}", error.record()));
            assert!(error.record().to_string().contains("***"));
        }
    }
}

#[test]
fn the_error_of_a_malformed_response_contains_no_secrets() {
    for body in [
        format!(r#"{{"password":["{PASSWORD}"],"key":"{KEY}"}}"#).replace('[', "").replace(']', ",1"),
        format!(r#"{{"password":"{PASSWORD}","desktop_api_token":17,"key":"{KEY}"}}"#),
        r#"{"password":4711471147}"#.to_owned(),
    ] {
        let mut call = call("computers.vncPassword", r#"{"id":"c"}"#);
        call.handle_response(Response { status: 200, body: body.into_bytes(), ..Response::default() });
        let Step::Done(Err(error)) = call.step(1) else { continue };
        let shown = format!("{error} {error:?} {}", error.record());
        shows_none(&shown);
        assert!(!shown.contains("4711471147"), "{shown}");
    }
}

#[test]
fn a_link_that_cannot_be_fetched_is_masked() {
    let mut call = call("files.bytes", r#"{"id":"f"}"#);
    let link = format!("https://store/f?expires=1790000000&signature={}", "c2lnbmF0dXJl%2Bz8%2F");
    let body = format!(r#"{{"url":"{link}"}}"#).into_bytes();
    call.handle_response(Response { status: 200, body, ..Response::default() });
    shows_none(format!("{call:?}"));
    shows_none(format!("{:?}", call.step(1)));
    let message = format!("{link} cannot be parsed: {SIGNATURE}");
    call.handle_failure(SendFailure::never(message));
    let wait = call.step(2);
    shows_none(format!("{wait:?} {} {call:?}", log(&mut call)));
    let _ = call.step(3);
    let body =
        format!("<Error><SignatureProvided>{SIGNATURE}</SignatureProvided>{link}</Error>").into_bytes();
    call.handle_response(Response { status: 403, body, ..Response::default() });
    let Step::Done(Err(error)) = call.step(4) else { panic!("it fails") };
    shows_none(format!("{error} {error:?} {} {}", error.record(), log(&mut call)));
    let record = error.record().to_string();
    assert!(record.contains("<SignatureProvided>***<"), "{record}");
}

#[test]
fn the_end_of_a_channel_shows_no_password() {
    let address = ComputerAddress { computer_id: "c".to_owned(), ..ComputerAddress::default() };
    let target = Target::new(&config(), address.clone(), Some(Password::new(PASSWORD)));
    shows_none(format!("{target:?}"));
    let password_forms = FORMS[3..7].join(" ");
    let mut session = Session::terminal(target, None, None, 1, 0).unwrap();
    let mut shown = Vec::new();
    let mut look = |session: &mut Session<orgo_core::channel::Terminal>| {
        while let Some(output) = session.poll_action() {
            if let Action::Connect(url) = &output {
                assert!(url.expose().contains("&token=p%40ss%20w%2Ford%25%2B%C3%A9&"), "it is encoded");
                shown.push(format!("{url}"));
            }
            shown.push(format!("{output:?}"));
        }
        shown.extend(std::iter::from_fn(|| session.poll_log()).map(|entry| format!("{entry} {entry:?}")));
        shown.extend(std::iter::from_fn(|| session.poll_item()).map(|item| format!("{item:?}")));
        shown.push(format!("{session:?} {}", session.state().to_json()));
    };
    look(&mut session);
    session.handle_failure(1, &ConnectFailure { status: Some(500), message: password_forms.clone() });
    look(&mut session);
    session.handle_timeout(100_000);
    session.handle_open(100_000);
    let error = serde_json::json!({ "type": "error", "message": password_forms });
    session.handle_text(100_001, &error.to_string());
    look(&mut session);
    session.handle_close(100_002, 4401, &password_forms);
    look(&mut session);
    session.handle_failure(100_003, &ConnectFailure { status: None, message: password_forms.clone() });
    look(&mut session);
    session.handle_timeout(300_000);
    look(&mut session);
    session.handle_credentials(300_001, Ok((address, Password::new(PASSWORD))));
    session.handle_open(300_002);
    session.handle_close(300_003, 4401, &password_forms);
    look(&mut session);
    let shown = shown.join("\n");
    shows_none(&shown);
    assert!(shown.contains("***") && shown.contains("closed"), "{shown}");
}
