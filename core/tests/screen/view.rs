//! What a view of a page needs: the drawing of complete updates, and a mirror that checks commands on another thread.

use orgo_core::channel::InputRefusal;
use orgo_core::channel::screen::{Cursor, ImageFormat, Rect, Reply, Screen, ScreenItem};
use orgo_core::encoding::json;
use orgo_core::encoding::plain::PlainObject;

use crate::client::{Client, update};
use crate::encode::{Area, RAW, header};

/// Returns a rectangle in which all pixels have this value.
fn raw(x: usize, y: usize, width: usize, height: usize, value: u8) -> Vec<u8> {
    let mut bytes = header(Area { x, y, width, height }, RAW);
    bytes.resize(bytes.len() + width * height * 4, value);
    bytes
}

fn rect(x: u16, y: u16, width: u16, height: u16) -> Rect {
    Rect { x, y, width, height }
}

/// Returns a client that has received its first screen.
fn shown() -> Client {
    let mut client = Client::connected(8, 8);
    client.receive(&update(&[raw(0, 0, 8, 8, 0)]));
    client.damage();
    client
}

#[test]
fn a_view_draws_complete_updates_only() {
    let mut client = shown();
    client.session.start_drawing();
    assert_eq!(client.session.poll_drawing(), Some(vec![rect(0, 0, 8, 8)]), "the whole screen is first");
    assert_eq!(client.session.poll_drawing(), None);
    let bytes = update(&[raw(0, 0, 2, 2, 1), raw(4, 4, 2, 2, 2)]);
    let (start, end) = bytes.split_at(bytes.len() - 3);
    client.receive(start);
    assert_eq!(client.session.poll_drawing(), None, "a part of the update is missing");
    client.receive(end);
    assert_eq!(client.session.poll_drawing(), Some(vec![rect(0, 0, 2, 2), rect(4, 4, 2, 2)]));
    // A complete update is not drawn while a part of the next one is in the framebuffer.
    let next = update(&[raw(0, 0, 8, 1, 3)]);
    client.receive(&[update(&[raw(1, 1, 1, 1, 4)]), next[..20].to_vec()].concat());
    assert_eq!(client.session.poll_drawing(), None);
    client.receive(&next[20..]);
    assert_eq!(client.session.poll_drawing(), Some(vec![rect(1, 1, 1, 1), rect(0, 0, 8, 1)]));
    client.session.stop_drawing();
    client.receive(&update(&[raw(0, 0, 8, 1, 5)]));
    assert_eq!(client.session.poll_drawing(), None, "there is no view");
}

#[test]
fn a_view_draws_updates_that_follow_each_other_without_a_pause() {
    let mut client = shown();
    client.session.start_drawing();
    assert_eq!(client.session.poll_drawing(), Some(vec![rect(0, 0, 8, 8)]));
    let one = update(&[raw(0, 0, 2, 2, 1)]);
    // Each message ends within an update.
    let mut drawn = 0;
    client.receive(&one[..20]);
    for _ in 0..20 {
        client.now += 20;
        client.receive(&[&one[20..], &one[..20]].concat());
        if let Some(rects) = client.session.poll_drawing() {
            assert_eq!(rects, [rect(0, 0, 2, 2)]);
            drawn += 1;
        }
    }
    // After each third message, because the view waits for 33 ms.
    assert_eq!(drawn, 6);
}

#[test]
fn after_a_pause_a_view_waits_for_the_end_of_the_next_update() {
    let mut client = shown();
    client.session.start_drawing();
    assert_eq!(client.session.poll_drawing(), Some(vec![rect(0, 0, 8, 8)]));
    client.now += 1_000;
    let next = update(&[raw(0, 0, 8, 1, 3)]);
    client.receive(&[update(&[raw(1, 1, 1, 1, 4)]), next[..20].to_vec()].concat());
    assert_eq!(client.session.poll_drawing(), None, "a part of the next update is in the framebuffer");
    client.now += 20;
    client.receive(&next[20..]);
    assert_eq!(client.session.poll_drawing(), Some(vec![rect(1, 1, 1, 1), rect(0, 0, 8, 1)]));
}

#[test]
fn the_items_do_not_depend_on_the_view() {
    let mut client = shown();
    client.session.start_drawing();
    client.receive(&update(&[raw(0, 0, 2, 2, 1)]));
    assert_eq!(client.session.poll_drawing(), Some(vec![rect(0, 0, 8, 8)]));
    assert_eq!(client.damage(), [rect(0, 0, 2, 2)]);
    // A new size: the changes of the old size are outside the screen.
    client.receive(&update(&[raw(7, 7, 1, 1, 1)]));
    client.receive(&update(&[header(Area { x: 0, y: 0, width: 4, height: 4 }, -223), raw(0, 0, 4, 4, 1)]));
    assert_eq!(client.session.poll_drawing(), Some(vec![rect(0, 0, 4, 4)]));
}

#[test]
fn a_view_gets_the_current_pointer_and_each_change() {
    let mut client = Client::connected(8, 8);
    let cursor = |color: u8| {
        let mut bytes = header(Area { x: 0, y: 0, width: 1, height: 1 }, -239);
        bytes.extend([color, color, color, 0, 0x80]);
        update(&[bytes])
    };
    let pixel = |cursor: Option<&Cursor>| cursor.map(|cursor| cursor.pixels[0]);
    client.receive(&cursor(7));
    assert_eq!(pixel(client.session.poll_drawn_cursor()), None, "there is no view");
    client.session.start_drawing();
    assert_eq!(pixel(client.session.poll_drawn_cursor()), Some(7));
    assert_eq!(pixel(client.session.poll_drawn_cursor()), None);
    client.receive(&cursor(9));
    assert_eq!(pixel(client.session.poll_drawn_cursor()), Some(9));
}

type Decision = Result<Reply<PlainObject>, String>;

fn check(mirror: &mut Screen, name: &str, argument: &str) -> Decision {
    let argument = json::parse(argument.as_bytes()).unwrap();
    mirror.check(name, &&argument).map_err(|error| error.to_string())
}

fn execute(client: &mut Client, name: &str, argument: &str) -> Decision {
    let argument = json::parse(argument.as_bytes()).unwrap();
    client.session.command(name, &&argument).map_err(|error| error.to_string())
}

/// Commands with their arguments, in an order in which the effect of one matters for the next.
const COMMANDS: [(&str, &str); 24] = [
    ("pointer", "null"),
    ("down", "{}"),
    ("move", r#"{"x":3,"y":4}"#),
    ("move", r#"{"x":8,"y":4}"#),
    ("move", r#"{"x":3}"#),
    ("pointer", "null"),
    ("down", "{}"),
    ("up", r#"{"x":5,"y":5,"button":"right"}"#),
    ("click", r#"{"button":"back"}"#),
    ("click", r#"{"count":101}"#),
    ("click", r#"{"modifiers":["nokey"]}"#),
    ("drag", r#"{"path":[{"x":1,"y":1},{"x":2,"y":9}]}"#),
    ("wheel", r#"{"dy":1}"#),
    ("key", r#"{"key":"ctrl+c"}"#),
    ("key", r#"{"key":"nokey"}"#),
    ("keysym", r#"{"keysym":16777441,"pressed":true}"#),
    ("keysym", r#"{"keysym":0,"pressed":true}"#),
    ("resize", r#"{"width":10,"height":10}"#),
    ("clipboard", r#""text""#),
    ("clipboard", r#""日""#),
    ("screenshot", r#"{"id":1,"region":{"x":8,"y":0,"width":1,"height":1}}"#),
    ("refusal", "null"),
    ("size", "null"),
    ("unknown", "null"),
];

#[test]
fn a_mirror_decides_like_the_session() {
    let mut client = Client::connected(8, 8);
    let mut mirror = Screen::mirror();
    assert_eq!(
        check(&mut mirror, "move", r#"{"x":1,"y":1}"#),
        Ok(Reply::Refused(InputRefusal::Disconnected))
    );
    let compare = |client: &mut Client, mirror: &mut Screen| {
        mirror.follow(client.session.outline());
        for (name, argument) in COMMANDS {
            assert_eq!(check(mirror, name, argument), execute(client, name, argument), "{name} {argument}");
        }
    };
    compare(&mut client, &mut mirror);
    // The server announces sizes, buttons and the extended clipboard.
    let sizes = [header(Area { x: 0, y: 0, width: 8, height: 8 }, -308), vec![0; 4]].concat();
    client.receive(&update(&[sizes, header(Area { x: 0, y: 0, width: 0, height: 0 }, -316)]));
    let caps = [3, 0, 0, 0, 0xff, 0xff, 0xff, 0xf8, 0x1f, 0, 0, 1, 0, 0, 0, 0];
    client.receive(&caps);
    compare(&mut client, &mut mirror);

    client.session.handle_close(client.now, 1006, "");
    client.settle();
    mirror.follow(client.session.outline());
    assert_eq!(mirror.refusal(), Some(InputRefusal::Disconnected));
    assert_eq!(check(&mut mirror, "key", r#"{"key":"a"}"#), execute(&mut client, "key", r#"{"key":"a"}"#));
    assert_eq!(mirror.refused(), 2, "the refusals are counted");
}

#[test]
fn a_freed_screen_decides_like_an_ended_one() {
    let [mut ended, mut freed] = [(); 2].map(|()| {
        let mut client = Client::connected(8, 8);
        // The server announces sizes, and the bell and the damage remain unread.
        let sizes = [header(Area { x: 0, y: 0, width: 8, height: 8 }, -308), vec![0; 4]].concat();
        let raw = raw(2, 2, 1, 1, 9);
        client.session.request_image(1, None, 1.0, ImageFormat::Rgba, false).unwrap();
        client.session.handle_binary(client.now, &[update(&[sizes, raw]), vec![2]].concat());
        client.session.close();
        client
    });
    freed.session.free();
    assert!(freed.session.framebuffer().pixels().is_empty());
    ended.settle();
    freed.settle();
    assert!(freed.items.contains(&ScreenItem::Bell));
    assert_eq!(freed.items, ended.items);
    for (name, argument) in COMMANDS {
        assert_eq!(
            execute(&mut freed, name, argument),
            execute(&mut ended, name, argument),
            "{name} {argument}"
        );
    }
    freed.settle();
    ended.settle();
    assert_eq!(freed.items, ended.items);
}

#[test]
fn a_mirror_limits_the_requested_images() {
    let client = Client::connected(8, 8);
    let mut mirror = Screen::mirror();
    mirror.follow(client.session.outline());
    let request = |mirror: &mut Screen| check(mirror, "screenshot", r#"{"id":1}"#);
    for _ in 0..64 {
        assert_eq!(request(&mut mirror), Ok(Reply::Null));
    }
    let error = request(&mut mirror).expect_err("the session would refuse it");
    assert!(error.contains("screen.screenshot: `requests` must be at most 64"), "{error}");
    mirror.image_arrived();
    assert_eq!(request(&mut mirror), Ok(Reply::Null));
}
