//! How connections to the X server are made.

use std::{fmt::Debug, io, os::unix::net::UnixStream};

/// Opens connections to one X server.
pub(crate) trait Dial: Debug + Send + Sync {
    /// Opens a connection to the X server; blocks, for a bounded time.
    fn dial(&self) -> io::Result<UnixStream>;
}
