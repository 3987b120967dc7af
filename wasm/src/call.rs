//! The calls of a client.

use std::cell::{Cell, RefCell};

use futures_util::future::{AbortHandle, abortable};
use js_sys::{Function, Object, Promise, Reflect};
use orgo_core::client::fields::read_object;
use orgo_core::driver::{
    self, Execution, Next, Platform as _, ProgressReceiver, ProgressSender, outcome, piece_outcome,
};
use orgo_core::encoding::json::Map;
use orgo_core::encoding::plain::{Payload, PlainObject};
use orgo_core::encoding::text::take_field;
use orgo_core::error::Error;
use orgo_core::rest::call::{Call, Output};
use orgo_core::rest::http::{Response, SendFailure};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::client::Client;
use crate::convert::{content_from_js, file_from_js, object_to_js, reports_progress, to_js};
use crate::platform::http::{Answer, Outcome, Report, Running};
use crate::platform::{Alarm, Browser, Streaming, clock};
use crate::promise::{self, panic_error, promise};
use crate::task::{enter, spawn};

#[wasm_bindgen(module = "/src/call.js")]
extern "C" {
    /// Never throws an exception.
    #[wasm_bindgen(js_name = settle)]
    fn settle_call(settle: &Function, outcome: &str, bytes: Option<&[u8]>, stream: JsValue);
}

thread_local! {
    /// The calls in progress. A call has no object of JavaScript, which would need a finalizer.
    static CALLS: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
    static LAST_ID: Cell<u32> = const { Cell::new(0) };
    /// The function that receives the events of all requests. A function for each request would need a finalizer, too.
    static REPORT: Report = Closure::new(handle_event);
}

struct Entry {
    id: u32,
    settle: Function,
    progress_receiver: Option<ProgressReceiver>,
    canceled: bool,
    /// `None` while the call is executed: a log may call the module.
    active: Option<Box<Active>>,
}

/// A call that is being executed.
struct Active {
    execution: Execution,
    browser: Browser,
    request: Option<Running>,
    /// The response that is read as a stream.
    open: Option<Running>,
    /// Ends the task that reads the rest of the response.
    reading: Option<AbortHandle>,
    /// Rings at the next time limit.
    alarm: Option<Alarm>,
}

fn with_entry<T>(id: u32, action: impl FnOnce(&mut Entry) -> T) -> Option<T> {
    CALLS.with_borrow_mut(|calls| calls.iter_mut().find(|entry| entry.id == id).map(action))
}

fn take(id: u32) -> Option<Box<Active>> {
    with_entry(id, |entry| entry.active.take()).flatten()
}

/// Keeps a call until the next event.
fn keep(id: u32, call: Box<Active>) {
    let canceled = with_entry(id, |entry| {
        entry.active = Some(call);
        entry.canceled
    });
    if canceled == Some(true) {
        cancel(id);
    }
}

/// Executes a call until it waits.
fn execute(id: u32, mut call: Box<Active>) {
    loop {
        let next = call.execution.next(call.browser.now());
        while let Some(entry) = call.execution.poll_log() {
            call.browser.log(&entry);
        }
        match next {
            Next::Wait => {}
            Next::Done(output) => return settle(id, call, output),
            Next::Send(request, progress) => {
                match REPORT.with(|report| Running::send(&call.browser, report, id, request, progress)) {
                    Ok(request) => call.request = Some(request),
                    Err(answer) => {
                        if receive(id, &mut call, answer) {
                            continue;
                        }
                    }
                }
            }
        }
        set_alarm(id, &mut call);
        return keep(id, call);
    }
}

fn set_alarm(id: u32, call: &mut Active) {
    let time = call.execution.poll_timeout().saturating_sub(call.browser.now());
    call.alarm = Some(Alarm::new(time, id, handle_timeout));
}

/// Receives the answer to a request. Returns whether it is complete.
fn receive(id: u32, call: &mut Active, answer: Answer) -> bool {
    match answer {
        Answer::Complete(result) => {
            call.execution.handle_result(result);
            true
        }
        Answer::Open(response, request) => {
            call.open = Some(request);
            call.execution.handle_result(Ok(response));
            true
        }
        Answer::Incomplete(rest) => {
            let (rest, reading) = abortable(rest);
            call.reading = Some(reading);
            let read = async move {
                if let Ok(result) = rest.await {
                    handle_result(id, result);
                }
            };
            spawn(Box::pin(read), None);
            false
        }
    }
}

fn handle_event(id: u32, event: u32, now: f64, head: String, bytes: Vec<u8>, value: JsValue) {
    enter(now, || {
        let Some(mut call) = take(id) else { return };
        let more =
            call.request.as_ref().is_none_or(|request| request.handle(call.browser.now(), event, &value));
        if more {
            call.execution.handle_sent();
        } else if let Some(request) = call.request.take() {
            let answer = request.conclude(&call.browser, Outcome { event, head, bytes, value });
            if receive(id, &mut call, answer) {
                return execute(id, call);
            }
        }
        keep(id, call);
    });
}

fn handle_result(id: u32, result: Result<Response, SendFailure>) {
    if let Some(mut call) = take(id) {
        call.execution.handle_result(result);
        execute(id, call);
    }
}

fn handle_timeout(id: u32) {
    let Some(mut call) = take(id) else { return };
    if let Some(request) = &call.request {
        request.report_head();
    }
    if call.execution.handle_timeout(call.browser.now()) {
        end(id, call);
    } else {
        set_alarm(id, &mut call);
        keep(id, call);
    }
}

fn cancel(id: u32) {
    // A call that is being executed ends when it is kept.
    with_entry(id, |entry| entry.canceled = true);
    if let Some(mut call) = take(id) {
        call.execution.abort();
        end(id, call);
    }
}

/// Ends the request of a call, and continues the call.
fn end(id: u32, mut call: Box<Active>) {
    call.request = None;
    if let Some(reading) = call.reading.take() {
        reading.abort();
    }
    execute(id, call);
}

fn settle(id: u32, call: Box<Active>, output: Result<Output, Error>) {
    let entry = CALLS.with_borrow_mut(|calls| {
        let index = calls.iter().position(|entry| entry.id == id)?;
        Some(calls.swap_remove(index))
    });
    let Some(Entry { settle, .. }) = entry else { return };
    let mut stream = JsValue::UNDEFINED;
    if let Ok(Output::Stream(download)) = &output {
        let Active { browser, open, .. } = *call;
        let streaming = Streaming::new(browser, download.clone(), open);
        stream = PendingCall { progress_receiver: None, streaming: Some(streaming) }.into();
    }
    settle_with(&settle, output, stream);
}

fn settle_with(settle: &Function, output: Result<Output, Error>, stream: JsValue) {
    let PlainObject { fields, payload } = outcome(output);
    let bytes = match &payload {
        Some((_, Payload::Bytes(bytes))) => Some(bytes.as_slice()),
        _ => None,
    };
    settle_call(settle, &fields.into_json(), bytes, stream);
}

/// Removes all calls after a panic. Returns their functions.
pub(crate) fn take_settles() -> Vec<Function> {
    let take = |calls: &RefCell<Vec<Entry>>| Some(std::mem::take(&mut *calls.try_borrow_mut().ok()?));
    let settle = |Entry { settle, active, .. }: Entry| {
        // No destructor runs after a panic.
        std::mem::forget(active);
        settle
    };
    CALLS.with(take).unwrap_or_default().into_iter().map(settle).collect()
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
            let id = LAST_ID.get().wrapping_add(1);
            LAST_ID.set(id);
            if let Some(error) = panic_error() {
                promise::call(&settle, &error);
                return id;
            }
            let content = content.as_ref();
            match self.prepare(call, content) {
                Err(error) => settle_with(&settle, Err(error), JsValue::UNDEFINED),
                Ok(call) => {
                    let browser = Browser { file: file_from_js(content), ..self.browser.clone() };
                    let (progress_sender, progress_receiver) =
                        reports_progress(content).then(ProgressSender::new).unzip();
                    let execution = Execution::new(call, progress_sender);
                    let call = Box::new(Active {
                        execution,
                        browser,
                        request: None,
                        open: None,
                        reading: None,
                        alarm: None,
                    });
                    let entry = Entry { id, settle, progress_receiver, canceled: false, active: None };
                    CALLS.with_borrow_mut(|calls| calls.push(entry));
                    execute(id, call);
                }
            }
            id
        })
    }

    /// Cancels a call. Has no effect if the call has ended.
    pub fn cancel(&self, id: u32) {
        enter(clock(), || cancel(id));
    }

    /// Returns an upload in progress, or `undefined` if it has ended.
    #[must_use]
    pub fn pending(&self, id: u32) -> Option<PendingCall> {
        let progress_receiver = with_entry(id, |entry| entry.progress_receiver.clone())?;
        Some(PendingCall { progress_receiver, streaming: None })
    }
}

impl Client {
    fn prepare(&self, mut call: &str, content: Option<&Object>) -> Result<Call, Error> {
        let operation = take_field(&mut call, b"\n");
        let params = read_object(operation, "params", Some(take_field(&mut call, b"\n")))?;
        let options =
            if call.is_empty() { Map::new() } else { read_object(operation, "options", Some(call))? };
        let content = content_from_js(operation, content)?;
        driver::prepare_call(&self.config, operation, &params, &options, content, self.browser.seed())
    }
}

/// An upload in progress, or the stream of a response. Dropping it does not cancel the call.
#[wasm_bindgen]
#[derive(Debug, Clone)]
pub struct PendingCall {
    progress_receiver: Option<ProgressReceiver>,
    streaming: Option<Streaming>,
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
        let streaming = self.streaming.clone();
        promise(async move {
            let (bytes, result) = match streaming {
                Some(streaming) => match streaming.read().await {
                    Ok(bytes) => (bytes, Ok(())),
                    Err(error) => (None, Err(error)),
                },
                None => (None, Ok(())),
            };
            let outcome = object_to_js(piece_outcome(result));
            if let Some(bytes) = bytes {
                // Setting a field of a new object cannot fail.
                let _ = Reflect::set(&outcome, &"bytes".into(), &bytes);
            }
            outcome
        })
    }

    /// Cancels the stream of the response.
    pub fn cancel(&self) {
        if let Some(streaming) = &self.streaming {
            streaming.cancel();
        }
    }
}
