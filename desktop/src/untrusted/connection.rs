//! Wraps a connection that was opened inside a computer.

use std::io;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::UnixStream;

/// A socket of which code inside the computer may keep a duplicate. That code may clear the non-blocking flag, which
/// all duplicates share. Therefore each read and write passes `MSG_DONTWAIT`. Otherwise the call could block a thread
/// of the runtime.
#[derive(Debug)]
pub(crate) struct Connection(UnixStream);

impl Connection {
    /// Wraps `stream`. Must be called inside the runtime.
    pub(crate) fn new(stream: StdUnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self(UnixStream::from_std(stream)?))
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(cx))?;
            let room = buf.initialize_unfilled();
            let read = || Ok(recv(&self.0, room, RecvFlags::DONTWAIT)?);
            match self.0.try_io(Interest::READABLE, read) {
                Ok((length, _)) => {
                    buf.advance(length);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if is_transient(&error) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(cx))?;
            let write = || Ok(send(&self.0, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?);
            match self.0.try_io(Interest::WRITABLE, write) {
                Err(error) if is_transient(&error) => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(shutdown(&self.0, Shutdown::Write)?))
    }
}

fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_duplicate_inside_the_computer_cannot_make_a_connection_block() {
        let (own, other) = StdUnixStream::pair().expect("there is enough space");
        let kept = own.try_clone().expect("there is enough space");
        let mut connection = Connection::new(own).expect("it is a socket");
        kept.set_nonblocking(false).expect("it is a socket");
        other.set_nonblocking(true).expect("it is a socket");
        let mut other = UnixStream::from_std(other).expect("the socket is non-blocking");
        other.write_all(b"x").await.expect("there is enough space");
        assert_eq!(connection.read(&mut [0; 8]).await.expect("it is open"), 1);
        let wait = Duration::from_millis(10);
        assert!(timeout(wait, connection.read(&mut [0; 8])).await.is_err(), "there is nothing to read");
        let much = vec![0; 1 << 22];
        assert!(timeout(wait, connection.write_all(&much)).await.is_err(), "the buffer is full");
        // Data that was written before the end can still be read.
        connection.shutdown().await.expect("it is open");
        let mut read = Vec::new();
        other.read_to_end(&mut read).await.expect("it is open");
        assert!(!read.is_empty() && read.len() < much.len());
        drop(other);
        assert_eq!(connection.read(&mut [0; 8]).await.expect("the peer has closed"), 0);
    }
}
