//! The calls to upload, list, export, link and delete files, at the paths of the current and of the older API version.

mod disposition;
mod upload;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::routing::{delete as delete_route, get, post};
use axum::{Json, Router};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use uuid::Uuid;

use crate::app::{ApiError, App, Body, QueryParams};
use crate::store::{FileRecord, NewFile, Source};

use self::upload::Upload;
use super::base::BaseUrl;
use super::storage;
use super::target::{Live, Target};

/// The maximum size of an exported file, in bytes.
const MAX_EXPORT_BYTES: u64 = 1024 * 1024 * 1024;

/// The characters of a path that are percent-encoded: all except the unreserved ones.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/files", get(list))
        .route("/files/upload", post(upload))
        .route("/files/export", post(export))
        .route("/files/download", get(download))
        .route("/files/delete", delete_route(delete))
        .route("/computers/{id}/files", get(list_of_computer))
        .route("/computers/{id}/files/upload", post(upload_to_computer))
        .route("/files/{id}/download", get(download_by_path))
        .route("/files/{id}", delete_route(delete_by_path))
        // `Upload` enforces its own limit. Its error contains the limit.
        .layer(DefaultBodyLimit::disable())
}

async fn upload(State(app): State<Arc<App>>, upload: Upload) -> Result<Json<Value>, ApiError> {
    let workspace_id =
        upload.workspace_id.clone().ok_or_else(|| ApiError::bad_request("projectId is required"))?;
    if app.store.workspace(&workspace_id)?.is_none() {
        return Err(ApiError::not_found("Workspace"));
    }
    let computer = match &upload.computer_id {
        Some(id) => Some(app.store.computer(id)?.ok_or_else(|| ApiError::not_found("Computer"))?),
        None => None,
    };
    if computer.as_ref().is_some_and(|computer| computer.spec.workspace_id != workspace_id) {
        return Err(ApiError::bad_request("desktopId: the computer is not in the workspace of projectId"));
    }
    let computer_id = computer.map(|computer| computer.id);
    store_upload(&app, upload, workspace_id, computer_id).await
}

async fn upload_to_computer(
    State(app): State<Arc<App>>,
    Target(computer): Target,
    upload: Upload,
) -> Result<Json<Value>, ApiError> {
    store_upload(&app, upload, computer.spec.workspace_id, Some(computer.id)).await
}

/// Stores an upload, and delivers it to its computer if the computer runs.
async fn store_upload(
    app: &App,
    upload: Upload,
    workspace_id: String,
    computer_id: Option<String>,
) -> Result<Json<Value>, ApiError> {
    let id = Uuid::new_v4().to_string();
    let file = NewFile {
        id: id.clone(),
        workspace_id,
        computer_id,
        filename: upload.filename,
        size_bytes: upload.content.length(),
        content_type: upload.content_type,
        source: Source::Upload,
    };
    upload.content.commit(&app.contents, &id).await?;
    let record = add_record(app, file).await?;
    if let Some(computer_id) = &record.file.computer_id
        && let Some(computer) = app.store.computer(computer_id)?
    {
        app.fleet.deliver(&computer).await;
    }
    // Another request may have deleted the record in the meantime.
    let record = app.store.file(&id)?.unwrap_or(record);
    Ok(Json(json!({ "file": describe(&record) })))
}

/// Inserts the record of stored content. Removes the content if this fails.
async fn add_record(app: &App, file: NewFile) -> Result<FileRecord, ApiError> {
    match app.store.add_file(&file) {
        Ok(record) => Ok(record),
        Err(error) => {
            app.contents.remove(&file.id).await?;
            Err(error.into())
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListParams {
    project_id: Option<String>,
    desktop_id: Option<String>,
}

async fn list(
    State(app): State<Arc<App>>,
    QueryParams(params): QueryParams<ListParams>,
) -> Result<Json<Value>, ApiError> {
    let workspace = params.project_id.ok_or_else(|| ApiError::bad_request("projectId is required"))?;
    if app.store.workspace(&workspace)?.is_none() {
        return Err(ApiError::not_found("Workspace"));
    }
    let computer = match params.desktop_id {
        Some(id) => Some(app.store.computer(&id)?.ok_or_else(|| ApiError::not_found("Computer"))?.id),
        None => None,
    };
    describe_all(&app.store.files(&workspace, computer.as_deref())?)
}

async fn list_of_computer(
    State(app): State<Arc<App>>,
    Target(computer): Target,
) -> Result<Json<Value>, ApiError> {
    describe_all(&app.store.files(&computer.spec.workspace_id, Some(&computer.id))?)
}

fn describe_all(files: &[FileRecord]) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({ "files": files.iter().map(describe).collect::<Vec<_>>() })))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Export {
    desktop_id: String,
    path: String,
}

async fn export(
    State(app): State<Arc<App>>,
    base: BaseUrl,
    Body(Export { desktop_id, path }): Body<Export>,
) -> Result<Json<Value>, ApiError> {
    let computer = app.store.computer(&desktop_id)?.ok_or_else(|| ApiError::not_found("Computer"))?;
    let Live(machine) = Live::of(&app, &computer).await?;
    if path.contains('\0') {
        return Err(ApiError::bad_request("path: must not contain NUL"));
    }
    let filename = upload::file_name(&path);
    let source = machine.agent().open_file(path).await?;
    // Refuses a file that is too large before it is copied. The copy checks the size again, since the file may grow.
    if source.metadata()?.len() > MAX_EXPORT_BYTES {
        return Err(too_large());
    }
    let mut source = tokio::fs::File::from_std(source).take(MAX_EXPORT_BYTES + 1);
    let mut content = app.contents.create()?;
    let mut chunk = vec![0; 256 * 1024];
    loop {
        match source.read(&mut chunk).await? {
            0 => break,
            length => content.write(&chunk[..length]).await?,
        }
    }
    if content.length() > MAX_EXPORT_BYTES {
        return Err(too_large());
    }
    let filename = filename.map_err(|problem| ApiError::bad_request(format!("path: {problem}")))?;
    let file = NewFile {
        id: Uuid::new_v4().to_string(),
        workspace_id: computer.spec.workspace_id,
        computer_id: Some(computer.id),
        content_type: upload::mime_type_of(&filename),
        filename,
        size_bytes: content.length(),
        source: Source::Export,
    };
    content.commit(&app.contents, &file.id).await?;
    let record = add_record(&app, file).await?;
    let url = url(&app, &base, &record);
    Ok(Json(json!({ "success": true, "file": describe(&record), "url": url })))
}

fn too_large() -> ApiError {
    let message = format!("path: the file is larger than {} MiB", MAX_EXPORT_BYTES >> 20);
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message).with("code", "file_too_large")
}

#[derive(Debug, Deserialize)]
struct IdParam {
    id: Option<String>,
}

impl IdParam {
    fn id(self) -> Result<String, ApiError> {
        self.id.ok_or_else(|| ApiError::bad_request("id is required"))
    }
}

async fn download(
    State(app): State<Arc<App>>,
    base: BaseUrl,
    QueryParams(param): QueryParams<IdParam>,
) -> Result<Json<Value>, ApiError> {
    link(&app, &base, &param.id()?)
}

async fn download_by_path(
    State(app): State<Arc<App>>,
    base: BaseUrl,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    link(&app, &base, &id)
}

fn link(app: &App, base: &BaseUrl, id: &str) -> Result<Json<Value>, ApiError> {
    let record = app.store.file(id)?.ok_or_else(|| ApiError::not_found("File"))?;
    Ok(Json(json!({ "url": url(app, base, &record) })))
}

async fn delete(
    State(app): State<Arc<App>>,
    QueryParams(param): QueryParams<IdParam>,
) -> Result<Json<Value>, ApiError> {
    remove(&app, &param.id()?).await
}

async fn delete_by_path(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    remove(&app, &id).await
}

async fn remove(app: &App, id: &str) -> Result<Json<Value>, ApiError> {
    if !app.store.delete_file(id)? {
        return Err(ApiError::not_found("File"));
    }
    app.contents.remove(id).await?;
    Ok(Json(json!({ "success": true })))
}

fn url(app: &App, base: &BaseUrl, record: &FileRecord) -> String {
    let (path, query) = storage::link_to_file(app, &record.file.id);
    format!("{}{path}/{}?{query}", base.as_str(), utf8_percent_encode(&record.file.filename, ENCODED))
}

/// Returns the JSON of a file, with the fields that clients of all API versions expect.
fn describe(record: &FileRecord) -> Value {
    let file = &record.file;
    let delivered = (file.source == Source::Upload && file.computer_id.is_some()).then_some(record.delivered);
    json!({
        "id": file.id,
        "filename": file.filename,
        "size_bytes": file.size_bytes,
        "content_type": file.content_type,
        "source": file.source.name(),
        "project_id": file.workspace_id,
        "desktop_id": file.computer_id,
        "created_at": record.created_at,
        "delivered": delivered,
        "delivery_error": record.delivery_error,
    })
}
