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

const LONGEST: i32 = 300;
const BASH_DEFAULT: i32 = 200;
const EXEC_DEFAULT: i32 = 10;
/// Linux takes no longer text as one argument of a program.
const LONGEST_COMMAND: usize = 128 * 1024 - 1;

fn limit(timeout: Option<i32>, default: i32) -> Result<Duration, ApiError> {
    let seconds = timeout.unwrap_or(default);
    match u64::try_from(seconds) {
        Ok(limit) if (1..=LONGEST).contains(&seconds) => Ok(Duration::from_secs(limit)),
        _ => Err(ApiError::bad_request(format!("timeout: must be 1 to {LONGEST} seconds"))),
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
    let limit = limit(timeout, BASH_DEFAULT)?;
    if command.len() > LONGEST_COMMAND || command.contains('\0') {
        return Err(ApiError::bad_request(format!(
            "command: must be at most {LONGEST_COMMAND} bytes long, without NUL; put a longer one in a file"
        )));
    }
    // After `--` a command that begins with a dash is none of bash's own options.
    let argv = vec!["bash".into(), "-c".into(), "--".into(), command.clone()];
    let transcript = machine.run(argv, limit).await?;
    match transcript.outcome {
        Outcome::Exited(end) => Ok(Json(json!({
            "success": true,
            "action": "bash",
            "command": command,
            "output": transcript.output,
            "exit_code": end.code,
        }))),
        Outcome::TimedOut => {
            let message = format!("timeout: the command ran longer than {} s and was ended", limit.as_secs());
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
    let outcome = machine.python(&code, limit(timeout, EXEC_DEFAULT)?).await?;
    let mut answer = json!({
        "success": outcome.failure.is_none(),
        "action": "exec",
        "output": outcome.output,
        "timeout": outcome.timed_out,
    });
    if outcome.without_user_site {
        let note =
            "The code ran without the packages in ~/.local/lib: a file there ends Python, or holds it up";
        answer["note"] = note.into();
    }
    if let Some(failure) = outcome.failure {
        answer["error"] = failure.error.into();
        answer["error_type"] = failure.error_type.into();
    }
    Ok(Json(answer))
}
