//! Who may call: the API key, and the ends and the head of a request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use crate::app::{ApiError, App, bearer};

use super::serve::Ends;

/// The most header fields a request may have, and their size in bytes together with the address.
const HEAD_FIELDS: usize = 100;
const HEAD_SIZE: usize = 32 * 1024;

fn check_size(request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if address > HEAD_SIZE / 2 {
        let message = format!("The address is longer than {} KiB", HEAD_SIZE / 2 / 1024);
        return Err(ApiError::new(StatusCode::URI_TOO_LONG, message));
    }
    if headers.len() > HEAD_FIELDS || size + address > HEAD_SIZE {
        let message = format!("The head has more than {HEAD_FIELDS} fields or {} KiB", HEAD_SIZE / 1024);
        return Err(ApiError::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message));
    }
    Ok(())
}

/// What a computer sends out comes from this machine itself, and loopback is closed to computers. So a caller on this
/// machine is not told from a computer unless it uses loopback.
fn check_ends(ends: Option<&Ends>) -> Result<(), ApiError> {
    match ends {
        Some(ends) if ends.peer.ip() == ends.own.ip() && !ends.own.ip().to_canonical().is_loopback() => {
            Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "From this machine the server is called at a loopback address",
            ))
        }
        _ => Ok(()),
    }
}

/// Middleware: refuses a foreign Host or Origin, a head that is too large, and computers.
pub(super) async fn admit(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    check_ends(request.extensions().get::<Ends>())?;
    check_size(&request)?;
    app.admission.check(request.headers())?;
    Ok(next.run(request).await)
}

/// Middleware: asks for the API key.
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
