//! Converts audio to bytes, and measures its level.

use napi::Env;
use napi::bindgen_prelude::{Float32Array, Float32ArraySlice, Result, Uint8ArraySlice};
use napi_derive::napi;
use orgo_core::audio::level::{Level, measure};
use orgo_core::audio::{Format, pcm, wav};

/// Returns the header of a 16-bit WAV file of unknown length.
#[napi(catch_unwind)]
pub fn wav_header(env: &Env, sample_rate: u32, channels: u16) -> Result<Uint8ArraySlice<'_>> {
    Uint8ArraySlice::copy_from(env, wav::header(Format { sample_rate, channels }, None))
}

/// Returns the peak and the root mean square of samples.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value, reason = "napi passes typed arrays by value")]
pub fn level(env: &Env, samples: Float32Array) -> Result<Float32ArraySlice<'_>> {
    let Level { peak, rms } = measure(&samples);
    Float32ArraySlice::copy_from(env, [peak, rms])
}

/// Converts interleaved samples from -1 to 1 to 16-bit PCM.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value, reason = "napi passes typed arrays by value")]
pub fn wav_encode(env: &Env, samples: Float32Array) -> Result<Uint8ArraySlice<'_>> {
    Uint8ArraySlice::copy_from(env, pcm::encode(&samples))
}
