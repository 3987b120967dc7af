//! Tests the detection of ready parts of the desktop.

use std::{thread, time::Instant};

use x11rb::{
    protocol::xproto::{AtomEnum, PropMode},
    wrapper::ConnectionExt as _,
};

use super::{TEST_TIMEOUT, server::Server};
use crate::screen::{DesktopPart, connection::Display};

#[test]
fn a_call_waits_for_the_window_manager() {
    let mut server = Server::start();
    let screen = server.screen();
    assert!(!screen.wait_until_ready(DesktopPart::WindowManager, Instant::now()).unwrap());
    let waiting = thread::spawn(move || {
        screen.wait_until_ready(DesktopPart::WindowManager, Instant::now() + TEST_TIMEOUT)
    });
    server.manage_windows();
    assert!(waiting.join().unwrap().unwrap());
}

#[test]
fn a_desktop_is_ready_with_its_wallpaper_and_its_panel() {
    let server = Server::start();
    let display = Display::connect(&server.endpoint()).unwrap();
    let screen = server.screen();
    let shown = |until: Instant| screen.wait_until_ready(DesktopPart::WallpaperAndPanel, until).unwrap();
    let set = |property, kind, value: &[u32]| {
        display.conn.change_property32(PropMode::REPLACE, display.root, property, kind, value).unwrap();
        display.sync().unwrap();
    };
    set(display.atoms._XROOTPMAP_ID, AtomEnum::PIXMAP, &[1]);
    set(display.atoms._NET_WORKAREA, AtomEnum::CARDINAL, &[0, 0, 1280, 720]);
    assert!(!shown(Instant::now()));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| shown(Instant::now() + TEST_TIMEOUT));
        set(display.atoms._NET_WORKAREA, AtomEnum::CARDINAL, &[0, 0, 1280, 684]);
        assert!(waiting.join().unwrap());
    });
}
