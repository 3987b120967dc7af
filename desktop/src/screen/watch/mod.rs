//! What happens on the screen, told by the X server itself: nothing here polls.

mod clipboard;
mod idle;
mod size;
mod windows;

use std::{
    os::{fd::AsFd, unix::net::UnixStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags};
use x11rb::{
    connection::Connection,
    protocol::{
        Event,
        xproto::{ChangeWindowAttributesAux, ConnectionExt as _, EventMask},
    },
};

use self::{clipboard::Clipboard, idle::Idle, size::Size, windows::Windows};
use super::{
    ScreenEvent,
    connection::{Display, wait_for},
    error::ScreenError,
};

/// Time without input after which a screen counts as idle.
pub(super) const IDLE_AFTER: Duration = Duration::from_secs(30);

/// Keeps a watch going; dropping it ends the watch soon after.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The watching thread sees the other end close.
    _stop: UnixStream,
}

impl Watch {
    pub(super) fn start(
        socket: &Path,
        idle_after: Duration,
        sink: impl Fn(ScreenEvent) + Send + 'static,
    ) -> Result<Self, ScreenError> {
        let mut watcher = Watcher::connect(socket, idle_after)?;
        let (keep, stop) = UnixStream::pair()?;
        thread::Builder::new().name("screen-watch".to_owned()).spawn(move || {
            // An error here is the end of the X server, which ends the watch like the stop does.
            let _ = watcher.run(&stop, &sink);
        })?;
        Ok(Self { _stop: keep })
    }
}

#[derive(Debug)]
struct Watcher {
    display: Display,
    windows: Windows,
    clipboard: Clipboard,
    size: Size,
    idle: Idle,
}

impl Watcher {
    fn connect(socket: &Path, idle_after: Duration) -> Result<Self, ScreenError> {
        let display = Display::connect(socket)?;
        let properties = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        display.conn.change_window_attributes(display.root, &properties)?;
        let watcher = Self {
            windows: Windows::start(&display)?,
            clipboard: Clipboard::start(&display)?,
            size: Size::start(&display)?,
            idle: Idle::start(&display, idle_after)?,
            display,
        };
        watcher.display.sync()?;
        Ok(watcher)
    }

    fn run(&mut self, stop: &UnixStream, sink: &dyn Fn(ScreenEvent)) -> Result<(), ScreenError> {
        loop {
            while let Some(event) = self.display.conn.poll_for_event()? {
                self.handle(&event, sink)?;
            }
            self.clipboard.give_up_if_late(&self.display, Instant::now())?;
            self.display.conn.flush()?;
            let mut fds = [
                PollFd::from_borrowed_fd(self.display.fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN),
            ];
            wait_for(&mut fds, self.clipboard.deadline())?;
            if !fds[1].revents().is_empty() {
                return Ok(());
            }
        }
    }

    fn handle(&mut self, event: &Event, sink: &dyn Fn(ScreenEvent)) -> Result<(), ScreenError> {
        self.windows.handle(&self.display, event, sink)?;
        self.clipboard.handle(&self.display, event, sink)?;
        self.size.handle(event, sink);
        self.idle.handle(&self.display, event, sink)
    }
}
