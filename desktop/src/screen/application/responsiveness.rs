//! Records whether windows respond to the keys that a connection has sent to them.

use std::time::Instant;

use x11rb::protocol::xproto::Window;

/// The state of the last probed window: whether it responds to pings or mapping probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::screen) enum Responsiveness {
    #[default]
    Unknown,
    /// The window has responded before. If it does not respond now, it is busy.
    Responsive(Window),
    /// The window did not respond to its first ping, or to any mapping probe.
    Unresponsive(Window),
}

/// Keys that were sent to a window that may be unable to confirm that it has read them.
#[derive(Clone, Copy, Debug)]
pub(in crate::screen) struct UnreadKeys {
    pub(in crate::screen) window: Window,
    /// The time from which the keys are assumed to be read.
    pub(in crate::screen) until: Instant,
}
