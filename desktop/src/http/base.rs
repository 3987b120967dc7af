//! The base URL of links in responses.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::HOST;
use axum::http::request::Parts;

use crate::app::{ApiError, App, without_port};

/// The URL at which the client reaches this server, such as `http://127.0.0.1:8800`: the public URL if it is set,
/// otherwise a URL with the host of the request. Headers such as `X-Forwarded-Proto` are never used.
#[derive(Debug)]
pub(super) struct BaseUrl(String);

impl BaseUrl {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the host without the port.
    pub(super) fn hostname(&self) -> &str {
        let host = self.0.split_once("://").map_or(&*self.0, |(_, rest)| rest);
        without_port(host.split('/').next().unwrap_or(host))
    }
}

impl FromRequestParts<Arc<App>> for BaseUrl {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        if let Some(url) = app.admission.public_url() {
            return Ok(Self(url.to_owned()));
        }
        // `guard` has already checked the host.
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        Ok(Self(format!("http://{host}")))
    }
}
