//! Serves the content of files and screenshots at signed links, without an API key. Supports range requests.

#![expect(
    clippy::disallowed_methods,
    reason = "serves files of the data folder, which only the server's account can write to"
)]

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_SECURITY_POLICY, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use mime_guess::Mime;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tower::ServiceExt as _;
use tower_http::services::ServeFile;

use crate::app::{ApiError, App, QueryParams};
use crate::files::LinkQuery;

/// Returns the routes of signed links. They are not part of the router that requires the API key.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/storage/files/{id}/{name}", get(file))
        .route("/api/storage/screenshots/{name}", get(screenshot))
}

/// Returns the path of a file's content, to which the caller appends `/NAME`, and the query string with the signature.
pub(super) fn link_to_file(app: &App, id: &str) -> (String, String) {
    (format!("/api/storage/files/{id}"), app.link_signer.query(&subject_of_file(id)))
}

/// Returns the path of a screenshot with its signed query string.
pub(super) fn link_to_screenshot(app: &App, name: &str) -> String {
    format!(
        "/api/storage/{0}?{1}",
        subject_of_screenshot(name),
        app.link_signer.query(&subject_of_screenshot(name))
    )
}

fn subject_of_file(id: &str) -> String {
    format!("files/{id}")
}

fn subject_of_screenshot(name: &str) -> String {
    format!("screenshots/{name}")
}

async fn file(
    State(app): State<Arc<App>>,
    Path((id, _name)): Path<(String, String)>,
    QueryParams(query): QueryParams<LinkQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    check(&app, &subject_of_file(&id), &query)?;
    let record = app.store.file(&id)?.ok_or_else(|| ApiError::not_found("File"))?;
    // A newer parser may reject a type that was valid when it was stored.
    let content_type = record.file.content_type.parse().unwrap_or(mime_guess::mime::APPLICATION_OCTET_STREAM);
    serve(app.contents.file(&id), &content_type, &record.file.filename, request).await
}

async fn screenshot(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    QueryParams(query): QueryParams<LinkQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    // The signature proves that this server created the name.
    check(&app, &subject_of_screenshot(&name), &query)?;
    let content_type = mime_guess::from_path(&name).first_or_octet_stream();
    serve(app.contents.screenshot(&name), &content_type, &name, request).await
}

fn check(app: &App, subject: &str, query: &LinkQuery) -> Result<(), ApiError> {
    if app.link_signer.verify(subject, query) {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "The link has expired or is not valid; request a new one")
        .with("code", "link_expired"))
}

async fn serve(
    content: PathBuf,
    content_type: &Mime,
    filename: &str,
    request: Request,
) -> Result<Response, ApiError> {
    // `ServeFile` never fails; it reports errors as a status.
    let Ok(response) = ServeFile::new_with_mime(content, content_type).oneshot(request).await;
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let range = response.headers().get(CONTENT_RANGE).cloned();
        let mut error = ApiError::new(status, error_message(status)).into_response();
        if let Some(range) = range {
            error.headers_mut().insert(CONTENT_RANGE, range);
        }
        return Ok(error);
    }
    let mut response = response.map(Body::new);
    let headers = response.headers_mut();
    let disposition =
        format!("attachment; filename*=UTF-8''{}", utf8_percent_encode(filename, NON_ALPHANUMERIC));
    // The scripts of an HTML file must not run with this server's origin.
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CONTENT_DISPOSITION,
        HeaderValue::from_str(&disposition).expect("percent-encoded text is ASCII"),
    );
    Ok(response)
}

fn error_message(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "The content no longer exists",
        StatusCode::RANGE_NOT_SATISFIABLE => "Range: must be within the content",
        _ => "The content cannot be read",
    }
}
