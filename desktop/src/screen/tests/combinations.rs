use super::{
    recorder::{Recorder, Seen},
    server::Server,
};
use crate::screen::{
    ScreenError,
    connection::Display,
    input::xtest::{HeldInputs, KeyOrButton},
};
use Seen::{KeyDown, KeyUp};
use x11rb::protocol::xproto::ConnectionExt as _;

const CONTROL: u32 = 0xffe3;
const SHIFT: u32 = 0xffe1;
const SHIFT_CODE: u8 = 50;

#[test]
fn combinations_go_down_in_order_and_up_in_reverse() {
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
fn a_shifted_character_brings_shift_with_it() {
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
fn a_modifier_that_is_held_is_out_of_the_way_and_then_held_again() {
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
fn an_unknown_key_is_refused_with_near_names_and_nothing_is_pressed() {
    let server = Server::start();
    let screen = server.screen();
    let window = Recorder::open(&server.endpoint());
    let Err(ScreenError::BadInput { field: "key", message }) = screen.key("ctrl+Entr") else { panic!() };
    assert!(message.contains("Enter"), "{message}");
    screen.key("x").unwrap();
    assert_eq!(window.wait("x", |seen| seen.len() >= 2), [KeyDown(0x78), KeyUp(0x78)]);
}

#[test]
fn keys_come_up_when_the_combination_breaks_off() {
    let server = Server::start();
    let display = Display::connect_for_input(&server.endpoint()).unwrap();
    let mut hold = HeldInputs::new(&display);
    hold.press(KeyOrButton::Key(37)).unwrap();
    hold.press(KeyOrButton::Key(SHIFT_CODE)).unwrap();
    drop(hold);
    assert_eq!(display.conn.query_keymap().unwrap().reply().unwrap().keys, [0; 32]);
}
