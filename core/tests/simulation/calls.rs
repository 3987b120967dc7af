//! Model of calls: a call with `Effect::Once` is executed at most once, `delivered` is correct, and every call ends.

use orgo_core::client::config::{CallOptions, Config};
use orgo_core::encoding::json::{Map, Number};
use orgo_core::error::{Delivered, Error};
use orgo_core::rest::call::{Call, Step};
use orgo_core::rest::calls::OPERATIONS;
use orgo_core::rest::http::{Body, Method, Request, Response, SendFailure};
use orgo_core::rest::operation::{Effect, Operation, ParameterEncoding};
use orgo_core::rest::upload::{Content, Data};
use serde_json::{Value, json};

use crate::random::Random;

/// Returns valid parameters of a call: each field has a value that its rule allows.
fn parameters(operation: &Operation) -> Map {
    let value = |name: &str| match name {
        "x" | "y" | "start_x" | "start_y" | "end_x" | "end_y" => 1.into(),
        "duration" => Number::rounded(0.5).expect("finite").into(),
        "direction" => "up".into(),
        _ => "text".into(),
    };
    operation
        .path_fields
        .iter()
        .chain(operation.fields)
        .filter(|field| !field.optional)
        .map(|field| (field.name.to_owned(), value(field.name)))
        .collect()
}

/// Returns a response that every call can decode.
fn good(request: &Request) -> Response {
    let body = json!({
        "id": "i", "name": "n", "password": "p", "output": "", "status": "idle", "success": true,
        "workspaces": [], "files": [], "file": { "id": "f" }, "url": "https://storage.example/f",
        "image": "https://storage.example/s",
    });
    let image = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x05\0\0\0\x02\xd0\x08\x02\0\0\0".to_vec();
    let linked = request.url.starts_with("https://storage.example/");
    Response {
        status: 200,
        body: if linked { image } else { body.to_string().into_bytes() },
        ..Response::default()
    }
}

/// The size of every uploaded file, in bytes.
const FILE: u64 = 100;

/// The reported progress of an upload, which never decreases and never exceeds the size of the file.
#[derive(Default)]
struct ReportedProgress(Option<u64>);

impl ReportedProgress {
    /// `known`: whether the size of the file is known before the end.
    fn follow(&mut self, call: &mut Call, known: bool) {
        while let Some(uploaded) = call.poll_upload_progress() {
            let total = if known { Some(FILE) } else { uploaded.total.and(Some(uploaded.loaded)) };
            assert_eq!(uploaded.total, total);
            let more = Some(uploaded.loaded) > self.0 || uploaded.total.is_some() && !known;
            assert!(more && uploaded.loaded <= FILE, "{uploaded:?} after {:?}", self.0);
            self.0 = Some(uploaded.loaded);
        }
    }
}

pub(crate) fn schedule(random: &mut Random) {
    let operation = random.pick(OPERATIONS);
    let content = (operation.encoding == ParameterEncoding::Multipart).then(|| Content {
        name: "f".to_owned(),
        content_type: "text/plain".to_owned(),
        data: match random.below(3) {
            0 => Data::External { size: None, repeatable: false },
            1 => Data::External { size: Some(FILE), repeatable: random.once_in(2) },
            _ => vec![b'x'; 100].into(),
        },
    });
    let size = content.as_ref().and_then(|content| content.data.size());
    let single_use = content
        .as_ref()
        .is_some_and(|content| matches!(content.data, Data::External { repeatable: false, .. }));
    let uploads = content.is_some();
    let max_retries = u32::try_from(random.below(6)).unwrap();
    let total = random.once_in(2).then(|| random.below(5_000) + 1);
    let options = CallOptions {
        max_retries: Some(max_retries),
        timeout: Some(1_000),
        total_timeout: total,
        ..CallOptions::default()
    };
    let mut call = Call::new(
        &Config::default(),
        operation.name,
        &parameters(operation),
        &options,
        content,
        random.below(u64::MAX),
    )
    .expect("the parameters are valid");
    let (mut sent, mut executed, mut now) = (0_u32, 0_u32, 0);
    let mut used_up = false;
    let mut reported = ReportedProgress::default();
    loop {
        assert!(now <= total.unwrap_or(u64::MAX), "{}: past its limit", operation.name);
        match call.step(now) {
            Step::Done(result) => {
                // Without reports of the platform, the size remains unknown.
                if result.is_ok() && (size.is_some() || !uploads) {
                    assert_eq!(reported.0, size, "{}: the reported progress of the file", operation.name);
                }
                finish(operation, result.err().as_ref(), executed);
                assert!(sent <= 2 * (max_retries + 1), "{}: sent {sent} times", operation.name);
                return;
            }
            Step::Wait(time) => {
                assert!(time <= 86_400_000);
                now += time;
                if random.once_in(10) {
                    call.abort();
                }
            }
            Step::Send(request, limits) => {
                let left = total.unwrap_or(u64::MAX) - now;
                assert!(limits.request == left.min(1_000) && left > 0);
                sent += 1;
                assert!(sent < 100 && now < 100 * 86_400_000, "{}: a call ends", operation.name);
                now += random.below(limits.request + 1);
                assert!(!used_up, "{}: a file that was read cannot be sent again", operation.name);
                if random.once_in(2) {
                    call.handle_file_opened();
                    used_up = single_use;
                }
                // A request for a link is not the call itself.
                let own = !request.url.starts_with("https://storage.example/");
                for _ in 0..random.below(3) {
                    let body = request.body.as_ref().and_then(Body::size).unwrap_or(FILE);
                    call.handle_sent(random.below(body + 1));
                    reported.follow(&mut call, size.is_some());
                }
                let happens = outcome(&mut call, &request, random);
                reported.follow(&mut call, size.is_some());
                executed += u32::from(happens && own);
            }
        }
    }
}

/// Ends one request in a random way. Returns whether the server executed it.
fn outcome(call: &mut Call, request: &Request, random: &mut Random) -> bool {
    let wait = random.pick(&[
        "1",
        "0",
        "0.25",
        "1e9",
        "-1",
        "soon",
        "",
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "99999999999999999999",
    ]);
    let date = random.pick(&["Sun, 06 Nov 1994 08:49:07 GMT", "today"]);
    let mut respond = |status: u16, body: Value| {
        let headers = vec![("retry-after".to_owned(), wait.to_owned()), ("date".to_owned(), date.to_owned())];
        call.handle_response(Response {
            status,
            headers,
            body: body.to_string().into_bytes(),
            ..Response::default()
        });
    };
    match random.below(14) {
        0 => {
            call.handle_failure(SendFailure::never("refused"));
            false
        }
        1 => {
            call.handle_failure(SendFailure::maybe("reset"));
            random.once_in(2)
        }
        2 => {
            if random.once_in(2) {
                call.handle_timeout();
            } else {
                call.handle_stall();
            }
            random.once_in(2)
        }
        3 => {
            respond(429, json!({ "error": "slow down" }));
            false
        }
        4 => {
            respond(409, json!({ "error": "waking", "code": "computer_waking" }));
            false
        }
        5 => {
            respond(503, json!({ "error": "waking", "code": "resuming" }));
            false
        }
        6 => {
            respond(random.pick(&[400, 401, 403, 404, 405, 409, 422]), json!({ "error": "no" }));
            false
        }
        7 => {
            respond(random.pick(&[408, 500, 502, 503, 504]), json!({ "error": "boom" }));
            random.once_in(2)
        }
        8 => {
            let length = random.below(200);
            call.handle_response(Response { status: 200, body: random.bytes(length), ..Response::default() });
            true
        }
        9 if request.body.as_ref().is_some_and(|body| body.to_vec().is_none()) => {
            call.handle_failure(SendFailure::unreadable("the disk failed"));
            false
        }
        9 | 10 => {
            let happens = random.once_in(2);
            call.abort();
            happens
        }
        _ => {
            call.handle_response(good(request));
            true
        }
    }
}

fn finish(operation: &Operation, error: Option<&Error>, executed: u32) {
    if operation.effect == Effect::Once {
        assert!(executed <= 1, "{}: executed {executed} times", operation.name);
    }
    match error.map(Error::delivered) {
        Some(Delivered::No) => {
            assert_eq!(executed, 0, "{}: reported as not delivered: {error:?}", operation.name);
        }
        Some(Delivered::Yes) | None => assert!(executed >= 1, "{}: reported as executed", operation.name),
        Some(Delivered::Maybe) => {}
    }
    assert_eq!(
        operation.method == Method::Get,
        operation.effect == Effect::Read && operation.name != "computers.wait"
    );
}
