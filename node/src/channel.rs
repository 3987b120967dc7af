//! A channel as a JavaScript class.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Object, Unknown};
use napi::{JsValue as _, ValueType};
use napi_derive::napi;
use orgo_core::channel::Batching;
use orgo_core::client::fields::{read_object, read_value};
use orgo_core::driver::{self, drive};
use orgo_core::encoding::json::Value;
use tokio::runtime::Handle;
use tokio::task::yield_now;

use crate::clock;
use crate::io_thread;
use crate::mailbox::Environment;
use crate::network::Network;
use crate::panic::catch_panic;
use crate::promise::{promise_on, waiting};
use crate::values::{Json, Prepared, stringify, thrown};

/// A channel of any kind. It keeps the process alive until it has ended. The channel is closed when its JavaScript
/// object is garbage-collected.
#[napi]
pub struct Channel(driver::Channel);

impl Channel {
    /// Starts running a channel.
    pub(crate) fn start(env: &Env, channel: driver::Channel, network: Network) -> napi::Result<Self> {
        let running = channel.clone();
        let thread = match channel.batching() {
            Batching { always: true, time, .. } => io_thread::jobs_of_collected(time),
            _ => io_thread::jobs(),
        };
        // This promise is not awaited. It keeps the process alive until the channel has ended and its sockets are
        // closed, like a socket of Node.
        promise_on(thread, env, move |_| run(running.clone(), drive(network, running)))?;
        Ok(Self(channel))
    }
}

/// Runs a channel. A panic ends the channel.
async fn run(channel: driver::Channel, driving: impl Future<Output = ()>) {
    guarded(&channel, driving).await;
}

/// Awaits a future. A panic in it ends the channel.
async fn guarded<T>(channel: &driver::Channel, future: impl Future<Output = T>) -> Option<T> {
    catch_panic(future).await.map_err(|message| channel.fail(clock::now(), &message)).ok()
}

#[napi]
impl Channel {
    /// Resolves with the next items, at least one, or with `null` when the channel has ended and all items were read.
    #[napi(catch_unwind, ts_return_type = "Promise<object[] | null>")]
    pub fn next<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let channel = self.0.clone();
        waiting(env, |mailbox| async move {
            let sleep = |time| async move {
                // The JavaScript thread, which polls the future first, has no timers.
                if Handle::try_current().is_err() {
                    yield_now().await;
                }
                tokio::time::sleep(Duration::from_millis(time)).await;
            };
            let is_busy = |time| mailbox.is_busy(time);
            // Pinned here, because each function that owns a future adds a copy of it to the memory of this future.
            let next = pin!(channel.next_batch(clock::now, sleep, is_busy));
            guarded(&channel, next).await.flatten().map(|items| Prepared::items(items, &channel))
        })
    }

    /// Resolves with the new state when the state changes, or with `null` after the channel has ended.
    #[napi(catch_unwind, ts_return_type = "Promise<ChannelState | null>")]
    pub fn next_state<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let channel = self.0.clone();
        waiting(env, |_| async move {
            let state = guarded(&channel, channel.next_state()).await.flatten()?;
            Some(Json(state.to_json().to_string()))
        })
    }

    /// Resolves with `true` when more input was acknowledged or may have been lost, or the state has changed. Resolves
    /// with `false` after the channel has ended.
    #[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
    pub fn next_progress<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let channel = self.0.clone();
        waiting(env, |_| async move { guarded(&channel, channel.next_progress()).await.unwrap_or_default() })
    }

    /// Resolves with `true` when a fresh password is needed: call `providePassword` then. Resolves with `false` after
    /// the channel has ended. Only a `refreshable` target needs this method.
    #[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
    pub fn next_password_request<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let channel = self.0.clone();
        waiting(env, |_| async move {
            guarded(&channel, channel.next_password_request()).await.unwrap_or_default()
        })
    }

    /// Responds to a password request: with a target that contains the password, or with the problem, which is a text or
    /// an `ErrorRecord`.
    #[napi(catch_unwind)]
    pub fn provide_password(&self, env: &Env, target: Unknown<'_>, problem: Unknown<'_>) {
        let provided = if matches!(problem.get_type(), Ok(ValueType::Undefined)) {
            read_object("channel", "target", stringify(env, target, "{}").as_deref())
                .map(|target| self.0.provide_password(&target))
        } else {
            read_value("channel", "problem", stringify(env, problem, "null").as_deref())
                .map(|problem| self.0.decline_password_request(problem))
        };
        if let Err(error) = provided {
            self.0.decline_password_request(error.to_string().into());
        }
    }

    /// Executes a command of the channel's kind.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi passes strings by value")]
    pub fn command(&self, env: &Env, name: String, argument: Unknown<'_>) -> napi::Result<Json> {
        Environment::of(env)?.mailbox().expect_response();
        let run = || {
            // A string may be long, so it does not pass through JSON.
            let argument = match argument.get_type() {
                Ok(ValueType::String) => {
                    Value::String(argument.coerce_to_string()?.into_utf8()?.into_owned()?)
                }
                _ => read_value("channel", &name, stringify(env, argument, "null").as_deref())
                    .map_err(|error| thrown(env, &error))?,
            };
            self.0.command(&name, &argument).map_err(|error| thrown(env, &error))
        };
        run().map(|result| Json(result.to_string()))
    }

    /// Returns the current state.
    #[napi(catch_unwind, ts_return_type = "ChannelState")]
    pub fn state(&self) -> Json {
        Json(self.0.state().to_json().to_string())
    }

    /// Returns the current counters.
    #[napi(catch_unwind, ts_return_type = "Counters")]
    pub fn counters(&self) -> Json {
        Json(self.0.counters().to_json().to_string())
    }

    /// Closes the channel. Items that arrived earlier can still be read.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.0.close();
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orgo_core::channel::{CloseReason, State};
    use orgo_core::client::config::Config;
    use orgo_core::encoding::json::Map;

    #[test]
    fn a_panic_ends_a_channel_with_its_message() {
        let target = Map::from_iter(
            [("computer_id", "c1"), ("password", "pass")]
                .map(|(name, value)| (name.to_owned(), value.into())),
        );
        let channel =
            driver::Channel::open(&Config::default(), "events", &target, &Map::new(), 0, 0).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(channel.clone(), async { panic!("boom") }));
        let State::Closed(cause) = channel.state() else { panic!("{:?}", channel.state()) };
        assert_eq!(cause.reason, CloseReason::Protocol);
        assert!(cause.message.contains("internal error of orgo-sdk: boom"), "{}", cause.message);
        assert!(runtime.block_on(channel.next()).is_none());
    }
}
