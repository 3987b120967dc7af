//! The address at which the caller reaches this server: what links in responses begin with.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::HOST;
use axum::http::request::Parts;

use crate::app::{ApiError, App, without_port};

/// Such as `http://127.0.0.1:8800`. Nothing that a client or a proxy claims is part of it, except the host of the request.
#[derive(Debug)]
pub(super) struct Base(String);

impl Base {
    pub(super) fn url(&self) -> &str {
        &self.0
    }

    /// Its host, without the port.
    pub(super) fn hostname(&self) -> &str {
        let host = self.0.split_once("://").map_or(&*self.0, |(_, rest)| rest);
        without_port(host.split('/').next().unwrap_or(host))
    }
}

impl FromRequestParts<Arc<App>> for Base {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        if let Some(url) = app.admission.public_url() {
            return Ok(Self(url.to_owned()));
        }
        // The guard has admitted it as one of this server's names.
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        Ok(Self(format!("http://{host}")))
    }
}
