//! Defines the paths of a computer, as the host and as the computer's programs see them.

use std::path::PathBuf;

use super::x_cookie::XCookie;

/// The path of the home inside a box. Clients may use this path for the home even if the computer has no box.
pub(crate) const HOME: &str = "/home/user";
/// The folder for sockets and logs inside a box. It is a `tmpfs` of the box, not a folder of the host.
pub(crate) const BOX_RUN: &str = "/run";
/// The folder that contains the sockets of X servers. Its path is built into X clients.
pub(crate) const X_SOCKETS: &str = "/tmp/.X11-unix";
/// The subfolder of the support folder with the module that prepares the interpreter of an `exec` call.
pub(super) const PYTHON: &str = "python";

/// The paths and the display of one running computer.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The path of the home on the host. The home remains when the computer stops. The server passes the path to the
    /// agent or to bubblewrap, and opens no file below it.
    pub(super) home: PathBuf,
    /// The folder with the agent's executable and other files that all computers share.
    pub(super) support: PathBuf,
    /// The X display number.
    pub(super) display: u16,
    /// The cookie that X clients need. `None` if no other computer uses the same folder of X sockets.
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
    /// The support folder, which is read-only in a box.
    pub(super) support: String,
    /// The folder with programs (`bin`) and desktop entries (`share`) that take precedence over those of the system.
    /// `None` in a box, where mounts cover the system's files instead.
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

    /// Returns the path of the audio server's socket.
    pub(super) fn pulse_socket(&self) -> String {
        format!("{}/pulse.sock", self.run)
    }

    /// Returns the path of the X server's socket for viewers.
    pub(super) fn viewer_socket(&self) -> String {
        format!("{}/rfb.sock", self.run)
    }

    /// Returns the path of the file with the display's cookie.
    pub(super) fn key_file(&self) -> String {
        format!("{}/{}", self.run, XCookie::FILE)
    }

    /// Returns the folder to which `PYTHONPATH` is set for `exec` calls.
    pub(super) fn python(&self) -> String {
        format!("{}/{PYTHON}", self.support)
    }
}

impl Layout {
    /// Returns the path of the X server's socket.
    pub(super) fn x_socket(&self) -> String {
        format!("{X_SOCKETS}/X{}", self.display)
    }
}
