//! The file of an upload, which JavaScript provides (`BindingSource` in npm/src/binding.ts).

use js_sys::{Promise, Uint8Array};
use orgo_core::driver::Progress;
use orgo_core::rest::http::{Body, Part, SendFailure};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;

use super::failure::message;

#[wasm_bindgen]
extern "C" {
    /// The content of a file.
    #[derive(Debug, Clone)]
    pub(crate) type Source;

    /// Returns the size in bytes, if it is known.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn size(this: &Source) -> Option<f64>;

    /// Returns whether the file can be read again.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn repeatable(this: &Source) -> bool;

    /// Returns the number of bytes that were read so far, or `undefined` before the first read.
    #[wasm_bindgen(method, getter)]
    fn loaded(this: &Source) -> Option<f64>;

    /// Returns the body of a request that contains the file between other bytes.
    #[wasm_bindgen(method, catch)]
    fn body(this: &Source, before: Uint8Array, after: Uint8Array) -> Result<JsValue, JsValue>;

    /// Resolves with the reason why the file cannot be read, or with `undefined`.
    #[wasm_bindgen(method)]
    fn problem(this: &Source) -> Promise;
}

/// Returns the body of a request that contains a file.
pub(super) fn file_body(body: &Body, file: &Source) -> Result<JsValue, SendFailure> {
    let mut parts = body.parts().iter();
    let mut bytes = || {
        let until_file = parts.by_ref().map_while(|part| match part {
            Part::Bytes(bytes) => Some(bytes.iter().copied()),
            Part::File { .. } => None,
        });
        Uint8Array::from(until_file.flatten().collect::<Vec<u8>>().as_slice())
    };
    file.body(bytes(), bytes()).map_err(|error| SendFailure::unreadable(message(&error)))
}

impl Source {
    /// Reports what is known about the file after a request.
    pub(super) fn report(&self, body: Option<&Body>, progress: &Progress) {
        if let Some(loaded) = self.loaded() {
            progress.opens_file();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it counts bytes")]
            let loaded = loaded as u64;
            progress.sent(body.map_or(loaded, |body| body.size_with_file(loaded)));
        }
    }

    /// Replaces the failure of a request if its cause is the file.
    pub(super) async fn explain(&self, failure: SendFailure) -> SendFailure {
        let problem = JsFuture::from(self.problem()).await.ok().and_then(|problem| problem.as_string());
        problem.map_or(failure, SendFailure::unreadable)
    }
}
