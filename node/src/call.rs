//! One call in progress.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::bindgen_prelude::{ArrayBuffer, Object, Uint8ArraySlice};
use napi::{Env, Error};
use napi_derive::napi;
use orgo_core::client::config::Config;
use orgo_core::client::fields::read_object;
use orgo_core::driver::{
    self, Execution, ProgressReceiver, ProgressSender, piece_outcome, prepare_call, run_call,
};
use orgo_core::encoding::plain::{Payload, PlainObject};
use orgo_core::error::{self, Delivered, TransportError};
use orgo_core::rest::call::Output;
use orgo_core::rest::download::Download;
use orgo_core::rest::upload::Content;
use tokio::sync::Notify;

use crate::download::Opened;
use crate::file::{Feed, File};
use crate::network::{Network, seed};
use crate::panic::catch_panic;
use crate::promise::{promise, waiting};
use crate::values::{self, Json};

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
    async fn run(self, canceled: Arc<Notify>, stream: Stream) -> Result<Output, error::Error> {
        let network = self.network.clone();
        let output = self.output(canceled).await;
        if let Ok(Output::Stream(download)) = &output {
            *lock(&stream) = Some((network.for_call(None, Opened::default()), download.clone()));
        }
        output
    }

    async fn output(self, canceled: Arc<Notify>) -> Result<Output, error::Error> {
        let Self { progress_sender, network, config, operation, params, options, content } = self;
        let params = read_object(&operation, "params", params.as_deref())?;
        let options = read_object(&operation, "options", options.as_deref())?;
        let call = prepare_call(&config, &operation, &params, &options, content?, seed())?;
        run_call(&network, &mut Execution::new(call, progress_sender), pin!(canceled.notified())).await
    }
}

/// The state of a response that is read as a stream, while no piece of it is being read.
type Stream = Arc<Mutex<Option<(Network, Download)>>>;

/// A call. The method `outcome` starts it.
#[napi]
pub struct PendingCall {
    prepared: Mutex<Option<Prepared>>,
    canceled: Arc<Notify>,
    progress_receiver: Option<ProgressReceiver>,
    feed: Option<Feed>,
    opened: Opened,
    stream: Stream,
}

impl PendingCall {
    /// Creates a call. `reports_progress`: whether JavaScript will read the progress of its upload. `has_file`: whether
    /// JavaScript will provide the bytes of its file.
    pub(crate) fn new(
        reports_progress: bool,
        has_file: bool,
        prepare: impl FnOnce(Option<ProgressSender>, Option<File>, Opened) -> Prepared,
    ) -> Self {
        let (progress_sender, progress_receiver) = reports_progress.then(ProgressSender::new).unzip();
        let (file, feed) = has_file.then(File::new).unzip();
        let opened = Opened::default();
        Self {
            prepared: Mutex::new(Some(prepare(progress_sender, file, opened.clone()))),
            canceled: Arc::default(),
            progress_receiver,
            feed,
            opened,
            stream: Stream::default(),
        }
    }
}

#[napi]
impl PendingCall {
    /// Executes the call. Call this method once. The promise never rejects.
    #[napi(catch_unwind, ts_return_type = "Promise<Outcome>")]
    pub fn outcome<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let prepared = lock(&self.prepared).take();
        let prepared = prepared.ok_or_else(|| Error::from_reason("the call was already executed"))?;
        let (canceled, stream) = (Arc::clone(&self.canceled), Arc::clone(&self.stream));
        promise(env, |mailbox| async move {
            let outcome = settle(prepared.operation.clone(), prepared.run(canceled, stream)).await;
            values::Prepared::alone(outcome, &mailbox).await
        })
    }

    /// Resolves with `start` or `more` when a request needs bytes of the file: the first ones or the next ones. Resolves
    /// with `null` after the call has ended. Call this method after `outcome`, and again only after the promise has
    /// resolved.
    #[napi(catch_unwind, ts_return_type = "Promise<\"start\" | \"more\" | null>")]
    pub fn next_file_request<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let feed = self.feed.clone();
        waiting(env, |_| async move { feed?.next_request().await })
    }

    /// Copies the next bytes of the file, and then frees the memory of `spare`, which nothing uses anymore. Returns whether
    /// more bytes may be provided without a request.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "napi passes arrays by value")]
    pub fn provide_file(&self, bytes: Uint8ArraySlice<'_>, spare: Option<ArrayBuffer<'_>>) -> bool {
        let has_room = self.feed.as_ref().is_some_and(|feed| feed.provide(&bytes));
        // The garbage collector frees the memory of a buffer that cannot be detached.
        let _ = spare.map(ArrayBuffer::detach);
        has_room
    }

    /// Ends the file. `problem`: why it could not be read completely.
    #[napi(catch_unwind)]
    pub fn end_file(&self, problem: Option<String>) {
        if let Some(feed) = &self.feed {
            feed.end(problem);
        }
    }

    /// Resolves with the next bytes of a streamed response, without bytes at its end, or with the error that ended it. Call
    /// this method after the outcome, and again only after the promise has resolved.
    #[napi(catch_unwind, ts_return_type = "Promise<object>")]
    pub fn next_piece<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let (stream, opened) = (Arc::clone(&self.stream), self.opened.clone());
        let canceled = Arc::clone(&self.canceled);
        promise(env, |mailbox| async move {
            let read = async {
                let taken = lock(&stream).take();
                let Some((network, mut download)) = taken else { return Ok(None) };
                let piece = opened.read(&network, &mut download, &canceled).await;
                *lock(&stream) = Some((network, download));
                piece
            };
            let piece =
                catch_panic(read).await.unwrap_or_else(|message| Err(panicked("files.stream", message)));
            let (bytes, result) = match piece {
                Ok(bytes) => (bytes, Ok(())),
                Err(error) => (None, Err(error)),
            };
            let payload = bytes.map(|bytes| ("bytes", Payload::Bytes(bytes)));
            values::Prepared::alone(PlainObject { payload, ..piece_outcome(result) }, &mailbox).await
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

    /// Cancels the call, or the stream of its response, and frees its connection. Has no effect after the end.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.canceled.notify_one();
        self.opened.cancel();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the outcome of a call, even after a panic.
async fn settle(operation: String, call: impl Future<Output = Result<Output, error::Error>>) -> PlainObject {
    driver::outcome(catch_panic(call).await.unwrap_or_else(|message| Err(panicked(&operation, message))))
}

fn panicked(operation: &str, message: String) -> error::Error {
    error::Error::Transport(Box::new(TransportError {
        operation: operation.to_owned(),
        message,
        code: None,
        delivered: Delivered::Maybe,
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
            outcome.fields.into_json(),
            r#"{"ok":false,"error":{"network":{"message":"internal error of orgo-sdk: boom"},"kind":"transport","message":"computers.click: the network failed: internal error of orgo-sdk: boom","delivered":"maybe"}}"#
        );
    }
}
