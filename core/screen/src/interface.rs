//! What the session of a screen and its program exchange with it.

use core::fmt;

use crate::prelude::*;

/// The condition of a connection, on which it depends whether input is accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Condition {
    /// There is no accepted connection.
    #[default]
    Disconnected,
    /// Open, but the server does not respond to a ping.
    Unstable,
    /// Open.
    Open,
}

impl Condition {
    /// Returns why input is refused in this condition. Returns `None` if it is accepted.
    #[must_use]
    pub fn refusal(self) -> Option<InputRefusal> {
        match self {
            Self::Disconnected => Some(InputRefusal::Disconnected),
            Self::Unstable => Some(InputRefusal::Unstable),
            Self::Open => None,
        }
    }

    /// Returns a number for another program.
    #[must_use]
    pub fn number(self) -> u32 {
        self as u32
    }

    /// Returns the condition with a [`number`](Self::number).
    #[must_use]
    pub fn with_number(number: u32) -> Self {
        match number {
            1 => Self::Unstable,
            2 => Self::Open,
            _ => Self::Disconnected,
        }
    }
}

/// Why input was refused. No part of the refused input is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputRefusal {
    /// The connection is down. Input is not kept, because the next connection has a new shell.
    Disconnected,
    /// The server does not respond to a ping: the connection may be broken.
    Unstable,
    /// Too much input is pending, because the server or the program in the terminal does not read the input.
    Full,
    /// The channel was opened for viewing only.
    ViewOnly,
}

impl InputRefusal {
    /// Returns the name in JavaScript, such as `disconnected`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Unstable => "unstable",
            Self::Full => "full",
            Self::ViewOnly => "view_only",
        }
    }
}

/// The result of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The message was handled.
    Handled,
    /// The message contains the first update, so the server has accepted the viewer and announced what it supports.
    Accepted,
    /// The server refused the password, with its reason.
    PasswordRefused(String),
    /// The server refused the connection, with its reason.
    Refused(String),
    /// The message violates the protocol. The text is the problem.
    Invalid(String),
}

impl Outcome {
    /// Returns a number and a text for another program.
    #[must_use]
    pub fn parts(self) -> (u32, String) {
        match self {
            Self::Handled => (0, String::new()),
            Self::Accepted => (1, String::new()),
            Self::PasswordRefused(reason) => (2, reason),
            Self::Refused(reason) => (3, reason),
            Self::Invalid(problem) => (4, problem),
        }
    }

    /// Returns the outcome with these [`parts`](Self::parts).
    pub fn of_parts(number: u32, text: impl FnOnce() -> String) -> Self {
        match number {
            0 => Self::Handled,
            1 => Self::Accepted,
            2 => Self::PasswordRefused(text()),
            3 => Self::Refused(text()),
            _ => Self::Invalid(text()),
        }
    }
}

/// The counters of a screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// The number of updates that the server sent.
    pub received: u64,
    /// The number of updates that the consumer read.
    pub taken: u64,
    /// The number of times that input was refused.
    pub refused: u64,
}

/// A wrong argument of a command, or a wrong option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The command, such as `screen.click`, or the owner of the option.
    pub operation: String,
    /// The argument or option.
    pub field: String,
    /// What is wrong and what would be right. It continues a sentence that starts with the field.
    pub problem: String,
}

impl Invalid {
    pub(crate) fn new(operation: &str, field: &str, problem: &str) -> Box<Self> {
        let [operation, field, problem] = [operation, field, problem].map(ToOwned::to_owned);
        Box::new(Self { operation, field, problem })
    }

    /// Returns the message of the error. Formatting would add code to a page.
    #[must_use]
    pub fn message(&self) -> String {
        [self.operation.as_str(), ": `", self.field.as_str(), "` ", self.problem.as_str()].concat()
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

/// What is wrong with a command that a channel does not have.
pub const UNKNOWN_COMMAND: &str = "is not a command of this channel";
/// What is wrong with a value that is not a list of strings.
pub const MUST_BE_TEXTS: &str = "must be a list of strings";

/// A plain value that a program passes: JSON, or a JavaScript value in a module that contains no JSON reader.
pub trait Argument: Sized {
    /// Returns whether the value is `null` or absent.
    fn is_null(&self) -> bool;
    /// Returns a boolean value. Returns `None` for other values.
    fn as_bool(&self) -> Option<bool>;
    /// Returns a number. Returns `None` for other values.
    fn as_number(&self) -> Option<f64>;
    /// Returns a string. Returns `None` for other values.
    fn as_text(&self) -> Option<String>;
    /// Returns the items of a list. Returns `None` for other values.
    fn items(&self) -> Option<Vec<Self>>;
    /// Returns a field of an object. It is null if it is absent, or this value is not an object.
    fn field(&self, name: &str) -> Self;
}

/// Receives the fields of an object for JavaScript: as JSON, or as the object itself in a module that contains no JSON writer.
pub trait Record {
    /// Creates an object without fields.
    fn empty() -> Self;
    /// Adds a number below 2^53.
    fn number(&mut self, name: &'static str, value: u64);
    /// Adds a short text.
    fn text(&mut self, name: &'static str, value: &str);
    /// Adds a list of objects.
    fn list(&mut self, name: &'static str, items: Vec<Self>)
    where
        Self: Sized;
    /// Adds a text that can be long. An object has at most one long text or content.
    fn long_text(&mut self, name: &'static str, value: String);
    /// Adds a content, which others may still read.
    fn bytes(&mut self, name: &'static str, value: Arc<Vec<u8>>);
}
