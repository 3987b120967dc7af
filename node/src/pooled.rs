//! A stream that reads into a buffer that all streams of the thread share. A stream keeps a buffer only while it has unread
//! bytes, so an idle socket needs no memory for reading, and a busy one needs few system calls.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The size of a buffer, in bytes.
const SIZE: usize = 64 << 10;

thread_local! {
    /// The buffer that no stream uses.
    static SPARE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

pub(crate) struct Pooled<S> {
    stream: S,
    unread: Option<Unread>,
}

/// A buffer with unread bytes.
struct Unread {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl<S> Pooled<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, unread: None }
    }

    pub(crate) fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: AsyncRead + Unpin> Pooled<S> {
    /// Returns the unread bytes, at least one unless the stream has ended.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Unread>> {
        if let Some(unread) = self.unread.take() {
            return Poll::Ready(Ok(unread));
        }
        let mut buffer = SPARE.take().unwrap_or_else(|| vec![0; SIZE].into());
        let mut read = ReadBuf::new(&mut buffer);
        let result = Pin::new(&mut self.stream).poll_read(context, &mut read);
        let end = read.filled().len();
        if result.is_pending() {
            SPARE.set(Some(buffer));
            return Poll::Pending;
        }
        result.map_ok(|()| Unread { buffer, start: 0, end })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Pooled<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut unread = match self.poll_fill(context) {
            Poll::Ready(Ok(unread)) => unread,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        };
        let count = target.remaining().min(unread.end - unread.start);
        target.put_slice(&unread.buffer[unread.start..][..count]);
        unread.start += count;
        if unread.start < unread.end {
            self.unread = Some(unread);
        } else {
            SPARE.set(Some(unread.buffer));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Pooled<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn has_spare() -> bool {
        let spare = SPARE.take();
        let has = spare.is_some();
        SPARE.set(spare);
        has
    }

    #[test]
    fn streams_share_a_buffer_and_keep_their_bytes() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut first_end, first) = duplex(SIZE);
            let (mut second_end, second) = duplex(SIZE);
            let (mut first, mut second) = (Pooled::new(first), Pooled::new(second));
            first_end.write_all(b"abcdef").await.unwrap();
            second_end.write_all(b"12").await.unwrap();
            let mut part = [0; 4];
            first.read_exact(&mut part).await.unwrap();
            assert_eq!(&part, b"abcd");
            assert!(!has_spare(), "the first stream has unread bytes");
            second.read_exact(&mut part[..2]).await.unwrap();
            assert_eq!(&part[..2], b"12");
            assert!(has_spare());
            drop(first_end);
            let mut rest = Vec::new();
            first.read_to_end(&mut rest).await.unwrap();
            assert_eq!(rest, b"ef");
            assert!(first.unread.is_none() && second.unread.is_none() && has_spare());
        });
    }
}
