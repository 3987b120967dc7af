//! Middleware that checks the connection's endpoints, the header and the API key of a request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use crate::app::{ApiError, App, bearer};

use super::serve::Endpoints;

/// The maximum number of header fields, and the maximum total size of the fields and the URL in bytes.
const MAX_HEADER_FIELDS: usize = 100;
const MAX_HEADER_BYTES: usize = 32 * 1024;

fn check_size(request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let url = request.uri().path_and_query().map_or(0, |url| url.as_str().len());
    if url > MAX_HEADER_BYTES / 2 {
        let message = format!("The URL is longer than {} KiB", MAX_HEADER_BYTES / 2 / 1024);
        return Err(ApiError::new(StatusCode::URI_TOO_LONG, message));
    }
    if headers.len() > MAX_HEADER_FIELDS || size + url > MAX_HEADER_BYTES {
        let message = format!(
            "The request header has more than {MAX_HEADER_FIELDS} fields or {} KiB",
            MAX_HEADER_BYTES / 1024
        );
        return Err(ApiError::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message));
    }
    Ok(())
}

/// Refuses requests from computers. The connections of a computer come from an address of this machine, but computers
/// cannot reach the loopback addresses of the machine. So requests from this machine are accepted only on loopback
/// addresses.
fn refuse_computers(endpoints: Option<&Endpoints>) -> Result<(), ApiError> {
    match endpoints {
        Some(Endpoints { local, peer })
            if peer.ip() == local.ip() && !local.ip().to_canonical().is_loopback() =>
        {
            Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "Requests from this machine must use a loopback address",
            ))
        }
        _ => Ok(()),
    }
}

/// Middleware that refuses computers, headers that are too large, and a Host or Origin that is not allowed.
pub(super) async fn admit(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    refuse_computers(request.extensions().get::<Endpoints>())?;
    check_size(&request)?;
    app.admission.check(request.headers())?;
    Ok(next.run(request).await)
}

/// Middleware that requires the API key.
pub(super) async fn authenticate(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let refuse = |message: &str| Err(ApiError::new(StatusCode::UNAUTHORIZED, message));
    match bearer(request.headers()) {
        None => refuse("Missing API key: send the header Authorization: Bearer <key>"),
        Some(key) if !app.api_key.matches(key) => refuse("Invalid API key"),
        Some(_) => Ok(next.run(request).await),
    }
}
