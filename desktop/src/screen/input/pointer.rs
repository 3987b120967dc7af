//! Clicks, drags, and scrolls with the mouse wheel.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use x11rb::{
    connection::Connection,
    protocol::xproto::{ConnectionExt as _, Window},
};

use super::{
    cancellation,
    xtest::{HeldInputs, KeyOrButton},
};
use crate::screen::{
    Button, Direction, ScreenError,
    application::pointed,
    connection::{Display, time_budget::TimeBudget},
};

/// The minimum time from the press to the release of a drag. A browser starts drag and drop in another process after
/// the first motions. If the button is released before drag and drop has started, no drop occurs.
pub(in crate::screen) const MIN_DRAG: Duration = Duration::from_millis(400);
/// The maximum time by which a drag waits longer for the applications under its start and its end. On a busy machine, they
/// need more than [`MIN_DRAG`].
pub(in crate::screen) const MAX_DRAG_WAIT: Duration = Duration::from_secs(5);
/// The minimum pause at the end position before the button is released. The drop target needs this time to accept the drop.
const DWELL_TIME: Duration = Duration::from_millis(100);
/// The pause for a drag and drop, relative to the time from the press to its start. To start it and to accept the drop, an
/// application uses the same processes, which take longer on a busy machine.
const DWELL_FACTOR: u32 = 5;
/// The time between two motions of a drag. A mouse with a rate of 60 Hz reports motions at this interval.
const DRAG_STEP: Duration = Duration::from_micros(16_667);

impl Button {
    fn x11_button(self) -> KeyOrButton {
        KeyOrButton::Button(match self {
            Self::Left => 1,
            Self::Middle => 2,
            Self::Right => 3,
        })
    }
}

impl Direction {
    fn x11_button(self) -> KeyOrButton {
        KeyOrButton::Button(match self {
            Self::Up => 4,
            Self::Down => 5,
            Self::Left => 6,
            Self::Right => 7,
        })
    }
}

pub(in crate::screen) fn click(
    display: &Display,
    (x, y): (i32, i32),
    button: Button,
    double: bool,
) -> Result<(), ScreenError> {
    let at = on_screen(display, ("x", x), ("y", y))?;
    display.move_pointer(at)?;
    for _ in 0..if double { 2 } else { 1 } {
        let mut held = HeldInputs::new(display);
        held.press(button.x11_button())?;
        held.release()?;
    }
    display.sync()
}

pub(in crate::screen) fn drag(
    display: &Display,
    start: (i32, i32),
    end: (i32, i32),
    button: Button,
    duration: Duration,
    canceled: &CancellationToken,
) -> Result<(), ScreenError> {
    cancellation::check(canceled)?;
    let from = on_screen(display, ("start_x", start.0), ("start_y", start.1))?;
    let to = on_screen(display, ("end_x", end.0), ("end_y", end.1))?;

    display.move_pointer(from)?;
    let source = pointed::window(display)?;
    let previous_owner = drag_owner(display)?;
    let mut budget = TimeBudget::new(MAX_DRAG_WAIT);
    let mut held = HeldInputs::new(display);
    held.press(button.x11_button())?;
    display.sync()?;
    let began = Instant::now();
    let travel_time = duration - DWELL_TIME;
    let steps = motion_count(travel_time);
    let mut start_time = None;
    for step in 1..=steps {
        if step == steps {
            // The last motion is for a drag and drop that has started.
            pointed::wait(display, source, &mut budget, canceled)?;
        }
        if start_time.is_none() && drag_owner(display)? != previous_owner {
            start_time = Some(began.elapsed());
        }
        cancellation::sleep_until(began + travel_time * step / steps, canceled)?;
        display.move_pointer(interpolate(from, to, step, steps))?;
        display.conn.flush()?;
    }
    let arrived = Instant::now();
    let target = pointed::window(display)?.filter(|&target| Some(target) != source);
    pointed::wait(display, source.into_iter().chain(target), &mut budget, canceled)?;
    let dwell_time =
        start_time.map_or(DWELL_TIME, |time| (time * DWELL_FACTOR).clamp(DWELL_TIME, MAX_DRAG_WAIT));
    cancellation::sleep_until((arrived + dwell_time).max(began + duration), canceled)?;
    held.release()?;
    display.sync()
}

/// Returns the window that has started drag and drop, in any toolkit.
fn drag_owner(display: &Display) -> Result<Window, ScreenError> {
    Ok(display.conn.get_selection_owner(display.atoms.XdndSelection)?.reply()?.owner)
}

pub(in crate::screen) fn scroll(
    display: &Display,
    direction: Direction,
    clicks: u32,
    at: Option<(i32, i32)>,
) -> Result<(), ScreenError> {
    if let Some((x, y)) = at {
        display.move_pointer(on_screen(display, ("x", x), ("y", y))?)?;
    }
    for _ in 0..clicks {
        display.tap(direction.x11_button())?;
    }
    display.sync()
}

/// Rejects a point outside the screen. For such a point, the X server would move the pointer to the nearest edge
/// without an error.
fn on_screen(
    display: &Display,
    x: (&'static str, i32),
    y: (&'static str, i32),
) -> Result<(i16, i16), ScreenError> {
    let (width, height) = display.size()?;
    Ok((within(x, width)?, within(y, height)?))
}

fn within((field, value): (&'static str, i32), size: u16) -> Result<i16, ScreenError> {
    match i16::try_from(value) {
        Ok(value) if (0..i32::from(size)).contains(&i32::from(value)) => Ok(value),
        _ => {
            let message = format!("{value} is outside the screen; use 0 to {}", i32::from(size) - 1);
            Err(ScreenError::bad_input(field, message))
        }
    }
}

fn motion_count(travel_time: Duration) -> u32 {
    u32::try_from(travel_time.as_micros().div_ceil(DRAG_STEP.as_micros())).unwrap_or(u32::MAX)
}

fn interpolate(from: (i16, i16), to: (i16, i16), step: u32, steps: u32) -> (i16, i16) {
    let part = f64::from(step) / f64::from(steps);
    let mix = |a: i16, b: i16| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as i16;
    (mix(from.0, to.0), mix(from.1, to.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_motion_of_a_drag_is_its_end() {
        for steps in [2, 7, 31] {
            assert_eq!(interpolate((0, 719), (1279, 0), steps, steps), (1279, 0));
        }
        assert_eq!(interpolate((-5, 10), (5, 20), 1, 2), (0, 15));
    }

    #[test]
    fn a_drag_has_sixty_motions_a_second() {
        assert_eq!(motion_count(Duration::from_millis(500)), 30);
        assert!(motion_count(MIN_DRAG - DWELL_TIME) > 10);
    }

    #[test]
    fn a_coordinate_outside_the_screen_is_rejected_with_its_field_and_range() {
        for value in [-1, 1280, 70_000, i32::MIN] {
            let error = within(("start_x", value), 1280).unwrap_err();
            assert!(matches!(error, ScreenError::BadInput { field: "start_x", .. }));
            assert!(error.to_string().contains("0 to 1279"), "{error}");
        }
        assert_eq!(within(("x", 0), 1280).unwrap(), 0);
        assert_eq!(within(("x", 1279), 1280).unwrap(), 1279);
    }
}
