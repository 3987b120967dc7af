//! The calls of a client.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::pin::pin;

use futures_util::FutureExt as _;
use futures_util::future::{AbortHandle, abortable};
use js_sys::{Function, Object, Promise, Reflect};
use orgo_core::client::fields::read_object;
use orgo_core::driver::{
    self, Platform as _, ProgressReceiver, ProgressSender, outcome, piece_outcome, run_call,
};
use orgo_core::encoding::json::Map;
use orgo_core::encoding::plain::{Payload, PlainObject};
use orgo_core::encoding::text::take_field;
use orgo_core::error::Error;
use orgo_core::rest::call::{Call, Output};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::client::Client;
use crate::convert::{content_from_js, file_from_js, object_to_js, reports_progress, to_js};
use crate::platform::{Browser, Opened, Streaming};
use crate::promise::{promise, settle_with};
use crate::task::enter;

#[wasm_bindgen(module = "/src/call.js")]
extern "C" {
    /// Never throws an exception.
    #[wasm_bindgen(js_name = settle)]
    fn settle_call(settle: &Function, outcome: &str, bytes: Option<&[u8]>, stream: JsValue);
}

thread_local! {
    /// The calls in progress with their ids. A call has no object of JavaScript, which would need a finalizer.
    static CALLS: RefCell<Vec<(u32, PendingCall)>> = const { RefCell::new(Vec::new()) };
    static LAST_ID: Cell<u32> = const { Cell::new(0) };
}

fn remove(id: u32) {
    CALLS.with_borrow_mut(|calls| calls.retain(|(other, _)| *other != id));
}

#[wasm_bindgen]
impl Client {
    /// Starts a call at the time `now` of the `performance` object. Returns the id of the call.
    ///
    /// `call` consists of the name of the operation, the parameters and the options as JSON, one on each line. One text passes to
    /// the module faster than its parts.
    ///
    /// `settle` receives `undefined`, an `Outcome`, and a `PendingCall` if the response is streamed. It receives only an error if the
    /// module fails. An invalid parameter is reported by the outcome, like every other failure.
    #[allow(clippy::needless_pass_by_value, reason = "wasm-bindgen passes optional values by value")]
    pub fn start(&self, now: f64, call: &str, content: Option<Object>, settle: Function) -> u32 {
        enter(now, || {
            let content = content.as_ref();
            let (file, opened) = (file_from_js(content), Opened::default());
            let browser = Browser { file, opened, ..self.browser.clone() };
            let call = self.prepare(call, content);
            let (progress_sender, progress_receiver) =
                reports_progress(content).then(ProgressSender::new).unzip();
            let (canceled, cancel) = abortable(pending::<()>());
            let id = LAST_ID.get().wrapping_add(1);
            LAST_ID.set(id);
            let running = PendingCall { cancel, progress_receiver, browser, streaming: Streaming::default() };
            CALLS.with_borrow_mut(|calls| calls.push((id, running.clone())));
            settle_with(settle.clone(), async move {
                let canceled = pin!(canceled.map(drop));
                let output = match call {
                    Ok(mut call) => run_call(&running.browser, &mut call, canceled, progress_sender).await,
                    Err(error) => Err(error),
                };
                remove(id);
                let mut stream = JsValue::UNDEFINED;
                if let Ok(Output::Stream(download)) = &output {
                    running.streaming.start(download.clone());
                    stream = running.into();
                }
                let PlainObject { fields, payload } = outcome(output);
                let bytes = match &payload {
                    Some((_, Payload::Bytes(bytes))) => Some(bytes.as_slice()),
                    _ => None,
                };
                settle_call(&settle, &fields.into_json(), bytes, stream);
            });
            id
        })
    }

    /// Cancels a call. Has no effect if the call has ended.
    pub fn cancel(&self, id: u32) {
        if let Some(call) = self.pending(id) {
            call.cancel();
        }
    }

    /// Returns a call in progress, or `undefined` if it has ended.
    #[must_use]
    #[allow(clippy::unused_self, reason = "a method of the class")]
    pub fn pending(&self, id: u32) -> Option<PendingCall> {
        CALLS.with_borrow(|calls| calls.iter().find(|(other, _)| *other == id).map(|(_, call)| call.clone()))
    }
}

impl Client {
    fn prepare(&self, mut call: &str, content: Option<&Object>) -> Result<Box<Call>, Error> {
        let operation = take_field(&mut call, b"\n");
        let params = read_object(operation, "params", Some(take_field(&mut call, b"\n")))?;
        let options =
            if call.is_empty() { Map::new() } else { read_object(operation, "options", Some(call))? };
        let content = content_from_js(operation, content)?;
        let seed = self.browser.seed();
        // In a box, because the future of the call would copy it several times.
        driver::prepare_call(&self.config, operation, &params, &options, content, seed).map(Box::new)
    }
}

/// A call in progress, or the stream of its response. Dropping it does not cancel the call.
#[wasm_bindgen]
#[derive(Debug, Clone)]
pub struct PendingCall {
    cancel: AbortHandle,
    progress_receiver: Option<ProgressReceiver>,
    browser: Browser,
    streaming: Streaming,
}

#[wasm_bindgen]
impl PendingCall {
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
