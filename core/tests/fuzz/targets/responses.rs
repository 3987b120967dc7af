//! Tests any response to any call: the call ends within its limit, is not repeated if it may have been executed,
//! reports `delivered` correctly, and returns a value of the declared type, or an error of limited size without the
//! key.

use orgo_core::client::config::{CallOptions, Config};
use orgo_core::client::credentials::ApiKey;
use orgo_core::diagnostics::log::LogLevel;
use orgo_core::encoding::json::{Map, Number};
use orgo_core::error::{Delivered, Error};
use orgo_core::rest::call::{Call, Output, Step};
use orgo_core::rest::calls::{OPERATIONS, actions, computers, files, stream, workspaces};
use orgo_core::rest::http::{Response, SendFailure};
use orgo_core::rest::operation::{Effect, Endpoint, Operation, ParameterEncoding};
use orgo_core::rest::upload::Content;

use super::input::Input;
use super::json::{depth, has_huge_number};

const KEY: &str = "sk_live_fuzz";

const DAY: u64 = 86_400_000;

/// The largest size of an error: 4 KiB of the body and 4 KiB of the server's message, both escaped, and the names.
const LARGEST_ERROR: usize = 64 << 10;

/// The error codes of a server that executed nothing.
const WAKING: [&str; 7] = [
    "computer_waking",
    "suspend_in_progress",
    "resume_in_progress",
    "resuming",
    "wake_failed",
    "no_capacity",
    "saved_state_unavailable",
];

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let operation = input.pick(OPERATIONS);
    let max_retries = u32::from(input.byte() % 4);
    let total = input.flag().then(|| u64::from(input.number()) + 1);
    let mut call = begin(operation, max_retries, total, &mut input);
    let (mut now, mut sent) = (0, 0);
    let mut first = None;
    let (mut possible, mut certain) = (false, false);
    loop {
        while let Some(note) = call.poll_log() {
            assert!(!format!("{note:?}").contains(KEY), "no log entry contains the key");
            check_line(&note.to_string());
        }
        match call.step(now) {
            Step::Done(result) => {
                let delivered = result.as_ref().map_or_else(Error::delivered, |_| Delivered::Yes);
                match delivered {
                    Delivered::No => assert!(!possible, "reported as not delivered: {result:?}"),
                    Delivered::Yes => assert!(certain, "reported as delivered: {result:?}"),
                    Delivered::Maybe => {}
                }
                match result {
                    Ok(output) => check_output(operation, output),
                    Err(error) => check_error(&error),
                }
                assert!(matches!(call.step(now), Step::Done(Err(_))), "a call ends once");
                return;
            }
            Step::Wait(time) => {
                assert!(time <= DAY);
                now += time;
                if input.byte() == 0xff {
                    call.abort();
                }
            }
            Step::Send(request, limits) => {
                let left = total.map(|total| total.saturating_sub(now));
                assert!(
                    limits.request > 0 && left.is_none_or(|left| limits.request <= left),
                    "within the limit"
                );
                sent += 1;
                assert!(sent <= 2 * (max_retries + 1), "sent {sent} times");
                now += u64::from(input.number()).min(limits.request);
                // A request for a link is not the call itself.
                if first.get_or_insert_with(|| request.clone()) == &request {
                    let repeatable = operation.effect != Effect::Once || !possible;
                    assert!(repeatable, "{} is retried after it may have been executed", operation.name);
                    let (may_have, has) = outcome(&mut call, &mut input);
                    possible |= may_have;
                    certain |= has;
                } else {
                    assert!(certain, "a link comes from a response");
                    outcome(&mut call, &mut input);
                }
            }
        }
    }
}

fn begin(operation: &'static Operation, max_retries: u32, total: Option<u64>, input: &mut Input<'_>) -> Call {
    let value = |name: &str| match name {
        "x" | "y" | "start_x" | "start_y" | "end_x" | "end_y" => 1.into(),
        "duration" => Number::rounded(0.5).expect("finite").into(),
        "direction" => "up".into(),
        _ => "text".into(),
    };
    let fields = operation.path_fields.iter().chain(operation.fields).filter(|field| !field.optional);
    let params: Map = fields.map(|field| (field.name.to_owned(), value(field.name))).collect();
    let content = (operation.encoding == ParameterEncoding::Multipart).then(|| Content {
        name: "f".to_owned(),
        content_type: "text/plain".to_owned(),
        data: b"x".to_vec().into(),
    });
    let config =
        Config { api_key: Some(ApiKey::new(KEY)), log_level: Some(LogLevel::Debug), ..Config::default() };
    let options =
        CallOptions { max_retries: Some(max_retries), total_timeout: total, ..CallOptions::default() };
    Call::new(&config, operation.name, &params, &options, content, u64::from(input.byte()))
        .expect("the parameters are valid")
}

/// Ends one request. Returns whether the server may have executed it, and whether it certainly has.
fn outcome(call: &mut Call, input: &mut Input<'_>) -> (bool, bool) {
    match input.byte() % 8 {
        0 => {
            call.handle_failure(SendFailure::never("refused"));
            (false, false)
        }
        1 => {
            call.handle_failure(SendFailure::maybe("reset"));
            (true, false)
        }
        2 => {
            call.handle_timeout();
            (true, false)
        }
        3 => {
            call.handle_stall();
            (true, false)
        }
        4 => {
            call.abort();
            (true, false)
        }
        _ => {
            let response = response(input);
            let (status, body) = (response.status, String::from_utf8_lossy(&response.body).into_owned());
            call.handle_response(response);
            let refused = (400..500).contains(&status) && status != 408;
            let asleep = !(200..300).contains(&status) && WAKING.iter().any(|code| body.contains(code));
            (!refused && !asleep, (200..300).contains(&status))
        }
    }
}

fn response(input: &mut Input<'_>) -> Response {
    let status = input.pick(&[200, 200, 200, 201, 204, 301, 400, 401, 404, 408, 409, 422, 429, 500, 503, 0]);
    let status = if status == 0 { input.number() } else { status };
    let names = ["retry-after", "Date", "x-request-id", "content-type", "location"];
    let headers = (0..input.byte() % 4).map(|_| (input.pick(&names).to_owned(), input.text())).collect();
    let mut body = input.bytes().to_vec();
    // A server may echo the key.
    if input.byte() == 0xff {
        body.extend_from_slice(KEY.as_bytes());
        body.extend_from_slice(input.bytes());
    }
    Response { status, headers, body, ..Response::default() }
}

fn check_output(operation: &Operation, output: Output) {
    match output {
        Output::Value(value) => {
            // Only the JSON reader of the core accepts such numbers.
            if has_huge_number(&value) || depth(&value) >= 128 {
                return;
            }
            serde_json::from_str::<serde_json::Value>(&value.to_string()).expect("a value is JSON");
            let (_, read) =
                READERS.iter().find(|(own, _)| own.name == operation.name).expect("every call is listed");
            let text = value.to_string();
            if let Err(error) = read(Output::Value(value)) {
                panic!("{}: {text} is accepted, but not of the declared type: {error}", operation.name);
            }
        }
        Output::Screenshot(screenshot) => {
            assert_eq!(screenshot.mime_type == "image/png", screenshot.data.starts_with(b"\x89PNG"));
        }
        Output::Content(_) | Output::Stream(_) => {}
    }
}

fn check_error(error: &Error) {
    assert!(!matches!(error, Error::Encode(_) | Error::Closed(_)), "not an error of a response: {error:?}");
    let record = error.record().to_string();
    for text in [&record, &error.to_string(), &format!("{error:?}")] {
        assert!(!text.contains(KEY), "no error contains the key: {text}");
        assert!(text.len() <= LARGEST_ERROR, "the size of an error is limited: {} bytes", text.len());
    }
    check_line(&error.to_string());
    let record: serde_json::Value = serde_json::from_str(&record).expect("a record is JSON");
    for field in ["message", "code", "request_id", "path"] {
        check_line(record[field].as_str().unwrap_or_default());
    }
}

/// Checks that text contains no control characters, direction overrides or line separators.
pub(super) fn check_line(text: &str) {
    let bidi = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    assert!(!text.chars().any(|c| c.is_control() || bidi(c)), "an unescaped character: {text:?}");
}

type Reader = fn(Output) -> Result<(), Error>;

const fn reader<E: Endpoint>() -> (&'static Operation, Reader) {
    (E::OPERATION, |output| output.into_typed::<E>().map(drop))
}

/// The readers of all calls that return a value.
const READERS: &[(&Operation, Reader)] = &[
    reader::<workspaces::CreateWorkspace>(),
    reader::<workspaces::ListWorkspaces>(),
    reader::<workspaces::GetWorkspace>(),
    reader::<workspaces::DeleteWorkspace>(),
    reader::<computers::CreateComputer>(),
    reader::<computers::GetComputer>(),
    reader::<computers::DeleteComputer>(),
    reader::<computers::GetVncPassword>(),
    reader::<computers::StartComputer>(),
    reader::<computers::StopComputer>(),
    reader::<computers::RestartComputer>(),
    reader::<actions::Click>(),
    reader::<actions::Drag>(),
    reader::<actions::TypeText>(),
    reader::<actions::PressKey>(),
    reader::<actions::Scroll>(),
    reader::<actions::Wait>(),
    reader::<actions::RunBash>(),
    reader::<actions::ExecPython>(),
    reader::<stream::StartStream>(),
    reader::<stream::GetStreamStatus>(),
    reader::<stream::StopStream>(),
    reader::<files::UploadFile>(),
    reader::<files::ListFiles>(),
    reader::<files::ExportFile>(),
    reader::<files::GetDownloadUrl>(),
    reader::<files::DeleteFile>(),
];
