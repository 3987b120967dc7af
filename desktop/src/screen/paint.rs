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

/// A window that has not changed for so long has drawn what it had to: more than two frames at 60 Hz.
const QUIET: Duration = Duration::from_millis(40);
/// A window that never rests, such as a film, is not waited for longer.
const LIMIT: Duration = Duration::from_secs(1);

/// Returns once the focused window has stopped drawing. Having read its keys, an application still has to draw
/// them: at its next frame, or for a browser as its renderer gets round to them.
pub(super) fn wait(display: &Display) -> Result<(), ScreenError> {
    let (Focus::Pingable(window) | Focus::Silent(window)) = focus::focus(display)? else { return Ok(()) };
    let damage = display.conn.generate_id()?;
    let created = display.conn.damage_create(damage, window, ReportLevel::NON_EMPTY)?.check();
    match created.map_err(ScreenError::from) {
        Ok(()) => {}
        // The window closed, which is outcome enough.
        Err(ScreenError::Refused(_)) => return Ok(()),
        Err(error) => return Err(error),
    }
    let end = Instant::now() + LIMIT;
    let mut quiet = Instant::now() + QUIET;
    while let Some(event) = display.next_event(quiet.min(end))? {
        if matches!(event, Event::DamageNotify(notice) if notice.damage == damage) {
            display.conn.damage_subtract(damage, NONE, NONE)?.ignore_error();
            quiet = Instant::now() + QUIET;
        }
    }
    // Gone by itself when the window is.
    display.conn.damage_destroy(damage)?.ignore_error();
    Ok(())
}
