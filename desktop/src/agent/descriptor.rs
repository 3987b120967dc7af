//! Reads and writes the output descriptor of a process inside a computer without blocking a thread.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The master side of a terminal, or the read end of a pipe.
#[derive(Debug)]
pub(crate) struct Descriptor(AsyncFd<OwnedFd>);

impl Descriptor {
    pub(crate) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        let flags = fcntl_getfl(&descriptor)?;
        fcntl_setfl(&descriptor, flags | OFlags::NONBLOCK)?;
        // SAFETY: the `AsyncFd` owns the `OwnedFd`, never replaces it, and keeps it open.
        Ok(Self(unsafe { AsyncFd::register(descriptor) }?))
    }

    /// Waits until bytes are available, then reads them. Returns 0 at the end of the stream.
    pub(crate) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read =
            self.0.async_io(Interest::READABLE, |descriptor| Ok(rustix::io::read(descriptor, &mut *buffer)?));
        read.await.or_else(end_of_terminal)
    }

    /// Reads bytes without waiting. Returns `None` if no bytes are available yet, and 0 at the end of the stream.
    ///
    /// Queries the kernel directly, because the runtime may not have seen the newest readiness event.
    pub(crate) fn read_available(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match rustix::io::read(self.0.get_ref(), buffer) {
            Ok(length) => Ok(Some(length)),
            Err(rustix::io::Errno::AGAIN) => Ok(None),
            Err(error) => end_of_terminal(error.into()).map(Some),
        }
    }

    /// Waits until the descriptor is writable, then writes some of the bytes. Returns the number of bytes written.
    /// Cancel-safe: a canceled call has written nothing.
    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.async_io(Interest::WRITABLE, |descriptor| Ok(rustix::io::write(descriptor, bytes)?)).await
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}

/// Converts `EIO`, which Linux reports at the end of a terminal, to a read of 0 bytes.
fn end_of_terminal(error: io::Error) -> io::Result<usize> {
    if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) { Ok(0) } else { Err(error) }
}
