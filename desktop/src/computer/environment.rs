//! Defines the environment variables of the processes inside a computer.

use super::layout::Layout;
use crate::agent::SYSTEM_PATH;

/// Returns the environment variables, as pairs of name and value.
pub(super) fn environment(layout: &Layout) -> Vec<(String, String)> {
    let inside = &layout.inside;
    let (home, support) = (&inside.home, &inside.support);
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut set = |name: &str, value: &str| variables.push((name.to_owned(), value.to_owned()));
    set("HOME", home);
    set("USER", "user");
    set("LOGNAME", "user");
    set("SHELL", "/bin/bash");
    // `PATH` contains folders in the home even if they do not exist yet, so that programs are found as soon as they are
    // installed there.
    let replacing =
        |name| inside.replacements.as_ref().map(|folder| format!("{folder}/{name}:")).unwrap_or_default();
    let (programs, data) = (replacing("bin"), replacing("share"));
    let path = format!("{home}/.local/bin:{home}/bin:{programs}{SYSTEM_PATH}:{support}/bin");
    set("PATH", &path);
    if inside.replacements.is_some() {
        // `~/.profile` sets `PATH` to this value: login shells first read the system's `/etc/profile`, which resets
        // `PATH`.
        set("ORGO_PATH", &path);
    }
    set("LANG", "C.UTF-8");
    // `TERM` is set even for processes without a terminal. Otherwise scripts that query the terminal, for example with
    // `tput`, would fail.
    set("TERM", "xterm-256color");
    set("XDG_RUNTIME_DIR", &inside.user);
    // openbox and pcmanfm belong to LXDE. With this value, `xdg-open` opens files with pcmanfm and does not wait until
    // the opened program exits.
    set("XDG_CURRENT_DESKTOP", "LXDE");
    set("XDG_SESSION_TYPE", "x11");
    set("XDG_CONFIG_DIRS", &format!("{support}/config:/etc/xdg"));
    set("XDG_DATA_DIRS", &format!("{data}{support}/share:/usr/local/share:/usr/share"));
    set("ALSA_CONFIG_PATH", &format!("{support}/alsa.conf"));
    set("BROWSER", "web-browser");
    set("DBUS_SESSION_BUS_ADDRESS", &format!("unix:path={}/bus", inside.user));
    // Xlib caches its parsed table of compose sequences in this folder. Without the cache, openbox parses half a
    // megabyte at each change of the keymap, which takes 30 ms. Every program that reads the keyboard through Xlib
    // would also parse it at startup.
    set("XCOMPOSECACHE", &inside.user);
    // Without this variable, every GTK program would start an accessibility bus that no program uses.
    set("NO_AT_BRIDGE", "1");
    set("DISPLAY", &format!(":{}", layout.display));
    if layout.key.is_some() {
        set("XAUTHORITY", &inside.key_file());
    }
    set("PULSE_SERVER", &format!("unix:{}", inside.pulse_socket()));
    variables
}
