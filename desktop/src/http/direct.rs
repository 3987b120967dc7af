//! What a computer answers at its own address, for its own password. Clients that were written for computers with an address
//! each ask there for the screen.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;

use crate::app::{ApiError, App, Options, bearer};
use crate::computer::Machine;

use super::actions::{self, ScreenshotOptions};
use super::target::Live;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/desktops/{id}/screenshot", get(screenshot))
}

/// A computer that runs, and whose password the caller has.
struct Unlocked(Arc<Machine>);

impl FromRequestParts<Arc<App>> for Unlocked {
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
    Unlocked(machine): Unlocked,
    Options(options): Options<ScreenshotOptions>,
) -> Result<Response, ApiError> {
    actions::picture(&app, &machine, &options).await
}
