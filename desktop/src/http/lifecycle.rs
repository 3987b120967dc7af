//! Starting, stopping and restarting a computer. The facts disagree on calls in the wrong state; here they succeed.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{ApiError, App, Options};
use crate::computer::{Phase, Settings};

use super::base::Base;
use super::computers::describe;
use super::target::Target;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/computers/{id}/start", post(start))
        .route("/computers/{id}/stop", post(stop))
        .route("/computers/{id}/restart", post(restart))
        .route("/computers/{id}/ensure-running", post(ensure_running))
}

/// The query of `start` and `restart`, which only this server knows.
#[derive(Debug, Deserialize)]
struct Manner {
    /// Of the desktop: `system` leaves out those in the home.
    settings: Option<Settings>,
}

async fn start(
    State(app): State<Arc<App>>,
    Target(computer): Target,
    Options(manner): Options<Manner>,
) -> Result<Json<Value>, ApiError> {
    Ok(accepted(&app.fleet.start(&computer, manner.settings).await?))
}

async fn stop(State(app): State<Arc<App>>, Target(computer): Target) -> Result<Json<Value>, ApiError> {
    Ok(accepted(&app.fleet.stop(&computer).await?))
}

async fn restart(
    State(app): State<Arc<App>>,
    Target(computer): Target,
    Options(manner): Options<Manner>,
) -> Result<Json<Value>, ApiError> {
    Ok(accepted(&app.fleet.restart(&computer, manner.settings).await?))
}

/// A later generation's call: answers the computer, once it runs.
async fn ensure_running(
    State(app): State<Arc<App>>,
    base: Base,
    Target(computer): Target,
) -> Result<Json<Value>, ApiError> {
    app.fleet.start(&computer, None).await?;
    app.fleet.machine(&computer).await.ok_or_else(ApiError::not_running)?;
    let workspace = app.store.workspace(&computer.spec.workspace_id)?;
    let workspace = workspace.ok_or_else(|| ApiError::not_found("Computer"))?;
    Ok(Json(describe(&computer, &workspace.name, &app.fleet.phase(&computer), &base).await))
}

fn accepted(phase: &Phase) -> Json<Value> {
    Json(json!({ "success": true, "status": phase.status() }))
}
