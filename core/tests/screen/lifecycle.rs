//! The life of a channel: the forms of the handshake, refusals, reconnects, input.

use orgo_core::channel::screen::{ImageFormat, KeyAction, PointerButton, Rect, ScreenItem, ScreenOptions};
use orgo_core::channel::{Action, AnySession, CloseReason, InputRefusal, State};
use orgo_core::client::address::ComputerAddress;
use orgo_core::client::credentials::Password;

use crate::client::{Client, PASSWORD, handshake, init, update};
use crate::encode::{Area, COPY_RECT, Encoder, HEXTILE, Picture, RAW, TIGHT, ZRLE, header};
use crate::random::Random;

fn state(client: &Client) -> State {
    client.session.state()
}

/// Removes the first bytes that the client sent, and checks them.
fn expect(client: &mut Client, bytes: &[u8]) {
    let sent = client.take_sent();
    let (first, rest) = sent.split_at(bytes.len().min(sent.len()));
    assert_eq!(first, bytes);
    client.sent = rest.to_vec();
}

#[test]
fn every_version_of_the_handshake_completes() {
    // Version 3.3 without a password.
    let mut client = Client::new(ScreenOptions::default());
    client.receive(b"RFB 003.003\n");
    expect(&mut client, b"RFB 003.003\n");
    client.receive(&[0, 0, 0, 1]);
    expect(&mut client, &[1]);
    assert_eq!(state(&client), State::Connecting, "the channel is not accepted within the handshake");
    client.receive(&init(4, 3));
    assert_eq!(state(&client), State::Connecting, "the server has not announced what it supports");
    client.receive(&update(&[]));
    assert_eq!(state(&client), State::Open);
    assert!(client.items.contains(&ScreenItem::Resized { width: 4, height: 3 }));

    // Version 3.7 sends no result without a password.
    let mut client = Client::new(ScreenOptions::default());
    client.receive(b"RFB 003.007\n\x01\x01");
    expect(&mut client, b"RFB 003.007\n\x01\x01");
    client.receive(&[init(4, 3), update(&[])].concat());
    assert_eq!(state(&client), State::Open);

    // Version 3.8 with a password: the first eight bytes are the key.
    let mut client = Client::new(ScreenOptions::default());
    client.receive(b"RFB 003.008\n\x02\x10\x02");
    expect(&mut client, b"RFB 003.008\n\x02");
    client.receive(&[9; 16]);
    let response = client.take_sent();
    assert_eq!(response.len(), 16);
    client.receive(&[0; 4]);
    expect(&mut client, &[1]);
    client.receive(&[init(4, 3), update(&[])].concat());
    assert_eq!(state(&client), State::Open);
    // The format, the encodings, and a request for the whole screen.
    expect(&mut client, &[0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0]);
    assert_eq!(client.sent[..8], [2, 0, 0, 15, 0, 0, 0, 7], "Tight is preferred");
    assert_eq!(client.sent[64..], [3, 0, 0, 0, 0, 0, 0, 4, 0, 3]);

    // Later versions are answered with 3.8, and unknown security types next to None do not matter.
    let mut client = Client::new(ScreenOptions::default());
    client.receive(b"RFB 005.000\n\x03\x13\x01\x02");
    expect(&mut client, b"RFB 003.008\n\x01");
}

#[test]
fn a_refused_password_is_refreshed_once() {
    let refuse = |client: &mut Client| {
        client.receive(b"RFB 003.008\n\x01\x02");
        client.receive(&[3; 16]);
        client.receive(b"\x00\x00\x00\x01\x00\x00\x00\x1fwrong: hunter2 and more, really");
    };
    let mut client = Client::new(ScreenOptions::default());
    refuse(&mut client);
    assert_eq!((client.authorizations, client.closes), (1, 1));
    let address = ComputerAddress { computer_id: "c".to_owned(), ..ComputerAddress::default() };
    client.session.handle_credentials(client.now, Ok((address, Password::new(PASSWORD))));
    client.settle();
    assert_eq!(client.connects, 2);
    client.open();
    refuse(&mut client);
    let State::Closed(cause) = state(&client) else { panic!("{:?}", state(&client)) };
    assert_eq!(cause.reason, CloseReason::Unauthorized);
    assert_eq!(cause.message, "the password was refused: wrong: ***, really", "secrets are masked");
    assert_eq!(client.closes, 2);
}

#[test]
fn a_refusal_before_the_password_ends_a_new_channel() {
    let forms: [&[u8]; 2] = [
        b"RFB 003.003\n\x00\x00\x00\x00\x00\x00\x00\x1aToo many security failures",
        b"RFB 003.008\n\x00\x00\x00\x00\x1aToo many security failures",
    ];
    for form in forms {
        let mut client = Client::new(ScreenOptions::default());
        client.receive(form);
        let State::Closed(cause) = state(&client) else { panic!("{:?}", state(&client)) };
        assert_eq!(cause.reason, CloseReason::Refused);
        assert_eq!(cause.message, "refused by the server: Too many security failures");

        // A channel that was open connects again later, because the refusal is temporary.
        let mut client = Client::connected(4, 3);
        client.session.handle_close(client.now, 1006, "");
        reconnect(&mut client);
        client.receive(form);
        assert!(matches!(state(&client), State::Reconnecting { .. }), "{:?}", state(&client));
    }
}

/// Advances the time until the client connects, and opens the socket.
fn reconnect(client: &mut Client) {
    let before = client.connects;
    while client.connects == before {
        client.now = client.session.poll_timeout().expect("a reconnect is planned").max(client.now);
        client.session.handle_timeout(client.now);
        client.settle();
    }
    client.open();
}

#[test]
fn a_silent_handshake_is_abandoned() {
    let mut client = Client::new(ScreenOptions::default());
    client.receive(b"RFB 003.008\n");
    client.now = client.session.poll_timeout().unwrap();
    assert_eq!(client.now, 15_000);
    client.session.handle_timeout(client.now);
    client.settle();
    let State::Reconnecting { cause, .. } = state(&client) else { panic!("{:?}", state(&client)) };
    assert!(cause.message.contains("no complete handshake within 15000 ms"), "{}", cause.message);
    assert_eq!(client.closes, 1);
}

#[test]
fn a_silent_connection_becomes_unstable_and_is_replaced() {
    for fences in [false, true] {
        let mut client = Client::connected(4, 3);
        if fences {
            client.receive(&[248, 0, 0, 0, 0x80, 0, 0, 1, 0]);
        }
        client.take_sent();
        let mut pings = Vec::new();
        while state(&client) == State::Open {
            client.now = client.session.poll_timeout().unwrap().max(client.now);
            client.session.handle_timeout(client.now);
            pings.extend(client.take_sent());
        }
        let ping: &[u8] =
            if fences { &[248, 0, 0, 0, 0x80, 0, 0, 1, 1, 0] } else { &[3, 0, 0, 0, 0, 0, 0, 1, 0, 1] };
        assert!(pings.starts_with(ping), "{pings:?}");
        assert_eq!(state(&client), State::Unstable);
        assert_eq!(client.session.move_pointer(1.0, 1.0), Ok(Some(InputRefusal::Unstable)));
        // Any message is a sign of life.
        client.receive(&[2]);
        assert_eq!(state(&client), State::Open);
        while !matches!(state(&client), State::Reconnecting { .. }) {
            client.now = client.session.poll_timeout().unwrap().max(client.now);
            client.session.handle_timeout(client.now);
            client.settle();
        }
        assert_eq!(client.closes, 1);
    }
}

#[test]
fn one_request_is_in_flight() {
    let mut client = Client::connected(8, 8);
    let sent = client.take_sent();
    assert!(sent.ends_with(&[3, 0, 0, 0, 0, 0, 0, 8, 0, 8]), "the whole screen");
    client.receive(&[2]);
    assert!(client.take_sent().is_empty(), "no second request");
    client.receive(&update(&[header(Area { x: 0, y: 0, width: 0, height: 0 }, RAW)]));
    assert_eq!(client.take_sent(), [3, 1, 0, 0, 0, 0, 0, 8, 0, 8], "the next changes");
    client.session.set_paused(true);
    client.receive(&update(&[]));
    assert!(client.take_sent().is_empty(), "nothing is requested while nobody sees the screen");
    client.session.set_paused(false);
    assert_eq!(client.take_sent(), [3, 1, 0, 0, 0, 0, 0, 8, 0, 8]);
}

#[test]
fn only_a_distant_server_sends_continuous_updates() {
    for (delay, expected) in [(19, false), (20, true)] {
        let mut client = Client::connected(8, 8);
        // The server announces fences and continuous updates.
        client.receive(&[150, 248, 0, 0, 0, 0x80, 0, 0, 3, 1, 5]);
        let sent = client.take_sent();
        assert!(
            sent.ends_with(&[248, 0, 0, 0, 0, 0, 0, 3, 1, 5, 248, 0, 0, 0, 0x80, 0, 0, 0, 1, 1]),
            "{sent:?}"
        );
        client.now += delay;
        client.receive(&[248, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        let enable = [150, 1, 0, 0, 0, 0, 0, 8, 0, 8];
        assert_eq!(client.take_sent() == enable, expected, "round trip of {delay} ms");
        client.receive(&update(&[header(Area { x: 0, y: 0, width: 0, height: 0 }, RAW)]));
        assert_eq!(client.take_sent().is_empty(), expected, "continuous updates need no request");
    }
}

#[test]
fn a_reconnect_shows_the_whole_screen_and_releases_what_is_held() {
    let mut client = Client::connected(8, 8);
    let mut random = Random::new(1);
    let mut picture = Picture::new(8, 8);
    let all = Area { x: 0, y: 0, width: 8, height: 8 };
    let rect = Encoder::new().rect(TIGHT, &mut picture, all, &mut random);
    client.receive(&update(&[rect]));
    assert!(client.session.is_complete());
    assert_eq!(client.session.move_pointer(3.0, 4.0), Ok(None));
    assert_eq!(client.session.set_button(PointerButton::Left, true), Ok(None));
    assert_eq!(client.session.key("ctrl+a", KeyAction::Down), Ok(None));
    client.take_sent();
    // This input is not sent before the break, so it must not arrive after it.
    assert_eq!(client.session.key("Delete", KeyAction::Press), Ok(None));
    client.session.handle_close(client.now, 4003, "");
    client.settle();
    assert!(matches!(state(&client), State::Reconnecting { .. }));
    assert_eq!(client.session.key("b", KeyAction::Press), Ok(Some(InputRefusal::Disconnected)));
    assert_eq!(client.session.counters().refused, 1);
    client.assert_shows(&picture, "the last content remains");

    reconnect(&mut client);
    client.items.clear();
    client.receive(&[handshake(8, 8), update(&[])].concat());
    assert_eq!(client.items, [ScreenItem::Reconnected]);
    assert!(!client.session.is_complete());
    let sent = client.take_sent();
    let releases = [
        &[3, 0, 0, 0, 0, 0, 0, 8, 0, 8][..],
        &[4, 0, 0, 0, 0, 0, 0, 0x61],
        &[4, 0, 0, 0, 0, 0, 0xff, 0xe3],
        &[5, 0, 0, 3, 0, 4],
    ]
    .concat();
    assert!(sent.ends_with(&releases), "{sent:?}");
    // The streams of the new connection are new.
    let rect = Encoder::new().rect(TIGHT, &mut picture, all, &mut random);
    client.receive(&update(&[rect]));
    client.assert_shows(&picture, "after the reconnect");
    assert!(client.session.is_complete());
}

#[test]
fn closing_sends_the_input_and_releases_what_is_held() {
    let mut client = Client::connected(8, 8);
    client.take_sent();
    client.session.move_pointer(1.0, 2.0).unwrap();
    client.session.set_button(PointerButton::Right, true).unwrap();
    client.session.key("shift", KeyAction::Down).unwrap();
    client.session.close();
    let expected = [
        &[5, 0, 0, 1, 0, 2][..],
        &[5, 4, 0, 1, 0, 2],
        &[4, 1, 0, 0, 0, 0, 0xff, 0xe1],
        &[4, 0, 0, 0, 0, 0, 0xff, 0xe1],
        &[5, 0, 0, 1, 0, 2],
    ]
    .concat();
    assert_eq!(client.take_sent(), expected);
    assert_eq!(client.closes, 1);
}

#[test]
fn the_release_of_a_capital_releases_the_shift_that_was_added() {
    let key = |pressed: u8, keysym: u32| {
        let [.., high, low] = keysym.to_be_bytes();
        vec![4, pressed, 0, 0, 0, 0, high, low]
    };
    let (shift, a, b) = (0xffe1, 0x41, 0x42);
    let added = [("A", KeyAction::Down), ("B", KeyAction::Down), ("A", KeyAction::Up), ("b", KeyAction::Up)];
    let symbol = [("A", KeyAction::Down), ("1", KeyAction::Down), ("A", KeyAction::Up), ("1", KeyAction::Up)];
    let named = [("A", KeyAction::Down), ("shift", KeyAction::Down), ("A", KeyAction::Up)];
    let pressed = [key(1, shift), key(1, a)].concat();
    for (actions, expected) in [
        (&added[..], [key(1, b), key(0, a), key(0, shift), key(0, b)].concat()),
        (&symbol[..], [key(1, 0x21), key(0, a), key(0, shift), key(0, 0x21)].concat()),
        (&named[..], [key(1, shift), key(0, a)].concat()),
    ] {
        let mut client = Client::connected(8, 8);
        client.take_sent();
        for &(name, action) in actions {
            assert_eq!(client.session.key(name, action), Ok(None));
        }
        assert_eq!(client.take_sent(), [&*pressed, &*expected].concat());
    }
}

#[test]
fn moves_are_replaced_but_buttons_and_keys_are_not() {
    let mut client = Client::connected(100, 100);
    client.take_sent();
    let session = &mut client.session;
    for at in 0..50 {
        session.move_pointer(at.into(), 1.0).unwrap();
    }
    session.set_button(PointerButton::Left, true).unwrap();
    for at in 0..50 {
        session.move_pointer(at.into(), 2.0).unwrap();
    }
    session.key("x", KeyAction::Press).unwrap();
    session.move_pointer(7.0, 3.0).unwrap();
    session.set_button(PointerButton::Left, false).unwrap();
    let expected = [
        &[5, 0, 0, 49, 0, 1][..],
        &[5, 1, 0, 49, 0, 1],
        &[5, 1, 0, 49, 0, 2],
        &[4, 1, 0, 0, 0, 0, 0, 0x78],
        &[4, 0, 0, 0, 0, 0, 0, 0x78],
        &[5, 1, 0, 7, 0, 3],
        &[5, 0, 0, 7, 0, 3],
    ]
    .concat();
    assert_eq!(client.take_sent(), expected);
    // A move that was sent is not replaced.
    client.session.move_pointer(1.0, 1.0).unwrap();
    assert_eq!(client.take_sent(), [5, 0, 0, 1, 0, 1]);
}

#[test]
fn a_drag_takes_its_time_and_later_input_follows() {
    let pointer = |buttons, at: u8| vec![5, buttons, 0, at, 0, at];
    // Returns the input without the pings, which are requests for updates.
    let sent = |client: &mut Client| {
        let sent = client.take_sent();
        sent.strip_prefix(&[3]).map_or(sent.clone(), |ping| ping[9..].to_vec())
    };
    let drag = |client: &mut Client| {
        client.take_sent();
        let path = [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)];
        assert_eq!(client.session.drag(PointerButton::Left, &path), Ok(None));
        client.session.move_pointer(8.0, 8.0).unwrap();
        client.session.move_pointer(9.0, 9.0).unwrap();
        assert_eq!(sent(client), [pointer(0, 1), pointer(1, 1)].concat());
    };
    let mut client = Client::connected(100, 100);
    drag(&mut client);
    let last = [pointer(0, 3), pointer(0, 9)].concat();
    for expected in [pointer(1, 2), pointer(1, 3), last] {
        assert_eq!(client.session.poll_timeout(), Some(0), "the session learns the time");
        client.session.handle_timeout(client.now);
        assert_eq!(sent(&mut client), b"");
        assert_eq!(client.session.poll_timeout(), Some(client.now + 4));
        client.now += 4;
        client.session.handle_timeout(client.now);
        assert_eq!(sent(&mut client), expected);
    }

    drag(&mut client);
    client.session.release_all();
    let rest = [pointer(1, 2), pointer(1, 3), pointer(0, 3), pointer(0, 9)].concat();
    assert_eq!(sent(&mut client), rest, "a release does not wait");
    client.session.handle_timeout(client.now);
    client.session.move_pointer(4.0, 4.0).unwrap();
    assert_eq!(sent(&mut client), pointer(0, 4));
}

#[test]
fn a_held_key_repeats_until_another_key_is_used() {
    let mut client = Client::connected(8, 8);
    client.take_sent();
    let key = |pressed, keysym: u16| {
        let [high, low] = keysym.to_be_bytes();
        vec![4, pressed, 0, 0, 0, 0, high, low]
    };
    // Lets the time pass until the session sends keys, and responds to its pings.
    let next = |client: &mut Client| {
        loop {
            client.now = client.now.max(client.session.poll_timeout().unwrap());
            client.session.handle_timeout(client.now);
            let sent = client.take_sent();
            if sent.first() == Some(&4) {
                return sent;
            }
            client.receive(&update(&[]));
            client.take_sent();
        }
    };
    client.session.key("ctrl+a", KeyAction::Hold).unwrap();
    assert_eq!(client.take_sent(), [key(1, 0xffe3), key(1, 0x61)].concat());
    assert_eq!(client.session.poll_timeout(), Some(0), "the session learns the time");
    let pressed = client.now;
    assert_eq!(next(&mut client), key(1, 0x61), "only the last key repeats");
    assert_eq!(client.now, pressed + 500);
    for repeat in 1..=3 {
        assert_eq!(next(&mut client), key(1, 0x61));
        assert_eq!(client.now, pressed + 500 + 33 * repeat);
    }
    // A host that was busy does not send the repeats that it has missed.
    client.now += 1_000;
    assert_eq!(next(&mut client), key(1, 0x61));
    client.session.key("shift", KeyAction::Press).unwrap();
    assert_eq!(client.take_sent(), [key(1, 0xffe1), key(0, 0xffe1)].concat());
    client.now += 100;
    client.session.handle_timeout(client.now);
    assert_eq!(client.take_sent(), b"", "the use of another key ends the repeats");
    client.session.key("ctrl+a", KeyAction::Hold).unwrap();
    client.session.release_all();
    client.take_sent();
    client.now += 600;
    client.session.handle_timeout(client.now);
    client.session.handle_timeout(client.now + 600);
    assert_eq!(client.take_sent(), b"", "a release ends the repeats");
}

#[test]
fn a_held_key_does_not_repeat_while_the_connection_is_unstable() {
    let mut client = Client::connected(8, 8);
    client.session.key("a", KeyAction::Hold).unwrap();
    client.take_sent();
    let mut repeats = 0;
    while client.session.state() == State::Open {
        client.now = client.now.max(client.session.poll_timeout().unwrap());
        client.session.handle_timeout(client.now);
        repeats += client.take_sent().chunks(8).filter(|message| message.starts_with(&[4, 1])).count();
    }
    assert!(repeats > 10, "{repeats}");
    assert!(matches!(state(&client), State::Unstable), "{:?}", state(&client));
    client.now += 100;
    client.session.handle_timeout(client.now);
    assert_eq!(client.take_sent(), b"");
}

#[test]
fn unsent_input_is_bounded() {
    let mut client = Client::connected(100, 100);
    let mut accepted = 0;
    while client.session.key("a", KeyAction::Press).unwrap().is_none() {
        accepted += 1;
    }
    assert_eq!(client.session.key("a", KeyAction::Press), Ok(Some(InputRefusal::Full)));
    assert!((4_000..5_000).contains(&accepted), "{accepted}");
    client.take_sent();
    assert_eq!(client.session.key("a", KeyAction::Press), Ok(None));
}

#[test]
fn long_output_is_sent_in_messages_that_nothing_interrupts() {
    let mut client = Client::connected(8, 8);
    client.take_sent();
    let text = "clipboard ".repeat(5_000);
    assert_eq!(client.session.set_clipboard(&text), Ok(None));
    let Some(Action::SendBinary(mut sent)) = client.session.poll_action() else { panic!("no message") };
    assert_eq!(sent.len(), 16 << 10);
    // The time of the next ping comes while the text is sent.
    client.now = client.session.poll_timeout().unwrap();
    client.session.handle_timeout(client.now);
    while let Some(action) = client.session.poll_action() {
        let Action::SendBinary(bytes) = action else { panic!("{action:?}") };
        assert!(bytes.len() <= 16 << 10);
        sent.extend(bytes);
    }
    assert_eq!(&sent[8..8 + text.len()], text.as_bytes());
    assert_eq!(sent[8 + text.len()..], [3, 0, 0, 0, 0, 0, 0, 1, 0, 1], "the ping follows");
}

#[test]
fn invalid_input_is_refused_by_name() {
    let mut client = Client::connected(100, 50);
    let session = &mut client.session;
    let problems = [
        (session.set_button(PointerButton::Left, true), "`x` is required before the first move"),
        (session.move_pointer(100.0, 0.0), "`x` must be a whole number from 0 to 99"),
        (session.move_pointer(0.0, 50.0), "`y` must be a whole number from 0 to 49"),
        (session.move_pointer(0.5, 0.0), "`x`"),
        (session.move_pointer(f64::NAN, 0.0), "`x`"),
        (session.key("ctrl+nokey", KeyAction::Press), "an unknown key \"nokey\""),
        (session.key("日", KeyAction::Press), "`type` for text"),
        (session.drag(PointerButton::Left, &[(1.0, 1.0)]), "2 to 1000 points"),
        (session.resize(0.0, 5.0), "`width`"),
        (session.resize(9.0, 5.0), "does not support"),
    ];
    for (result, expected) in problems {
        let problem = result.unwrap_err().to_string();
        assert!(problem.contains(expected), "{problem}, but expected: {expected}");
    }
    session.move_pointer(0.0, 0.0).unwrap();
    for (result, expected) in [
        (session.set_button(PointerButton::Forward, true), "left, middle or right"),
        (session.click(PointerButton::Left, 0.0, &[]), "`count`"),
        (session.wheel(0.0, 101.0), "`dy` must be a whole number from -100 to 100"),
    ] {
        let problem = result.unwrap_err().to_string();
        assert!(problem.contains(expected), "{problem}, but expected: {expected}");
    }
}

#[test]
fn an_image_without_a_pixel_of_the_screen_is_refused() {
    let mut client = Client::connected(100, 50);
    let mut image = |x, y, width, height| {
        client.session.request_image(1, Some(Rect { x, y, width, height }), 1.0, ImageFormat::Rgba, false)
    };
    for refused in [image(100, 0, 1, 1), image(0, 50, 9, 9), image(u16::MAX, u16::MAX, 1, 1)] {
        let problem = refused.unwrap_err().to_string();
        assert!(problem.contains("`region` has no pixel on the screen of 100x50 pixels"), "{problem}");
    }
    assert_eq!(image(99, 49, 9, 9), Ok(()));
}

#[test]
fn the_text_of_the_clipboard_is_read_from_a_server_without_the_extension() {
    let mut client = Client::connected(8, 8);
    let mut read = |received: &[u8], expected: ScreenItem| {
        client.receive(received);
        assert_eq!(client.session.request_clipboard(), None);
        client.settle();
        let is_answer =
            |item: &ScreenItem| matches!(item, ScreenItem::Clipboard { .. } | ScreenItem::ClipboardTooLong);
        let answers: Vec<_> = client.items.drain(..).filter(is_answer).collect();
        assert_eq!(answers, [expected]);
    };
    let text = |text: &str| ScreenItem::Clipboard { text: text.to_owned() };
    let sent = |text: &[u8]| {
        let length = u32::try_from(text.len()).unwrap().to_be_bytes();
        [&[3, 0, 0, 0][..], &length, text].concat()
    };
    read(&[], text(""));
    read(&sent(b"one"), text("one"));
    read(&[], text("one"));
    read(&sent(&vec![b'x'; (1 << 20) + 1]), ScreenItem::ClipboardTooLong);
    read(&sent(b"two"), text("two"));
}

#[test]
fn a_view_only_channel_refuses_input() {
    let mut client = Client::new(ScreenOptions { view_only: true, ..ScreenOptions::default() });
    client.receive(&handshake(8, 8));
    client.take_sent();
    assert_eq!(client.session.move_pointer(1.0, 1.0), Ok(Some(InputRefusal::ViewOnly)));
    assert_eq!(client.session.key("a", KeyAction::Press), Ok(Some(InputRefusal::ViewOnly)));
    assert_eq!(client.session.set_clipboard("text"), Ok(Some(InputRefusal::ViewOnly)));
    assert!(client.take_sent().is_empty());
}

#[test]
fn extensions_are_used_once_the_server_announces_them() {
    let mut client = Client::connected(8, 8);
    let nothing = Area { x: 0, y: 0, width: 0, height: 0 };
    client.receive(&update(&[header(nothing, -316), header(nothing, -258)]));
    client.take_sent();
    client.session.move_pointer(1.0, 2.0).unwrap();
    client.session.set_button(PointerButton::Back, true).unwrap();
    client.session.set_button(PointerButton::Forward, true).unwrap();
    client.session.set_button(PointerButton::Left, true).unwrap();
    client.session.set_key(0x61, Some(0x1e), true);
    client.session.set_key(0x61, Some(0x1e), false);
    let expected = [
        &[5, 0, 0, 1, 0, 2][..],
        &[5, 0x80, 0, 1, 0, 2, 1],
        &[5, 0x80, 0, 1, 0, 2, 3],
        &[5, 0x81, 0, 1, 0, 2, 3],
        &[255, 0, 0, 1, 0, 0, 0, 0x61, 0, 0, 0, 0x1e],
        &[255, 0, 0, 0, 0, 0, 0, 0x61, 0, 0, 0, 0x1e],
    ]
    .concat();
    assert_eq!(client.take_sent(), expected);
}

#[test]
fn a_screen_is_open_when_the_server_has_announced_what_it_supports() {
    let mut client = Client::new(ScreenOptions::default());
    // A view that nobody sees requests no updates, except the first one.
    client.session.set_paused(true);
    client.receive(&handshake(8, 8));
    assert_eq!(state(&client), State::Connecting);
    assert!(client.take_sent().ends_with(&[3, 0, 0, 0, 0, 0, 0, 8, 0, 8]));
    let area = Area { x: 0, y: 0, width: 8, height: 8 };
    let nothing = Area { width: 0, height: 0, ..area };
    let monitor = [&[1, 0, 0, 0][..], &[0, 0, 0, 7], &[0, 0, 0, 0, 0, 8, 0, 8], &[0; 4]].concat();
    let size = [header(area, -308), monitor].concat();
    client.receive(&[vec![0, 0, 0, 3], size, header(nothing, -316), header(area, RAW)].concat());
    assert_eq!(state(&client), State::Open, "the announcements precede the pixels");
    assert_eq!(client.session.resize(9.0, 9.0), Ok(None));
    client.session.move_pointer(1.0, 2.0).unwrap();
    assert_eq!(client.session.set_button(PointerButton::Back, true), Ok(None));
    client.take_sent();
    client.receive(&[0; 8 * 8 * 4]);
    assert!(client.session.is_complete());
    assert_eq!(client.take_sent(), [0; 0]);
    client.session.set_paused(false);
    assert_eq!(client.take_sent(), [3, 1, 0, 0, 0, 0, 0, 8, 0, 8]);
}

#[test]
fn every_close_code_leads_to_its_end() {
    let cases = [
        (1000, Some(CloseReason::Normal)),
        (1001, None),
        (1006, None),
        (1009, Some(CloseReason::Protocol)),
        (4003, None),
        (4004, Some(CloseReason::NotFound)),
        (4006, Some(CloseReason::Unauthorized)),
        (4008, Some(CloseReason::Idle)),
        (4011, Some(CloseReason::ViewOnly)),
        (4012, Some(CloseReason::Refused)),
        (4404, None),
        (4500, Some(CloseReason::Failed)),
    ];
    for (code, expected) in cases {
        let mut client = Client::connected(4, 3);
        client.session.handle_close(client.now, code, "");
        client.settle();
        match (state(&client), expected) {
            (State::Closed(cause), Some(reason)) => assert_eq!(cause.reason, reason, "{code}"),
            (State::Reconnecting { .. }, None) => {}
            (state, _) => panic!("{code}: {state:?}"),
        }
    }
    for code in [4401, 4001] {
        let mut client = Client::connected(4, 3);
        client.session.handle_close(client.now, code, "");
        client.settle();
        assert_eq!(client.authorizations, 1, "{code} requests a new password");
    }
}

#[test]
fn images_are_taken_when_the_whole_screen_has_arrived() {
    let mut client = Client::connected(40, 30);
    let mut picture = Picture::new(40, 30);
    let mut random = Random::new(2);
    let mut encoder = Encoder::new();
    let region = Rect { x: 5, y: 6, width: 7, height: 8 };
    client.session.request_image(1, None, 1.0, ImageFormat::Rgba, false).unwrap();
    client.session.request_image(2, Some(region), 1.0, ImageFormat::Rgba, false).unwrap();
    client.session.request_image(3, None, 0.5, ImageFormat::Rgba, false).unwrap();
    let half = Area { x: 0, y: 0, width: 40, height: 15 };
    client.receive(&update(&[encoder.rect(ZRLE, &mut picture, half, &mut random)]));
    assert!(!client.items.iter().any(|item| matches!(item, ScreenItem::Image { .. })));
    client.receive(&update(&[encoder.rect(HEXTILE, &mut picture, Area { y: 15, ..half }, &mut random)]));
    let images: Vec<_> = client
        .items
        .iter()
        .filter_map(|item| {
            if let ScreenItem::Image { id, image } = item { Some((*id, image.clone())) } else { None }
        })
        .collect();
    assert_eq!(images.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2, 3]);
    let (whole, part, half) = (&images[0].1, &images[1].1, &images[2].1);
    assert_eq!((whole.width, whole.height, whole.data.len()), (40, 30, 40 * 30 * 4));
    assert_eq!(*whole.data, client.session.framebuffer().pixels().as_flattened());
    assert_eq!((part.width, part.height), (7, 8));
    assert_eq!(part.data[..3], picture.get(5, 6));
    assert_eq!(part.data[part.data.len() - 4..][..3], picture.get(11, 13));
    assert_eq!((half.width, half.height), (20, 15));
    let average = [picture.get(0, 0), picture.get(1, 0), picture.get(0, 1), picture.get(1, 1)]
        .iter()
        .map(|color| u32::from(color[0]))
        .sum::<u32>();
    assert_eq!(u32::from(half.data[0]), (average + 2) / 4);
}

#[test]
fn an_image_is_never_older_than_the_connection() {
    let image = |client: &mut Client, id| {
        client.session.request_image(id, None, 1.0, ImageFormat::Rgba, false).unwrap();
        client.settle();
        client.items.drain(..).any(|item| matches!(item, ScreenItem::Image { id: found, .. } if found == id))
    };
    let whole = Area { x: 0, y: 0, width: 4, height: 3 };
    let draw = |client: &mut Client| {
        let mut picture = Picture::new(4, 3);
        let rect = Encoder::new().rect(RAW, &mut picture, whole, &mut Random::new(1));
        client.receive(&update(&[rect]));
    };
    let arrived = |client: &Client| client.items.iter().any(|item| matches!(item, ScreenItem::Image { .. }));
    let mut client = Client::connected(4, 3);
    draw(&mut client);
    assert!(image(&mut client, 1));

    // A server that does not respond.
    while state(&client) == State::Open {
        client.now = client.session.poll_timeout().unwrap().max(client.now);
        client.session.handle_timeout(client.now);
    }
    assert_eq!(state(&client), State::Unstable);
    assert!(!image(&mut client, 2));
    client.receive(&[2]);
    assert!(arrived(&client));

    // A break, the handshake of the next connection, and a part of its screen. A binding reads all items at once.
    client.session.handle_close(client.now, 1006, "");
    client.session.request_image(9, None, 1.0, ImageFormat::Rgba, false).unwrap();
    let binding: &mut dyn AnySession = &mut client.session;
    assert!(binding.poll_items().iter().all(|item| item.payload.is_none()));
    assert!(!image(&mut client, 3));
    reconnect(&mut client);
    assert!(!arrived(&client));
    client.receive(&handshake(4, 3));
    assert!(!arrived(&client));
    draw(&mut client);
    assert!(arrived(&client));

    client.session.close();
    client.items.clear();
    assert!(!image(&mut client, 4));
}

#[test]
fn an_image_contains_the_pointer_on_request() {
    let mut client = Client::connected(6, 4);
    let mut rect = header(Area { x: 0, y: 0, width: 6, height: 4 }, RAW);
    rect.extend([9; 6 * 4 * 4]);
    client.receive(&update(&[rect]));
    let image = |client: &mut Client, pointer| {
        client.session.request_image(1, None, 1.0, ImageFormat::Rgba, pointer).unwrap();
        client.settle();
        let items = std::mem::take(&mut client.items);
        let data = items.into_iter().find_map(|item| match item {
            ScreenItem::Image { image, .. } => Some(image.data),
            _ => None,
        });
        let data = data.expect("the image");
        let changed =
            data.as_chunks::<4>().0.iter().enumerate().filter(|(_, pixel)| **pixel != [9, 9, 9, 255]);
        changed.map(|(at, &[red, ..])| (at % 6, at / 6, red)).collect::<Vec<_>>()
    };
    // A pointer of 2x2 pixels, of which the upper right one is transparent. Its lower left pixel points.
    let shape = |red: u8| {
        let pixels = [[red, 0, 0, 0], [2, 0, 0, 0], [3, 0, 0, 0], [4, 0, 0, 0]].concat();
        let start = [0, 0, 0, 1, 0, 2, 0, 2, 0xff, 0xff, 0xff, 0x11];
        [&start[..], &pixels, &[0b1000_0000, 0b1100_0000]].concat()
    };
    client.receive(&update(&[shape(1)]));
    assert_eq!(image(&mut client, true), [], "the position of the pointer is not known");
    client.session.move_pointer(3.0, 2.0).unwrap();
    assert_eq!(image(&mut client, true), [(3, 1, 1), (3, 2, 3), (4, 2, 4)]);
    assert_eq!(image(&mut client, false), []);
    client.receive(&update(&[shape(5)]));
    assert_eq!(image(&mut client, true), [(3, 1, 5), (3, 2, 3), (4, 2, 4)], "the new shape");
    client.session.move_pointer(5.0, 0.0).unwrap();
    assert_eq!(image(&mut client, true), [(5, 0, 3)], "the part on the screen");
    // An empty shape: the pointer is hidden, or part of the screen.
    client.receive(&update(&[[0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x11].to_vec()]));
    assert_eq!(image(&mut client, true), []);
}

#[test]
fn an_image_is_new_after_every_change() {
    let mut client = Client::connected(8, 8);
    let mut picture = Picture::new(8, 8);
    let mut random = Random::new(4);
    let mut encoder = Encoder::new();
    let image = |client: &mut Client| {
        client.session.request_image(7, None, 1.0, ImageFormat::Rgba, false).unwrap();
        client.items.clear();
        client.settle();
        let Some(ScreenItem::Image { image, .. }) = client.items.pop() else { panic!("no image") };
        assert_eq!(*image.data, client.session.framebuffer().pixels().as_flattened());
        image.data
    };
    let all = Area { x: 0, y: 0, width: 8, height: 8 };
    client.receive(&update(&[encoder.rect(TIGHT, &mut picture, all, &mut random)]));
    let first = image(&mut client);
    assert_eq!(image(&mut client), first);
    for encoding in [RAW, HEXTILE, ZRLE, TIGHT] {
        // The rest of an update arrives later than its start.
        let bytes = update(&[encoder.rect(encoding, &mut picture, all, &mut random)]);
        let (start, rest) = bytes.split_at(bytes.len() / 2);
        client.receive(start);
        image(&mut client);
        client.receive(rest);
        image(&mut client);
        client.assert_shows(&picture, "after the update");
    }
}

#[cfg(feature = "screen-png")]
#[test]
fn an_image_uses_the_memory_of_an_image_that_nobody_reads() {
    let mut client = Client::connected(8, 8);
    let mut picture = Picture::new(8, 8);
    let mut random = Random::new(5);
    let mut encoder = Encoder::new();
    let mut change = |client: &mut Client| {
        let all = Area { x: 0, y: 0, width: 8, height: 8 };
        client.receive(&update(&[encoder.rect(RAW, &mut picture, all, &mut random)]));
    };
    let image = |client: &mut Client| {
        client.session.request_image(7, None, 1.0, ImageFormat::Rgba, false).unwrap();
        client.items.clear();
        client.settle();
        let Some(ScreenItem::Image { image, .. }) = client.items.pop() else { panic!("no image") };
        image.data
    };
    change(&mut client);
    let first = image(&mut client);
    assert!(std::sync::Arc::ptr_eq(&first, &image(&mut client)), "the screen has not changed");

    let content = first.to_vec();
    change(&mut client);
    let second = image(&mut client);
    assert_eq!(*first, content, "an image that is read does not change");
    assert_ne!(*second, content);

    let memory = second.as_ptr();
    drop(second);
    change(&mut client);
    assert_eq!(image(&mut client).as_ptr(), memory);
}

/// A server with a screen, held keys and buttons. Random cuts end its connections.
struct Server {
    picture: Picture,
    encoder: Encoder,
    /// The bytes of the client that are not handled yet.
    incoming: Vec<u8>,
    stage: usize,
    requested: bool,
    keys: Vec<u32>,
    buttons: u8,
    /// The characters that were typed, over all connections.
    typed: Vec<u32>,
}

impl Server {
    /// Handles the bytes of the client. Returns the response.
    fn handle(&mut self, bytes: &[u8], random: &mut Random) -> Vec<u8> {
        self.incoming.extend(bytes);
        let mut response = Vec::new();
        loop {
            let handled = match (self.stage, &self.incoming[..]) {
                (0, [b'R', ..]) => {
                    response.extend([1, 1]);
                    12
                }
                (1, [1, ..]) => {
                    response.extend([0; 4]);
                    1
                }
                (2, [1, ..]) => {
                    response.extend(init(self.picture.width, self.picture.height));
                    1
                }
                (_, []) => break,
                (_, [0, ..]) => 20,
                (_, [2, _, high, low, ..]) => 4 + 4 * usize::from(u16::from_be_bytes([*high, *low])),
                (_, [3, changes, ..]) => {
                    if *changes == 0 {
                        let all = Area { x: 0, y: 0, width: self.picture.width, height: self.picture.height };
                        // The whole screen is sent as it is.
                        response.extend(update(&[self.raw(all)]));
                    } else {
                        self.requested = true;
                    }
                    10
                }
                (_, [4, down, _, _, a, b, c, d, ..]) => {
                    let key = u32::from_be_bytes([*a, *b, *c, *d]);
                    self.keys.retain(|held| *held != key);
                    if *down == 1 {
                        self.keys.push(key);
                        self.typed.push(key);
                    }
                    8
                }
                (_, [5, buttons, ..]) => {
                    self.buttons = *buttons;
                    6
                }
                (_, other) => panic!("an unknown message: {other:?}"),
            };
            if self.stage < 3 {
                self.stage += 1;
            }
            self.incoming.drain(..handled);
        }
        if self.requested && random.below(2) == 0 {
            self.requested = false;
            let rects: Vec<_> = (0..1 + random.below(3))
                .map(|_| {
                    let area = self.picture.area(random);
                    let encoding = [RAW, COPY_RECT, HEXTILE, TIGHT, ZRLE][random.below(5)];
                    self.encoder.rect(encoding, &mut self.picture, area, random)
                })
                .collect();
            response.extend(update(&rects));
        }
        response
    }

    fn raw(&self, area: Area) -> Vec<u8> {
        let mut bytes = header(area, RAW);
        for y in area.y..area.y + area.height {
            for x in area.x..area.x + area.width {
                bytes.extend(self.picture.get(x, y));
                bytes.push(0);
            }
        }
        bytes
    }

    /// Ends the connection. As a real server, it releases what the connection holds.
    fn cut(&mut self) {
        self.incoming.clear();
        self.encoder = Encoder::new();
        (self.stage, self.requested) = (0, false);
        self.keys.clear();
        self.buttons = 0;
    }
}

#[test]
fn cuts_at_any_point_leave_the_right_screen_and_nothing_held() {
    let seeds = if std::env::var_os("ORGO_FULL").is_some() { 20_000 } else { 300 };
    for seed in 0..seeds {
        run(seed);
    }
}

fn run(seed: u64) {
    let mut random = Random::new(seed);
    let (width, height) = (1 + random.below(60), 1 + random.below(40));
    let mut server = Server {
        picture: Picture::new(width, height),
        encoder: Encoder::new(),
        incoming: Vec::new(),
        stage: 0,
        requested: false,
        keys: Vec::new(),
        buttons: 0,
        typed: Vec::new(),
    };
    let mut client = Client::new(ScreenOptions::default());
    let mut to_client = b"RFB 003.008\n".to_vec();
    let mut accepted = Vec::new();
    let steps = 60 + random.below(60);
    for step in 0..steps {
        let last = step + 1 == steps;
        match random.below(6) {
            // At the end, everything arrives.
            _ if last => {}
            0 if random.below(3) == 0 => {
                server.cut();
                client.session.handle_close(client.now, 1006, "");
                client.settle();
                reconnect(&mut client);
                to_client = b"RFB 003.008\n".to_vec();
            }
            1 => {
                let key = 0x61 + u32::try_from(random.below(26)).unwrap();
                let action = [KeyAction::Press, KeyAction::Down, KeyAction::Up][random.below(3)];
                let name = char::from_u32(key).unwrap().to_string();
                let refused = client.session.key(&name, action).unwrap().is_some();
                assert_eq!(refused, state(&client) != State::Open, "seed {seed}");
                if !refused && action != KeyAction::Up {
                    accepted.push(key);
                }
            }
            2 => {
                let (x, y) = (random.below(width), random.below(height));
                if client.session.move_pointer(x as f64, y as f64).unwrap().is_none() {
                    client.session.set_button(PointerButton::Left, random.below(2) == 0).unwrap();
                }
            }
            _ => {
                let count = random.below(to_client.len() + 1);
                let piece: Vec<u8> = to_client.drain(..count).collect();
                client.receive(&piece);
            }
        }
        let sent = client.take_sent();
        to_client.extend(server.handle(&sent, &mut random));
    }
    // Everything that is on the way arrives, and the client closes the channel.
    for _ in 0..6 {
        client.receive(&std::mem::take(&mut to_client));
        let sent = client.take_sent();
        to_client.extend(server.handle(&sent, &mut random));
    }
    client.receive(&std::mem::take(&mut to_client));
    assert_eq!(state(&client), State::Open, "seed {seed}");
    assert!(client.session.is_complete(), "seed {seed}");
    client.assert_shows(&server.picture, &format!("seed {seed}"));
    client.session.close();
    let sent = client.take_sent();
    server.handle(&sent, &mut random);
    assert_eq!((server.keys.len(), server.buttons), (0, 0), "nothing is held at the end, seed {seed}");
    // At most once and in order: what arrived is a subsequence of what was accepted.
    let mut rest = accepted.iter();
    for key in &server.typed {
        assert!(rest.any(|accepted| accepted == key), "a key arrived twice or out of order, seed {seed}");
    }
}
