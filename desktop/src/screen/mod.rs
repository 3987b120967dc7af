//! The screen of a computer: input, screenshots and events, through direct connections to its X server.

mod action;
mod application;
mod capture;
mod connection;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[cfg_attr(not(test), expect(dead_code, reason = "the tests use more of it than the fuzzer"))]
mod fake_server;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod input;
mod keyboard;
mod readiness;
#[cfg(test)]
mod tests;
mod watch;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

pub(crate) use self::{
    action::{ActionDuration, Button, Direction, ImageFormat, TypingDelay, WheelClicks},
    capture::Image,
    connection::endpoint::Connector,
    error::ScreenError,
    keyboard::keys::table as key_table,
    readiness::DesktopPart,
    watch::Watch,
};
use self::{
    application::redraw::PendingRedraw,
    capture::{Capture, ImageCache, ImageOptions},
    connection::{Display, endpoint::Endpoint, limits::Limits, reconnecting::Reconnecting},
    input::pointer,
    keyboard::{
        combination,
        keycode_pool::{self, KeycodePool},
        typing,
    },
};

/// An event on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ScreenEvent {
    WindowFocus {
        /// The X window id in hexadecimal, for example `0x2a0000c`.
        window_id: String,
        title: String,
    },
    WindowOpen {
        window_id: String,
        title: String,
    },
    WindowClose {
        window_id: String,
    },
    /// The clipboard has a new owner. `content` is empty if the owner offers no text.
    Clipboard {
        content: String,
    },
    /// The screen has a new size, in pixels.
    ScreenChange {
        width: u16,
        height: u16,
    },
    /// There has been no pointer or keyboard input for `idle_seconds` seconds.
    Idle {
        idle_seconds: u64,
    },
    /// The first pointer or keyboard input after [`Self::Idle`].
    Active,
}

/// The screen of a running computer.
///
/// All methods block. Pointer and keyboard actions run one at a time.
#[derive(Debug)]
pub(crate) struct Screen {
    endpoint: Endpoint,
    input: Mutex<Input>,
    /// The pending redraw of the last typed text, until a screenshot waits for it.
    pending_redraw: Mutex<Option<PendingRedraw>>,
    damage_display: Mutex<Reconnecting<Display>>,
    capture: Mutex<Reconnecting<Capture>>,
    image_cache: Mutex<ImageCache>,
    last_size: Mutex<(u16, u16)>,
}

#[derive(Debug)]
struct Input {
    display: Reconnecting<Display>,
    pool: KeycodePool,
}

impl Screen {
    /// Connects to an X server and reserves keycodes for typing.
    ///
    /// Call this before the window manager starts, because every running client rereads the keymap after a change.
    ///
    /// # Errors
    ///
    /// [`ScreenError::Lost`] if the connection fails, [`ScreenError::Unsupported`] if an X11 extension is missing.
    pub(crate) fn open(connector: Arc<dyn Connector>) -> Result<Self, ScreenError> {
        Self::open_with_limits(connector, Limits::default())
    }

    fn open_with_limits(connector: Arc<dyn Connector>, limits: Limits) -> Result<Self, ScreenError> {
        let endpoint = Endpoint { connector, limits };
        let mut display = Reconnecting::open(&endpoint, Display::connect_for_input)?;
        display.run(Duration::ZERO, |display| keycode_pool::reserve(display))?;
        let mut capture = Reconnecting::open(&endpoint, Capture::connect)?;
        let size = capture.run(Duration::ZERO, |capture| capture.size())?;
        Ok(Self {
            input: Mutex::new(Input { display, pool: KeycodePool::new() }),
            pending_redraw: Mutex::default(),
            damage_display: Mutex::new(Reconnecting::closed(&endpoint, Display::connect_with_damage)),
            capture: Mutex::new(capture),
            image_cache: Mutex::default(),
            last_size: Mutex::new(size),
            endpoint,
        })
    }

    /// Returns the width and the height in pixels. Returns the last known size if the X server does not respond.
    pub(crate) fn size(&self) -> (u16, u16) {
        let now = lock(&self.capture).run(Duration::ZERO, |capture| capture.size());
        let mut last = lock(&self.last_size);
        *last = now.unwrap_or(*last);
        *last
    }

    /// Moves the pointer to a pixel and clicks once, or twice if `double` is set.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `x` or `y` if the pixel is not on the screen.
    pub(crate) fn click(&self, x: i32, y: i32, button: Button, double: bool) -> Result<(), ScreenError> {
        self.run_input(Duration::ZERO, |display, _| pointer::click(display, (x, y), button, double))
    }

    /// Presses the button at `start`, moves the pointer to `end` in a straight line, and releases the button after
    /// `duration`.
    ///
    /// The drag takes at least the time that applications need to start drag and drop. On a busy machine, it waits until the
    /// applications under its start and its end have handled the motions. If the drag is canceled, the button is released at
    /// the current position.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `start_x`, `start_y`, `end_x` or `end_y` if the pixel is not on the screen,
    /// [`ScreenError::Canceled`] if the drag is canceled.
    pub(crate) fn drag(
        &self,
        start: (i32, i32),
        end: (i32, i32),
        button: Button,
        duration: ActionDuration,
        canceled: &CancellationToken,
    ) -> Result<(), ScreenError> {
        let duration = duration.get().max(pointer::MIN_DRAG);
        let time = duration + pointer::MAX_DRAG_WAIT * 2;
        self.run_input(time, |display, _| pointer::drag(display, start, end, button, duration, canceled))
    }

    /// Types Unicode text into the focused window, with an optional pause after each character.
    ///
    /// Returns after the application has handled the keys, or after one to two seconds if the application does not
    /// confirm that. Skips control characters other than line ends and tabs, and returns the skipped characters. After
    /// a cancellation, does not type the remaining text.
    ///
    /// # Errors
    ///
    /// [`ScreenError::Canceled`] if typing is canceled.
    pub(crate) fn type_text(
        &self,
        text: &str,
        delay: Option<TypingDelay>,
        canceled: &CancellationToken,
    ) -> Result<Vec<char>, ScreenError> {
        let delay = delay.map(TypingDelay::get);
        let time = typing::max_duration(text, delay).saturating_add(self.endpoint.limits.application);
        let typed =
            self.run_input(time, |display, pool| typing::type_text(display, pool, text, delay, canceled))?;
        *lock(&self.pending_redraw) = typed.pending_redraw;
        Ok(typed.left_out)
    }

    /// Presses a key or a combination of keys, for example `ctrl+shift+t`.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `key` if the combination is invalid. If a key name is unknown, the message may
    /// suggest similar names.
    pub(crate) fn key(&self, combo: &str) -> Result<(), ScreenError> {
        self.run_input(self.endpoint.limits.application, |display, pool| {
            combination::press(display, pool, combo)
        })
    }

    /// Scrolls by a number of wheel clicks at the pixel `at`, or at the current pointer position if `at` is `None`.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `x` or `y` if the pixel is not on the screen.
    pub(crate) fn scroll(
        &self,
        direction: Direction,
        clicks: WheelClicks,
        at: Option<(i32, i32)>,
    ) -> Result<(), ScreenError> {
        self.run_input(Duration::ZERO, |display, _| pointer::scroll(display, direction, clicks.get(), at))
    }

    /// Captures the whole screen, including the pointer. `scale` must be greater than 0 and at most 1.
    ///
    /// First waits up to 15 seconds for a window that is still drawing typed text. If the screen has not changed,
    /// returns the cached image with the same options.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `scale` if it is out of range, [`ScreenError::TooLarge`] if the screen is too
    /// large.
    pub(crate) fn screenshot(
        &self,
        format: ImageFormat,
        scale: Option<f32>,
    ) -> Result<Arc<Image>, ScreenError> {
        capture::check_scale(scale)?;
        self.wait_for_redraw()?;
        capture::take(&self.image_cache, &self.capture, ImageOptions { format, scale })
    }

    /// Calls `sink` on a separate thread for each event, until the [`Watch`] is dropped or the X server ends.
    ///
    /// The thread then drops `sink` and ends. If the X server stops responding and later recovers, the watch
    /// reconnects.
    ///
    /// # Errors
    ///
    /// [`ScreenError::Lost`] if the X server does not respond.
    pub(crate) fn watch(&self, sink: impl Fn(ScreenEvent) + Send + 'static) -> Result<Watch, ScreenError> {
        Watch::start(&self.endpoint, watch::IDLE_AFTER, sink)
    }

    /// Thaws the pointer, on a separate thread, if the window manager has left it frozen. Ends like [`Self::watch`].
    ///
    /// # Errors
    ///
    /// [`ScreenError::Lost`] if the X server does not respond, [`ScreenError::Unsupported`] if an X11 extension is
    /// missing.
    pub(crate) fn watch_for_frozen_pointer(&self) -> Result<Watch, ScreenError> {
        Watch::start_for_frozen_pointer(&self.endpoint)
    }

    /// Waits until a part of the desktop is ready. Returns `false` if it is not ready at `deadline`.
    ///
    /// # Errors
    ///
    /// [`ScreenError::Lost`] if the X server does not respond.
    pub(crate) fn wait_until_ready(&self, part: DesktopPart, deadline: Instant) -> Result<bool, ScreenError> {
        let display = Display::connect(&self.endpoint)?;
        display.conn.begin_operation(deadline.saturating_duration_since(Instant::now()));
        readiness::wait_until_ready(&display, part, deadline)
    }

    /// Waits until the last typed text is on the screen. The lock makes concurrent callers wait for it too.
    fn wait_for_redraw(&self) -> Result<(), ScreenError> {
        let mut damage_display = lock(&self.damage_display);
        match lock(&self.pending_redraw).take() {
            Some(redraw) => damage_display.run(redraw.max_wait(), |display| redraw.wait(display)),
            None => Ok(()),
        }
    }

    /// Runs an action with an expected duration of `time`. Waits for the X server may take additional, limited time.
    fn run_input<R>(
        &self,
        time: Duration,
        action: impl FnOnce(&Display, &mut KeycodePool) -> Result<R, ScreenError>,
    ) -> Result<R, ScreenError> {
        let mut input = lock(&self.input);
        let Input { display, pool } = &mut *input;
        display.run(time, |display| action(display, pool).map_err(ScreenError::during_action))
    }
}

/// Locks a mutex. Ignores poisoning, because the next call checks or rebuilds all state.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
