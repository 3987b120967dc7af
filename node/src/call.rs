//! One call in progress.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::Object;
use napi::{Env, Error};
use napi_derive::napi;
use orgo_core::client::config::Config;
use orgo_core::client::fields::read_object;
use orgo_core::driver::{self, ProgressReceiver, ProgressSender, prepare_call, run_call};
use orgo_core::encoding::plain::PlainObject;
use orgo_core::error::{self, Delivered, TransportError};
use orgo_core::rest::call::Output;
use orgo_core::rest::upload::Content;
use tokio::sync::Notify;

use crate::network::{Network, seed};
use crate::panic::catch_panic;
use crate::promise::promise;
use crate::values::{Json, Objects};

/// The unchecked arguments of a call. The I/O thread checks them.
pub(crate) struct Prepared {
    pub(crate) progress_sender: Option<ProgressSender>,
    pub(crate) network: Network,
    pub(crate) config: Arc<Config>,
    pub(crate) operation: String,
    pub(crate) params: Option<String>,
    pub(crate) options: Option<String>,
    pub(crate) content: Result<Option<Content>, error::Error>,
}

impl Prepared {
    async fn run(self, canceled: Arc<Notify>) -> Result<Output, error::Error> {
        let Self { progress_sender, network, config, operation, params, options, content } = self;
        let params = read_object(&operation, "params", params.as_deref())?;
        let options = read_object(&operation, "options", options.as_deref())?;
        let call = prepare_call(&config, &operation, &params, &options, content?, seed())?;
        run_call(&network, call, canceled.notified(), progress_sender).await
    }
}

/// A call. The method `outcome` starts it.
#[napi]
pub struct PendingCall {
    prepared: Mutex<Option<Prepared>>,
    canceled: Arc<Notify>,
    progress_receiver: Option<ProgressReceiver>,
}

impl PendingCall {
    /// Creates a call. `reports_progress`: whether JavaScript will read the progress of its upload.
    pub(crate) fn new(
        reports_progress: bool,
        prepare: impl FnOnce(Option<ProgressSender>) -> Prepared,
    ) -> Self {
        let (progress_sender, progress_receiver) = reports_progress.then(ProgressSender::new).unzip();
        Self {
            prepared: Mutex::new(Some(prepare(progress_sender))),
            canceled: Arc::default(),
            progress_receiver,
        }
    }
}

#[napi]
impl PendingCall {
    /// Executes the call. Call this method once. The promise never rejects.
    #[napi(catch_unwind, ts_return_type = "Promise<Outcome>")]
    pub fn outcome<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take();
        let prepared = prepared.ok_or_else(|| Error::from_reason("the call was already executed"))?;
        let canceled = Arc::clone(&self.canceled);
        promise(env, |mailbox| async move {
            let outcome = settle(prepared.operation.clone(), prepared.run(canceled)).await;
            Objects::alone(outcome, &mailbox).await
        })
    }

    /// Resolves with the progress of the upload when the progress has changed. Resolves with `null` after the call has
    /// ended, and for a call that does not report progress. Call this method after `outcome`, because a call that never
    /// starts never ends. Call it again only after the promise has resolved.
    #[napi(catch_unwind, ts_return_type = "Promise<UploadProgress | null>")]
    pub fn next_upload_progress<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let progress_receiver = self.progress_receiver.clone();
        promise(env, |_| async move {
            progress_receiver?.next().await.map(|progress| Json(progress.to_json().to_string()))
        })
    }

    /// Cancels the call and frees its connection. Has no effect after the call has ended.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.canceled.notify_one();
    }
}

/// Returns the outcome of a call, even after a panic.
async fn settle(operation: String, call: impl Future<Output = Result<Output, error::Error>>) -> PlainObject {
    driver::outcome(catch_panic(call).await.unwrap_or_else(|message| {
        let error = TransportError { operation, message, code: None, delivered: Delivered::Maybe };
        Err(error::Error::Transport(Box::new(error)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_failed_outcome() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = runtime.block_on(settle("computers.click".to_owned(), async { panic!("boom") }));
        assert_eq!(outcome.payload, None);
        assert_eq!(
            outcome.fields.to_string(),
            r#"{"ok":false,"error":{"network":{"message":"internal error of orgo-sdk: boom"},"kind":"transport","message":"computers.click: the network failed: internal error of orgo-sdk: boom","delivered":"maybe"}}"#
        );
    }
}
