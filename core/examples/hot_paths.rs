//! Runs the code that processes each message or response, for `npm test -- instructions`, which counts its instructions:
//! `hot_paths NAME COUNT`. The difference between two counts is the cost of the repetitions alone.

use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use orgo_core::channel::{AnySession, Incoming, Target, open};
use orgo_core::client::address::ComputerAddress;
use orgo_core::client::config::{CallOptions, Config};
use orgo_core::client::credentials::Password;
use orgo_core::encoding::json::Map;
use orgo_core::rest::call::{Call, Output, Step};
use orgo_core::rest::http::Response;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, count] = &arguments[..] else { panic!("usage: hot_paths NAME COUNT") };
    let count: u32 = count.parse().expect("COUNT is a number");
    match name.as_str() {
        "terminal" => channel("terminal", count, &terminal_message(), false),
        "events" => channel("events", count, EVENT.as_bytes(), false),
        "audio" => channel("audio", count, &[7; 960], true),
        "click" => calls("computers.click", r#"{"id":"c1","x":640,"y":360}"#, count, br#"{"success":true}"#),
        "screenshot" => calls("computers.screenshot", r#"{"id":"c1"}"#, count, &screenshot()),
        _ => panic!("unknown name {name}"),
    }
}

const EVENT: &str = r#"{"type":"event","event":{"type":"window_focus","timestamp":"2026-11-24T10:00:00.000Z","data":{"window_id":"0x2a0000c","title":"Terminal"}}}"#;

fn terminal_message() -> Vec<u8> {
    let line =
        r"\u001b[01;34mdocuments\u001b[0m  report-2026-11.txt  \u001b[01;32mrun.sh\u001b[0m  notes.md\r\n";
    format!(r#"{{"type":"output","data":"{}"}}"#, line.repeat(10)).into_bytes()
}

fn screenshot() -> Vec<u8> {
    let mut image = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x05\0\0\0\x02\xd0\x08\x06\0\0\0".to_vec();
    image.extend((0..100_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]));
    format!(r#"{{"image":"data:image/png;base64,{}"}}"#, STANDARD.encode(image)).into_bytes()
}

fn channel(kind: &str, count: u32, message: &[u8], binary: bool) {
    let address = ComputerAddress { computer_id: "c1".to_owned(), ..ComputerAddress::default() };
    let target = Target::new(&Config::default(), address, Some(Password::new("pass")));
    let (mut session, _) = open(kind, target, &Map::new(), 1, 0).expect("the options are valid");
    while session.poll_action().is_some() {}
    session.handle_open(0);
    while session.poll_action().is_some() {}
    let incoming = if binary { Incoming::Binary } else { Incoming::Text };
    for at in 0..count {
        session.handle_message(0, incoming(black_box(message)));
        if at % 16 == 15 {
            read(&mut *session);
        }
    }
    read(&mut *session);
    assert_eq!((session.counters().dropped, session.counters().malformed), (0, 0));
}

fn read(session: &mut dyn AnySession) {
    for item in session.poll_items() {
        black_box(item.fields.into_json());
        if let Some((_, payload)) = black_box(item.payload) {
            session.recycle(payload);
        }
    }
}

fn calls(operation: &str, params: &str, count: u32, body: &[u8]) {
    let params = orgo_core::client::fields::read_object(operation, "params", Some(params));
    let params = params.expect("the parameters are valid");
    for _ in 0..count {
        let options = CallOptions::default();
        let call = Call::new(&Config::default(), operation, black_box(&params), &options, None, 1);
        let mut call = call.expect("the parameters are valid");
        assert!(matches!(call.step(0), Step::Send(..)));
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        call.handle_response(Response { status: 200, headers, body: body.to_vec(), ..Response::default() });
        let Step::Done(Ok(output)) = call.step(0) else { panic!("the call succeeds") };
        assert!(matches!(output, Output::Value(_) | Output::Screenshot(_)));
        black_box(output);
    }
}
