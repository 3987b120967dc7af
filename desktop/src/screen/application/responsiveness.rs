//! Records whether windows respond to the keys that a connection has sent to them.

use std::time::Instant;

use x11rb::protocol::xproto::Window;

/// Whether the last probed window responds to pings or mapping probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::screen) enum Responsiveness {
    #[default]
    Unknown,
    /// The window has responded before. If it does not respond now, it is busy.
    Responsive(Window),
    /// The window did not respond to its first ping, or to any mapping probe.
    Unresponsive(Window),
}

/// Keys for a window that may not be able to confirm that it has read them.
#[derive(Clone, Copy, Debug)]
pub(in crate::screen) struct UnreadKeys {
    pub(in crate::screen) window: Window,
    /// The time from which the keys count as read.
    pub(in crate::screen) until: Instant,
}
