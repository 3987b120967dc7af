//! The calls of workspaces, also available under the older path `/projects`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{ApiError, App, Body};
use crate::computer::FleetError;
use crate::store::{StoreError, WorkspaceRecord};

use super::base::BaseUrl;
use super::computers::describe as describe_computer;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/workspaces", get(list_workspaces).post(create))
        .route("/workspaces/{id}", get(show).delete(delete))
        .route("/projects", get(list_projects).post(create))
        .route("/projects/{id}", get(show).delete(delete))
        .route("/projects/{id}/delete", post(delete))
        .route("/projects/by-name/{name}", get(show_by_name))
}

#[derive(Debug, Deserialize)]
pub(super) struct NewWorkspace {
    name: String,
    icon_url: Option<String>,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    #[default]
    Active,
    Inactive,
}

async fn create(
    State(app): State<Arc<App>>,
    base: BaseUrl,
    Body(new): Body<NewWorkspace>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let name = new.name.trim();
    if name.is_empty() {
        return Err(ApiError::bad_request("name: must not be empty"));
    }
    let status = match new.status {
        Status::Active => "active",
        Status::Inactive => "inactive",
    };
    let workspace =
        app.store.create_workspace(name, status, new.icon_url.as_deref()).map_err(|error| match error {
            StoreError::NameTaken => {
                ApiError::bad_request(format!("name: a workspace named {name:?} already exists"))
            }
            other => other.into(),
        })?;
    Ok((StatusCode::CREATED, Json(describe(&app, &base, workspace).await?)))
}

async fn list_workspaces(State(app): State<Arc<App>>, base: BaseUrl) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({ "workspaces": list(&app, &base).await? })))
}

async fn list_projects(State(app): State<Arc<App>>, base: BaseUrl) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({ "projects": list(&app, &base).await? })))
}

async fn list(app: &App, base: &BaseUrl) -> Result<Vec<Value>, ApiError> {
    let mut list = Vec::new();
    for workspace in app.store.workspaces()? {
        list.push(describe(app, base, workspace).await?);
    }
    Ok(list)
}

async fn show(
    State(app): State<Arc<App>>,
    base: BaseUrl,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let workspace = app.store.workspace(&id)?.ok_or_else(|| ApiError::not_found("Workspace"))?;
    Ok(Json(describe(&app, &base, workspace).await?))
}

async fn show_by_name(
    State(app): State<Arc<App>>,
    base: BaseUrl,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let workspace = app.store.workspace_by_name(&name)?.ok_or_else(|| ApiError::not_found("Workspace"))?;
    Ok(Json(describe(&app, &base, workspace).await?))
}

async fn delete(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    if app.store.workspace(&id)?.is_none() {
        return Err(ApiError::not_found("Workspace"));
    }
    // If another request adds a file after this line, the next start of the server removes its content.
    let files = app.store.files(&id, None)?;
    // Retries, since another request may add a computer in the meantime.
    while !app.store.delete_workspace(&id)? && app.store.workspace(&id)?.is_some() {
        for computer in app.store.computers(Some(&id))? {
            match app.fleet.delete(&computer).await {
                Ok(()) | Err(FleetError::Gone) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    for file in files {
        app.contents.remove(&file.file.id).await?;
    }
    Ok(Json(json!({ "success": true })))
}

async fn describe(app: &App, base: &BaseUrl, workspace: WorkspaceRecord) -> Result<Value, ApiError> {
    let mut desktops = Vec::new();
    for computer in app.store.computers(Some(&workspace.id))? {
        let phase = app.fleet.phase(&computer);
        desktops.push(describe_computer(&computer, &workspace.name, &phase, base).await);
    }
    Ok(json!({
        "id": workspace.id,
        "name": workspace.name,
        "status": workspace.status,
        "icon_url": workspace.icon_url,
        "created_at": workspace.created_at,
        "updated_at": workspace.updated_at,
        "computer_count": desktops.len(),
        "desktops": desktops,
    }))
}
