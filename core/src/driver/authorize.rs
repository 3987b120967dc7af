//! Requests the password that opens a channel, and the computer's address if it is unknown, from the consumer.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};

use super::channel::{Channel, Credentials, PasswordSource};
use crate::Millis;
use crate::encoding::json::Value;
use crate::error::Error;

/// Requests a fresh password. `sleep` waits for a number of milliseconds.
pub(super) async fn request_password<S: Future<Output = ()>>(
    channel: &Channel,
    sleep: impl FnOnce(Millis) -> S,
) -> Credentials {
    let limit = match channel.password_source() {
        PasswordSource::None => return Err(no_source().record()),
        PasswordSource::Service => return channel.request_password().await,
        PasswordSource::Consumer(limit) => limit,
    };
    let problem = match select(pin!(channel.request_password()), pin!(sleep(limit))).await {
        Either::Left((Err(Value::String(problem)), _)) => format!("`refresh` failed: {problem}"),
        Either::Left((provided, _)) => return provided,
        Either::Right(_) => {
            channel.withdraw_password_request();
            format!("`refresh` did not return within {limit} ms")
        }
    };
    Err(problem.into())
}

fn no_source() -> Error {
    let problem = "is outdated, wrong or missing, and there is no API key to request another one: a restart of the \
                   computer changes it, so get a fresh connection, or pass `refresh` to Orgo.connect";
    Error::encode("channel", "password", problem)
}
