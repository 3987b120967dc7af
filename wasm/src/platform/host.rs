//! The network of Node (`NodeHost` in npm/src/bindings/host.ts). Unlike a browser, Node reports the cause of a failure.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// The functions of Node that this module uses.
    #[derive(Debug, Clone)]
    pub type Host;

    /// Describes why a request or a socket failed. `thrown` is the exception, or `undefined` if there is none.
    #[wasm_bindgen(method)]
    pub(super) fn explain(this: &Host, url: &str, thrown: &JsValue) -> Cause;

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
