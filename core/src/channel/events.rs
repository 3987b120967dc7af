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
use crate::encoding::json::{self, Map, Value, members, quote, serialize_as_json};
use crate::encoding::plain::{Fields as PlainFields, PlainObject};
use crate::encoding::text::join;
use crate::error::Error;
use crate::rest::schema::object;

/// At this number of unread events, the server has to wait. If it does not wait, the oldest events are dropped.
const MAX_EVENTS: usize = 1024;
/// At this total size of unread events, in bytes on the wire, the server has to wait.
const HIGH_WATER: usize = 1 << 20;
/// If the server does not wait, the oldest events are dropped above this total size.
const MAX_BYTES: usize = 8 << 20;

/// The declaration of an event type.
#[derive(Debug)]
pub struct EventDeclaration {
    /// The name of the event type on the wire.
    pub name: &'static str,
    /// When the event occurs.
    #[cfg(feature = "describe")]
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
            #[cfg(feature = "describe")]
            doc: concat!($($doc, "\n"),+),
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

/// An unread item.
#[derive(Debug)]
enum Queued {
    /// An event as the JSON for JavaScript, with the size of its message in bytes.
    Json(String, usize),
    /// An event that was decoded, with the size of its message in bytes.
    Event(DesktopEvent, usize),
    Gap(Option<u64>),
    Error(String),
}

impl Queued {
    /// Returns the size of the message of an event, in bytes.
    fn event_bytes(&self) -> Option<usize> {
        match self {
            Self::Json(_, bytes) | Self::Event(_, bytes) => Some(*bytes),
            Self::Gap(_) | Self::Error(_) => None,
        }
    }

    fn is_reconnect_gap(&self) -> bool {
        matches!(self, Self::Gap(None))
    }

    fn into_item(self) -> EventItem {
        match self {
            Self::Json(text, _) => {
                // The text was checked when it was received.
                let mut item = json::parse(text.as_bytes()).unwrap_or_default();
                let event = item.get_mut("event").and_then(DesktopEvent::read).unwrap_or_default();
                EventItem::Event { event }
            }
            Self::Event(event, _) => EventItem::Event { event },
            Self::Gap(missed) => EventItem::Gap { missed },
            Self::Error(message) => EventItem::Error { message },
        }
    }
}

/// Returns the JSON of an item from a message with an event. Returns `None` for every other message, and for an event
/// that JavaScript would not parse to the fields of [`DesktopEvent`].
fn event_json(message: &[u8]) -> Option<String> {
    let (mut is_event, mut event, mut has_surrogates) = (false, None, false);
    members(message, &mut |name, value| {
        match name {
            b"type" => is_event = &*value.string()? == b"event",
            b"event" => {
                let mut fields = [0; 4];
                let text = value.span(&mut |name, value| {
                    let text = value.skip()?;
                    let at = match (name, text.first()) {
                        (b"type", Some(b'"')) => 0,
                        (b"timestamp", Some(b'"')) => 1,
                        (b"data", Some(b'{')) => 2,
                        _ => 3,
                    };
                    fields[at] += 1;
                    Ok(())
                })?;
                has_surrogates = value.has_surrogates();
                event = Some(text).filter(|_| fields == [1, 1, 1, 0]);
            }
            _ => drop(value.skip()?),
        }
        Ok(())
    })
    .ok()?;
    let event = event.filter(|_| is_event && !has_surrogates)?;
    Some([r#"{"type":"event","event":"#, std::str::from_utf8(event).ok()?, "}"].concat())
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
    /// Queues an event.
    fn push(&mut self, event: Queued, counters: &mut Counters) {
        // A single event can exceed the limit of a queue that was not full. Then nothing is dropped.
        let drops = self.is_full();
        counters.received += 1;
        self.waiting += 1;
        self.waiting_bytes += event.event_bytes().unwrap_or_default();
        self.items.push_back(event);
        // The newest event is kept, even if it alone exceeds `MAX_BYTES`.
        while drops && (self.waiting > MAX_EVENTS || self.waiting_bytes > MAX_BYTES && self.waiting > 1) {
            let Some(oldest) = self.items.iter().position(|queued| queued.event_bytes().is_some()) else {
                break;
            };
            self.drop_event(oldest);
            counters.dropped += 1;
        }
        counters.buffered = self.waiting as u64;
    }

    /// Drops the oldest event, which is at index `oldest`. Only gaps and errors are before it.
    fn drop_event(&mut self, oldest: usize) {
        self.waiting -= 1;
        self.waiting_bytes -=
            self.items.remove(oldest).and_then(|queued| queued.event_bytes()).unwrap_or_default();
        // A gap replaces the event, or an adjacent gap grows. The order of adjacent gaps has no meaning.
        let gaps = self.items.range_mut(..oldest).rev().map_while(|queued| match queued {
            Queued::Gap(missed) => Some(missed),
            Queued::Json(..) | Queued::Event(..) | Queued::Error(_) => None,
        });
        match gaps.flatten().next() {
            Some(missed) => *missed += 1,
            None => self.items.insert(oldest, Queued::Gap(Some(1))),
        }
        // Two adjacent gaps of broken connections are merged.
        let doubled = self.items.get(oldest).is_some_and(Queued::is_reconnect_gap)
            && oldest.checked_sub(1).is_some_and(|before| self.items[before].is_reconnect_gap());
        if doubled {
            self.items.remove(oldest);
        }
    }
}

impl Events {
    fn take(&mut self, counters: &mut Counters) -> Option<Queued> {
        let queued = self.items.pop_front()?;
        if let Some(bytes) = queued.event_bytes() {
            self.waiting -= 1;
            self.waiting_bytes -= bytes;
            counters.taken += 1;
            counters.buffered = self.waiting as u64;
        }
        Some(queued)
    }
}

impl Protocol for Events {
    type Item = EventItem;
    const CHANNEL: &'static str = "events";
    const DROPS_OLDEST: bool = true;

    fn add_query(&self, url: SocketUrl) -> SocketUrl {
        url
    }

    fn on_open(&mut self, _: Option<&Password>) -> Vec<String> {
        if self.subscribed.is_empty() { Vec::new() } else { vec![message("subscribe", &self.subscribed)] }
    }

    fn on_accepted(&mut self, after_break: Option<u64>) {
        if after_break.is_some() && !self.items.back().is_some_and(Queued::is_reconnect_gap) {
            self.items.push_back(Queued::Gap(None));
        }
    }

    fn receive(&mut self, message: Incoming<'_>, counters: &mut Counters, mask: &Mask) -> Received {
        let bytes = message.bytes();
        if let Some(json) = event_json(bytes) {
            self.push(Queued::Json(json, bytes.len()), counters);
            return Received::Handled;
        }
        let Ok(mut frame) = json::parse(bytes) else { return Received::Malformed };
        let event = frame.get_mut("event").and_then(DesktopEvent::read);
        let text = |name: &str| frame.get(name).and_then(Value::as_str).unwrap_or_default();
        match (text("type"), event) {
            ("event", Some(event)) => self.push(Queued::Event(event, bytes.len()), counters),
            ("pong" | "subscribed" | "unsubscribed", _) => {}
            ("error", _) => {
                let message = mask.text(text("message"));
                self.items.push_back(Queued::Error(message.clone()));
                drop_oldest_error(&mut self.items, |queued| matches!(queued, Queued::Error(_)));
                return Received::Problem(message);
            }
            _ => return Received::Malformed,
        }
        Received::Handled
    }

    fn poll_item(&mut self, counters: &mut Counters) -> Option<EventItem> {
        self.take(counters).map(Queued::into_item)
    }

    fn is_full(&self) -> bool {
        self.waiting >= MAX_EVENTS || self.waiting_bytes >= HIGH_WATER
    }

    fn overflows(&self) -> bool {
        false
    }
}

impl Kind for Events {
    const MAX_BATCH: usize = 256;

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

    fn poll_export(&mut self, counters: &mut Counters) -> Option<PlainObject> {
        Some(match self.take(counters)? {
            Queued::Json(text, _) => PlainObject { fields: PlainFields::Json(text), payload: None },
            other => Self::export(other.into_item()),
        })
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
