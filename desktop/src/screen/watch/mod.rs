//! What happens on the screen, told by the X server itself: nothing here polls.

mod clipboard;
mod idle;
mod size;
mod windows;

use std::{
    mem,
    os::{fd::AsFd, unix::net::UnixStream},
    thread,
    time::{Duration, Instant},
};

use std::sync::Arc;

use super::dial::Dial;
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

/// How soon a lost X server is tried again.
const RECONNECT_DELAY: Duration = Duration::from_millis(500);

/// Keeps a watch going; dropping it ends the watch soon after.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The watching thread sees the other end close.
    _stop: UnixStream,
}

impl Watch {
    pub(super) fn start(
        socket: &Arc<dyn Dial>,
        idle_after: Duration,
        sink: impl Fn(ScreenEvent) + Send + 'static,
    ) -> Result<Self, ScreenError> {
        let mut watcher = Watcher::connect(socket, idle_after)?;
        let (keep, stop) = UnixStream::pair()?;
        thread::Builder::new().name("screen-watch".to_owned()).spawn(move || {
            while watcher.run(&stop, &sink).is_err() {
                while watcher.reconnect(&sink).is_err() {
                    // A server that hangs may go on; one that has ended takes no connection.
                    let is_gone = watcher.display.socket.dial().is_err();
                    if is_gone || ends_within(&stop, RECONNECT_DELAY) {
                        return;
                    }
                }
            }
        })?;
        Ok(Self { _stop: keep })
    }
}

/// Whether the watch is dropped within a time. What cannot be told counts as its end.
fn ends_within(stop: &UnixStream, time: Duration) -> bool {
    wait_for(&mut [PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN)], Some(Instant::now() + time))
        .unwrap_or(true)
}

#[derive(Debug)]
struct Watcher {
    idle_after: Duration,
    display: Display,
    windows: Windows,
    clipboard: Clipboard,
    size: Size,
    idle: Idle,
}

impl Watcher {
    fn connect(socket: &Arc<dyn Dial>, idle_after: Duration) -> Result<Self, ScreenError> {
        let display = Display::connect(socket)?;
        let properties = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        display.conn.change_window_attributes(display.root, &properties)?;
        let watcher = Self {
            idle_after,
            windows: Windows::start(&display)?,
            clipboard: Clipboard::start(&display)?,
            size: Size::start(&display)?,
            idle: Idle::start(&display, idle_after)?,
            display,
        };
        watcher.display.sync()?;
        Ok(watcher)
    }

    /// Goes on by a new connection, and tells which windows have come and gone since the last was lost.
    fn reconnect(&mut self, sink: &dyn Fn(ScreenEvent)) -> Result<(), ScreenError> {
        let fresh = Self::connect(&self.display.socket, self.idle_after)?;
        self.windows.update(&fresh.display, sink)?;
        *self = Self { windows: mem::take(&mut self.windows), ..fresh };
        Ok(())
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
