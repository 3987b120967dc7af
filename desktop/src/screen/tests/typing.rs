//! Tests typing of text.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use x11rb::{
    NONE,
    protocol::xproto::{ConnectionExt as _, KeyButMask},
};

use super::{eventually, not_canceled, recorder::Recorder, server::Server, slow, viewer::Viewer};
use crate::screen::{ScreenError, connection::Display, input::xtest::KeyOrButton};

const CAPS_LOCK_CODE: u8 = 66;
const SHIFT_CODE: u8 = 50;

/// Returns texts of 200 characters each. They contain characters on the keyboard, characters of other alphabets, and
/// more distinct characters than the pool has keycodes.
pub(super) fn samples() -> Vec<String> {
    let cycle = |characters: &str| characters.chars().cycle().take(200).collect::<String>();
    let han: String = (0..200).filter_map(|n| char::from_u32(0x4e00 + n * 7)).collect();
    vec![
        cycle(
            "The quick brown fox (jumps) over \"13\" lazy dogs; {a[0]} = $b & ~c ^ d | e\\f `g` @h #i 50%!? <j>",
        ),
        cycle("éèêëàâäçñöøßÉÈÊÀÄÇÑÖØÅåœŒ÷×«»¿¡ and plain"),
        cycle("Съешь же ещё этих мягких французских булок, да выпей чаю. СЪЕШЬ ЖЕ ЕЩЁ"),
        cycle("Ξεσκεπάζω την ψυχοφθόρα βδελυγμία ΑΒΓΔ"),
        han,
        cycle("😀🎉🚀👍🏽❤️🔥🧪🐢🦀👩‍💻 "),
        cycle("line\n\ttabbed é漢😀 Ж\n"),
    ]
}

#[track_caller]
fn type_exactly(screen: &crate::screen::Screen, window: &Recorder, text: &str) {
    screen.type_text(text, None, &not_canceled()).unwrap();
    assert_eq!(window.text(text.chars().count()), text);
}

#[test]
fn every_text_is_received_exactly() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    for round in 0..3 {
        for text in samples() {
            type_exactly(&screen, &window, &text);
        }
        assert!(window.seen().is_empty(), "round {round} has additional keys");
    }
}

#[test]
fn caps_lock_does_not_change_the_text_and_stays_on() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    let person = Display::connect_for_input(&server.endpoint()).unwrap();
    person.tap(KeyOrButton::Key(CAPS_LOCK_CODE)).unwrap();
    person.sync().unwrap();
    type_exactly(&screen, &window, "Hello wörld, жЖ");
    let state = person.conn.query_pointer(person.root).unwrap().reply().unwrap().mask;
    assert!(state.contains(KeyButMask::LOCK));
}

#[test]
fn a_held_modifier_does_not_change_the_text_and_stays_down() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    let person = Display::connect_for_input(&server.endpoint()).unwrap();
    person.press(KeyOrButton::Key(SHIFT_CODE)).unwrap();
    person.sync().unwrap();
    type_exactly(&screen, &window, "Hello wörld, жЖ 123");
    let state = person.conn.query_pointer(person.root).unwrap().reply().unwrap().mask;
    assert!(state.contains(KeyButMask::SHIFT));
}

#[test]
fn modifiers_of_a_remote_viewer_do_not_change_the_text() {
    const SHIFT_L: u32 = 0xffe1;
    const CAPS_LOCK: u32 = 0xffe5;
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    let display = Display::connect(&server.endpoint()).unwrap();
    let state_has = |mask: KeyButMask| {
        display.conn.query_pointer(display.root).unwrap().reply().unwrap().mask.contains(mask)
    };
    let mut viewer = Viewer::connect(&server);

    viewer.key(SHIFT_L, true);
    eventually("Shift held", || state_has(KeyButMask::SHIFT).then_some(()));
    type_exactly(&screen, &window, "Held: wörld Ж?");
    assert!(state_has(KeyButMask::SHIFT));
    viewer.key(SHIFT_L, false);
    eventually("Shift released", || (!state_has(KeyButMask::SHIFT)).then_some(()));
    type_exactly(&screen, &window, "Free: wörld Ж?");

    viewer.key(CAPS_LOCK, true);
    viewer.key(CAPS_LOCK, false);
    eventually("Caps Lock on", || state_has(KeyButMask::LOCK).then_some(()));
    type_exactly(&screen, &window, "Locked: wörld Ж?");
    assert!(state_has(KeyButMask::LOCK));
}

#[test]
fn a_window_that_ignores_pings_receives_every_text() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open_unresponsive(&server.endpoint());
    for text in samples() {
        type_exactly(&screen, &window, &text);
    }
}

#[test]
fn a_window_without_ping_receives_text_up_to_the_capacity_of_the_pool() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open_without_ping(&server.endpoint());
    type_exactly(&screen, &window, "ASCII, é and Ж");
    type_exactly(&screen, &window, "漢字 and Ж");
}

/// Tests a window that takes seconds to handle keys that are pressed within a few milliseconds. A fixed pause would be
/// too short.
#[test]
fn a_slow_window_that_responds_to_mapping_probes_receives_every_text() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open_rereading(&server.endpoint(), Duration::from_millis(5));
    let first: String = ('а'..='я').collect();
    type_exactly(&screen, &window, &first);
    let han: String = (0..100).filter_map(|n| char::from_u32(0x4e00 + n)).collect();
    type_exactly(&screen, &window, &han);
}

#[test]
fn canceled_typing_stops_and_releases_every_key() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    let caller = CancellationToken::new();
    let result = std::thread::scope(|scope| {
        let typing = scope.spawn(|| screen.type_text(&"Ä?".repeat(1000), slow(), &caller));
        eventually("the first character", || (!window.seen().is_empty()).then_some(()));
        caller.cancel();
        typing.join().unwrap()
    });
    assert!(matches!(result, Err(ScreenError::Canceled)), "{result:?}");
    let display = Display::connect(&server.endpoint()).unwrap();
    assert!(display.keys_down().unwrap().is_empty());
}

#[test]
fn opening_a_screen_unbinds_keycodes_except_those_with_a_fixed_meaning() {
    let server = Server::start();
    let other = Display::connect(&server.endpoint()).unwrap();
    let keysyms = |code| other.conn.get_keyboard_mapping(code, 1).unwrap().reply().unwrap().keysyms;
    let kept = || [38, 50, 166, 167, 181, 203, 205, 206, 207].map(keysyms);
    let before = kept();
    let _screen = server.screen();
    assert_eq!(kept(), before);
    assert!([138, 170, 193, 255].map(keysyms).iter().flatten().all(|&keysym| keysym == 0));
}

/// Tests two clients that change the keymap: a remote viewer that binds keycodes, and a keyboard tool that loads a
/// keymap.
#[test]
fn keycodes_that_other_clients_bind_are_not_used() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    type_exactly(&screen, &window, "жук и é");
    let other = Display::connect(&server.endpoint()).unwrap();
    let bind = |code: u8, keysym: u32| {
        other.conn.change_keyboard_mapping(1, code, 2, &[keysym, keysym]).unwrap();
        other.sync().unwrap();
    };
    for code in (138..=255).filter(|code| code % 2 == 0) {
        bind(code, 0x0100_1000 + u32::from(code));
    }
    type_exactly(&screen, &window, "жук и é: ёлка");
    let theirs = other.conn.get_keyboard_mapping(254, 1).unwrap().reply().unwrap().keysyms;
    assert_eq!(theirs[0], 0x0100_10fe);

    for code in 138..=255 {
        bind(code, 0x0100_2000 + u32::from(code));
    }
    type_exactly(&screen, &window, "жук и é: ещё ёлка");
}

#[test]
fn control_characters_are_skipped_and_the_rest_is_received() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    let left_out = screen.type_text("page 1\u{c}page\u{1b}[A 2", None, &not_canceled()).unwrap();
    assert_eq!(left_out, ['\u{c}', '\u{1b}']);
    let typed = "page 1page[A 2";
    assert_eq!(window.text(typed.len()), typed);
    assert_eq!(screen.type_text("\u{0}\u{8}", None, &not_canceled()).unwrap(), ['\u{0}', '\u{8}']);
    assert_eq!(screen.type_text("", None, &not_canceled()).unwrap(), []);
    type_exactly(&screen, &window, "after");
}

#[test]
fn typing_without_a_focused_window_returns() {
    let server = Server::start();
    let screen = server.screen();
    let other = Display::connect(&server.endpoint()).unwrap();
    other.conn.set_input_focus(x11rb::protocol::xproto::InputFocus::NONE, NONE, 0u32).unwrap();
    other.sync().unwrap();
    screen.type_text("into the void: ж", None, &not_canceled()).unwrap();
}
