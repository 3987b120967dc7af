//! Shell commands and Python code.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{ApiError, App, Body, optional_integer};
use crate::computer::Outcome;

use super::target::Live;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/computers/{id}/bash", post(bash)).route("/computers/{id}/exec", post(exec))
}

/// The time limits in seconds: the maximum, and the defaults of `bash` and `exec`.
const MAX_TIMEOUT: i32 = 300;
const BASH_TIMEOUT: i32 = 200;
const EXEC_TIMEOUT: i32 = 10;
/// The maximum size of one program argument in Linux, in bytes.
const MAX_COMMAND_BYTES: usize = 128 * 1024 - 1;

fn limit(timeout: Option<i32>, default: i32) -> Result<Duration, ApiError> {
    let seconds = timeout.unwrap_or(default);
    match u64::try_from(seconds) {
        Ok(limit) if (1..=MAX_TIMEOUT).contains(&seconds) => Ok(Duration::from_secs(limit)),
        _ => Err(ApiError::bad_request(format!("timeout: must be 1 to {MAX_TIMEOUT} seconds"))),
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Bash {
    command: String,
    #[serde(default, deserialize_with = "optional_integer")]
    timeout: Option<i32>,
}

async fn bash(
    Live(machine): Live,
    Body(Bash { command, timeout }): Body<Bash>,
) -> Result<Json<Value>, ApiError> {
    let limit = limit(timeout, BASH_TIMEOUT)?;
    if command.len() > MAX_COMMAND_BYTES || command.contains('\0') {
        return Err(ApiError::bad_request(format!(
            "command: must be at most {MAX_COMMAND_BYTES} bytes long and contain no NUL; put a longer command in a file"
        )));
    }
    // `--` prevents bash from parsing a command that starts with a dash as an option.
    let argv = vec!["bash".into(), "-c".into(), "--".into(), command.clone()];
    let transcript = machine.run(argv, limit).await?;
    match transcript.outcome {
        Outcome::Exited(exit) => Ok(Json(json!({
            "success": true,
            "action": "bash",
            "command": command,
            "output": transcript.output,
            "exit_code": exit.code,
        }))),
        Outcome::TimedOut => {
            let message =
                format!("timeout: the command ran longer than {} s and was stopped", limit.as_secs());
            Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, message)
                .with("code", "command_timeout")
                .with("upstream_status", StatusCode::REQUEST_TIMEOUT.as_u16())
                .with("output", transcript.output))
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Exec {
    code: String,
    #[serde(default, deserialize_with = "optional_integer")]
    timeout: Option<i32>,
}

async fn exec(
    Live(machine): Live,
    Body(Exec { code, timeout }): Body<Exec>,
) -> Result<Json<Value>, ApiError> {
    let outcome = machine.python(&code, limit(timeout, EXEC_TIMEOUT)?).await?;
    let mut response = json!({
        "success": outcome.failure.is_none(),
        "action": "exec",
        "output": outcome.output,
        "timeout": outcome.timed_out,
    });
    if outcome.without_user_site {
        let note =
            "The code ran without the packages in ~/.local/lib: a file there makes Python exit or hang";
        response["note"] = note.into();
    }
    if let Some(failure) = outcome.failure {
        response["error"] = failure.error.into();
        response["error_type"] = failure.error_type.into();
    }
    Ok(Json(response))
}
