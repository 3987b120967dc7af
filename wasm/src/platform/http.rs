//! Sends HTTP requests with `fetch`, or with [`xhr`] if the caller wants the upload progress, which `fetch` does not
//! report.

use gloo_net::Error;
use gloo_net::http::{Method, RequestBuilder, Response as FetchResponse};
use js_sys::{Promise, Reflect, Uint8Array, global};
use orgo_core::driver::Progress;
use orgo_core::rest::http::{self as core, Reached, Redirects, Request, Response, ResponseBody, SendFailure};
use orgo_core::rest::refusal::REDIRECTED;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStream, ReadableStreamDefaultReader, RequestCache, RequestRedirect, ResponseType,
};

use super::host::SendingWatch;
use super::{Browser, failure, xhr};

#[wasm_bindgen]
extern "C" {
    /// Calls the global `fetch`. The function of gloo-net keeps only the message of an exception, but in Node the cause
    /// is needed too.
    fn fetch(request: &web_sys::Request) -> Promise;
}

/// Aborts a request that is dropped. The controller stays private, because gloo-net fails if the reason of an abort is not
/// an `Error`, and a caller may pass any reason.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends a request and reads the whole response.
pub(super) async fn send(
    browser: Browser,
    request: Request,
    progress: Progress,
) -> Result<Response, SendFailure> {
    // Without `XMLHttpRequest` there is no upload progress. In Node, `fetch` is used even if a test environment such as
    // jsdom adds `XMLHttpRequest`, because only `fetch` reports the causes of failures.
    if progress.wants_sent()
        && browser.host.is_none()
        && let Some(exchange) = xhr::Exchange::new(progress.clone(), request.max_response_bytes)
    {
        return exchange.run(&request).await;
    }
    let lost = |error: &JsValue, context: &str| {
        let failure = failure::of_request(&browser, &request.url, error, context);
        if request.once && failure.reached == Reached::Maybe {
            browser.keeps_none.set(true);
        }
        failure
    };
    // Fails only in an environment without `AbortController`, which has no `fetch` either.
    let controller =
        AbortController::new().map_err(|_| SendFailure::never("this environment has no AbortController"))?;
    let redirects = request.redirects();
    let mut builder = RequestBuilder::new(&request.url)
        .method(match request.method {
            core::Method::Get => Method::GET,
            core::Method::Post => Method::POST,
            core::Method::Put => Method::PUT,
            core::Method::Patch => Method::PATCH,
            core::Method::Delete => Method::DELETE,
        })
        .redirect(redirect_mode(&browser, &request))
        .abort_signal(Some(&controller.signal()));
    let _guard = AbortOnDrop(controller);
    if has_cache_option() {
        builder = builder.cache(RequestCache::NoStore);
    }
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    // The close of an idle connection may race with a request, and Node's `fetch` does not let the caller choose a
    // connection. So the connection is not kept for reuse. Browsers ignore this field.
    if browser.host.is_some() && (request.once || browser.keeps_none.get()) {
        builder = builder.header("connection", "close");
    }
    let built = match &request.body {
        Some(body) => builder.body(Uint8Array::from(body.to_vec().as_slice())),
        None => builder.build(),
    };
    // Node keeps only a weak reference to a request, whose collection would break its signal. So the request is kept
    // until the response is read.
    let kept = web_sys::Request::from(built.map_err(|error| SendFailure::never(not_built(error)))?);
    let _watch = browser.host.as_ref().map(|host| SendingWatch::new(host, &request, &progress));
    let fetched = JsFuture::from(fetch(&kept)).await.map_err(|error| lost(&error, ""))?;
    let fetched = FetchResponse::from(fetched.unchecked_into::<web_sys::Response>());
    progress.received();
    // A browser hides the target of the redirect.
    let left_origin = redirects == Redirects::SameOrigin && origin(&fetched.url()) != origin(&request.url);
    if fetched.type_() == ResponseType::Opaqueredirect || fetched.redirected() && left_origin {
        return Err(SendFailure::maybe(REDIRECTED));
    }
    let mut response = Response {
        status: fetched.status(),
        headers: fetched.headers().entries().collect(),
        ..Response::default()
    };
    let body = ResponseBody::new(request.max_response_bytes, response.header("content-length"));
    response.too_large = match (body, fetched.body()) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(mut body), Some(stream)) => {
            let complete = read(&stream, &mut body, &progress)
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

/// Returns whether requests have the option `cache`. Older versions of workerd have no HTTP cache, and throw an exception
/// if the option is set.
fn has_cache_option() -> bool {
    let prototype = Reflect::get(&global(), &"Request".into())
        .and_then(|class| Reflect::get(&class, &"prototype".into()));
    prototype.is_ok_and(|prototype| Reflect::has(&prototype, &"cache".into()) == Ok(true))
}

/// Reads a body piece by piece, because gloo-net's `binary` reports no progress. Returns `false` if the body exceeds
/// its limit; the caller then aborts the request.
async fn read(
    stream: &ReadableStream,
    body: &mut ResponseBody,
    progress: &Progress,
) -> Result<bool, JsValue> {
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    loop {
        let piece = JsFuture::from(reader.read()).await?;
        progress.received();
        let value = Reflect::get(&piece, &"value".into())?;
        // The last piece has no value.
        if value.is_undefined() {
            return Ok(true);
        }
        // Not `dyn_into`: test environments such as jsdom replace the global `Uint8Array`, but `fetch` keeps the original.
        let bytes: Uint8Array = value.unchecked_into();
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

fn not_built(error: Error) -> String {
    match error {
        Error::JsError(error) => error.message,
        Error::GlooError(message) => message,
    }
}
