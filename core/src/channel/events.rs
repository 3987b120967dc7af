//! Events of the desktop. The server sends what was subscribed to, and forgets it with the socket; this side does not.

use std::collections::VecDeque;

use super::any::{Command, Kind};
use super::link::{Counters, Target};
use super::session::{Incoming, Protocol, Received, Session, forget_error};
use crate::Millis;
use crate::client::address::SocketUrl;
use crate::client::fields::{Fields, list_of_texts};
use crate::diagnostics::mask::Mask;
use crate::encoding::json::{self, Map, Value, quote, serialize_as_json};
use crate::encoding::plain::PlainObject;
use crate::error::Error;
use crate::rest::schema::{Type, Typed, object};

/// So many events wait for a consumer; then the oldest are dropped.
const KEPT: usize = 1024;
/// And so many bytes of them, as the server sent them.
const KEPT_BYTES: usize = 8 << 20;

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
            doc: $crate::rest::schema::doc_text!($($doc, "\n"),+),
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
    /// The item in the form that JavaScript gets.
    #[must_use]
    pub fn into_json(self) -> Value {
        match self {
            Self::Event { event: DesktopEvent { kind, timestamp, data } } => {
                let event = Value::record([
                    ("type", kind.into()),
                    ("timestamp", timestamp.into()),
                    ("data", Value::Object(data)),
                ]);
                Value::record([("type", "event".into()), ("event", event)])
            }
            Self::Gap { missed } => Value::record([("type", "gap".into()), ("missed", missed.into())]),
            Self::Error { message } => Value::record([("type", "error".into()), ("message", message.into())]),
        }
    }

    /// See [`into_json`](Self::into_json).
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.clone().into_json()
    }
}

serialize_as_json!(EventItem);

/// The protocol of events.
#[derive(Debug)]
pub struct Events {
    subscribed: Vec<String>,
    items: VecDeque<Queued>,
    /// Events that wait, and the bytes of their messages.
    waiting: usize,
    waiting_bytes: usize,
}

/// An item with the size of its message in bytes, which counts for an event alone.
#[derive(Debug)]
struct Queued {
    item: EventItem,
    bytes: usize,
}

impl Queued {
    fn is_event(&self) -> bool {
        matches!(self.item, EventItem::Event { .. })
    }

    fn is_break(&self) -> bool {
        matches!(self.item, EventItem::Gap { missed: None })
    }
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
    fn push(&mut self, event: DesktopEvent, bytes: usize, counters: &mut Counters) {
        counters.received += 1;
        self.waiting += 1;
        self.waiting_bytes += bytes;
        self.items.push_back(Queued { item: EventItem::Event { event }, bytes });
        // The newest is kept, whatever its size.
        while self.waiting > KEPT || self.waiting_bytes > KEPT_BYTES && self.waiting > 1 {
            let Some(oldest) = self.items.iter().position(Queued::is_event) else { break };
            self.drop_event(oldest);
            counters.dropped += 1;
        }
        counters.buffered = self.waiting as u64;
    }

    /// Drops the oldest event. Before it there are gaps and errors alone.
    fn drop_event(&mut self, oldest: usize) {
        self.waiting -= 1;
        self.waiting_bytes -= self.items.remove(oldest).map_or(0, |queued| queued.bytes);
        // The gap stands where the event stood, and grows there: among gaps that nothing lies between, the order says
        // nothing.
        let gaps = self.items.range_mut(..oldest).rev().map_while(|queued| match &mut queued.item {
            EventItem::Gap { missed } => Some(missed),
            EventItem::Event { .. } | EventItem::Error { .. } => None,
        });
        match gaps.flatten().next() {
            Some(missed) => *missed += 1,
            None => self.items.insert(oldest, Queued { item: EventItem::Gap { missed: Some(1) }, bytes: 0 }),
        }
        // Two breaks of the link with nothing left between them are one to the consumer.
        let doubled = self.items.get(oldest).is_some_and(Queued::is_break)
            && oldest.checked_sub(1).is_some_and(|before| self.items[before].is_break());
        if doubled {
            self.items.remove(oldest);
        }
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

    fn accepted(&mut self, after_break: Option<u64>) {
        if after_break.is_some() && !self.items.back().is_some_and(Queued::is_break) {
            self.items.push_back(Queued { item: EventItem::Gap { missed: None }, bytes: 0 });
        }
    }

    fn receive(&mut self, message: Incoming<'_>, counters: &mut Counters, mask: &Mask) -> Received {
        let Ok(mut frame) = json::parse(message.bytes()) else { return Received::Malformed };
        let event = frame.get_mut("event").and_then(DesktopEvent::read);
        let text = |name: &str| frame.get(name).and_then(Value::as_str).unwrap_or_default();
        match (text("type"), event) {
            ("event", Some(event)) => self.push(event, message.bytes().len(), counters),
            ("pong" | "subscribed" | "unsubscribed", _) => {}
            ("error", _) => {
                let words = mask.text(text("message"));
                let item = EventItem::Error { message: words.clone() };
                self.items.push_back(Queued { item, bytes: 0 });
                forget_error(&mut self.items, |queued| matches!(queued.item, EventItem::Error { .. }));
                return Received::Problem(words);
            }
            _ => return Received::Malformed,
        }
        Received::Taken
    }

    fn pop(&mut self, counters: &mut Counters) -> Option<EventItem> {
        let Queued { item, bytes } = self.items.pop_front()?;
        if matches!(item, EventItem::Event { .. }) {
            self.waiting -= 1;
            self.waiting_bytes -= bytes;
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

impl Kind for Events {
    fn open(target: Target, options: &Fields<'_>, seed: u64, now: Millis) -> Result<Session<Self>, Error> {
        Session::events(target, &options.texts("types")?, seed, now)
    }

    fn command(session: &mut Session<Self>, command: Command<'_>) -> Option<Result<Value, Error>> {
        let change = match command.name {
            "subscribe" => Session::subscribe,
            "unsubscribe" => Session::unsubscribe,
            _ => return None,
        };
        let types = list_of_texts("computers.events", "types", command.argument);
        Some(types.and_then(|types| change(session, &types)).map(|()| Value::Null))
    }

    fn export(item: EventItem) -> PlainObject {
        item.into_json().into()
    }
}

impl Session<Events> {
    /// Begins to listen for events of these types.
    ///
    /// # Errors
    /// [`Error::Encode`] for a type that the specification does not have.
    pub fn events(target: Target, types: &[String], seed: u64, now: Millis) -> Result<Self, Error> {
        check(types)?;
        let protocol =
            Events { subscribed: types.to_vec(), items: VecDeque::new(), waiting: 0, waiting_bytes: 0 };
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
