//! The environment of every process inside a computer.

use super::layout::Layout;

/// The variables a program finds.
pub(super) fn environment(layout: &Layout) -> Vec<(String, String)> {
    let inside = &layout.inside;
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut set = |name: &str, value: &str| variables.push((name.to_owned(), value.to_owned()));
    set("HOME", &inside.home);
    set("USER", "user");
    set("LOGNAME", "user");
    set("SHELL", "/bin/bash");
    set("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games");
    set("LANG", "C.UTF-8");
    set("XDG_RUNTIME_DIR", &inside.user);
    set("XDG_CURRENT_DESKTOP", "openbox");
    set("XDG_SESSION_TYPE", "x11");
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
