//! Runs the wire pairs of `tests/vectors/calls` through [`Call`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use orgo_core::api::OPERATIONS;
use orgo_core::call::{Call, Content, Output, Step};
use orgo_core::config::{Config, RawCallOptions, RawConfig};
use orgo_core::error::Error;
use orgo_core::http::{Reached, Request, Response, SendFailure};
use serde_json::{Value, json};

mod vectors;

const KEY: &str = "sk_live_test";

fn config(case: &Value) -> Config {
    let mut raw = json!({ "api_key": KEY, "max_retries": 0 });
    for (name, value) in case["config"].as_object().into_iter().flatten() {
        raw[name] = value.clone();
    }
    let raw: RawConfig = serde_json::from_value(raw).expect("the vector's config is well formed");
    raw.try_into().expect("the vector's config is acceptable")
}

fn start(case: &Value) -> Result<Call, Error> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let content = case.get("content").map(|content| Content {
        name: text(&content["name"]),
        content_type: text(&content["content_type"]),
        data: text(&content["text"]).into_bytes(),
    });
    let operation = case["operation"].as_str().expect("a case names its operation");
    let raw: RawCallOptions = case
        .get("options")
        .cloned()
        .map_or_else(RawCallOptions::default, |raw| serde_json::from_value(raw).unwrap());
    let params = serde_json::from_value(case["params"].clone()).unwrap_or_default();
    Call::new(&config(case), operation, &params, &raw.check(operation)?, content, 1)
}

fn compare_request(name: &str, request: &Request, expected: &Value) {
    assert_eq!(request.method.as_str(), expected["method"], "{name}: method");
    assert_eq!(request.url, expected["url"], "{name}: url");
    let authorized =
        request.headers.iter().any(|header| *header == ("authorization".into(), format!("Bearer {KEY}")));
    assert_eq!(authorized, expected["authorized"] != false, "{name}: authorized");
    let body = request.body.as_deref().unwrap_or_default();
    if let Some(json) = expected.get("body") {
        assert_eq!(&serde_json::from_slice::<Value>(body).unwrap(), json, "{name}: body");
    }
    for part in expected["contains"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let text = String::from_utf8_lossy(body);
        assert!(text.contains(part), "{name}: the body lacks {part:?}:\n{text}");
    }
}

fn response(expected: &Value) -> Response {
    let body = match (expected.get("body"), expected.get("text"), expected.get("base64")) {
        (Some(json), _, _) => json.to_string().into_bytes(),
        (_, Some(text), _) => text.as_str().unwrap().as_bytes().to_vec(),
        (_, _, Some(base64)) => STANDARD.decode(base64.as_str().unwrap()).unwrap(),
        _ => Vec::new(),
    };
    let headers = expected["headers"].as_object().cloned().unwrap_or_default();
    Response {
        status: expected["status"].as_u64().unwrap_or(200).try_into().unwrap(),
        headers: headers
            .into_iter()
            .map(|(name, value)| (name, value.as_str().unwrap().to_owned()))
            .collect(),
        body,
    }
}

fn run(case: &Value) -> Result<Output, Error> {
    let name = case["name"].as_str().unwrap();
    let mut call = start(case)?;
    let mut exchange = case["exchange"].as_array().unwrap().iter();
    loop {
        match call.step() {
            Step::Done(result) => {
                assert_eq!(exchange.next(), None, "{name}: ended too early");
                return result;
            }
            Step::Wait(time) => {
                let wait = &exchange.next().unwrap_or_else(|| panic!("{name}: waits"))["wait"];
                let bounds = wait[0].as_u64().unwrap()..=wait[1].as_u64().unwrap();
                assert!(bounds.contains(&time), "{name}: waits {time} ms, not {bounds:?}");
            }
            Step::Send(request, _) => {
                let next = exchange.next().unwrap_or_else(|| panic!("{name}: sends {request:?}"));
                compare_request(name, &request, &next["request"]);
                if let Some(expected) = next.get("response") {
                    call.handle_response(response(expected));
                } else if let Some(failure) = next.get("failure") {
                    let reached = if failure["reached"] == "never" { Reached::Never } else { Reached::Maybe };
                    let message = failure["message"].as_str().unwrap().to_owned();
                    call.handle_failure(SendFailure { reached, message });
                } else {
                    call.handle_timeout();
                }
            }
        }
    }
}

#[test]
fn every_wire_pair_holds() {
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
    // The 29th entry fetches a file's content in two steps and is no call of its own.
    assert_eq!(OPERATIONS.len(), 29);
    let mut requests: Vec<_> =
        OPERATIONS.iter().map(|operation| (operation.method.as_str(), operation.path)).collect();
    requests.sort_unstable();
    requests.dedup();
    assert_eq!(requests.len(), 28);
}

#[test]
fn a_typed_call_is_the_same_call() {
    use orgo_core::api::actions::{Click, MouseButton};
    let config = config(&Value::Null);
    let click = Click { id: "c".into(), x: 1, y: 2, button: Some(MouseButton::Right), ..Click::default() };
    let mut typed = Call::typed(&config, &click, &Default::default(), 1).unwrap();
    let params = serde_json::from_value(json!({ "id": "c", "x": 1, "y": 2, "button": "right" })).unwrap();
    let mut named = Call::new(&config, "computers.click", &params, &Default::default(), None, 1).unwrap();
    assert_eq!(typed.step(), named.step());
    typed.handle_response(Response {
        status: 200,
        body: br#"{"success":true}"#.to_vec(),
        ..Response::default()
    });
    let Step::Done(Ok(output)) = typed.step() else { panic!("it is done") };
    assert_eq!(output.into_typed::<Click>().unwrap().success, Some(true));
}

#[test]
fn giving_up_says_whether_it_was_sent() {
    let case = json!({ "operation": "computers.click", "params": { "id": "c", "x": 1, "y": 1 } });
    let delivered = |call: &mut Call| match call.step() {
        Step::Done(Err(error)) => serde_json::to_value(error.record()).unwrap()["delivered"].clone(),
        step => panic!("{step:?}"),
    };
    let mut before = start(&case).unwrap();
    before.abort();
    assert_eq!(delivered(&mut before), "no");
    let mut after = start(&case).unwrap();
    let _ = after.step();
    after.abort();
    assert_eq!(delivered(&mut after), "maybe");
}

#[test]
fn no_request_shows_the_key() {
    let mut call = start(&json!({ "operation": "workspaces.list", "params": {} })).unwrap();
    let Step::Send(request, _) = call.step() else { panic!("it sends") };
    assert!(!format!("{request:?} {call:?}").contains(KEY));
}
