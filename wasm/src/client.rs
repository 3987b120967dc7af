//! A client, and the calls that it makes.

use std::future::pending;

use futures_util::future::{AbortHandle, abortable};
use js_sys::Promise;
use orgo_core::address::ComputerAddress;
use orgo_core::auth::{ApiKey, Password};
use orgo_core::call::Call;
use orgo_core::channel::{Session, Target};
use orgo_core::config::{Config, RawCallOptions, RawConfig};
use orgo_core::driver::{Platform, run_call};
use orgo_core::error::Error;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::channel::{Audio, Events, Terminal};
use crate::convert::{content_from_js, error_to_js, map_from_js, outcome_to_js};
use crate::fields::Fields;
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
        let fields = Fields { owner: "Orgo", object: config };
        let read = || {
            Config::try_from(RawConfig {
                base_url: fields.text("base_url")?,
                realtime_url: fields.text("realtime_url")?,
                api_key: fields.text("api_key")?.map(ApiKey::new),
                timeout: fields.number("timeout")?,
                max_retries: fields.number("max_retries")?,
                headers: fields.map("headers")?,
            })
        };
        read().map(Self).map_err(|error| error_to_js(&error))
    }

    /// Begins a call. A parameter that is refused comes as the outcome, like every other failure.
    #[must_use]
    pub fn call(
        &self,
        operation: &str,
        params: &JsValue,
        options: &JsValue,
        content: &JsValue,
    ) -> PendingCall {
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
        let open = || {
            let fields = Fields { owner: "computers.terminal", object: options };
            let (cols, rows) = (fields.number("cols")?, fields.number("rows")?);
            // One side alone is checked like both, beside the usual value of the other.
            let size =
                (cols.is_some() || rows.is_some()).then(|| (cols.unwrap_or(80.0), rows.unwrap_or(24.0)));
            Session::terminal(self.target(target)?, size, Browser.seed(), Browser.now())
        };
        open().map(|session| Terminal::open(session, &self.0)).map_err(|error| error_to_js(&error))
    }

    /// Listens to the computer's sound.
    ///
    /// # Errors
    /// An `ErrorRecord` that names what is not acceptable.
    pub fn audio(&self, target: &JsValue, options: &JsValue) -> Result<Audio, JsValue> {
        let open = || {
            let fields = Fields { owner: "computers.audio", object: options };
            let (sample_rate, channels) = (fields.number("sample_rate")?, fields.number("channels")?);
            Session::audio(self.target(target)?, sample_rate, channels, Browser.seed(), Browser.now())
        };
        open().map(|session| Audio::open(session, &self.0)).map_err(|error| error_to_js(&error))
    }

    /// Listens for the computer's events.
    ///
    /// # Errors
    /// An `ErrorRecord` that names what is not acceptable.
    pub fn events(&self, target: &JsValue, options: &JsValue) -> Result<Events, JsValue> {
        let open = || {
            let types = Fields { owner: "computers.events", object: options }.texts("types")?;
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
        let params = map_from_js(operation, "params", params)?;
        let fields = Fields { owner: operation, object: options };
        let options = RawCallOptions {
            timeout: fields.number("timeout")?,
            max_retries: fields.number("max_retries")?,
            headers: fields.map("headers")?,
        };
        let options = options.check(operation)?;
        let content = content_from_js(operation, content)?;
        Call::new(&self.0, operation, &params, &options, content, Browser.seed())
    }

    fn target(&self, target: &JsValue) -> Result<Target, Error> {
        let fields = Fields { owner: "channel", object: target };
        let address = ComputerAddress {
            computer_id: fields.text("computer_id")?.unwrap_or_default(),
            instance_id: fields.text("instance_id")?,
            connection_url: fields.text("connection_url")?,
        };
        Ok(Target::new(&self.0, address, fields.text("password")?.map(Password::new)))
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
    pub fn outcome(&self) -> Promise {
        self.outcome.clone()
    }

    /// Gives the call up.
    pub fn cancel(&self) {
        self.cancel.abort();
    }
}
