//! The screen of a computer: pointer, keyboard, pictures and events, spoken to its X server directly.

mod barrier;
mod bounded;
mod checked_reply;
mod connection;
mod dial;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[cfg_attr(not(test), expect(dead_code, reason = "the tests know more tricks than the fuzzer"))]
mod fake_server;
mod focus;
mod framing;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod hold;
mod keyboard;
mod keymap;
mod keymap_pool;
mod keys;
mod keysyms;
mod layout;
mod limits;
mod manners;
mod neutral;
mod paint;
mod patience;
mod pause;
mod pointer;
mod property;
mod reread;
mod screenshot;
mod signs;
mod spelling;
mod stream;
#[cfg(test)]
mod tests;
mod typing;
mod watch;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use self::{
    connection::{Display, Link},
    dial::Endpoint,
    keymap_pool::KeycodePool,
    limits::Limits,
    paint::Unseen,
    screenshot::{Album, Capture, Kind},
};
pub(crate) use self::{
    dial::Dial, error::ScreenError, keys::table as key_table, screenshot::Image, signs::Sign, watch::Watch,
};

/// A button of the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Button {
    Left,
    Middle,
    Right,
}

/// Where the wheel moves the content's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
    Left,
    Right,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImageFormat {
    Png,
    Jpeg,
}

/// Something that happened on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ScreenEvent {
    WindowFocus {
        /// X window id in hexadecimal, `0x2a0000c`.
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
    /// Text was copied.
    Clipboard {
        content: String,
    },
    /// The screen has a new size, in pixels.
    ScreenChange {
        width: u16,
        height: u16,
    },
    /// Nobody has used pointer or keyboard for so long.
    Idle {
        idle_seconds: u64,
    },
    /// Pointer or keyboard were used after an [`Self::Idle`].
    Active,
}

/// The screen of one running computer. Calls block; those that act on pointer or keyboard run one at a time.
#[derive(Debug)]
pub(crate) struct Screen {
    endpoint: Endpoint,
    input: Mutex<Input>,
    /// What was typed last, until a screenshot has waited for it.
    unseen: Mutex<Option<Unseen>>,
    onlooker: Mutex<Link<Display>>,
    capture: Mutex<Link<Capture>>,
    album: Mutex<Album>,
    last_size: Mutex<(u16, u16)>,
}

#[derive(Debug)]
struct Input {
    display: Link<Display>,
    pool: KeycodePool,
}

impl Screen {
    /// Connects to an X server and reserves keycodes for typing.
    ///
    /// To be called before the window manager starts, since every program reads the keymap again after a change.
    ///
    /// # Errors
    ///
    /// [`ScreenError::Lost`] when nothing answers there, [`ScreenError::Unsupported`] when an extension is missing.
    pub(crate) fn open(dialer: Arc<dyn Dial>) -> Result<Self, ScreenError> {
        Self::open_within(dialer, Limits::default())
    }

    fn open_within(dialer: Arc<dyn Dial>, limits: Limits) -> Result<Self, ScreenError> {
        let endpoint = Endpoint { dialer, limits };
        let mut display = Link::open(&endpoint, Display::connect_for_input)?;
        display.run(Duration::ZERO, |display| keymap_pool::reserve(display))?;
        let mut capture = Link::open(&endpoint, Capture::connect)?;
        let size = capture.run(Duration::ZERO, |capture| capture.size())?;
        Ok(Self {
            input: Mutex::new(Input { display, pool: KeycodePool::new() }),
            unseen: Mutex::default(),
            onlooker: Mutex::new(Link::closed(&endpoint, Display::connect_to_watch_drawing)),
            capture: Mutex::new(capture),
            album: Mutex::default(),
            last_size: Mutex::new(size),
            endpoint,
        })
    }

    /// Width and height in pixels: as they are now, or as last known when the X server does not answer.
    pub(crate) fn size(&self) -> (u16, u16) {
        let now = lock(&self.capture).run(Duration::ZERO, |capture| capture.size());
        let mut last = lock(&self.last_size);
        *last = now.unwrap_or(*last);
        *last
    }

    /// Moves the pointer to a pixel and clicks, twice at once when `double`.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `x` or `y` when the pixel is not on the screen.
    pub(crate) fn click(&self, x: i32, y: i32, button: Button, double: bool) -> Result<(), ScreenError> {
        self.input(Duration::ZERO, |display, _| pointer::click(display, (x, y), button, double))
    }

    /// Presses the button at `start`, moves in a straight line, and releases it at `end` after `duration` (at most a minute, and
    /// at least the time in which an application starts drag and drop); once `abandoned`, where it is.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `start_x`, `start_y`, `end_x`, `end_y` or `duration`, [`ScreenError::Abandoned`].
    pub(crate) fn drag(
        &self,
        start: (i32, i32),
        end: (i32, i32),
        button: Button,
        duration: Duration,
        abandoned: &CancellationToken,
    ) -> Result<(), ScreenError> {
        self.input(duration.clamp(pointer::SHORTEST_DRAG, pointer::MAX_DRAG), |display, _| {
            pointer::drag(display, start, end, button, duration, abandoned)
        })
    }

    /// Types any Unicode text into the focused window, with a pause after each character if one is given.
    /// Returns when the application has taken it, if it can say so, or after a second or two. Once `abandoned`, the rest is not typed.
    /// Control characters other than line ends and tabs are left out, and returned.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `delay_ms` above a second, [`ScreenError::Abandoned`].
    pub(crate) fn type_text(
        &self,
        text: &str,
        delay: Option<Duration>,
        abandoned: &CancellationToken,
    ) -> Result<Vec<char>, ScreenError> {
        let time = typing::longest(text, delay).saturating_add(self.endpoint.limits.application);
        let typed =
            self.input(time, |display, pool| typing::type_text(display, pool, text, delay, abandoned))?;
        *lock(&self.unseen) = typed.unseen;
        Ok(typed.left_out)
    }

    /// Presses a key or a combination such as `ctrl+shift+t`.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `key` when a name is unknown; the message offers similar ones.
    pub(crate) fn key(&self, combo: &str) -> Result<(), ScreenError> {
        self.input(self.endpoint.limits.application, |display, pool| keyboard::press(display, pool, combo))
    }

    /// Turns the wheel by `amount` clicks (1 to 1000), at the pixel `at` or where the pointer is.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `amount`, `x` or `y`.
    pub(crate) fn scroll(
        &self,
        direction: Direction,
        amount: u32,
        at: Option<(i32, i32)>,
    ) -> Result<(), ScreenError> {
        self.input(Duration::ZERO, |display, _| pointer::scroll(display, direction, amount, at))
    }

    /// A picture of the whole screen with the pointer, `scale` (above 0, at most 1) times its size. As long as nothing
    /// changes it is the same one. Text that was typed before is in it: a window that still draws is waited for, a second
    /// or two at most.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `scale`, [`ScreenError::TooLarge`].
    pub(crate) fn screenshot(
        &self,
        format: ImageFormat,
        scale: Option<f32>,
    ) -> Result<Arc<Image>, ScreenError> {
        screenshot::check_scale(scale)?;
        self.settle()?;
        screenshot::take(&self.album, &self.capture, Kind { format, scale })
    }

    /// Calls `sink` on a thread of its own for each event from now on, until the [`Watch`] is dropped or the X
    /// server is gone. Then the thread ends and `sink` is dropped. A server that only hangs for a while is found again.
    ///
    /// # Errors
    ///
    /// [`ScreenError::Lost`] when the X server does not answer.
    pub(crate) fn watch(&self, sink: impl Fn(ScreenEvent) + Send + 'static) -> Result<Watch, ScreenError> {
        Watch::start(&self.endpoint, watch::IDLE_AFTER, sink)
    }

    /// Waits until a part of the desktop shows that it is at work; `false` when it does not by `deadline`.
    ///
    /// # Errors
    ///
    /// [`ScreenError::Lost`] when the X server does not answer.
    pub(crate) fn wait_for(&self, sign: Sign, deadline: Instant) -> Result<bool, ScreenError> {
        let display = Display::connect(&self.endpoint)?;
        display.conn.begin_operation(deadline.saturating_duration_since(Instant::now()));
        signs::wait_for(&display, sign, deadline)
    }

    /// Waits until what was typed last is on the screen. Whoever comes meanwhile waits too.
    fn settle(&self) -> Result<(), ScreenError> {
        let mut onlooker = lock(&self.onlooker);
        match lock(&self.unseen).take() {
            Some(unseen) => onlooker.run(unseen.longest_wait(), |display| unseen.wait(display)),
            None => Ok(()),
        }
    }

    /// Runs an action with a duration of `time`.
    fn input<R>(
        &self,
        time: Duration,
        action: impl FnOnce(&Display, &mut KeycodePool) -> Result<R, ScreenError>,
    ) -> Result<R, ScreenError> {
        let mut input = lock(&self.input);
        let Input { display, pool } = &mut *input;
        display.run(time, |display| action(display, pool).map_err(ScreenError::of_action))
    }
}

/// A panic while a lock was held leaves nothing that the next call does not check or rebuild.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
