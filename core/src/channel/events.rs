//! The event channel: the events of a computer's desktop. The server forgets the subscriptions when a socket closes, so
//! this side resends them on the next socket.

use std::collections::VecDeque;

use super::any::{Batching, Command, Kind, Named};
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
    /// Converts the item to JSON.
    #[must_use]
    pub fn into_json(self) -> Value {
        match self {
            Self::Event { event } => Value::record([("type", "event".into()), ("event", event.into_json())]),
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
    Events(Run),
    Gap(Option<u64>),
    Error(String),
}

/// Consecutive events, as the JSON of one item for JavaScript. A flood of events needs one text and one call of
/// `JSON.parse` for many events.
#[derive(Debug)]
struct Run {
    /// The item without its end.
    text: String,
    /// The start of the first event in the text.
    start: usize,
    /// For each event: the end of its text, and the size of its message in bytes.
    events: VecDeque<(usize, usize)>,
    /// The number of events, including those that were removed.
    added: usize,
}

impl Run {
    const START: &str = r#"{"type":"events","events":["#;
    const END: &str = "]}";
    /// The maximum number of events, so that they do not delay other work of the JavaScript thread.
    const MAX_EVENTS: usize = 256;
    /// A longer text is not extended, because the text of dropped events remains until the last event is removed.
    const MAX_TEXT: usize = 64 << 10;

    fn new() -> Self {
        Self { text: Self::START.to_owned(), start: Self::START.len(), events: VecDeque::new(), added: 0 }
    }

    fn push(&mut self, event: &str, bytes: usize) {
        if !self.events.is_empty() {
            self.text.push(',');
        }
        self.text.push_str(event);
        self.added += 1;
        self.events.push_back((self.text.len(), bytes));
    }

    fn is_full(&self) -> bool {
        self.added >= Self::MAX_EVENTS || self.text.len() >= Self::MAX_TEXT
    }

    /// Removes the first event. Returns its text, and the size of its message in bytes.
    fn pop(&mut self) -> Option<(&str, usize)> {
        let (end, bytes) = self.events.pop_front()?;
        let start = std::mem::replace(&mut self.start, end + 1);
        Some((self.text.get(start..end).unwrap_or_default(), bytes))
    }

    fn into_json(mut self) -> String {
        if self.start > Self::START.len() {
            return [Self::START, self.text.get(self.start..).unwrap_or_default(), Self::END].concat();
        }
        self.text.push_str(Self::END);
        self.text
    }
}

impl Queued {
    fn is_reconnect_gap(&self) -> bool {
        matches!(self, Self::Gap(None))
    }

    /// Returns the item unless it consists of events.
    fn into_notice(self) -> Option<EventItem> {
        match self {
            Self::Events(_) => None,
            Self::Gap(missed) => Some(EventItem::Gap { missed }),
            Self::Error(message) => Some(EventItem::Error { message }),
        }
    }
}

/// Returns the text of the event in a message. Returns `None` for every other message, and for an event that JavaScript
/// would not parse to the fields of [`DesktopEvent`].
fn event_text(message: &[u8]) -> Option<&str> {
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
    std::str::from_utf8(event.filter(|_| is_event && !has_surrogates)?).ok()
}

impl DesktopEvent {
    fn into_json(self) -> Value {
        Value::record([
            ("type", self.kind.into()),
            ("timestamp", self.timestamp.into()),
            ("data", Value::Object(self.data)),
        ])
    }

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
    fn push(&mut self, event: &str, bytes: usize, counters: &mut Counters) {
        // A single event can exceed the limit of a queue that was not full. Then nothing is dropped.
        let drops = self.is_full();
        counters.received += 1;
        self.waiting += 1;
        self.waiting_bytes += bytes;
        match self.items.back_mut() {
            Some(Queued::Events(run)) if !run.is_full() => run.push(event, bytes),
            _ => {
                let mut run = Run::new();
                run.push(event, bytes);
                self.items.push_back(Queued::Events(run));
            }
        }
        // The newest event is kept, even if it alone exceeds `MAX_BYTES`.
        while drops && (self.waiting > MAX_EVENTS || self.waiting_bytes > MAX_BYTES && self.waiting > 1) {
            let Some(oldest) = self.items.iter().position(|queued| matches!(queued, Queued::Events(_)))
            else {
                break;
            };
            self.drop_event(oldest);
            counters.dropped += 1;
        }
        counters.buffered = self.waiting as u64;
    }

    /// Drops the oldest event, which is the first one of the item at index `oldest`. Only gaps and errors are before it.
    fn drop_event(&mut self, oldest: usize) {
        let Some(Queued::Events(run)) = self.items.get_mut(oldest) else { return };
        self.waiting -= 1;
        self.waiting_bytes -= run.pop().map_or(0, |(_, bytes)| bytes);
        if run.events.is_empty() {
            self.items.remove(oldest);
        }
        // A gap replaces the event, or an adjacent gap grows. The order of adjacent gaps has no meaning.
        let gaps = self.items.range_mut(..oldest).rev().map_while(|queued| match queued {
            Queued::Gap(missed) => Some(missed),
            Queued::Events(_) | Queued::Error(_) => None,
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

    /// Counts events that the consumer takes.
    fn take(&mut self, events: usize, bytes: usize, counters: &mut Counters) {
        self.waiting -= events;
        self.waiting_bytes -= bytes;
        counters.taken += events as u64;
        counters.buffered = self.waiting as u64;
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
        if let Some(event) = event_text(bytes) {
            self.push(event, bytes.len(), counters);
            return Received::Handled;
        }
        let Ok(mut frame) = json::parse(bytes) else { return Received::Malformed };
        let event = frame.get_mut("event").and_then(DesktopEvent::read);
        let text = |name: &str| frame.get(name).and_then(Value::as_str).unwrap_or_default();
        match (text("type"), event) {
            ("event", Some(event)) => self.push(&event.into_json().to_string(), bytes.len(), counters),
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
        let Some(Queued::Events(run)) = self.items.front_mut() else {
            return self.items.pop_front().and_then(Queued::into_notice);
        };
        let (text, bytes) = run.pop()?;
        // The text was checked when it was received.
        let mut event = json::parse(text.as_bytes()).unwrap_or_default();
        if run.events.is_empty() {
            self.items.pop_front();
        }
        self.take(1, bytes, counters);
        Some(EventItem::Event { event: DesktopEvent::read(&mut event).unwrap_or_default() })
    }

    fn is_full(&self) -> bool {
        self.waiting >= MAX_EVENTS || self.waiting_bytes >= HIGH_WATER
    }

    fn overflows(&self) -> bool {
        false
    }
}

impl Named for Events {
    fn open(target: Target, options: &Fields<'_>, seed: u64, now: Millis) -> Result<Session<Self>, Error> {
        Session::events(target, &options.texts("types")?, seed, now)
    }
}

impl Kind for Events {
    const BATCHING: Batching = Batching { time: 8, always: false, enough: 256 };
    const MAX_BATCH: usize = 1;

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
        Some(match self.items.pop_front()? {
            Queued::Events(run) => {
                let bytes = run.events.iter().map(|(_, bytes)| bytes).sum();
                self.take(run.events.len(), bytes, counters);
                PlainObject { fields: PlainFields::Json(run.into_json()), payload: None }
            }
            notice => Self::export(notice.into_notice()?),
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
