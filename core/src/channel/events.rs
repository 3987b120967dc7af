//! The event channel: the events of a computer's desktop. The server forgets the subscriptions when a socket closes, so
//! this side resends them on the next socket.

use std::collections::VecDeque;

use super::any::{Command, Kind};
use super::link::{Counters, Target};
use super::session::{Incoming, Protocol, Received, Session, drop_oldest_error};
use crate::Millis;
use crate::client::address::SocketUrl;
use crate::client::credentials::Password;
use crate::client::fields::{Fields, list_of_texts};
use crate::diagnostics::mask::{Mask, in_quotes};
use crate::encoding::json::{self, Map, Value, quote, serialize_as_json};
use crate::encoding::plain::PlainObject;
use crate::encoding::text::join;
use crate::error::Error;
use crate::rest::schema::object;

/// The largest number of unread events. Above it, the oldest events are dropped.
const MAX_EVENTS: usize = 1024;
/// The largest total size of unread events, in bytes on the wire.
const MAX_BYTES: usize = 8 << 20;

/// The declaration of an event type.
#[derive(Debug)]
pub struct EventDeclaration {
    /// The name of the event type on the wire.
    pub name: &'static str,
    /// When the event occurs. Empty without the feature `describe`.
    pub doc: &'static str,
    /// The source of the event, as a tag of docs/protocol.md; empty if the source is the specification.
    #[cfg(feature = "describe")]
    pub source: &'static str,
    /// The type of `data`.
    #[cfg(feature = "describe")]
    pub data: crate::rest::schema::Type,
}

macro_rules! events {
    ($( $(#[doc = $doc:literal])+ $(#[source($source:literal)])? $name:literal => $data:ty, )+) => {
        /// The known event types.
        pub const EVENTS: &[EventDeclaration] = &[$( EventDeclaration {
            name: $name,
            doc: $crate::rest::schema::doc_text!($($doc, "\n"),+),
            #[cfg(feature = "describe")]
            source: concat!($($source)?),
            #[cfg(feature = "describe")]
            data: <$data as crate::rest::schema::Typed>::TYPE,
        } ),+];
    };
}

object! {
    /// A window.
    WindowData {
        /// The id of the X window in hexadecimal, such as `0x2a0000c`.
        window_id: String,
        /// The title of the window.
        title: String,
    }

    /// A closed window.
    WindowIdData {
        /// The id of the X window in hexadecimal, such as `0x2a0000c`.
        window_id: String,
    }

    /// The content of the clipboard.
    ClipboardData {
        /// The text of the clipboard.
        content: String,
    }

    /// A change to a file.
    FileChangeData {
        /// The absolute path of the file.
        path: String,
        /// The kind of change: `created`, `modified` or `deleted`.
        action: String,
    }

    /// The size of the screen.
    ScreenChangeData {
        /// The width in pixels.
        width: i64,
        /// The height in pixels.
        height: i64,
    }

    /// A process.
    ProcessData {
        /// The process id.
        pid: i64,
        /// The name of the process.
        name: String,
    }

    /// The time since the last input.
    IdleData {
        /// The number of seconds since the last input.
        idle_seconds: i64,
    }

    /// No data.
    NoData {}
}

events! {
    /// The focus moved to another window.
    "window_focus" => WindowData,
    /// A window opened.
    "window_open" => WindowData,
    /// A window closed.
    "window_close" => WindowIdData,
    /// Text was copied.
    "clipboard" => ClipboardData,
    /// A file in the desktop folder or the downloads folder changed.
    "file_change" => FileChangeData,
    /// The size of the screen changed.
    "screen_change" => ScreenChangeData,
    /// A program started to play audio.
    "audio_stream_start" => NoData,
    /// A program stopped playing audio.
    "audio_stream_stop" => NoData,
    /// A process started.
    "process_start" => ProcessData,
    /// A process ended.
    "process_stop" => ProcessData,
    /// There was no input for some time; 30 s, according to the documentation.
    #[source("G3: 30 s")]
    "idle" => IdleData,
    /// There is input again after an `idle` event.
    "active" => NoData,
}

/// An event as received. It can have a type that this version does not know.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DesktopEvent {
    /// The type: one of [`EVENTS`], or a newer type.
    pub kind: String,
    /// The time of the event: ISO 8601 with milliseconds, UTC. Empty if the server sent no time.
    pub timestamp: String,
    /// The data of the event. The fields depend on the type.
    pub data: Map,
}

/// An item of an event channel.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EventItem {
    /// An event.
    Event {
        /// The event.
        event: DesktopEvent,
    },
    /// A gap: events may be missing here.
    Gap {
        /// The number of events that were dropped because they were not read; `None` after a broken connection, because
        /// the number is unknown.
        missed: Option<u64>,
    },
    /// An error message from the server.
    Error {
        /// The text, with secrets masked.
        message: String,
    },
}

impl EventItem {
    /// Converts the item to the JSON that the bindings pass to JavaScript.
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

    /// Returns the same JSON as [`into_json`](Self::into_json) without consuming the item.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.clone().into_json()
    }
}

serialize_as_json!(EventItem);

/// The protocol of the event channel.
#[derive(Debug)]
pub struct Events {
    subscribed: Vec<String>,
    items: VecDeque<Queued>,
    /// The number of unread events, and the total size of their messages in bytes.
    waiting: usize,
    waiting_bytes: usize,
}

/// An item, and the size of its message in bytes. The size is 0 if the item is not an event.
#[derive(Debug)]
struct Queued {
    item: EventItem,
    bytes: usize,
}

impl Queued {
    fn is_event(&self) -> bool {
        matches!(self.item, EventItem::Event { .. })
    }

    fn is_reconnect_gap(&self) -> bool {
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
        // The newest event is kept, even if it alone exceeds `MAX_BYTES`.
        while self.waiting > MAX_EVENTS || self.waiting_bytes > MAX_BYTES && self.waiting > 1 {
            let Some(oldest) = self.items.iter().position(Queued::is_event) else { break };
            self.drop_event(oldest);
            counters.dropped += 1;
        }
        counters.buffered = self.waiting as u64;
    }

    /// Drops the oldest event, which is at index `oldest`. Only gaps and errors are before it.
    fn drop_event(&mut self, oldest: usize) {
        self.waiting -= 1;
        self.waiting_bytes -= self.items.remove(oldest).map_or(0, |queued| queued.bytes);
        // A gap replaces the event, or an adjacent gap grows. The order of adjacent gaps has no meaning.
        let gaps = self.items.range_mut(..oldest).rev().map_while(|queued| match &mut queued.item {
            EventItem::Gap { missed } => Some(missed),
            EventItem::Event { .. } | EventItem::Error { .. } => None,
        });
        match gaps.flatten().next() {
            Some(missed) => *missed += 1,
            None => self.items.insert(oldest, Queued { item: EventItem::Gap { missed: Some(1) }, bytes: 0 }),
        }
        // Two adjacent gaps of broken connections are merged.
        let doubled = self.items.get(oldest).is_some_and(Queued::is_reconnect_gap)
            && oldest.checked_sub(1).is_some_and(|before| self.items[before].is_reconnect_gap());
        if doubled {
            self.items.remove(oldest);
        }
    }
}

impl Protocol for Events {
    type Item = EventItem;
    const CHANNEL: &'static str = "events";

    fn add_query(&self, url: SocketUrl) -> SocketUrl {
        url
    }

    fn on_open(&mut self, _: Option<&Password>) -> Vec<String> {
        if self.subscribed.is_empty() { Vec::new() } else { vec![message("subscribe", &self.subscribed)] }
    }

    fn on_accepted(&mut self, after_break: Option<u64>) {
        if after_break.is_some() && !self.items.back().is_some_and(Queued::is_reconnect_gap) {
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
                let message = mask.text(text("message"));
                let item = EventItem::Error { message: message.clone() };
                self.items.push_back(Queued { item, bytes: 0 });
                drop_oldest_error(&mut self.items, |queued| matches!(queued.item, EventItem::Error { .. }));
                return Received::Problem(message);
            }
            _ => return Received::Malformed,
        }
        Received::Handled
    }

    fn poll_item(&mut self, counters: &mut Counters) -> Option<EventItem> {
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
        if command.name == "expect" {
            let name = command.argument.as_str().unwrap_or_default();
            let checked = unknown_type(&[name.to_owned()]).map_or(Ok(Value::Null), |problem| {
                Err(Error::encode("events.waitFor", "type", format!("is {problem}")))
            });
            return Some(checked);
        }
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
    /// Creates a session that subscribes to these event types.
    ///
    /// # Errors
    /// [`Error::Encode`] for an unknown type.
    pub fn events(target: Target, types: &[String], seed: u64, now: Millis) -> Result<Self, Error> {
        check_types(types)?;
        let protocol =
            Events { subscribed: types.to_vec(), items: VecDeque::new(), waiting: 0, waiting_bytes: 0 };
        Ok(Self::begin(protocol, target, seed, now))
    }

    /// Subscribes to more types. The subscriptions persist across reconnects.
    ///
    /// # Errors
    /// [`Error::Encode`] for an unknown type. This library checks the types, because the hosted service accepts a
    /// misspelled type and never sends an event for it.
    pub fn subscribe(&mut self, types: &[String]) -> Result<(), Error> {
        check_types(types)?;
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

    /// Unsubscribes from types.
    ///
    /// # Errors
    /// [`Error::Encode`] for an unknown type.
    pub fn unsubscribe(&mut self, types: &[String]) -> Result<(), Error> {
        check_types(types)?;
        self.protocol.subscribed.retain(|name| !types.contains(name));
        if !types.is_empty() {
            self.send_if_connected(message("unsubscribe", types));
        }
        Ok(())
    }
}

fn message<'a>(kind: &str, types: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<String> = types.into_iter().map(|name| quote(name)).collect();
    let names = join(&mut names.iter().map(String::as_str), ",");
    format!(r#"{{"type":"{kind}","event_types":[{names}]}}"#)
}

fn check_types(types: &[String]) -> Result<(), Error> {
    unknown_type(types).map_or(Ok(()), |problem| {
        Err(Error::encode("computers.events", "types", ["contains ", &problem].concat()))
    })
}

/// Describes the first type that is unknown.
fn unknown_type(types: &[String]) -> Option<String> {
    let unknown = types.iter().find(|name| !EVENTS.iter().any(|event| event.name == name.as_str()))?;
    let names = join(&mut EVENTS.iter().map(|event| event.name), ", ");
    Some(["the unknown type ", &in_quotes(unknown), ": the types are ", &names].concat())
}
