//! A client, and the calls that it makes.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;

use futures_util::future::{AbortHandle, abortable};
use js_sys::{Function, Promise, Reflect};
use orgo_core::client::config::Config;
use orgo_core::driver::{
    self, Platform, ProgressReceiver, ProgressSender, drive, outcome, piece_outcome, run_call,
};
use orgo_core::error::Error;
use orgo_core::rest::call::{Call, Output};
use orgo_core::rest::download::Download;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use crate::channel::Channel;
use crate::convert::{
    content_from_js, error_to_js, file_from_js, map_from_js, object_to_js, reports_progress, to_js,
};
use crate::platform::{Browser, Host, Opened};
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
    /// Creates a client. `log` receives the level and the text of each line. `host` is the network of Node.
    ///
    /// # Errors
    /// An `ErrorRecord` for an invalid setting, with its name.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &JsValue, log: Option<Function>, host: Option<Host>) -> Result<Self, JsValue> {
        let config = map_from_js("Orgo", "options", config).and_then(|config| Config::read(&config));
        let browser = Browser { log, host, ..Browser::default() };
        config.map(|config| Self { config, browser }).map_err(|error| error_to_js(&error))
    }

    /// Starts a call. An invalid parameter is reported by the outcome, like every other failure.
    #[must_use]
    pub fn call(
        &self,
        operation: &str,
        params: &JsValue,
        options: &JsValue,
        content: &JsValue,
    ) -> PendingCall {
        let call = self.prepare(operation, params, options, content);
        let opened = Opened::default();
        let file = file_from_js(content);
        let browser = Browser { file, opened: opened.clone(), ..self.browser.clone() };
        let stream = Stream::default();
        let running = (browser.clone(), Rc::clone(&stream));
        let (progress_sender, progress_receiver) =
            reports_progress(content).then(ProgressSender::new).unzip();
        let (canceled, cancel) = abortable(pending::<()>());
        let outcome = promise(async move {
            let (browser, stream) = running;
            let canceled = async {
                let _ = canceled.await;
            };
            let output = match call {
                Ok(call) => run_call(&browser, call, canceled, progress_sender).await,
                Err(error) => Err(error),
            };
            if let Ok(Output::Stream(download)) = &output {
                *stream.borrow_mut() = Some(download.clone());
            }
            object_to_js(outcome(output))
        });
        PendingCall { outcome, cancel, progress_receiver, browser, stream }
    }

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
        spawn_local(drive(self.browser.clone(), channel.clone()));
        Ok(Channel(channel))
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
        let options = map_from_js(operation, "options", options)?;
        let content = content_from_js(operation, content)?;
        driver::prepare_call(&self.config, operation, &params, &options, content, self.browser.seed())
    }
}

/// The state of a response that is read as a stream, while no piece of it is being read.
type Stream = Rc<RefCell<Option<Download>>>;

/// A call in progress. Dropping it does not cancel the call.
#[wasm_bindgen]
#[derive(Debug)]
pub struct PendingCall {
    outcome: Promise,
    cancel: AbortHandle,
    progress_receiver: Option<ProgressReceiver>,
    browser: Browser,
    stream: Stream,
}

#[wasm_bindgen]
impl PendingCall {
    /// Resolves with an `Outcome`.
    pub fn outcome(&self) -> Promise {
        self.outcome.clone()
    }

    /// Resolves with the progress of the upload when the progress has changed. Resolves with `null` after the call has
    /// ended, and for a call that does not report progress. Call this method again only after the promise has resolved.
    #[wasm_bindgen(js_name = nextUploadProgress)]
    pub fn next_upload_progress(&self) -> Promise {
        let progress_receiver = self.progress_receiver.clone();
        promise(async move {
            let next = async { progress_receiver?.next().await };
            next.await.map_or(JsValue::NULL, |progress| to_js(&progress.to_json()))
        })
    }

    /// Resolves with the next bytes of a streamed response, without bytes at its end, or with the error that ended it. Call
    /// this method after the outcome, and again only after the promise has resolved.
    #[wasm_bindgen(js_name = nextPiece)]
    pub fn next_piece(&self) -> Promise {
        let (browser, stream) = (self.browser.clone(), Rc::clone(&self.stream));
        promise(async move {
            let taken = stream.borrow_mut().take();
            let piece = match taken {
                Some(mut download) => {
                    let piece = browser.opened.read(&browser, &mut download).await;
                    *stream.borrow_mut() = Some(download);
                    piece
                }
                None => Ok(None),
            };
            let (bytes, result) = match piece {
                Ok(bytes) => (bytes, Ok(())),
                Err(error) => (None, Err(error)),
            };
            let outcome = object_to_js(piece_outcome(result));
            if let Some(bytes) = bytes {
                // Setting a field of a new object cannot fail.
                let _ = Reflect::set(&outcome, &"bytes".into(), &bytes);
            }
            outcome
        })
    }

    /// Cancels the call, or the stream of its response.
    pub fn cancel(&self) {
        self.cancel.abort();
        self.browser.opened.cancel();
    }
}
