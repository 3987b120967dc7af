//! The socket of a connection to an X server, with limits on time and bytes.

use std::{
    cell::{Cell, RefCell},
    io::{self, IoSlice},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{RecvFlags, SendFlags, recv},
};
use x11rb::{
    rust_connection::{DefaultStream, PollMode, Stream},
    utils::RawFdContainer,
};

use super::{
    framing::Framing,
    limits::{
        MAX_BYTES_PER_SECOND, MAX_UNREAD_BYTES, MAX_UNREAD_REPLIES, REPLACEMENT_BYTES, REPLACEMENT_REPLIES,
    },
    time_budget::TimeBudget,
};
use crate::untrusted::transfer;

/// The length in bytes of a packet without additional data.
const SMALL_PACKET: u64 = 32;

/// A socket with a timeout for each wait and for each operation. Reads fail if the server sends too many bytes.
///
/// Programs in the computer may have a duplicate of the socket's descriptor. Duplicates share the flag `O_NONBLOCK`, so
/// each call passes `MSG_DONTWAIT` instead.
#[derive(Debug)]
pub(super) struct BoundedStream {
    stream: DefaultStream,
    reply_limit: Duration,
    /// The remaining time of the current operation.
    operation: RefCell<TimeBudget>,
    /// The number of bytes that the current operation may still receive.
    receivable: Cell<u64>,
    framing: Cell<Framing>,
    /// The number of bytes that x11rb has received and no caller has read.
    unread_bytes: Cell<u64>,
    unread_replies: Cell<u64>,
    /// `true` after received bytes were rejected. The next packet boundary is then unknown.
    is_broken: Cell<bool>,
}

impl BoundedStream {
    /// Wraps `stream`. `limit` is the timeout of the setup.
    pub(super) fn new(stream: UnixStream, reply_limit: Duration, limit: Duration) -> io::Result<Self> {
        let (stream, _) = DefaultStream::from_unix_stream(stream)?;
        let bounded = Self {
            stream,
            reply_limit,
            operation: RefCell::new(TimeBudget::new(limit)),
            receivable: Cell::new(0),
            framing: Cell::default(),
            unread_bytes: Cell::new(0),
            unread_replies: Cell::new(0),
            is_broken: Cell::new(false),
        };
        bounded.begin_operation(limit);
        Ok(bounded)
    }

    /// Starts an operation with a total timeout of `limit`.
    pub(super) fn begin_operation(&self, limit: Duration) {
        self.operation.replace(TimeBudget::new(limit));
        self.receivable.set(MAX_BYTES_PER_SECOND * (limit.as_secs() + 1));
    }

    /// Returns the time at which a waiting caller should call this method again. Fails after the timeout of the
    /// operation.
    pub(super) fn next_check(&self) -> io::Result<Instant> {
        let next_check = self.operation.borrow_mut().next_check();
        next_check.ok_or_else(|| timed_out("the operation took too long".to_owned()))
    }

    /// Records that a caller has read a packet.
    pub(super) fn packet_read(&self, packet: &[u8]) {
        let is_reply = matches!(packet.first(), Some(0 | 1));
        self.mark_read(packet.len() as u64, is_reply.into());
    }

    /// Records that x11rb has dropped the reply to one of its internal requests.
    pub(super) fn small_reply_dropped(&self) {
        self.mark_read(SMALL_PACKET, 1);
    }

    fn mark_read(&self, bytes: u64, replies: u64) {
        self.unread_bytes.set(self.unread_bytes.get().saturating_sub(bytes));
        self.unread_replies.set(self.unread_replies.get().saturating_sub(replies));
    }

    /// Records that the setup has been read.
    pub(super) fn setup_read(&self) {
        self.unread_bytes.set(0);
        self.unread_replies.set(0);
    }

    /// Returns whether the connection should be replaced, because x11rb stores too many unread bytes or replies.
    pub(super) fn needs_replacement(&self) -> bool {
        self.unread_bytes.get() > REPLACEMENT_BYTES || self.unread_replies.get() > REPLACEMENT_REPLIES
    }

    fn check_received(&self, bytes: &[u8]) -> Result<(), String> {
        let mut framing = self.framing.get();
        let replies = framing.advance(bytes).map_err(|error| error.to_string())?;
        self.framing.set(framing);

        let count = bytes.len() as u64;
        let Some(receivable) = self.receivable.get().checked_sub(count) else {
            return Err("it sent too many bytes during one operation".to_owned());
        };
        self.receivable.set(receivable);
        self.unread_bytes.set(self.unread_bytes.get() + count);
        self.unread_replies.set(self.unread_replies.get() + replies);
        if self.unread_bytes.get() > MAX_UNREAD_BYTES {
            return Err(format!("it sent more than {MAX_UNREAD_BYTES} unrequested bytes"));
        }
        if self.unread_replies.get() > MAX_UNREAD_REPLIES {
            return Err(format!("it sent more than {MAX_UNREAD_REPLIES} unrequested replies"));
        }
        Ok(())
    }
}

impl AsFd for BoundedStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Stream for BoundedStream {
    fn poll(&self, mode: PollMode) -> io::Result<()> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, mode.readable());
        flags.set(PollFlags::OUT, mode.writable());
        let mut reply_budget = TimeBudget::new(self.reply_limit);
        while let Some(reply_check) = reply_budget.next_check() {
            let next_check = match self.next_check() {
                Ok(operation_check) => operation_check.min(reply_check),
                // After the timeout, pending requests are still sent if the socket is writable, because they release
                // buttons and keys.
                Err(timeout) => {
                    let mut writable = [PollFd::new(&self.stream, PollFlags::OUT)];
                    let is_writable = mode.writable() && wait_for(&mut writable, Some(Instant::now()))?;
                    return if is_writable { Ok(()) } else { Err(timeout) };
                }
            };
            if wait_for(&mut [PollFd::new(&self.stream, flags)], Some(next_check))? {
                return Ok(());
            }
        }
        Err(timed_out(format!("no reply within {} seconds", self.reply_limit.as_secs_f32())))
    }

    /// Reads without a buffer for file descriptors, so the kernel closes the descriptors that a server sends. A correct
    /// server sends no descriptors.
    fn read(&self, buf: &mut [u8], _: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.next_check()?;
        if self.is_broken.get() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the connection has failed"));
        }
        let count = loop {
            match recv(&self.stream, &mut *buf, RecvFlags::DONTWAIT) {
                Ok((count, _)) => break count,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        self.check_received(&buf[..count]).map_err(|reason| {
            self.is_broken.set(true);
            io::Error::new(io::ErrorKind::InvalidData, reason)
        })?;
        Ok(count)
    }

    fn write(&self, buf: &[u8], fds: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)], fds)
    }

    fn write_vectored(&self, bufs: &[IoSlice<'_>], fds: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        let descriptors: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        let count = loop {
            match transfer::send_vectored(&self.stream, bufs, &descriptors, SendFlags::DONTWAIT) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => break sent?,
            }
        };
        fds.clear();
        Ok(count)
    }
}

fn timed_out(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, text)
}

/// Waits until one of `fds` is ready. Returns `false` at `deadline`. If `deadline` is `None`, there is no timeout.
pub(in crate::screen) fn wait_for(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<bool> {
    loop {
        let timeout = deadline.map(|deadline| {
            let left = deadline.saturating_duration_since(Instant::now());
            Timespec::try_from(left).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
        });
        match poll(fds, timeout.as_ref()) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_do_not_block_if_a_duplicate_changes_the_flags() {
        let (own, _other) = UnixStream::pair().expect("sockets are available");
        let duplicate = own.try_clone().expect("the descriptor can be duplicated");
        let limit = Duration::from_secs(1);
        let stream = BoundedStream::new(own, limit, limit).expect("it is a socket");
        duplicate.set_nonblocking(false).expect("it is a socket");
        let error = stream.read(&mut [0; 8], &mut Vec::new()).expect_err("there is no data");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let error = loop {
            if let Err(error) = stream.write(&[0; 4096], &mut Vec::new()) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}
