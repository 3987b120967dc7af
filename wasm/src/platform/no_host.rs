//! Replaces `host.rs` in the modules for pages, which do not run in Node.

#[cfg(feature = "rest")]
use orgo_core::driver::Progress;
#[cfg(feature = "rest")]
use orgo_core::rest::http::Request;
use wasm_bindgen::JsValue;
use web_sys::WebSocket;

/// The functions of Node. This type has no value, so the compiler removes all code that is only for Node.
#[derive(Debug, Clone)]
pub(crate) enum Host {}

pub(super) struct Cause(Host);

#[cfg(feature = "rest")]
pub(super) struct SendingWatch;

impl Host {
    pub(super) fn explain(&self, _: &str, _: &JsValue) -> Cause {
        match *self {}
    }

    pub(super) fn open_socket(&self, _: &str) -> Result<WebSocket, JsValue> {
        match *self {}
    }
}

impl Cause {
    pub(super) fn message(&self) -> String {
        match self.0 {}
    }

    #[cfg(feature = "rest")]
    pub(super) fn code(&self) -> Option<String> {
        match self.0 {}
    }

    #[cfg(feature = "rest")]
    pub(super) fn unsent(&self) -> bool {
        match self.0 {}
    }

    pub(super) fn status(&self) -> Option<u16> {
        match self.0 {}
    }
}

#[cfg(feature = "rest")]
impl SendingWatch {
    pub(super) fn new(host: &Host, _: &Request, _: &Progress) -> Option<Self> {
        match *host {}
    }
}
