//! The routes under a computer's own URL, authenticated by the computer's password. Some clients request screenshots at
//! this URL, because the hosted service gives each computer its own URL.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;

use crate::app::{ApiError, App, QueryParams, bearer};
use crate::computer::Machine;

use super::actions::{self, ScreenshotOptions};
use super::target::Live;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/desktops/{id}/screenshot", get(screenshot))
}

/// An extractor for a running computer whose password the request contains.
struct Authorized(Arc<Machine>);

impl FromRequestParts<Arc<App>> for Authorized {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let Live(machine) = Live::from_request_parts(parts, app).await?;
        match bearer(&parts.headers) {
            Some(password) if machine.password().matches(password) => Ok(Self(machine)),
            _ => Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "Missing or wrong password: send the header Authorization: Bearer <the computer's password>",
            )),
        }
    }
}

async fn screenshot(
    State(app): State<Arc<App>>,
    Authorized(machine): Authorized,
    QueryParams(options): QueryParams<ScreenshotOptions>,
) -> Result<Response, ApiError> {
    actions::screenshot_response(&app, &machine, &options).await
}
