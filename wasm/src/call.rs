//! The calls of a client.

use std::future::pending;

use futures_util::future::{AbortHandle, abortable};
use js_sys::{Object, Promise, Reflect};
use orgo_core::driver::{self, Platform, ProgressReceiver, ProgressSender, outcome, piece_outcome, run_call};
use orgo_core::error::Error;
use orgo_core::rest::call::{Call, Output};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::client::Client;
use crate::convert::{content_from_js, file_from_js, map_from_js, object_to_js, reports_progress, to_js};
use crate::platform::{Browser, Opened, Streaming};
use crate::promise::promise;

#[wasm_bindgen]
impl Client {
    /// Starts a call. An invalid parameter is reported by the outcome, like every other failure.
    #[must_use]
    #[allow(clippy::needless_pass_by_value, reason = "wasm-bindgen passes optional values by value")]
    pub fn call(
        &self,
        operation: &str,
        params: &JsValue,
        options: &JsValue,
        content: Option<Object>,
    ) -> PendingCall {
        let content = content.as_ref();
        let call = self.prepare(operation, params, options, content);
        let (file, opened) = (file_from_js(content), Opened::default());
        let browser = Browser { file, opened, ..self.browser.clone() };
        let streaming = Streaming::default();
        let running = (browser.clone(), streaming.clone());
        let (progress_sender, progress_receiver) =
            reports_progress(content).then(ProgressSender::new).unzip();
        let (canceled, cancel) = abortable(pending::<()>());
        let outcome = promise(async move {
            let (browser, streaming) = running;
            let canceled = async {
                let _ = canceled.await;
            };
            let output = match call {
                Ok(call) => run_call(&browser, call, canceled, progress_sender).await,
                Err(error) => Err(error),
            };
            if let Ok(Output::Stream(download)) = &output {
                streaming.start(download.clone());
            }
            object_to_js(outcome(output))
        });
        PendingCall { outcome, cancel, progress_receiver, browser, streaming }
    }
}

impl Client {
    fn prepare(
        &self,
        operation: &str,
        params: &JsValue,
        options: &JsValue,
        content: Option<&Object>,
    ) -> Result<Call, Error> {
        let params = map_from_js(operation, "params", params)?;
        let options = map_from_js(operation, "options", options)?;
        let content = content_from_js(operation, content)?;
        driver::prepare_call(&self.config, operation, &params, &options, content, self.browser.seed())
    }
}

/// A call in progress. Dropping it does not cancel the call.
#[wasm_bindgen]
#[derive(Debug)]
pub struct PendingCall {
    outcome: Promise,
    cancel: AbortHandle,
    progress_receiver: Option<ProgressReceiver>,
    browser: Browser,
    streaming: Streaming,
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
        let (browser, streaming) = (self.browser.clone(), self.streaming.clone());
        promise(async move {
            let (bytes, result) = match streaming.read(&browser).await {
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
        self.streaming.cancel(&self.browser);
    }
}
