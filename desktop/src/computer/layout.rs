//! Where the parts of a computer lie, seen from the host and from inside its box.

use std::path::{Path, PathBuf};

/// The user's home inside the box.
pub(crate) const HOME: &str = "/home/user";
/// The run folder inside the box.
pub(super) const RUN: &str = "/run/computer";
/// The server's own files inside the box, not writable there.
pub(super) const SUPPORT: &str = "/run/support";

/// The host's paths of one running computer.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Kept between runs.
    pub(crate) home: PathBuf,
    /// Sockets and logs of this run. Its path is short: a Unix socket's may have 107 bytes.
    pub(crate) run: PathBuf,
    /// Shared by all computers: the agent's program and the user database.
    pub(super) support: PathBuf,
    /// The X display number.
    pub(super) display: u16,
}

impl Layout {
    pub(super) fn agent_socket(&self) -> PathBuf {
        self.run.join("agent.sock")
    }

    pub(super) fn x_sockets(&self) -> PathBuf {
        self.run.join("x11")
    }

    pub(super) fn x_socket(&self) -> PathBuf {
        self.x_sockets().join(format!("X{}", self.display))
    }

    pub(super) fn pulse_socket(&self) -> PathBuf {
        self.run.join("pulse.sock")
    }

    pub(super) fn box_log(&self) -> PathBuf {
        self.run.join("box.log")
    }

    /// Files that pass between the server and a program it runs inside.
    pub(crate) fn exchange(&self) -> PathBuf {
        self.run.join("exchange")
    }
}

/// A path of the run folder as the inside sees it.
pub(crate) fn inside(name: impl AsRef<Path>) -> String {
    Path::new(RUN).join(name).to_string_lossy().into_owned()
}
