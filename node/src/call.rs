//! One call under way.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::Object;
use napi::{Env, Error};
use napi_derive::napi;
use orgo_core::client::config::{Config, RawCallOptions};
use orgo_core::driver::{ProgressReceiver, ProgressSender, run_call};
use orgo_core::error::{self, Delivered, TransportError};
use orgo_core::rest::call::{self, Output};
use orgo_core::rest::upload::Content;
use tokio::sync::Notify;

use crate::convert::{Outcome, UploadProgress, parse};
use crate::guard::guarded;
use crate::network::{Network, seed};
use crate::promise::promise;

/// A call in the words of JavaScript, not checked yet: that happens on the I/O thread.
pub(crate) struct Prepared {
    pub(crate) progress_sender: Option<ProgressSender>,
    pub(crate) network: Network,
    pub(crate) config: Arc<Config>,
    pub(crate) operation: String,
    pub(crate) params: String,
    pub(crate) options: String,
    pub(crate) content: Option<Content>,
}

impl Prepared {
    async fn run(self, cancelled: Arc<Notify>) -> Result<Output, error::Error> {
        let Self { progress_sender, network, config, operation, params, options, content } = self;
        let options = parse::<RawCallOptions>(&operation, "options", &options)?.check(&operation)?;
        let params = parse(&operation, "params", &params)?;
        let call = call::Call::new(&config, &operation, &params, &options, content, seed())?;
        run_call(&network, call, cancelled.notified(), progress_sender).await
    }
}

/// A call. It begins when its outcome is asked for.
#[napi]
pub struct Call {
    prepared: Mutex<Option<Prepared>>,
    cancelled: Arc<Notify>,
    progress_receiver: Option<ProgressReceiver>,
}

impl Call {
    /// A call that is watched if somebody will ask how far its upload is.
    pub(crate) fn new(watched: bool, prepare: impl FnOnce(Option<ProgressSender>) -> Prepared) -> Self {
        let (progress_sender, progress_receiver) = watched.then(ProgressSender::new).unzip();
        Self {
            prepared: Mutex::new(Some(prepare(progress_sender))),
            cancelled: Arc::default(),
            progress_receiver,
        }
    }
}

#[napi]
impl Call {
    /// Carries the call out. To be called once; the promise does not reject.
    #[napi(catch_unwind, ts_return_type = "Promise<Outcome>")]
    pub fn outcome<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take();
        let prepared = prepared.ok_or_else(|| Error::from_reason("the outcome was asked for already"))?;
        let cancelled = Arc::clone(&self.cancelled);
        promise(env, || settle(prepared.operation.clone(), prepared.run(cancelled)))
    }

    /// How far the upload is, as soon as that has changed; `null` after the end, and for what is not watched. To be
    /// called again only when the promise has resolved, and after `outcome`: a call that never begins has no end.
    #[napi(catch_unwind, ts_return_type = "Promise<UploadProgress | null>")]
    pub fn next_upload_progress<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let progress_receiver = self.progress_receiver.clone();
        promise(env, || async move { progress_receiver?.next().await.map(UploadProgress::from) })
    }

    /// Gives the call up and frees its connection. After the end it does nothing.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.cancelled.notify_one();
    }
}

/// The outcome of a call, also if it panics.
async fn settle(operation: String, call: impl Future<Output = Result<Output, error::Error>>) -> Outcome {
    let result = guarded(call).await.unwrap_or_else(|message| {
        Err(error::Error::Transport(TransportError { operation, message, delivered: Delivered::Maybe }))
    });
    Outcome::from(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_outcome() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = runtime.block_on(settle("computers.click".to_owned(), async { panic!("boom") }));
        assert!(!outcome.ok);
        assert_eq!(
            outcome.json,
            r#"{"kind":"transport","message":"computers.click: the network failed: internal error of orgo-sdk: boom","delivered":"maybe"}"#
        );
    }
}
