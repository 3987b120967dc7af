//! The state and the helpers that the HTTP and WebSocket handlers share: access checks, parameters, errors.

mod admission;
mod error;
mod params;

pub(crate) use admission::{Admission, bearer, without_port};
pub(crate) use error::ApiError;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use params::read;
pub(crate) use params::{Body, QueryParams, integer, optional_integer};

use std::sync::Arc;

use crate::computer::Fleet;
use crate::files::{Contents, LinkSigner};
use crate::secret::Secret;
use crate::store::Store;
use crate::stream::Connections;

/// The state that all handlers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Arc<Store>,
    pub(crate) fleet: Fleet,
    pub(crate) contents: Arc<Contents>,
    pub(crate) link_signer: LinkSigner,
    pub(crate) connections: Connections,
    pub(crate) api_key: Secret,
    pub(crate) admission: Admission,
}
