//! Watches a screen: reports its events, and thaws its pointer. Uses events of the X server instead of polling.

mod clipboard;
mod cpu_limit;
mod frozen_pointer;
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

use self::{
    clipboard::Clipboard, cpu_limit::CpuLimit, frozen_pointer::FrozenPointer, idle::Idle, size::Size,
    windows::Windows,
};
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
    /// Starts a watch that reports screen events.
    pub(super) fn start(
        endpoint: &Endpoint,
        idle_after: Duration,
        sink: impl Fn(ScreenEvent) + Send + 'static,
    ) -> Result<Self, ScreenError> {
        let sources = Sources::connect(endpoint, idle_after)?;
        Self::spawn("screen-watch", EventWatcher { idle_after, sources, sink })
    }

    /// Starts a watch that thaws the pointer if the window manager has left it frozen.
    pub(super) fn start_for_frozen_pointer(endpoint: &Endpoint) -> Result<Self, ScreenError> {
        Self::spawn("pointer-watch", FrozenPointer::connect(endpoint)?)
    }

    fn spawn(name: &str, mut watcher: impl Watcher) -> Result<Self, ScreenError> {
        let (keep, stop) = UnixStream::pair()?;
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut cpu_limit = CpuLimit::new();
            let mut connected = Instant::now();
            while run(&mut watcher, &stop, &mut cpu_limit).is_err() {
                loop {
                    if is_dropped_before(&stop, connected + RECONNECT_DELAY) {
                        return;
                    }
                    connected = Instant::now();
                    if watcher.reconnect().is_ok() {
                        break;
                    }
                    // A server that hangs may recover. A server that has ended accepts no connections.
                    if watcher.display().endpoint.connector.connect().is_err() {
                        return;
                    }
                }
            }
        })?;
        Ok(Self { _stop: keep })
    }
}

/// Handles the events of a connection on the thread of a watch.
trait Watcher: Send + 'static {
    fn display(&self) -> &Display;

    /// Replaces the lost connection.
    fn reconnect(&mut self) -> Result<(), ScreenError>;

    /// Handles at most [`EVENTS_PER_ROUND`] pending events. Returns `false` if no events were pending.
    fn round(&mut self) -> Result<bool, ScreenError>;

    /// Returns the time of the next round if no event arrives.
    fn deadline(&self) -> Option<Instant>;
}

/// Runs the watcher until the watch is dropped. Returns an error if the connection is lost.
fn run(watcher: &mut impl Watcher, stop: &UnixStream, cpu_limit: &mut CpuLimit) -> Result<(), ScreenError> {
    loop {
        if is_dropped_before(stop, cpu_limit.resume_time()) {
            return Ok(());
        }
        if watcher.round()? {
            continue;
        }
        if watcher.display().conn.needs_replacement() {
            return Err(ScreenError::Lost("the connection has too many unread packets".to_owned()));
        }
        let mut fds = [
            PollFd::from_borrowed_fd(watcher.display().fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN),
        ];
        wait_for(&mut fds, watcher.deadline())?;
    }
}

/// Waits until `time`, and then returns `false`. Returns `true` as soon as the watch is dropped or the wait fails.
fn is_dropped_before(stop: &UnixStream, time: Instant) -> bool {
    wait_for(&mut [PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN)], Some(time)).unwrap_or(true)
}

/// Reports screen events to `sink`.
struct EventWatcher<S> {
    idle_after: Duration,
    sources: Sources,
    sink: S,
}

/// A connection, and the sources of its screen events.
#[derive(Debug)]
struct Sources {
    display: Display,
    windows: Windows,
    clipboard: Clipboard,
    size: Size,
    idle: Idle,
}

impl Sources {
    fn connect(endpoint: &Endpoint, idle_after: Duration) -> Result<Self, ScreenError> {
        let display = Display::connect(endpoint)?;
        let properties = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
        display.conn.change_window_attributes(display.root, &properties)?;
        let sources = Self {
            windows: Windows::start(&display)?,
            clipboard: Clipboard::start(&display)?,
            size: Size::start(&display)?,
            idle: Idle::start(&display, idle_after)?,
            display,
        };
        sources.display.sync()?;
        Ok(sources)
    }
}

impl<S: Fn(ScreenEvent) + Send + 'static> Watcher for EventWatcher<S> {
    fn display(&self) -> &Display {
        &self.sources.display
    }

    /// Reconnects, and reports the changes since the connection was lost.
    fn reconnect(&mut self) -> Result<(), ScreenError> {
        let Self { idle_after, sources, sink } = self;
        let mut fresh = Sources::connect(&sources.display.endpoint, *idle_after)?;
        sources.windows.update(&fresh.display, sink)?;
        fresh.windows = std::mem::take(&mut sources.windows);
        fresh.size.resume(&sources.size, sink);
        fresh.idle.resume(&fresh.display, &sources.idle)?;
        *sources = fresh;
        Ok(())
    }

    fn round(&mut self) -> Result<bool, ScreenError> {
        let Self { sources: Sources { display, windows, clipboard, size, idle }, sink, .. } = self;
        display.conn.begin_operation(Duration::ZERO);
        let mut windows_changed = false;
        let mut handled = 0;
        while handled < EVENTS_PER_ROUND
            && let Some(event) = display.conn.poll_for_event()?
        {
            handled += 1;
            windows_changed |= Windows::may_change(display, &event);
            clipboard.handle(display, &event, sink)?;
            size.handle(&event, sink);
            idle.handle(display, &event, sink)?;
        }
        if windows_changed {
            windows.update(display, sink)?;
        }
        clipboard.end_if_overdue(display, Instant::now())?;
        display.conn.flush()?;
        // More events may have arrived together with replies.
        Ok(handled > 0)
    }

    fn deadline(&self) -> Option<Instant> {
        self.sources.clipboard.deadline()
    }
}
