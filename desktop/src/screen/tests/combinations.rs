//! Tests key combinations.

use super::{
    recorder::{InputEvent, Recorder},
    server::Server,
};
use crate::screen::{
    ScreenError,
    connection::Display,
    input::xtest::{HeldInputs, KeyOrButton},
};
use InputEvent::{KeyDown, KeyUp};
use x11rb::protocol::xproto::ConnectionExt as _;

const CONTROL: u32 = 0xffe3;
const SHIFT: u32 = 0xffe1;
const SHIFT_CODE: u8 = 50;

#[test]
fn keys_are_pressed_in_order_and_released_in_reverse_order() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    let (return_, page_up, f5, left, super_) = (0xff0d, 0xff55, 0xffc2, 0xff51, 0xffeb);
    let cases: [(&str, &[u32]); 9] = [
        ("ctrl+c", &[CONTROL, 0x63]),
        ("Enter", &[return_]),
        ("Page_Up", &[page_up]),
        ("F5", &[f5]),
        ("super+Left", &[super_, left]),
        ("F13", &[0xffca]),
        ("é", &[0xe9]),
        ("ctrl+ж", &[CONTROL, 0x0100_0436]),
        ("-", &[0x2d]),
    ];
    for (combo, keysyms) in cases {
        screen.key(combo).unwrap();
        let seen = window.wait(combo, |seen| seen.len() >= keysyms.len() * 2);
        let down = keysyms.iter().map(|&keysym| KeyDown(keysym));
        let up = keysyms.iter().rev().map(|&keysym| KeyUp(keysym));
        assert_eq!(seen, down.chain(up).collect::<Vec<_>>(), "{combo}");
    }
}

#[test]
fn shift_is_pressed_for_a_character_that_needs_it() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    for (combo, keysym) in [("A", 0x41), ("?", 0x3f), ("+", 0x2b)] {
        screen.key(combo).unwrap();
        let seen = window.wait(combo, |seen| seen.len() >= 4);
        assert_eq!(seen, [KeyDown(SHIFT), KeyDown(keysym), KeyUp(keysym), KeyUp(SHIFT)]);
    }
    screen.key("shift+A").unwrap();
    let seen = window.wait("shift+A", |seen| seen.contains(&KeyUp(SHIFT)));
    assert_eq!(seen.iter().filter(|&seen| *seen == KeyDown(0x41)).count(), 1);
}

#[test]
fn a_held_modifier_is_released_during_the_action_and_pressed_again() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    let person = Display::connect_for_input(&server.endpoint()).unwrap();
    person.press(KeyOrButton::Key(SHIFT_CODE)).unwrap();
    person.sync().unwrap();
    screen.key("a").unwrap();
    let seen = window.wait("a", |seen| seen.len() >= 5);
    assert_eq!(seen, [KeyDown(SHIFT), KeyUp(SHIFT), KeyDown(0x61), KeyUp(0x61), KeyDown(SHIFT)]);
    person.release(KeyOrButton::Key(SHIFT_CODE)).unwrap();
    person.sync().unwrap();
}

#[test]
fn an_unknown_key_is_rejected_with_similar_names_and_nothing_is_pressed() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    let Err(ScreenError::BadInput { field: "key", message }) = screen.key("ctrl+Entr") else { panic!() };
    assert!(message.contains("Enter"), "{message}");
    screen.key("x").unwrap();
    assert_eq!(window.wait("x", |seen| seen.len() >= 2), [KeyDown(0x78), KeyUp(0x78)]);
}

#[test]
fn keys_are_released_if_a_combination_is_interrupted() {
    let server = Server::start();
    let display = Display::connect_for_input(&server.endpoint()).unwrap();
    let mut hold = HeldInputs::new(&display);
    hold.press(KeyOrButton::Key(37)).unwrap();
    hold.press(KeyOrButton::Key(SHIFT_CODE)).unwrap();
    drop(hold);
    assert_eq!(display.conn.query_keymap().unwrap().reply().unwrap().keys, [0; 32]);
}
