//! Sends HTTP requests with `fetch`, or with [`xhr`] if the caller wants the upload progress, which `fetch` does not
//! report.

use gloo_net::Error;
use gloo_net::http::{Method, RequestBuilder, Response as FetchResponse};
use js_sys::{Promise, Reflect, TypeError, Uint8Array};
use orgo_core::driver::Progress;
use orgo_core::rest::http::{self as core, Reached, Request, Response, ResponseBody, SendFailure};
use orgo_core::rest::refusal::REDIRECTED;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStream, ReadableStreamDefaultReader, RequestCache, RequestRedirect, ResponseType,
};

use super::failure::{NO_CAUSE, message};
use super::{Browser, xhr};

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
    // Without `XMLHttpRequest` there is no upload progress.
    if progress.wants_sent()
        && let Some(exchange) = xhr::Exchange::new(progress.clone(), request.max_response_bytes)
    {
        return exchange.run(&request).await;
    }
    let lost = |error: &JsValue, context: &str| {
        if request.once {
            browser.keeps_none.set(true);
        }
        let text = browser.explained(&request.url, error, || describe(error));
        SendFailure { reached: Reached::Maybe, message: format!("{context}{text}") }
    };
    // Fails only in an environment without `AbortController`, which has no `fetch` either.
    let controller = AbortController::new().map_err(|_| SendFailure {
        reached: Reached::Never,
        message: "this environment has no AbortController".to_owned(),
    })?;
    let mut builder = RequestBuilder::new(&request.url)
        .method(match request.method {
            core::Method::Get => Method::GET,
            core::Method::Post => Method::POST,
            core::Method::Put => Method::PUT,
            core::Method::Patch => Method::PATCH,
            core::Method::Delete => Method::DELETE,
        })
        .cache(RequestCache::NoStore)
        // `fetch` turns a redirected POST into a GET, whose response would look like success.
        .redirect(if request.method == core::Method::Get && !request.once {
            RequestRedirect::Follow
        } else {
            RequestRedirect::Manual
        })
        .abort_signal(Some(&controller.signal()));
    let _guard = AbortOnDrop(controller);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    // The close of an idle connection may race with a request, and Node's `fetch` does not let the caller choose a
    // connection. So the connection is not kept for reuse. Browsers ignore this field.
    if browser.explain.is_some() && (request.once || browser.keeps_none.get()) {
        builder = builder.header("connection", "close");
    }
    let built = match &request.body {
        Some(body) => builder.body(Uint8Array::from(body.to_vec().as_slice())),
        None => builder.build(),
    };
    // Node keeps only a weak reference to a request, whose collection would break its signal. So the request is kept
    // until the response is read.
    let kept = web_sys::Request::from(
        built.map_err(|error| SendFailure { reached: Reached::Never, message: not_built(error) })?,
    );
    let fetched = JsFuture::from(fetch(&kept)).await.map_err(|error| lost(&error, ""))?;
    let fetched = FetchResponse::from(fetched.unchecked_into::<web_sys::Response>());
    progress.received();
    // A browser hides the target of the redirect.
    if fetched.type_() == ResponseType::Opaqueredirect {
        return Err(SendFailure { reached: Reached::Maybe, message: REDIRECTED.to_owned() });
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
        match Reflect::get(&piece, &"value".into())?.dyn_into::<Uint8Array>() {
            Ok(bytes) => match body.room(bytes.length() as usize) {
                Some(room) => bytes.copy_to(room),
                None => return Ok(false),
            },
            // The last piece has no value.
            Err(_) => return Ok(true),
        }
    }
}

/// Describes the cause of a failure, as far as a browser reports it.
fn describe(error: &JsValue) -> String {
    let text = message(error);
    if error.is_instance_of::<TypeError>() { format!("{text} {NO_CAUSE}") } else { text }
}

fn not_built(error: Error) -> String {
    match error {
        Error::JsError(error) => error.message,
        Error::GlooError(message) => message,
    }
}
