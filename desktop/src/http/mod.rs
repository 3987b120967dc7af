//! The HTTP server: REST calls and signed links under `/api`, the WebSocket channels, and `/health`.

mod actions;
mod base;
mod commands;
mod computers;
mod direct;
mod files;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod guard;
mod lifecycle;
mod serve;
mod storage;
mod streaming;
mod target;
mod workspaces;

use std::io;
use std::sync::Arc;

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use axum::http::{Method, StatusCode};
use axum::routing::get;
use axum::{Json, Router, middleware};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::Layer as _;
use tower_http::cors::{AllowHeaders, CorsLayer};
use tower_http::normalize_path::NormalizePathLayer;

use crate::app::{ApiError, App};
use crate::socket;

/// Serves until `closing` is canceled, then waits until all open connections have ended.
pub(crate) async fn serve(listener: TcpListener, app: App, closing: CancellationToken) -> io::Result<()> {
    // The path must be normalized before routing, so this layer wraps the router.
    let service = NormalizePathLayer::trim_trailing_slash().layer(router(Arc::new(app)));
    serve::serve(listener, service, closing).await
}

fn router(app: Arc<App>) -> Router {
    let api = Router::new()
        .merge(workspaces::routes())
        .merge(computers::routes())
        .merge(lifecycle::routes())
        .merge(actions::routes())
        .merge(commands::routes())
        .merge(files::routes())
        .merge(streaming::routes())
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard::authenticate));
    Router::new()
        .nest("/api", api)
        .merge(storage::routes())
        .merge(direct::routes())
        .route("/health", get(health))
        .merge(socket::routes())
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(cors(app.admission.origins()))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), guard::admit))
        .with_state(app)
}

/// Returns the CORS layer. Only pages from origins of `--allow-origin` may read responses; an origin on a loopback host
/// is not allowed automatically.
fn cors(origins: &[axum::http::HeaderValue]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::list([AUTHORIZATION, CONTENT_TYPE]))
        .expose_headers([HeaderName::from_static("retry-after")])
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

async fn unknown_path() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "Path not found")
}

async fn wrong_method(method: Method) -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, format!("This path does not support {method}"))
}
