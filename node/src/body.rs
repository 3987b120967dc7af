//! The body of a request.

use bytes::{Buf, Bytes};
use orgo_core::driver::Progress;

/// A body that reports how many of its bytes the connection has accepted.
#[derive(Debug, Clone)]
pub(crate) struct CountedBody {
    rest: Bytes,
    whole: usize,
    progress: Progress,
}

impl CountedBody {
    pub(crate) fn new(bytes: Vec<u8>, progress: Progress) -> Self {
        Self { whole: bytes.len(), rest: bytes.into(), progress }
    }
}

impl Buf for CountedBody {
    fn remaining(&self) -> usize {
        self.rest.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.rest
    }

    fn advance(&mut self, count: usize) {
        self.rest.advance(count);
        self.progress.sent(self.whole - self.rest.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_bytes_follow_the_accepted_ones() {
        let mut body = CountedBody::new(vec![1, 2, 3], Progress::default());
        body.advance(2);
        assert_eq!((body.chunk(), body.remaining()), ([3].as_slice(), 1));
    }
}
