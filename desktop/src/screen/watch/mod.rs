//! What happens on the screen, told by the X server itself: nothing here polls.

mod clipboard;
mod idle;
mod pace;
mod size;
mod windows;

use std::{
    os::{fd::AsFd, unix::net::UnixStream},
    thread,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags};
use x11rb::{
    connection::Connection,
    protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _, EventMask},
};

use self::{clipboard::Clipboard, idle::Idle, pace::Pace, size::Size, windows::Windows};
use super::{ScreenEvent, connection::Display, dial::Endpoint, error::ScreenError, stream::wait_for};

/// Time without input after which a screen counts as idle.
pub(super) const IDLE_AFTER: Duration = Duration::from_secs(30);

/// Least time between two attempts to connect.
const RECONNECT_DELAY: Duration = Duration::from_millis(500);
/// Most events that are handled before the watch checks whether it was dropped.
const ROUND: usize = 1024;

/// Keeps a watch going; dropping it ends the watch soon after.
#[derive(Debug)]
pub(crate) struct Watch {
    /// The watching thread sees the other end close.
    _stop: UnixStream,
}

impl Watch {
    pub(super) fn start(
        endpoint: &Endpoint,
        idle_after: Duration,
        sink: impl Fn(ScreenEvent) + Send + 'static,
    ) -> Result<Self, ScreenError> {
        let mut watcher = Watcher::connect(endpoint, idle_after)?;
        let (keep, stop) = UnixStream::pair()?;
        thread::Builder::new().name("screen-watch".to_owned()).spawn(move || {
            let mut pace = Pace::new();
            let mut connected = Instant::now();
            while watcher.run(&stop, &mut pace, &sink).is_err() {
                loop {
                    if ends_by(&stop, connected + RECONNECT_DELAY) {
                        return;
                    }
                    connected = Instant::now();
                    if watcher.reconnect(&sink).is_ok() {
                        break;
                    }
                    // A server that hangs may go on; one that has ended takes no connection.
                    if watcher.display.endpoint.dialer.dial().is_err() {
                        return;
                    }
                }
            }
        })?;
        Ok(Self { _stop: keep })
    }
}

/// Waits until a time. Returns `true` early if the watch is dropped, or if that cannot be determined.
fn ends_by(stop: &UnixStream, time: Instant) -> bool {
    wait_for(&mut [PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN)], Some(time)).unwrap_or(true)
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
    fn connect(endpoint: &Endpoint, idle_after: Duration) -> Result<Self, ScreenError> {
        let display = Display::connect(endpoint)?;
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

    /// Replaces the connection, and reports what has changed since it was lost.
    fn reconnect(&mut self, sink: &dyn Fn(ScreenEvent)) -> Result<(), ScreenError> {
        let mut fresh = Self::connect(&self.display.endpoint, self.idle_after)?;
        self.windows.update(&fresh.display, sink)?;
        fresh.windows = std::mem::take(&mut self.windows);
        fresh.size.resume(&self.size, sink);
        fresh.idle.resume(&fresh.display, &self.idle)?;
        *self = fresh;
        Ok(())
    }

    fn run(
        &mut self,
        stop: &UnixStream,
        pace: &mut Pace,
        sink: &dyn Fn(ScreenEvent),
    ) -> Result<(), ScreenError> {
        loop {
            if ends_by(stop, pace.next_round()) {
                return Ok(());
            }
            if self.round(sink)? {
                continue;
            }
            if self.display.conn.is_worn() {
                return Err(ScreenError::Lost("the connection has to be replaced".to_owned()));
            }
            let mut fds = [
                PollFd::from_borrowed_fd(self.display.fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN),
            ];
            wait_for(&mut fds, self.clipboard.deadline())?;
        }
    }

    /// Handles some events. Returns `false` if there were none.
    fn round(&mut self, sink: &dyn Fn(ScreenEvent)) -> Result<bool, ScreenError> {
        self.display.conn.begin_operation(Duration::ZERO);
        let mut windows_changed = false;
        let mut handled = 0;
        while handled < ROUND
            && let Some(event) = self.display.conn.poll_for_event()?
        {
            handled += 1;
            windows_changed |= Windows::may_change(&self.display, &event);
            self.clipboard.handle(&self.display, &event, sink)?;
            self.size.handle(&event, sink);
            self.idle.handle(&self.display, &event, sink)?;
        }
        if windows_changed {
            self.windows.update(&self.display, sink)?;
        }
        self.clipboard.give_up_if_late(&self.display, Instant::now())?;
        self.display.conn.flush()?;
        // More events may have arrived together with replies.
        Ok(handled > 0)
    }
}
