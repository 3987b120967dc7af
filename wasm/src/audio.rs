//! The conversion and the measurement of samples.

use orgo_core::audio::level::{Level, measure};
use orgo_core::audio::{Format, pcm, wav};
use wasm_bindgen::prelude::wasm_bindgen;

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
