//! Limits on the time and the memory that an X server may use.
//!
//! Programs in a computer can replace its X server with a different program. Therefore, every wait, packet and queue
//! has a limit.

use std::time::Duration;

/// The maximum packet size in bytes. The longest reported clipboard text (4 MiB) and a cursor image of 1024x1024 pixels
/// fit in a packet.
pub(in crate::screen) const MAX_PACKET_BYTES: u64 = (4 << 20) + (4 << 10);
/// The maximum number of bytes that x11rb has received and no caller has read. One packet of maximum size and some
/// events are within the limit.
pub(in crate::screen) const MAX_UNREAD_BYTES: u64 = 8 << 20;
/// The maximum number of unread replies and errors. For each reply, x11rb searches all unread replies and errors.
pub(in crate::screen) const MAX_UNREAD_REPLIES: u64 = 8192;
/// The maximum number of bytes that an operation may receive, for each second of its timeout.
pub(in crate::screen) const MAX_BYTES_PER_SECOND: u64 = 2 << 20;
/// The number of unread bytes above which a connection is replaced. x11rb keeps unread packets until the connection is
/// closed.
pub(in crate::screen) const REPLACEMENT_BYTES: u64 = 1 << 20;
/// The number of unread replies and errors above which a connection is replaced.
pub(in crate::screen) const REPLACEMENT_REPLIES: u64 = 1024;

/// Time limits for an X server.
#[derive(Clone, Copy, Debug)]
pub(in crate::screen) struct Limits {
    /// The timeout of a single reply. It is for a server that hangs. If a server crashes, its socket is closed
    /// immediately.
    pub(in crate::screen) reply: Duration,
    /// The total timeout of all waits of an operation for the X server, in addition to the expected duration of the
    /// operation.
    pub(in crate::screen) operation: Duration,
    /// The total timeout of all waits of an operation for the focused application, in addition to the other limits. For
    /// example, a character that is not on the keyboard is typed after the application has read a new keymap.
    pub(in crate::screen) application: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let half_a_minute = Duration::from_secs(30);
        Self { reply: Duration::from_secs(10), operation: half_a_minute, application: half_a_minute }
    }
}
