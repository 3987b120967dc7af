//! A channel, of any of the three kinds.

use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt as _;
use napi::bindgen_prelude::Object;
use napi::{Env, Error};
use napi_derive::napi;
use orgo_core::channel::{Audio, AudioItem, Events, InputRefusal, Protocol, Session, State, Terminal};
use orgo_core::driver::{self, Source, drive};

use crate::batch::Batch;
use crate::clock;
use crate::convert::{RawTarget, parse, thrown};
use crate::guard::guarded;
use crate::network::Network;
use crate::promise::promise;

/// The core's handle.
#[derive(Clone)]
pub(crate) enum Handle {
    Terminal(driver::Channel<Terminal>),
    /// With the time for which a batch gathers after its first samples.
    Audio(driver::Channel<Audio>, Duration),
    Events(driver::Channel<Events>),
}

/// Does the same with a channel of every kind.
macro_rules! each {
    ($handle:expr, $channel:ident => $do:expr) => {
        match $handle {
            Handle::Terminal($channel) => $do,
            Handle::Audio($channel, _) => $do,
            Handle::Events($channel) => $do,
        }
    };
}

impl Handle {
    async fn next(&self) -> Option<Batch> {
        match self {
            Self::Terminal(channel) => channel.next().await.map(Batch::from),
            Self::Audio(channel, gather) => next_sound(channel, *gather).await.map(Batch::from),
            Self::Events(channel) => channel.next().await.map(Batch::from),
        }
    }

    async fn next_state(&self) -> Option<State> {
        each!(self, channel => channel.next_state().await)
    }

    async fn next_password_request(&self) -> bool {
        each!(self, channel => channel.next_password_request().await)
    }

    /// What a future gives. A panic in it ends the channel.
    async fn guard<T>(&self, future: impl Future<Output = Option<T>>) -> Option<T> {
        guarded(future).await.unwrap_or_else(|message| {
            each!(self, channel => fail(channel, &message));
            None
        })
    }
}

/// Ends a channel that our own code has let down.
fn fail<C: Protocol>(channel: &driver::Channel<C>, message: &str) {
    // 1002 is final to the core: no other try.
    channel.command(|session| session.handle_close(clock::now(), 1002, message));
}

/// Frames come every few milliseconds, and each hand-over costs more than the sound in it.
async fn next_sound(channel: &driver::Channel<Audio>, gather: Duration) -> Option<Vec<AudioItem>> {
    let mut items = channel.next().await?;
    if items.iter().any(|item| matches!(item, AudioItem::Samples(_))) {
        tokio::time::sleep(gather).await;
        items.extend(channel.next().now_or_never().flatten().unwrap_or_default());
    }
    Some(items)
}

/// A channel. It keeps the process alive until it has ended, and closes when it is collected as garbage.
#[napi]
pub struct Channel {
    handle: Handle,
}

impl Channel {
    /// Starts to carry a session out.
    pub(crate) fn open<C>(
        env: &Env,
        session: Session<C>,
        network: Network,
        source: Source,
        handle: impl FnOnce(driver::Channel<C>) -> Handle,
    ) -> napi::Result<Self>
    where
        C: Protocol + Send + 'static,
        C::Item: Send,
    {
        let channel = driver::Channel::new(session);
        let driven = channel.clone();
        // Nobody waits for this promise. It keeps the process alive while the channel is open, as any socket does, and
        // after that until the close has got out.
        promise(env, move || carry(driven.clone(), drive(network, driven, source)))?;
        Ok(Self { handle: handle(channel) })
    }
}

/// Carries a channel out. A panic ends it.
async fn carry<C: Protocol>(channel: driver::Channel<C>, driving: impl Future<Output = ()>) {
    if let Err(message) = guarded(driving).await {
        fail(&channel, &message);
    }
}

#[napi]
impl Channel {
    /// The next items, at least one; `null` once the channel has ended and all were taken.
    #[napi(catch_unwind, ts_return_type = "Promise<Batch | null>")]
    pub fn next<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let handle = self.handle.clone();
        promise(env, move || async move { handle.guard(handle.next()).await })
    }

    /// The state as JSON, at its next change; `null` after the end.
    #[napi(catch_unwind, ts_return_type = "Promise<string | null>")]
    pub fn next_state<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let handle = self.handle.clone();
        promise(env, move || async move {
            handle.guard(handle.next_state()).await.map(|state| state.to_json().to_string())
        })
    }

    /// Resolves with `true` when a fresh password is wanted, and `answer` is to be called; with `false` after the end.
    /// Only for a target that `refreshable`.
    #[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
    pub fn next_password_request<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let handle = self.handle.clone();
        promise(env, move || async move {
            handle.guard(async { Some(handle.next_password_request().await) }).await.unwrap_or(false)
        })
    }

    /// Answers with a target, or with a problem in words instead.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands strings over by value")]
    pub fn answer(&self, target_json: Option<String>, problem: Option<String>) {
        let answer = match target_json {
            Some(json) => parse::<RawTarget>("channel", "target", &json)
                .map_err(|error| error.to_string())
                .and_then(|raw| Ok((raw.address, raw.password.ok_or("the answer has no password")?))),
            None => Err(problem.unwrap_or_default()),
        };
        each!(&self.handle, channel => channel.answer(answer));
    }

    /// The state now, as JSON.
    #[napi(catch_unwind)]
    pub fn state(&self) -> String {
        each!(&self.handle, channel => channel.state()).to_json().to_string()
    }

    /// The counters now, as JSON.
    #[napi(catch_unwind)]
    pub fn counters(&self) -> String {
        each!(&self.handle, channel => channel.counters()).to_json().to_string()
    }

    /// Ends the channel. Items that came before can still be taken.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        each!(&self.handle, channel => channel.close());
    }

    /// Sends text to a terminal; if it is refused, the reason.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands strings over by value")]
    pub fn input(&self, text: String) -> napi::Result<Option<&'static str>> {
        let Handle::Terminal(channel) = &self.handle else { return Err(misplaced("input")) };
        let refusal = channel.command(|session| session.input(&text)).map_err(|error| thrown(&error))?;
        Ok(refusal.map(InputRefusal::as_str))
    }

    /// Why a terminal would refuse text now.
    #[napi(catch_unwind)]
    pub fn refusal(&self) -> napi::Result<Option<&'static str>> {
        let Handle::Terminal(channel) = &self.handle else { return Err(misplaced("refusal")) };
        Ok(channel.refusal().map(InputRefusal::as_str))
    }

    /// Resolves with `true` when more of a terminal's input is acknowledged or may be lost, or the state changed; with
    /// `false` after the end.
    #[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
    pub fn next_progress<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let handle = self.handle.clone();
        promise(env, move || async move {
            let progress = async { Some(each!(&handle, channel => channel.next_progress().await)) };
            handle.guard(progress).await.unwrap_or(false)
        })
    }

    /// Changes the size of a terminal, in characters.
    #[napi(catch_unwind)]
    pub fn resize(&self, cols: f64, rows: f64) -> napi::Result<()> {
        let Handle::Terminal(channel) = &self.handle else { return Err(misplaced("resize")) };
        channel.command(|session| session.resize(cols, rows)).map_err(|error| thrown(&error))
    }

    /// Adds types of events.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands lists over by value")]
    pub fn subscribe(&self, types: Vec<String>) -> napi::Result<()> {
        let Handle::Events(channel) = &self.handle else { return Err(misplaced("subscribe")) };
        channel.command(|session| session.subscribe(&types)).map_err(|error| thrown(&error))
    }

    /// Removes types of events.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands lists over by value")]
    pub fn unsubscribe(&self, types: Vec<String>) -> napi::Result<()> {
        let Handle::Events(channel) = &self.handle else { return Err(misplaced("unsubscribe")) };
        channel.command(|session| session.unsubscribe(&types)).map_err(|error| thrown(&error))
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.close();
    }
}

fn misplaced(method: &str) -> Error {
    Error::from_reason(format!("this kind of channel has no `{method}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use orgo_core::channel::{CloseReason, Target};
    use orgo_core::client::address::ComputerAddress;
    use orgo_core::client::credentials::Password;

    #[test]
    fn a_panic_ends_a_channel_with_its_message() {
        let address = ComputerAddress { computer_id: "c1".to_owned(), ..ComputerAddress::default() };
        let target = Target { address, password: Some(Password::new("pass")), ..Target::default() };
        let channel = driver::Channel::new(Session::events(target, &[], 0, 0).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(carry(channel.clone(), async { panic!("boom") }));
        let State::Closed(cause) = channel.state() else { panic!("{:?}", channel.state()) };
        assert_eq!(cause.reason, CloseReason::Protocol);
        assert!(cause.message.contains("internal error of orgo-sdk: boom"), "{}", cause.message);
        assert!(runtime.block_on(channel.next()).is_none());
    }
}
