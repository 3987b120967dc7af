//! Where the parts of a computer lie, seen from the host and from inside its box.

use std::path::PathBuf;

/// The user's home inside the box.
pub(crate) const HOME: &str = "/home/user";
/// The folder of the desktop's sockets inside the box, which the host does not see.
pub(super) const RUN: &str = "/run/computer";
/// What the parts of the desktop write about themselves, inside the box.
pub(super) const LOGS: &str = "/run/log";
/// The server's own files inside the box, not writable there.
pub(super) const SUPPORT: &str = "/run/support";
/// The folder in [`SUPPORT`] of what prepares the interpreter of an `exec` call.
pub(super) const PYTHON: &str = "python";
/// The folder of X sockets inside a box. Its path is built into X clients.
pub(crate) const X_SOCKETS: &str = "/tmp/.X11-unix";

/// The parts of one running computer.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The home on the host, kept between runs: the only folder that both the host and the computer's user can write to. The
    /// server names it to bubblewrap and opens nothing below it.
    pub(super) home: PathBuf,
    /// Shared by all computers: the agent's program and the user database.
    pub(super) support: PathBuf,
    /// The X display number.
    pub(super) display: u16,
}

impl Layout {
    /// The X server's socket inside the box.
    pub(super) fn x_socket(&self) -> String {
        format!("{X_SOCKETS}/X{}", self.display)
    }
}

/// The sound server's socket inside the box.
pub(super) fn pulse_socket() -> String {
    format!("{RUN}/pulse.sock")
}
