//! Waits until a window shows the text that was sent to it.

use std::time::{Duration, Instant};

use x11rb::{
    NONE,
    connection::Connection,
    protocol::{
        Event,
        damage::{ConnectionExt as _, ReportLevel},
        xproto::Window,
    },
};

use super::focus::{self, Focus};
use crate::screen::{ScreenError, connection::Display};

/// The time without a change after which a window has finished drawing: about four frames at 60 Hz.
const QUIET_TIME: Duration = Duration::from_millis(60);
/// The assumed time for handling one character. Chromium handles a character in about a millisecond, and may handle
/// hundreds of characters between two frames.
const HANDLING_PER_CHARACTER: Duration = Duration::from_micros(1500);
const MAX_HANDLING: Duration = Duration::from_secs(1);
/// The part of the timeout that does not depend on the text. It limits the wait for a window that changes continuously,
/// such as a video.
const BASE_TIMEOUT: Duration = Duration::from_secs(1);
/// The maximum timeout, for any length of the text.
const MAX_TIMEOUT: Duration = Duration::from_secs(15);
/// The maximum width, in pixels, of changes that are ignored. A blinking caret causes such changes.
const CARET_WIDTH: u16 = 3;

/// Text that was sent to a window and may not be visible yet.
///
/// An application draws text after it has read the keys. The response to a ping does not confirm that the text is
/// drawn. In a browser, it does not even confirm that the keys are handled: the process that responds to the ping reads
/// the keys, but another process renders the page.
#[derive(Debug)]
pub(in crate::screen) struct PendingRedraw {
    window: Window,
    /// The assumed maximum time between two frames, in addition to [`QUIET_TIME`].
    frame_gap: Duration,
    /// The time at which the wait ends even if the window is still drawing.
    deadline: Instant,
}

impl PendingRedraw {
    /// Creates the value for text of `characters` characters that was sent to the focused window. `sent` is the time at
    /// which the last character was sent.
    ///
    /// The time since `sent` is the time that the application took to read the keys. The wait allows the same time for
    /// drawing, because the machine may be busy.
    pub(in crate::screen) fn of_focused_window(
        display: &Display,
        characters: usize,
        sent: Instant,
    ) -> Result<Option<Self>, ScreenError> {
        Ok(match focus::current(display)? {
            Focus::NoWindow => None,
            Focus::Pingable(window) | Focus::WithoutPing(window) => {
                let Self { frame_gap, deadline, .. } = Self::of_window(window, characters);
                let reading_time = sent.elapsed().min(MAX_TIMEOUT);
                let deadline = (deadline + reading_time * 2).min(Instant::now() + MAX_TIMEOUT);
                Some(Self { window, frame_gap: frame_gap + reading_time, deadline })
            }
        })
    }

    /// Creates the value for text of `characters` characters that was just sent to `window`.
    pub(in crate::screen) fn of_window(window: Window, characters: usize) -> Self {
        let characters = u32::try_from(characters).unwrap_or(u32::MAX);
        let handling = HANDLING_PER_CHARACTER.saturating_mul(characters);
        let limit = BASE_TIMEOUT.saturating_add(handling.saturating_mul(2)).min(MAX_TIMEOUT);
        Self { window, frame_gap: handling.min(MAX_HANDLING), deadline: Instant::now() + limit }
    }

    /// Returns the maximum duration of [`Self::wait`].
    pub(in crate::screen) fn max_wait(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Waits until the window has stopped drawing.
    pub(in crate::screen) fn wait(&self, display: &Display) -> Result<(), ScreenError> {
        if Instant::now() >= self.deadline {
            return Ok(());
        }
        let conn = &display.conn;
        let damage = conn.generate_id()?;
        let created = conn.damage_create(damage, self.window, ReportLevel::BOUNDING_BOX)?.check();
        match created.map_err(ScreenError::from) {
            Ok(()) => {}
            // The window is closed.
            Err(ScreenError::XError(_)) => return Ok(()),
            Err(error) => return Err(error),
        }

        let quiet = QUIET_TIME + self.frame_gap;
        let mut quiet_until = Instant::now() + quiet;
        while let Some(event) = display.next_event(quiet_until.min(self.deadline))? {
            match event {
                Event::DamageNotify(notice) if notice.damage == damage => {
                    conn.damage_subtract(damage, NONE, NONE)?.ignore_error();
                    if notice.area.width > CARET_WIDTH {
                        quiet_until = Instant::now() + quiet;
                    }
                }
                _ => {}
            }
        }
        // If the window was closed, the X server has already destroyed the damage object.
        conn.damage_destroy(damage)?.ignore_error();
        Ok(())
    }
}
