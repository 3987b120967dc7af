//! Clicks, drags and the wheel.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use x11rb::connection::Connection;

use super::{
    Button, Direction,
    connection::Display,
    error::ScreenError,
    hold::{Hold, Switch},
    pause,
};

/// Longest drag that is carried out; every other input of the screen waits for it.
pub(super) const MAX_DRAG: Duration = Duration::from_secs(60);
/// Shortest time from the press of a drag to its release, whatever duration is asked for. A browser starts its drag and drop in
/// another process, after the first motions; a release that comes before is the end of nothing, and no drop.
pub(super) const SHORTEST_DRAG: Duration = Duration::from_millis(400);
/// How much of it the pointer rests at the end, so that what is there says whether it accepts the drop.
const REST: Duration = Duration::from_millis(100);
/// Time between two motions of a drag: what a 60 Hz mouse reports.
const DRAG_STEP: Duration = Duration::from_micros(16_667);
/// Most wheel clicks per call. More is surely a mistake for pixels.
const MAX_SCROLL: u32 = 1000;

impl Button {
    fn switch(self) -> Switch {
        Switch::Button(match self {
            Self::Left => 1,
            Self::Middle => 2,
            Self::Right => 3,
        })
    }
}

impl Direction {
    fn switch(self) -> Switch {
        Switch::Button(match self {
            Self::Up => 4,
            Self::Down => 5,
            Self::Left => 6,
            Self::Right => 7,
        })
    }
}

pub(super) fn click(
    display: &Display,
    (x, y): (i32, i32),
    button: Button,
    double: bool,
) -> Result<(), ScreenError> {
    let at = on_screen(display, ("x", x), ("y", y))?;
    display.move_pointer(at)?;
    for _ in 0..if double { 2 } else { 1 } {
        let mut hold = Hold::new(display);
        hold.press(button.switch())?;
        hold.release()?;
    }
    display.sync()
}

pub(super) fn drag(
    display: &Display,
    start: (i32, i32),
    end: (i32, i32),
    button: Button,
    duration: Duration,
    abandoned: &CancellationToken,
) -> Result<(), ScreenError> {
    pause::still_wanted(abandoned)?;
    let from = on_screen(display, ("start_x", start.0), ("start_y", start.1))?;
    let to = on_screen(display, ("end_x", end.0), ("end_y", end.1))?;
    if duration > MAX_DRAG {
        let message = format!("must be at most {} seconds", MAX_DRAG.as_secs());
        return Err(ScreenError::bad_input("duration", message));
    }

    display.move_pointer(from)?;
    let mut hold = Hold::new(display);
    hold.press(button.switch())?;
    display.sync()?;
    let began = Instant::now();
    let duration = duration.max(SHORTEST_DRAG);
    let way = duration - REST;
    let steps = drag_steps(way);
    for step in 1..=steps {
        pause::until(began + way * step / steps, abandoned)?;
        display.move_pointer(along(from, to, step, steps))?;
        display.conn.flush()?;
    }
    pause::until(began + duration, abandoned)?;
    hold.release()?;
    display.sync()
}

pub(super) fn scroll(
    display: &Display,
    direction: Direction,
    amount: u32,
    at: Option<(i32, i32)>,
) -> Result<(), ScreenError> {
    if !(1..=MAX_SCROLL).contains(&amount) {
        let message = format!("must be between 1 and {MAX_SCROLL} wheel clicks, not {amount}");
        return Err(ScreenError::bad_input("amount", message));
    }
    if let Some((x, y)) = at {
        display.move_pointer(on_screen(display, ("x", x), ("y", y))?)?;
    }
    for _ in 0..amount {
        display.tap(direction.switch())?;
    }
    display.sync()
}

/// The X server moves a point past the edge onto it, so a caller would never hear of the mistake.
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

fn drag_steps(way: Duration) -> u32 {
    u32::try_from(way.as_micros().div_ceil(DRAG_STEP.as_micros())).unwrap_or(u32::MAX)
}

fn along(from: (i16, i16), to: (i16, i16), step: u32, steps: u32) -> (i16, i16) {
    let part = f64::from(step) / f64::from(steps);
    let mix = |a: i16, b: i16| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as i16;
    (mix(from.0, to.0), mix(from.1, to.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drag_ends_exactly_at_its_end() {
        for steps in [2, 7, 31] {
            assert_eq!(along((0, 719), (1279, 0), steps, steps), (1279, 0));
        }
        assert_eq!(along((-5, 10), (5, 20), 1, 2), (0, 15));
    }

    #[test]
    fn a_drag_moves_sixty_times_a_second() {
        assert_eq!(drag_steps(Duration::from_millis(500)), 30);
        assert!(drag_steps(SHORTEST_DRAG - REST) > 10);
    }

    #[test]
    fn a_coordinate_outside_names_the_field_and_the_range() {
        for value in [-1, 1280, 70_000, i32::MIN] {
            let error = within(("start_x", value), 1280).unwrap_err();
            assert!(matches!(error, ScreenError::BadInput { field: "start_x", .. }));
            assert!(error.to_string().contains("0 to 1279"), "{error}");
        }
        assert_eq!(within(("x", 0), 1280).unwrap(), 0);
        assert_eq!(within(("x", 1279), 1280).unwrap(), 1279);
    }
}
