//! The error messages of failed requests.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// The message for a failure of unknown cause. A page cannot distinguish an unknown host, a refused connection, a
/// failed TLS handshake and a rule of CORS or CSP. So it does not know whether the request was sent.
pub(super) const NO_CAUSE: &str = "(the browser gives no cause: unreachable, or forbidden by CORS or CSP)";

/// Returns the message of an exception.
pub(super) fn message(error: &JsValue) -> String {
    Reflect::get(error, &"message".into()).ok().and_then(|text| text.as_string()).unwrap_or_default()
}
