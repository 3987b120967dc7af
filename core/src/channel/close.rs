//! Why a channel ended, in one set of causes for the close codes of every generation.

use std::fmt;

use crate::encoding::json::{Value, serialize_as_json};
use crate::encoding::text::split_once;

/// The cause, whatever the generation's code for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseReason {
    /// Closed by this side, or by the server in the normal way.
    Normal,
    /// The shell ended.
    Exit,
    /// The password or the key was refused, also after a fresh one.
    Unauthorized,
    /// There is no such computer, or it does not run: some generations have one code for both.
    NotFound,
    /// The computer does not run.
    NotRunning,
    /// The credentials allow to look, not to use this channel.
    ViewOnly,
    /// The server closed it after a long time without input.
    Idle,
    /// The shell or the capture could not be started.
    Failed,
    /// The server or the computer is going away.
    GoingAway,
    /// The computer could not be reached, after every try.
    Unreachable,
    /// The server refused for another reason.
    Refused,
    /// The server broke the rules of the protocol, or says that we did.
    Protocol,
    /// Nobody took the output and the platform could not make the server wait.
    Overflow,
}

impl CloseReason {
    /// Every reason by its name, in the order of the enum.
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

    /// Its name in JavaScript.
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

    /// What it means, in a few words.
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

/// Why a channel ended, with what the wire said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseCause {
    /// The cause.
    pub reason: CloseReason,
    /// The close code, if the end came as one.
    pub code: Option<u16>,
    /// The whole sentence.
    pub message: String,
    /// Bytes of a terminal's input that were accepted and may not have arrived: the last ones before the end.
    pub unacknowledged: u64,
}

impl CloseCause {
    /// A cause that did not come as a close code. `detail` is added to its description; it may be empty.
    #[must_use]
    pub fn new(reason: CloseReason, detail: &str) -> Self {
        Self { reason, code: None, message: sentence(reason, detail), unacknowledged: 0 }
    }

    /// The cause as the bindings hand it to JavaScript.
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

/// What to do after a close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recovery {
    /// Nothing: a new try would end in the same way.
    End,
    /// Dial again.
    Reconnect,
    /// Dial again if this channel was open before: a computer that restarts looks like one that is not there.
    ReconnectIfOpened,
    /// Ask for a fresh password once.
    Refresh,
}

/// Judges a close frame. Codes from 4000: the channels' documentation has 4401, 4404 and 4500 (G3), the proxy in
/// front of them the others (VNC-0.3, BOPS). `words` are what the server said of a problem just before; a close frame has
/// room for 123 bytes only.
pub(super) fn classify_close(code: u16, text: &str, words: &str) -> (CloseCause, Recovery) {
    use CloseReason as R;
    use Recovery::{End, Reconnect, ReconnectIfOpened, Refresh};
    let (reason, recovery) = match code {
        1000 => (R::Normal, End),
        1001 => (R::GoingAway, Reconnect),
        1002 | 1003 | 1007 | 1009 | 1010 => (R::Protocol, End),
        1008 | 4000 | 4010 | 4012 => (R::Refused, End),
        4001 | 4401 => (R::Unauthorized, Refresh),
        // The viewer calls it retryable. Who opens a channel to a stopped computer is told at once all the same.
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
        // Codes that a browser or a socket library makes up: nothing was on the wire.
        1005 | 1006 | 1015 if text.is_empty() => "the connection was lost".to_owned(),
        _ if text.is_empty() => format!("close code {code}"),
        _ => format!("close code {code}, {text}"),
    };
    let detail = match words.trim() {
        // These ends have nothing to do with an earlier problem.
        _ if matches!(reason, R::Normal | R::GoingAway | R::Idle) => detail,
        "" => detail,
        words if split_once(text, words).is_some() => detail,
        words => format!("{detail}: {words}"),
    };
    let message = if code == 1000 { sentence(reason, text) } else { sentence(reason, &detail) };
    (CloseCause { reason, code: Some(code), message, unacknowledged: 0 }, recovery)
}
