//! The terminal channel: input to a shell in a PTY, and its output.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::mem;
use std::ops::RangeInclusive;

use orgo_screen::InputRefusal;

use super::any::{Batching, Command, Kind, Named};
use super::close::{CloseCause, CloseReason};
use super::input::MAX_INPUT;
use super::link::{Counters, Target};
use super::session::{HostOutput, Incoming, Protocol, Received, Session};
use super::text::Utf8Decoder;
use crate::Millis;
use crate::client::address::SocketUrl;
use crate::client::credentials::Password;
use crate::client::fields::Fields;
use crate::diagnostics::mask::Mask;
use crate::encoding::json::{SyntaxError, Value, members, serialize_as_json, text};
use crate::encoding::plain::{HostText, Payload, PlainObject};
use crate::error::Error;

/// The default size of a terminal: the number of columns, and the number of rows.
const DEFAULT_SIZE: (u16, u16) = (80, 24);
/// The approximate largest size of one item of output, in bytes.
const MAX_ITEM_BYTES: usize = 64 << 10;
/// Above this size of unread items, in bytes, the reader waits for the consumer.
const HIGH_WATER: usize = 1 << 20;
/// Above this size of unread items, in bytes, the channel ends. Only a platform that cannot make the server wait
/// reaches this limit. It is larger than what a page receives before a terminal emulator has processed a long output.
const HARD_LIMIT: usize = 64 << 20;
/// The largest number of texts whose memory is kept: those of a batch, and those that arrive while JavaScript reads it.
const MAX_SPARE: usize = 8;
/// The capacities of the texts whose memory is kept, in bytes.
const SPARE_CAPACITY: RangeInclusive<usize> = 4 << 10..=2 * MAX_ITEM_BYTES;
/// The assumed size of an item without its text, in bytes, so that the number of items without text is bounded too.
const NOTICE_SIZE: usize = 64;

/// An item of a terminal channel.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TerminalItem {
    /// Output of the shell with its escape sequences, in complete characters.
    Output {
        /// The text.
        data: String,
    },
    /// Output that the host has decoded.
    HostOutput {
        /// The text.
        text: HostText,
        /// The size of the text in UTF-8, in bytes.
        bytes: usize,
    },
    /// The connection broke, and a new connection is open, with a *new* shell. The state of the old shell is lost.
    Reconnected {
        /// The number of bytes of accepted input that may not have reached the old shell. They are the last accepted
        /// bytes before the break.
        unacknowledged: u64,
    },
    /// An error message from the server.
    Error {
        /// The text, with secrets masked.
        message: String,
    },
    /// The shell exited. This is the last item.
    Exit {
        /// The exit code of the shell.
        code: i64,
    },
}

impl TerminalItem {
    /// Returns the size of the item, in bytes; 0 for output.
    fn notice_size(&self) -> usize {
        match self {
            Self::Output { .. } | Self::HostOutput { .. } => 0,
            Self::Error { message } => NOTICE_SIZE + message.len(),
            Self::Reconnected { .. } | Self::Exit { .. } => NOTICE_SIZE,
        }
    }

    /// Returns the size of the output in UTF-8, in bytes; 0 for other items.
    fn output_size(&self) -> usize {
        match self {
            Self::Output { data } => data.len(),
            Self::HostOutput { bytes, .. } => *bytes,
            _ => 0,
        }
    }

    /// Returns the item as the JSON that the bindings pass to JavaScript. It does not contain a text of the host.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::HostOutput { .. } => Value::record([("type", "output".into())]),
            Self::Output { data } => {
                Value::record([("type", "output".into()), ("data", data.as_str().into())])
            }
            Self::Reconnected { unacknowledged } => {
                Value::record([("type", "reconnected".into()), ("unacknowledged", (*unacknowledged).into())])
            }
            Self::Error { message } => {
                Value::record([("type", "error".into()), ("message", message.as_str().into())])
            }
            Self::Exit { code } => Value::record([("type", "exit".into()), ("code", (*code).into())]),
        }
    }
}

serialize_as_json!(TerminalItem);

/// The protocol of the terminal channel.
#[derive(Debug)]
pub struct Terminal {
    cols: u16,
    rows: u16,
    resized: bool,
    decoder: Utf8Decoder,
    /// The output of the current message, in bytes, because a character can be split between messages. It is kept for
    /// the next message, so that not every message allocates memory.
    output: Vec<u8>,
    /// The memory of texts that the consumer has copied. The next items use it again, because one thread would otherwise
    /// allocate each text and another one free it, and the allocator would return the memory to the system in between.
    spare: Vec<String>,
    items: VecDeque<TerminalItem>,
    /// The size of the unread output, in bytes.
    waiting: usize,
    /// The size of the other unread items, in bytes.
    notices: usize,
}

/// A message from the server, except its output.
#[derive(Default)]
struct Frame<'a> {
    kind: Cow<'a, [u8]>,
    has_output: bool,
    message: String,
    code: f64,
}

impl<'a> Frame<'a> {
    /// Reads a message, and its output into `output`.
    fn read(json: &'a [u8], output: &mut Vec<u8>) -> Result<Self, SyntaxError> {
        let mut frame = Self::default();
        output.clear();
        members(json, &mut |name, value| {
            match name {
                b"type" => frame.kind = value.string()?,
                b"data" => {
                    output.clear();
                    frame.has_output = !value.null()?;
                    if frame.has_output {
                        value.string_into(output)?;
                    }
                }
                b"message" => frame.message = value.string_or_null()?.map(text).unwrap_or_default(),
                b"code" => frame.code = value.value()?.as_f64().unwrap_or_default(),
                _ => drop(value.skip()?),
            }
            Ok(())
        })?;
        Ok(frame)
    }
}

impl Terminal {
    fn push_notice(&mut self, notice: TerminalItem) {
        self.notices += notice.notice_size();
        self.items.push_back(notice);
    }

    fn buffered_bytes(&self) -> usize {
        self.waiting + self.notices
    }

    fn count_output(&mut self, bytes: usize, counters: &mut Counters) {
        self.waiting += bytes;
        counters.received += bytes as u64;
        counters.buffered = self.waiting as u64;
    }

    fn push_output(&mut self, text: &str, counters: &mut Counters) {
        if text.is_empty() {
            return;
        }
        self.count_output(text.len(), counters);
        match self.items.back_mut() {
            Some(TerminalItem::Output { data }) if data.len() + text.len() <= MAX_ITEM_BYTES => {
                data.push_str(text);
            }
            _ => {
                let mut data = self.spare.pop().unwrap_or_default();
                data.push_str(text);
                self.items.push_back(TerminalItem::Output { data });
            }
        }
    }
}

impl Protocol for Terminal {
    type Item = TerminalItem;
    const CHANNEL: &'static str = "terminal";
    const ACCEPTS_OUTPUT: bool = true;

    fn add_query(&self, url: SocketUrl) -> SocketUrl {
        url.with("cols", u32::from(self.cols)).with("rows", u32::from(self.rows))
    }

    fn on_open(&mut self, _: Option<&Password>) -> Vec<String> {
        self.decoder = Utf8Decoder::default();
        // The query of the URL contains the size too, but a proxy may drop the query.
        if self.resized { vec![resize(self.cols, self.rows)] } else { Vec::new() }
    }

    fn on_accepted(&mut self, after_break: Option<u64>) {
        if let Some(unacknowledged) = after_break {
            self.push_notice(TerminalItem::Reconnected { unacknowledged });
        }
    }

    fn receive(&mut self, message: Incoming<'_>, counters: &mut Counters, mask: &Mask) -> Received {
        if let Incoming::Output(HostOutput { text, bytes, .. }) = message {
            let rest = self.decoder.finish();
            self.push_output(rest, counters);
            self.count_output(*bytes, counters);
            self.items.push_back(TerminalItem::HostOutput { text: text.clone(), bytes: *bytes });
            return Received::Handled;
        }
        let Ok(frame) = Frame::read(message.bytes(), &mut self.output) else { return Received::Malformed };
        match (&*frame.kind, frame.has_output) {
            (b"output", true) => {
                let output = mem::take(&mut self.output);
                let text = self.decoder.decode(&output);
                self.push_output(&text, counters);
                drop(text);
                // The buffer for a large message is not kept.
                if output.capacity() <= MAX_ITEM_BYTES {
                    self.output = output;
                }
            }
            (b"pong", _) => return Received::Pong,
            (b"error", _) => {
                let message = mask.text(&frame.message);
                self.push_notice(TerminalItem::Error { message: message.clone() });
                return Received::Problem(message);
            }
            (b"exit", _) => {
                #[allow(
                    clippy::cast_possible_truncation,
                    reason = "the cast saturates; exit codes are small"
                )]
                let code = frame.code as i64;
                self.push_notice(TerminalItem::Exit { code });
                return Received::End(CloseCause::new(CloseReason::Exit, &format!("exit code {code}")));
            }
            _ => return Received::Malformed,
        }
        Received::Handled
    }

    fn poll_item(&mut self, counters: &mut Counters) -> Option<TerminalItem> {
        let item = self.items.pop_front()?;
        self.notices -= item.notice_size();
        self.waiting -= item.output_size();
        counters.taken += item.output_size() as u64;
        counters.buffered = self.waiting as u64;
        Some(item)
    }

    fn is_full(&self) -> bool {
        self.buffered_bytes() >= HIGH_WATER
    }

    fn overflows(&self) -> bool {
        self.buffered_bytes() > HARD_LIMIT
    }

    fn handle_timeout(&mut self, _: Millis) {
        // Releases the memory of a long output within the interval of the heartbeat.
        self.spare = Vec::new();
    }
}

impl Session<Terminal> {
    /// Creates a terminal session. `cols` and `rows` are the size in characters, from 1 to 1,000. Default: 80 columns,
    /// 24 rows.
    ///
    /// # Errors
    /// [`Error::Encode`] if `cols` or `rows` is not a whole number within the range.
    pub fn terminal(
        target: Target,
        cols: Option<f64>,
        rows: Option<f64>,
        seed: u64,
        now: Millis,
    ) -> Result<Self, Error> {
        let owner = "computers.terminal";
        let cols = cols.map_or(Ok(DEFAULT_SIZE.0), |cols| check_side(owner, "cols", cols))?;
        let rows = rows.map_or(Ok(DEFAULT_SIZE.1), |rows| check_side(owner, "rows", rows))?;
        let protocol = Terminal {
            cols,
            rows,
            resized: false,
            decoder: Utf8Decoder::default(),
            output: Vec::new(),
            spare: Vec::new(),
            items: VecDeque::new(),
            waiting: 0,
            notices: 0,
        };
        Ok(Self::begin(protocol, target, seed, now))
    }

    /// Sends text to the shell, or returns why the text is refused. Accepted input arrives in order. If the connection
    /// breaks, [`TerminalItem::Reconnected`] or the [`CloseCause`] of the channel contains the number of bytes that
    /// were not acknowledged.
    ///
    /// # Errors
    /// [`Error::Encode`] if `text` is longer than 16 MiB.
    pub fn input(&mut self, text: &str) -> Result<Option<InputRefusal>, Error> {
        if text.len() > MAX_INPUT {
            let problem = format!(
                "has {} bytes, and at most {MAX_INPUT} are accepted at once: write it in pieces, or to `writable`",
                text.len()
            );
            return Err(Error::encode("terminal.write", "text", problem));
        }
        let refusal = self.refusal().filter(|_| !text.is_empty());
        match refusal {
            Some(_) => self.link.refuse(),
            None => self.link.accept_input(text),
        }
        Ok(refusal)
    }

    /// Returns why input would be refused now. Returns `None` if it would be accepted.
    #[must_use]
    pub fn refusal(&self) -> Option<InputRefusal> {
        self.link.condition().refusal().or_else(|| self.link.input.is_full().then_some(InputRefusal::Full))
    }

    /// Changes the size of the terminal: at once, or after the next reconnect if there is no socket.
    ///
    /// # Errors
    /// [`Error::Encode`] if `cols` or `rows` is not a whole number from 1 to 1,000.
    pub fn resize(&mut self, cols: f64, rows: f64) -> Result<(), Error> {
        let side = |field, characters| check_side("terminal.resize", field, characters);
        (self.protocol.cols, self.protocol.rows) = (side("cols", cols)?, side("rows", rows)?);
        self.protocol.resized = true;
        // Without a socket, `on_open` of the next socket sends the size.
        if self.link.has_socket() {
            let message = resize(self.protocol.cols, self.protocol.rows);
            self.link.send_latest(message, |queued| queued.starts_with(RESIZE));
        }
        Ok(())
    }
}

impl Named for Terminal {
    fn open(target: Target, options: &Fields<'_>, seed: u64, now: Millis) -> Result<Session<Self>, Error> {
        Session::terminal(target, options.any_number("cols"), options.any_number("rows"), seed, now)
    }
}

impl Kind for Terminal {
    const BATCHING: Batching = Batching { time: 4, always: false, enough: 256 << 10 };

    fn command(session: &mut Session<Self>, command: Command<'_>) -> Option<Result<Value, Error>> {
        let refusal = |refusal: Option<InputRefusal>| refusal.map(InputRefusal::as_str).into();
        Some(match command.name {
            "input" => match command.argument {
                Value::String(text) => session.input(text).map(refusal),
                _ => Err(Error::encode("terminal.write", "text", "must be a string")),
            },
            "refusal" => Ok(refusal(session.refusal())),
            "resize" => {
                // JSON cannot represent NaN and infinity, so they are absent here. NaN is refused like any other
                // invalid size.
                let number =
                    |name: &str| command.argument.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
                session.resize(number("cols"), number("rows")).map(|()| Value::Null)
            }
            _ => return None,
        })
    }

    fn export(item: TerminalItem) -> PlainObject {
        match item {
            TerminalItem::Output { data } => PlainObject::of_type("output", "data", Payload::Text(data)),
            TerminalItem::HostOutput { text, .. } => {
                PlainObject::of_type("output", "data", Payload::Host(text))
            }
            other => other.to_json().into(),
        }
    }

    fn recycle(&mut self, payload: Payload) {
        if let Payload::Text(mut text) = payload
            && self.spare.len() < MAX_SPARE
            && SPARE_CAPACITY.contains(&text.capacity())
        {
            text.clear();
            self.spare.push(text);
        }
    }
}

const RESIZE: &str = r#"{"type":"resize","#;

fn resize(cols: u16, rows: u16) -> String {
    format!(r#"{RESIZE}"cols":{},"rows":{}}}"#, u32::from(cols), u32::from(rows))
}

fn check_side(owner: &str, field: &str, characters: f64) -> Result<u16, Error> {
    const LARGEST: u16 = 1000;
    if !(1.0..=f64::from(LARGEST)).contains(&characters) || characters.fract() != 0.0 {
        let problem = format!("must be a whole number of characters from 1 to {LARGEST}");
        return Err(Error::encode(owner, field, problem));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    Ok(characters as u16)
}
