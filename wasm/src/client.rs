//! A client, and the calls that it makes.

use std::future::pending;

use futures_util::future::{AbortHandle, abortable};
use js_sys::{Function, Promise};
use orgo_core::channel::{Session, Target};
use orgo_core::client::config::{Config, RawCallOptions, RawConfig};
use orgo_core::client::credentials::ApiKey;
use orgo_core::driver::{Platform, ProgressReceiver, ProgressSender, Source, run_call};
use orgo_core::error::Error;
use orgo_core::rest::call::Call;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::channel::{Audio, Events, Terminal};
use crate::convert::{content_from_js, error_to_js, map_from_js, outcome_to_js, upload_progress_to_js};
use crate::fields::Fields;
use crate::platform::Browser;
use crate::promise::promise;

/// A client: settings, credentials and connections.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client {
    config: Config,
    browser: Browser,
}

#[wasm_bindgen]
impl Client {
    /// A client whose log, if there is one, gets the level and the text of each line. In Node `explain` makes the text
    /// of a failure from a URL and what was thrown.
    ///
    /// # Errors
    /// An `ErrorRecord` that names the setting which is not acceptable.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &JsValue, log: Option<Function>, explain: Option<Function>) -> Result<Self, JsValue> {
        let fields = Fields { owner: "Orgo", object: config };
        let read = || {
            let RawCallOptions {
                timeout,
                idle_timeout,
                total_timeout,
                max_retries,
                max_response_bytes,
                headers,
            } = call_options(&fields)?;
            Config::try_from(RawConfig {
                base_url: fields.text("base_url")?,
                realtime_url: fields.text("realtime_url")?,
                api_key: fields.text("api_key")?.map(ApiKey::new),
                timeout,
                idle_timeout,
                total_timeout,
                max_retries,
                max_response_bytes,
                headers,
                log_level: fields.text("log_level")?,
            })
        };
        let browser = Browser { log, explain, ..Browser::default() };
        read().map(|config| Self { config, browser }).map_err(|error| error_to_js(&error))
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
        let browser = self.browser.clone();
        // Looking into what is no object throws, and each exception leaves a slot of wasm-bindgen's table behind.
        let watched = content.is_object()
            && Fields { owner: operation, object: content }.flag("watched").unwrap_or_default();
        let (progress_sender, progress_receiver) = watched.then(ProgressSender::new).unzip();
        let (cancelled, cancel) = abortable(pending::<()>());
        let outcome = promise(async move {
            let cancelled = async {
                let _ = cancelled.await;
            };
            outcome_to_js(match call {
                Ok(call) => run_call(&browser, call, cancelled, progress_sender).await,
                Err(error) => Err(error),
            })
        });
        PendingCall { outcome, cancel, progress_receiver }
    }

    /// Opens a terminal.
    ///
    /// # Errors
    /// An `ErrorRecord` that names what is not acceptable.
    pub fn terminal(&self, target: &JsValue, options: &JsValue) -> Result<Terminal, JsValue> {
        let open = || {
            let fields = Fields { owner: "computers.terminal", object: options };
            let (cols, rows) = (fields.number("cols")?, fields.number("rows")?);
            let (target, source) = self.target(target)?;
            let session = Session::terminal(target, cols, rows, self.browser.seed(), self.browser.now())?;
            Ok(Terminal::open(session, self.browser.clone(), source))
        };
        open().map_err(|error| error_to_js(&error))
    }

    /// Listens to the computer's sound.
    ///
    /// # Errors
    /// An `ErrorRecord` that names what is not acceptable.
    pub fn audio(&self, target: &JsValue, options: &JsValue) -> Result<Audio, JsValue> {
        let open = || {
            let fields = Fields { owner: "computers.audio", object: options };
            let (sample_rate, channels) = (fields.number("sample_rate")?, fields.number("channels")?);
            let (target, source) = self.target(target)?;
            let (seed, now) = (self.browser.seed(), self.browser.now());
            let session = Session::audio(target, sample_rate, channels, seed, now)?;
            Ok(Audio::open(session, self.browser.clone(), source))
        };
        open().map_err(|error| error_to_js(&error))
    }

    /// Listens for the computer's events.
    ///
    /// # Errors
    /// An `ErrorRecord` that names what is not acceptable.
    pub fn events(&self, target: &JsValue, options: &JsValue) -> Result<Events, JsValue> {
        let open = || {
            let types = Fields { owner: "computers.events", object: options }.texts("types")?;
            let (target, source) = self.target(target)?;
            let session = Session::events(target, &types, self.browser.seed(), self.browser.now())?;
            Ok(Events::open(session, self.browser.clone(), source))
        };
        open().map_err(|error| error_to_js(&error))
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
        let options = call_options(&fields)?.check(operation)?;
        let content = content_from_js(operation, content)?;
        Call::new(&self.config, operation, &params, &options, content, self.browser.seed())
    }

    fn target(&self, target: &JsValue) -> Result<(Target, Source), Error> {
        let fields = Fields { owner: "channel", object: target };
        let (address, password) = fields.known()?;
        let source = if fields.flag("refreshable")? {
            Source::Consumer(self.config.request_timeout())
        } else {
            Source::Service(self.config.clone())
        };
        let mut target = Target::new(&self.config, address, password);
        target.limit_reconnects(fields.number("max_reconnects")?)?;
        Ok((target, source))
    }
}

/// The options of a call, which a client has as its defaults.
fn call_options(fields: &Fields<'_>) -> Result<RawCallOptions, Error> {
    Ok(RawCallOptions {
        timeout: fields.number("timeout")?,
        idle_timeout: fields.number("idle_timeout")?,
        total_timeout: fields.number("total_timeout")?,
        max_retries: fields.number("max_retries")?,
        max_response_bytes: fields.number("max_response_bytes")?,
        headers: fields.map("headers")?,
    })
}

/// A call under way. Letting go of it does not give the call up.
#[wasm_bindgen]
#[derive(Debug)]
pub struct PendingCall {
    outcome: Promise,
    cancel: AbortHandle,
    progress_receiver: Option<ProgressReceiver>,
}

#[wasm_bindgen]
impl PendingCall {
    /// Resolves with an `Outcome`.
    #[wasm_bindgen(getter)]
    pub fn outcome(&self) -> Promise {
        self.outcome.clone()
    }

    /// How far the upload is, as soon as that has changed; `null` after the end, and for what is not watched. To be
    /// called again only when the promise has resolved.
    #[wasm_bindgen(js_name = nextUploadProgress)]
    pub fn next_upload_progress(&self) -> Promise {
        let progress_receiver = self.progress_receiver.clone();
        promise(async move {
            let next = async { progress_receiver?.next().await };
            upload_progress_to_js(next.await)
        })
    }

    /// Gives the call up.
    pub fn cancel(&self) {
        self.cancel.abort();
    }
}
