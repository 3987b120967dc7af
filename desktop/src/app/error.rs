//! Errors in the documented shape: `{error, request_id, code?, upstream_status?}`.

use std::io;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::agent::{AgentError, FileError, Refusal};
use crate::computer::{CommandError, FleetError, HOME};
use crate::screen::ScreenError;
use crate::store::StoreError;

/// An error response.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    extra: Map<String, Value>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), extra: Map::new() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Returns a 404 error. `what` is the kind of the missing object, as the API documentation names it: `Computer`,
    /// `Workspace`.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// Returns the error for a computer that exists but does not run.
    pub(crate) fn not_running() -> Self {
        Self::bad_request("Desktop instance not available: start the computer first")
            .with("code", "not_running")
    }

    pub(crate) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(field.into(), value.into());
        self
    }

    /// Returns an error that the computer caused, not this server.
    fn upstream(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, message).with("upstream_status", status.as_u16())
    }

    pub(crate) fn disk_full() -> Self {
        tracing::error!("the disk of the data folder is full");
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "The server's disk is full").with("code", "disk_full")
    }

    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!("request failed: {error}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal server error; the server's log contains the cause",
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = self.extra;
        body.insert("error".into(), self.message.into());
        body.insert("request_id".into(), Uuid::new_v4().to_string().into());
        (self.status, Json(Value::Object(body))).into_response()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoWorkspace => Self::not_found("Workspace"),
            StoreError::NameTaken => Self::new(StatusCode::CONFLICT, "The name already exists"),
            StoreError::DiskFull => Self::disk_full(),
            StoreError::NewerSchema(_) | StoreError::Database(_) => Self::internal(error),
        }
    }
}

impl From<FleetError> for ApiError {
    fn from(error: FleetError) -> Self {
        match error {
            FleetError::Gone => Self::not_found("Computer"),
            FleetError::ShuttingDown => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "The server is shutting down")
            }
            FleetError::Store(error) => error.into(),
            FleetError::Files(error) => error.into(),
            FleetError::Randomness(_) => Self::internal(error),
        }
    }
}

impl From<ScreenError> for ApiError {
    fn from(error: ScreenError) -> Self {
        match error {
            ScreenError::BadInput { .. } => Self::bad_request(error.to_string()),
            ScreenError::Lost(_) => Self::unreachable(&error),
            ScreenError::Interrupted(_) => Self::interrupted(&error),
            // The computer is stopping. The other cause, a client that disconnected, needs no response.
            ScreenError::Canceled => Self::not_running(),
            other => Self::upstream(StatusCode::INTERNAL_SERVER_ERROR, other.to_string()),
        }
    }
}

impl From<AgentError> for ApiError {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::NotStarted(_) | AgentError::Exhausted(_) => {
                Self::upstream(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
            }
            AgentError::Lost(_) => Self::unreachable(&error),
        }
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Agent(error) => error.into(),
            CommandError::Output(_) => Self::upstream(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }
}

impl From<FileError> for ApiError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Refused(Refusal::NotFound) => Self::not_found("File"),
            FileError::Refused(Refusal::OutsideHome) => {
                Self::new(StatusCode::FORBIDDEN, format!("path: must be in {HOME}"))
            }
            FileError::Refused(refusal @ Refusal::NotAFile) => Self::bad_request(format!(
                "path: {refusal}; to export a folder, pack it into an archive first"
            )),
            FileError::Refused(refusal @ Refusal::NotReadable) => Self::new(
                StatusCode::FORBIDDEN,
                format!("path: {refusal}; change its permissions or those of the folders above it"),
            )
            .with("code", "file_not_readable"),
            FileError::Refused(refusal @ Refusal::Failed(_)) => {
                Self::upstream(StatusCode::INTERNAL_SERVER_ERROR, refusal.to_string())
            }
            FileError::Lost(error) => Self::unreachable(&error),
        }
    }
}

/// I/O errors of the server's own files.
impl From<io::Error> for ApiError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::disk_full(),
            _ => Self::internal(error),
        }
    }
}

impl ApiError {
    fn unreachable(error: &impl std::fmt::Display) -> Self {
        tracing::warn!("computer is not reachable: {error}");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Could not reach the desktop. Try again in a moment.")
    }

    fn interrupted(error: &impl std::fmt::Display) -> Self {
        tracing::warn!("connection to a computer was lost during an action: {error}");
        let message = "Could not reach the desktop during the action. The action may have run in part: check the screen before you retry.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }
}
