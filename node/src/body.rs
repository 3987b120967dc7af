//! The body of a request.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};
use orgo_core::driver::Progress;
use orgo_core::rest::http::{self as core, Part};
use tokio::sync::mpsc::Receiver;

use crate::error::BoxError;
use crate::file::{File, Piece, Unreadable};

/// A body that reports how many of its bytes the connection has accepted.
#[derive(Debug)]
pub(crate) struct RequestBody {
    /// The remaining parts. No part in memory is empty.
    parts: VecDeque<Part>,
    file: Option<File>,
    /// The pieces of the file, once the file is open.
    pieces: Option<Receiver<Piece>>,
    sent: Sent,
}

/// How much of a body the connection has accepted. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Sent(Arc<SentState>);

#[derive(Debug)]
struct SentState {
    accepted: AtomicU64,
    complete: AtomicBool,
    progress: Progress,
}

impl RequestBody {
    /// Creates a body. `file` is the file of an upload.
    pub(crate) fn new(body: Option<&core::Body>, file: Option<File>, progress: Progress) -> Self {
        let parts = body.map_or(&[][..], core::Body::parts);
        let parts: VecDeque<_> = parts.iter().filter(|part| !is_empty(part)).cloned().collect();
        let complete = AtomicBool::new(parts.is_empty());
        let sent = Sent(Arc::new(SentState { accepted: AtomicU64::new(0), complete, progress }));
        Self { parts, file, pieces: None, sent }
    }

    pub(crate) fn sent(&self) -> Sent {
        self.sent.clone()
    }

    fn frame(&self, bytes: Bytes) -> Frame<Counted> {
        Frame::data(Counted { bytes, last: self.parts.is_empty(), sent: self.sent() })
    }
}

fn is_empty(part: &Part) -> bool {
    matches!(part, Part::Bytes(bytes) if bytes.is_empty())
}

impl Sent {
    /// Returns whether the connection has accepted the whole body.
    pub(crate) fn is_complete(&self) -> bool {
        self.0.complete.load(Ordering::Acquire)
    }

    fn add(&self, count: usize) {
        let count = count as u64;
        let accepted = self.0.accepted.fetch_add(count, Ordering::AcqRel) + count;
        self.0.progress.sent(accepted);
    }

    fn complete(&self) {
        self.0.complete.store(true, Ordering::Release);
    }
}

/// Bytes in memory that are shared with the call, which may send them again.
struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A piece of a body that counts the bytes that the connection accepts.
pub(crate) struct Counted {
    bytes: Bytes,
    /// Whether the body ends with this piece.
    last: bool,
    sent: Sent,
}

impl Buf for Counted {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.sent.add(count);
        if self.last && self.bytes.is_empty() {
            self.sent.complete();
        }
    }
}

impl Body for RequestBody {
    type Data = Counted;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Counted>, BoxError>>> {
        loop {
            match self.parts.pop_front() {
                None => return Poll::Ready(None),
                Some(Part::Bytes(bytes)) => {
                    return Poll::Ready(Some(Ok(self.frame(Bytes::from_owner(Shared(bytes))))));
                }
                Some(part @ Part::File { .. }) => {
                    self.parts.push_front(part);
                    let piece = ready!(self.poll_piece(context));
                    match piece {
                        Some(Piece::Bytes(bytes)) if bytes.is_empty() => {}
                        Some(Piece::Bytes(bytes)) => return Poll::Ready(Some(Ok(self.frame(bytes)))),
                        Some(Piece::End) => {
                            self.parts.pop_front();
                            self.pieces = None;
                            if self.parts.is_empty() {
                                self.sent.complete();
                            }
                        }
                        Some(Piece::Failed(problem)) => {
                            return Poll::Ready(Some(Err(Unreadable(problem).into())));
                        }
                        None => {
                            let problem = "nothing reads the file anymore".to_owned();
                            return Poll::Ready(Some(Err(Unreadable(problem).into())));
                        }
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let sizes = self.parts.iter().map(Part::size);
        sizes.sum::<Option<u64>>().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl RequestBody {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        let Self { file, pieces, sent, .. } = self;
        let Some(file) = file else { return Poll::Ready(None) };
        let pieces = pieces.get_or_insert_with(|| {
            sent.0.progress.opens_file();
            file.open()
        });
        pieces.poll_recv(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use http_body_util::BodyExt as _;

    fn next(body: &mut RequestBody) -> Option<Option<Result<Counted, String>>> {
        let frame = body.frame().now_or_never()?;
        Some(frame.map(|frame| {
            frame.map_err(|error| error.to_string()).map(|frame| frame.into_data().ok().unwrap())
        }))
    }

    #[test]
    fn the_body_is_complete_when_its_last_byte_was_accepted() {
        let parts = core::Body::new([vec![1, 2, 3], Vec::new(), vec![4, 5], Vec::new()]);
        let mut body = RequestBody::new(Some(&parts), None, Progress::default());
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(5), false));
        let mut first = next(&mut body).unwrap().unwrap().unwrap();
        first.advance(2);
        assert_eq!((first.chunk(), first.remaining()), ([3].as_slice(), 1));
        first.advance(1);
        let mut second = next(&mut body).unwrap().unwrap().unwrap();
        assert!(body.is_end_stream() && !body.sent().is_complete());
        second.advance(2);
        assert!(body.sent().is_complete());
        assert_eq!(body.sent().0.accepted.load(Ordering::Acquire), 5);
        assert!(next(&mut body).unwrap().is_none());
        assert!(RequestBody::new(None, None, Progress::default()).sent().is_complete());
    }

    #[test]
    fn the_file_is_opened_when_its_first_byte_is_needed() {
        let (file, feed) = File::new();
        let size = None;
        let parts = core::Body::new([vec![1].into(), Part::File { size }, vec![3].into()]);
        let mut body = RequestBody::new(Some(&parts), Some(file), Progress::default());
        assert_eq!(body.size_hint().exact(), None);
        assert_eq!(next(&mut body).unwrap().unwrap().unwrap().chunk(), [1]);
        assert_eq!(feed.next_request().now_or_never(), None);
        assert!(next(&mut body).is_none());
        assert_eq!(feed.next_request().now_or_never(), Some(Some("start")));
        feed.provide(&[]);
        feed.provide(&[2]);
        feed.end(None);
        assert_eq!(next(&mut body).unwrap().unwrap().unwrap().chunk(), [2]);
        assert_eq!(next(&mut body).unwrap().unwrap().unwrap().chunk(), [3]);
        assert!(next(&mut body).unwrap().is_none());
    }

    #[test]
    fn a_file_that_cannot_be_read_fails_the_body() {
        let (file, feed) = File::new();
        let parts = core::Body::new([Part::File { size: Some(9) }]);
        let mut body = RequestBody::new(Some(&parts), Some(file), Progress::default());
        assert!(next(&mut body).is_none());
        assert_eq!(feed.next_request().now_or_never(), Some(Some("start")));
        feed.end(Some("the disk failed".to_owned()));
        assert_eq!(next(&mut body).unwrap().unwrap().err().unwrap(), "the disk failed");
        assert!(!body.sent().is_complete());
    }
}
