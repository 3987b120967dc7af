//! A seeded random generator.

use orgo_core::rest::retry::Jitter;

pub(crate) struct Random(Jitter);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Jitter::new(seed))
    }

    /// Returns a number from 0 to `limit - 1`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0.up_to(limit - 1)
    }

    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// Returns `true` once in `times` calls, on average.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// Returns a number from 0 to 1.
    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    #[allow(dead_code, reason = "the tests of the playout share this file, and only they need it")]
    pub(crate) fn part(&mut self) -> f64 {
        self.below(1 << 20) as f64 / f64::from(1 << 20)
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }

    pub(crate) fn bytes(&mut self, length: u64) -> Vec<u8> {
        (0..length).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }
}
