//! A channel, of any of the three kinds.

use std::time::Duration;

use futures_util::FutureExt as _;
use napi::bindgen_prelude::{Object, Result, ToNapiValue};
use napi::{Env, Error};
use napi_derive::napi;
use orgo_core::channel::{Audio, AudioItem, Events, Protocol, Session, State, Terminal};
use orgo_core::config::Config;
use orgo_core::driver::{self, drive};

use crate::batch::Batch;
use crate::clock;
use crate::convert::thrown;
use crate::guard::guarded;
use crate::io_thread;
use crate::network::Network;

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

/// A channel. It closes when it is collected as garbage.
#[napi]
pub struct Channel {
    handle: Handle,
}

impl Channel {
    /// Starts to carry a session out.
    pub(crate) fn open<C>(
        session: Session<C>,
        network: Network,
        config: Config,
        handle: impl FnOnce(driver::Channel<C>) -> Handle,
    ) -> Result<Self>
    where
        C: Protocol + Send + 'static,
        C::Item: Send,
    {
        let channel = driver::Channel::new(session);
        let driven = channel.clone();
        io_thread::spawn(move || async move {
            if let Err(message) = guarded(drive(network, driven.clone(), config)).await {
                // 1002 is what the core takes as final without another try.
                driven.command(|session| session.handle_close(clock::now(), 1002, &message));
            }
        })
        .map_err(Error::from_reason)?;
        Ok(Self { handle: handle(channel) })
    }

    /// A promise that a future on the I/O thread resolves. A panic resolves it as the end.
    fn promise<'env, T>(
        &self,
        env: &'env Env,
        next: impl AsyncFnOnce(&Handle) -> Option<T> + Send + 'static,
    ) -> Result<Object<'env>>
    where
        T: ToNapiValue + Send + 'static,
    {
        let handle = self.handle.clone();
        let (deferred, promise) = env.create_deferred()?;
        io_thread::spawn(move || async move {
            let item = guarded(next(&handle)).await.ok().flatten();
            deferred.resolve(move |_| Ok(item));
        })
        .map_err(Error::from_reason)?;
        Ok(promise)
    }
}

#[napi]
impl Channel {
    /// The next items, at least one; `null` once the channel has ended and all were taken.
    #[napi(catch_unwind, ts_return_type = "Promise<Batch | null>")]
    pub fn next<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        self.promise(env, async |handle: &Handle| handle.next().await)
    }

    /// The state as JSON, at its next change; `null` after the end.
    #[napi(catch_unwind, ts_return_type = "Promise<string | null>")]
    pub fn next_state<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        self.promise(env, async |handle: &Handle| handle.next_state().await.map(|state| json(&state)))
    }

    /// The state now, as JSON.
    #[napi(catch_unwind)]
    pub fn state(&self) -> String {
        json(&each!(&self.handle, channel => channel.state()))
    }

    /// The counters now, as JSON.
    #[napi(catch_unwind)]
    pub fn counters(&self) -> String {
        json(&each!(&self.handle, channel => channel.counters()))
    }

    /// Ends the channel. Items that came before can still be taken.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        each!(&self.handle, channel => channel.close());
    }

    /// Sends keystrokes to a terminal; `false` if the link is down.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands strings over by value")]
    pub fn input(&self, data: String) -> Result<bool> {
        let Handle::Terminal(channel) = &self.handle else { return Err(misplaced("input")) };
        Ok(channel.command(|session| session.input(&data)))
    }

    /// Changes the size of a terminal, in characters.
    #[napi(catch_unwind)]
    pub fn resize(&self, cols: f64, rows: f64) -> Result<()> {
        let Handle::Terminal(channel) = &self.handle else { return Err(misplaced("resize")) };
        channel.command(|session| session.resize(cols, rows)).map_err(|error| thrown(&error))
    }

    /// Adds types of events.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands lists over by value")]
    pub fn subscribe(&self, types: Vec<String>) -> Result<()> {
        let Handle::Events(channel) = &self.handle else { return Err(misplaced("subscribe")) };
        channel.command(|session| session.subscribe(&types)).map_err(|error| thrown(&error))
    }

    /// Removes types of events.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi hands lists over by value")]
    pub fn unsubscribe(&self, types: Vec<String>) -> Result<()> {
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

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("states and counters have string keys and nothing that can fail")
}
