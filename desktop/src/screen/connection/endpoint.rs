//! Describes an X server and its time limits.

use std::{fmt::Debug, io, os::unix::net::UnixStream, sync::Arc};

use super::limits::Limits;
use crate::computer::XCookie;

/// Connects to the X server of one computer.
pub(crate) trait Connector: Debug + Send + Sync {
    /// Opens a connection to the X server. Blocks for a limited time.
    ///
    /// # Errors
    ///
    /// Any error means that the X server has ended.
    fn connect(&self) -> io::Result<UnixStream>;

    /// Returns the authentication key, if the X server requires a key.
    fn key(&self) -> Option<&XCookie> {
        None
    }
}

/// An X server and its time limits.
#[derive(Clone, Debug)]
pub(in crate::screen) struct Endpoint {
    pub(in crate::screen) connector: Arc<dyn Connector>,
    pub(in crate::screen) limits: Limits,
}
