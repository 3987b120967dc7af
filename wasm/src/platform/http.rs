//! Sends HTTP requests with `fetch`, or with `XMLHttpRequest` if the caller wants the upload progress, which `fetch` does
//! not report.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use js_sys::{Promise, Uint8Array};
use orgo_core::driver::Progress;
use orgo_core::rest::http::{Body, Part, Reached, Redirects, Request, Response, ResponseBody, SendFailure};
use orgo_core::rest::refusal::REDIRECTED;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::file::body_to_js;
use super::host::SendingWatch;
use super::{Browser, Listener, failure};

#[wasm_bindgen(module = "/src/platform/exchange.js")]
extern "C" {
    type Exchange;

    #[wasm_bindgen(catch, js_name = openFetch)]
    fn open_fetch(method: &str, url: &str, redirect: &str) -> Result<Exchange, JsValue>;

    #[wasm_bindgen(catch, js_name = openXhr)]
    fn open_xhr(method: &str, url: &str, limit: f64, report: &JsValue) -> Result<Option<Exchange>, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn header(this: &Exchange, name: &str, value: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn build(this: &Exchange, body: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    fn send(this: &Exchange) -> Promise;

    #[wasm_bindgen(method)]
    fn status(this: &Exchange) -> u16;

    #[wasm_bindgen(method)]
    fn headers(this: &Exchange) -> String;

    #[wasm_bindgen(method)]
    fn redirect(this: &Exchange) -> u8;

    #[wasm_bindgen(method, js_name = tooLarge)]
    fn too_large(this: &Exchange) -> bool;

    #[wasm_bindgen(method)]
    fn read(this: &Exchange) -> Promise;

    #[wasm_bindgen(method)]
    fn abort(this: &Exchange);
}

/// A request and its response. Dropping it aborts the request.
pub(crate) struct Running {
    url: String,
    exchange: Exchange,
    /// The function that receives the progress of the upload.
    _report: Option<Listener>,
}

/// The open response of one call. Clones share it.
pub(crate) type Opened = Rc<RefCell<Option<Running>>>;

impl Running {
    /// Describes a failure of the response.
    pub(super) fn lost(&self, browser: &Browser, error: &JsValue) -> SendFailure {
        failure::of_request(browser, &self.url, error, "the response was cut off: ")
    }

    /// Reads the next piece of the response. Returns `None` at the end.
    pub(super) async fn read(&self) -> Result<Option<Uint8Array>, JsValue> {
        let piece = JsFuture::from(self.exchange.read()).await?;
        // Not `dyn_into`: test environments such as jsdom replace the global `Uint8Array`, but `fetch` keeps the original.
        Ok((!piece.is_undefined()).then(|| piece.unchecked_into()))
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.exchange.abort();
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
    let never = |error: JsValue| SendFailure::never(failure::message(&error));
    let broken = |failure: SendFailure| {
        if request.once && failure.reached == Reached::Maybe {
            browser.keeps_none.set(true);
        }
        failure
    };
    let running = open(browser, request, progress).map_err(never)?;
    let Running { exchange, .. } = &running;
    for (name, value) in &request.headers {
        exchange.header(name, value).map_err(never)?;
    }
    // The close of an idle connection may race with a request, and Node's `fetch` does not let the caller choose a
    // connection. So the connection is not kept for reuse. Browsers ignore this field.
    if browser.host.is_some() && (request.once || browser.keeps_none.get()) {
        exchange.header("connection", "close").map_err(never)?;
    }
    // The body is a stream then, whose size `fetch` does not know.
    if browser.host.is_some()
        && let Some(size) = request.body.as_ref().filter(|body| has_file(body)).and_then(Body::size)
    {
        exchange.header("content-length", &size.to_string()).map_err(never)?;
    }
    let body = request.body.as_ref().map(|body| body_to_js(body, browser.file.as_ref())).transpose()?;
    exchange.build(&body.unwrap_or_default()).map_err(never)?;
    let _watch = browser.host.as_ref().map(|host| SendingWatch::new(host, request, progress));
    JsFuture::from(exchange.send())
        .await
        .map_err(|error| broken(failure::of_request(browser, &request.url, &error, "")))?;
    progress.received();
    let status = exchange.status();
    if exchange.too_large() {
        return Ok(Response { status, too_large: true, ..Response::default() });
    }
    match exchange.redirect() {
        0 => {}
        1 if request.redirects() != Redirects::SameOrigin => {}
        _ => return Err(SendFailure::maybe(REDIRECTED)),
    }
    let mut response = Response { status, headers: fields(&exchange.headers()), ..Response::default() };
    if request.streams_response && (200..300).contains(&status) {
        *browser.opened.borrow_mut() = Some(running);
        return Ok(response);
    }
    response.too_large =
        match ResponseBody::new(request.max_response_bytes, response.header("content-length")) {
            None => true,
            Some(mut body) => {
                let complete = read(&running, &mut body, progress)
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

fn open(browser: &Browser, request: &Request, progress: &Progress) -> Result<Running, JsValue> {
    let (method, url) = (request.method.as_str(), &*request.url);
    // In Node, `fetch` is used even if a test environment such as jsdom adds `XMLHttpRequest`, because only `fetch` reports
    // the causes of failures.
    if progress.wants_sent() && browser.host.is_none() {
        let progress = progress.clone();
        let report = Listener::new(move |sent: JsValue| match sent.as_f64() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it counts bytes")]
            Some(sent) => progress.sent(sent as u64),
            None => progress.received(),
        });
        #[allow(clippy::cast_precision_loss, reason = "it is far below 2^53")]
        let limit = request.max_response_bytes as f64;
        if let Some(exchange) = open_xhr(method, url, limit, report.as_ref())? {
            return Ok(Running { url: url.to_owned(), exchange, _report: Some(report) });
        }
    }
    let exchange = open_fetch(method, url, redirect_mode(browser, request))?;
    Ok(Running { url: url.to_owned(), exchange, _report: None })
}

fn has_file(body: &Body) -> bool {
    body.parts().iter().any(|part| matches!(part, Part::File { .. }))
}

/// Reads a body piece by piece, to report the progress. Returns `false` if the body exceeds its limit; the caller then
/// aborts the request.
async fn read(running: &Running, body: &mut ResponseBody, progress: &Progress) -> Result<bool, JsValue> {
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
fn redirect_mode(browser: &Browser, request: &Request) -> &'static str {
    let safe = |name: &str| matches!(name, "accept" | "authorization");
    match request.redirects() {
        Redirects::SameOrigin | Redirects::AnyOrigin
            if browser.host.is_none() && request.headers.iter().all(|(name, _)| safe(name)) =>
        {
            "follow"
        }
        _ => "manual",
    }
}

/// Parses the header lines of a response: `name: value`.
fn fields(text: &str) -> Vec<(String, String)> {
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}
