//! The paths of a computer, as the host and as its programs see them.

use std::path::PathBuf;

use super::x_cookie::XCookie;

/// The user's home inside a box. Clients may use this path for the home with any isolation.
pub(crate) const HOME: &str = "/home/user";
/// The folder of a box's sockets and logs. It is not on the host.
pub(crate) const BOX_RUN: &str = "/run";
/// The folder of X sockets. Its path is built into X clients.
pub(crate) const X_SOCKETS: &str = "/tmp/.X11-unix";
/// The part of the support folder that prepares the interpreter of an `exec` call.
pub(super) const PYTHON: &str = "python";

/// The paths of one running computer, and its display.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The home on the host, which outlives the computer. The server passes the path to the agent or to bubblewrap and
    /// opens nothing below it.
    pub(super) home: PathBuf,
    /// The folder with the agent's program and other files that all computers share.
    pub(super) support: PathBuf,
    /// The X display number.
    pub(super) display: u16,
    /// The cookie that X clients need. `None` if the folder of X sockets belongs to the computer alone.
    pub(super) key: Option<XCookie>,
    pub(super) inside: InsidePaths,
}

/// Paths as the computer's programs see them.
#[derive(Clone, Debug)]
pub(super) struct InsidePaths {
    pub(super) home: String,
    /// The folder of the desktop's sockets.
    pub(super) run: String,
    /// The value of `XDG_RUNTIME_DIR`.
    pub(super) user: String,
    /// The folder of the desktop's log files.
    pub(super) logs: String,
    /// The folder in which the agent creates the source files of `exec` calls.
    pub(super) scratch: String,
    /// The support folder, read-only.
    pub(super) support: String,
    /// The folder with programs (`bin`) and desktop entries (`share`) that take precedence over the system's. Used
    /// without a box, since then the system's files cannot be covered by mounts.
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

    /// The audio server's socket.
    pub(super) fn pulse_socket(&self) -> String {
        format!("{}/pulse.sock", self.run)
    }

    /// The file with the cookie of the display.
    pub(super) fn key_file(&self) -> String {
        format!("{}/{}", self.run, XCookie::FILE)
    }

    /// The folder for `PYTHONPATH`.
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
