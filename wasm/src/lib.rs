//! The browser binding: what the core needs of a page or a worker, and the conversions between its values and
//! JavaScript's. It translates and decides nothing; the exports have the shape of `Binding` in
//! `npm/src/binding.ts`, where they are documented for their callers.
//!
//! It runs wherever `fetch`, `WebSocket`, `performance` and `setTimeout` are global: pages, workers, Node.

mod channel;
mod client;
mod convert;
mod fields;
mod platform;
mod promise;
#[cfg(test)]
mod tests;

use orgo_core::audio::level::{Level, measure};
use orgo_core::audio::{Format, pcm, wav};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

pub use channel::{Audio, Events, Terminal};
pub use client::{Client, PendingCall};

#[wasm_bindgen(start)]
fn start() {
    promise::reject_on_panic();
}

/// The version of the Rust code.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// This module as it is compiled, for a worker that is to run it too.
#[wasm_bindgen]
#[must_use]
pub fn module() -> JsValue {
    wasm_bindgen::module()
}

/// The header of a 16-bit WAV stream of unknown length.
#[wasm_bindgen(js_name = wavHeader)]
#[must_use]
pub fn wav_header(sample_rate: u32, channels: u16) -> Vec<u8> {
    wav::header(Format { sample_rate, channels }, None).to_vec()
}

/// The peak and the root mean square of samples.
#[wasm_bindgen]
#[must_use]
pub fn level(samples: &[f32]) -> Vec<f32> {
    let Level { peak, rms } = measure(samples);
    vec![peak, rms]
}

/// Interleaved samples from -1 to 1 as 16-bit PCM.
#[wasm_bindgen(js_name = wavEncode)]
#[must_use]
pub fn wav_encode(samples: &[f32]) -> Vec<u8> {
    pcm::encode(samples)
}
