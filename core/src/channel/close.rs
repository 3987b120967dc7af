//! The cause of the end of a channel, and the mapping from the close codes of every generation of the service.

use std::fmt;

use crate::encoding::json::{Value, serialize_as_json};
use crate::encoding::text::split_once;

/// The kind of cause. It does not depend on the close codes, which differ between the generations of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// This side closed the channel, or the server closed it with code 1000.
    Normal,
    /// The shell ended.
    Exit,
    /// The password or the API key was refused, even after a new password was fetched.
    Unauthorized,
    /// The computer does not exist or is not running. Some generations have one code for both.
    NotFound,
    /// The computer is not running.
    NotRunning,
    /// The credentials allow viewing only.
    ViewOnly,
    /// The server closed the channel after a long time without input.
    Idle,
    /// The shell or the capture could not be started.
    Failed,
    /// The server or the computer is going away.
    GoingAway,
    /// All attempts to reach the computer failed.
    Unreachable,
    /// The server refused the channel for another reason.
    Refused,
    /// The server or this side violated the protocol.
    Protocol,
    /// The consumer did not read the output, and the platform could not make the server wait or discarded the output.
    Overflow,
}

impl CloseReason {
    /// Every reason, in the order of the enum.
    pub const ALL: [Self; 13] = [
        Self::Normal,
        Self::Exit,
        Self::Unauthorized,
        Self::NotFound,
        Self::NotRunning,
        Self::ViewOnly,
        Self::Idle,
        Self::Failed,
        Self::GoingAway,
        Self::Unreachable,
        Self::Refused,
        Self::Protocol,
        Self::Overflow,
    ];

    /// Returns the name in JavaScript, such as `not_found`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Exit => "exit",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::NotRunning => "not_running",
            Self::ViewOnly => "view_only",
            Self::Idle => "idle",
            Self::Failed => "failed",
            Self::GoingAway => "going_away",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Protocol => "protocol",
            Self::Overflow => "overflow",
        }
    }

    /// Returns a short description in English.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Normal => "closed",
            Self::Exit => "the shell ended",
            Self::Unauthorized => "the password was refused",
            Self::NotFound => "there is no such computer, or it is not running",
            Self::NotRunning => "the computer is not running",
            Self::ViewOnly => "these credentials allow viewing only",
            Self::Idle => "closed by the server after a long time without input",
            Self::Failed => "the computer could not start the channel",
            Self::GoingAway => "the server or the computer is going away",
            Self::Unreachable => "the computer could not be reached",
            Self::Refused => "refused by the server",
            Self::Protocol => "broken protocol",
            Self::Overflow => "the output was not read",
        }
    }
}

/// Why a channel or a connection ended. `Display` writes the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseCause {
    /// The kind of cause.
    pub reason: CloseReason,
    /// The WebSocket close code, if there was one.
    pub code: Option<u16>,
    /// The complete message, with secrets masked.
    pub message: String,
    /// The number of bytes of terminal input that were accepted but may not have arrived. They are the last accepted
    /// bytes.
    pub unacknowledged: u64,
}

impl CloseCause {
    /// Creates a cause without a close code. The message is the description of the reason, followed by `detail` unless
    /// `detail` is empty.
    #[must_use]
    pub fn new(reason: CloseReason, detail: &str) -> Self {
        Self { reason, code: None, message: sentence(reason, detail), unacknowledged: 0 }
    }

    /// Returns the cause as the JSON that the bindings pass to JavaScript.
    #[must_use]
    pub fn to_json(&self) -> Value {
        Value::record([
            ("reason", self.reason.as_str().into()),
            ("code", self.code.map(u64::from).into()),
            ("message", self.message.as_str().into()),
            ("unacknowledged", Some(self.unacknowledged).filter(|&bytes| bytes > 0).into()),
        ])
    }
}

serialize_as_json!(CloseCause);

impl std::error::Error for CloseCause {}

impl fmt::Display for CloseCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

fn sentence(reason: CloseReason, detail: &str) -> String {
    let detail = detail.trim();
    if detail.is_empty() { reason.describe().to_owned() } else { format!("{}: {detail}", reason.describe()) }
}

/// How a channel continues after a close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recovery {
    /// The channel ends, because another attempt would fail in the same way.
    End,
    /// The channel reconnects.
    Reconnect,
    /// The channel reconnects if it was open before, because a restarting computer looks like a missing computer.
    ReconnectIfOpened,
    /// The channel requests a new password once.
    Refresh,
}

/// Returns whether a close frame may contain the code (RFC 6455 section 7.4). Browsers report the close as 1006 if a server
/// sends another code.
fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Maps a close frame to a cause and a recovery. Codes 4401, 4404 and 4500 come from the channels. The other codes from
/// 4000 on come from the proxy in front of the channels. `error_message` is a recent error message from the server,
/// which may not fit into the 123 bytes of a close frame.
pub(super) fn classify_close(code: u16, text: &str, error_message: &str) -> (CloseCause, Recovery) {
    use CloseReason as R;
    use Recovery::{End, Reconnect, ReconnectIfOpened, Refresh};
    let (code, text) = match code {
        1005 | 1006 | 1015 => (code, text),
        _ if is_sendable(code) => (code, text),
        _ => (1006, ""),
    };
    let (reason, recovery) = match code {
        1000 => (R::Normal, End),
        1001 => (R::GoingAway, Reconnect),
        1002 | 1003 | 1007 | 1009 | 1010 => (R::Protocol, End),
        1008 | 4000 | 4010 | 4012 => (R::Refused, End),
        4001 | 4401 => (R::Unauthorized, Refresh),
        // Other clients retry after this code. Here a channel to a stopped computer fails at once, unless it was open
        // before.
        4003 => (R::NotRunning, ReconnectIfOpened),
        4004 => (R::NotFound, End),
        4006 | 4007 => (R::Unauthorized, End),
        4008 => (R::Idle, End),
        4011 => (R::ViewOnly, End),
        4404 => (R::NotFound, ReconnectIfOpened),
        4500 => (R::Failed, End),
        _ => (R::Unreachable, Reconnect),
    };
    let detail = match code {
        // A browser or a socket library sets these codes; there was no close frame.
        1005 | 1006 | 1015 if text.is_empty() => "the connection was lost".to_owned(),
        _ if text.is_empty() => format!("close code {code}"),
        _ => format!("close code {code}, {text}"),
    };
    let detail = match error_message.trim() {
        // An earlier error message is not the cause of these closes.
        _ if matches!(reason, R::Normal | R::GoingAway | R::Idle) => detail,
        "" => detail,
        error_message if split_once(text, error_message).is_some() => detail,
        error_message => format!("{detail}: {error_message}"),
    };
    let message = if code == 1000 { sentence(reason, text) } else { sentence(reason, &detail) };
    (CloseCause { reason, code: Some(code), message, unacknowledged: 0 }, recovery)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_no_close_frame_may_contain_is_a_lost_connection() {
        let lost = classify_close(1006, "", "").0;
        for code in [0, 999, 1004, 1016, 2999, 5000, u16::MAX] {
            assert_eq!(classify_close(code, "text", ""), (lost.clone(), Recovery::Reconnect), "{code}");
        }
        for code in [1011, 1014, 3000, 4999] {
            assert_eq!(classify_close(code, "text", "").0.code, Some(code));
        }
    }
}
