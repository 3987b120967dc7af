//! Waiting until a window shows the outcome of what it was sent.

use std::time::{Duration, Instant};

use x11rb::{
    NONE,
    connection::Connection,
    protocol::{
        Event,
        damage::{ConnectionExt as _, ReportLevel},
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
/// Changes no wider than this are a blinking caret and say nothing.
const CARET_WIDTH: u16 = 3;

/// Returns once the focused window, which was sent `characters`, has stopped drawing.
///
/// An application that has taken its keys still has to draw them, a browser even has to handle them: it answers
/// for the process that takes the keys, not for the one that shows the page.
pub(super) fn wait(display: &Display, characters: usize) -> Result<(), ScreenError> {
    let (Focus::Pingable(window) | Focus::Silent(window)) = focus::focus(display)? else { return Ok(()) };
    let conn = &display.conn;
    let damage = conn.generate_id()?;
    let created = conn.damage_create(damage, window, ReportLevel::BOUNDING_BOX)?.check();
    match created.map_err(ScreenError::from) {
        Ok(()) => {}
        // The window closed, which is outcome enough.
        Err(ScreenError::Refused(_)) => return Ok(()),
        Err(error) => return Err(error),
    }

    let handling = PER_CHARACTER.saturating_mul(u32::try_from(characters).unwrap_or(u32::MAX));
    let quiet = QUIET + handling.min(LONGEST_BURST);
    let end = Instant::now() + LIMIT + handling * 2;
    let mut patience = Instant::now() + quiet;
    while let Some(event) = display.next_event(patience.min(end))? {
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
