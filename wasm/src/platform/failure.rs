//! What a page can be told of a failed request.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// An unknown host, a refused connection, a failed TLS handshake and a rule of CORS or CSP all look the same to a page, so
/// it cannot know either whether the request left.
pub(super) const NO_CAUSE: &str = "(the browser gives no cause: unreachable, or forbidden by CORS or CSP)";

/// What an exception says.
pub(super) fn message(error: &JsValue) -> String {
    Reflect::get(error, &"message".into()).ok().and_then(|text| text.as_string()).unwrap_or_default()
}
