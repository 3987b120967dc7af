//! The socket of an X connection, with limits on time and bytes.

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
    limits::{MAX_BYTES_PER_SECOND, MAX_UNREAD_BYTES, MAX_UNREAD_REPLIES, WORN_BYTES, WORN_REPLIES},
    patience::Patience,
};
use crate::untrusted::transfer;

/// Length of a packet without additional data.
const SMALL_PACKET: u64 = 32;

/// An X socket with a time limit for each wait and for each operation. It fails if the server sends too much.
///
/// The socket was connected inside the computer, where a duplicate may be kept. Duplicates share whether calls block, so
/// each call says itself that it must not.
#[derive(Debug)]
pub(super) struct BoundedStream {
    stream: DefaultStream,
    reply_limit: Duration,
    /// Remaining time of the current operation.
    operation: RefCell<Patience>,
    /// Remaining bytes that the current operation may receive.
    receivable: Cell<u64>,
    framing: Cell<Framing>,
    /// Received by x11rb, and not yet read by a caller.
    unread_bytes: Cell<u64>,
    unread_replies: Cell<u64>,
    /// A read has failed, so the next packet boundary is unknown.
    is_broken: Cell<bool>,
}

impl BoundedStream {
    /// `limit` is the time limit for the setup.
    pub(super) fn new(stream: UnixStream, reply_limit: Duration, limit: Duration) -> io::Result<Self> {
        let (stream, _) = DefaultStream::from_unix_stream(stream)?;
        let bounded = Self {
            stream,
            reply_limit,
            operation: RefCell::new(Patience::new(limit)),
            receivable: Cell::new(0),
            framing: Cell::default(),
            unread_bytes: Cell::new(0),
            unread_replies: Cell::new(0),
            is_broken: Cell::new(false),
        };
        bounded.begin_operation(limit);
        Ok(bounded)
    }

    /// Starts an operation whose waits may take `limit` in total.
    pub(super) fn begin_operation(&self, limit: Duration) {
        self.operation.replace(Patience::new(limit));
        self.receivable.set(MAX_BYTES_PER_SECOND * (limit.as_secs() + 1));
    }

    /// The time until which to wait before the next call. Fails when the time of the operation is over.
    pub(super) fn next_look(&self) -> io::Result<Instant> {
        let look = self.operation.borrow_mut().next_look();
        look.ok_or_else(|| timed_out("the operation took too long".to_owned()))
    }

    /// Records that a caller has read a packet.
    pub(super) fn packet_read(&self, packet: &[u8]) {
        let is_reply = matches!(packet.first(), Some(0 | 1));
        self.settle(packet.len() as u64, is_reply.into());
    }

    /// Records that x11rb has dropped the reply to a request of its own.
    pub(super) fn small_reply_dropped(&self) {
        self.settle(SMALL_PACKET, 1);
    }

    fn settle(&self, bytes: u64, replies: u64) {
        self.unread_bytes.set(self.unread_bytes.get().saturating_sub(bytes));
        self.unread_replies.set(self.unread_replies.get().saturating_sub(replies));
    }

    /// Records that the setup has been read.
    pub(super) fn setup_read(&self) {
        self.unread_bytes.set(0);
        self.unread_replies.set(0);
    }

    /// Whether x11rb keeps many unread packets.
    pub(super) fn is_worn(&self) -> bool {
        self.unread_bytes.get() > WORN_BYTES || self.unread_replies.get() > WORN_REPLIES
    }

    fn check(&self, bytes: &[u8]) -> Result<(), String> {
        let mut framing = self.framing.get();
        let replies = framing.follow(bytes).map_err(|error| error.to_string())?;
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
        let mut reply = Patience::new(self.reply_limit);
        while let Some(look) = reply.next_look() {
            let look = match self.next_look() {
                Ok(operation) => look.min(operation),
                // Requests that release buttons and keys are still sent if the socket is writable now.
                Err(over) => {
                    let mut writable = [PollFd::new(&self.stream, PollFlags::OUT)];
                    let can_write = mode.writable() && wait_for(&mut writable, Some(Instant::now()))?;
                    return if can_write { Ok(()) } else { Err(over) };
                }
            };
            if wait_for(&mut [PollFd::new(&self.stream, flags)], Some(look))? {
                return Ok(());
            }
        }
        Err(timed_out(format!("no answer within {} seconds", self.reply_limit.as_secs_f32())))
    }

    /// Reads without a buffer for file descriptors, so the kernel closes any that were sent. None is expected.
    fn read(&self, buf: &mut [u8], _: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.next_look()?;
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
        self.check(&buf[..count]).map_err(|reason| {
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

/// Waits until one of `fds` is ready; `false` when `deadline` comes first. `None` waits without end.
pub(super) fn wait_for(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<bool> {
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
    fn a_duplicate_inside_the_computer_cannot_make_it_block() {
        let (own, _other) = UnixStream::pair().expect("there is room");
        let kept = own.try_clone().expect("there is room");
        let limit = Duration::from_secs(1);
        let stream = BoundedStream::new(own, limit, limit).expect("it is a socket");
        kept.set_nonblocking(false).expect("it is a socket");
        let error = stream.read(&mut [0; 8], &mut Vec::new()).expect_err("nothing has come");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let error = loop {
            if let Err(error) = stream.write(&[0; 4096], &mut Vec::new()) {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}
