//! Where the parts of a computer lie, seen from the host and from inside.

use std::path::PathBuf;

use super::display_key::DisplayKey;

/// The user's home inside a box. Clients may name the home so wherever it lies.
pub(crate) const HOME: &str = "/home/user";
/// Where a box has folders of its own, which the host does not see.
pub(crate) const BOX_RUN: &str = "/run";
/// The folder of X sockets. Its path is built into X clients.
pub(crate) const X_SOCKETS: &str = "/tmp/.X11-unix";
/// The folder of the support files that prepares the interpreter of an `exec` call.
pub(super) const PYTHON: &str = "python";

/// The parts of one running computer.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The home on the host, kept between runs. The server names it to the agent or to bubblewrap and opens nothing below it.
    pub(super) home: PathBuf,
    /// Shared by all computers: the agent's program and the user database.
    pub(super) support: PathBuf,
    /// The X display number.
    pub(super) display: u16,
    /// What X clients have to know to be let in, if the folder of X sockets is not the computer's own.
    pub(super) key: Option<DisplayKey>,
    pub(super) inside: InsidePaths,
}

/// Paths as the programs of a computer see them.
#[derive(Clone, Debug)]
pub(super) struct InsidePaths {
    pub(super) home: String,
    /// The folder of the desktop's sockets.
    pub(super) run: String,
    /// `XDG_RUNTIME_DIR`.
    pub(super) user: String,
    /// What the parts of the desktop write about themselves.
    pub(super) logs: String,
    /// The folder in which the agent makes folders for the programs of `exec`.
    pub(super) scratch: String,
    /// The server's own files, not writable.
    pub(super) support: String,
    /// The folder with programs (`bin`) and their entries (`share`) that come before the system's, of which no file can be covered.
    pub(super) replacements: Option<String>,
}

impl InsidePaths {
    pub(super) fn for_box() -> Self {
        let below = |name: &str| format!("{BOX_RUN}/{name}");
        Self {
            home: HOME.into(),
            run: below("computer"),
            user: below("user"),
            logs: below("log"),
            scratch: BOX_RUN.into(),
            support: below("support"),
            replacements: None,
        }
    }

    /// The sound server's socket.
    pub(super) fn pulse_socket(&self) -> String {
        format!("{}/pulse.sock", self.run)
    }

    /// Where X clients find the key of the display.
    pub(super) fn key_file(&self) -> String {
        format!("{}/{}", self.run, DisplayKey::FILE)
    }

    /// The folder for Python's `PYTHONPATH`.
    pub(super) fn python(&self) -> String {
        format!("{}/{PYTHON}", self.support)
    }
}

impl Layout {
    /// The X server's socket.
    pub(super) fn x_socket(&self) -> String {
        format!("{X_SOCKETS}/X{}", self.display)
    }
}
