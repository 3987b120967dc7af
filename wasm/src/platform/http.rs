//! Sends HTTP requests with `fetch`, or with [`xhr`] if the caller wants the upload progress, which `fetch` does not
//! report.

use js_sys::{Array, Promise, Reflect, global};
use orgo_core::driver::Progress;
use orgo_core::rest::http::{Part, Reached, Redirects, Request, Response, ResponseBody, SendFailure};
use orgo_core::rest::refusal::REDIRECTED;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, RequestCache, RequestInit, RequestRedirect,
    ResponseType,
};

use super::download::{self, OpenBody, lost};
use super::failure::message;
use super::file::body_to_js;
use super::{Browser, failure, xhr};

#[wasm_bindgen]
extern "C" {
    /// Calls the global `fetch`, which exists in pages and in workers.
    fn fetch(request: &web_sys::Request) -> Promise;
}

/// A request that was sent. Dropping it before its response is complete aborts it.
#[derive(Debug)]
pub(super) struct Sent {
    /// `None` after the end.
    controller: Option<AbortController>,
    /// Node keeps only a weak reference to a request, whose collection would break its signal. So the request is kept until
    /// the response is read.
    request: web_sys::Request,
}

impl Sent {
    /// Ends the request without an abort.
    pub(super) fn complete(mut self) {
        self.controller = None;
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        if let Some(controller) = &self.controller {
            controller.abort();
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
    // Without `XMLHttpRequest` there is no upload progress. In Node, `fetch` is used even if a test environment such as
    // jsdom adds `XMLHttpRequest`, because only `fetch` reports the causes of failures.
    if progress.wants_sent()
        && browser.host.is_none()
        && let Some(exchange) = xhr::Exchange::new(progress.clone(), request.max_response_bytes)
    {
        return exchange.run(request, browser.file.as_ref()).await;
    }
    let broken = |failure: SendFailure| {
        if request.once && failure.reached == Reached::Maybe {
            browser.keeps_none.set(true);
        }
        failure
    };
    let sent = build(browser, request)?;
    let fetched = JsFuture::from(fetch(&sent.request))
        .await
        .map_err(|error| broken(failure::of_request(browser, &request.url, &error, "")))?;
    let fetched: web_sys::Response = fetched.unchecked_into();
    progress.received();
    // A browser hides the target of the redirect.
    let left_origin =
        request.redirects() == Redirects::SameOrigin && origin(&fetched.url()) != origin(&request.url);
    if fetched.type_() == ResponseType::Opaqueredirect || fetched.redirected() && left_origin {
        return Err(SendFailure::maybe(REDIRECTED));
    }
    let mut response =
        Response { status: fetched.status(), headers: fields(&fetched.headers()), ..Response::default() };
    let reader = fetched.body().map(|stream| stream.get_reader().unchecked_into());
    if request.streams_response && fetched.ok() {
        browser.opened.put(OpenBody { url: request.url.clone(), reader, request: sent });
        return Ok(response);
    }
    let body = ResponseBody::new(request.max_response_bytes, response.header("content-length"));
    response.too_large = match (body, reader) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(mut body), Some(reader)) => {
            let complete = read(&reader, &mut body, progress)
                .await
                .map_err(|error| broken(lost(browser, &request.url, &error)))?;
            if complete {
                sent.complete();
                response.body = body.into_bytes();
            }
            !complete
        }
    };
    Ok(response)
}

fn build(browser: &Browser, request: &Request) -> Result<Sent, SendFailure> {
    let never = |error: JsValue| SendFailure::never(message(&error));
    // Fails only in an environment without `AbortController`, which has no `fetch` either.
    let controller =
        AbortController::new().map_err(|_| SendFailure::never("this environment has no AbortController"))?;
    let headers = Headers::new().map_err(never)?;
    for (name, value) in &request.headers {
        headers.append(name, value).map_err(never)?;
    }
    let init = RequestInit::new();
    init.set_method(request.method.as_str());
    init.set_redirect(redirect_mode(browser, request));
    init.set_signal(Some(&controller.signal()));
    if has_cache_option() {
        init.set_cache(RequestCache::NoStore);
    }
    if browser.host.is_some() {
        // The close of an idle connection may race with a request, and Node's `fetch` does not let the caller choose a
        // connection. So the connection is not kept for reuse. Browsers ignore this field.
        if request.once || browser.keeps_none.get() {
            headers.append("connection", "close").map_err(never)?;
        }
        // The body is a stream then, whose size `fetch` does not know.
        if let Some(body) = request.body.as_ref().filter(|body| has_file(body.parts())) {
            let _ = Reflect::set(&init, &"duplex".into(), &"half".into());
            if let Some(size) = body.size() {
                headers.append("content-length", &size.to_string()).map_err(never)?;
            }
        }
    }
    init.set_headers(&headers);
    if let Some(body) = &request.body {
        init.set_body(&body_to_js(body, browser.file.as_ref())?);
    }
    let request = web_sys::Request::new_with_str_and_init(&request.url, &init).map_err(never)?;
    Ok(Sent { controller: Some(controller), request })
}

fn has_file(parts: &[Part]) -> bool {
    parts.iter().any(|part| matches!(part, Part::File { .. }))
}

fn fields(headers: &Headers) -> Vec<(String, String)> {
    let text = |pair: &Array, index| pair.get(index).as_string().unwrap_or_default();
    let pairs = Array::from(headers).into_iter().map(JsCast::unchecked_into::<Array>);
    pairs.map(|pair| (text(&pair, 0), text(&pair, 1))).collect()
}

/// Returns whether requests have the option `cache`. Older versions of workerd have no HTTP cache, and throw an exception
/// if the option is set.
fn has_cache_option() -> bool {
    let prototype = Reflect::get(&global(), &"Request".into())
        .and_then(|class| Reflect::get(&class, &"prototype".into()));
    prototype.is_ok_and(|prototype| Reflect::has(&prototype, &"cache".into()) == Ok(true))
}

/// Reads a body piece by piece. Returns `false` if the body exceeds its limit; the caller then aborts the request.
async fn read(
    reader: &ReadableStreamDefaultReader,
    body: &mut ResponseBody,
    progress: &Progress,
) -> Result<bool, JsValue> {
    loop {
        let piece = download::read(reader).await?;
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

/// Returns the scheme, the host and the port of an absolute URL, in lower case.
fn origin(url: &str) -> String {
    url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/").to_ascii_lowercase()
}
