//! The environment of every process inside a computer.

use super::layout::Layout;
use crate::agent::SYSTEM_PATH;

/// The variables a program finds.
pub(super) fn environment(layout: &Layout) -> Vec<(String, String)> {
    let inside = &layout.inside;
    let (home, support) = (&inside.home, &inside.support);
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut set = |name: &str, value: &str| variables.push((name.to_owned(), value.to_owned()));
    set("HOME", home);
    set("USER", "user");
    set("LOGNAME", "user");
    set("SHELL", "/bin/bash");
    // Folders of the home are in it before they exist, so that a program that is put there is found at once.
    let replacing =
        |name| inside.replacements.as_ref().map(|folder| format!("{folder}/{name}:")).unwrap_or_default();
    let (programs, data) = (replacing("bin"), replacing("share"));
    let path = format!("{home}/.local/bin:{home}/bin:{programs}{SYSTEM_PATH}:{support}/bin");
    set("PATH", &path);
    if inside.replacements.is_some() {
        // For ~/.profile, since login shells read the `/etc/profile` of the system first, which sets `PATH`.
        set("ORGO_PATH", &path);
    }
    set("LANG", "C.UTF-8");
    // Also without a terminal: scripts that ask for its abilities, as by `tput`, would fail without it.
    set("TERM", "xterm-256color");
    set("XDG_RUNTIME_DIR", &inside.user);
    // The desktop that openbox and pcmanfm are of. For it `xdg-open` has pcmanfm open files, and does not wait for programs.
    set("XDG_CURRENT_DESKTOP", "LXDE");
    set("XDG_SESSION_TYPE", "x11");
    set("XDG_CONFIG_DIRS", &format!("{support}/config:/etc/xdg"));
    set("XDG_DATA_DIRS", &format!("{data}{support}/share:/usr/local/share:/usr/share"));
    set("ALSA_CONFIG_PATH", &format!("{support}/alsa.conf"));
    set("BROWSER", "web-browser");
    set("DBUS_SESSION_BUS_ADDRESS", &format!("unix:path={}/bus", inside.user));
    // Xlib keeps the table of compose sequences there, once read. Without it openbox parses half a megabyte of it at each
    // change of the keymap, for 30 ms, and every program that reads the keyboard through Xlib at its start.
    set("XCOMPOSECACHE", &inside.user);
    // Without it every GTK program starts an accessibility bus that nobody listens to.
    set("NO_AT_BRIDGE", "1");
    set("DISPLAY", &format!(":{}", layout.display));
    if layout.key.is_some() {
        set("XAUTHORITY", &inside.key_file());
    }
    set("PULSE_SERVER", &format!("unix:{}", inside.pulse_socket()));
    variables
}
