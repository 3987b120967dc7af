//! Copies large contents to JavaScript.

use js_sys::{Float32Array, Uint8Array};
use orgo_core::encoding::plain::Payload;
use wasm_bindgen::JsValue;

/// Copies a payload out of the module's memory.
pub(crate) fn payload_to_js(payload: Payload) -> JsValue {
    match payload {
        Payload::Text(text) => text.into(),
        Payload::Samples(samples) => Float32Array::from(samples.as_slice()).into(),
        Payload::Bytes(bytes) => Uint8Array::from(bytes.as_slice()).into(),
    }
}
