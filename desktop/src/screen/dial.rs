//! Connecting to the X server.

use std::{fmt::Debug, io, os::unix::net::UnixStream, sync::Arc};

use super::limits::Limits;
use crate::computer::DisplayKey;

/// Connects to the X server of one computer.
pub(crate) trait Dial: Debug + Send + Sync {
    /// Opens a connection to the X server; blocks, for a bounded time.
    ///
    /// # Errors
    ///
    /// Any error means that the X server is gone.
    fn dial(&self) -> io::Result<UnixStream>;

    /// What the X server wants to be told of whoever connects.
    fn key(&self) -> Option<&DisplayKey> {
        None
    }
}

/// An X server and its time limits.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) dialer: Arc<dyn Dial>,
    pub(super) limits: Limits,
}
