//! WAV files that are written while the sound arrives.

use napi::bindgen_prelude::{Float32Array, Uint8Array};
use napi_derive::napi;
use orgo_core::audio::{Format, pcm, wav};

/// The header of a 16-bit file of unknown length.
#[napi(catch_unwind)]
pub fn wav_header(sample_rate: u32, channels: u16) -> Uint8Array {
    wav::header(Format { sample_rate, channels }, None).to_vec().into()
}

/// Interleaved samples from -1 to 1 as 16-bit PCM.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands typed arrays over by value")]
pub fn wav_encode(samples: Float32Array) -> Uint8Array {
    pcm::encode(&samples).into()
}
