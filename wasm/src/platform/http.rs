//! Sends HTTP requests with `fetch`, or with `XMLHttpRequest` if the caller wants the upload progress, which `fetch` does
//! not report.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use gloo_net::Error;
use gloo_net::http::{Headers, Method, RequestBuilder, Response as Fetched};
use js_sys::{Promise, Reflect, Symbol, Uint8Array, global};
use orgo_core::driver::Progress;
use orgo_core::rest::http::{self as core, Body, Part, Reached, Redirects, ResponseBody, SendFailure};
use orgo_core::rest::http::{Request, Response};
use orgo_core::rest::refusal::REDIRECTED;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, RequestCache, RequestInit, RequestRedirect, Url,
};

use super::file::body_to_js;
use super::host::SendingWatch;
use super::{Browser, Listener, failure};

#[wasm_bindgen]
extern "C" {
    /// Calls the global `fetch`. The function of gloo-net keeps only the message of an exception, but in Node the cause
    /// is needed too.
    #[wasm_bindgen(catch)]
    fn fetch(request: &web_sys::Request) -> Result<Promise, JsValue>;
}

#[wasm_bindgen(module = "/src/platform/xhr.js")]
extern "C" {
    /// Cannot fail. `catch` has the same reason as in `socket.rs`.
    #[wasm_bindgen(catch, js_name = sendXhr)]
    fn send_xhr(
        request: &web_sys::Request,
        body: &JsValue,
        limit: f64,
        report: &JsValue,
    ) -> Result<Promise, JsValue>;
}

/// The largest announced body that is read at once, in bytes. A stream takes longer than the rest of such a response.
const SMALL: u64 = 4096;

/// A request and its response. Dropping it aborts the request.
pub(crate) struct Running {
    url: String,
    /// Private, because gloo-net fails if the reason of an abort is not an `Error`, and a caller may pass any reason.
    controller: AbortController,
    /// Node keeps only a weak reference to a request, whose collection would break its signal.
    request: web_sys::Request,
    /// The function that receives the progress of the upload.
    report: Option<Listener>,
    /// `None` before the response, and if nothing is left.
    rest: Option<Rest>,
    /// Whether the whole body was read.
    complete: bool,
}

/// What is left of a response.
enum Rest {
    /// A small body, which is read at once.
    Small(web_sys::Response),
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
    /// Sends the request. The body is only for `XMLHttpRequest`; otherwise it is a part of the request.
    async fn send(&self, body: Option<JsValue>, limit: u64) -> Result<Fetched, JsValue> {
        let sent = match &self.report {
            #[allow(clippy::cast_precision_loss, reason = "it is far below 2^53")]
            Some(report) => send_xhr(&self.request, &body.unwrap_or_default(), limit as f64, report.as_ref()),
            None => fetch(&self.request),
        };
        // Not `dyn_into`, as in `read`.
        Ok(JsFuture::from(sent?).await?.unchecked_into::<web_sys::Response>().into())
    }

    /// Describes a failure of the response.
    pub(super) fn lost(&self, browser: &Browser, error: &JsValue) -> SendFailure {
        failure::of_request(browser, &self.url, error, "the response was cut off: ")
    }

    /// Reads the next piece of the response. Returns `None` at the end.
    pub(super) async fn read(&mut self) -> Result<Option<Uint8Array>, JsValue> {
        let promise = match &self.rest {
            Some(Rest::Stream(reader)) => reader.read(),
            // The function of gloo-net keeps only the message of an exception.
            Some(Rest::Small(response)) => response.array_buffer()?,
            None => {
                self.complete = true;
                return Ok(None);
            }
        };
        let read = JsFuture::from(promise).await?;
        if let Some(Rest::Small(_)) = self.rest {
            self.rest = None;
            self.complete = true;
            return Ok(Some(Uint8Array::new(&read)));
        }
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
    let mut running = open(browser, request, body.as_ref(), progress)
        .map_err(|error| SendFailure::never(failure::message(&error)))?;
    let _watch = browser.host.as_ref().map(|host| SendingWatch::new(host, request, progress));
    let fetched = running
        .send(body, request.max_response_bytes)
        .await
        .map_err(|error| broken(failure::of_request(browser, &request.url, &error, "")))?;
    progress.received();
    // A browser hides the status and the target of a redirect that it does not follow.
    let refused = fetched.status() == 0
        || request.redirects() == Redirects::SameOrigin
            && fetched.redirected()
            && origin(&fetched.url()) != origin(&running.request.url());
    if refused {
        return Err(SendFailure::maybe(REDIRECTED));
    }
    let (status, headers) = (fetched.status(), fetched.headers().entries().collect());
    let mut response = Response { status, headers, ..Response::default() };
    let length = response.header("content-length");
    running.rest = rest(fetched, length);
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

/// Builds a request, which is not sent yet.
fn open(
    browser: &Browser,
    request: &Request,
    body: Option<&JsValue>,
    progress: &Progress,
) -> Result<Running, JsValue> {
    let controller = AbortController::new()?;
    let mut builder = RequestBuilder::new(&request.url)
        .method(match request.method {
            core::Method::Get => Method::GET,
            core::Method::Post => Method::POST,
            core::Method::Put => Method::PUT,
            core::Method::Patch => Method::PATCH,
            core::Method::Delete => Method::DELETE,
        })
        .redirect(redirect_mode(browser, request))
        .abort_signal(Some(&controller.signal()))
        .headers(header_fields(browser, request)?);
    if has_cache_option() {
        builder = builder.cache(RequestCache::NoStore);
    }
    let report = reports_sent(browser, progress).then(|| {
        let progress = progress.clone();
        Listener::new(move |sent: JsValue| match sent.as_f64() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it counts bytes")]
            Some(sent) => progress.sent(sent as u64),
            None => progress.received(),
        })
    });
    // Only Node can send an iterable.
    let iterable = body.filter(|body| browser.host.is_some() && has(body, &Symbol::async_iterator()));
    let built = match body {
        Some(body) if report.is_none() && iterable.is_none() => builder.body(body),
        _ => builder.build(),
    };
    let mut built = web_sys::Request::from(built.map_err(|error| match error {
        Error::JsError(error) => JsValue::from(js_sys::Error::new(&error.message)),
        Error::GlooError(message) => js_sys::Error::new(&message).into(),
    })?);
    if let Some(body) = iterable {
        // gloo-net has no option `duplex`, without which a stream is not a body. Node's `fetch` keeps a copy of a stream in
        // memory, to send it again after a redirect, unless redirects are errors.
        let init = RequestInit::new();
        init.set_body(body);
        init.set_redirect(RequestRedirect::Error);
        init.set_signal(Some(&controller.signal()));
        Reflect::set(&init, &"duplex".into(), &"half".into())?;
        built = web_sys::Request::new_with_request_and_init(&built, &init)?;
    }
    let url = request.url.clone();
    Ok(Running { url, controller, request: built, report, rest: None, complete: false })
}

/// Returns whether `XMLHttpRequest` reports the progress of the upload. Service workers do not have it. In Node, `fetch` is
/// used even if a test environment such as jsdom adds `XMLHttpRequest`, because only `fetch` reports the causes of failures.
fn reports_sent(browser: &Browser, progress: &Progress) -> bool {
    progress.wants_sent() && browser.host.is_none() && has(&global(), &"XMLHttpRequest".into())
}

/// Returns whether requests have the option `cache`. Older versions of workerd have no HTTP cache, and throw an exception
/// if the option is set.
fn has_cache_option() -> bool {
    let get = |object: &JsValue, name: &str| Reflect::get(object, &name.into()).unwrap_or_default();
    has(&get(&get(&global(), "Request"), "prototype"), &"cache".into())
}

fn has(object: &JsValue, name: &JsValue) -> bool {
    Reflect::has(object, name).unwrap_or_default()
}

/// Returns the header fields of a request. The functions of gloo-net panic if a field is not valid.
fn header_fields(browser: &Browser, request: &Request) -> Result<Headers, JsValue> {
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
    Ok(Headers::from_raw(headers))
}

/// Prepares to read the body of a response. `length` is its announced length.
fn rest(fetched: Fetched, length: Option<&str>) -> Option<Rest> {
    if length.and_then(|length| length.parse().ok()).is_some_and(|length| (1..=SMALL).contains(&length)) {
        return Some(Rest::Small(fetched.into()));
    }
    fetched.body().map(|stream| Rest::Stream(stream.get_reader().unchecked_into()))
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
fn redirect_mode(browser: &Browser, request: &Request) -> RequestRedirect {
    let safe = |name: &str| matches!(name, "accept" | "authorization");
    match request.redirects() {
        Redirects::SameOrigin | Redirects::AnyOrigin
            if browser.host.is_none() && request.headers.iter().all(|(name, _)| safe(name)) =>
        {
            RequestRedirect::Follow
        }
        _ => RequestRedirect::Manual,
    }
}
