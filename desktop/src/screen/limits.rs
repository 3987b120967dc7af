//! Limits on the time and the bytes that an X server may use.
//!
//! Programs inside a computer can replace its X server with one of their own. So its data is not trusted, and every wait,
//! packet and queue has a limit.

use std::time::Duration;

/// The largest packet: a property of [`MAX_TEXT`](super::watch) bytes, or the image of a cursor of 1024 by 1024 pixels.
pub(super) const MAX_PACKET_BYTES: u64 = (4 << 20) + (4 << 10);
/// Most bytes in packets that x11rb has received and no caller has read: one packet of the largest size, and some events.
pub(super) const MAX_UNREAD_BYTES: u64 = 8 << 20;
/// Most unread replies and errors. x11rb searches all of them for the one it waits for.
pub(super) const MAX_UNREAD_REPLIES: u64 = 8192;
/// Most bytes that an operation may receive per second of its time limit.
pub(super) const MAX_BYTES_PER_SECOND: u64 = 2 << 20;
/// x11rb keeps unread packets until the connection closes. A connection with more of them than this is replaced.
pub(super) const WORN_BYTES: u64 = 1 << 20;
pub(super) const WORN_REPLIES: u64 = 1024;

/// Time limits for an X server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For a single reply. A server that crashes closes the socket at once; this limit is for one that hangs.
    pub(super) reply: Duration,
    /// For all waits of an operation together, in addition to the duration of the operation itself.
    pub(super) operation: Duration,
    /// For all waits of an operation for the focused application, in addition to both: a character that the keyboard lacks is
    /// typed after the application has read a new keymap.
    pub(super) application: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let half_a_minute = Duration::from_secs(30);
        Self { reply: Duration::from_secs(10), operation: half_a_minute, application: half_a_minute }
    }
}
