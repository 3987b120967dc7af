//! Non-blocking access to the output of a process in a box.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A terminal's master side, or the reading end of a pipe.
#[derive(Debug)]
pub(crate) struct Descriptor(AsyncFd<OwnedFd>);

impl Descriptor {
    pub(crate) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        let flags = fcntl_getfl(&descriptor)?;
        fcntl_setfl(&descriptor, flags | OFlags::NONBLOCK)?;
        // SAFETY: the `OwnedFd` is open, always the same, and kept by the `AsyncFd`, which nothing takes it out of.
        Ok(Self(unsafe { AsyncFd::register(descriptor) }?))
    }

    /// Waits for bytes; 0 at the end.
    pub(crate) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read =
            self.0.async_io(Interest::READABLE, |descriptor| Ok(rustix::io::read(descriptor, &mut *buffer)?));
        read.await.or_else(end_of_terminal)
    }

    /// The bytes that are there, `None` when there are none now, 0 at the end. It asks the kernel, not the runtime, which
    /// may not have heard of them yet.
    pub(crate) fn read_available(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match rustix::io::read(self.0.get_ref(), buffer) {
            Ok(length) => Ok(Some(length)),
            Err(rustix::io::Errno::AGAIN) => Ok(None),
            Err(error) => end_of_terminal(error.into()).map(Some),
        }
    }

    /// Waits until something can be written: how many of the bytes were. Nothing is written if the wait is given up.
    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.async_io(Interest::WRITABLE, |descriptor| Ok(rustix::io::write(descriptor, bytes)?)).await
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}

/// Linux reports the end of a terminal as an I/O error.
fn end_of_terminal(error: io::Error) -> io::Result<usize> {
    if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) { Ok(0) } else { Err(error) }
}
