//! Sends HTTP requests with `fetch`, or with `XMLHttpRequest` if the caller wants the upload progress, which `fetch` does
//! not report.

use js_sys::{Promise, Uint8Array};
use orgo_core::driver::Progress;
use orgo_core::rest::http::{Body, Reached, Redirects, Request, Response, ResponseBody, SendFailure};
use orgo_core::rest::refusal::REDIRECTED;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

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
    fn build(this: &Exchange, body: Option<Uint8Array>) -> Result<(), JsValue>;

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

/// Aborts a request that is dropped.
struct AbortOnDrop {
    exchange: Exchange,
    /// The function that receives the progress of the upload.
    _report: Option<Listener>,
}

impl Drop for AbortOnDrop {
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
    let never = |error: JsValue| SendFailure::never(failure::message(&error));
    let lost = |error: &JsValue, context: &str| {
        let failure = failure::of_request(&browser, &request.url, error, context);
        if request.once && failure.reached == Reached::Maybe {
            browser.keeps_none.set(true);
        }
        failure
    };
    let running = open(&browser, &request, &progress).map_err(never)?;
    let AbortOnDrop { exchange, .. } = &running;
    for (name, value) in &request.headers {
        exchange.header(name, value).map_err(never)?;
    }
    // The close of an idle connection may race with a request, and Node's `fetch` does not let the caller choose a
    // connection. So the connection is not kept for reuse. Browsers ignore this field.
    if browser.host.is_some() && (request.once || browser.keeps_none.get()) {
        exchange.header("connection", "close").map_err(never)?;
    }
    let body = request.body.as_ref().map(Body::to_vec);
    exchange.build(body.as_deref().map(Uint8Array::from)).map_err(never)?;
    drop(body);
    let _watch = browser.host.as_ref().map(|host| SendingWatch::new(host, &request, &progress));
    JsFuture::from(exchange.send()).await.map_err(|error| lost(&error, ""))?;
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
    response.too_large =
        match ResponseBody::new(request.max_response_bytes, response.header("content-length")) {
            None => true,
            Some(mut body) => {
                let complete = read(exchange, &mut body, &progress)
                    .await
                    .map_err(|error| lost(&error, "the response was cut off: "))?;
                if complete {
                    response.body = body.into_bytes();
                }
                !complete
            }
        };
    Ok(response)
}

fn open(browser: &Browser, request: &Request, progress: &Progress) -> Result<AbortOnDrop, JsValue> {
    let (method, url) = (request.method.as_str(), &*request.url);
    // In Node, `fetch` is used even if a test environment such as jsdom adds `XMLHttpRequest`, because only `fetch` reports
    // the causes of failures.
    if progress.wants_sent() && browser.host.is_none() {
        let progress = progress.clone();
        let report = Listener::new(move |sent: JsValue| match sent.as_f64() {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it counts bytes")]
            Some(sent) => progress.sent(sent as usize),
            None => progress.received(),
        });
        #[allow(clippy::cast_precision_loss, reason = "it is far below 2^53")]
        let limit = request.max_response_bytes as f64;
        if let Some(exchange) = open_xhr(method, url, limit, report.as_ref())? {
            return Ok(AbortOnDrop { exchange, _report: Some(report) });
        }
    }
    let exchange = open_fetch(method, url, redirect_mode(browser, request))?;
    Ok(AbortOnDrop { exchange, _report: None })
}

/// Reads a body piece by piece, to report the progress. Returns `false` if the body exceeds its limit; the caller then
/// aborts the request.
async fn read(exchange: &Exchange, body: &mut ResponseBody, progress: &Progress) -> Result<bool, JsValue> {
    loop {
        let piece = JsFuture::from(exchange.read()).await?;
        progress.received();
        if piece.is_undefined() {
            return Ok(true);
        }
        // Not `dyn_into`: test environments such as jsdom replace the global `Uint8Array`, but `fetch` keeps the original.
        let bytes: Uint8Array = piece.unchecked_into();
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
