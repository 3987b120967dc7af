//! What an X server may cost: time, and bytes that it sends.
//!
//! The programs of a computer can put a program of their own in the place of the X server, so nothing that it says is
//! believed and nothing that it sends is unlimited.

use std::time::Duration;

/// The largest packet: a property of [`MAX_TEXT`](super::watch) bytes, or the image of a cursor of 1024 by 1024 pixels.
pub(super) const MAX_PACKET_BYTES: u64 = (4 << 20) + (4 << 10);
/// The most that may be received and not be read by anybody yet: a largest packet, and events that wait.
pub(super) const MAX_UNREAD_BYTES: u64 = 8 << 20;
/// The most replies and errors that may be. x11rb looks through all of them for the one that it waits for.
pub(super) const MAX_UNREAD_REPLIES: u64 = 8192;
/// The most that an operation may receive for each second that it may take.
pub(super) const MAX_BYTES_PER_SECOND: u64 = 2 << 20;
/// x11rb keeps unread packets as long as the connection. With more of them than this the connection is replaced.
pub(super) const WORN_BYTES: u64 = 1 << 20;
pub(super) const WORN_REPLIES: u64 = 1024;

/// How long an X server may keep its callers waiting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For a single reply. A server that crashed closes the socket at once; this bounds one that hangs.
    pub(super) reply: Duration,
    /// For everything that an operation waits for, in addition to the time that the operation itself takes.
    pub(super) operation: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { reply: Duration::from_secs(10), operation: Duration::from_secs(30) }
    }
}
