//! Tests that a pointer does not stay frozen.

use std::{thread, time::Duration};

use rustix::process::Signal;
use x11rb::{
    connection::Connection,
    protocol::{
        Event,
        xproto::{ConnectionExt as _, CreateWindowAux, EventMask, KeyButMask, Window},
    },
};

use super::{create_window, eventually, server::Server, viewer::Viewer};
use crate::screen::{Button, connection::Display};

const ALT: u32 = 0xffe9;
const TAB: u32 = 0xff09;
/// The left button in a mask of RFB.
const LEFT: u8 = 1;

/// Opens a window that the window manager manages.
fn open_window(server: &Server, width: u16, height: u16) -> (Display, Window) {
    let display = Display::connect(&server.endpoint()).unwrap();
    let buttons = EventMask::BUTTON_PRESS | EventMask::BUTTON_RELEASE | EventMask::STRUCTURE_NOTIFY;
    let window = create_window(&display, width, height, &CreateWindowAux::new().event_mask(buttons));
    display.conn.map_window(window).unwrap();
    display.conn.flush().unwrap();
    while !matches!(display.conn.wait_for_event().unwrap(), Event::MapNotify(_)) {}
    (display, window)
}

#[test]
fn a_click_arrives_although_a_key_binding_overtakes_it() {
    let mut server = Server::start();
    let screen = server.screen();
    let _watch = screen.watch_for_frozen_pointer().unwrap();
    server.manage_windows();
    let (window, _) = open_window(&server, 1280, 720);
    let mut viewer = Viewer::connect(&server);
    for round in 0..3 {
        // The window manager handles the press only after it has grabbed the keyboard for alt+Tab.
        server.stop_window_manager();
        // The window of alt+Tab does not cover this point.
        screen.click(200, 600, Button::Left, false).unwrap();
        // The times of both events must differ.
        thread::sleep(Duration::from_millis(5));
        viewer.key(ALT, true);
        viewer.key(TAB, true);
        eventually("the keys", || (window.keys_down().unwrap().len() == 2).then_some(()));
        server.signal_window_manager(Signal::CONT);
        for kind in ["press", "release"] {
            eventually(&format!("the {kind} of round {round}"), || {
                match window.conn.poll_for_event().unwrap() {
                    Some(Event::ButtonPress(_)) => (kind == "press").then_some(()),
                    Some(Event::ButtonRelease(_)) => (kind == "release").then_some(()),
                    _ => None,
                }
            });
        }
        let pointer = window.conn.query_pointer(window.root).unwrap().reply().unwrap();
        assert!(!pointer.mask.contains(KeyButMask::BUTTON1));
        viewer.key(TAB, false);
        viewer.key(ALT, false);
        eventually("the release of the keys", || window.keys_down().unwrap().is_empty().then_some(()));
    }
}

#[test]
fn a_busy_window_manager_starts_a_drag() {
    let mut server = Server::start();
    let screen = server.screen();
    let _watch = screen.watch_for_frozen_pointer().unwrap();
    server.manage_windows();
    let (display, window) = open_window(&server, 400, 300);
    let position = || {
        let at = display.conn.translate_coordinates(window, display.root, 0, 0).unwrap().reply().unwrap();
        (at.dst_x, at.dst_y)
    };
    let (left, top) = position();
    let (x, y) = (left.unsigned_abs() + 100, top.unsigned_abs() - 8);
    let mut viewer = Viewer::connect(&server);
    server.stop_window_manager();
    viewer.pointer(LEFT, x, y);
    // The watch requests several answers meanwhile.
    thread::sleep(Duration::from_millis(800));
    server.signal_window_manager(Signal::CONT);
    viewer.pointer(LEFT, x + 20, y + 20);
    eventually("the drag", || {
        viewer.pointer(LEFT, x + 40, y + 40);
        viewer.pointer(LEFT, x + 30, y + 30);
        (position() != (left, top)).then_some(())
    });
    viewer.pointer(0, x + 30, y + 30);
    eventually("the end of the drag", || {
        let pointer = display.conn.query_pointer(display.root).unwrap().reply().unwrap();
        (!pointer.mask.contains(KeyButMask::BUTTON1)).then_some(())
    });
}
