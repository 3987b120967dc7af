//! Random choices from a seed.

use orgo_core::rest::retry::Jitter;

use crate::encode::Color;

pub(crate) struct Random(Jitter);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Jitter::new(seed))
    }

    /// Returns a number from 0 to `limit`, exclusive.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.0.up_to(limit as u64 - 1)).unwrap()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    pub(crate) fn color(&mut self) -> Color {
        [self.byte(), self.byte(), self.byte()]
    }

    pub(crate) fn palette(&mut self, size: usize) -> Vec<Color> {
        (0..size).map(|_| self.color()).collect()
    }
}
