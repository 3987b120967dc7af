//! Tests in a real browser: `wasm-pack test --headless --chrome`.

use std::cell::Cell;
use std::future::pending;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::future::{Either, select};
use js_sys::{Array, Float32Array, JSON, Promise, Reflect, Uint8Array};
use orgo_core::audio::Format;
use orgo_core::channel::{Audio, AudioItem, Counters, Kind, Terminal, TerminalItem};
use orgo_core::client::address::{BaseUrl, ComputerAddress, SocketTemplate};
use orgo_core::client::credentials::Password;
use orgo_core::driver::{Platform, Progress, outcome};
use orgo_core::encoding::json::{Map, Value};
use orgo_core::rest::call::Output;
use orgo_core::rest::http::{Method, RESPONSE_FIELDS, Reached, Request, Response, SendFailure};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use crate::call::take_settles;
use crate::client::Client;
use crate::convert::{content_from_js, map_from_js, object_to_js, to_js};
use crate::platform::Browser;
use crate::platform::http::{Answer, Outcome, Report, Running};
use crate::promise::promise;
use crate::task::take_rejects;

wasm_bindgen_test_configure!(run_in_browser);

/// No server listens on this port, and browsers allow requests to it.
const DEAD: &str = "127.0.0.1:65533";

fn parse(json: &str) -> JsValue {
    JSON::parse(json).unwrap()
}

fn text(value: &JsValue) -> String {
    JSON::stringify(value).unwrap().into()
}

fn get(value: &JsValue, field: &str) -> JsValue {
    Reflect::get(value, &field.into()).unwrap()
}

fn browser() -> Browser {
    Browser::default()
}

fn client() -> Client {
    Client::new(&parse(&format!(r#"{{"base_url":"http://{DEAD}/api","api_key":"sk_secret"}}"#)), None, None)
        .unwrap()
}

#[wasm_bindgen_test]
fn plain_data_survives_a_round_trip() {
    let json = r#"{"a":[1,2.5,-9007199254740991,null,true],"b":{"c":"ü🦀"}}"#;
    let value = map_from_js("test", "params", &parse(json)).unwrap();
    assert_eq!(text(&to_js(&Value::Object(value))), json);
}

#[wasm_bindgen_test]
fn a_field_cannot_set_a_prototype() {
    let json = r#"{"a":[{"__proto__":{"isAdmin":true}}]}"#;
    let value = Value::Object(map_from_js("test", "params", &parse(json)).unwrap());
    let value = object_to_js(value.into());
    assert_eq!(text(&value), json);
    let inner = get(&get(&value, "a"), "0");
    assert!(get(&inner, "isAdmin").is_undefined());
}

#[wasm_bindgen_test]
fn only_plain_data_is_accepted() {
    let read = |value: &JsValue| map_from_js("test", "params", value);
    assert_eq!(read(&JsValue::UNDEFINED), Ok(Map::new()));
    let cycle = parse("{}");
    Reflect::set(&cycle, &"self".into(), &cycle).unwrap();
    let half = parse(r#"{"a":["\ud83d"]}"#);
    for wrong in
        [cycle, parse("[1]"), JsValue::NULL, "text".into(), js_sys::Function::new_no_args("").into(), half]
    {
        assert!(read(&wrong).is_err(), "{wrong:?}");
    }
}

#[wasm_bindgen_test]
fn counters_are_numbers() {
    let counters = to_js(&Counters { received: 1 << 40, ..Counters::default() }.to_json());
    assert_eq!(get(&counters, "received").as_f64(), Some(1_099_511_627_776.0));
}

#[wasm_bindgen_test]
fn samples_and_bytes_are_copied_out_of_the_module() {
    let item = object_to_js(Audio::export(AudioItem::Samples(vec![0.5, -1.0])));
    let samples: Float32Array = get(&item, "samples").unchecked_into();
    assert_eq!(samples.to_vec(), [0.5, -1.0]);
    assert_eq!(samples.buffer().byte_length(), 8);

    let outcome = object_to_js(outcome(Ok(Output::Content(vec![1, 2, 3]))));
    let bytes: Uint8Array = get(&outcome, "bytes").unchecked_into();
    assert_eq!(bytes.to_vec(), [1, 2, 3]);
    assert_eq!(bytes.buffer().byte_length(), 3);

    let output = object_to_js(Terminal::export(TerminalItem::Output { data: "ü🦀".to_owned() }));
    assert_eq!(text(&output), r#"{"type":"output","data":"ü🦀"}"#);

    let started = object_to_js(Audio::export(AudioItem::Started(Format::default())));
    assert_eq!(text(&started), r#"{"type":"started","sample_rate":24000,"channels":1}"#);
}

#[wasm_bindgen_test]
fn the_content_of_an_upload_must_be_bytes() {
    let content = parse(r#"{"name":"a.txt","content_type":"text/plain"}"#);
    assert_eq!(content_from_js("files.upload", None), Ok(None));
    assert!(content_from_js("files.upload", Some(content.unchecked_ref())).is_err());
    Reflect::set(&content, &"data".into(), &Uint8Array::from([1, 2].as_slice())).unwrap();
    let read = content_from_js("files.upload", Some(content.unchecked_ref())).unwrap().unwrap();
    assert_eq!(
        (read.name.as_str(), read.content_type.as_str(), read.data),
        ("a.txt", "text/plain", vec![1, 2].into())
    );
}

#[wasm_bindgen_test]
fn a_setting_of_the_wrong_type_is_refused_without_its_value() {
    let error = Client::new(&parse(r#"{"api_key":["sk_secret"]}"#), None, None).unwrap_err();
    assert_eq!(get(&error, "field"), "api_key");
    assert!(!text(&error).contains("sk_secret"), "{}", text(&error));
}

/// Starts a call. Returns its id and the promise of its outcome.
fn start(client: &Client, call: &str) -> (u32, Promise) {
    let mut id = 0;
    let outcome = Promise::new(&mut |resolve, _| {
        let settle = move |_: JsValue, outcome: JsValue| {
            let _ = resolve.call1(&JsValue::UNDEFINED, &outcome);
        };
        let settle = Closure::once_into_js(settle).unchecked_into();
        id = client.start(browser().now() as f64, call, None, settle);
    });
    (id, outcome)
}

#[wasm_bindgen_test]
async fn a_refused_parameter_is_the_outcome() {
    let (id, outcome) = start(&client(), "computers.click\n{\"id\":\"c1\",\"x\":1}\n{}");
    assert!(client().pending(id).is_none());
    let outcome = JsFuture::from(outcome).await.unwrap();
    assert_eq!(get(&outcome, "ok"), false);
    assert_eq!(get(&get(&outcome, "error"), "field"), "y");
    assert_eq!(get(&get(&outcome, "error"), "delivered"), "no");
}

#[wasm_bindgen_test]
async fn a_canceled_call_ends_as_aborted() {
    let client = client();
    let (id, outcome) = start(&client, "computers.get\n{\"id\":\"c1\"}\n");
    assert!(client.pending(id).is_some());
    client.cancel(id);
    let outcome = JsFuture::from(outcome).await.unwrap();
    assert_eq!(get(&get(&outcome, "error"), "kind"), "aborted");
    assert!(client.pending(id).is_none());
    client.cancel(id);
}

/// Creates a request that accepts a response of at most 5 bytes.
fn request(url: &str) -> Arc<Request> {
    Arc::new(Request {
        method: Method::Get,
        url: url.to_owned(),
        headers: Vec::new(),
        body: None,
        max_response_bytes: 5,
        streams_response: false,
        once: false,
    })
}

/// Sends a request and reads the whole response.
async fn send(request: Arc<Request>) -> Result<Response, SendFailure> {
    let last = Rc::<Cell<Option<Outcome>>>::default();
    let mut report: Option<Report> = None;
    let ended = Promise::new(&mut |resolve, _| {
        let last = Rc::clone(&last);
        report = Some(Closure::new(move |_, event, _, head, bytes, value| {
            last.set(Some(Outcome { event, head, bytes, value }));
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }));
    });
    let answer = match Running::send(&browser(), &report.unwrap(), 1, request, Progress::default()) {
        Ok(running) => {
            JsFuture::from(ended).await.unwrap();
            running.conclude(&browser(), last.take().unwrap())
        }
        Err(answer) => answer,
    };
    match answer {
        Answer::Complete(result) => result,
        Answer::Incomplete(rest) => rest.await,
        Answer::Open(..) => panic!("the request does not stream its response"),
    }
}

#[wasm_bindgen_test]
async fn a_browser_does_not_report_whether_a_refused_connection_was_reached() {
    let refused = send(request(&format!("http://{DEAD}/"))).await.unwrap_err();
    assert_eq!(refused.reached, Reached::Maybe, "{}", refused.message);
    let no_url = send(request("http://")).await.unwrap_err();
    assert_eq!(no_url.reached, Reached::Never, "{}", no_url.message);
}

#[wasm_bindgen_test]
async fn a_response_is_read_completely() {
    let response = send(request("data:text/plain;charset=utf-8,hello")).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, b"hello".as_slice()));
    assert_eq!(response.header("content-type"), Some("text/plain;charset=utf-8"));
}

#[wasm_bindgen_test]
async fn a_response_beyond_the_limit_is_not_kept() {
    let response = send(request("data:text/plain,hello!")).await.unwrap();
    assert_eq!((response.status, response.too_large, response.body.len()), (200, true, 0));
}

#[wasm_bindgen_test]
fn http_js_passes_the_header_fields_that_the_core_reads() {
    let script = include_str!("platform/http.js");
    let (length, others) = RESPONSE_FIELDS.split_first().unwrap();
    assert!(script.contains(&format!("\"{length}\"")));
    assert!(script.contains(&format!("\"{}\".split", others.join(" "))));
}

#[wasm_bindgen_test]
async fn the_failure_of_a_socket_does_not_contain_the_password() {
    let address = ComputerAddress { computer_id: "c1".to_owned(), ..ComputerAddress::default() };
    let url = |template: &str| {
        let template = SocketTemplate::parse(template).unwrap();
        let url = address.channel_url(&BaseUrl::default(), Some(&template), "terminal").unwrap();
        url.with_token(Password::new("hunter2"))
    };
    let dead = browser().connect(url(&format!("ws://{DEAD}/{{channel}}")), true).await.err().unwrap();
    assert_eq!(dead.status, None);
    assert!(!dead.message.contains("hunter2"), "{}", dead.message);
    let refused = browser().connect(url("ws://[:::]/{channel}"), true).await.err().unwrap();
    assert!(
        refused.message.contains("SyntaxError") && !refused.message.contains("hunter2"),
        "{}",
        refused.message
    );
}

#[wasm_bindgen_test]
async fn a_channel_ends_when_its_object_is_dropped() {
    let target = parse(&format!(r#"{{"computer_id":"c1","connection_url":"http://{DEAD}","password":"p"}}"#));
    let terminal = client().open("terminal", &target, &parse("{}")).unwrap();
    let (item, state) = (terminal.next(), terminal.next_state());
    drop(terminal);
    assert!(JsFuture::from(item).await.unwrap().is_null());
    assert_eq!(get(&JsFuture::from(state).await.unwrap(), "status"), "closed");
}

#[wasm_bindgen_test]
async fn options_and_arguments_of_a_channel_are_checked() {
    let target = parse(r#"{"computer_id":"c1","password":"p"}"#);
    let error = client().open("terminal", &target, &parse(r#"{"cols":0}"#)).unwrap_err();
    assert_eq!(get(&error, "field"), "cols");
    let error = client().open("events", &target, &parse(r#"{"types":["nothing"]}"#)).unwrap_err();
    assert_eq!(get(&error, "field"), "types");
    let error = client().open("radio", &target, &JsValue::UNDEFINED).unwrap_err();
    assert_eq!(get(&error, "field"), "kind");
    let events = client().open("events", &target, &JsValue::UNDEFINED).unwrap();
    assert!(events.command("subscribe", &Array::of1(&"clipboard".into())).is_ok());
    assert!(events.command("subscribe", &"clipboard".into()).is_err());
    assert!(events.command("resize", &JsValue::UNDEFINED).is_err());
}

#[wasm_bindgen_test]
async fn the_timer_and_the_clock_agree() {
    let before = browser().now();
    browser().sleep(20).await;
    // A browser rounds its clock and its timer differently.
    assert!(browser().now() >= before + 19);
    match select(pin!(browser().sleep(1)), pin!(browser().sleep(u64::MAX))).await {
        Either::Left(_) => {}
        Either::Right(_) => panic!("the timer with the longest time fired first"),
    }
}

#[wasm_bindgen_test]
async fn a_panic_rejects_the_promises_of_unfinished_tasks() {
    // Those of other tests.
    take_rejects();
    assert_eq!(JsFuture::from(promise(async { 1.into() })).await, Ok(1.into()));
    assert!(take_rejects().is_empty(), "a finished task leaves no function");
    let unfinished = promise(pending());
    let rejects = take_rejects();
    assert_eq!(rejects.len(), 1);
    rejects[0].call1(&JsValue::UNDEFINED, &"panicked".into()).unwrap();
    assert_eq!(JsFuture::from(unfinished).await, Err("panicked".into()));
}

#[wasm_bindgen_test]
async fn a_panic_settles_the_calls_in_progress() {
    // Those of other tests.
    take_settles();
    let (id, outcome) = start(&client(), "computers.get\n{\"id\":\"c1\"}\n");
    let settles = take_settles();
    assert_eq!(settles.len(), 1);
    assert!(client().pending(id).is_none());
    settles[0].call2(&JsValue::UNDEFINED, &JsValue::UNDEFINED, &"panicked".into()).unwrap();
    assert_eq!(JsFuture::from(outcome).await, Ok("panicked".into()));
}
