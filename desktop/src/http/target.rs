//! Extractors for the computer in a path.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::app::{ApiError, App};
use crate::computer::Machine;
use crate::store::ComputerRecord;

/// An extractor for the computer, in any state, whose id or instance id is in the path.
#[derive(Debug)]
pub(super) struct Target(pub(super) ComputerRecord);

impl FromRequestParts<Arc<App>> for Target {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let Path(id) = Path::<String>::from_request_parts(parts, app)
            .await
            .map_err(|_| ApiError::not_found("Computer"))?;
        app.store.computer(&id)?.map(Self).ok_or_else(|| ApiError::not_found("Computer"))
    }
}

/// An extractor for a running computer. Waits for a computer that is starting.
#[derive(Debug)]
pub(super) struct Live(pub(super) Arc<Machine>);

impl FromRequestParts<Arc<App>> for Live {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let Target(computer) = Target::from_request_parts(parts, app).await?;
        Self::of(app, &computer).await
    }
}

impl Live {
    pub(super) async fn of(app: &App, computer: &ComputerRecord) -> Result<Self, ApiError> {
        app.fleet.machine(computer).await.map(Self).ok_or_else(ApiError::not_running)
    }
}
