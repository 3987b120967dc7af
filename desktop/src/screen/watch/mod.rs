//! Reports screen events. Uses events of the X server instead of polling.

mod clipboard;
mod cpu_limit;
mod idle;
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

use self::{clipboard::Clipboard, cpu_limit::CpuLimit, idle::Idle, size::Size, windows::Windows};
use crate::screen::{
    ScreenError, ScreenEvent,
    connection::{Display, endpoint::Endpoint, stream::wait_for},
};

/// The time without input after which a screen is idle.
pub(super) const IDLE_AFTER: Duration = Duration::from_secs(30);

/// The minimum time between two connection attempts.
const RECONNECT_DELAY: Duration = Duration::from_millis(500);
/// The maximum number of events that are handled before the thread checks again whether the watch was dropped.
const EVENTS_PER_ROUND: usize = 1024;

/// A running watch. Dropping it ends the watch after a short time.
#[derive(Debug)]
pub(crate) struct Watch {
    /// One end of a socket pair. When it is closed, the thread of the watch ends.
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
            let mut cpu_limit = CpuLimit::new();
            let mut connected = Instant::now();
            while watcher.run(&stop, &mut cpu_limit, &sink).is_err() {
                loop {
                    if is_dropped_before(&stop, connected + RECONNECT_DELAY) {
                        return;
                    }
                    connected = Instant::now();
                    if watcher.reconnect(&sink).is_ok() {
                        break;
                    }
                    // A server that hangs may recover. A server that has ended accepts no connections.
                    if watcher.display.endpoint.connector.connect().is_err() {
                        return;
                    }
                }
            }
        })?;
        Ok(Self { _stop: keep })
    }
}

/// Waits until `time`, and then returns `false`. Returns `true` as soon as the watch is dropped or the wait fails.
fn is_dropped_before(stop: &UnixStream, time: Instant) -> bool {
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

    /// Reconnects, and reports the changes since the connection was lost.
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
        cpu_limit: &mut CpuLimit,
        sink: &dyn Fn(ScreenEvent),
    ) -> Result<(), ScreenError> {
        loop {
            if is_dropped_before(stop, cpu_limit.resume_time()) {
                return Ok(());
            }
            if self.round(sink)? {
                continue;
            }
            if self.display.conn.needs_replacement() {
                return Err(ScreenError::Lost("the connection has too many unread packets".to_owned()));
            }
            let mut fds = [
                PollFd::from_borrowed_fd(self.display.fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN),
            ];
            wait_for(&mut fds, self.clipboard.deadline())?;
        }
    }

    /// Handles at most [`EVENTS_PER_ROUND`] pending events. Returns `false` if no events were pending.
    fn round(&mut self, sink: &dyn Fn(ScreenEvent)) -> Result<bool, ScreenError> {
        self.display.conn.begin_operation(Duration::ZERO);
        let mut windows_changed = false;
        let mut handled = 0;
        while handled < EVENTS_PER_ROUND
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
        self.clipboard.end_if_overdue(&self.display, Instant::now())?;
        self.display.conn.flush()?;
        // More events may have arrived together with replies.
        Ok(handled > 0)
    }
}
