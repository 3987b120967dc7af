//! Sends HTTP requests with `fetch`, or with `XMLHttpRequest` if the caller wants the upload progress, which `fetch` does
//! not report.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use js_sys::{Reflect, Uint8Array, global};
use orgo_core::Millis;
use orgo_core::driver::{Platform as _, Progress};
use orgo_core::encoding::text::{digits, take_field};
use orgo_core::rest::http::{Body, Part, Reached, Redirects, ResponseBody, SendFailure};
use orgo_core::rest::http::{Request, Response};
use orgo_core::rest::refusal::REDIRECTED;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, Url};

use super::file::file_body;
use super::host::SendingWatch;
use super::{Browser, failure, millis};

#[wasm_bindgen(module = "/src/platform/http.js")]
extern "C" {
    /// The controller of a request.
    type Controller;

    #[wasm_bindgen(method)]
    fn abort(this: &Controller);

    /// Returns the time at which the head of a small response has arrived.
    #[wasm_bindgen(method, getter)]
    fn received(this: &Controller) -> Option<f64>;

    /// Never throws an exception.
    #[wasm_bindgen(js_name = send)]
    fn send_request(
        report: &JsValue,
        id: u32,
        url: &str,
        head: &str,
        bytes: Option<&[u8]>,
        stream: &JsValue,
        follows: bool,
        in_node: bool,
        limit: f64,
        reports_sent: bool,
    ) -> Controller;
}

/// The events of a request, as in `http.js`.
const PIECE: u32 = 0;
const SENT: u32 = 1;
const RESPONSE: u32 = 2;
const CUT_OFF: u32 = 3;
const FAILED: u32 = 4;

/// A function that receives the id of a request, an event, the time, and the values of the event.
pub(crate) type Report = Closure<dyn Fn(u32, u32, f64, String, Vec<u8>, JsValue)>;

thread_local! {
    /// The head of the last request. It is usually that of the next one too, and then does not pass to JavaScript.
    static LAST_HEAD: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The last event of a request.
pub(crate) struct Outcome {
    pub(crate) event: u32,
    /// The head of the response.
    pub(crate) head: String,
    /// The body, if it is small.
    pub(crate) bytes: Vec<u8>,
    /// The reader of the body, if it is not small, or the error.
    pub(crate) value: JsValue,
}

/// The result of a request.
pub(crate) enum Answer {
    Complete(Result<Response, SendFailure>),
    /// The head of a response whose body is read as a stream.
    Open(Response, Running),
    /// The rest of the response, or of the reason of the failure, is still to be read.
    Incomplete(Pin<Box<dyn Future<Output = Result<Response, SendFailure>>>>),
}

/// A request and its response. Dropping it aborts the request.
pub(crate) struct Running {
    request: Arc<Request>,
    progress: Progress,
    controller: Controller,
    /// In Node, before the response.
    watch: Option<SendingWatch>,
    /// `None` before the response, and if nothing is left.
    rest: Option<Rest>,
    /// Whether the whole body was read.
    complete: bool,
}

/// What is left of a response.
enum Rest {
    /// The whole body.
    Small(Vec<u8>),
    Stream(ReadableStreamDefaultReader),
}

impl Running {
    /// Sends a request. `report` receives its events with the id.
    pub(crate) fn send(
        browser: &Browser,
        report: &Report,
        id: u32,
        request: Arc<Request>,
        progress: Progress,
    ) -> Result<Self, Answer> {
        let body = request.body.as_ref();
        let stream = body.zip(browser.file.as_ref()).map(|(body, file)| file_body(body, file)).transpose();
        let stream = stream.map_err(|failure| failed(browser, failure))?;
        let bytes = body.filter(|_| stream.is_none()).and_then(Body::to_vec);
        let watch = browser.host.as_ref().and_then(|host| SendingWatch::new(host, &request, &progress));
        #[allow(clippy::cast_precision_loss, reason = "it is far below 2^53")]
        let limit = if request.streams_response { 0.0 } else { request.max_response_bytes as f64 };
        let head = head(browser, &request);
        let is_last = LAST_HEAD.with_borrow(|last| *last == head);
        let controller = send_request(
            report.as_ref(),
            id,
            &request.url,
            if is_last { "" } else { &head },
            bytes.as_deref(),
            stream.as_ref().unwrap_or(&JsValue::UNDEFINED),
            follows_redirects(browser, &request),
            browser.host.is_some(),
            limit,
            reports_sent(browser, &progress),
        );
        if !is_last {
            LAST_HEAD.set(head);
        }
        Ok(Self { request, progress, controller, watch, rest: None, complete: false })
    }

    /// Handles an event of the request that is not the last one. Returns `false` for the last one.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it counts bytes")]
    pub(crate) fn handle(&self, now: Millis, event: u32, value: &JsValue) -> bool {
        match event {
            SENT => self.progress.sent(value.as_f64().unwrap_or_default() as u64),
            _ => self.progress.received(now),
        }
        matches!(event, PIECE | SENT)
    }

    /// Reports the time at which the head of the response has arrived, before a time limit is checked. JavaScript does not report it
    /// for a small response, because the whole response almost always arrives at the same time.
    pub(crate) fn report_head(&self) {
        if let Some(received) = self.controller.received() {
            self.progress.received(millis(received));
        }
    }

    /// Handles the last event of the request.
    pub(crate) fn conclude(mut self, browser: &Browser, outcome: Outcome) -> Answer {
        self.watch = None;
        self.report_file(browser);
        let Outcome { event, head, bytes, value } = outcome;
        let failure = match event {
            RESPONSE => None,
            CUT_OFF => Some(self.lost(browser, &value)),
            FAILED => Some(self.broken(browser, failure::of_request(browser, &self.request.url, &value, ""))),
            _ => Some(SendFailure::never(failure::message(&value))),
        };
        if let Some(failure) = failure {
            return failed(browser, failure);
        }
        let (redirected, mut response) = read_head(&head);
        // A browser hides the status and the target of a redirect that it does not follow.
        let refused = response.status == 0
            || self.request.redirects() == Redirects::SameOrigin
                && !redirected.is_empty()
                && origin(redirected) != origin(&self.request.url);
        if refused {
            return failed(browser, SendFailure::maybe(REDIRECTED));
        }
        if self.request.streams_response && (200..300).contains(&response.status) {
            self.rest = rest(bytes, value);
            return Answer::Open(response, self);
        }
        let Some(mut body) =
            ResponseBody::new(self.request.max_response_bytes, response.header("content-length"))
        else {
            response.too_large = true;
            return Answer::Complete(Ok(response));
        };
        match rest(bytes, value) {
            Some(Rest::Stream(reader)) => {
                self.rest = Some(Rest::Stream(reader));
                Answer::Incomplete(Box::pin(self.read_all(browser.clone(), response, body)))
            }
            small => {
                self.complete = true;
                response.too_large = match small {
                    Some(Rest::Small(bytes)) => !body.push(&bytes),
                    _ => false,
                };
                response.body = body.into_bytes();
                Answer::Complete(Ok(response))
            }
        }
    }

    /// Reads a body piece by piece, to report the progress. Aborts the request if the body exceeds its limit.
    async fn read_all(
        mut self,
        browser: Browser,
        mut response: Response,
        mut body: ResponseBody,
    ) -> Result<Response, SendFailure> {
        let result = loop {
            let piece = match self.read().await {
                Ok(piece) => piece,
                Err(error) => break Err(self.lost(&browser, &error)),
            };
            self.progress.received(browser.now());
            let Some(bytes) = piece else {
                response.body = body.into_bytes();
                break Ok(response);
            };
            match body.room(bytes.length() as usize) {
                Some(room) => bytes.copy_to(room),
                None => {
                    response.too_large = true;
                    break Ok(response);
                }
            }
        };
        self.report_file(&browser);
        match (result, &browser.file) {
            (Err(failure), Some(file)) => Err(file.explain(failure).await),
            (result, _) => result,
        }
    }

    fn report_file(&self, browser: &Browser) {
        if let Some(file) = &browser.file {
            file.report(self.request.body.as_ref(), &self.progress);
        }
    }

    /// Describes a failure of the response.
    pub(super) fn lost(&self, browser: &Browser, error: &JsValue) -> SendFailure {
        let failure = failure::of_request(browser, &self.request.url, error, "the response was cut off: ");
        self.broken(browser, failure)
    }

    fn broken(&self, browser: &Browser, failure: SendFailure) -> SendFailure {
        if self.request.once && failure.reached == Reached::Maybe {
            browser.keeps_none.set(true);
        }
        failure
    }

    /// Reads the next piece of the response. Returns `None` at the end.
    pub(super) async fn read(&mut self) -> Result<Option<Uint8Array>, JsValue> {
        let Some(Rest::Stream(reader)) = &self.rest else {
            self.complete = true;
            return Ok(match self.rest.take() {
                Some(Rest::Small(body)) => Some(Uint8Array::from(body.as_slice())),
                _ => None,
            });
        };
        let read = JsFuture::from(reader.read()).await?;
        // The last piece has no value.
        let piece = Reflect::get(&read, &"value".into())?;
        self.complete = piece.is_undefined();
        // Not `dyn_into`: test environments such as jsdom replace the global `Uint8Array`, but `fetch` keeps the original.
        Ok((!self.complete).then(|| piece.unchecked_into()))
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An abort of a complete request would only take time.
        if !self.complete {
            self.controller.abort();
        }
    }
}

/// Returns the result of a request that failed. The cause may be its file.
fn failed(browser: &Browser, failure: SendFailure) -> Answer {
    match browser.file.clone() {
        Some(file) => Answer::Incomplete(Box::pin(async move { Err(file.explain(failure).await) })),
        None => Answer::Complete(Err(failure)),
    }
}

fn rest(bytes: Vec<u8>, value: JsValue) -> Option<Rest> {
    if !bytes.is_empty() {
        Some(Rest::Small(bytes))
    } else if value.is_undefined() {
        None
    } else {
        Some(Rest::Stream(value.unchecked_into()))
    }
}

/// Returns whether `XMLHttpRequest` reports the progress of the upload. Service workers do not have it. In Node, `fetch` is
/// used even if a test environment such as jsdom adds `XMLHttpRequest`, because only `fetch` reports the causes of failures.
fn reports_sent(browser: &Browser, progress: &Progress) -> bool {
    progress.wants_sent() && browser.host.is_none() && has(&global(), &"XMLHttpRequest".into())
}

fn has(object: &JsValue, name: &JsValue) -> bool {
    Reflect::has(object, name).unwrap_or_default()
}

/// Returns the method, and the names and values of the header fields, one on each line, because one text passes to JavaScript faster
/// than its parts. The URL is separate: that of a link or a redirect may contain line breaks.
fn head(browser: &Browser, request: &Request) -> String {
    let mut head = request.method.as_str().to_owned();
    let mut add = |text: &str| {
        head.push('\n');
        head.push_str(text);
    };
    for (name, value) in &request.headers {
        add(name);
        add(value);
    }
    // The close of an idle connection may race with a request, and Node's `fetch` does not let the caller choose a
    // connection. So the connection is not kept for reuse. Browsers ignore this field.
    if browser.host.is_some() && (request.once || browser.keeps_none.get()) {
        add("connection");
        add("close");
    }
    // The body is a stream then, whose size `fetch` does not know.
    if browser.host.is_some()
        && let Some(size) = request.body.as_ref().filter(|body| has_file(body)).and_then(Body::size)
    {
        add("content-length");
        add(&size.to_string());
    }
    head
}

/// Reads the head of a response: the status, the URL to which the request was redirected or nothing, and the names and values of the
/// header fields, one on each line.
fn read_head(mut head: &str) -> (&str, Response) {
    let mut line = || take_field(&mut head, b"\n");
    let status = digits(line()).and_then(|status| status.try_into().ok()).unwrap_or_default();
    let redirected = line();
    let mut headers = Vec::new();
    while !head.is_empty() {
        let mut line = || take_field(&mut head, b"\n").to_owned();
        headers.push((line(), line()));
    }
    (redirected, Response { status, headers, ..Response::default() })
}

/// Returns the origin of a URL that the browser has parsed.
fn origin(url: &str) -> Option<String> {
    Url::new(url).map(|url| url.origin()).ok()
}

fn has_file(body: &Body) -> bool {
    body.parts().iter().any(|part| matches!(part, Part::File { .. }))
}

/// Returns whether `fetch` follows redirects. Node returns the response of a redirect, which the core follows. A browser
/// hides that response. It removes the `authorization` header from a redirect to another origin, but not the other
/// header fields of the caller, so a request with such fields is not redirected.
fn follows_redirects(browser: &Browser, request: &Request) -> bool {
    let safe = |name: &str| matches!(name, "accept" | "authorization");
    match request.redirects() {
        Redirects::SameOrigin | Redirects::AnyOrigin => {
            browser.host.is_none() && request.headers.iter().all(|(name, _)| safe(name))
        }
        Redirects::None => false,
    }
}
