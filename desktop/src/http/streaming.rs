//! Streams a computer to an RTMP connection from the server's configuration.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{ApiError, App, Body};
use crate::computer::Phase;
use crate::doctor;
use crate::stream::{ConnectionsError, StartError, Status};

use super::target::{Live, Target};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/computers/{id}/stream/start", post(start))
        .route("/computers/{id}/stream/status", get(status))
        .route("/computers/{id}/stream/stop", post(stop))
}

#[derive(Debug, Deserialize)]
pub(super) struct Start {
    connection_name: String,
}

async fn start(
    State(app): State<Arc<App>>,
    Live(machine): Live,
    Body(Start { connection_name }): Body<Start>,
) -> Result<Json<Value>, ApiError> {
    let connection = app.connections.read(&connection_name)?;
    let status = machine.start_stream(connection).await?;
    let mut response = describe(&status);
    response["success"] = true.into();
    Ok(Json(response))
}

/// Returns the status of the stream. The status is `idle` if the computer does not run.
async fn status(State(app): State<Arc<App>>, Target(computer): Target) -> Result<Json<Value>, ApiError> {
    let status = match app.fleet.phase(&computer) {
        Phase::Running(machine) => machine.broadcast().status().await,
        _ => Status::Idle,
    };
    Ok(Json(describe(&status)))
}

async fn stop(State(app): State<Arc<App>>, Target(computer): Target) -> Result<Json<Value>, ApiError> {
    let stopped = match app.fleet.phase(&computer) {
        Phase::Running(machine) => machine.broadcast().stop().await,
        _ => false,
    };
    Ok(Json(if stopped {
        json!({ "success": true, "message": "The stream was stopped" })
    } else {
        json!({ "success": false, "error": "No active stream to stop" })
    }))
}

fn describe(status: &Status) -> Value {
    match status {
        Status::Idle => json!({ "status": "idle" }),
        Status::Streaming { pid, start_time } => {
            json!({ "status": "streaming", "pid": pid, "start_time": start_time })
        }
        Status::Terminated { message } => json!({ "status": "terminated", "message": message }),
    }
}

impl From<ConnectionsError> for ApiError {
    fn from(error: ConnectionsError) -> Self {
        match error {
            ConnectionsError::Unknown { .. } => {
                Self::new(StatusCode::NOT_FOUND, format!("connection_name: {error}"))
                    .with("code", "connection_not_found")
            }
            ConnectionsError::File { .. } => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).with("code", "bad_settings")
            }
        }
    }
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::AlreadyStreaming => {
                Self::new(StatusCode::CONFLICT, error.to_string()).with("code", "already_streaming")
            }
            StartError::NoEncoder => {
                let message = format!("{error}. Install it with: {}", doctor::install_command("ffmpeg"));
                Self::new(StatusCode::SERVICE_UNAVAILABLE, message).with("code", "host_not_ready")
            }
            StartError::Encoder(error) => error.into(),
            StartError::Refused(_) => {
                Self::new(StatusCode::BAD_GATEWAY, error.to_string()).with("code", "stream_failed")
            }
        }
    }
}
