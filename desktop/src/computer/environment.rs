//! The environment of every process inside a computer.

use super::layout::{HOME, RUN};

/// The variables a program finds, on display `display`.
pub(crate) fn environment(display: u16) -> Vec<(String, String)> {
    let fixed = [
        ("HOME", HOME),
        ("USER", "user"),
        ("LOGNAME", "user"),
        ("SHELL", "/bin/bash"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"),
        ("LANG", "C.UTF-8"),
        ("XDG_RUNTIME_DIR", "/run/user"),
        ("XDG_CURRENT_DESKTOP", "openbox"),
        ("XDG_SESSION_TYPE", "x11"),
        ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/user/bus"),
        // Xlib keeps the table of compose sequences there, once read. Without it openbox parses half a megabyte of it at each
        // change of the keymap, for 30 ms, and every program that reads the keyboard through Xlib at its start.
        ("XCOMPOSECACHE", "/run/user"),
        // Without it every GTK program starts an accessibility bus that nobody listens to.
        ("NO_AT_BRIDGE", "1"),
    ];
    let mut variables: Vec<_> =
        fixed.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    variables.push(("DISPLAY".into(), format!(":{display}")));
    variables.push(("PULSE_SERVER".into(), format!("unix:{RUN}/pulse.sock")));
    variables
}
