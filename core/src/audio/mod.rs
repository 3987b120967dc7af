//! PCM sound: from bytes to samples, how loud it is, as a WAV file, and played out at a sound card's pace.

pub mod level;
pub mod pcm;
pub mod wav;

#[doc(inline)]
pub use orgo_playout as playout;

/// How samples are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Samples per second and channel.
    pub sample_rate: u32,
    /// Channels, interleaved.
    pub channels: u16,
}

impl Default for Format {
    /// What the specification promises: 24 kHz, mono.
    fn default() -> Self {
        Self { sample_rate: 24_000, channels: 1 }
    }
}
