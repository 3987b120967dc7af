//! Tests a screen with a hostile X server, and with hostile applications on a real X server.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags};
use x11rb::{
    connection::Connection as _,
    protocol::xproto::{AtomEnum, ConnectionExt as _, PropMode},
    wrapper::ConnectionExt as _,
};

use super::{TEST_TIMEOUT, eventually, not_canceled, server::Server};
use crate::screen::{
    Button, ImageFormat, Screen, ScreenError, ScreenEvent, Watch,
    connection::{
        Display,
        endpoint::Endpoint,
        limits::{Limits, MAX_PACKET_BYTES},
        property::PropertyRequest,
        stream::wait_for,
    },
    fake_server::{FOCUSED, FakeServer, ROOT, Request, ServerAction, atom, extension, first_event, setup},
    watch,
};

/// The major opcode of the first request of every capture and click.
const GET_GEOMETRY: u8 = 14;
const GET_INPUT_FOCUS: u8 = 43;
const QUERY_TREE: u8 = 15;
const GET_PROPERTY: u8 = 20;
const CONVERT_SELECTION: u8 = 24;
const QUERY_EXTENSION: u8 = 98;
const GET_KEYBOARD_MAPPING: u8 = 101;
/// The code of an event that the screen ignores.
const KEY_PRESS: u8 = 2;
const PROPERTY_NOTIFY: u8 = 28;

/// The time limits of the tests. They are short, so that tests are fast, but allow a normal reply on a busy machine.
const LIMITS: Limits = Limits {
    reply: Duration::from_secs(2),
    operation: Duration::from_secs(4),
    application: Duration::from_secs(30),
};
/// The maximum duration of any call with [`LIMITS`].
const MAX_DURATION: Duration = Duration::from_secs(60);

/// Opens a screen on a fake server, which responds like a real server if `script` returns `None`.
fn screen(
    script: impl Fn(&Request) -> Option<Vec<ServerAction>> + Send + Sync + 'static,
) -> Result<(Screen, Arc<FakeServer>), ScreenError> {
    screen_with_limits(LIMITS, script)
}

fn screen_with_limits(
    limits: Limits,
    script: impl Fn(&Request) -> Option<Vec<ServerAction>> + Send + Sync + 'static,
) -> Result<(Screen, Arc<FakeServer>), ScreenError> {
    let fake = FakeServer::new(move |request| script(request).unwrap_or_else(|| request.default_actions()));
    Ok((Screen::open_with_limits(fake.clone(), limits)?, fake))
}

/// Opens a screen on a fake server, and returns the expected error.
#[track_caller]
fn failed_open(
    script: impl Fn(&Request) -> Option<Vec<ServerAction>> + Send + Sync + 'static,
) -> ScreenError {
    let began = Instant::now();
    let error = screen(script).map(drop).unwrap_err();
    assert!(began.elapsed() < MAX_DURATION, "the call took {:?}", began.elapsed());
    error
}

/// Takes a screenshot, and returns the expected error. The X server executes `action` when the capture requests the
/// size of the screen.
fn failed_screenshot(action: impl Fn(&Request) -> Vec<ServerAction> + Send + Sync + 'static) -> ScreenError {
    failed_screenshot_with_limits(LIMITS, action)
}

fn failed_screenshot_with_limits(
    limits: Limits,
    action: impl Fn(&Request) -> Vec<ServerAction> + Send + Sync + 'static,
) -> ScreenError {
    // The second connection is for captures. Its first request for the size is sent while the screen is opened.
    let seen = AtomicU32::new(0);
    let (screen, _fake) = screen_with_limits(limits, move |request| {
        let is_capture = request.connection == 1 && request.is(GET_GEOMETRY);
        let count = if is_capture { seen.fetch_add(1, Ordering::Relaxed) } else { 0 };
        (count > 0).then(|| action(request))
    })
    .unwrap();
    let began = Instant::now();
    let error = screen.screenshot(ImageFormat::Png, None).unwrap_err();
    assert!(began.elapsed() < MAX_DURATION, "the call took {:?}", began.elapsed());
    error
}

#[track_caller]
fn assert_lost(error: &ScreenError, reason: &str) {
    assert!(
        matches!(error, ScreenError::Lost(text) | ScreenError::Interrupted(text) if text.contains(reason)),
        "{error}"
    );
}

fn with_length(mut reply: Vec<u8>, words: u32) -> Vec<u8> {
    reply[4..8].copy_from_slice(&words.to_ne_bytes());
    reply
}

#[test]
fn the_default_fake_server_supports_all_calls() {
    let (screen, _fake) = screen(|_| None).unwrap();
    let image = screen.screenshot(ImageFormat::Png, None).unwrap();
    assert_eq!((image.width, image.height), (64, 48));
    screen.click(1, 1, Button::Left, false).unwrap();
    screen.key("a").unwrap();
    drop(screen.watch(|_| ()).unwrap());
}

#[test]
fn a_reply_of_gigabytes_is_rejected_at_its_header() {
    let error = failed_screenshot(|request| {
        vec![ServerAction::Send(with_length(request.reply().unwrap(), 0x3fff_ffff))]
    });
    assert_lost(&error, "a packet of 4294967324 bytes");
}

#[test]
fn a_list_with_missing_elements_is_rejected_before_the_allocation() {
    let (cursors, _fake) = screen(|request| {
        // The size is 65535x65535 pixels.
        let is_cursor = request.is_of("XFIXES", 4);
        is_cursor.then(|| vec![ServerAction::Send(request.reply_with(0, &[(12, u32::MAX)], &[]))])
    })
    .unwrap();
    assert_lost(&cursors.screenshot(ImageFormat::Png, None).unwrap_err(), "elements that is too short");
    let (counters, _fake) = screen(|request| {
        let is_list = request.is_of("SYNC", 1);
        is_list.then(|| vec![ServerAction::Send(request.reply_with(0, &[(8, u32::MAX)], &[]))])
    })
    .unwrap();
    assert_lost(&counters.watch(|_| ()).unwrap_err(), "elements that is too short");
}

#[test]
fn a_server_without_complete_replies_times_out() {
    assert_lost(&failed_screenshot(|_| Vec::new()), "no reply within 2 seconds");
    let pause = Duration::from_millis(100);
    let drips = move |request: &Request| {
        vec![ServerAction::Trickle(with_length(request.reply().unwrap(), 1 << 18), pause)]
    };
    assert_lost(&failed_screenshot(drips), "the operation took too long");
    // Repeats both cases during the setup.
    assert_lost(&failed_open(|request| request.is_setup().then(Vec::new)), "no reply within 2 seconds");
    assert_lost(
        &failed_open(move |request| request.is_setup().then(|| vec![ServerAction::Trickle(setup(), pause)])),
        "the operation took too long",
    );
}

#[test]
fn a_flood_of_packets_ends_the_connection() {
    let event = |request: &Request| {
        let mut bytes = vec![0; 32];
        bytes[0] = KEY_PRESS;
        bytes[2..4].copy_from_slice(&request.sequence.to_ne_bytes());
        bytes
    };
    // The timeouts are long, so that the other limits apply first.
    let limits = Limits { reply: TEST_TIMEOUT, operation: TEST_TIMEOUT, ..LIMITS };
    assert_lost(
        &failed_screenshot_with_limits(limits, move |request| vec![ServerAction::Flood(event(request))]),
        "unrequested bytes",
    );
    // Floods replies with a sequence number that has no pending request.
    let reply = |request: &Request| {
        let mut reply = request.reply().unwrap();
        reply[2..4].copy_from_slice(&request.sequence.wrapping_add(9).to_ne_bytes());
        reply
    };
    assert_lost(
        &failed_screenshot_with_limits(limits, move |request| vec![ServerAction::Flood(reply(request))]),
        "unrequested replies",
    );
    assert_lost(
        &failed_screenshot_with_limits(limits, move |request| {
            let largest = vec![0; MAX_PACKET_BYTES as usize - 32];
            vec![ServerAction::Flood(
                [with_length(reply(request), largest.len() as u32 / 4), largest].concat(),
            )]
        }),
        "unrequested bytes",
    );
    // Floods events after a reply, to test the code that discards events.
    let maps = AtomicU32::new(0);
    let (screen, _fake) = screen_with_limits(limits, move |request| {
        // The first request is sent while the screen is opened.
        let flooded = request.is(GET_KEYBOARD_MAPPING) && maps.fetch_add(1, Ordering::Relaxed) > 0;
        flooded
            .then(|| [request.default_actions(), vec![ServerAction::Flood(event(request))]].concat_actions())
    })
    .unwrap();
    let lost = [screen.key("a"), screen.key("b")].into_iter().find_map(Result::err);
    assert_lost(&lost.expect("one of the calls fails"), "it sent");
}

trait ConcatActions {
    fn concat_actions(self) -> Vec<ServerAction>;
}

impl<const N: usize> ConcatActions for [Vec<ServerAction>; N] {
    fn concat_actions(self) -> Vec<ServerAction> {
        self.into_iter().flatten().collect()
    }
}

#[test]
fn an_endless_chain_of_parent_windows_is_not_followed() {
    let (screen, _fake) = screen(|request| {
        request.is(QUERY_TREE).then(|| {
            // Each parent is a new window.
            vec![ServerAction::Send(request.reply_with(
                0,
                &[(12, 0x20_0000 + u32::from(request.sequence))],
                &[],
            ))]
        })
    })
    .unwrap();
    screen.type_text("a", None, &not_canceled()).unwrap();
}

#[test]
fn invalid_setups_are_rejected() {
    let base = setup();
    let find = |bytes: &[u8]| base.windows(bytes.len()).position(|part| part == bytes).unwrap();
    let masks = [0xff_0000u32, 0xff00, 0xff].map(u32::to_ne_bytes).concat();
    let keycodes = find(&[8, 255]);
    let ids = find(&0x40_0000u32.to_ne_bytes());
    let format = find(&[24, 32, 32]);
    // The offset of the number of screens.
    let roots = 28;
    let cases: [(&str, usize, &[u8]); 9] = [
        ("no screen", roots, &[0]),
        ("ids above 29 bits", ids, &[0xff; 8]),
        ("no id", ids + 4, &[0; 4]),
        ("keycodes with the last before the first", keycodes, &[255, 8]),
        ("all keycodes", keycodes, &[0, 255]),
        ("an empty mask", find(&masks), &[0; 4]),
        ("a mask of all bits", find(&masks), &[0xff; 4]),
        ("no row padding", format + 2, &[0]),
        ("no bits per pixel", format + 1, &[0]),
    ];
    for (what, at, bytes) in cases {
        let mut changed = base.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        let error =
            failed_open(move |request| request.is_setup().then(|| vec![ServerAction::Send(changed.clone())]));
        assert!(matches!(error, ScreenError::Lost(_) | ScreenError::Unsupported(_)), "{what}: {error}");
    }
}

/// Tests a case in which the original code of x11rb deadlocks.
#[test]
fn an_error_for_query_extension_is_returned() {
    let error = failed_open(|request| {
        let mut error = vec![0; 32];
        error[2..4].copy_from_slice(&request.sequence.to_ne_bytes());
        request.is(QUERY_EXTENSION).then(|| vec![ServerAction::Send(error)])
    });
    assert_lost(&error, "");
}

#[test]
fn keyboard_mappings_with_a_wrong_size_are_rejected() {
    for (width, keysyms) in [(0, 0), (0, 4), (2, 0), (2, 495), (255, 496)] {
        let error = failed_open(move |request| {
            let body = vec![1; keysyms];
            let is_map = request.is(GET_KEYBOARD_MAPPING);
            is_map.then(|| vec![ServerAction::Send(request.reply_with(width, &[], &body))])
        });
        assert_lost(&error, "keyboard mapping of a wrong size");
    }
}

/// Uses the second group as the active group, so that every call reads the layout.
#[test]
fn invalid_layouts_cause_no_panic() {
    let key = |info: u8, width: u8, keysyms: &[u32]| {
        let count = u16::try_from(keysyms.len()).unwrap().to_ne_bytes();
        let head = [0xffff_ffff, u32::from_ne_bytes([info, width, count[0], count[1]])];
        [&head, keysyms].concat()
    };
    let layouts: Vec<(u8, Vec<u32>)> = vec![
        (0, vec![]),
        (1, key(0, 0, &[])),
        (1, key(0xff, 0xff, &[0x61])),
        (1, key(0x4f, 0, &[0x61, 0x62])),
        (60, key(15, 4, &[0x61; 60]).repeat(60)),
        (255, key(2, 1, &[0xffff_ffff; 2]).repeat(255)),
    ];
    for (count, keys) in layouts {
        for state in [0, 3, 0xff] {
            let keys = keys.clone();
            let (screen, _fake) = screen(move |request| {
                let xkb = request.byte(0) == extension("XKEYBOARD");
                let reply = match (request.byte(0), request.byte(1)) {
                    // QueryPointer
                    (38, _) => request.reply_with(1, &[(8, ROOT), (24, 0x2000)], &[]),
                    (_, 4) if xkb => {
                        request.reply_with(3, &[(12, u32::from_ne_bytes([state; 4])), (16, u32::MAX)], &[])
                    }
                    (_, 8) if xkb => request.reply_with(
                        3,
                        &[(12, 2), (16, u32::from_ne_bytes([0, 8, 0, 0])), (20, count.into())],
                        &[&[0, 0][..], &keys].concat(),
                    ),
                    _ => return None,
                };
                Some(vec![ServerAction::Send(reply)])
            })
            .unwrap();
            let began = Instant::now();
            let _ = screen.key("ctrl+a");
            let _ = screen.type_text("aé", None, &not_canceled());
            assert!(began.elapsed() < MAX_DURATION);
        }
    }
}

#[test]
fn screens_without_pixels_or_with_too_many_are_rejected() {
    for (size, expected) in [(0, "with pixels"), (9000 | 9000 << 16, "9000x9000"), (u32::MAX, "65535x65535")]
    {
        let error = failed_screenshot(move |request| {
            vec![ServerAction::Send(request.reply_with(24, &[(16, size)], &[]))]
        });
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_property_longer_than_requested_is_truncated() {
    const TEXT: u8 = 8;
    let (screen, _fake) = screen(|request| {
        request.is(GET_PROPERTY).then(|| {
            let text = vec![u32::from_ne_bytes(*b"text"); 500_000];
            let count = (text.len() * 4) as u32;
            vec![ServerAction::Send(request.reply_with(TEXT, &[(16, count)], &text))]
        })
    })
    .unwrap();
    let display = Display::connect(&screen.endpoint).unwrap();
    let asked = PropertyRequest::send(&display, FOCUSED, 1, AtomEnum::ANY, 1024).unwrap();
    assert_eq!(asked.text().unwrap().unwrap().len(), 4096);
}

#[test]
fn file_descriptors_from_the_server_are_closed() {
    let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let write = Arc::new(Mutex::new(Some(Arc::new(write))));
    let lent = Arc::clone(&write);
    let (screen, _fake) = screen(move |request| {
        // An unrelated event.
        let mut event = vec![0; 32];
        event[0] = KEY_PRESS;
        event[2..4].copy_from_slice(&request.sequence.to_ne_bytes());
        let lent = lent.lock().unwrap();
        let sent = lent.iter().filter(|_| !request.is_setup());
        let sent = sent.map(|write| ServerAction::SendWithFd(event.clone(), Arc::clone(write)));
        Some(request.default_actions().into_iter().chain(sent).collect())
    })
    .unwrap();
    screen.click(1, 1, Button::Left, false).unwrap();
    write.lock().unwrap().take();
    // The screen may not have read the last event of the first click yet, so the socket still contains a descriptor.
    screen.click(1, 1, Button::Left, false).unwrap();
    // The read end of the pipe becomes ready only if the screen has no copy of the write end.
    assert!(wait_for(&mut [PollFd::new(&read, PollFlags::IN)], Some(Instant::now() + TEST_TIMEOUT)).unwrap());
}

/// Drops a watch when `is_busy` returns `true`, and waits until its thread ends.
fn ends_when_dropped(
    script: impl Fn(&Request) -> Option<Vec<ServerAction>> + Send + Sync + 'static,
    is_busy: impl Fn(&FakeServer) -> bool,
) {
    let fake = FakeServer::new(move |request| script(request).unwrap_or_else(|| request.default_actions()));
    let endpoint = Endpoint { connector: fake.clone(), limits: LIMITS };
    let (send, dropped) = channel::<()>();
    let watch = Watch::start(&endpoint, watch::IDLE_AFTER, move |_| drop(send.clone())).unwrap();
    eventually("the busy watch", || is_busy(&fake).then_some(()));
    drop(watch);
    assert_eq!(dropped.recv_timeout(MAX_DURATION), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn a_dropped_watch_ends_with_any_server() {
    let window_list_change = |request: &Request| {
        let mut bytes = vec![0; 32];
        bytes[0] = PROPERTY_NOTIFY;
        bytes[2..4].copy_from_slice(&request.sequence.to_ne_bytes());
        bytes[4..8].copy_from_slice(&ROOT.to_ne_bytes());
        bytes[8..12].copy_from_slice(&atom("_NET_CLIENT_LIST").to_ne_bytes());
        bytes
    };
    // The server floods events and sends no replies.
    let started = starts();
    ends_when_dropped(
        move |request| {
            started(request).then(|| {
                [request.default_actions(), vec![ServerAction::Flood(window_list_change(request))]]
                    .concat_actions()
            })
        },
        |fake| fake.connections() > 1,
    );
    // The server does not reply to a request.
    let (started, has_started) = (starts(), AtomicBool::new(false));
    let asked = Arc::new(AtomicBool::new(false));
    let is_asked = Arc::clone(&asked);
    ends_when_dropped(
        move |request| {
            if started(request) {
                has_started.store(true, Ordering::Relaxed);
                return Some(
                    [request.default_actions(), vec![ServerAction::Send(window_list_change(request))]]
                        .concat_actions(),
                );
            }
            let is_open = request.is(GET_PROPERTY) && has_started.load(Ordering::Relaxed);
            asked.fetch_or(is_open, Ordering::Relaxed);
            is_open.then(Vec::new)
        },
        |_| is_asked.load(Ordering::Relaxed),
    );
    // The server closes each connection after the watch has started.
    ends_when_dropped(closes_when_started(), |fake| fake.connections() > 2);
}

/// Returns a script that closes each connection after the watch has started.
fn closes_when_started() -> impl Fn(&Request) -> Option<Vec<ServerAction>> + Send + Sync {
    let started = starts();
    move |request| {
        if request.is(CONVERT_SELECTION) {
            return Some(vec![ServerAction::Close]);
        }
        started(request)
            .then(|| [request.default_actions(), vec![ServerAction::Send(copied(request))]].concat_actions())
    }
}

/// Builds an event about a new clipboard owner.
fn copied(request: &Request) -> Vec<u8> {
    let mut bytes = vec![0; 32];
    bytes[0] = first_event("XFIXES");
    bytes[2..4].copy_from_slice(&request.sequence.to_ne_bytes());
    bytes[8..12].copy_from_slice(&FOCUSED.to_ne_bytes());
    bytes[12..16].copy_from_slice(&atom("CLIPBOARD").to_ne_bytes());
    bytes
}

/// Returns a function that detects the last request of a starting watch, which is its second GetInputFocus request.
fn starts() -> impl Fn(&Request) -> bool + Send + Sync {
    let seen = AtomicU32::new(0);
    move |request| request.is(GET_INPUT_FOCUS) && seen.fetch_add(1, Ordering::Relaxed) % 2 == 1
}

#[test]
fn a_watch_limits_its_rate_of_reconnects() {
    let script = closes_when_started();
    let fake = FakeServer::new(move |request| script(request).unwrap_or_else(|| request.default_actions()));
    let endpoint = Endpoint { connector: fake.clone(), limits: LIMITS };
    let began = Instant::now();
    let _watch = Watch::start(&endpoint, watch::IDLE_AFTER, |_| ()).unwrap();
    eventually("some connections", || (fake.connections() >= 4).then_some(()));
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn a_list_of_millions_of_windows_is_truncated() {
    const ENTRIES: usize = 24_000_000;
    let server = Server::start();
    let other = Display::connect(&server.endpoint()).unwrap();
    let list = other.atoms._NET_CLIENT_LIST;
    let piece: Vec<u32> = (0..1_000_000).collect();
    for _ in 0..ENTRIES / piece.len() {
        other.conn.change_property32(PropMode::APPEND, other.root, list, AtomEnum::WINDOW, &piece).unwrap();
        other.sync().unwrap();
    }
    let whole = other.conn.get_property(false, other.root, list, AtomEnum::WINDOW, 0, 1).unwrap();
    assert_eq!(whole.reply().unwrap().bytes_after as usize, ENTRIES * 4 - 4);
    // If a reply exceeded the packet limit, the watch would fail to start.
    let events = super::watch::Events::of(&server);
    server.run("xrandr", &["-s", "800x600"]);
    events.wait(|event| matches!(event, ScreenEvent::ScreenChange { width: 800, .. }).then_some(()));
    other.conn.flush().unwrap();
}

#[test]
fn screenshots_of_a_too_large_screen_fail_until_it_is_smaller() {
    let server = Server::start();
    let screen = server.screen();
    server.run("xrandr", &["--fb", "9000x9000"]);
    let refused = screen.screenshot(ImageFormat::Png, None).unwrap_err();
    assert!(matches!(refused, ScreenError::TooLarge { width: 9000, height: 9000 }), "{refused}");
    screen.click(8999, 8999, Button::Left, false).unwrap();
    server.run("xrandr", &["--fb", "7680x4320"]);
    assert_eq!(screen.screenshot(ImageFormat::Png, None).unwrap().width, 7680);
}
