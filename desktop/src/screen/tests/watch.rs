//! Tests the events of a watch.

use std::{
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use rustix::process::Signal;
use x11rb::{
    CURRENT_TIME, NONE,
    connection::Connection,
    protocol::{
        Event,
        xproto::{
            Atom, AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, CreateWindowAux, EventMask,
            PropMode, Property, SelectionNotifyEvent, Window,
        },
    },
    wrapper::ConnectionExt as _,
};

use super::{TEST_TIMEOUT, create_window, server::Server};
use crate::screen::{Button, Screen, ScreenError, ScreenEvent, Watch, connection::Display};

/// The events of one watch, in order.
pub(super) struct Events {
    received: Receiver<ScreenEvent>,
    _watch: Watch,
}

impl Events {
    pub(super) fn of(server: &Server) -> Self {
        const NEVER: Duration = Duration::from_secs(86_400);
        Self::with_idle_after(server, NEVER)
    }

    fn with_idle_after(server: &Server, idle_after: Duration) -> Self {
        let (send, received) = channel();
        let watch = Watch::start(&server.endpoint(), idle_after, move |event| {
            // Sending fails if the test has ended while events still arrive.
            let _ = send.send(event);
        });
        Self { received, _watch: watch.unwrap() }
    }

    #[track_caller]
    pub(super) fn next(&self) -> ScreenEvent {
        self.received.recv_timeout(TEST_TIMEOUT).expect("the watch reports an event")
    }

    /// Waits until `pick` returns a value for an event. Discards the other events.
    #[track_caller]
    pub(super) fn wait<T>(&self, mut pick: impl FnMut(ScreenEvent) -> Option<T>) -> T {
        loop {
            if let Some(picked) = pick(self.next()) {
                return picked;
            }
        }
    }
}

/// An application with one window, and its connection.
struct Application {
    display: Display,
    window: Window,
}

impl Application {
    fn start(server: &Server) -> Self {
        let display = Display::connect(&server.endpoint()).unwrap();
        let window = create_window(&display, 300, 200, &CreateWindowAux::new());
        Self { display, window }
    }

    fn show(&self, title: &str, kind: Option<Atom>) {
        let (conn, atoms) = (&self.display.conn, &self.display.atoms);
        let text = title.as_bytes();
        conn.change_property8(PropMode::REPLACE, self.window, atoms._NET_WM_NAME, atoms.UTF8_STRING, text)
            .unwrap();
        if let Some(kind) = kind {
            let property = atoms._NET_WM_WINDOW_TYPE;
            conn.change_property32(PropMode::REPLACE, self.window, property, AtomEnum::ATOM, &[kind])
                .unwrap();
        }
        conn.map_window(self.window).unwrap();
        self.display.sync().unwrap();
    }

    fn close(&self) {
        self.display.conn.destroy_window(self.window).unwrap();
        self.display.sync().unwrap();
    }

    fn id(&self) -> String {
        format!("0x{:x}", self.window)
    }

    /// Copies `text`, and serves requests until the text was read. Uses the INCR protocol if `chunk_size` is not
    /// `None`.
    fn copy(&self, text: &[u8], target: Atom, chunk_size: Option<usize>) {
        let (conn, atoms) = (&self.display.conn, &self.display.atoms);
        conn.set_selection_owner(self.window, atoms.CLIPBOARD, CURRENT_TIME).unwrap();
        conn.flush().unwrap();
        loop {
            let Event::SelectionRequest(request) = conn.wait_for_event().unwrap() else { continue };
            let (requestor, property) = (request.requestor, request.property);
            let mut response = SelectionNotifyEvent {
                response_type: x11rb::protocol::xproto::SELECTION_NOTIFY_EVENT,
                sequence: 0,
                time: request.time,
                requestor,
                selection: request.selection,
                target: request.target,
                property,
            };
            let mut done = false;
            if request.target == atoms.TARGETS {
                // If the target is not text, no further request follows. The X server also requests the targets, but
                // its window id is not in the id range of a client.
                let is_text = [atoms.UTF8_STRING, AtomEnum::STRING.into()].contains(&target);
                done = !is_text && requestor > conn.setup().resource_id_mask;
                conn.change_property32(PropMode::REPLACE, requestor, property, AtomEnum::ATOM, &[target])
                    .unwrap();
            } else if request.target != target {
                response.property = NONE;
            } else if chunk_size.is_some() {
                let watched = ChangeWindowAttributesAux::new().event_mask(EventMask::PROPERTY_CHANGE);
                conn.change_window_attributes(requestor, &watched).unwrap();
                let size = [text.len() as u32];
                conn.change_property32(PropMode::REPLACE, requestor, property, atoms.INCR, &size).unwrap();
                done = true;
            } else {
                conn.change_property8(PropMode::REPLACE, requestor, property, target, text).unwrap();
                done = true;
            }
            conn.send_event(false, requestor, EventMask::NO_EVENT, response).unwrap();
            conn.flush().unwrap();
            if let Some(chunk_size) = chunk_size.filter(|_| done) {
                self.send_chunks(text, target, chunk_size, requestor, property);
            }
            if done {
                return;
            }
        }
    }

    fn send_chunks(&self, text: &[u8], target: Atom, chunk_size: usize, requestor: Window, property: Atom) {
        let conn = &self.display.conn;
        let mut chunks = text.chunks(chunk_size).chain([&[][..]]);
        loop {
            match conn.wait_for_event().unwrap() {
                Event::PropertyNotify(taken)
                    if taken.window == requestor && taken.state == Property::DELETE =>
                {
                    let Some(next) = chunks.next() else { return };
                    conn.change_property8(PropMode::REPLACE, requestor, property, target, next).unwrap();
                    conn.flush().unwrap();
                    if next.is_empty() {
                        return;
                    }
                }
                _ => {}
            }
        }
    }
}

#[test]
fn opened_focused_and_closed_windows_are_reported() {
    let mut server = Server::start();
    server.manage_windows();
    let events = Events::of(&server);
    let first = Application::start(&server);
    first.show("Erstes Fenster – ж", None);
    let (window_id, title) = (first.id(), "Erstes Fenster – ж".to_owned());
    let opened = ScreenEvent::WindowOpen { window_id: window_id.clone(), title: title.clone() };
    assert_eq!(events.next(), opened);
    assert_eq!(
        events.next(),
        ScreenEvent::WindowFocus { window_id: window_id.clone(), title: title.clone() }
    );

    let second = Application::start(&server);
    second.show("Second", None);
    assert!(matches!(events.next(), ScreenEvent::WindowOpen { title, .. } if title == "Second"));
    assert!(matches!(events.next(), ScreenEvent::WindowFocus { title, .. } if title == "Second"));
    second.close();
    assert_eq!(events.next(), ScreenEvent::WindowClose { window_id: second.id() });
    assert_eq!(events.next(), ScreenEvent::WindowFocus { window_id, title });
}

#[test]
fn windows_are_reported_again_after_a_server_hung() {
    let mut server = Server::start();
    server.manage_windows();
    let screen = server.screen();
    let events = Events::of(&server);
    let application = Application::start(&server);
    let (conn, atoms, root) =
        (&application.display.conn, &application.display.atoms, application.display.root);
    // Creates many events, so that the watch is waiting for a reply when the server is stopped.
    for _ in 0..20_000 {
        conn.change_property32(PropMode::REPLACE, root, atoms._NET_ACTIVE_WINDOW, AtomEnum::WINDOW, &[NONE])
            .unwrap();
    }
    application.display.sync().unwrap();
    server.signal(Signal::STOP);
    // This call has the same timeout as the watch.
    let hung = screen.click(1, 1, Button::Left, false);
    server.signal(Signal::CONT);
    assert!(matches!(hung, Err(ScreenError::Interrupted(_))), "{hung:?}");
    application.show("After it", None);
    events.wait(|event| {
        matches!(event, ScreenEvent::WindowOpen { title, .. } if title == "After it").then_some(())
    });
}

#[test]
fn the_desktop_and_panels_are_not_reported() {
    let mut server = Server::start();
    server.manage_windows();
    let events = Events::of(&server);
    let panel = Application::start(&server);
    panel.show("panel", Some(panel.display.atoms._NET_WM_WINDOW_TYPE_DOCK));
    let desktop = Application::start(&server);
    desktop.show("desktop", Some(desktop.display.atoms._NET_WM_WINDOW_TYPE_DESKTOP));
    let window = Application::start(&server);
    window.show("a window", None);
    let opened = ScreenEvent::WindowOpen { window_id: window.id(), title: "a window".to_owned() };
    assert_eq!(events.next(), opened);
}

#[test]
fn existing_windows_are_not_reported() {
    let mut server = Server::start();
    server.manage_windows();
    let before = Events::of(&server);
    let old = Application::start(&server);
    old.show("old", None);
    before.wait(|event| matches!(event, ScreenEvent::WindowFocus { .. }).then_some(()));
    let events = Events::of(&server);
    old.close();
    assert_eq!(events.next(), ScreenEvent::WindowClose { window_id: old.id() });
}

#[test]
fn copied_text_of_any_size_is_reported() {
    let server = Server::start();
    let events = Events::of(&server);
    let application = Application::start(&server);
    let utf8 = application.display.atoms.UTF8_STRING;
    let content = |events: &Events| {
        events.wait(|event| match event {
            ScreenEvent::Clipboard { content } => Some(content),
            _ => None,
        })
    };

    application.copy("kurz – ж 😀".as_bytes(), utf8, None);
    assert_eq!(content(&events), "kurz – ж 😀");
    application.copy(b"caf\xe9", AtomEnum::STRING.into(), None);
    assert_eq!(content(&events), "café");
    let long = "zeile für zeile\n".repeat(200_000);
    application.copy(long.as_bytes(), utf8, Some(100_001));
    assert!(content(&events) == long);

    // Equal text is reported again: from the same owner, from another owner, and after an image.
    application.copy(b"same", utf8, None);
    assert_eq!(content(&events), "same");
    application.copy(b"same", utf8, None);
    assert_eq!(content(&events), "same");
    let png = application.display.conn.intern_atom(false, b"image/png").unwrap().reply().unwrap().atom;
    application.copy(b"\x89PNG", png, None);
    assert_eq!(content(&events), "");
    let other = Application::start(&server);
    other.copy(b"same", utf8, None);
    assert_eq!(content(&events), "same");
}

#[test]
fn a_new_size_is_reported_once() {
    let server = Server::start();
    let events = Events::of(&server);
    server.run("xrandr", &["-s", "1920x1080"]);
    server.run("xrandr", &["-s", "800x600"]);
    assert_eq!(events.next(), ScreenEvent::ScreenChange { width: 1920, height: 1080 });
    assert_eq!(events.next(), ScreenEvent::ScreenChange { width: 800, height: 600 });
}

#[test]
fn idle_is_reported_after_the_limit_and_active_after_input() {
    let server = Server::start();
    let screen = server.screen();
    let events = Events::with_idle_after(&server, Duration::from_secs(1));
    for round in 0..2 {
        assert_eq!(events.next(), ScreenEvent::Idle { idle_seconds: 1 });
        use_input(&screen, round);
        assert_eq!(events.next(), ScreenEvent::Active);
    }
}

fn use_input(screen: &Screen, round: i32) {
    match round {
        0 => screen.click(10, 10, Button::Left, false).unwrap(),
        _ => screen.key("a").unwrap(),
    }
}

#[test]
fn the_sink_is_dropped_with_the_watch_and_after_a_crash() {
    let mut server = Server::start();
    let screen = server.screen();
    let (send, dropped) = channel::<()>();
    let watch = screen.watch(move |_| drop(send.clone())).unwrap();
    drop(watch);
    assert!(
        dropped
            .recv_timeout(TEST_TIMEOUT)
            .is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Disconnected)
    );

    let (send, dropped) = channel::<()>();
    let _watch = screen.watch(move |_| drop(send.clone())).unwrap();
    server.crash();
    assert!(
        dropped
            .recv_timeout(TEST_TIMEOUT)
            .is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Disconnected)
    );
}
