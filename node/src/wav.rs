//! Sound as bytes and figures: WAV files that are written while it arrives, and how loud it is.

use napi::bindgen_prelude::Float32Array;
use napi_derive::napi;
use orgo_core::audio::level::{Level, measure};
use orgo_core::audio::{Format, pcm, wav};

use crate::owned::{Bytes, Samples};

/// The header of a 16-bit file of unknown length.
#[napi(catch_unwind)]
pub fn wav_header(sample_rate: u32, channels: u16) -> Bytes {
    Bytes(wav::header(Format { sample_rate, channels }, None).to_vec())
}

/// The peak and the root mean square of samples.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands typed arrays over by value")]
pub fn level(samples: Float32Array) -> Samples {
    let Level { peak, rms } = measure(&samples);
    Samples(vec![peak, rms])
}

/// Interleaved samples from -1 to 1 as 16-bit PCM.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value, reason = "napi hands typed arrays over by value")]
pub fn wav_encode(samples: Float32Array) -> Bytes {
    Bytes(pcm::encode(&samples))
}
