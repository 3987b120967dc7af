//! Waiting until a window shows the outcome of what it was sent.

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

use super::{
    connection::Display,
    error::ScreenError,
    focus::{self, Focus},
};

/// A window that has not changed for so long has drawn what it had to: some frames at 60 Hz.
const QUIET: Duration = Duration::from_millis(60);
/// Chromium handles a character in about a millisecond, and hundreds of them between one drawing and the next.
const PER_CHARACTER: Duration = Duration::from_micros(1500);
const LONGEST_BURST: Duration = Duration::from_secs(1);
/// The longest wait for a text of no length. A window that never rests, such as a film, would hold up the
/// caller for ever.
const LIMIT: Duration = Duration::from_secs(1);
/// Longest wait for a text of any length.
const LONGEST: Duration = Duration::from_secs(15);
/// Changes no wider than this are a blinking caret and say nothing.
const CARET_WIDTH: u16 = 3;

/// Text that a window was sent and may not show yet.
///
/// An application that has taken its keys still has to draw them, a browser even has to handle them: it answers
/// for the process that takes the keys, not for the one that shows the page.
#[derive(Debug)]
pub(super) struct Unseen {
    window: Window,
    /// How long the window may work between two drawings.
    pause: Duration,
    /// Then it is no longer waited for.
    end: Instant,
}

impl Unseen {
    /// Text of so many characters, the last of which was sent to the focused window at `sent`. What has taken long to
    /// take them until now, as on a busy machine, is granted as long again for drawing.
    pub(super) fn in_focus(
        display: &Display,
        characters: usize,
        sent: Instant,
    ) -> Result<Option<Self>, ScreenError> {
        Ok(match focus::focus(display)? {
            Focus::Nothing => None,
            Focus::Pingable(window) | Focus::Silent(window) => {
                let Self { pause, end, .. } = Self::in_window(window, characters);
                let slowness = sent.elapsed().min(LONGEST);
                let end = (end + slowness * 2).min(Instant::now() + LONGEST);
                Some(Self { window, pause: pause + slowness, end })
            }
        })
    }

    /// As many characters, sent to this window just now.
    pub(super) fn in_window(window: Window, characters: usize) -> Self {
        let characters = u32::try_from(characters).unwrap_or(u32::MAX);
        let handling = PER_CHARACTER.saturating_mul(characters);
        let limit = LIMIT.saturating_add(handling.saturating_mul(2)).min(LONGEST);
        Self { window, pause: handling.min(LONGEST_BURST), end: Instant::now() + limit }
    }

    /// Longest duration of [`Self::wait`].
    pub(super) fn longest_wait(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Returns once the window has stopped drawing.
    pub(super) fn wait(&self, display: &Display) -> Result<(), ScreenError> {
        if Instant::now() >= self.end {
            return Ok(());
        }
        let conn = &display.conn;
        let damage = conn.generate_id()?;
        let created = conn.damage_create(damage, self.window, ReportLevel::BOUNDING_BOX)?.check();
        match created.map_err(ScreenError::from) {
            Ok(()) => {}
            // The window closed, which is outcome enough.
            Err(ScreenError::Refused(_)) => return Ok(()),
            Err(error) => return Err(error),
        }

        let quiet = QUIET + self.pause;
        let mut patience = Instant::now() + quiet;
        while let Some(event) = display.next_event(patience.min(self.end))? {
            match event {
                Event::DamageNotify(notice) if notice.damage == damage => {
                    conn.damage_subtract(damage, NONE, NONE)?.ignore_error();
                    if notice.area.width > CARET_WIDTH {
                        patience = Instant::now() + quiet;
                    }
                }
                _ => {}
            }
        }
        // Already gone when the window is.
        conn.damage_destroy(damage)?.ignore_error();
        Ok(())
    }
}
