//! What the handlers of HTTP and of the sockets share: the server's state, whom it answers, parameters, errors.

mod admission;
mod error;
mod params;

pub(crate) use admission::{Admission, bearer, without_port};
pub(crate) use error::ApiError;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use params::read;
pub(crate) use params::{Body, Options, integer, optional_integer};

use std::sync::Arc;

use crate::computer::Fleet;
use crate::files::{Contents, Linker};
use crate::secret::Secret;
use crate::store::Store;
use crate::stream::Connections;

/// What every handler shares.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Arc<Store>,
    pub(crate) fleet: Fleet,
    pub(crate) contents: Arc<Contents>,
    pub(crate) linker: Linker,
    pub(crate) connections: Connections,
    pub(crate) api_key: Secret,
    pub(crate) admission: Admission,
}
