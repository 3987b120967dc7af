//! The terminal: keystrokes in, the output of a shell in a PTY out.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::any::{Command, Kind};
use super::close::{CloseCause, CloseReason};
use super::input::LARGEST_INPUT;
use super::link::{Counters, Target};
use super::session::{Incoming, Protocol, Received, Session};
use super::text::Joiner;
use crate::Millis;
use crate::client::address::SocketUrl;
use crate::client::fields::Fields;
use crate::diagnostics::mask::Mask;
use crate::encoding::json::{SyntaxError, Value, members, serialize_as_json, text};
use crate::encoding::plain::{Payload, PlainObject};
use crate::error::Error;

/// The size of a terminal where none is given (SEED).
const DEFAULT_SIZE: (u16, u16) = (80, 24);
/// One item of output holds at most about this much.
const CHUNK: usize = 64 << 10;
/// So much output waits before the reader waits too, what the server says of problems included.
const HIGH_WATER: usize = 1 << 20;
/// So much output may wait where the platform cannot make the server wait.
const HARD_LIMIT: usize = 8 << 20;
/// What an item holds beside its text, in bytes: items without any are bounded too.
const ITEM: usize = 64;

/// What a terminal gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalItem {
    /// Output of the shell with its escape sequences. Whole characters only.
    Output {
        /// The text.
        data: String,
    },
    /// The link was broken and is back, with a *new* shell: the old one and its state are lost.
    Reconnected {
        /// Bytes of input that were accepted for the old shell and may not have arrived: the last ones before the break.
        unacknowledged: u64,
    },
    /// The server reports a problem.
    Error {
        /// In the server's words.
        message: String,
    },
    /// The shell ended. Nothing follows.
    Exit {
        /// Its exit code.
        code: i64,
    },
}

impl TerminalItem {
    /// What it counts as waiting beside output, in bytes.
    fn notice_size(&self) -> usize {
        match self {
            Self::Output { .. } => 0,
            Self::Error { message } => ITEM + message.len(),
            Self::Reconnected { .. } | Self::Exit { .. } => ITEM,
        }
    }

    /// The item as the bindings hand it to JavaScript.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
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

/// Why input is not accepted. Nothing of it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputRefusal {
    /// The link is down. Input is not kept, since the shell that comes later is not the one that it was meant for.
    Disconnected,
    /// The server does not answer: the link may be broken.
    Unstable,
    /// Too much input waits for the server or for the program in the terminal.
    Full,
}

impl InputRefusal {
    /// Its name in JavaScript.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Unstable => "unstable",
            Self::Full => "full",
        }
    }
}

/// The protocol of the terminal.
#[derive(Debug)]
pub struct Terminal {
    cols: u16,
    rows: u16,
    resized: bool,
    joiner: Joiner,
    items: VecDeque<TerminalItem>,
    /// Bytes of output that wait.
    waiting: usize,
    /// What waits beside output, in bytes of memory.
    notices: usize,
}

/// A message of the server. Its output is kept as bytes, since a character may be cut.
#[derive(Default)]
struct Frame<'a> {
    kind: String,
    data: Option<Cow<'a, [u8]>>,
    message: String,
    code: f64,
}

impl<'a> Frame<'a> {
    fn read(json: &'a [u8]) -> Result<Self, SyntaxError> {
        let mut frame = Self::default();
        members(json, &mut |name, value| {
            match name {
                "type" => frame.kind = text(value.string()?),
                "data" => frame.data = value.string_or_null()?,
                "message" => frame.message = value.string_or_null()?.map(text).unwrap_or_default(),
                "code" => frame.code = value.value()?.as_f64().unwrap_or_default(),
                _ => drop(value.value()?),
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

    fn held(&self) -> usize {
        self.waiting + self.notices
    }

    fn push_output(&mut self, text: String, counters: &mut Counters) {
        self.waiting += text.len();
        counters.received += text.len() as u64;
        counters.buffered = self.waiting as u64;
        match self.items.back_mut() {
            Some(TerminalItem::Output { data }) if data.len() + text.len() <= CHUNK => data.push_str(&text),
            _ => self.items.push_back(TerminalItem::Output { data: text }),
        }
    }
}

impl Protocol for Terminal {
    type Item = TerminalItem;
    const CHANNEL: &'static str = "terminal";

    fn query(&self, url: SocketUrl) -> SocketUrl {
        url.with("cols", self.cols).with("rows", self.rows)
    }

    fn greet(&mut self) -> Vec<String> {
        self.joiner = Joiner::default();
        // The address holds the size too, but a proxy may not pass it on.
        if self.resized { vec![resize(self.cols, self.rows)] } else { Vec::new() }
    }

    fn accepted(&mut self, after_break: Option<u64>) {
        if let Some(unacknowledged) = after_break {
            self.push_notice(TerminalItem::Reconnected { unacknowledged });
        }
    }

    fn receive(&mut self, message: Incoming<'_>, counters: &mut Counters, mask: &Mask) -> Received {
        let Ok(frame) = Frame::read(message.bytes()) else { return Received::Malformed };
        match (frame.kind.as_str(), frame.data) {
            ("output", Some(data)) => {
                let text = self.joiner.join(data);
                if !text.is_empty() {
                    self.push_output(text, counters);
                }
            }
            ("pong", _) => return Received::Pong,
            ("error", _) => {
                let words = mask.text(&frame.message);
                self.push_notice(TerminalItem::Error { message: words.clone() });
                return Received::Problem(words);
            }
            ("exit", _) => {
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
        Received::Taken
    }

    fn pop(&mut self, counters: &mut Counters) -> Option<TerminalItem> {
        let item = self.items.pop_front()?;
        self.notices -= item.notice_size();
        if let TerminalItem::Output { data } = &item {
            self.waiting -= data.len();
            counters.taken += data.len() as u64;
            counters.buffered = self.waiting as u64;
        }
        Some(item)
    }

    fn is_full(&self) -> bool {
        self.held() >= HIGH_WATER
    }

    fn overflows(&self) -> bool {
        self.held() > HARD_LIMIT
    }
}

impl Session<Terminal> {
    /// Begins a terminal of a size in characters. A side that is `None` has its default: 80 columns, 24 rows.
    ///
    /// # Errors
    /// [`Error::Encode`] for a size that is no size.
    pub fn terminal(
        target: Target,
        cols: Option<f64>,
        rows: Option<f64>,
        seed: u64,
        now: Millis,
    ) -> Result<Self, Error> {
        let cols = cols.map_or(Ok(DEFAULT_SIZE.0), |cols| side("cols", cols))?;
        let rows = rows.map_or(Ok(DEFAULT_SIZE.1), |rows| side("rows", rows))?;
        let protocol = Terminal {
            cols,
            rows,
            resized: false,
            joiner: Joiner::default(),
            items: VecDeque::new(),
            waiting: 0,
            notices: 0,
        };
        Ok(Self::begin(protocol, target, seed, now))
    }

    /// Sends text to the shell, or nothing of it and why. What is accepted arrives in order, unless the channel says that
    /// it may not have: [`TerminalItem::Reconnected`] and the [`CloseCause`] of its end count the bytes that were not
    /// acknowledged.
    ///
    /// # Errors
    /// [`Error::Encode`] for more than 16 MiB at once.
    pub fn input(&mut self, text: &str) -> Result<Option<InputRefusal>, Error> {
        if text.len() > LARGEST_INPUT {
            let problem = format!(
                "has {} bytes, and at most {LARGEST_INPUT} are accepted at once: write it in pieces, or to `writable`",
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

    /// Why input would be refused now.
    #[must_use]
    pub fn refusal(&self) -> Option<InputRefusal> {
        if !self.link.is_open() {
            Some(InputRefusal::Disconnected)
        } else if self.link.is_unstable() {
            Some(InputRefusal::Unstable)
        } else {
            self.link.input.is_full().then_some(InputRefusal::Full)
        }
    }

    /// Changes the size, now or when the link is back.
    ///
    /// # Errors
    /// [`Error::Encode`] for a size that is no size.
    pub fn resize(&mut self, cols: f64, rows: f64) -> Result<(), Error> {
        (self.protocol.cols, self.protocol.rows) = (side("cols", cols)?, side("rows", rows)?);
        self.protocol.resized = true;
        // Without a socket the next one greets with the size.
        if self.link.has_socket() {
            let message = resize(self.protocol.cols, self.protocol.rows);
            self.link.send_latest(message, |queued| queued.starts_with(RESIZE));
        }
        Ok(())
    }
}

impl Kind for Terminal {
    fn open(target: Target, options: &Fields<'_>, seed: u64, now: Millis) -> Result<Session<Self>, Error> {
        Session::terminal(target, options.number("cols")?, options.number("rows")?, seed, now)
    }

    fn command(session: &mut Session<Self>, command: Command<'_>) -> Option<Result<Value, Error>> {
        let refusal = |refusal: Option<InputRefusal>| refusal.map(InputRefusal::as_str).into();
        Some(match command.name {
            "input" => match command.argument {
                Value::String(text) => session.input(text).map(refusal),
                _ => Err(Error::encode("terminal.write", "text", "must be a string")),
            },
            "refusal" => Ok(refusal(session.refusal())),
            "resize" => {
                // A number that JSON cannot hold is absent here, and as wrong as any other.
                let number =
                    |name: &str| command.argument.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
                session.resize(number("cols"), number("rows")).map(|()| Value::Null)
            }
            _ => return None,
        })
    }

    fn export(item: TerminalItem) -> PlainObject {
        match item {
            TerminalItem::Output { data } => {
                let fields = Value::record([("type", "output".into())]);
                PlainObject::with_payload(fields, "data", Payload::Text(data))
            }
            other => other.to_json().into(),
        }
    }
}

const RESIZE: &str = r#"{"type":"resize","#;

fn resize(cols: u16, rows: u16) -> String {
    format!(r#"{RESIZE}"cols":{cols},"rows":{rows}}}"#)
}

fn side(field: &str, characters: f64) -> Result<u16, Error> {
    const LARGEST: u16 = 1000;
    if !(1.0..=f64::from(LARGEST)).contains(&characters) || characters.fract() != 0.0 {
        let problem = format!("must be a whole number of characters from 1 to {LARGEST}");
        return Err(Error::encode("computers.terminal", field, problem));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    Ok(characters as u16)
}
