//! What can go wrong with a call, one type for each event: it could not be encoded, its answer could not be
//! decoded or was too large, the server refused it, the network failed, its time ran out, it was given up, a channel ended.

use std::fmt;

use crate::Millis;
use crate::channel::CloseCause;
use crate::encoding::json::{Map, Value};
use crate::rest::http::Reached;

/// Whether a call took effect on the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivered {
    /// Provably not: it never left, or the server says that it did nothing.
    #[default]
    No,
    /// Nobody can tell from here.
    Maybe,
    /// The server carried it out; what failed came after.
    Yes,
}

impl Delivered {
    /// `no`, `maybe` or `yes`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Maybe => "maybe",
            Self::Yes => "yes",
        }
    }
}

impl From<Reached> for Delivered {
    fn from(reached: Reached) -> Self {
        match reached {
            Reached::Never => Self::No,
            Reached::Maybe => Self::Maybe,
        }
    }
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A parameter or an option is not acceptable. Nothing was sent.
    Encode(EncodeError),
    /// The answer is not of the documented shape.
    Decode(DecodeError),
    /// The response body exceeds the limit.
    TooLarge(TooLargeError),
    /// The server refused.
    Server(Box<ServerError>),
    /// The network failed before an answer was complete.
    Transport(TransportError),
    /// The time limit ran out.
    Timeout(TimeoutError),
    /// The caller gave up.
    Aborted(AbortedError),
    /// The channel ended.
    Closed(CloseCause),
}

/// A parameter that no server would take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeError {
    /// The call, as `computers.click`, or the option's owner.
    pub operation: String,
    /// The parameter or option.
    pub field: String,
    /// What is wrong and what would be right, as the end of a sentence that begins with the field.
    pub problem: String,
}

/// An answer that does not have the documented shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// The call.
    pub operation: String,
    /// The place, as `desktops[3].ram`; empty for the answer as a whole.
    pub path: String,
    /// What is expected there and what was found.
    pub problem: String,
    /// The status of the answer.
    pub status: u16,
    /// Its body: bounded, with secrets masked and control characters escaped, except for line breaks and tabs.
    pub body: String,
    /// Whether it is not even JSON, as when it was cut off or comes from a proxy on the way: that may pass.
    pub garbled: bool,
}

/// A response body that exceeds the limit of its call. The server executed the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLargeError {
    /// The call.
    pub operation: String,
    /// The status of the response.
    pub status: u16,
    /// The limit, in bytes.
    pub limit: u64,
}

/// A refusal by the server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerError {
    /// The call.
    pub operation: String,
    /// The status code.
    pub status: u16,
    /// The server's words.
    pub message: String,
    /// The server's stable name of the error, where it gives one (`computer_waking`).
    pub code: Option<String>,
    /// The id to quote to support.
    pub request_id: Option<String>,
    /// The status of the desktop, where the failure came from it.
    pub upstream_status: Option<u16>,
    /// How long to wait before another try, in seconds.
    pub retry_after: Option<f64>,
    /// The body: bounded, with secrets masked and control characters escaped, except for line breaks and tabs.
    pub body: String,
    /// Whether the call took effect, in this request or in one before it.
    pub delivered: Delivered,
}

/// A network failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// The call.
    pub operation: String,
    /// The cause in words.
    pub message: String,
    /// Whether the call took effect.
    pub delivered: Delivered,
}

/// A time limit that ran out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeoutError {
    /// The call.
    pub operation: String,
    /// What was limited.
    pub span: Span,
    /// The limit, in milliseconds.
    pub limit: Millis,
    /// Whether the call took effect.
    pub delivered: Delivered,
}

/// What a time limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// One request with its whole answer.
    Request,
    /// The pause between two pieces of an answer.
    Idle,
    /// All the requests of a call and the waits between them.
    Total,
}

/// A call that its caller gave up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbortedError {
    /// The call.
    pub operation: String,
    /// Whether the call took effect.
    pub delivered: Delivered,
}

impl ServerError {
    /// Codes that say: the computer is not awake yet and nothing was carried out (known from a client of the
    /// newest generation, BOPS).
    const WAKING: [&str; 7] = [
        "computer_waking",
        "suspend_in_progress",
        "resume_in_progress",
        "resuming",
        "wake_failed",
        "no_capacity",
        "saved_state_unavailable",
    ];

    /// Whether the answer says that nothing was carried out and another try may succeed.
    #[must_use]
    pub fn nothing_executed(&self) -> bool {
        self.status == 429 || self.code.as_deref().is_some_and(|code| Self::WAKING.contains(&code))
    }

    /// Whether the request took effect, by the word of the answer. A refusal (4xx) carries nothing out, except for
    /// 408, where the desktop ran out of time in the middle; a failure (5xx) leaves it open.
    pub(crate) fn judge_delivery(&self) -> Delivered {
        if self.nothing_executed() || (400..500).contains(&self.status) && self.status != 408 {
            Delivered::No
        } else {
            Delivered::Maybe
        }
    }
}

impl Error {
    /// A refused parameter.
    pub(crate) fn encode(operation: &str, field: &str, problem: impl Into<String>) -> Self {
        Self::Encode(EncodeError {
            operation: operation.to_owned(),
            field: field.to_owned(),
            problem: problem.into(),
        })
    }

    /// Whether the call took effect on the server.
    #[must_use]
    pub fn delivered(&self) -> Delivered {
        match self {
            Self::Encode(_) | Self::Closed(_) => Delivered::No,
            Self::Decode(_) | Self::TooLarge(_) => Delivered::Yes,
            Self::Server(error) => error.delivered,
            Self::Transport(error) => error.delivered,
            Self::Timeout(error) => error.delivered,
            Self::Aborted(error) => error.delivered,
        }
    }

    /// The same facts as one flat object, as the bindings hand them to JavaScript (`ErrorRecord` in TypeScript); what does
    /// not apply is absent.
    #[must_use]
    pub fn record(&self) -> Value {
        let mut record = Map::new();
        let kind = match self {
            Self::Encode(error) => {
                record.insert("field", error.field.as_str().into());
                "encode"
            }
            Self::Decode(error) => {
                record.insert("path", error.path.as_str().into());
                record.insert("status", u64::from(error.status).into());
                record.insert("body", error.body.as_str().into());
                "decode"
            }
            Self::TooLarge(error) => {
                record.insert("status", u64::from(error.status).into());
                record.insert("limit", error.limit.into());
                "too_large"
            }
            Self::Server(error) => {
                record.insert("status", u64::from(error.status).into());
                record.insert("code", error.code.as_deref().into());
                record.insert("request_id", error.request_id.as_deref().into());
                record.insert("upstream_status", error.upstream_status.map(u64::from).into());
                record.insert("retry_after", error.retry_after.into());
                record.insert("body", error.body.as_str().into());
                "server"
            }
            Self::Transport(_) => "transport",
            Self::Timeout(error) => {
                record.insert("limit", error.limit.into());
                "timeout"
            }
            Self::Aborted(_) => "aborted",
            Self::Closed(cause) => {
                record.insert("cause", cause.to_json());
                "closed"
            }
        };
        record.insert("kind", kind.into());
        record.insert("message", self.to_string().into());
        record.insert("delivered", self.delivered().as_str().into());
        record.retain(|_, value| !value.is_null());
        Value::Object(record)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encode(EncodeError { operation, field, problem }) => {
                write!(f, "{operation}: `{field}` {problem}")
            }
            Self::Decode(DecodeError { operation, path, problem, .. }) if path.is_empty() => {
                write!(f, "{operation}: the answer is not of the documented shape: {problem}")
            }
            Self::Decode(DecodeError { operation, path, problem, .. }) => {
                write!(f, "{operation}: the answer is not of the documented shape: `{path}`: {problem}")
            }
            Self::TooLarge(TooLargeError { operation, limit, .. }) => {
                write!(
                    f,
                    "{operation}: the response is larger than {limit} bytes; to accept it, raise `maxResponseBytes`"
                )
            }
            Self::Server(error) => write!(f, "{}: {} {}", error.operation, error.status, error.message),
            Self::Transport(TransportError { operation, message, .. }) => {
                write!(f, "{operation}: the network failed: {message}")
            }
            Self::Timeout(TimeoutError { operation, span, limit, .. }) => match span {
                Span::Request => write!(f, "{operation}: no answer within {limit} ms"),
                Span::Idle => write!(f, "{operation}: the answer stopped for {limit} ms"),
                Span::Total => write!(f, "{operation}: no success within {limit} ms, retries included"),
            },
            Self::Aborted(AbortedError { operation, .. }) => write!(f, "{operation}: aborted by the caller"),
            Self::Closed(cause) => cause.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// A place in an answer that does not fit its declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The place, as `desktops[3].ram`.
    pub path: String,
    /// What is expected there and what was found.
    pub problem: String,
}

impl Mismatch {
    /// `found` stands where `expected` should.
    #[must_use]
    pub fn new(expected: &str, found: &Value) -> Self {
        Self { path: String::new(), problem: format!("expected {expected}, found {}", kind(found)) }
    }

    /// Nothing stands where `expected` should.
    #[must_use]
    pub fn missing(expected: &str) -> Self {
        Self { path: String::new(), problem: format!("expected {expected}, found nothing") }
    }

    /// The same place, seen from the object that holds it in `field`.
    #[must_use]
    pub fn inside(mut self, field: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{field}{joint}{}", self.path);
        self
    }

    /// The same place, seen from the list that holds it at `index`.
    #[must_use]
    pub fn at(mut self, index: usize) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("[{index}]{joint}{}", self.path);
        self
    }
}

/// What a value is, for an error's text: a string itself may be long or a secret, so it is not shown.
pub(crate) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        // Any number of use in an error is short, but a text of JSON may have a million digits.
        Value::Number(value) if value.as_str().len() <= 40 => value.as_str().to_owned(),
        Value::Number(_) => "a long number".to_owned(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
