//! Events of the desktop. The server sends what was subscribed to, and forgets it with the socket; this side does not.

use std::collections::VecDeque;

use super::link::{Counters, Target};
use super::session::{Incoming, Protocol, Received, Session};
use crate::Millis;
use crate::address::SocketUrl;
use crate::error::Error;
use crate::json::{self, Map, Value, quote, serialize_as_json};
use crate::mask::Mask;
use crate::schema::{Type, Typed, object};

/// So many events wait for a consumer; then the oldest are dropped.
const KEPT: usize = 1024;

/// One type of event, as data.
#[derive(Debug)]
pub struct EventDeclaration {
    /// Its name on the wire.
    pub name: &'static str,
    /// When it happens.
    pub doc: &'static str,
    /// What its `data` holds.
    pub data: Type,
}

macro_rules! events {
    ($( $(#[doc = $doc:literal])+ $name:literal => $data:ty, )+) => {
        /// Every type of event of the specification.
        pub const EVENTS: &[EventDeclaration] = &[$( EventDeclaration {
            name: $name,
            doc: $crate::schema::doc_text!($($doc, "\n"),+),
            data: <$data as Typed>::TYPE,
        } ),+];
    };
}

object! {
    /// A window.
    WindowData {
        /// The id of the X window in hexadecimal, as `0x2a0000c`.
        window_id: String,
        /// Its title.
        title: String,
    }

    /// A window that is gone.
    WindowIdData {
        /// The id of the X window in hexadecimal, as `0x2a0000c`.
        window_id: String,
    }

    /// The text of the clipboard.
    ClipboardData {
        /// The text.
        content: String,
    }

    /// A change to a file.
    FileChangeData {
        /// The absolute path.
        path: String,
        /// `created`, `modified` or `deleted`.
        action: String,
    }

    /// The size of the screen.
    ScreenChangeData {
        /// Width in pixels.
        width: i64,
        /// Height in pixels.
        height: i64,
    }

    /// A process.
    ProcessData {
        /// Its id.
        pid: i64,
        /// Its name.
        name: String,
    }

    /// How long nobody touched the computer.
    IdleData {
        /// Seconds since the last input.
        idle_seconds: i64,
    }

    /// Nothing more to say.
    NoData {}
}

events! {
    /// Another window has the focus.
    "window_focus" => WindowData,
    /// A window opened.
    "window_open" => WindowData,
    /// A window closed.
    "window_close" => WindowIdData,
    /// Text was copied.
    "clipboard" => ClipboardData,
    /// A file on the desktop or among the downloads changed.
    "file_change" => FileChangeData,
    /// The size of the screen changed.
    "screen_change" => ScreenChangeData,
    /// A program began to play sound.
    "audio_stream_start" => NoData,
    /// A program ended playing sound.
    "audio_stream_stop" => NoData,
    /// A process started.
    "process_start" => ProcessData,
    /// A process ended.
    "process_stop" => ProcessData,
    /// Nobody touched the computer for a while: 30 s (G3).
    "idle" => IdleData,
    /// Somebody touches the computer again.
    "active" => NoData,
}

/// An event as the wire has it. A type that this version does not know is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DesktopEvent {
    /// One of [`EVENTS`], or a newer one.
    pub kind: String,
    /// ISO 8601 with milliseconds, UTC; empty if the server gave none.
    pub timestamp: String,
    /// What belongs to the type.
    pub data: Map,
}

/// What the channel of events gives.
#[derive(Debug, Clone, PartialEq)]
pub enum EventItem {
    /// Something happened.
    Event {
        /// What.
        event: DesktopEvent,
    },
    /// Events may have been missed here.
    Gap {
        /// How many were dropped because nobody took them; absent where the link was broken and nobody can know.
        missed: Option<u64>,
    },
    /// The server reports a problem.
    Error {
        /// In the server's words.
        message: String,
    },
}

impl EventItem {
    /// The item as the bindings hand it to JavaScript.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Event { event } => {
                let DesktopEvent { kind, timestamp, data } = event;
                let event = Value::record([
                    ("type", kind.as_str().into()),
                    ("timestamp", timestamp.as_str().into()),
                    ("data", Value::Object(data.clone())),
                ]);
                Value::record([("type", "event".into()), ("event", event)])
            }
            Self::Gap { missed } => Value::record([("type", "gap".into()), ("missed", (*missed).into())]),
            Self::Error { message } => {
                Value::record([("type", "error".into()), ("message", message.as_str().into())])
            }
        }
    }
}

serialize_as_json!(EventItem);

/// The protocol of events.
#[derive(Debug)]
pub struct Events {
    subscribed: Vec<String>,
    items: VecDeque<EventItem>,
    waiting: usize,
}

impl DesktopEvent {
    fn read(event: &mut Value) -> Option<Self> {
        let mut take = |name: &str| event.get_mut(name).map(Value::take);
        let Some(Value::String(kind)) = take("type") else { return None };
        let timestamp = match take("timestamp") {
            Some(Value::String(timestamp)) => timestamp,
            _ => String::new(),
        };
        let data = match take("data") {
            Some(Value::Object(data)) => data,
            _ => Map::new(),
        };
        Some(Self { kind, timestamp, data })
    }
}

impl Events {
    fn push(&mut self, event: DesktopEvent, counters: &mut Counters) {
        counters.received += 1;
        self.waiting += 1;
        self.items.push_back(EventItem::Event { event });
        if self.waiting > KEPT
            && let Some(oldest) = self.items.iter().position(|item| matches!(item, EventItem::Event { .. }))
        {
            // The gap stands where the event stood, and grows there.
            self.items.remove(oldest);
            self.waiting -= 1;
            counters.dropped += 1;
            match oldest.checked_sub(1).and_then(|before| self.items.get_mut(before)) {
                Some(EventItem::Gap { missed: Some(missed) }) => *missed += 1,
                _ => self.items.insert(oldest, EventItem::Gap { missed: Some(1) }),
            }
        }
        counters.buffered = self.waiting as u64;
    }
}

impl Protocol for Events {
    type Item = EventItem;
    const CHANNEL: &'static str = "events";

    fn query(&self, url: SocketUrl) -> SocketUrl {
        url
    }

    fn greet(&mut self) -> Vec<String> {
        if self.subscribed.is_empty() { Vec::new() } else { vec![message("subscribe", &self.subscribed)] }
    }

    fn accepted(&mut self, again: bool) {
        if again {
            self.items.push_back(EventItem::Gap { missed: None });
        }
    }

    fn receive(&mut self, message: Incoming<'_>, counters: &mut Counters, mask: &Mask) -> Received {
        let Ok(mut frame) = json::parse(message.bytes()) else { return Received::Malformed };
        let event = frame.get_mut("event").and_then(DesktopEvent::read);
        let text = |name: &str| frame.get(name).and_then(Value::as_str).unwrap_or_default();
        match (text("type"), event) {
            ("event", Some(event)) => self.push(event, counters),
            ("pong" | "subscribed" | "unsubscribed", _) => {}
            ("error", _) => self.items.push_back(EventItem::Error { message: mask.text(text("message")) }),
            _ => return Received::Malformed,
        }
        Received::Taken
    }

    fn pop(&mut self, counters: &mut Counters) -> Option<EventItem> {
        let item = self.items.pop_front()?;
        if matches!(item, EventItem::Event { .. }) {
            self.waiting -= 1;
            counters.taken += 1;
            counters.buffered = self.waiting as u64;
        }
        Some(item)
    }

    fn is_full(&self) -> bool {
        false
    }

    fn overflows(&self) -> bool {
        false
    }
}

impl Session<Events> {
    /// Begins to listen for events of these types.
    ///
    /// # Errors
    /// [`Error::Encode`] for a type that the specification does not have.
    pub fn events(target: Target, types: &[String], seed: u64, now: Millis) -> Result<Self, Error> {
        check(types)?;
        let protocol = Events { subscribed: types.to_vec(), items: VecDeque::new(), waiting: 0 };
        Ok(Self::begin(protocol, target, seed, now))
    }

    /// Adds types, now and after every break of the link.
    ///
    /// # Errors
    /// [`Error::Encode`] for a type that the specification does not have: the real service accepts a misspelt name
    /// and never sends anything for it (BOPS).
    pub fn subscribe(&mut self, types: &[String]) -> Result<(), Error> {
        check(types)?;
        for name in types {
            if !self.protocol.subscribed.contains(name) {
                self.protocol.subscribed.push(name.clone());
            }
        }
        if !types.is_empty() {
            self.send_if_connected(message("subscribe", types));
        }
        Ok(())
    }

    /// Removes types.
    ///
    /// # Errors
    /// [`Error::Encode`] for a type that the specification does not have.
    pub fn unsubscribe(&mut self, types: &[String]) -> Result<(), Error> {
        check(types)?;
        self.protocol.subscribed.retain(|name| !types.contains(name));
        if !types.is_empty() {
            self.send_if_connected(message("unsubscribe", types));
        }
        Ok(())
    }
}

fn message<'a>(kind: &str, types: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<String> = types.into_iter().map(|name| quote(name)).collect();
    format!(r#"{{"type":"{kind}","event_types":[{}]}}"#, names.join(","))
}

fn check(types: &[String]) -> Result<(), Error> {
    match types.iter().find(|name| !EVENTS.iter().any(|event| event.name == name.as_str())) {
        None => Ok(()),
        Some(unknown) => {
            let names: Vec<&str> = EVENTS.iter().map(|event| event.name).collect();
            let problem =
                format!("has a type that is not known, {unknown:?}: there are {}", names.join(", "));
            Err(Error::encode("computers.events", "types", problem))
        }
    }
}
