//! The three channels as JavaScript classes.

use js_sys::{Array, Promise};
use orgo_core::channel::{self as core, Protocol, Session};
use orgo_core::client::address::ComputerAddress;
use orgo_core::client::credentials::Password;
use orgo_core::driver::{Channel, Source, drive};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use crate::convert::{audio_to_js, error_to_js, refused, terminal_to_js, to_js};
use crate::fields::{Fields, texts_from_js};
use crate::platform::Browser;
use crate::promise::promise;

/// Begins to carry a session out.
fn run<C: Protocol + 'static>(session: Session<C>, browser: Browser, source: Source) -> Channel<C> {
    let channel = Channel::new(session);
    spawn_local(drive(browser, channel.clone(), source));
    channel
}

fn next<C: Protocol + 'static>(channel: &Channel<C>, convert: fn(C::Item) -> JsValue) -> Promise {
    let channel = channel.clone();
    promise(async move {
        match channel.next().await {
            Some(items) => items.into_iter().map(convert).collect::<Array>().into(),
            None => JsValue::NULL,
        }
    })
}

fn next_state<C: Protocol + 'static>(channel: &Channel<C>) -> Promise {
    let channel = channel.clone();
    promise(async move { channel.next_state().await.map_or(JsValue::NULL, |state| to_js(&state.to_json())) })
}

fn next_password_request<C: Protocol + 'static>(channel: &Channel<C>) -> Promise {
    let channel = channel.clone();
    promise(async move { channel.next_password_request().await.into() })
}

/// The answer in a target, or the problem that stands instead of one.
fn answer(target: &JsValue, problem: Option<String>) -> Result<(ComputerAddress, Password), String> {
    if let Some(problem) = problem {
        return Err(problem);
    }
    let known = Fields { owner: "channel", object: target }.known();
    let (address, password) = known.map_err(|error| error.to_string())?;
    Ok((address, password.ok_or("the answer has no password")?))
}

/// Declares the class of a channel with what all of them have. wasm-bindgen has no generic classes.
macro_rules! channel {
    ($(#[doc = $doc:literal])+ $name:ident: $protocol:ty, $convert:expr) => {
        $(#[doc = $doc])+
        #[wasm_bindgen]
        #[derive(Debug)]
        pub struct $name(Channel<$protocol>);

        impl $name {
            pub(crate) fn open(session: Session<$protocol>, browser: Browser, source: Source) -> Self {
                Self(run(session, browser, source))
            }
        }

        #[wasm_bindgen]
        impl $name {
            /// The next items in order, at least one; `null` at the end.
            pub fn next(&self) -> Promise {
                next(&self.0, $convert)
            }

            /// The next change of the state; `null` after the end.
            #[wasm_bindgen(js_name = nextState)]
            pub fn next_state(&self) -> Promise {
                next_state(&self.0)
            }

            /// Resolves with `true` when a fresh password is wanted, with `false` after the end. Only for a target that
            /// `refreshable`.
            #[wasm_bindgen(js_name = nextPasswordRequest)]
            pub fn next_password_request(&self) -> Promise {
                next_password_request(&self.0)
            }

            /// Answers with a target, or with a problem in words instead.
            pub fn answer(&self, target: &JsValue, problem: Option<String>) {
                self.0.answer(answer(target, problem));
            }

            /// The state now.
            #[must_use]
            pub fn state(&self) -> JsValue {
                to_js(&self.0.state().to_json())
            }

            /// The counters now.
            #[must_use]
            pub fn counters(&self) -> JsValue {
                to_js(&self.0.counters().to_json())
            }

            /// Ends the channel.
            pub fn close(&self) {
                self.0.close();
            }
        }

        /// Nobody can use a channel without its object, so the end of one is the end of the other.
        impl Drop for $name {
            fn drop(&mut self) {
                self.0.close();
            }
        }
    };
}

channel! {
    /// A terminal.
    Terminal: core::Terminal, terminal_to_js
}

#[wasm_bindgen]
impl Terminal {
    /// Sends text; if it is refused, the reason.
    ///
    /// # Errors
    /// An `ErrorRecord` for a text that is too large.
    pub fn input(&self, text: &str) -> Result<Option<String>, JsValue> {
        let refusal = self.0.command(|session| session.input(text)).map_err(|error| error_to_js(&error))?;
        Ok(refusal.map(|refusal| refusal.as_str().to_owned()))
    }

    /// Why text would be refused now.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        self.0.refusal().map(|refusal| refusal.as_str().to_owned())
    }

    /// Resolves with `true` when more input is acknowledged or may be lost, or the state changed; with `false` after the
    /// end.
    #[wasm_bindgen(js_name = nextProgress)]
    pub fn next_progress(&self) -> Promise {
        let channel = self.0.clone();
        promise(async move { channel.next_progress().await.into() })
    }

    /// Changes the size, in characters.
    ///
    /// # Errors
    /// An `ErrorRecord` for a size that is no size.
    pub fn resize(&self, cols: f64, rows: f64) -> Result<(), JsValue> {
        self.0.command(|session| session.resize(cols, rows)).map_err(|error| error_to_js(&error))
    }
}

channel! {
    /// The computer's sound.
    Audio: core::Audio, audio_to_js
}

channel! {
    /// The computer's events.
    Events: core::Events, |item| to_js(&item.to_json())
}

#[wasm_bindgen]
impl Events {
    /// Adds types of events.
    ///
    /// # Errors
    /// An `ErrorRecord` for a type that is not known.
    pub fn subscribe(&self, types: &JsValue) -> Result<(), JsValue> {
        self.change(types, Session::<core::Events>::subscribe)
    }

    /// Removes types of events.
    ///
    /// # Errors
    /// An `ErrorRecord` for a type that is not known.
    pub fn unsubscribe(&self, types: &JsValue) -> Result<(), JsValue> {
        self.change(types, Session::<core::Events>::unsubscribe)
    }
}

type Change = fn(&mut Session<core::Events>, &[String]) -> Result<(), orgo_core::error::Error>;

impl Events {
    fn change(&self, types: &JsValue, change: Change) -> Result<(), JsValue> {
        texts_from_js(types)
            .ok_or_else(|| refused("computers.events", "types", "must be a list of text"))
            .and_then(|types| self.0.command(|session| change(session, &types)))
            .map_err(|error| error_to_js(&error))
    }
}
