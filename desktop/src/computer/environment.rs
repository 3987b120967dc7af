//! The environment of every process inside a computer.

use super::layout::{HOME, RUN, SUPPORT};
use crate::agent::SYSTEM_PATH;

/// The variables a program finds, on display `display`.
pub(crate) fn environment(display: u16) -> Vec<(String, String)> {
    let fixed = [
        ("HOME", HOME),
        ("USER", "user"),
        ("LOGNAME", "user"),
        ("SHELL", "/bin/bash"),
        ("LANG", "C.UTF-8"),
        // Programs whose output is read by nobody's eyes. Terminals have a better one.
        ("TERM", "dumb"),
        ("XDG_RUNTIME_DIR", "/run/user"),
        // The desktop that openbox and pcmanfm are of. For it `xdg-open` has pcmanfm open files, and does not wait for programs.
        ("XDG_CURRENT_DESKTOP", "LXDE"),
        ("XDG_SESSION_TYPE", "x11"),
        ("BROWSER", "web-browser"),
        ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/user/bus"),
        // Xlib keeps the table of compose sequences there, once read. Without it openbox parses half a megabyte of it at each
        // change of the keymap, for 30 ms, and every program that reads the keyboard through Xlib at its start.
        ("XCOMPOSECACHE", "/run/user"),
        // Without it every GTK program starts an accessibility bus that nobody listens to.
        ("NO_AT_BRIDGE", "1"),
    ];
    let mut variables: Vec<_> =
        fixed.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    // Folders of the home are in it before they exist, so that a program that is put there is found at once.
    variables.push(("PATH".into(), format!("{HOME}/.local/bin:{HOME}/bin:{SYSTEM_PATH}:{SUPPORT}/bin")));
    variables.push(("XDG_CONFIG_DIRS".into(), format!("{SUPPORT}/config:/etc/xdg")));
    variables.push(("XDG_DATA_DIRS".into(), format!("{SUPPORT}/share:/usr/local/share:/usr/share")));
    variables.push(("ALSA_CONFIG_PATH".into(), format!("{SUPPORT}/alsa.conf")));
    variables.push(("DISPLAY".into(), format!(":{display}")));
    variables.push(("PULSE_SERVER".into(), format!("unix:{RUN}/pulse.sock")));
    variables
}
