//! What signed links lead to: content of files and screenshots, whole or in ranges, without a key.

#![expect(
    clippy::disallowed_methods,
    reason = "serves files of the data folder, which only the server's account can change"
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

use crate::app::{ApiError, App, Options};
use crate::files::Signature;

/// Outside the routes that ask for the key.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/storage/files/{id}/{name}", get(file))
        .route("/api/storage/screenshots/{name}", get(screenshot))
}

/// The path of a file's content, which wants its name after it, and the query that opens it.
pub(super) fn link_to_file(app: &App, id: &str) -> (String, String) {
    (format!("/api/storage/files/{id}"), app.linker.query(&subject_of_file(id)))
}

/// The path of a screenshot with the query that opens it.
pub(super) fn link_to_screenshot(app: &App, name: &str) -> String {
    format!(
        "/api/storage/{0}?{1}",
        subject_of_screenshot(name),
        app.linker.query(&subject_of_screenshot(name))
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
    Options(signature): Options<Signature>,
    request: Request,
) -> Result<Response, ApiError> {
    check(&app, &subject_of_file(&id), &signature)?;
    let record = app.store.file(&id)?.ok_or_else(|| ApiError::not_found("File"))?;
    // What is no type any more was one when it was recorded.
    let content_type = record.file.content_type.parse().unwrap_or(mime_guess::mime::APPLICATION_OCTET_STREAM);
    serve(app.contents.file(&id), &content_type, &record.file.filename, request).await
}

async fn screenshot(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Options(signature): Options<Signature>,
    request: Request,
) -> Result<Response, ApiError> {
    // Only names that were given out are signed.
    check(&app, &subject_of_screenshot(&name), &signature)?;
    let content_type = mime_guess::from_path(&name).first_or_octet_stream();
    serve(app.contents.screenshot(&name), &content_type, &name, request).await
}

fn check(app: &App, subject: &str, signature: &Signature) -> Result<(), ApiError> {
    if app.linker.opens(subject, signature) {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "The link has expired or was changed; ask for a new one")
        .with("code", "link_expired"))
}

async fn serve(
    content: PathBuf,
    content_type: &Mime,
    filename: &str,
    request: Request,
) -> Result<Response, ApiError> {
    // It never fails: what goes wrong becomes a status.
    let Ok(answer) = ServeFile::new_with_mime(content, content_type).oneshot(request).await;
    let status = answer.status();
    if status.is_client_error() || status.is_server_error() {
        let range = answer.headers().get(CONTENT_RANGE).cloned();
        let mut refusal = ApiError::new(status, refusal_of(status)).into_response();
        if let Some(range) = range {
            refusal.headers_mut().insert(CONTENT_RANGE, range);
        }
        return Ok(refusal);
    }
    let mut answer = answer.map(Body::new);
    let headers = answer.headers_mut();
    let disposition =
        format!("attachment; filename*=UTF-8''{}", utf8_percent_encode(filename, NON_ALPHANUMERIC));
    // A page among the files must not act as one of this server's own.
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CONTENT_DISPOSITION,
        HeaderValue::from_str(&disposition).expect("percent-encoded text is ASCII"),
    );
    Ok(answer)
}

fn refusal_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "The content is gone",
        StatusCode::RANGE_NOT_SATISFIABLE => "Range: the content has no such part",
        _ => "The content cannot be read",
    }
}
