//! The computer that a path names.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::app::{ApiError, App};
use crate::computer::Machine;
use crate::store::ComputerRecord;

/// A computer, by its id or its instance id, whatever it is doing.
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

/// A computer that runs; one that is coming up is waited for.
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
