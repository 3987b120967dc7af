//! A client, and the calls that it makes.

use std::future::pending;

use futures_util::future::{AbortHandle, abortable};
use js_sys::Promise;
use orgo_core::address::ComputerAddress;
use orgo_core::auth::Password;
use orgo_core::call::Call;
use orgo_core::channel::{Session, Target};
use orgo_core::config::{Config, RawCallOptions, RawConfig};
use orgo_core::driver::{Platform, run_call};
use orgo_core::error::Error;
use serde::Deserialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::channel::{Audio, Events, Terminal};
use crate::convert::{content_from_js, error_to_js, from_js, outcome_to_js};
use crate::platform::Browser;
use crate::promise::promise;

/// A client: settings, credentials and connections.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client(Config);

#[wasm_bindgen]
impl Client {
    /// # Errors
    /// An `ErrorRecord` that names the setting which is not acceptable.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &JsValue) -> Result<Self, JsValue> {
        let read = || from_js::<RawConfig>("Orgo", "config", config)?.try_into();
        read().map(Self).map_err(|error| error_to_js(&error))
    }

    /// Begins a call. A parameter that is refused comes as the outcome, like every other failure.
    #[must_use]
    pub fn call(&self, operation: &str, params: &JsValue, options: &JsValue, content: &JsValue) -> PendingCall {
        let call = self.prepare(operation, params, options, content);
        let (cancelled, cancel) = abortable(pending::<()>());
        let outcome = promise(async move {
            let cancelled = async {
                let _ = cancelled.await;
            };
            outcome_to_js(match call {
                Ok(call) => run_call(&Browser, call, cancelled).await,
                Err(error) => Err(error),
            })
        });
        PendingCall { outcome, cancel }
    }

    /// Opens a terminal.
    ///
    /// # Errors
    /// An `ErrorRecord` that names what is not acceptable.
    pub fn terminal(&self, target: &JsValue, options: &JsValue) -> Result<Terminal, JsValue> {
        #[derive(Deserialize)]
        struct Options {
            cols: Option<f64>,
            rows: Option<f64>,
        }
        let open = || {
            let Options { cols, rows } = from_js("computers.terminal", "options", options)?;
            // One side alone is checked like both, beside the usual value of the other.
            let size = (cols.is_some() || rows.is_some()).then(|| (cols.unwrap_or(80.0), rows.unwrap_or(24.0)));
            Session::terminal(self.target(target)?, size, Browser.seed(), Browser.now())
        };
        open().map(|session| Terminal::open(session, &self.0)).map_err(|error| error_to_js(&error))
    }

    /// Listens to the computer's sound.
    ///
    /// # Errors
    /// An `ErrorRecord` that names what is not acceptable.
    pub fn audio(&self, target: &JsValue, options: &JsValue) -> Result<Audio, JsValue> {
        #[derive(Deserialize)]
        struct Options {
            sample_rate: Option<f64>,
            channels: Option<f64>,
        }
        let open = || {
            let Options { sample_rate, channels } = from_js("computers.audio", "options", options)?;
            let target = self.target(target)?;
            Session::audio(target, sample_rate, channels, Browser.seed(), Browser.now())
        };
        open().map(|session| Audio::open(session, &self.0)).map_err(|error| error_to_js(&error))
    }

    /// Listens for the computer's events.
    ///
    /// # Errors
    /// An `ErrorRecord` that names what is not acceptable.
    pub fn events(&self, target: &JsValue, options: &JsValue) -> Result<Events, JsValue> {
        #[derive(Deserialize)]
        struct Options {
            #[serde(default)]
            types: Vec<String>,
        }
        let open = || {
            let Options { types } = from_js("computers.events", "options", options)?;
            Session::events(self.target(target)?, &types, Browser.seed(), Browser.now())
        };
        open().map(|session| Events::open(session, &self.0)).map_err(|error| error_to_js(&error))
    }
}

impl Client {
    fn prepare(
        &self,
        operation: &str,
        params: &JsValue,
        options: &JsValue,
        content: &JsValue,
    ) -> Result<Call, Error> {
        let params = from_js(operation, "params", params)?;
        let options = from_js::<RawCallOptions>(operation, "options", options)?.check(operation)?;
        let content = content_from_js(operation, content)?;
        Call::new(&self.0, operation, &params, &options, content, Browser.seed())
    }

    fn target(&self, target: &JsValue) -> Result<Target, Error> {
        #[derive(Deserialize)]
        struct Secret {
            password: Option<Password>,
        }
        let address: ComputerAddress = from_js("channel", "target", target)?;
        let Secret { password } = from_js("channel", "target", target)?;
        Ok(Target::new(&self.0, address, password))
    }
}

/// A call under way. Letting go of it does not give the call up.
#[wasm_bindgen]
#[derive(Debug)]
pub struct PendingCall {
    outcome: Promise,
    cancel: AbortHandle,
}

#[wasm_bindgen]
impl PendingCall {
    /// Resolves with an `Outcome`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn outcome(&self) -> Promise {
        self.outcome.clone()
    }

    /// Gives the call up.
    pub fn cancel(&self) {
        self.cancel.abort();
    }
}
