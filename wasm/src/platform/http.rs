//! HTTP by `fetch`, which does not tell how much of a request was sent: where that is wanted, [`xhr`] is used if there is
//! one.

use gloo_net::Error;
use gloo_net::http::{Method, RequestBuilder, Response as Answer};
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
    /// gloo-net's keeps only the message of what it throws, and in Node the cause has it all.
    fn fetch(request: &web_sys::Request) -> Promise;
}

/// Aborts a request that is let go of. The controller is never handed out: gloo-net can only deal with an abort whose
/// reason is an `Error`, and a caller may give any.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends a request and reads its whole answer.
pub(super) async fn send(
    browser: Browser,
    request: Request,
    progress: Progress,
) -> Result<Response, SendFailure> {
    // Without such a request, nothing is told of what is sent.
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
    // Only an environment without `AbortController` makes this fail, and it has no `fetch` either.
    let controller = AbortController::new().map_err(|_| SendFailure {
        reached: Reached::Never,
        message: "there is no AbortController here".to_owned(),
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
        // `fetch` makes a GET of a POST that is redirected, and takes the response to that for success.
        .redirect(match request.method {
            core::Method::Get => RequestRedirect::Follow,
            _ => RequestRedirect::Manual,
        })
        .abort_signal(Some(&controller.signal()));
    let _guard = AbortOnDrop(controller);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    // A server's close of an idle connection may cross with a request, and Node does not let us choose among the kept ones.
    // So few are kept. Browsers do not take such a field from a page.
    if browser.explain.is_some() && (request.once || browser.keeps_none.get()) {
        builder = builder.header("connection", "close");
    }
    let built = match &request.body {
        Some(body) => builder.body(Uint8Array::from(body.as_slice())),
        None => builder.build(),
    };
    // Node holds a request weakly and forgets its signal with it: it lives until the answer is read.
    let kept = web_sys::Request::from(
        built.map_err(|error| SendFailure { reached: Reached::Never, message: not_built(error) })?,
    );
    let answer = JsFuture::from(fetch(&kept)).await.map_err(|error| lost(&error, ""))?;
    let answer = Answer::from(answer.unchecked_into::<web_sys::Response>());
    progress.heard();
    // A browser does not say which redirect it was.
    if answer.type_() == ResponseType::Opaqueredirect {
        return Err(SendFailure { reached: Reached::Maybe, message: REDIRECTED.to_owned() });
    }
    let mut response = Response {
        status: answer.status(),
        headers: answer.headers().entries().collect(),
        ..Response::default()
    };
    let body = ResponseBody::new(request.max_response_bytes, response.header("content-length"));
    response.too_large = match (body, answer.body()) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(mut body), Some(stream)) => {
            let complete = read(&stream, &mut body, &progress)
                .await
                .map_err(|error| lost(&error, "the answer broke off: "))?;
            if complete {
                response.body = body.into_bytes();
            }
            !complete
        }
    };
    Ok(response)
}

/// Reads a body piece by piece. gloo-net's `binary` tells of nothing before the end. `false` if it exceeds its limit; the
/// caller then aborts the request.
async fn read(
    stream: &ReadableStream,
    body: &mut ResponseBody,
    progress: &Progress,
) -> Result<bool, JsValue> {
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    loop {
        let piece = JsFuture::from(reader.read()).await?;
        progress.heard();
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

/// The cause, as far as a browser gives it away.
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
