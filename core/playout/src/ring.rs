//! A ring buffer of the newest frames, addressed by frame number.

use alloc::vec;
use alloc::vec::Vec;

use super::filter::{TAPS, Taps};

/// Stores each channel separately, because the filter needs the samples of one channel in a row.
#[derive(Debug)]
pub(super) struct Ring {
    /// One block per channel: `size` samples, followed by a copy of its first `TAPS`. So no window wraps around.
    samples: Vec<f32>,
    channels: usize,
    size: usize,
    written: u64,
}

impl Ring {
    /// Creates a ring with room for at least `frames` frames of `channels` samples.
    #[inline]
    pub(super) fn new(channels: usize, frames: usize) -> Self {
        let size = frames.next_power_of_two();
        Self { samples: vec![0.0; channels * (size + TAPS)], channels, size, written: 0 }
    }

    /// Returns the number of frames written so far, which is the number of the next frame.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Appends interleaved samples, at most the capacity of the ring.
    pub(super) fn write(&mut self, interleaved: &[f32]) {
        for frame in interleaved.chunks_exact(self.channels) {
            let at = self.slot(self.written);
            for (block, sample) in self.samples.chunks_exact_mut(self.size + TAPS).zip(frame) {
                block[at] = *sample;
                if at < TAPS {
                    block[self.size + at] = *sample;
                }
            }
            self.written += 1;
        }
    }

    /// Returns the window of a channel that starts at the frame `first`. Frames with a negative number are silence.
    pub(super) fn window(&self, channel: usize, first: i64) -> &Taps {
        let start = channel * (self.size + TAPS) + self.slot(first.cast_unsigned());
        self.samples[start..].first_chunk().expect("every slot is followed by the samples of one window")
    }

    #[allow(clippy::cast_possible_truncation, reason = "the mask keeps the low bits only")]
    fn slot(&self, frame: u64) -> usize {
        frame as usize & (self.size - 1)
    }
}
