//! The frames that were written last, by their number.

use alloc::vec;
use alloc::vec::Vec;

use super::filter::{TAPS, Taps};

/// Keeps the newest frames of every channel apart, so that a filter sees each channel's samples side by side.
#[derive(Debug)]
pub(super) struct Ring {
    /// One stretch for each channel: `size` samples, and its first `TAPS` once more behind them, so that no window
    /// wraps around.
    samples: Vec<f32>,
    channels: usize,
    size: usize,
    written: u64,
}

impl Ring {
    /// A ring for at least `frames` frames of `channels` samples.
    pub(super) fn new(channels: usize, frames: usize) -> Self {
        let size = frames.next_power_of_two();
        Self { samples: vec![0.0; channels * (size + TAPS)], channels, size, written: 0 }
    }

    /// How many frames were ever written; the next one gets this number.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Appends interleaved samples, not more than the ring holds.
    pub(super) fn write(&mut self, interleaved: &[f32]) {
        for frame in interleaved.chunks_exact(self.channels) {
            let at = self.slot(self.written);
            for (stretch, sample) in self.samples.chunks_exact_mut(self.size + TAPS).zip(frame) {
                stretch[at] = *sample;
                if at < TAPS {
                    stretch[self.size + at] = *sample;
                }
            }
            self.written += 1;
        }
    }

    /// The samples of a channel from the frame `first` on. Frames before the first one are silence.
    pub(super) fn window(&self, channel: usize, first: i64) -> &Taps {
        let start = channel * (self.size + TAPS) + self.slot(first.cast_unsigned());
        self.samples[start..]
            .first_chunk()
            .expect("behind every slot there are as many samples as a window has")
    }

    #[allow(clippy::cast_possible_truncation, reason = "the mask keeps the low bits only")]
    fn slot(&self, frame: u64) -> usize {
        frame as usize & (self.size - 1)
    }
}
