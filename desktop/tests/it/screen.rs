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
                self.socket.send_bytes(bytes);
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
                assert!(refusal.contains("1013") && Instant::now() < end, "{refusal}");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

/// Returns the keys and the buttons that the X server considers held.
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
print(held, mask.value >> 8 & 31, n[0].value, n[1].value)
";
    let result = computer.act("exec", &json!({ "code": CODE })).expect(200);
    result["output"].as_str().unwrap_or_else(|| panic!("{result}")).trim().to_owned()
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
    wait_until("the input arrives", || held(&computer) == "[50] 1 321 234");
    viewer.session.release_all();
    viewer.perform();
    wait_until("the input is released", || held(&computer) == "[] 0 321 234");
    // A change on the screen arrives without a request of the program.
    viewer.items.clear();
    computer.act("click", &json!({ "x": 640, "y": 360, "button": "right" })).expect(200);
    let has_damage =
        |viewer: &mut Viewer| viewer.items.iter().any(|item| matches!(item, ScreenItem::Damage { .. }));
    viewer.wait("the menu of the desktop", has_damage);
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
    wait_until("nothing is held", || held(&computer).starts_with("[] 0 "));
}

#[test]
fn nothing_stays_held_after_any_disconnect() {
    let server = Server::start();
    let computer = server.computer();
    let mut random = fastrand::Rng::with_seed(3);
    let rounds = if full() { 1_000 } else { 12 };
    for round in 0..rounds {
        let mut viewer = Viewer::connect(&computer);
        viewer.session.move_pointer(5.0, 5.0).expect("it is on the screen");
        for _ in 0..random.u8(1..6) {
            let key = ["a", "shift", "ctrl", "alt", "F3", "Escape"][random.usize(..6)];
            viewer.session.key(key, KeyAction::Down).expect("the key is known");
            let button =
                [PointerButton::Left, PointerButton::Middle, PointerButton::Right][random.usize(..3)];
            viewer.session.set_button(button, true).expect("the button is known");
        }
        viewer.perform();
        if random.bool() {
            // An orderly end; otherwise the connection just breaks.
            viewer.session.close();
            viewer.perform();
        }
        drop(viewer);
        // The next viewer could release what this one has left.
        wait_until(&format!("nothing is held after round {round}"), || held(&computer).starts_with("[] 0 "));
    }
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
    assert_eq!(held(&computer), "[] 0 900 300");
}

#[test]
fn the_number_of_viewers_is_limited() {
    let server = Server::start();
    let computer = server.computer();
    let mut viewers: Vec<Viewer> = (0..16).map(|_| Viewer::connect(&computer)).collect();
    assert_eq!(Socket::open(&computer, "websockify", "").close_code(), 1013);
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
