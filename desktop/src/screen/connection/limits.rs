//! Limits on the time and the memory that an X server may use.
//!
//! Programs inside a computer can replace its X server with their own. Therefore every wait, packet and queue has a
//! limit.

use std::time::Duration;

/// Maximum packet size. It fits the longest reported clipboard text (4 MiB) and a cursor image of 1024x1024 pixels.
pub(in crate::screen) const MAX_PACKET_BYTES: u64 = (4 << 20) + (4 << 10);
/// Maximum number of bytes that x11rb has received and no caller has read: one packet of maximum size, and some events.
pub(in crate::screen) const MAX_UNREAD_BYTES: u64 = 8 << 20;
/// Maximum number of unread replies and errors. x11rb searches all of them for each reply.
pub(in crate::screen) const MAX_UNREAD_REPLIES: u64 = 8192;
/// Maximum number of bytes that an operation may receive per second of its timeout.
pub(in crate::screen) const MAX_BYTES_PER_SECOND: u64 = 2 << 20;
/// A connection with more unread bytes than this is replaced: x11rb keeps unread packets until the connection closes.
pub(in crate::screen) const REPLACEMENT_BYTES: u64 = 1 << 20;
/// A connection with more unread replies and errors than this is replaced.
pub(in crate::screen) const REPLACEMENT_REPLIES: u64 = 1024;

/// Time limits for an X server.
#[derive(Clone, Copy, Debug)]
pub(in crate::screen) struct Limits {
    /// Timeout of a single reply. A server that crashes closes the socket immediately; this timeout is for a server
    /// that hangs.
    pub(in crate::screen) reply: Duration,
    /// Timeout of all waits of an operation together, in addition to the duration of the operation itself.
    pub(in crate::screen) operation: Duration,
    /// Timeout of all waits of an operation for the focused application, in addition to the other two. For example, a
    /// character that is not on the keyboard is typed after the application has read a new keymap.
    pub(in crate::screen) application: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let half_a_minute = Duration::from_secs(30);
        Self { reply: Duration::from_secs(10), operation: half_a_minute, application: half_a_minute }
    }
}
