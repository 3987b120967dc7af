//! The channel interface of the bindings. Channels of every kind have the same type, are opened by name, and exchange
//! plain data.
//!
//! A new kind of channel implements [`Protocol`], [`Kind`] and [`Named`] in a separate file, and is listed in [`KINDS`].

use orgo_screen::UNKNOWN_COMMAND;

use super::audio::Audio;
use super::events::Events;
use super::link::{Action, ConnectFailure, Counters, State, Target};
use super::session::{Incoming, Protocol, Session};
use super::terminal::Terminal;
use crate::Millis;
use crate::client::address::ComputerAddress;
use crate::client::credentials::Password;
use crate::client::fields::Fields;
use crate::diagnostics::log::LogEntry;
use crate::encoding::json::{Map, Value};
use crate::encoding::plain::{Payload, PlainObject};
use crate::error::Error;

/// A kind of channel for the bindings.
pub trait Kind: Protocol + Send + Sized + 'static {
    /// When items are collected before they are passed to another thread. The option `batch_ms` overrides the time.
    const BATCHING: Batching = Batching { time: 0, always: false, enough: u64::MAX };

    /// Executes a command. Returns `None` if the kind has no such command.
    fn command(session: &mut Session<Self>, command: Command<'_>) -> Option<Result<Value, Error>>;

    /// The maximum number of items that are passed to JavaScript at once, so that a flood of items does not delay other
    /// work of the JavaScript thread. Default: unlimited.
    const MAX_BATCH: usize = usize::MAX;

    /// Converts an item to the form that JavaScript receives.
    fn export(item: Self::Item) -> PlainObject;

    /// Removes the next item, and returns it in the form that JavaScript receives. A kind implements this method if it
    /// has the form without decoding the item.
    fn poll_export(&mut self, counters: &mut Counters) -> Option<PlainObject> {
        self.poll_item(counters).map(Self::export)
    }

    /// Takes back the memory of an item's payload, to use it for a later item.
    fn recycle(&mut self, _payload: Payload) {}

    /// Frees the memory that an ended channel no longer needs. The unread items remain.
    fn free(&mut self) {}
}

/// A kind of channel that the bindings open by its name.
pub trait Named: Kind {
    /// Opens a channel with the options of its kind.
    ///
    /// # Errors
    /// [`Error::Encode`] for an invalid option.
    fn open(target: Target, options: &Fields<'_>, seed: u64, now: Millis) -> Result<Session<Self>, Error>;
}

/// When a consumer on another thread collects items, because waking a thread costs more than handling an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// The longest time for which items are collected, in milliseconds. Items are collected until the next multiple of this
    /// time, so that all channels with the same time wake the other thread together.
    pub time: Millis,
    /// Whether items are always collected. Otherwise an item is delivered immediately if the other thread was not woken
    /// within the last `time`.
    pub always: bool,
    /// At this number of units of [`Counters`], the items are delivered immediately.
    pub enough: u64,
}

/// A command for a channel.
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// The name of the command.
    pub name: &'a str,
    /// The argument; `null` if there is none.
    pub argument: &'a Value,
}

type Open = fn(Target, &Fields<'_>, u64, Millis) -> Result<Box<dyn AnySession>, Error>;

/// Each kind of channel: its name, its batching, and the function that opens it.
const KINDS: &[(&str, Batching, Open)] = &[
    kind::<Terminal>(),
    kind::<Audio>(),
    kind::<Events>(),
    #[cfg(feature = "screen")]
    kind::<super::screen::Screen>(),
];

const fn kind<K: Named>() -> (&'static str, Batching, Open) {
    (K::CHANNEL, K::BATCHING, |target, options, seed, now| Ok(Box::new(K::open(target, options, seed, now)?)))
}

/// Opens a channel by the name of its kind. Returns the session, and when its items are collected.
///
/// # Errors
/// [`Error::Encode`] for an unknown kind or an invalid option.
pub fn open(
    name: &str,
    target: Target,
    options: &Map,
    seed: u64,
    now: Millis,
) -> Result<(Box<dyn AnySession>, Batching), Error> {
    let Some((_, batching, open)) = KINDS.iter().find(|(kind, ..)| *kind == name) else {
        // A page downloads the screen channel separately.
        let problem = if name == "screen" {
            "cannot be `screen` here: the screen needs the native addon of Node"
        } else {
            "is not a kind of channel that this version knows"
        };
        return Err(Error::encode("channel", "kind", problem));
    };
    let owner = owner(name);
    let options = Fields::new(&owner, options);
    let time = match options.any_number("batch_ms") {
        None => batching.time,
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        Some(batch) if (0.0..=1000.0).contains(&batch) && batch.fract() == 0.0 => batch as Millis,
        Some(_) => {
            let problem = "must be a whole number of milliseconds from 0 to 1000";
            return Err(Error::encode(&owner, "batch_ms", problem));
        }
    };
    Ok((open(target, &options, seed, now)?, Batching { time, ..*batching }))
}

/// Returns the name of a kind of channel for error messages.
fn owner(kind: &str) -> String {
    format!("computers.{kind}")
}

/// A session of any kind. See [`Session`] for the methods without documentation.
#[allow(missing_docs, reason = "documented at `Session`")]
pub trait AnySession: Send {
    /// Returns the name of the kind.
    fn kind(&self) -> &'static str;

    /// Returns whether the kind accepts [`Incoming::Output`].
    fn accepts_output(&self) -> bool;

    /// Executes a command of the kind.
    ///
    /// # Errors
    /// [`Error::Encode`] for an unknown command or a wrong argument.
    fn command(&mut self, command: Command<'_>) -> Result<Value, Error>;

    /// Reports the computer's address and a new password.
    fn handle_password(&mut self, now: Millis, address: ComputerAddress, password: Password);
    /// Reports that there is no password: for the moment, with the reason, or because of the error of a call, with its
    /// [record](Error::record).
    fn handle_no_password(&mut self, now: Millis, problem: &Value);
    fn handle_open(&mut self, now: Millis);
    fn handle_failure(&mut self, now: Millis, failure: &ConnectFailure);
    fn handle_message(&mut self, now: Millis, message: Incoming<'_>);
    fn handle_close(&mut self, now: Millis, code: u16, reason: &str);
    fn handle_timeout(&mut self, now: Millis);
    fn poll_action(&mut self) -> Option<Action>;
    fn poll_log(&mut self) -> Option<LogEntry>;
    /// Returns the next items in the form that JavaScript receives.
    fn poll_items(&mut self) -> Vec<PlainObject>;
    /// Takes back the memory of an item's payload, whose content the caller has copied.
    fn recycle(&mut self, payload: Payload);
    fn poll_timeout(&self) -> Option<Millis>;
    fn wants_read(&self) -> bool;
    fn leaves_socket(&self) -> bool;
    fn state(&self) -> State;
    fn counters(&self) -> Counters;
    fn close(&mut self);
    /// Frees the memory that is no longer needed after the channel has ended. The unread items remain.
    fn free(&mut self);
}

impl<K: Kind> AnySession for Session<K> {
    fn kind(&self) -> &'static str {
        K::CHANNEL
    }

    fn accepts_output(&self) -> bool {
        K::ACCEPTS_OUTPUT
    }

    fn command(&mut self, command: Command<'_>) -> Result<Value, Error> {
        K::command(self, command)
            .unwrap_or_else(|| Err(Error::encode(&owner(K::CHANNEL), command.name, UNKNOWN_COMMAND)))
    }

    fn handle_password(&mut self, now: Millis, address: ComputerAddress, password: Password) {
        self.link.credentials(now, address, password, &|url| self.protocol.add_query(url));
    }

    fn handle_no_password(&mut self, now: Millis, problem: &Value) {
        match problem.as_str() {
            Some(problem) => self.link.no_credentials(now, problem),
            None => self.link.credentials_failed(now, problem),
        }
    }

    fn handle_open(&mut self, now: Millis) {
        self.handle_open(now);
    }

    fn handle_failure(&mut self, now: Millis, failure: &ConnectFailure) {
        self.handle_failure(now, failure);
    }

    fn handle_message(&mut self, now: Millis, message: Incoming<'_>) {
        self.handle_message(now, message);
    }

    fn handle_close(&mut self, now: Millis, code: u16, reason: &str) {
        self.handle_close(now, code, reason);
    }

    fn handle_timeout(&mut self, now: Millis) {
        self.handle_timeout(now);
    }

    fn poll_action(&mut self) -> Option<Action> {
        self.poll_action()
    }

    fn poll_log(&mut self) -> Option<LogEntry> {
        self.poll_log()
    }

    fn poll_items(&mut self) -> Vec<PlainObject> {
        std::iter::from_fn(|| self.read(K::poll_export)).take(K::MAX_BATCH).collect()
    }

    fn recycle(&mut self, payload: Payload) {
        self.protocol.recycle(payload);
    }

    fn poll_timeout(&self) -> Option<Millis> {
        self.poll_timeout()
    }

    fn wants_read(&self) -> bool {
        self.wants_read()
    }

    fn leaves_socket(&self) -> bool {
        self.leaves_socket()
    }

    fn state(&self) -> State {
        self.state()
    }

    fn counters(&self) -> Counters {
        self.counters()
    }

    fn close(&mut self) {
        self.close();
    }

    fn free(&mut self) {
        self.protocol.free();
    }
}
