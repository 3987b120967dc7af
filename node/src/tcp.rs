//! A TCP stream that can let received bytes wait in the system until there are many of them, so that they wake the I/O thread
//! once (interrupt moderation).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The number of bytes at which deferred bytes are reported. The system reports them earlier if its buffer is almost full.
#[cfg(target_os = "linux")]
const ENOUGH: i32 = 32 << 10;

pub(crate) struct Tcp {
    stream: TcpStream,
    /// Whether the system reports only many bytes.
    deferred: bool,
    /// Whether there may be bytes that were not reported.
    unreported: bool,
}

impl Tcp {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, deferred: false, unreported: false }
    }

    /// Sets whether received bytes may wait in the system. After `false`, the next reads return the bytes that have waited.
    pub(crate) fn defer(&mut self, deferred: bool) {
        self.unreported = !deferred && self.deferred;
        #[cfg(target_os = "linux")]
        if deferred && !self.deferred {
            self.deferred = set_low_water_mark(&self.stream, ENOUGH);
        }
    }

    /// Reads bytes that were not reported. Returns `None` if there are no more; the system then reports each byte again.
    fn read_unreported(&mut self, buffer: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        #[cfg(target_os = "linux")]
        {
            use std::io::Read as _;
            let target = buffer.initialize_unfilled();
            let length = target.len();
            // tokio itself reads only after a report of the system.
            let result = (&*socket2::SockRef::from(&self.stream)).read(target);
            if !matches!(result, Ok(count) if count == length) {
                (self.deferred, self.unreported) = (false, false);
                set_low_water_mark(&self.stream, 1);
            }
            match result {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
                result => Some(result.map(|count| buffer.advance(count))),
            }
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = buffer;
            None
        }
    }
}

/// Sets the number of bytes that the system reports. Returns whether it could be set.
#[cfg(target_os = "linux")]
fn set_low_water_mark(stream: &TcpStream, bytes: libc::c_int) -> bool {
    use std::os::fd::AsRawFd as _;
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the stream owns the descriptor, and the option is an integer of this size.
    let result = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVLOWAT,
            (&raw const bytes).cast(),
            size,
        )
    };
    result == 0
}

impl AsyncRead for Tcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unreported
            && let Some(result) = self.read_unreported(buffer)
        {
            return Poll::Ready(result);
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    async fn pair() -> (TcpStream, Tcp) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (listener.accept().await.unwrap().0, Tcp::new(stream))
    }

    fn run(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    }

    #[test]
    fn deferred_bytes_wait_until_they_are_requested() {
        run(async {
            let (mut server, mut stream) = pair().await;
            let mut buffer = [0; 16];
            server.write_all(b"a").await.unwrap();
            assert_eq!(stream.read(&mut buffer).await.unwrap(), 1);
            stream.defer(true);
            server.write_all(b"bc").await.unwrap();
            let waits = timeout(Duration::from_millis(50), stream.read(&mut buffer)).await;
            assert!(waits.is_err(), "the bytes were reported: {waits:?}");
            stream.defer(false);
            assert_eq!(stream.read(&mut buffer).await.unwrap(), 2, "the bytes have waited");
            assert_eq!(&buffer[..2], b"bc");
            server.write_all(b"d").await.unwrap();
            assert_eq!(stream.read(&mut buffer).await.unwrap(), 1, "each byte is reported again");
        });
    }

    #[test]
    fn many_deferred_bytes_and_the_end_are_reported() {
        run(async {
            let (mut server, mut stream) = pair().await;
            let sent = vec![7; 1 << 20];
            stream.defer(true);
            let (mut received, mut buffer) = (0, vec![0; 64 << 10]);
            let sending = tokio::spawn(async move { server.write_all(&sent).await.map(|()| server) });
            // Less than the low-water mark can remain.
            while received < (1 << 20) - (32 << 10) {
                received += stream.read(&mut buffer).await.unwrap();
            }
            drop(sending.await.unwrap().unwrap());
            loop {
                match stream.read(&mut buffer).await.unwrap() {
                    0 => break,
                    count => received += count,
                }
            }
            assert_eq!(received, 1 << 20);
        });
    }

    #[test]
    fn deferred_bytes_that_do_not_fit_into_the_buffer_are_read_completely() {
        run(async {
            let (mut server, mut stream) = pair().await;
            stream.defer(true);
            server.write_all(b"abcdef").await.unwrap();
            let arrived = timeout(Duration::from_millis(50), stream.stream.readable()).await;
            assert!(arrived.is_err(), "the bytes were reported");
            stream.defer(false);
            let mut text = [0; 6];
            for part in text.chunks_mut(3) {
                stream.read_exact(part).await.unwrap();
            }
            assert_eq!(&text, b"abcdef");
        });
    }
}
