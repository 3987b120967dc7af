//! A channel as a JavaScript class.

use js_sys::{Array, Promise};
use orgo_core::driver;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::convert::{error_to_js, map_from_js, object_to_js, to_js, value_from_js};
use crate::promise::promise;

/// A channel of any kind.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Channel(pub(crate) driver::Channel);

#[wasm_bindgen]
impl Channel {
    /// Resolves with the next items in order, at least one, or with `null` when the channel has ended.
    pub fn next(&self) -> Promise {
        let channel = self.0.clone();
        promise(async move {
            match channel.next().await {
                Some(items) => items.into_iter().map(object_to_js).collect::<Array>().into(),
                None => JsValue::NULL,
            }
        })
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

    /// Responds to a password request: with a target that contains the password, or with the reason why there is none.
    #[wasm_bindgen(js_name = providePassword)]
    pub fn provide_password(&self, target: &JsValue, problem: Option<String>) {
        if let Some(problem) = problem {
            return self.0.decline_password_request(problem);
        }
        match map_from_js("channel", "target", target) {
            Ok(target) => self.0.provide_password(&target),
            Err(error) => self.0.decline_password_request(error.to_string()),
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
