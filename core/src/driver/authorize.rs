//! Finds the password that opens a channel, and the computer's address if it is unknown.

use std::future::{Future, pending};
use std::pin::pin;

use futures_util::future::{Either, select};

use super::call::run_call;
use super::channel::Channel;
use super::platform::Platform;
use crate::Millis;
use crate::client::address::ComputerAddress;
use crate::client::config::{CallOptions, Config};
use crate::client::credentials::Password;
use crate::encoding::json::Map;
use crate::error::Error;
use crate::rest::call::{Call, Output};

/// The result of a request for the password.
pub(super) enum Provided {
    Found(Box<Result<(ComputerAddress, Password), Error>>),
    /// The consumer has no password. Contains the reason.
    Missing(String),
}

/// Requests a fresh password from the consumer.
pub(super) async fn request_password(
    channel: &Channel,
    sleep: impl Future<Output = ()>,
    limit: Millis,
) -> Provided {
    let message = match select(pin!(channel.request_password()), pin!(sleep)).await {
        Either::Left((Ok(found), _)) => return Provided::Found(Box::new(Ok(found))),
        Either::Left((Err(problem), _)) => format!("`refresh` failed: {problem}"),
        Either::Right(_) => {
            channel.withdraw_password_request();
            format!("`refresh` did not return within {limit} ms")
        }
    };
    Provided::Missing(message)
}

/// Requests the computer's password from the service, and the computer's address if the address is unknown.
pub(super) async fn find_password<P: Platform>(
    platform: &P,
    config: &Config,
    mut address: ComputerAddress,
) -> Result<(ComputerAddress, Password), Error> {
    if config.api_key.is_none() {
        let problem = "is outdated, wrong or missing, and there is no API key to request another one: a restart of the \
                       computer changes it, so get a fresh connection, or pass `refresh` to Orgo.connect";
        return Err(Error::encode("channel", "password", problem));
    }
    let mut params = Map::new();
    params.insert("id", address.computer_id.as_str().into());
    let ask = async |operation: &str| {
        let call = Call::new(config, operation, &params, &CallOptions::default(), None, platform.seed())?;
        run_call(platform, call, pending(), None).await
    };
    let needs_address = match &config.realtime_url {
        Some(template) => template.needs_instance() && address.instance_id.is_none(),
        None => address.connection_url.is_none() && address.instance_id.is_none(),
    };
    if needs_address {
        let computer = ask("computers.get").await?;
        address.connection_url = text(&computer, "connection_url");
        address.instance_id = text(&computer, "instance_id").or_else(|| text(&computer, "fly_instance_id"));
    }
    let response = ask("computers.vncPassword").await?;
    Ok((address, Password::new(text(&response, "password").unwrap_or_default())))
}

/// Reads a string from a checked response. Decoding into a type would add 10 kB of code to a page.
fn text(output: &Output, field: &str) -> Option<String> {
    match output {
        Output::Value(value) => value.get(field)?.as_str().map(str::to_owned),
        Output::Screenshot(_) | Output::Content(_) | Output::Stream(_) => None,
    }
}
