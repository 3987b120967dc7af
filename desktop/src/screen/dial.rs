//! Connecting to the X server.

use std::{fmt::Debug, io, os::unix::net::UnixStream, sync::Arc};

use super::limits::Limits;

/// Connects to the X server of one computer.
pub(crate) trait Dial: Debug + Send + Sync {
    /// Opens a connection to the X server; blocks, for a bounded time.
    ///
    /// # Errors
    ///
    /// Any error means that the X server is gone.
    fn dial(&self) -> io::Result<UnixStream>;
}

/// An X server and its time limits.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) dialer: Arc<dyn Dial>,
    pub(super) limits: Limits,
}
