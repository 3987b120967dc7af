//! Tests the screen channel with the client's session, over real sockets.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use orgo_core::channel::screen::{KeyAction, PointerButton, ScreenItem, ScreenOptions};
use orgo_core::channel::{Action, ScreenSession, State, Target};
use orgo_core::client::address::ComputerAddress;
use orgo_core::client::credentials::Password;
use serde_json::json;
use tungstenite::Message;

use crate::server::{Computer, Server, TIMEOUT, full, wait_until};
use crate::socket::Socket;

/// A viewer: the client's session and its socket.
struct Viewer {
    session: ScreenSession,
    socket: Socket,
    started: Instant,
    items: Vec<ScreenItem>,
}

impl Viewer {
    fn connect(computer: &Computer<'_>) -> Self {
        let mut viewer = Self::start(computer, "", &computer.password());
        viewer.wait("the whole screen", |viewer| viewer.session.is_complete());
        viewer
    }

    /// Connects with this query after the token, and with this password for VNC authentication.
    fn start(computer: &Computer<'_>, query: &str, password: &str) -> Self {
        let target = Target {
            address: ComputerAddress { computer_id: "c".to_owned(), ..ComputerAddress::default() },
            password: Some(Password::new(password)),
            max_reconnects: Some(0),
            ..Target::default()
        };
        let session = ScreenSession::screen(target, ScreenOptions::default(), 1, 0);
        let socket = Socket::open(computer, "websockify", query);
        let mut viewer = Self { session, socket, started: Instant::now(), items: Vec::new() };
        viewer.perform();
        viewer.session.handle_open(0);
        viewer
    }

    fn perform(&mut self) {
        while let Some(action) = self.session.poll_action() {
            if let Action::SendBinary(bytes) = action {
                // The next read reports a connection that is broken.
                self.socket.try_send_bytes(bytes);
            }
        }
        self.items.extend(std::iter::from_fn(|| self.session.poll_item()));
    }

    fn step(&mut self) {
        self.perform();
        let now = u64::try_from(self.started.elapsed().as_millis()).expect("it is a short time");
        match self.socket.message_before(Instant::now() + Duration::from_millis(5)) {
            Some(Message::Binary(bytes)) => self.session.handle_binary(now, &bytes),
            Some(Message::Close(frame)) => {
                let frame = frame.expect("it has a code");
                self.session.handle_close(now, frame.code.into(), frame.reason.as_str());
            }
            Some(_) => {}
            None => self.session.handle_timeout(now),
        }
        self.perform();
    }

    #[track_caller]
    fn wait(&mut self, what: &str, mut condition: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + TIMEOUT;
        while !condition(self) {
            assert!(Instant::now() < end, "timeout: {what}, {:?}", self.session.state());
            self.step();
        }
    }

    /// Waits for the end of the channel. Returns its cause.
    #[track_caller]
    fn end(&mut self) -> String {
        self.wait("the end", |viewer| matches!(viewer.session.state(), State::Closed(_)));
        let State::Closed(cause) = self.session.state() else { unreachable!("it is closed") };
        cause.to_string()
    }
}

/// Connects a viewer with the right password. Returns it if the server accepts it, or the reason of the refusal.
fn try_connect(computer: &Computer<'_>) -> Result<Viewer, String> {
    let mut viewer = Viewer::start(computer, "", &computer.password());
    viewer.wait("an outcome", |viewer| {
        viewer.session.is_complete() || matches!(viewer.session.state(), State::Closed(_))
    });
    if viewer.session.is_complete() { Ok(viewer) } else { Err(viewer.end()) }
}

/// Connects a viewer as soon as the server has noticed the end of earlier viewers. Every other refusal is a failure.
fn connect_when_free(computer: &Computer<'_>) -> Viewer {
    let end = Instant::now() + TIMEOUT;
    loop {
        match try_connect(computer) {
            Ok(viewer) => return viewer,
            Err(refusal) => {
                assert!(refusal.contains("Too many viewers") && Instant::now() < end, "{refusal}");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

/// Returns the keys and the buttons that the X server considers held, the position of the pointer, and the modifiers that
/// are active.
fn held(computer: &Computer<'_>) -> String {
    const CODE: &str = "
import ctypes
x = ctypes.CDLL('libX11.so.6')
x.XOpenDisplay.restype = ctypes.c_void_p
d = ctypes.c_void_p(x.XOpenDisplay(None))
keys = ctypes.create_string_buffer(32)
x.XQueryKeymap(d, keys)
x.XDefaultRootWindow.restype = ctypes.c_ulong
w = [ctypes.c_ulong() for _ in range(2)]
n = [ctypes.c_int() for _ in range(4)]
mask = ctypes.c_uint()
x.XQueryPointer(d, ctypes.c_ulong(x.XDefaultRootWindow(d)), *map(ctypes.byref, w + n), ctypes.byref(mask))
held = [i for i in range(256) if keys.raw[i // 8] >> (i % 8) & 1]
print(held, mask.value >> 8 & 31, n[0].value, n[1].value, mask.value & 255)
";
    let result = computer.act("exec", &json!({ "code": CODE })).expect(200);
    result["output"].as_str().unwrap_or_else(|| panic!("{result}")).trim().to_owned()
}

/// Returns whether no key or button is held, and no modifier is active.
fn is_released(computer: &Computer<'_>) -> bool {
    let held = held(computer);
    held.starts_with("[] 0 ") && held.ends_with(" 0")
}

#[test]
fn a_viewer_sees_and_controls_the_screen() {
    let server = Server::start();
    let computer = server.computer();
    let mut viewer = Viewer::connect(&computer);
    let screen = viewer.session.framebuffer();
    assert_eq!((screen.width(), screen.height()), (1280, 720));
    viewer.session.move_pointer(321.0, 234.0).expect("it is on the screen");
    viewer.session.set_button(PointerButton::Left, true).expect("the button is known");
    viewer.session.key("shift", KeyAction::Down).expect("the key is known");
    viewer.perform();
    wait_until("the input arrives", || held(&computer) == "[50] 1 321 234 1");
    viewer.session.release_all();
    viewer.perform();
    wait_until("the input is released", || held(&computer) == "[] 0 321 234 0");
    // A change on the screen arrives without a request of the program.
    viewer.items.clear();
    computer.act("click", &json!({ "x": 640, "y": 360, "button": "right" })).expect(200);
    let has_damage =
        |viewer: &mut Viewer| viewer.items.iter().any(|item| matches!(item, ScreenItem::Damage { .. }));
    viewer.wait("the menu of the desktop", has_damage);
}

#[test]
fn capital_letters_leave_caps_lock_off() {
    let server = Server::start();
    let computer = server.computer();
    let mut viewer = Viewer::connect(&computer);
    for (key, other) in [("A", "F5"), ("shift+a", "F6"), ("ctrl+B", "F7"), ("Ä", "F8")] {
        viewer.session.key(key, KeyAction::Press).expect("the key is known");
        viewer.session.key(other, KeyAction::Down).expect("the key is known");
        viewer.perform();
        // The X server has handled all keys when it holds the last one.
        wait_until("the last key", || !held(&computer).starts_with("[] "));
        let state = held(&computer);
        assert!(state.ends_with(" 0"), "{state} after {key}");
        viewer.session.release_all();
        viewer.perform();
        wait_until("the release", || is_released(&computer));
    }
}

#[test]
fn the_size_of_the_screen_cannot_be_changed() {
    let server = Server::start();
    let computer = server.computer();
    let mut viewer = Viewer::connect(&computer);
    viewer.session.resize(800.0, 600.0).expect("the size is valid");
    let refusal = |viewer: &mut Viewer| {
        viewer
            .items
            .iter()
            .any(|item| matches!(item, ScreenItem::Error { message } if message.contains("not permit")))
    };
    viewer.wait("the refusal", refusal);
    assert_eq!(viewer.session.framebuffer().width(), 1280);
}

#[test]
fn several_viewers_and_api_actions_do_not_disturb_each_other() {
    let server = Server::start();
    let computer = server.computer();
    let mut viewers: Vec<Viewer> = (0..3).map(|_| Viewer::connect(&computer)).collect();
    for round in 0..10 {
        for (at, viewer) in viewers.iter_mut().enumerate() {
            let place = f64::from(u32::try_from(at * 100 + round * 10).expect("it is small"));
            viewer.session.move_pointer(place, place).expect("it is on the screen");
            viewer.session.key(["a", "Shift", "F5"][at], KeyAction::Press).expect("the key is known");
            viewer
                .session
                .click(PointerButton::Left, 1.0, &["ctrl".to_owned()])
                .expect("the button is known");
            viewer.step();
        }
        computer.act("click", &json!({ "x": 600, "y": 300 })).expect(200);
        computer.act("key", &json!({ "key": "ctrl+shift+b" })).expect(200);
        computer.act("type", &json!({ "text": "Äb" })).expect(200);
    }
    wait_until("nothing is held", || is_released(&computer));
}

/// How a round of [`nothing_stays_held_after_any_disconnect`] ends for the viewers that are still connected.
#[derive(Clone, Copy, Debug)]
enum Break {
    /// Each viewer closes, disconnects, or disconnects in the middle of a message.
    Viewers,
    /// The X server hangs while the viewers disconnect.
    Hang,
    /// The X server is killed, and the computer is started again.
    Display,
    /// The server is killed, and a new server starts the computer.
    Server,
}

/// Input in a random order that leaves keys and buttons held.
fn hold(viewer: &mut Viewer, random: &mut fastrand::Rng) {
    const KEYS: [&str; 8] = ["a", "A", "shift", "ctrl", "alt", "altgr", "F3", "Escape"];
    const BUTTONS: [PointerButton; 3] = [PointerButton::Left, PointerButton::Middle, PointerButton::Right];
    for _ in 0..random.u8(2..12) {
        let session = &mut viewer.session;
        let (x, y) = (f64::from(random.u16(0..1280)), f64::from(random.u16(0..720)));
        session.move_pointer(x, y).expect("it is on the screen");
        let (key, button) = (KEYS[random.usize(..8)], BUTTONS[random.usize(..3)]);
        match random.u8(..6) {
            0 | 1 => session.key(key, KeyAction::Down).expect("the key is known"),
            2 | 3 => session.set_button(button, true).expect("the button is known"),
            4 => session.click(button, 2.0, &["ctrl".to_owned()]).expect("the button is known"),
            _ => session.wheel(1.0, -1.0).expect("the number of steps is valid"),
        };
        if random.bool() {
            viewer.perform();
        }
    }
    viewer.perform();
}

/// Ends a viewer in a random way.
fn end(mut viewer: Viewer, random: &mut fastrand::Rng) {
    match random.u8(..4) {
        // An orderly end, in which the client releases what it holds.
        0 => {
            viewer.session.close();
            viewer.perform();
        }
        // A part of a message that presses a button or a key.
        1 => {
            let message = [&[5, 1, 0, 9, 0, 9][..], &[4, 1, 0, 0, 0, 0, 0, 0x62]][random.usize(..2)];
            viewer.socket.send_bytes(message[..random.usize(1..message.len())].to_vec());
        }
        // A viewer that does not read, so that the X server cannot send to it.
        2 => viewer.socket.minimize_receive_buffer(),
        _ => {}
    }
}

#[test]
fn nothing_stays_held_after_any_disconnect() {
    let mut server = Server::start();
    let id = server.computer().id;
    let seed = std::env::var("ORGO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(3);
    let mut random = fastrand::Rng::with_seed(seed);
    let disconnects = if full() { 1_000 } else { 16 };
    let (mut left, mut round) = (disconnects, 0);
    while left > 0 {
        let computer = Computer { server: &server, id: id.clone() };
        // All kinds of breaks are in the first rounds.
        let kind = match round {
            1 => Break::Hang,
            2 => Break::Display,
            3 => Break::Server,
            _ => match random.u8(..40) {
                0 | 1 => Break::Hang,
                2 => Break::Display,
                3 => Break::Server,
                _ => Break::Viewers,
            },
        };
        let count = random.usize(1..=4).min(left);
        let seeds: Vec<u64> = (0..count).map(|_| random.u64(..)).collect();
        let connected = Barrier::new(count + 1);
        let kill = |name: &str| computer.bash(&format!("pkill -{name} Xvnc"));
        std::thread::scope(|scope| {
            for seed in seeds {
                let (computer, connected) = (&computer, &connected);
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed);
                    let mut viewer = connect_when_free(computer);
                    connected.wait();
                    hold(&mut viewer, &mut random);
                    connected.wait();
                    match kind {
                        Break::Viewers => {}
                        Break::Hang => {
                            // More input than the socket of the X server accepts, so that a message stays incomplete.
                            for _ in 0..40 {
                                viewer.socket.send_bytes([5, 1, 0, 5, 0, 5].repeat(2_000));
                            }
                        }
                        // The viewer breaks with the X server or the server.
                        Break::Display | Break::Server => return drop(viewer),
                    }
                    end(viewer, &mut random);
                });
            }
            connected.wait();
            // Calls of the API use the same pointer and keyboard at the same time.
            for action in 0..random.u8(1..4) {
                let (x, y) = (random.u16(..1280), random.u16(..720));
                match action {
                    0 => computer.act("click", &json!({ "x": x, "y": y })).expect(200),
                    1 => computer.act("key", &json!({ "key": "ctrl+shift+b" })).expect(200),
                    _ => computer.act("type", &json!({ "text": "Äb" })).expect(200),
                };
            }
            match kind {
                Break::Viewers => {}
                Break::Hang => drop(kill("STOP")),
                // The computer can end before the command has returned.
                Break::Display => drop(computer.act("bash", &json!({ "command": "pkill -KILL Xvnc" }))),
                Break::Server => server.signal(rustix::process::Signal::KILL),
            }
            connected.wait();
        });
        left -= count;
        round += 1;
        match kind {
            Break::Viewers => {}
            Break::Hang => drop(kill("CONT")),
            Break::Display => {
                computer.wait_for_status("error");
                computer.act("start", &json!({})).expect(200);
            }
            Break::Server => {
                server.process.wait().expect("it ends");
                let other = tempfile::tempdir().expect("the tests may write to /tmp");
                let data = std::mem::replace(&mut server.data, other);
                server = Server::start_in(data, &[]);
            }
        }
        let computer = Computer { server: &server, id: id.clone() };
        computer.wait_for_status("running");
        // A viewer that connects could release what another one has left, so none does here.
        let end = Instant::now() + TIMEOUT;
        while !is_released(&computer) {
            let state = held(&computer);
            if Instant::now() >= end {
                let log = &computer.bash("tail -n 5 /run/log/Xvnc.log")["output"];
                panic!("{state} after round {round} ({kind:?}, seed {seed}); the X server logged {log}");
            }
        }
    }
}

#[test]
fn a_button_is_released_although_a_key_binding_overtakes_its_press() {
    let server = Server::start();
    let computer = server.computer();
    let mut viewer = Viewer::connect(&computer);
    // The window manager handles the press only after it has grabbed the keyboard for alt+Tab. The pointer is on the
    // panel, because the window manager grabs no button of the desktop. A screenshot waits for the panel.
    server.get(&format!("/computers/{}/screenshot", computer.id)).expect(200);
    computer.bash("pkill -STOP openbox");
    viewer.session.move_pointer(600.0, 715.0).expect("it is on the screen");
    viewer.session.click(PointerButton::Left, 1.0, &[]).expect("the button is known");
    viewer.session.key("alt", KeyAction::Down).expect("the key is known");
    viewer.perform();
    wait_until("the frozen press", || held(&computer).starts_with("[64] 1 600 715"));
    viewer.session.key("Tab", KeyAction::Down).expect("the key is known");
    viewer.perform();
    wait_until("the keys", || held(&computer).starts_with("[23, 64] 1 600 715"));
    computer.bash("pkill -CONT openbox");
    wait_until("the release of the button", || held(&computer).starts_with("[23, 64] 0 600 715"));
    drop(viewer);
    wait_until("the release of the keys", || is_released(&computer));
    // A click still arrives.
    computer.act("click", &json!({ "x": 640, "y": 360 })).expect(200);
    wait_until("the click", || held(&computer) == "[] 0 640 360 0");
}

#[test]
fn the_cause_of_the_end_is_that_the_computer_does_not_run_if_its_x_server_ends() {
    let server = Server::start();
    let computer = server.computer();
    for _ in 0..3 {
        let mut viewers: Vec<Viewer> = (0..4).map(|_| Viewer::connect(&computer)).collect();
        // The computer can end before the command has returned.
        let _ = computer.act("bash", &json!({ "command": "pkill -KILL Xvnc" }));
        for viewer in &mut viewers {
            let cause = viewer.end();
            assert!(cause.contains("4003"), "{cause}");
        }
        computer.wait_for_status("error");
        computer.act("start", &json!({})).expect(200);
        computer.wait_for_status("running");
    }
}

#[test]
fn a_button_is_released_although_the_x_server_hangs() {
    let server = Server::start();
    let computer = server.computer();
    let descriptors =
        || std::fs::read_dir(format!("/proc/{}/fd", server.process.id())).expect("it is running").count();
    let mut viewer = Viewer::connect(&computer);
    computer.bash("pkill -STOP Xvnc");
    viewer.session.move_pointer(5.0, 5.0).expect("it is on the screen");
    viewer.session.set_button(PointerButton::Left, true).expect("the button is known");
    viewer.perform();
    // More input than the socket of the X server accepts.
    for _ in 0..100 {
        viewer.socket.send_bytes([5, 1, 0, 6, 0, 7].repeat(2_000));
    }
    let connected = descriptors();
    drop(viewer);
    // The server notices the end of the viewer by a ping, while it still has input for the X server.
    wait_until("the end of the viewer", || descriptors() < connected);
    computer.bash("pkill -CONT Xvnc");
    wait_until("the button is released", || held(&computer) == "[] 0 6 7 0");
}

#[test]
fn the_security_handshake_requires_the_password() {
    let server = Server::start();
    let computer = server.computer();
    // The token of the URL is right, and the password of the handshake is wrong. The session then requests another
    // password.
    let refused = || {
        let mut viewer = Viewer::start(&computer, "", "wrong");
        let state = |viewer: &mut Viewer| {
            matches!(viewer.session.state(), State::Connecting | State::Closed(_))
                && viewer.session.poll_timeout().is_none()
        };
        viewer.wait("the refusal", state);
        viewer.socket.close_code()
    };
    for _ in 0..5 {
        assert_eq!(refused(), 4401);
    }
    let mut viewer = Viewer::start(&computer, "", &computer.password());
    assert_eq!(viewer.end(), "refused by the server: Too many wrong passwords: wait 10 seconds");
    // The limit ends by itself, and the computer's own X server has not counted anything.
    wait_until("the end of the limit", || try_connect(&computer).is_ok());
}

#[test]
fn a_view_only_viewer_sees_but_does_not_control() {
    let server = Server::start();
    let computer = server.computer();
    let mut viewer = Viewer::start(&computer, "&view_only=1", &computer.password());
    viewer.wait("the whole screen", |viewer| viewer.session.is_complete());
    viewer.session.move_pointer(7.0, 9.0).expect("it is on the screen");
    viewer.session.set_button(PointerButton::Left, true).expect("the button is known");
    viewer.session.key("shift", KeyAction::Down).expect("the key is known");
    viewer.perform();
    // The second change is the response to a request after the input, so the server has handled the input.
    for x in [400, 900] {
        viewer.items.clear();
        computer.act("click", &json!({ "x": x, "y": 300, "button": "right" })).expect(200);
        viewer.wait("a change", |viewer| {
            viewer.items.iter().any(|item| matches!(item, ScreenItem::Damage { .. }))
        });
    }
    assert_eq!(held(&computer), "[] 0 900 300 0");
}

#[test]
fn the_number_of_viewers_is_limited() {
    let server = Server::start();
    let computer = server.computer();
    let mut viewers: Vec<Viewer> = (0..16).map(|_| Viewer::connect(&computer)).collect();
    let refusal = try_connect(&computer).err();
    let reason = "refused by the server: Too many viewers: at most 16 can be connected at the same time";
    assert_eq!(refusal.as_deref(), Some(reason));
    // A viewer of version 3.3, and one that does not speak RFB.
    let mut older = Socket::open(&computer, "websockify", "");
    assert_eq!(older.message(), Message::binary(&b"RFB 003.008\n"[..]));
    older.send_bytes(b"RFB 003.003\n".to_vec());
    let Message::Binary(refusal) = older.message() else { panic!("it is binary") };
    assert_eq!(refusal[..8], [0, 0, 0, 0, 0, 0, 0, 62]);
    assert_eq!(older.close_code(), 1013);
    let mut other = Socket::open(&computer, "websockify", "");
    assert_eq!(other.message(), Message::binary(&b"RFB 003.008\n"[..]));
    other.send_bytes(b"GET / HTTP/1.1\r\n".to_vec());
    assert_eq!(other.close_code(), 1013);
    viewers.pop();
    wait_until("a free place", || try_connect(&computer).is_ok());
}

#[test]
fn all_viewers_can_connect_at_the_same_time() {
    let server = Server::start();
    let computer = server.computer();
    let barrier = Barrier::new(16);
    std::thread::scope(|scope| {
        let connect = || {
            // The X server must not count the handshakes of earlier rounds either.
            for _ in 0..if full() { 50 } else { 5 } {
                barrier.wait();
                let viewer = connect_when_free(&computer);
                // Each viewer stays until all are connected.
                barrier.wait();
                drop(viewer);
            }
        };
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(connect)).collect();
        for thread in threads {
            thread.join().expect("it connects");
        }
    });
}

#[test]
fn a_viewer_that_does_not_read_holds_up_nobody() {
    let server = Server::start();
    let computer = server.computer();
    let mut stuck = Viewer::connect(&computer);
    stuck.socket.minimize_receive_buffer();
    let mut viewer = Viewer::connect(&computer);
    for round in 0..20 {
        viewer.items.clear();
        let x = if round % 2 == 0 { 300 } else { 900 };
        computer.act("click", &json!({ "x": x, "y": 360, "button": "right" })).expect(200);
        viewer.wait("a change", |viewer| {
            viewer.items.iter().any(|item| matches!(item, ScreenItem::Damage { .. }))
        });
    }
    // It still gets the newest screen as soon as it reads.
    stuck.items.clear();
    stuck.wait("a change", |stuck| stuck.items.iter().any(|item| matches!(item, ScreenItem::Damage { .. })));
}

#[test]
fn viewers_close_with_the_code_of_the_reason() {
    let server = Server::start();
    let computer = server.computer();
    let mut viewer = Viewer::connect(&computer);
    computer.act("stop", &json!({})).expect(200);
    assert_eq!(viewer.end(), "the computer is not running: close code 4003, the computer is not running");
    computer.wait_for_status("stopped");
    let path = format!("/desktops/{}/ws/websockify?token=x", computer.id);
    assert_eq!(Socket::open_at(&computer, &path).close_code(), 4003);
    computer.act("start", &json!({})).expect(200);
    computer.wait_for_status("running");
    let mut viewer = Viewer::connect(&computer);
    server.signal(rustix::process::Signal::TERM);
    let cause = viewer.end();
    assert!(cause.contains("close code 1001"), "{cause}");
}

#[test]
fn the_older_address_leads_to_the_same_screen() {
    let server = Server::start();
    let computer = server.computer();
    let show = computer.show();
    let instance = show["instance_id"].as_str().expect("it is a string");
    let path = format!("/websockify?token={}", computer.password());
    let mut socket = Socket::open_by_host(&computer, &format!("{instance}.localhost"), &path);
    assert_eq!(socket.message(), Message::binary(&b"RFB 003.008\n"[..]));
    // A viewer of version 3.3 gets the security type that the server decides.
    socket.send_bytes(b"RFB 003.003\n".to_vec());
    assert_eq!(socket.message(), Message::binary(&[0, 0, 0, 2][..]));
    socket.send_bytes(b"no".to_vec());
    let mut malformed = Socket::open(&computer, "websockify", "");
    malformed.send_bytes(b"GET / HTTP/1.1\r\n".to_vec());
    assert_eq!(malformed.close_code(), 1002);
}
