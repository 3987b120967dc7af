//! A window that records its input.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use x11rb::{
    CURRENT_TIME,
    connection::Connection,
    protocol::{
        Event,
        xproto::{
            AtomEnum, ButtonPressEvent, ConnectionExt as _, CreateWindowAux, EventMask, InputFocus,
            KeyButMask, Keycode, Keysym, Mapping, PropMode,
        },
    },
    wrapper::ConnectionExt as _,
};

use super::{create_window, eventually};
use crate::screen::connection::{Display, endpoint::Endpoint};

/// An input event that the window received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InputEvent {
    KeyDown(Keysym),
    KeyUp(Keysym),
    ButtonDown(u8, i16, i16),
    ButtonUp(u8, i16, i16),
    Motion(i16, i16),
}

/// A focused window that covers the whole screen and records all input.
///
/// Like an application, it uses the keymap at the time at which it handles a key, not at the time of the press. By
/// default, it responds to pings in order with its other events.
pub(super) struct Recorder {
    seen: Arc<Mutex<Vec<InputEvent>>>,
}

impl Recorder {
    pub(super) fn open(endpoint: &Endpoint) -> Self {
        Self::start(endpoint, true, record)
    }

    /// Opens a window that announces `_NET_WM_PING` and does not respond to pings.
    pub(super) fn open_unresponsive(endpoint: &Endpoint) -> Self {
        Self::start(endpoint, true, |display, event, recorded_events| match event {
            Event::ClientMessage(_) => Some(()),
            event => record(display, event, recorded_events),
        })
    }

    /// Opens a window without `_NET_WM_PING`.
    pub(super) fn open_without_ping(endpoint: &Endpoint) -> Self {
        Self::start(endpoint, false, record)
    }

    /// Opens a window without `_NET_WM_PING` that rereads the maps after each MappingNotify event, like xterm. The
    /// window sleeps for `slowness` before it handles each event.
    pub(super) fn open_rereading(endpoint: &Endpoint, slowness: Duration) -> Self {
        Self::start(endpoint, false, move |display, event, recorded_events| {
            thread::sleep(slowness);
            match event {
                Event::MappingNotify(notice) if notice.request != Mapping::KEYBOARD => {
                    display.conn.get_modifier_mapping().ok()?.reply().ok()?;
                    keysym(display, Keycode::MAX, KeyButMask::default()).map(drop)
                }
                event => record(display, event, recorded_events),
            }
        })
    }

    /// Opens a window that sleeps for `slowness` before it handles each event. Like drag and drop, it ignores a motion if the
    /// buttons are already released when it handles the motion.
    pub(super) fn open_dragging(endpoint: &Endpoint, slowness: Duration) -> Self {
        Self::start(endpoint, true, move |display, event, recorded_events| {
            thread::sleep(slowness);
            if matches!(event, Event::MotionNotify(_)) {
                let held = display.conn.query_pointer(display.root).ok()?.reply().ok()?.mask;
                let buttons = KeyButMask::BUTTON1 | KeyButMask::BUTTON2 | KeyButMask::BUTTON3;
                if !held.intersects(buttons) {
                    return Some(());
                }
            }
            record(display, event, recorded_events)
        })
    }

    fn start(
        endpoint: &Endpoint,
        has_ping: bool,
        record: impl Fn(&Display, &Event, &Mutex<Vec<InputEvent>>) -> Option<()> + Send + 'static,
    ) -> Self {
        let display = Display::connect(endpoint).unwrap();
        let conn = &display.conn;
        let (width, height) = display.size().unwrap();
        let attributes = CreateWindowAux::new().override_redirect(1).event_mask(
            EventMask::KEY_PRESS
                | EventMask::KEY_RELEASE
                | EventMask::BUTTON_PRESS
                | EventMask::BUTTON_RELEASE
                | EventMask::POINTER_MOTION,
        );
        let window = create_window(&display, width, height, &attributes);
        if has_ping {
            let atoms = &display.atoms;
            let protocols = [atoms._NET_WM_PING];
            conn.change_property32(PropMode::REPLACE, window, atoms.WM_PROTOCOLS, AtomEnum::ATOM, &protocols)
                .unwrap();
        }
        conn.map_window(window).unwrap();
        conn.set_input_focus(InputFocus::POINTER_ROOT, window, CURRENT_TIME).unwrap();
        display.sync().unwrap();

        let seen = Arc::new(Mutex::new(Vec::new()));
        let recorded_events = Arc::clone(&seen);
        // The thread ends when the server closes the connection.
        thread::spawn(move || {
            while let Ok(event) = display.conn.wait_for_event() {
                if record(&display, &event, &recorded_events).is_none() {
                    break;
                }
            }
        });
        Self { seen }
    }

    pub(super) fn seen(&self) -> Vec<InputEvent> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until the recorded events satisfy `condition`, and removes them.
    #[track_caller]
    pub(super) fn wait(&self, what: &str, condition: impl Fn(&[InputEvent]) -> bool) -> Vec<InputEvent> {
        eventually(what, || {
            let mut seen = self.seen.lock().unwrap();
            condition(&seen).then(|| std::mem::take(&mut *seen))
        })
    }

    /// Waits until `count` keys were pressed, and returns their characters.
    #[track_caller]
    pub(super) fn text(&self, count: usize) -> String {
        let seen = self.wait("the whole text", |seen| characters(seen).count() >= count);
        characters(&seen).collect()
    }
}

fn characters(seen: &[InputEvent]) -> impl Iterator<Item = char> {
    seen.iter().filter_map(|seen| match seen {
        InputEvent::KeyDown(0xff0d) => Some('\n'),
        InputEvent::KeyDown(0xff09) => Some('\t'),
        InputEvent::KeyDown(keysym) => crate::screen::keyboard::keysyms::character(*keysym),
        _ => None,
    })
}

/// Records an event. Returns `None` if a request to the server fails.
fn record(display: &Display, event: &Event, recorded_events: &Mutex<Vec<InputEvent>>) -> Option<()> {
    let at = |event: &ButtonPressEvent| (event.detail, event.event_x, event.event_y);
    let seen = match event {
        Event::KeyPress(key) => InputEvent::KeyDown(keysym(display, key.detail, key.state)?),
        Event::KeyRelease(key) => InputEvent::KeyUp(keysym(display, key.detail, key.state)?),
        Event::ButtonPress(press) => {
            let (button, x, y) = at(press);
            InputEvent::ButtonDown(button, x, y)
        }
        Event::ButtonRelease(release) => {
            let (button, x, y) = at(release);
            InputEvent::ButtonUp(button, x, y)
        }
        Event::MotionNotify(motion) => InputEvent::Motion(motion.event_x, motion.event_y),
        Event::ClientMessage(ping) if ping.data.as_data32()[0] == display.atoms._NET_WM_PING => {
            let mut response = *ping;
            response.window = display.root;
            let mask = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_REDIRECT;
            display.conn.send_event(false, display.root, mask, response).ok()?;
            return display.conn.flush().ok();
        }
        _ => return Some(()),
    };
    recorded_events.lock().unwrap().push(seen);
    Some(())
}

/// Returns the keysym of a key according to the rules of the core protocol for Shift and Lock.
fn keysym(display: &Display, code: u8, state: KeyButMask) -> Option<Keysym> {
    let map = display.conn.get_keyboard_mapping(code, 1).ok()?.reply().ok()?.keysyms;
    let (plain, shifted) = (map[0], map[1]);
    let keysym = if state.contains(KeyButMask::SHIFT) && shifted != 0 { shifted } else { plain };
    if state.contains(KeyButMask::LOCK) {
        return Some(upper_case(keysym));
    }
    Some(keysym)
}

fn upper_case(keysym: Keysym) -> Keysym {
    let letter = match keysym {
        ..0x100 | 0x0100_0000.. => char::from_u32(keysym & 0x00ff_ffff),
        _ => None,
    };
    match letter.map(|letter| letter.to_uppercase().collect::<Vec<_>>()).as_deref() {
        Some([upper]) => crate::screen::keyboard::keys::of_char(*upper),
        _ => keysym,
    }
}
