//! Sends HTTP requests with `fetch`, or with `XMLHttpRequest` if the caller wants the upload progress, which `fetch` does
//! not report.

use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use gloo_net::http::Response as Fetched;
use js_sys::{Array, Reflect, Uint8Array, global};
use orgo_core::driver::Progress;
use orgo_core::rest::http::{Body, Part, Reached, Redirects, ResponseBody, SendFailure};
use orgo_core::rest::http::{Request, Response};
use orgo_core::rest::refusal::REDIRECTED;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, ReadableStreamDefaultReader, Url};

use super::file::body_to_js;
use super::host::SendingWatch;
use super::{Browser, Listener, failure};

#[wasm_bindgen(module = "/src/platform/http.js")]
extern "C" {
    /// Cannot fail. `catch` has the same reason as in `socket.rs`.
    #[wasm_bindgen(catch, js_name = send)]
    fn send_request(
        report: &JsValue,
        url: &str,
        method: &str,
        headers: &web_sys::Headers,
        body: &JsValue,
        follows: bool,
        in_node: bool,
        limit: Option<f64>,
    ) -> Result<AbortController, JsValue>;
}

/// A request and its response. Dropping it aborts the request.
pub(crate) struct Running {
    url: String,
    controller: AbortController,
    /// Receives the progress and the end of the request. One function for both takes less time than a promise.
    _report: Listener,
    end: Rc<End>,
    /// `None` before the response, and if nothing is left.
    rest: Option<Rest>,
    /// Whether the whole body was read.
    complete: bool,
}

/// The end of a request, as `http.js` describes it.
#[derive(Default)]
struct End {
    outcome: Cell<Option<JsValue>>,
    waker: Cell<Option<Waker>>,
}

/// What is left of a response.
enum Rest {
    /// The whole body.
    Small(Uint8Array),
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
    fn send(
        browser: &Browser,
        request: &Request,
        body: &JsValue,
        progress: &Progress,
    ) -> Result<Self, JsValue> {
        let end = Rc::<End>::default();
        let report = {
            let (progress, end) = (progress.clone(), Rc::clone(&end));
            Listener::new(move |event: JsValue| match event.as_f64() {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it counts bytes")]
                Some(sent) => progress.sent(sent as u64),
                None if event.is_undefined() => progress.received(),
                None => {
                    end.outcome.set(Some(event));
                    if let Some(waker) = end.waker.take() {
                        waker.wake();
                    }
                }
            })
        };
        #[allow(clippy::cast_precision_loss, reason = "it is far below 2^53")]
        let limit = reports_sent(browser, progress).then_some(request.max_response_bytes as f64);
        let controller = send_request(
            report.as_ref(),
            &request.url,
            request.method.as_str(),
            &header_fields(browser, request)?,
            body,
            follows_redirects(browser, request),
            browser.host.is_some(),
            limit,
        )?;
        Ok(Self { url: request.url.clone(), controller, _report: report, end, rest: None, complete: false })
    }

    /// Waits until the response, or its header if it is not small, has arrived. Returns the outcome that `http.js` describes.
    async fn outcome(&self) -> Array {
        poll_fn(|context| match self.end.outcome.take() {
            Some(outcome) => Poll::Ready(outcome.unchecked_into()),
            None => {
                self.end.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
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
                Some(Rest::Small(body)) => Some(body),
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
    request: Request,
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
    let body = request.body.as_ref().map(|body| body_to_js(body, browser.file.as_ref())).transpose()?;
    let _watch = browser.host.as_ref().and_then(|host| SendingWatch::new(host, request, progress));
    let mut running = Running::send(browser, request, &body.unwrap_or_default(), progress)
        .map_err(|error| SendFailure::never(failure::message(&error)))?;
    let outcome = running.outcome().await;
    progress.received();
    let (response, body, error) = (outcome.get(0), outcome.get(1), outcome.get(2));
    if outcome.get(3).is_truthy() {
        return Err(SendFailure::never(failure::message(&error)));
    }
    if response.is_undefined() {
        return Err(broken(failure::of_request(browser, &request.url, &error, "")));
    }
    if !error.is_undefined() {
        return Err(broken(running.lost(browser, &error)));
    }
    let fetched = Fetched::from(response.unchecked_into::<web_sys::Response>());
    // A browser hides the status and the target of a redirect that it does not follow.
    let refused = fetched.status() == 0
        || request.redirects() == Redirects::SameOrigin
            && fetched.redirected()
            && origin(&fetched.url()) != origin(&request.url);
    if refused {
        return Err(SendFailure::maybe(REDIRECTED));
    }
    let (status, headers) = (fetched.status(), fetched.headers().entries().collect());
    let mut response = Response { status, headers, ..Response::default() };
    let length = response.header("content-length");
    running.rest = match body.is_undefined() {
        true => fetched.body().map(|stream| Rest::Stream(stream.get_reader().unchecked_into())),
        false => Some(Rest::Small(body.unchecked_into())),
    };
    if request.streams_response && (200..300).contains(&status) {
        browser.opened.set(running);
        return Ok(response);
    }
    response.too_large = match ResponseBody::new(request.max_response_bytes, length) {
        None => true,
        Some(mut body) => {
            let complete = read(&mut running, &mut body, progress)
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

/// Returns the header fields of a request. The functions of gloo-net panic if a field is not valid.
fn header_fields(browser: &Browser, request: &Request) -> Result<web_sys::Headers, JsValue> {
    let headers = web_sys::Headers::new()?;
    for (name, value) in &request.headers {
        headers.append(name, value)?;
    }
    // The close of an idle connection may race with a request, and Node's `fetch` does not let the caller choose a
    // connection. So the connection is not kept for reuse. Browsers ignore this field.
    if browser.host.is_some() && (request.once || browser.keeps_none.get()) {
        headers.append("connection", "close")?;
    }
    // The body is a stream then, whose size `fetch` does not know.
    if browser.host.is_some()
        && let Some(size) = request.body.as_ref().filter(|body| has_file(body)).and_then(Body::size)
    {
        headers.append("content-length", &size.to_string())?;
    }
    Ok(headers)
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
async fn read(running: &mut Running, body: &mut ResponseBody, progress: &Progress) -> Result<bool, JsValue> {
    loop {
        let piece = running.read().await?;
        progress.received();
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
