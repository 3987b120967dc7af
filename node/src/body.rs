//! The body of a request.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use orgo_core::driver::Progress;
use orgo_core::rest::http::Body;

/// A body that reports how many of its bytes the connection has accepted.
#[derive(Debug, Clone)]
pub(crate) struct CountedBody {
    /// The remaining parts. The first part is not empty.
    rest: VecDeque<Bytes>,
    accepted: usize,
    progress: Progress,
}

impl CountedBody {
    pub(crate) fn new(body: Option<&Body>, progress: Progress) -> Self {
        let parts = body.map_or(&[][..], Body::parts);
        let rest = parts.iter().filter(|part| !part.is_empty());
        let rest = rest.map(|part| Bytes::from_owner(Part(Arc::clone(part)))).collect();
        Self { rest, accepted: 0, progress }
    }
}

/// A part of a body that is shared with the call, which may send it again.
struct Part(Arc<Vec<u8>>);

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Buf for CountedBody {
    fn remaining(&self) -> usize {
        self.rest.iter().map(Bytes::len).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.rest.front().map_or(&[], |part| part)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let filled = slices.iter_mut().zip(&self.rest).map(|(slice, part)| *slice = IoSlice::new(part));
        filled.count()
    }

    fn advance(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let Some(part) = self.rest.front_mut() else { break };
            let taken = left.min(part.len());
            part.advance(taken);
            left -= taken;
            if part.is_empty() {
                self.rest.pop_front();
            }
        }
        debug_assert_eq!(left, 0, "the connection accepts at most the remaining bytes");
        self.accepted += count - left;
        self.progress.sent(self.accepted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remaining_bytes_follow_the_accepted_ones() {
        let parts = Body::new([vec![1, 2, 3], Vec::new(), vec![4, 5], vec![6]]);
        let mut body = CountedBody::new(Some(&parts), Progress::default());
        let mut slices = [IoSlice::new(&[]); 2];
        assert_eq!((body.chunks_vectored(&mut slices), &*slices[1]), (2, [4, 5].as_slice()));
        body.advance(2);
        assert_eq!((body.chunk(), body.remaining()), ([3].as_slice(), 4));
        body.advance(2);
        assert_eq!((body.chunk(), body.remaining()), ([5].as_slice(), 2));
        body.advance(2);
        assert_eq!((body.chunk(), body.remaining()), ([].as_slice(), 0));
    }
}
