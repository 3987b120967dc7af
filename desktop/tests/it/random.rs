//! Pseudorandom numbers that are the same in every run.

/// A generator of pseudorandom numbers, with the algorithm xorshift64*.
pub(crate) struct Random(u64);

impl Random {
    /// Creates a generator. `seed` must not be 0.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Returns a number from 0 to `bound` - 1, or 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % bound.max(1)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    /// Returns 0 to `max_length` random bytes.
    pub(crate) fn bytes(&mut self, max_length: usize) -> Vec<u8> {
        (0..self.below(max_length + 1)).map(|_| self.byte()).collect()
    }
}
