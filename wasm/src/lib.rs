//! The browser binding: a [`Platform`](orgo_core::driver::Platform) for pages and workers, and the conversions between the
//! core's values and JavaScript's. The core implements the protocol. The exports are the interface `Binding` in
//! `npm/src/binding.ts`, which documents them for their callers.
//!
//! It runs wherever `fetch`, `WebSocket`, `performance` and `setTimeout` are global: pages, workers, Node.

mod channel;
mod client;
mod convert;
mod platform;
mod promise;
#[cfg(test)]
mod tests;

use orgo_core::audio::level::{Level, measure};
use orgo_core::audio::{Format, pcm, wav};
use wasm_bindgen::prelude::wasm_bindgen;

pub use channel::Channel;
pub use client::{Client, PendingCall};

/// This allocator is less than half as large as the one of the standard library. It exists only for WebAssembly.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[wasm_bindgen(start)]
fn start() {
    promise::reject_on_panic();
}

/// Returns the name of this binding.
#[wasm_bindgen]
#[must_use]
pub fn kind() -> String {
    "wasm".to_owned()
}

/// Returns the version of the Rust code.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Returns the header of a 16-bit WAV file of unknown length.
#[wasm_bindgen(js_name = wavHeader)]
#[must_use]
pub fn wav_header(sample_rate: u32, channels: u16) -> Vec<u8> {
    wav::header(Format { sample_rate, channels }, None).to_vec()
}

/// Returns the peak and the root mean square of samples.
#[wasm_bindgen]
#[must_use]
pub fn level(samples: &[f32]) -> Vec<f32> {
    let Level { peak, rms } = measure(samples);
    vec![peak, rms]
}

/// Converts interleaved samples from -1 to 1 to 16-bit PCM.
#[wasm_bindgen(js_name = wavEncode)]
#[must_use]
pub fn wav_encode(samples: &[f32]) -> Vec<u8> {
    pcm::encode(samples)
}
