//! Tests keyboard layouts.

use x11rb::protocol::xkb::{self, ConnectionExt as _};
use x11rb::protocol::xproto::ModMask;

use super::{
    not_canceled,
    recorder::{InputEvent, Recorder},
    server::Server,
};
use crate::screen::connection::Display;
use InputEvent::{KeyDown, KeyUp};

const CONTROL: u32 = 0xffe3;
const SHIFT: u32 = 0xffe1;
const TEXT: &str = "abc XYZ 123 /?@#[]{}\\|~^`'\" é Ж ß € λ م";

/// The tested layouts: the arguments of `setxkbmap`, and the active group.
const LAYOUTS: [(&[&str], u8); 14] = [
    (&["us"], 0),
    (&["us", "intl"], 0),
    (&["us", "dvorak"], 0),
    (&["de"], 0),
    (&["fr"], 0),
    (&["fr", "bepo"], 0),
    (&["es"], 0),
    (&["ru"], 0),
    (&["gr"], 0),
    (&["ara"], 0),
    (&["us,ru"], 1),
    (&["ru,us"], 0),
    (&["gr,ara,us"], 1),
    (&["ru,fr"], 0),
];

/// Returns the definitions of the printable keys, with all levels and types, from the output of `xkbcomp`.
fn keys(server: &Server) -> Vec<String> {
    let display = format!(":{}", server.number());
    let map = server.output("xkbcomp", &["-xkb", &display, "-"]);
    let (_, keysyms) = map.split_once("xkb_symbols").unwrap();
    let printable = |line: &&str| ["<A", "<TLDE>", "<BKSL>", "<LSGT>"].iter().any(|key| line.contains(key));
    // Splits at the start of each entry, because an entry may have several lines.
    keysyms.split("    key ").filter(printable).map(str::to_owned).collect()
}

fn group(display: &Display) -> (u8, u8) {
    display.conn.xkb_use_extension(1, 0).unwrap().reply().unwrap();
    let state = display.conn.xkb_get_state(0x100).unwrap().reply().unwrap();
    (state.group.into(), state.locked_group.into())
}

fn lock_group(display: &Display, group: u8) {
    let none = ModMask::from(0u8);
    display.conn.xkb_use_extension(1, 0).unwrap().reply().unwrap();
    display
        .conn
        .xkb_latch_lock_state(0x100, none, none, true, xkb::Group::from(group), none, false, 0)
        .unwrap();
    display.sync().unwrap();
}

/// Presses a combination and checks its events.
fn shortcut(screen: &crate::screen::Screen, window: &Recorder, combo: &str, down: &[u32]) {
    screen.key(combo).unwrap();
    let seen = window.wait(combo, |seen| seen.len() >= down.len() * 2);
    let expected: Vec<InputEvent> = down
        .iter()
        .map(|&keysym| KeyDown(keysym))
        .chain(down.iter().rev().map(|&keysym| KeyUp(keysym)))
        .collect();
    assert_eq!(seen, expected, "{combo}");
}

#[test]
fn shortcuts_and_text_work_in_every_layout_and_do_not_change_it() {
    for (layout, in_use) in LAYOUTS {
        let server = Server::start();
        let screen = server.screen();
        let window = Recorder::open(&server.endpoint());
        server.run("setxkbmap", layout);
        let display = Display::connect(&server.endpoint()).unwrap();
        lock_group(&display, in_use);
        let before = keys(&server);
        assert!(before.len() > 40, "{before:?}");
        let state = group(&display);
        assert_eq!(state.0, in_use, "{layout:?}");

        for _ in 0..2 {
            screen.type_text(TEXT, None, &not_canceled()).unwrap();
            // The recorder uses the core protocol, which returns only the first group.
            if !layout[0].contains(',') {
                assert_eq!(window.text(TEXT.chars().count()), TEXT, "{layout:?}");
                window.wait("the last release", |seen| !matches!(seen.last(), Some(KeyDown(_))));
                shortcut(&screen, &window, "ctrl+a", &[CONTROL, 'a' as u32]);
                shortcut(&screen, &window, "CTRL+Z", &[CONTROL, 'z' as u32]);
                shortcut(&screen, &window, "ctrl+1", &[CONTROL, '1' as u32]);
                shortcut(&screen, &window, "ctrl+shift+t", &[CONTROL, SHIFT, 'T' as u32]);
                shortcut(&screen, &window, "ctrl+Enter", &[CONTROL, 0xff0d]);
            } else {
                screen.key("ctrl+a").unwrap();
                screen.key("ctrl+1").unwrap();
            }
        }
        assert_eq!(keys(&server), before, "{layout:?}");
        assert_eq!(group(&display), state, "{layout:?}");
        assert!(display.keys_down().unwrap().is_empty());
    }
}

#[test]
fn the_group_is_restored_after_a_cancellation() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    server.run("setxkbmap", &["us,ru"]);
    let display = Display::connect(&server.endpoint()).unwrap();
    lock_group(&display, 1);
    let caller = not_canceled();
    let result = std::thread::scope(|scope| {
        let typing = scope.spawn(|| screen.type_text(&"abc".repeat(100), super::slow(), &caller));
        super::eventually("the first character", || (!window.seen().is_empty()).then_some(()));
        assert_eq!(group(&display), (0, 0));
        caller.cancel();
        typing.join().unwrap()
    });
    assert!(result.is_err());
    super::eventually("the group", || (group(&display) == (1, 1)).then_some(()));
}

#[test]
fn keypad_keys_do_not_depend_on_num_lock() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    for _ in 0..2 {
        for (combo, keysym) in
            [("KP_Home", 0xff95), ("KP_7", 0xffb7), ("KP_Enter", 0xff8d), ("KP_Add", 0xffab)]
        {
            shortcut(&screen, &window, combo, &[keysym]);
        }
        screen.key("Num_Lock").unwrap();
        window.wait("Num Lock", |seen| seen.len() >= 2);
    }
}
