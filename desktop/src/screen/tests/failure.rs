//! Tests X servers that crash or hang.

use std::sync::Arc;

use rustix::process::Signal;
use x11rb::protocol::xproto::{ConnectionExt as _, KeyButMask};

use super::{
    clicks, eventually, not_canceled, seconds,
    server::{Server, Socket},
};
use crate::screen::{
    Button, Direction, ImageFormat, Screen, ScreenError, connection::Display, input::xtest::KeyOrButton,
};

const SHIFT_CODE: u8 = 50;

fn every_call(screen: &Screen) -> [Result<(), ScreenError>; 6] {
    [
        screen.click(1, 1, Button::Left, false),
        screen.drag((0, 0), (1, 1), Button::Left, seconds(0.001), &not_canceled()),
        screen.type_text("a", None, &not_canceled()).map(drop),
        screen.key("a"),
        screen.scroll(Direction::Up, clicks(1), None),
        screen.screenshot(ImageFormat::Png, None).map(drop),
    ]
}

#[test]
fn opening_a_screen_without_a_server_fails() {
    let result = Screen::open(Arc::new(Socket("/nonexistent/X9".into())));
    assert!(matches!(result, Err(ScreenError::Lost(_))), "{result:?}");
}

#[test]
fn every_call_fails_after_a_crash() {
    let mut server = Server::start();
    let screen = server.screen();
    server.crash();
    let [first, ..] = every_call(&screen);
    assert!(matches!(first, Err(ScreenError::Interrupted(_))), "{first:?}");
    for result in every_call(&screen) {
        assert!(matches!(result, Err(ScreenError::Lost(_))), "{result:?}");
    }
    assert_eq!(screen.size(), (1280, 720));
    assert!(matches!(screen.watch(|_| ()), Err(ScreenError::Lost(_))));
}

#[test]
fn a_crash_during_a_drag_ends_it() {
    let mut server = Server::start();
    let screen = server.screen();
    let result = std::thread::scope(|scope| {
        let drag =
            scope.spawn(|| screen.drag((0, 0), (900, 600), Button::Left, seconds(20.0), &not_canceled()));
        let other = Display::connect(&server.endpoint()).unwrap();
        eventually("the pressed button", || {
            let pointer = other.conn.query_pointer(other.root).unwrap().reply().unwrap();
            pointer.mask.contains(KeyButMask::BUTTON1).then_some(())
        });
        server.crash();
        drag.join().unwrap()
    });
    assert!(matches!(result, Err(ScreenError::Interrupted(_))), "{result:?}");
}

#[test]
fn the_button_is_released_after_a_server_hung_during_a_drag() {
    let server = Server::start();
    let screen = server.screen();
    let other = Display::connect(&server.endpoint()).unwrap();
    let is_down = || {
        let pointer = other.conn.query_pointer(other.root).unwrap().reply().unwrap();
        pointer.mask.contains(KeyButMask::BUTTON1)
    };
    let result = std::thread::scope(|scope| {
        let drag =
            scope.spawn(|| screen.drag((0, 0), (900, 600), Button::Left, seconds(1.0), &not_canceled()));
        eventually("the pressed button", || is_down().then_some(()));
        server.signal(Signal::STOP);
        drag.join().unwrap()
    });
    server.signal(Signal::CONT);
    assert!(matches!(result, Err(ScreenError::Interrupted(_))), "{result:?}");
    eventually("the released button", || (!is_down()).then_some(()));
}

#[test]
fn a_new_connection_releases_the_inputs_of_a_lost_connection() {
    let server = Server::start();
    let lost = Display::connect_for_input(&server.endpoint()).unwrap();
    lost.press(KeyOrButton::Button(1)).unwrap();
    lost.press(KeyOrButton::Key(SHIFT_CODE)).unwrap();
    lost.sync().unwrap();
    drop(lost);
    let next = Display::connect_for_input(&server.endpoint()).unwrap();
    assert!(next.keys_down().unwrap().is_empty());
    let pointer = next.conn.query_pointer(next.root).unwrap().reply().unwrap();
    assert_eq!(u16::from(pointer.mask), 0);
}

#[test]
fn calls_succeed_again_after_a_server_hung() {
    let server = Server::start();
    let screen = server.screen();
    server.signal(Signal::STOP);
    let hung = screen.click(1, 1, Button::Left, false);
    server.signal(Signal::CONT);
    assert!(matches!(hung, Err(ScreenError::Interrupted(_))), "{hung:?}");
    for result in every_call(&screen) {
        result.unwrap();
    }
}
