//! The errors of screen operations.

use x11rb::errors::{ConnectError, ConnectionError, IdsExhausted, ParseError, ReplyError, ReplyOrIdError};

use crate::screen::capture::MAX_SIZE;

/// The reason why a screen operation failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScreenError {
    /// A parameter is invalid. The action had no effect.
    #[error("{field}: {message}")]
    BadInput {
        /// The name of the parameter in the API, for example `start_y`.
        field: &'static str,
        /// A description of the problem and of the valid values.
        message: String,
    },
    /// The X server has ended, does not respond, or violates the protocol. The next call reconnects.
    #[error("the X server is not available: {0}")]
    Lost(String),
    /// The same as [`Self::Lost`], but during an action. The action may have been executed partly or completely.
    #[error("the X server failed during the action: {0}")]
    Interrupted(String),
    /// The X server does not have a required feature, for example an extension or a pixel layout.
    #[error("the X server does not support {0}")]
    Unsupported(String),
    /// The screen is too large for a screenshot.
    #[error(
        "the screen is {width}x{height}, larger than {0}x{1}, the largest size for a screenshot; make it smaller",
        MAX_SIZE.0,
        MAX_SIZE.1
    )]
    TooLarge { width: u16, height: u16 },
    /// The X server responded to a request with an X11 error.
    #[error("the X server reported an error: {0}")]
    XError(String),
    /// The caller has canceled the action, or the computer is stopping. Pressed keys and buttons have been released.
    #[error("the action was canceled")]
    Canceled,
    /// A captured image could not be encoded.
    #[error("the screenshot could not be encoded: {0}")]
    Encode(String),
}

impl ScreenError {
    pub(super) fn bad_input(field: &'static str, message: impl Into<String>) -> Self {
        Self::BadInput { field, message: message.into() }
    }

    /// Converts the error of an action that may already have started.
    pub(super) fn during_action(self) -> Self {
        match self {
            Self::Lost(reason) => Self::Interrupted(reason),
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
            // Omits the reason, because it is text from the X server, which must not appear in a log.
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
            ConnectionError::MaximumRequestLengthExceeded => Self::XError(error.to_string()),
            // After any other error, the position in the byte stream is unknown.
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
            ReplyError::X11Error(error) => Self::XError(format!(
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
