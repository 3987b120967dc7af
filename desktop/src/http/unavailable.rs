//! Calls of the protocol that this server does not offer: files and RTMP streaming.

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use super::App;
use super::error::ApiError;
use super::target::Target;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/files", get(files))
        .route("/files/upload", post(files))
        .route("/files/export", post(files))
        .route("/files/download", get(files))
        .route("/files/delete", delete(files))
        .route("/computers/{id}/stream/start", post(streaming))
        .route("/computers/{id}/stream/status", get(streaming))
        .route("/computers/{id}/stream/stop", post(streaming))
}

async fn files() -> ApiError {
    ApiError::not_implemented("This server does not keep files; the bash call reads and writes them")
}

async fn streaming(_: Target) -> ApiError {
    ApiError::not_implemented("This server does not stream to RTMP connections")
}
