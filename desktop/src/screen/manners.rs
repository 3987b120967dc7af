//! What a connection remembers of the windows that were sent keys.

use std::time::Instant;

use x11rb::protocol::xproto::Window;

/// What is known of the window that was asked last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Manners {
    #[default]
    Unknown,
    /// It has answered once, so when it does not it is busy.
    Answers(Window),
    /// It did not answer, when it was asked first or, one that promises no answers, at any time.
    Mute(Window),
}

/// Keys sent to a window that may not be able to say when it has read them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unread {
    pub(super) window: Window,
    /// Then it is taken to have.
    pub(super) by: Instant,
}
