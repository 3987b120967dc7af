//! Executes a call.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use futures_util::future::{Either, select};

use super::platform::{Platform, Progress};
use super::progress::ProgressSender;
use crate::client::config::{CallOptions, Config};
use crate::encoding::json::{Map, Value};
use crate::encoding::plain::{Fields, Payload, PlainObject};
use crate::error::Error;
use crate::rest::call::{Call, Limits, Output, Step};
use crate::rest::http::{Request, Response, SendFailure};
use crate::rest::upload::Content;

/// Creates a call from the parameters and options that a binding passes as plain objects.
///
/// # Errors
/// [`Error::Encode`] for an invalid parameter or option. The error contains the name.
pub fn prepare_call(
    config: &Config,
    operation: &str,
    params: &Map,
    options: &Map,
    content: Option<Content>,
    seed: u64,
) -> Result<Call, Error> {
    let options = CallOptions::read(operation, options)?;
    Call::new(config, operation, params, &options, content, seed)
}

/// Converts the outcome of a call to the form that JavaScript receives.
#[must_use]
pub fn outcome(result: Result<Output, Error>) -> PlainObject {
    let ok = result.is_ok();
    let (name, value, bytes) = match result {
        Ok(Output::Value(value)) => ("value", value, None),
        Ok(Output::Content(data)) => ("value", Value::Null, Some(data)),
        Ok(Output::Screenshot(image)) => {
            let value = Value::record([
                ("mime_type", image.mime_type.into()),
                ("width", image.width.into()),
                ("height", image.height.into()),
            ]);
            ("value", value, Some(image.data))
        }
        Ok(Output::Stream(download)) => ("value", Value::record([("size", download.size().into())]), None),
        Err(error) => ("error", error.record(), None),
    };
    let fields = Map::from_iter([("ok", ok.into()), (name, value)]);
    PlainObject {
        fields: Fields::Value(Value::Object(fields)),
        payload: bytes.map(|bytes| ("bytes", Payload::Bytes(bytes))),
    }
}

/// How a request ended.
enum Ended {
    Completed(Result<Response, SendFailure>),
    OutOfTime,
    Stalled,
    Canceled,
}

/// Runs a call until it is done, or until `canceled` is ready. `progress_sender` receives the progress of an upload.
///
/// # Errors
/// The [`Error`] that ended the call.
pub async fn run_call<P: Platform>(
    platform: &P,
    call: &mut Call,
    // As `dyn`, the code exists once for all types of this future.
    mut canceled: Pin<&mut dyn Future<Output = ()>>,
    progress_sender: Option<ProgressSender>,
) -> Result<Output, Error> {
    let report = |call: &mut Call| {
        if let Some((sender, progress)) = progress_sender.as_ref().zip(call.poll_upload_progress()) {
            sender.send(progress);
        }
    };
    loop {
        let step = call.step(platform.now());
        while let Some(entry) = call.poll_log() {
            platform.log(&entry);
        }
        match step {
            Step::Done(result) => return result,
            Step::Wait(time) => {
                if let Either::Right(_) = select(pin!(platform.sleep(time)), canceled.as_mut()).await {
                    call.abort();
                }
            }
            Step::Send(request, limits) => {
                let progress = Progress::new(progress_sender.is_some());
                let on_sent = |body| {
                    call.handle_sent(body);
                    report(call);
                };
                let ended =
                    exchange(platform, request, limits, progress.clone(), on_sent, canceled.as_mut()).await;
                if progress.is_unsent() {
                    call.handle_unsent();
                }
                // The last bytes and the response may be reported together.
                if let Some(body) = progress.last_sent() {
                    call.handle_sent(body);
                }
                if progress.has_opened_file() {
                    call.handle_file_opened();
                }
                match ended {
                    Ended::Completed(Ok(response)) => call.handle_response(response),
                    Ended::Completed(Err(failure)) => call.handle_failure(failure),
                    Ended::OutOfTime => call.handle_timeout(),
                    Ended::Stalled => call.handle_stall(),
                    Ended::Canceled => call.abort(),
                }
                report(call);
            }
        }
    }
}

async fn exchange<P: Platform>(
    platform: &P,
    request: Arc<Request>,
    limits: Limits,
    progress: Progress,
    mut on_sent: impl FnMut(u64),
    mut canceled: Pin<&mut dyn Future<Output = ()>>,
) -> Ended {
    // As `dyn`, the code of the platform is not merged with the code of the call, which compresses better.
    let mut response: Pin<Box<dyn Future<Output = _>>> = Box::pin(platform.send(request, progress.clone()));
    let start = platform.now();
    let mut timer = Box::pin(platform.sleep(limits.request.min(limits.idle)));
    poll_fn(|context| {
        if let Poll::Ready(response) = response.as_mut().poll(context) {
            return Poll::Ready(Ended::Completed(response));
        }
        if canceled.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ended::Canceled);
        }
        if progress.wants_sent()
            && let Poll::Ready(body) = progress.poll_sent(context)
        {
            on_sent(body);
        }
        // One timer serves both limits, and a piece of the response does not reset it: when it fires, it is restarted with the
        // remaining time.
        while timer.as_mut().poll(context).is_ready() {
            let now = platform.now();
            let left = limits.request.saturating_sub(now.saturating_sub(start));
            let last_piece = progress.last_received();
            let quiet = limits.idle.saturating_sub(last_piece.map_or(0, |last| now.saturating_sub(last)));
            if left == 0 {
                return Poll::Ready(Ended::OutOfTime);
            }
            if quiet == 0 && last_piece.is_some() {
                return Poll::Ready(Ended::Stalled);
            }
            timer.set(platform.sleep(left.min(quiet.max(1))));
        }
        Poll::Pending
    })
    .await
}
