//! Carries out a call.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};

use super::platform::Platform;
use crate::call::{Call, Output, Step};
use crate::error::Error;

/// Runs a call to its end, or until `cancelled` is ready.
///
/// # Errors
/// Every [`Error`] that ends a call.
pub async fn run_call<P: Platform>(
    platform: &P,
    mut call: Call,
    cancelled: impl Future<Output = ()>,
) -> Result<Output, Error> {
    let mut cancelled = pin!(cancelled);
    loop {
        match call.step() {
            Step::Done(result) => return result,
            Step::Wait(time) => {
                if let Either::Right(_) = select(pin!(platform.sleep(time)), cancelled.as_mut()).await {
                    call.abort();
                }
            }
            Step::Send(request, limit) => {
                let (answer, limit) = (pin!(platform.send(request)), pin!(platform.sleep(limit)));
                match select(select(answer, limit), cancelled.as_mut()).await {
                    Either::Left((Either::Left((Ok(response), _)), _)) => call.handle_response(response),
                    Either::Left((Either::Left((Err(failure), _)), _)) => call.handle_failure(failure),
                    Either::Left((Either::Right(_), _)) => call.handle_timeout(),
                    Either::Right(_) => call.abort(),
                }
            }
        }
    }
}
