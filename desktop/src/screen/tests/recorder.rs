use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use x11rb::{
    COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT, CURRENT_TIME,
    connection::Connection,
    protocol::{
        Event,
        xproto::{
            AtomEnum, ButtonPressEvent, ConnectionExt as _, CreateWindowAux, EventMask, InputFocus,
            KeyButMask, Keycode, Keysym, Mapping, PropMode, WindowClass,
        },
    },
    wrapper::ConnectionExt as _,
};

use super::eventually;
use crate::screen::connection::{Display, endpoint::Endpoint};

/// What a window was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    KeyDown(Keysym),
    KeyUp(Keysym),
    ButtonDown(u8, i16, i16),
    ButtonUp(u8, i16, i16),
    Motion(i16, i16),
}

/// A window over the whole screen that has the keyboard and notes all input.
///
/// It reads its keys as applications do: with the keymap as it is when a key is *looked at*, asked for anew
/// after a notice of a change. And it answers pings, in order with its other events, unless it was opened mute or silent.
pub(super) struct Recorder {
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Recorder {
    pub(super) fn open(endpoint: &Endpoint) -> Self {
        Self::start(endpoint, true, note)
    }

    /// Promises to answer pings and does not.
    pub(super) fn open_mute(endpoint: &Endpoint) -> Self {
        Self::start(endpoint, true, |display, event, log| match event {
            Event::ClientMessage(_) => Some(()),
            event => note(display, event, log),
        })
    }

    /// Promises no answers.
    pub(super) fn open_silent(endpoint: &Endpoint) -> Self {
        Self::start(endpoint, false, note)
    }

    /// Promises no answers, and reads its maps again when others than the keys are said to have changed, as xterm does. Each event takes it `slowness`.
    pub(super) fn open_rereading(endpoint: &Endpoint, slowness: Duration) -> Self {
        Self::start(endpoint, false, move |display, event, log| {
            thread::sleep(slowness);
            match event {
                Event::MappingNotify(notice) if notice.request != Mapping::KEYBOARD => {
                    display.conn.get_modifier_mapping().ok()?.reply().ok()?;
                    keysym(display, Keycode::MAX, KeyButMask::default()).map(drop)
                }
                event => note(display, event, log),
            }
        })
    }

    fn start(
        endpoint: &Endpoint,
        promises_answers: bool,
        note: impl Fn(&Display, &Event, &Mutex<Vec<Seen>>) -> Option<()> + Send + 'static,
    ) -> Self {
        let display = Display::connect(endpoint).unwrap();
        let conn = &display.conn;
        let window = conn.generate_id().unwrap();
        let (width, height) = display.size().unwrap();
        let attributes = CreateWindowAux::new().override_redirect(1).event_mask(
            EventMask::KEY_PRESS
                | EventMask::KEY_RELEASE
                | EventMask::BUTTON_PRESS
                | EventMask::BUTTON_RELEASE
                | EventMask::POINTER_MOTION,
        );
        conn.create_window(
            COPY_DEPTH_FROM_PARENT,
            window,
            display.root,
            0,
            0,
            width,
            height,
            0,
            WindowClass::INPUT_OUTPUT,
            COPY_FROM_PARENT,
            &attributes,
        )
        .unwrap();
        if promises_answers {
            let atoms = &display.atoms;
            let protocols = [atoms._NET_WM_PING];
            conn.change_property32(PropMode::REPLACE, window, atoms.WM_PROTOCOLS, AtomEnum::ATOM, &protocols)
                .unwrap();
        }
        conn.map_window(window).unwrap();
        conn.set_input_focus(InputFocus::POINTER_ROOT, window, CURRENT_TIME).unwrap();
        display.sync().unwrap();

        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        // Ends with the server, when its connection does.
        thread::spawn(move || {
            while let Ok(event) = display.conn.wait_for_event() {
                if note(&display, &event, &log).is_none() {
                    break;
                }
            }
        });
        Self { seen }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Everything seen once it satisfies `condition`; it is then forgotten.
    #[track_caller]
    pub(super) fn wait(&self, what: &str, condition: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        eventually(what, || {
            let mut seen = self.seen.lock().unwrap();
            condition(&seen).then(|| std::mem::take(&mut *seen))
        })
    }

    /// The characters whose keys went down, once there are `count` of them.
    #[track_caller]
    pub(super) fn text(&self, count: usize) -> String {
        let seen = self.wait("the whole text", |seen| characters(seen).count() >= count);
        characters(&seen).collect()
    }
}

fn characters(seen: &[Seen]) -> impl Iterator<Item = char> {
    seen.iter().filter_map(|seen| match seen {
        Seen::KeyDown(0xff0d) => Some('\n'),
        Seen::KeyDown(0xff09) => Some('\t'),
        Seen::KeyDown(keysym) => crate::screen::keyboard::keysyms::character(*keysym),
        _ => None,
    })
}

/// `None` once the server is gone.
fn note(display: &Display, event: &Event, log: &Mutex<Vec<Seen>>) -> Option<()> {
    let at = |event: &ButtonPressEvent| (event.detail, event.event_x, event.event_y);
    let seen = match event {
        Event::KeyPress(key) => Seen::KeyDown(keysym(display, key.detail, key.state)?),
        Event::KeyRelease(key) => Seen::KeyUp(keysym(display, key.detail, key.state)?),
        Event::ButtonPress(press) => {
            let (button, x, y) = at(press);
            Seen::ButtonDown(button, x, y)
        }
        Event::ButtonRelease(release) => {
            let (button, x, y) = at(release);
            Seen::ButtonUp(button, x, y)
        }
        Event::MotionNotify(motion) => Seen::Motion(motion.event_x, motion.event_y),
        Event::ClientMessage(ping) if ping.data.as_data32()[0] == display.atoms._NET_WM_PING => {
            let mut answer = *ping;
            answer.window = display.root;
            let mask = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_REDIRECT;
            display.conn.send_event(false, display.root, mask, answer).ok()?;
            return display.conn.flush().ok();
        }
        _ => return Some(()),
    };
    log.lock().unwrap().push(seen);
    Some(())
}

/// The keysym of a key by the core protocol's rules for Shift and Lock.
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
