use std::{path::Path, time::Duration};

use rustix::process::Signal;
use x11rb::protocol::xproto::{ConnectionExt as _, KeyButMask};

use super::{eventually, server::Server};
use crate::screen::{Button, Direction, ImageFormat, Screen, ScreenError, connection::Display};

fn every_call(screen: &Screen) -> [Result<(), ScreenError>; 6] {
    [
        screen.click(1, 1, Button::Left, false),
        screen.drag((0, 0), (1, 1), Button::Left, Duration::from_millis(1)),
        screen.type_text("a", None),
        screen.key("a"),
        screen.scroll(Direction::Up, 1, None),
        screen.screenshot(ImageFormat::Png, None).map(drop),
    ]
}

#[test]
fn nothing_to_connect_to_is_a_lost_screen() {
    let result = Screen::open(Path::new("/nonexistent/X9"));
    assert!(matches!(result, Err(ScreenError::Lost(_))), "{result:?}");
}

#[test]
fn a_crashed_server_is_lost_for_every_call() {
    let mut server = Server::start();
    let screen = server.screen();
    server.crash();
    for _ in 0..2 {
        for result in every_call(&screen) {
            assert!(matches!(result, Err(ScreenError::Lost(_))), "{result:?}");
        }
    }
    assert_eq!(screen.size(), (1280, 720));
    assert!(matches!(screen.watch(|_| ()), Err(ScreenError::Lost(_))));
}

#[test]
fn a_crash_in_the_middle_of_a_drag_ends_it() {
    let mut server = Server::start();
    let screen = server.screen();
    let result = std::thread::scope(|scope| {
        let drag = scope.spawn(|| screen.drag((0, 0), (900, 600), Button::Left, Duration::from_secs(20)));
        let other = Display::connect(&server.socket()).unwrap();
        eventually("the drag under way", || {
            let pointer = other.conn.query_pointer(other.root).unwrap().reply().unwrap();
            pointer.mask.contains(KeyButMask::BUTTON1).then_some(())
        });
        server.crash();
        drag.join().unwrap()
    });
    assert!(matches!(result, Err(ScreenError::Lost(_))), "{result:?}");
}

#[test]
fn a_server_that_hangs_is_lost_and_found_again() {
    let server = Server::start();
    let screen = server.screen();
    server.signal(Signal::STOP);
    let hung = screen.click(1, 1, Button::Left, false);
    server.signal(Signal::CONT);
    assert!(matches!(hung, Err(ScreenError::Lost(_))), "{hung:?}");
    for result in every_call(&screen) {
        result.unwrap();
    }
}
