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

/// A window has finished drawing if it does not change for this time: about four frames at 60 Hz.
const QUIET_TIME: Duration = Duration::from_millis(60);
/// Chromium handles a character in about a millisecond, and hundreds of characters between two frames.
const HANDLING_PER_CHARACTER: Duration = Duration::from_micros(1500);
const MAX_HANDLING: Duration = Duration::from_secs(1);
/// Timeout without the time for characters. It bounds the wait for a window that changes all the time, such as a video.
const BASE_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum timeout for text of any length.
const MAX_TIMEOUT: Duration = Duration::from_secs(15);
/// Changes up to this width in pixels are ignored: they come from a blinking caret.
const CARET_WIDTH: u16 = 3;

/// Text that was sent to a window, which may not show it yet.
///
/// An application draws text after it has read the keys. The response to a ping does not cover that. In a browser, it
/// does not even cover the handling of the keys: the ping goes to the process that reads the keys, not to the process
/// that renders the page.
#[derive(Debug)]
pub(in crate::screen) struct PendingRedraw {
    window: Window,
    /// The time that the window may need between two frames, in addition to [`QUIET_TIME`].
    frame_gap: Duration,
    /// The deadline of the wait, even if the window is still drawing.
    deadline: Instant,
}

impl PendingRedraw {
    /// Creates the record of a text with `characters` characters for the focused window. `sent` is the time of the last
    /// character.
    ///
    /// The time since `sent` is how long the application took to read the keys. On a busy machine, the application gets
    /// the same time again for drawing.
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

    /// Creates the record of a text with `characters` characters that was just sent to `window`.
    pub(in crate::screen) fn of_window(window: Window, characters: usize) -> Self {
        let characters = u32::try_from(characters).unwrap_or(u32::MAX);
        let handling = HANDLING_PER_CHARACTER.saturating_mul(characters);
        let limit = BASE_TIMEOUT.saturating_add(handling.saturating_mul(2)).min(MAX_TIMEOUT);
        Self { window, frame_gap: handling.min(MAX_HANDLING), deadline: Instant::now() + limit }
    }

    /// Maximum duration of [`Self::wait`].
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
            // The window has closed.
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
        // Closing the window has already destroyed it.
        conn.damage_destroy(damage)?.ignore_error();
        Ok(())
    }
}
