//! Tests that a pointer does not stay frozen.

use std::{thread, time::Duration};

use rustix::process::Signal;
use x11rb::{
    COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT,
    connection::Connection,
    protocol::{
        Event,
        xproto::{ConnectionExt as _, CreateWindowAux, EventMask, KeyButMask, WindowClass},
    },
};

use super::{eventually, server::Server, viewer::Viewer};
use crate::screen::{Button, connection::Display};

const ALT: u32 = 0xffe9;
const TAB: u32 = 0xff09;

/// Opens a window that covers the screen and that the window manager manages.
fn open_window(server: &Server) -> Display {
    let display = Display::connect(&server.endpoint()).unwrap();
    let window = display.conn.generate_id().unwrap();
    let buttons = EventMask::BUTTON_PRESS | EventMask::BUTTON_RELEASE | EventMask::STRUCTURE_NOTIFY;
    display
        .conn
        .create_window(
            COPY_DEPTH_FROM_PARENT,
            window,
            display.root,
            0,
            0,
            1280,
            720,
            0,
            WindowClass::INPUT_OUTPUT,
            COPY_FROM_PARENT,
            &CreateWindowAux::new().event_mask(buttons),
        )
        .unwrap();
    display.conn.map_window(window).unwrap();
    display.conn.flush().unwrap();
    while !matches!(display.conn.wait_for_event().unwrap(), Event::MapNotify(_)) {}
    display
}

#[test]
fn a_click_arrives_although_a_key_binding_overtakes_it() {
    let mut server = Server::start();
    let screen = server.screen();
    let _watch = screen.watch_for_frozen_pointer().unwrap();
    server.manage_windows();
    let window = open_window(&server);
    let mut viewer = Viewer::connect(&server);
    for round in 0..3 {
        // The window manager handles the press only after it has grabbed the keyboard for alt+Tab.
        server.signal_window_manager(Signal::STOP);
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
