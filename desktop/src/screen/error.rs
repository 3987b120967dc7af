use x11rb::errors::{ConnectError, ConnectionError, IdsExhausted, ParseError, ReplyError, ReplyOrIdError};

use super::screenshot::MAX_SIZE;

/// Why a screen did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScreenError {
    /// The caller's value cannot be acted on; nothing was sent to the screen.
    #[error("{field}: {message}")]
    BadInput {
        /// Name of the offending parameter as the API spells it (`x`, `start_y`, `key`, ...).
        field: &'static str,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The X server is gone or has stopped answering. The next call tries to reach it anew.
    #[error("the X server does not answer: {0}")]
    Lost(String),
    /// As [`Self::Lost`], in the middle of an action, which may have had a part of its effect or all of it.
    #[error("the X server stopped answering: {0}")]
    BrokenOff(String),
    /// The X server lacks an extension or uses a pixel layout that this module cannot read.
    #[error("the X server does not offer {0}")]
    Unsupported(String),
    /// The screen has too many pixels for one capture.
    #[error(
        "the screen is {width}x{height}, larger than {0}x{1}, the largest size that can be captured; make it smaller",
        MAX_SIZE.0,
        MAX_SIZE.1
    )]
    TooLarge { width: u16, height: u16 },
    /// The X server answered a request with an error.
    #[error("the X server refused a request: {0}")]
    Refused(String),
    /// Whoever asked has gone, or the computer stops; what was held down is up again.
    #[error("given up, since nobody waits for it any more")]
    Abandoned,
    /// A captured picture could not be encoded.
    #[error("the screenshot could not be encoded: {0}")]
    Encode(String),
}

impl ScreenError {
    pub(super) fn bad_input(field: &'static str, message: impl Into<String>) -> Self {
        Self::BadInput { field, message: message.into() }
    }

    /// The same error, of an action that may have begun.
    pub(super) fn of_action(self) -> Self {
        match self {
            Self::Lost(reason) => Self::BrokenOff(reason),
            other => other,
        }
    }
}

impl From<std::io::Error> for ScreenError {
    fn from(error: std::io::Error) -> Self {
        Self::Lost(error.to_string())
    }
}

impl From<ConnectError> for ScreenError {
    fn from(error: ConnectError) -> Self {
        match error {
            // The reason is text from the X server, which must not get into a log.
            ConnectError::SetupFailed(_) | ConnectError::SetupAuthenticate(_) => {
                Self::Lost("it refused the connection".to_owned())
            }
            other => Self::Lost(other.to_string()),
        }
    }
}

impl From<ConnectionError> for ScreenError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::UnsupportedExtension => Self::Unsupported("a required extension".to_owned()),
            ConnectionError::MaximumRequestLengthExceeded => Self::Refused(error.to_string()),
            // Whatever else goes wrong leaves the byte stream in doubt, so the connection is given up.
            other => Self::Lost(other.to_string()),
        }
    }
}

impl From<ParseError> for ScreenError {
    fn from(error: ParseError) -> Self {
        Self::Lost(error.to_string())
    }
}

impl From<IdsExhausted> for ScreenError {
    fn from(error: IdsExhausted) -> Self {
        Self::Lost(error.to_string())
    }
}

impl From<ReplyError> for ScreenError {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::ConnectionError(error) => error.into(),
            ReplyError::X11Error(error) => Self::Refused(format!(
                "{:?} from {}",
                error.error_kind,
                error.request_name.unwrap_or("an unknown request")
            )),
        }
    }
}

impl From<ReplyOrIdError> for ScreenError {
    fn from(error: ReplyOrIdError) -> Self {
        match error {
            ReplyOrIdError::IdsExhausted => IdsExhausted.into(),
            ReplyOrIdError::ConnectionError(error) => error.into(),
            ReplyOrIdError::X11Error(error) => ReplyError::X11Error(error).into(),
        }
    }
}
