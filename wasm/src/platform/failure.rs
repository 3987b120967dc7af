//! The error messages of failed requests.

use js_sys::Reflect;
#[cfg(feature = "rest")]
use orgo_core::rest::http::SendFailure;
use wasm_bindgen::JsValue;

#[cfg(feature = "rest")]
use super::Browser;

/// The message for a failure of unknown cause. A page cannot distinguish an unknown host, a refused connection, a
/// failed TLS handshake and a rule of CORS or CSP. So it does not know whether the request was sent.
#[cfg(feature = "rest")]
const NO_CAUSE: &str = "(the browser gives no cause: unreachable, or forbidden by CORS or CSP)";

/// Returns the message of an exception.
pub(crate) fn message(error: &JsValue) -> String {
    text(error, "message")
}

fn text(error: &JsValue, name: &str) -> String {
    Reflect::get(error, &name.into()).ok().and_then(|text| text.as_string()).unwrap_or_default()
}

/// Describes the failure of a request to a URL. `context` is the start of the message.
#[cfg(feature = "rest")]
pub(super) fn of_request(browser: &Browser, url: &str, error: &JsValue, context: &str) -> SendFailure {
    if let Some(host) = &browser.host {
        let cause = host.explain(url, error);
        let message = format!("{context}{}", cause.message());
        // After a part of the response, the request was certainly sent.
        let failure = if cause.unsent() && context.is_empty() {
            SendFailure::never(message)
        } else {
            SendFailure::maybe(message)
        };
        return failure.with_code(cause.code());
    }
    let mut message = format!("{context}{}", message(error));
    // Not `instanceof`, because the exception may be of another realm.
    if text(error, "name") == "TypeError" {
        message = format!("{message} {NO_CAUSE}");
    }
    SendFailure::maybe(message)
}
