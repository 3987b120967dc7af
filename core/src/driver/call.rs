//! Executes a call.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use super::execution::{Execution, Next};
use super::platform::{HttpPlatform, Progress};
use crate::client::config::{CallOptions, Config};
use crate::encoding::json::{Map, Value};
use crate::encoding::plain::{Fields, Payload, PlainObject};
use crate::error::Error;
use crate::rest::call::{Call, Output};
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

/// Runs a call until it is done, or until `canceled` is ready.
///
/// # Errors
/// The [`Error`] that ended the call.
pub async fn run_call<P: HttpPlatform>(
    platform: &P,
    execution: &mut Execution,
    mut canceled: Pin<&mut impl Future<Output = ()>>,
) -> Result<Output, Error> {
    loop {
        let next = execution.next(platform.now());
        while let Some(entry) = execution.poll_log() {
            platform.log(&entry);
        }
        let (mut response, progress) = match next {
            Next::Done(result) => return result,
            Next::Wait => (None, Progress::default()),
            Next::Send(request, progress) => {
                (Some(Box::pin(platform.send(request, progress.clone()))), progress)
            }
        };
        let sleep =
            |execution: &Execution| platform.sleep(execution.poll_timeout().saturating_sub(platform.now()));
        let mut timer = Box::pin(sleep(execution));
        poll_fn(|context| {
            if let Some(Poll::Ready(result)) =
                response.as_mut().map(|response| response.as_mut().poll(context))
            {
                execution.handle_result(result);
                return Poll::Ready(());
            }
            if canceled.as_mut().poll(context).is_ready() {
                execution.abort();
                return Poll::Ready(());
            }
            if progress.wants_sent() && progress.poll_sent(context).is_ready() {
                execution.handle_sent();
            }
            while timer.as_mut().poll(context).is_ready() {
                if execution.handle_timeout(platform.now()) {
                    return Poll::Ready(());
                }
                timer.set(sleep(execution));
            }
            Poll::Pending
        })
        .await;
    }
}
