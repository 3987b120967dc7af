//! PCM audio: decoding, levels, WAV files, and playback through a jitter buffer.

pub mod level;
pub mod pcm;
pub mod wav;

#[doc(inline)]
pub use orgo_playout as playout;

/// The format of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The sample rate, in Hz.
    pub sample_rate: u32,
    /// The number of interleaved channels.
    pub channels: u16,
}

impl Default for Format {
    /// Returns the documented format: 24 kHz mono.
    fn default() -> Self {
        Self { sample_rate: 24_000, channels: 1 }
    }
}
