//! The channels of a client.

use js_sys::{Array, Promise};
use orgo_core::driver::{self, Platform as _, drive};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::client::Client;
use crate::convert::{error_to_js, map_from_js, object_to_js, to_js, value_from_js};
use crate::platform::clock;
use crate::promise::promise;
use crate::task::{enter, spawn};

#[wasm_bindgen]
impl Client {
    /// Opens a channel. `kind` is `terminal`, `audio` or `events`.
    ///
    /// # Errors
    /// An `ErrorRecord` for an invalid field or option, with its name.
    pub fn open(&self, kind: &str, target: &JsValue, options: &JsValue) -> Result<Channel, JsValue> {
        let open = || {
            let target = map_from_js("channel", "target", target)?;
            let options = map_from_js("channel", "options", options)?;
            let (seed, now) = (self.browser.seed(), self.browser.now());
            driver::Channel::open(&self.config, kind, &target, &options, seed, now)
        };
        let channel = open().map_err(|error| error_to_js(&error))?;
        Ok(self.run(channel))
    }
}

impl Client {
    /// Starts the loop of a channel.
    pub(crate) fn run(&self, channel: driver::Channel) -> Channel {
        spawn(Box::pin(drive(self.browser.clone(), channel.clone())), None);
        Channel(channel)
    }
}

/// A channel of any kind.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Channel(pub(crate) driver::Channel);

#[wasm_bindgen]
impl Channel {
    /// Resolves with the next items in order, at least one, or with `null` when the channel has ended.
    pub fn next(&self) -> Promise {
        let channel = self.0.clone();
        let next = async move {
            match channel.next().await {
                Some(items) => items.into_iter().map(object_to_js).collect::<Array>().into(),
                None => JsValue::NULL,
            }
        };
        enter(clock(), || promise(next))
    }

    /// Resolves with the new state when the state changes, or with `null` after the channel has ended.
    #[wasm_bindgen(js_name = nextState)]
    pub fn next_state(&self) -> Promise {
        let channel = self.0.clone();
        promise(
            async move { channel.next_state().await.map_or(JsValue::NULL, |state| to_js(&state.to_json())) },
        )
    }

    /// Resolves with `true` when more input was acknowledged or may have been lost, or the state has changed. Resolves
    /// with `false` after the channel has ended.
    #[wasm_bindgen(js_name = nextProgress)]
    pub fn next_progress(&self) -> Promise {
        let channel = self.0.clone();
        promise(async move { channel.next_progress().await.into() })
    }

    /// Resolves with `true` when a fresh password is needed, or with `false` after the channel has ended. Only a
    /// `refreshable` target needs this method.
    #[wasm_bindgen(js_name = nextPasswordRequest)]
    pub fn next_password_request(&self) -> Promise {
        let channel = self.0.clone();
        promise(async move { channel.next_password_request().await.into() })
    }

    /// Responds to a password request: with a target that contains the password, or with the problem, which is a text or
    /// an `ErrorRecord`.
    #[wasm_bindgen(js_name = providePassword)]
    pub fn provide_password(&self, target: &JsValue, problem: &JsValue) {
        let provided = if problem.is_undefined() {
            map_from_js("channel", "target", target).map(|target| self.0.provide_password(&target))
        } else {
            value_from_js("channel", "problem", problem)
                .map(|problem| self.0.decline_password_request(problem))
        };
        if let Err(error) = provided {
            self.0.decline_password_request(error.to_string().into());
        }
    }

    /// Executes a command of the channel's kind.
    ///
    /// # Errors
    /// An `ErrorRecord` for an unknown command or a wrong argument.
    pub fn command(&self, name: &str, argument: &JsValue) -> Result<JsValue, JsValue> {
        value_from_js("channel", name, argument)
            .and_then(|argument| self.0.command(name, &argument))
            .map(|result| to_js(&result))
            .map_err(|error| error_to_js(&error))
    }

    /// Returns the current state.
    #[must_use]
    pub fn state(&self) -> JsValue {
        to_js(&self.0.state().to_json())
    }

    /// Returns the current counters.
    #[must_use]
    pub fn counters(&self) -> JsValue {
        to_js(&self.0.counters().to_json())
    }

    /// Resolves with `true` when anything may have changed, or with `false` after the channel has ended.
    #[wasm_bindgen(js_name = nextChange)]
    pub fn next_change(&self) -> Promise {
        let channel = self.0.clone();
        promise(async move { channel.next_change().await.into() })
    }

    /// Reports that a screen in the other module has changed, so that its output is sent.
    pub fn wake(&self) {
        self.0.wake();
    }

    /// Closes the channel.
    pub fn close(&self) {
        self.0.close();
    }
}

/// Closes the channel, because it cannot be used without its object.
impl Drop for Channel {
    fn drop(&mut self) {
        self.0.close();
    }
}
