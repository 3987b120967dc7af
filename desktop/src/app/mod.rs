//! What the handlers of HTTP and of the sockets share: the server's state, whom it answers, parameters, errors.

mod admission;
mod error;
mod params;

pub(crate) use admission::{bearer, without_port};
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

use admission::Admission;

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

/// What [`App`] is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) store: Arc<Store>,
    pub(crate) fleet: Fleet,
    pub(crate) contents: Arc<Contents>,
    pub(crate) linker: Linker,
    pub(crate) connections: Connections,
    pub(crate) api_key: Secret,
}

impl App {
    /// Fails with the text that is not an origin.
    pub(crate) fn new(parts: Parts, origins: &[String], remote: bool) -> Result<Self, String> {
        let Parts { store, fleet, contents, linker, connections, api_key } = parts;
        let admission = Admission::new(origins, remote)?;
        Ok(Self { store, fleet, contents, linker, connections, api_key, admission })
    }
}
