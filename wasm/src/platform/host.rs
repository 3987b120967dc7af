//! The network of Node (`NodeHost` in npm/src/bindings/host.ts). Unlike a browser, Node reports the cause of a failure.

use js_sys::Function;
use orgo_core::driver::Progress;
use orgo_core::rest::http::Request;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::WebSocket;

#[wasm_bindgen]
extern "C" {
    /// The functions of Node that this module uses.
    #[derive(Debug, Clone)]
    pub type Host;

    /// Describes why a request or a socket failed. `thrown` is the exception, or `undefined` if there is none.
    #[wasm_bindgen(method)]
    pub(super) fn explain(this: &Host, url: &str, thrown: &JsValue) -> Cause;

    /// Watches a request, which the caller sends right after this call. The result ends the watch, and returns whether
    /// certainly no byte of the request was sent. Throws an exception if the URL is not valid.
    #[wasm_bindgen(method, catch, js_name = watchSending)]
    fn watch_sending(this: &Host, method: &str, url: &str) -> Result<Function, JsValue>;

    /// Opens a socket. The result has the interface of a `WebSocket`.
    #[wasm_bindgen(method, catch, js_name = openSocket)]
    pub(super) fn open_socket(this: &Host, url: &str) -> Result<WebSocket, JsValue>;

    /// The cause of a failure.
    pub(super) type Cause;

    #[wasm_bindgen(method, getter)]
    pub(super) fn message(this: &Cause) -> String;

    /// Returns the error code of Node.
    #[wasm_bindgen(method, getter)]
    pub(super) fn code(this: &Cause) -> Option<String>;

    /// Returns whether no byte of the request was sent.
    #[wasm_bindgen(method, getter)]
    pub(super) fn unsent(this: &Cause) -> bool;

    /// Returns the status code, if the server refused to open a socket.
    #[wasm_bindgen(method, getter)]
    pub(super) fn status(this: &Cause) -> Option<u16>;
}

/// Watches whether a request is sent, and reports this when the request ends, or is dropped at its limit.
pub(super) struct SendingWatch {
    end: Function,
    progress: Progress,
}

impl SendingWatch {
    /// Returns `None` for a URL that is not valid. `fetch` refuses it too.
    pub(super) fn new(host: &Host, request: &Request, progress: &Progress) -> Option<Self> {
        let end = host.watch_sending(request.method.as_str(), &request.url).ok()?;
        Some(Self { end, progress: progress.clone() })
    }
}

impl Drop for SendingWatch {
    fn drop(&mut self) {
        let unsent = self.end.call0(&JsValue::UNDEFINED).is_ok_and(|unsent| unsent.is_truthy());
        self.progress.waits_for_connection(unsent);
    }
}
