//! The calls of a client.

use std::future::pending;

use futures_util::future::{AbortHandle, abortable};
use js_sys::Promise;
use orgo_core::driver::{self, Platform, ProgressReceiver, ProgressSender, outcome, run_call};
use orgo_core::error::Error;
use orgo_core::rest::call::Call;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::client::Client;
use crate::convert::{content_from_js, map_from_js, object_to_js, reports_progress, to_js};
use crate::promise::promise;

#[wasm_bindgen]
impl Client {
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
        let browser = self.browser.clone();
        let (progress_sender, progress_receiver) =
            reports_progress(content).then(ProgressSender::new).unzip();
        let (canceled, cancel) = abortable(pending::<()>());
        let outcome = promise(async move {
            let canceled = async {
                let _ = canceled.await;
            };
            object_to_js(outcome(match call {
                Ok(call) => run_call(&browser, call, canceled, progress_sender).await,
                Err(error) => Err(error),
            }))
        });
        PendingCall { outcome, cancel, progress_receiver }
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

/// A call in progress. Dropping it does not cancel the call.
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

    /// Cancels the call.
    pub fn cancel(&self) {
        self.cancel.abort();
    }
}
