//! HTTP by `fetch`.

use gloo_net::Error;
use gloo_net::http::{Method, RequestBuilder};
use js_sys::Uint8Array;
use orgo_core::http::{self as core, Reached, Request, Response, SendFailure};
use web_sys::{AbortController, RequestCache};

/// Aborts a request that is let go of. The controller is never handed out: gloo-net can only deal with an abort whose
/// reason is an `Error`, and a caller may give any.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends a request and reads its whole answer.
pub(super) async fn send(request: Request) -> Result<Response, SendFailure> {
    let failed = |reached: Reached| move |error: Error| SendFailure { reached, message: describe(&error) };
    // Only an environment without `AbortController` makes this fail, and it has no `fetch` either.
    let controller = AbortController::new().map_err(|_| SendFailure {
        reached: Reached::Never,
        message: "there is no AbortController here".to_owned(),
    })?;
    let mut builder = RequestBuilder::new(&request.url)
        .method(match request.method {
            core::Method::Get => Method::GET,
            core::Method::Post => Method::POST,
            core::Method::Delete => Method::DELETE,
        })
        .cache(RequestCache::NoStore)
        .abort_signal(Some(&controller.signal()));
    let _guard = AbortOnDrop(controller);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let built = match &request.body {
        Some(body) => builder.body(Uint8Array::from(body.as_slice())),
        None => builder.build(),
    };
    let answer = built.map_err(failed(Reached::Never))?.send().await.map_err(failed(Reached::Maybe))?;
    Ok(Response {
        status: answer.status(),
        headers: answer.headers().entries().collect(),
        body: answer.binary().await.map_err(failed(Reached::Maybe))?,
    })
}

/// The cause, as far as a browser gives it away: an unknown host, a refused connection, a failed TLS handshake and a
/// rule of CORS or CSP all look the same to a page, so it cannot be told either whether the request left.
fn describe(error: &Error) -> String {
    match error {
        Error::JsError(error) if error.name == "TypeError" => {
            format!(
                "{} (the browser gives no cause: unreachable, or forbidden by CORS or CSP)",
                error.message
            )
        }
        Error::JsError(error) => error.message.clone(),
        Error::GlooError(message) => message.clone(),
    }
}
