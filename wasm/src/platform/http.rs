//! Sends HTTP requests with `fetch`, or with `XMLHttpRequest` if the caller wants the upload progress, which `fetch` does
//! not report.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use js_sys::{Reflect, Uint8Array, global};
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
use crate::task::enter;

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
        limit: Option<f64>,
    ) -> Controller;
}

/// The events of a request, as in `http.js`.
const PIECE: u32 = 0;
const SENT: u32 = 1;
const RESPONSE: u32 = 2;
const CUT_OFF: u32 = 3;
const FAILED: u32 = 4;

/// A function that receives the id of a request, an event, the time, and the values of the event.
type Report = Closure<dyn Fn(u32, u32, f64, String, Vec<u8>, JsValue)>;

thread_local! {
    /// The function that receives the events of all requests. A function for each request would need a finalizer, too.
    static REPORT: Report = Closure::new(report);
    /// The requests in progress.
    static EXCHANGES: RefCell<Vec<Rc<Exchange>>> = const { RefCell::new(Vec::new()) };
    static LAST_ID: Cell<u32> = const { Cell::new(0) };
}

fn report(id: u32, event: u32, now: f64, head: String, bytes: Vec<u8>, value: JsValue) {
    let find = |all: &Vec<Rc<Exchange>>| all.iter().find(|exchange| exchange.id == id).map(Rc::clone);
    let Some(exchange) = EXCHANGES.with_borrow(find) else { return };
    enter(now, || match event {
        PIECE => exchange.progress.received(millis(now)),
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it counts bytes")]
        SENT => exchange.progress.sent(value.as_f64().unwrap_or_default() as u64),
        event => {
            exchange.progress.received(millis(now));
            exchange.outcome.set(Some(Outcome { event, head, bytes, value }));
            if let Some(waker) = exchange.waker.take() {
                waker.wake();
            }
        }
    });
}

/// The last event of a request.
struct Outcome {
    event: u32,
    /// The head of the response.
    head: String,
    /// The body, if it is small.
    bytes: Vec<u8>,
    /// The reader of the body, if it is not small, or the error.
    value: JsValue,
}

/// A request and its response. Dropping it aborts the request.
pub(crate) struct Running {
    url: String,
    controller: Controller,
    exchange: InProgress,
    /// `None` before the response, and if nothing is left.
    rest: Option<Rest>,
    /// Whether the whole body was read.
    complete: bool,
}

/// The state of a request, which its events change.
struct Exchange {
    id: u32,
    progress: Progress,
    outcome: Cell<Option<Outcome>>,
    waker: Cell<Option<Waker>>,
}

/// An entry of [`EXCHANGES`].
struct InProgress(Rc<Exchange>);

impl Drop for InProgress {
    fn drop(&mut self) {
        EXCHANGES.with_borrow_mut(|all| all.retain(|exchange| !Rc::ptr_eq(exchange, &self.0)));
    }
}

/// What is left of a response.
enum Rest {
    /// The whole body.
    Small(Vec<u8>),
    Stream(ReadableStreamDefaultReader),
}

/// The open response of one call. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Opened(Rc<Cell<Option<Running>>>);

impl Opened {
    pub(super) fn set(&self, running: Running) {
        self.0.set(Some(running));
    }

    #[cfg(feature = "rest")]
    pub(super) fn take(&self) -> Option<Running> {
        self.0.take()
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}

impl Running {
    /// Sends a request.
    fn send(browser: &Browser, request: &Request, progress: &Progress) -> Result<Self, SendFailure> {
        let body = request.body.as_ref();
        let stream = body.zip(browser.file.as_ref()).map(|(body, file)| file_body(body, file)).transpose()?;
        let bytes = body.filter(|_| stream.is_none()).and_then(Body::to_vec);
        let id = LAST_ID.get().wrapping_add(1);
        LAST_ID.set(id);
        let (outcome, waker) = (Cell::default(), Cell::default());
        let exchange = Rc::new(Exchange { id, progress: progress.clone(), outcome, waker });
        EXCHANGES.with_borrow_mut(|all| all.push(Rc::clone(&exchange)));
        let exchange = InProgress(exchange);
        #[allow(clippy::cast_precision_loss, reason = "it is far below 2^53")]
        let limit = reports_sent(browser, progress).then_some(request.max_response_bytes as f64);
        let controller = REPORT.with(|report| {
            send_request(
                report.as_ref(),
                id,
                &request.url,
                &head(browser, request),
                bytes.as_deref(),
                stream.as_ref().unwrap_or(&JsValue::UNDEFINED),
                follows_redirects(browser, request),
                browser.host.is_some(),
                limit,
            )
        });
        Ok(Self { url: request.url.clone(), controller, exchange, rest: None, complete: false })
    }

    /// Waits until the response, or its head if it is not small, has arrived.
    async fn outcome(&self) -> Outcome {
        let mut sent = false;
        poll_fn(|context| {
            let Exchange { outcome, waker, progress, .. } = &*self.exchange.0;
            if let Some(outcome) = outcome.take() {
                return Poll::Ready(outcome);
            }
            // A time limit may have ended. JavaScript does not report the head of a small response, because the whole response
            // almost always arrives at the same time.
            if sent && let Some(received) = self.controller.received() {
                progress.received(millis(received));
            }
            sent = true;
            waker.set(Some(context.waker().clone()));
            Poll::Pending
        })
        .await
    }

    /// Describes a failure of the response.
    pub(super) fn lost(&self, browser: &Browser, error: &JsValue) -> SendFailure {
        failure::of_request(browser, &self.url, error, "the response was cut off: ")
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

/// Sends a request and reads the whole response.
pub(super) async fn send(
    browser: Browser,
    request: Arc<Request>,
    progress: Progress,
) -> Result<Response, SendFailure> {
    let sent = exchange(&browser, &request, &progress).await;
    let Some(file) = &browser.file else { return sent };
    file.report(request.body.as_ref(), &progress);
    match sent {
        Err(failure) => Err(file.explain(failure).await),
        sent => sent,
    }
}

async fn exchange(
    browser: &Browser,
    request: &Request,
    progress: &Progress,
) -> Result<Response, SendFailure> {
    let broken = |failure: SendFailure| {
        if request.once && failure.reached == Reached::Maybe {
            browser.keeps_none.set(true);
        }
        failure
    };
    let _watch = browser.host.as_ref().and_then(|host| SendingWatch::new(host, request, progress));
    let mut running = Running::send(browser, request, progress)?;
    let Outcome { event, head, bytes, value } = running.outcome().await;
    match event {
        RESPONSE => {}
        CUT_OFF => return Err(broken(running.lost(browser, &value))),
        FAILED => return Err(broken(failure::of_request(browser, &request.url, &value, ""))),
        _ => return Err(SendFailure::never(failure::message(&value))),
    }
    let (redirected, mut response) = read_head(&head);
    // A browser hides the status and the target of a redirect that it does not follow.
    let refused = response.status == 0
        || request.redirects() == Redirects::SameOrigin
            && !redirected.is_empty()
            && origin(redirected) != origin(&request.url);
    if refused {
        return Err(SendFailure::maybe(REDIRECTED));
    }
    running.rest = if !bytes.is_empty() {
        Some(Rest::Small(bytes))
    } else if value.is_undefined() {
        None
    } else {
        Some(Rest::Stream(value.unchecked_into()))
    };
    if request.streams_response && (200..300).contains(&response.status) {
        browser.opened.set(running);
        return Ok(response);
    }
    response.too_large =
        match ResponseBody::new(request.max_response_bytes, response.header("content-length")) {
            None => true,
            Some(mut body) => {
                let complete = read(browser, &mut running, &mut body, progress)
                    .await
                    .map_err(|error| broken(running.lost(browser, &error)))?;
                if complete {
                    response.body = body.into_bytes();
                }
                !complete
            }
        };
    Ok(response)
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

/// Reads a body piece by piece, to report the progress. Returns `false` if the body exceeds its limit; the caller then
/// aborts the request.
async fn read(
    browser: &Browser,
    running: &mut Running,
    body: &mut ResponseBody,
    progress: &Progress,
) -> Result<bool, JsValue> {
    if let Some(Rest::Small(bytes)) = &running.rest {
        running.complete = true;
        return Ok(body.push(bytes));
    }
    loop {
        let piece = running.read().await?;
        progress.received(browser.now());
        let Some(bytes) = piece else { return Ok(true) };
        match body.room(bytes.length() as usize) {
            Some(room) => bytes.copy_to(room),
            None => return Ok(false),
        }
    }
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
