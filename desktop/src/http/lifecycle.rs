//! The calls that start, stop and restart computers. The API documentation is inconsistent about a call in the wrong
//! state, such as `start` for a running computer; this server reports success.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{ApiError, App, QueryParams};
use crate::computer::{Phase, Settings};

use super::base::BaseUrl;
use super::computers::describe;
use super::target::Target;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/computers/{id}/start", post(start))
        .route("/computers/{id}/stop", post(stop))
        .route("/computers/{id}/restart", post(restart))
        .route("/computers/{id}/ensure-running", post(ensure_running))
}

/// The query parameters of `start` and `restart`, an extension of this server.
#[derive(Debug, Deserialize)]
struct StartParams {
    /// The desktop settings to use. `system` ignores the settings in the home.
    settings: Option<Settings>,
}

async fn start(
    State(app): State<Arc<App>>,
    Target(computer): Target,
    QueryParams(params): QueryParams<StartParams>,
) -> Result<Json<Value>, ApiError> {
    Ok(accepted(&app.fleet.start(&computer, params.settings).await?))
}

async fn stop(State(app): State<Arc<App>>, Target(computer): Target) -> Result<Json<Value>, ApiError> {
    Ok(accepted(&app.fleet.stop(&computer).await?))
}

async fn restart(
    State(app): State<Arc<App>>,
    Target(computer): Target,
    QueryParams(params): QueryParams<StartParams>,
) -> Result<Json<Value>, ApiError> {
    Ok(accepted(&app.fleet.restart(&computer, params.settings).await?))
}

/// Starts the computer and returns it when it runs. Only the newer API version has this call.
async fn ensure_running(
    State(app): State<Arc<App>>,
    base: BaseUrl,
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
