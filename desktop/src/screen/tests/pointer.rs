//! Tests clicks, drags and wheel scrolling.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{
    clicks, not_canceled,
    recorder::{InputEvent, Recorder},
    seconds,
    server::Server,
};
use crate::screen::{
    ActionDuration, Button, Direction, ScreenError, WheelClicks,
    connection::Display,
    input::xtest::{HeldInputs, KeyOrButton},
};

fn presses(seen: &[InputEvent]) -> Vec<InputEvent> {
    seen.iter().filter(|seen| !matches!(seen, InputEvent::Motion(..))).cloned().collect()
}

#[test]
fn clicks_have_the_right_pixel_and_button() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    for (x, y) in [(0, 0), (1279, 0), (0, 719), (1279, 719), (640, 360), (1, 700)] {
        for (button, number) in [(Button::Left, 1), (Button::Middle, 2), (Button::Right, 3)] {
            screen.click(x, y, button, false).unwrap();
            let seen = window.wait("a click", |seen| presses(seen).len() >= 2);
            let (x, y) = (x as i16, y as i16);
            assert_eq!(
                presses(&seen),
                [InputEvent::ButtonDown(number, x, y), InputEvent::ButtonUp(number, x, y)]
            );
        }
    }
}

#[test]
fn a_double_click_is_two_clicks() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    screen.click(30, 40, Button::Left, true).unwrap();
    let seen = window.wait("two clicks", |seen| presses(seen).len() >= 4);
    let click = [InputEvent::ButtonDown(1, 30, 40), InputEvent::ButtonUp(1, 30, 40)];
    assert_eq!(presses(&seen), [click.clone(), click].concat());
}

#[test]
fn a_drag_moves_along_a_straight_line() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    screen.drag((0, 0), (1279, 719), Button::Right, seconds(0.3), &not_canceled()).unwrap();
    let seen = window.wait("the drag", |seen| presses(seen).len() >= 2);

    assert_eq!(presses(&seen), [InputEvent::ButtonDown(3, 0, 0), InputEvent::ButtonUp(3, 1279, 719)]);
    let pressed = seen.iter().position(|seen| matches!(seen, InputEvent::ButtonDown(..))).unwrap();
    let path: Vec<_> = seen[pressed..]
        .iter()
        .filter_map(|seen| match seen {
            InputEvent::Motion(x, y) => Some((*x, *y)),
            _ => None,
        })
        .collect();
    assert_eq!(path.len(), 18);
    assert!(path.is_sorted());
    assert_eq!(path.last(), Some(&(1279, 719)));
}

#[test]
fn a_drag_waits_for_a_slow_application() {
    let server = Server::start();
    let screen = server.screen();
    // The application needs much longer for the motions than the drag takes.
    let window = Recorder::open_dragging(&server.endpoint(), Duration::from_millis(60));
    screen.drag((0, 0), (1279, 719), Button::Left, seconds(0.0), &not_canceled()).unwrap();
    let seen = window.wait("the release", |seen| presses(seen).len() >= 2);
    let [.., last, release] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((last, release), (&InputEvent::Motion(1279, 719), &InputEvent::ButtonUp(1, 1279, 719)));
}

#[test]
fn a_drag_ends_although_the_application_hangs() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open_unresponsive(&server.endpoint());
    screen.drag((0, 0), (9, 9), Button::Left, seconds(0.0), &not_canceled()).unwrap();
    let seen = window.wait("the release", |seen| presses(seen).len() >= 2);
    assert_eq!(presses(&seen), [InputEvent::ButtonDown(1, 0, 0), InputEvent::ButtonUp(1, 9, 9)]);
}

#[test]
fn a_canceled_drag_releases_its_button() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    let caller = CancellationToken::new();
    let result = std::thread::scope(|scope| {
        let drag = scope.spawn(|| screen.drag((0, 0), (1279, 719), Button::Left, seconds(60.0), &caller));
        window.wait("the press", |seen| presses(seen).len() == 1);
        caller.cancel();
        drag.join().unwrap()
    });
    assert!(matches!(result, Err(ScreenError::Canceled)), "{result:?}");
    let seen = window.wait("the release", |seen| !presses(seen).is_empty());
    assert!(matches!(presses(&seen)[..], [InputEvent::ButtonUp(1, x, _)] if x < 1279), "{seen:?}");
    let late = screen.drag((0, 0), (9, 9), Button::Left, seconds(0.0), &caller);
    assert!(matches!(late, Err(ScreenError::Canceled)), "{late:?}");
    assert!(presses(&window.seen()).is_empty());
}

#[test]
fn scrolling_uses_the_right_position_and_direction() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    screen.click(5, 6, Button::Left, false).unwrap();
    window.wait("the click", |seen| presses(seen).len() >= 2);
    let turns = [(Direction::Up, 4), (Direction::Down, 5), (Direction::Left, 6), (Direction::Right, 7)];
    for (direction, number) in turns {
        screen.scroll(direction, clicks(3), None).unwrap();
        let seen = window.wait("three turns", |seen| presses(seen).len() >= 6);
        let turn = [InputEvent::ButtonDown(number, 5, 6), InputEvent::ButtonUp(number, 5, 6)];
        assert_eq!(seen, [turn.clone(), turn.clone(), turn].concat());
    }
    screen.scroll(Direction::Down, clicks(1), Some((700, 500))).unwrap();
    let seen = window.wait("a turn", |seen| presses(seen).len() >= 2);
    assert_eq!(presses(&seen)[0], InputEvent::ButtonDown(5, 700, 500));
}

#[test]
fn values_out_of_range_are_rejected_by_name_and_have_no_effect() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    let left = Button::Left;
    let short = seconds(0.01);
    let refusals = [
        (screen.click(1280, 0, left, false), "x"),
        (screen.click(0, -1, left, false), "y"),
        (screen.drag((-1, 0), (5, 5), left, short, &not_canceled()), "start_x"),
        (screen.drag((0, 720), (5, 5), left, short, &not_canceled()), "start_y"),
        (screen.drag((0, 0), (70_000, 5), left, short, &not_canceled()), "end_x"),
        (screen.drag((0, 0), (5, i32::MAX), left, short, &not_canceled()), "end_y"),
        (ActionDuration::from_seconds("duration", 61.0).map(drop), "duration"),
        (WheelClicks::new(0).map(drop), "amount"),
        (WheelClicks::new(1001).map(drop), "amount"),
        (screen.scroll(Direction::Up, clicks(1), Some((0, 1000))), "y"),
    ];
    for (result, expected) in refusals {
        let Err(ScreenError::BadInput { field, message }) = result else { panic!("{expected}: {result:?}") };
        assert_eq!(field, expected);
        assert!(!message.is_empty());
    }
    screen.click(9, 9, left, false).unwrap();
    let seen = window.wait("the click", |seen| presses(seen).len() >= 2);
    assert_eq!(presses(&seen)[0], InputEvent::ButtonDown(1, 9, 9));
}

#[test]
fn a_button_is_released_if_a_drag_is_interrupted() {
    let server = Server::start();
    let window = Recorder::open(&server.endpoint());
    let display = Display::connect_for_input(&server.endpoint()).unwrap();
    let mut hold = HeldInputs::new(&display);
    hold.press(KeyOrButton::Button(1)).unwrap();
    drop(hold);
    let seen = window.wait("the release", |seen| presses(seen).len() >= 2);
    assert!(matches!(presses(&seen)[..], [InputEvent::ButtonDown(1, ..), InputEvent::ButtonUp(1, ..)]));
}
