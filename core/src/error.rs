//! The errors of calls and channels.
//!
//! [`Error`] has one variant for each kind of failure. Each variant contains a struct with the details, which is an
//! error too: [`source`](std::error::Error::source) returns it, so that code behind a `dyn Error` can downcast
//! to it.

use std::fmt;

use orgo_screen::Invalid;

use crate::Millis;
use crate::channel::CloseCause;
use crate::encoding::json::{Map, Number, Value};
use crate::rest::http::Reached;

/// Whether a call took effect on the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivered {
    /// The call had no effect: it was not sent, or the server reported that it executed nothing.
    #[default]
    No,
    /// Unknown: the request was sent, but its result was lost.
    Maybe,
    /// The server executed the call; the failure happened afterwards.
    Yes,
}

impl Delivered {
    /// Returns the name in JavaScript: `no`, `maybe` or `yes`.
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

/// Why a call or a channel failed.
///
/// The details are boxed, so that a result that can be an error is small.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A parameter or an option is invalid. Nothing was sent.
    Encode(Box<EncodeError>),
    /// The response does not match its declaration.
    Decode(Box<DecodeError>),
    /// The response body exceeds the limit.
    TooLarge(Box<TooLargeError>),
    /// The server responded with an error status.
    Server(Box<ServerError>),
    /// The network failed before the response was complete.
    Transport(Box<TransportError>),
    /// A time limit expired.
    Timeout(Box<TimeoutError>),
    /// The caller aborted the call.
    Aborted(Box<AbortedError>),
    /// The channel ended.
    Closed(Box<CloseCause>),
}

/// An invalid parameter or option. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeError {
    /// The call, such as `computers.click`, or the owner of the option.
    pub operation: String,
    /// The parameter or option.
    pub field: String,
    /// What is wrong and what would be right. It continues a sentence that starts with the field.
    pub problem: String,
}

/// A response that does not match its declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// The call, such as `computers.get`.
    pub operation: String,
    /// The path of the mismatch, such as `desktops[3].ram`; empty for the whole response.
    pub path: String,
    /// What was expected and what was found.
    pub problem: String,
    /// The status code of the response.
    pub status: u16,
    /// The body of the response: at most the first 4 KiB, with masked secrets and escaped control characters (except
    /// line breaks and tabs).
    pub body: String,
    /// Whether the body is not JSON at all, for example because a proxy replaced it or the connection cut it off. Such
    /// a failure can be temporary, so it is retried.
    pub garbled: bool,
}

/// A response body that exceeds the limit of its call. The server executed the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLargeError {
    /// The call, such as `files.bytes`.
    pub operation: String,
    /// The status code of the response.
    pub status: u16,
    /// The limit, in bytes.
    pub limit: u64,
}

/// A response with an error status.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerError {
    /// The call, such as `computers.click`.
    pub operation: String,
    /// The status code.
    pub status: u16,
    /// The reason that the server gave, on one line.
    pub message: String,
    /// The server's machine-readable error code, such as `computer_waking`; `None` if the server sent no code.
    pub code: Option<String>,
    /// The id of the request, to quote to support.
    pub request_id: Option<String>,
    /// The status code of the desktop, if the failure came from there.
    pub upstream_status: Option<u16>,
    /// How long the server asks to wait before a retry, in milliseconds; at most a day.
    pub retry_after: Option<Millis>,
    /// The body of the response: at most the first 4 KiB, with masked secrets and escaped control characters (except
    /// line breaks and tabs).
    pub body: String,
    /// Whether the call took effect, in this request or an earlier request.
    pub delivered: Delivered,
}

/// A network failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// The call, such as `computers.click`.
    pub operation: String,
    /// The cause, as the platform describes it.
    pub message: String,
    /// The error code of Node for the cause, such as `ECONNREFUSED`. `None` if the platform reports no cause.
    pub code: Option<String>,
    /// Whether the call took effect.
    pub delivered: Delivered,
}

/// An expired time limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeoutError {
    /// The call, such as `computers.click`.
    pub operation: String,
    /// Which limit expired.
    pub kind: TimeoutKind,
    /// The limit, in milliseconds.
    pub limit: Millis,
    /// Whether the call took effect.
    pub delivered: Delivered,
}

/// The scope of a time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeoutKind {
    /// One request with its complete response.
    Request,
    /// The pause between two parts of a response.
    Idle,
    /// All requests of a call and the waits between them.
    Total,
}

/// A call that its caller aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbortedError {
    /// The call, such as `computers.click`.
    pub operation: String,
    /// Whether the call took effect.
    pub delivered: Delivered,
}

impl ServerError {
    /// Error codes of a computer that is not awake yet. With these codes, the server executed nothing.
    const WAKING: [&str; 7] = [
        "computer_waking",
        "suspend_in_progress",
        "resume_in_progress",
        "resuming",
        "wake_failed",
        "no_capacity",
        "saved_state_unavailable",
    ];

    /// Returns whether the server executed nothing and a retry may succeed.
    #[must_use]
    pub fn nothing_executed(&self) -> bool {
        self.status == 429 || self.code.as_deref().is_some_and(|code| Self::WAKING.contains(&code))
    }

    /// Returns whether the server may have executed the request, based on the status and the error code of the response.
    /// A 4xx status means that nothing was executed, except 408: the desktop reached its time limit while it executed the
    /// call. A 5xx status leaves this unknown, unless the error code shows that nothing was executed.
    pub(crate) fn delivery(&self) -> Delivered {
        if self.nothing_executed() || (400..500).contains(&self.status) && self.status != 408 {
            Delivered::No
        } else {
            Delivered::Maybe
        }
    }
}

impl From<Box<Invalid>> for Error {
    fn from(error: Box<Invalid>) -> Self {
        let Invalid { operation, field, problem } = *error;
        Self::Encode(Box::new(EncodeError { operation, field, problem }))
    }
}

impl Error {
    /// Creates the error of an invalid parameter or option.
    pub(crate) fn encode(operation: &str, field: &str, problem: impl Into<String>) -> Self {
        Self::Encode(Box::new(EncodeError {
            operation: operation.to_owned(),
            field: field.to_owned(),
            problem: problem.into(),
        }))
    }

    /// Returns whether the call took effect on the server. Returns [`Delivered::No`] for the end of a channel.
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

    /// Returns the error as one flat JSON object, which the bindings pass to JavaScript (`ErrorRecord` in TypeScript).
    /// Fields that do not apply are absent. `retry_after` is in seconds, as on the wire.
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
                record.insert("retry_after", error.retry_after.map(Number::seconds).into());
                record.insert("body", error.body.as_str().into());
                "server"
            }
            Self::Transport(error) => {
                let network =
                    [("message", error.message.as_str().into()), ("code", error.code.as_deref().into())];
                record.insert("network", Value::record(network));
                "transport"
            }
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

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` {}", self.operation, self.field, self.problem)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, path, problem, .. } = self;
        write!(f, "{operation}: the response is not of the documented shape: ")?;
        if !path.is_empty() {
            write!(f, "`{path}`: ")?;
        }
        f.write_str(problem)
    }
}

impl fmt::Display for TooLargeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, limit, .. } = self;
        write!(
            f,
            "{operation}: the response is larger than {limit} bytes; to accept it, raise `maxResponseBytes`"
        )
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.operation, u32::from(self.status), self.message)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the network failed: {}", self.operation, self.message)
    }
}

impl fmt::Display for TimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, kind, limit, .. } = self;
        match kind {
            TimeoutKind::Request if self.delivered == Delivered::No => {
                write!(f, "{operation}: no connection within {limit} ms, so nothing was sent")
            }
            TimeoutKind::Request => write!(f, "{operation}: no response within {limit} ms"),
            TimeoutKind::Idle => write!(f, "{operation}: the response stalled for {limit} ms"),
            TimeoutKind::Total => write!(f, "{operation}: no success within {limit} ms, retries included"),
        }
    }
}

impl fmt::Display for AbortedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: aborted by the caller", self.operation)
    }
}

/// Writes the text of the contained error.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encode(error) => error.fmt(f),
            Self::Decode(error) => error.fmt(f),
            Self::TooLarge(error) => error.fmt(f),
            Self::Server(error) => error.fmt(f),
            Self::Transport(error) => error.fmt(f),
            Self::Timeout(error) => error.fmt(f),
            Self::Aborted(error) => error.fmt(f),
            Self::Closed(cause) => cause.fmt(f),
        }
    }
}

impl std::error::Error for EncodeError {}
impl std::error::Error for DecodeError {}
impl std::error::Error for TooLargeError {}
impl std::error::Error for ServerError {}
impl std::error::Error for TransportError {}
impl std::error::Error for TimeoutError {}
impl std::error::Error for AbortedError {}

impl std::error::Error for Error {
    /// Returns the contained error. Both errors have the same text, so print only one of them.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(match self {
            Self::Encode(error) => &**error,
            Self::Decode(error) => &**error,
            Self::TooLarge(error) => &**error,
            Self::Server(error) => &**error,
            Self::Transport(error) => &**error,
            Self::Timeout(error) => &**error,
            Self::Aborted(error) => &**error,
            Self::Closed(cause) => &**cause,
        })
    }
}

/// A place in a response that does not match its declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The path, such as `desktops[3].ram`; empty for the whole value.
    pub path: String,
    /// What was expected and what was found.
    pub problem: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Mismatch {}

impl Mismatch {
    /// Creates the mismatch of a value that has another type than expected. `expected` describes the type.
    #[must_use]
    pub fn new(expected: &str, found: &Value) -> Self {
        Self { path: String::new(), problem: format!("expected {expected}, found {}", describe(found)) }
    }

    /// Creates the mismatch of a missing value.
    #[must_use]
    pub fn missing(expected: &str) -> Self {
        Self { path: String::new(), problem: format!("expected {expected}, found nothing") }
    }

    /// Returns the same mismatch with the path from the object that contains the value in `field`.
    #[must_use]
    pub fn inside(mut self, field: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{field}{joint}{}", self.path);
        self
    }

    /// Returns the same mismatch with the path from the list that contains the value at `index`.
    #[must_use]
    pub fn at(mut self, index: usize) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("[{index}]{joint}{}", self.path);
        self
    }
}

/// Describes a value in an error message. Leaves out the text of a string, because it can be long or secret.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        // JSON allows numbers with a million digits.
        Value::Number(value) if value.as_str().len() <= 40 => value.as_str().to_owned(),
        Value::Number(_) => "a long number".to_owned(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn an_error_of_a_screen_has_the_message_of_its_record() {
        let error =
            Invalid { operation: "screen.key".into(), field: "key".into(), problem: "is required".into() };
        let error = Box::new(error);
        assert_eq!(error.message(), Error::from(error).to_string());
    }

    #[test]
    fn the_source_of_an_error_is_its_contained_struct() {
        let error = Error::Server(Box::new(ServerError { status: 429, ..ServerError::default() }));
        let source = error.source().and_then(|source| source.downcast_ref::<ServerError>());
        assert_eq!(source.map(|error| error.status), Some(429));
        let error = Error::Closed(Box::new(CloseCause::new(crate::channel::CloseReason::Normal, "")));
        assert!(error.source().is_some_and(<dyn std::error::Error>::is::<CloseCause>));
    }
}
