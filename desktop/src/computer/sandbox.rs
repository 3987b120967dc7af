//! The box that a computer runs in: bubblewrap's command line.

use std::path::Path;

use tokio::process::Command;

use super::layout::{HOME, Layout, RUN, SUPPORT};

/// The program of the agent inside [`SUPPORT`].
pub(crate) const AGENT: &str = "agent";

/// Where Debian's launcher of the browser looks for options. Only a file that is there can be covered by another.
const CHROMIUM_FLAGS: &str = "/etc/chromium.d/default-flags";

/// Closed to the computer's user, unless that is root outside.
const SECRETS: &[&str] = &["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-"];

/// The part of a box's file tree that comes from the host, not writable, and an empty `/tmp`.
#[rustfmt::skip]
pub(crate) const SYSTEM: &[&str] = &[
    "--ro-bind", "/usr", "/usr",
    "--symlink", "usr/bin", "/bin",
    "--symlink", "usr/sbin", "/sbin",
    "--symlink", "usr/lib", "/lib",
    "--symlink", "usr/lib64", "/lib64",
    "--ro-bind", "/etc", "/etc",
    "--proc", "/proc",
    "--dev", "/dev",
    "--tmpfs", "/tmp",
];

/// The command that opens the box with the agent in it.
///
/// The box has its own users, processes, shared memory, host name, network and file tree; of the host it sees `/usr`,
/// `/opt` and `/etc`, not writable and without the secrets in it.
pub(super) fn command(layout: &Layout, hostname: &str, owner: Option<u32>) -> Command {
    let mut command = Command::new("bwrap");
    command
        .args(["--die-with-parent", "--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"])
        .args(["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--hostname", hostname])
        .args(SYSTEM)
        .args(["--ro-bind-try", "/opt", "/opt"])
        .args(["--tmpfs", "/dev/shm"])
        .args(["--tmpfs", "/run", "--perms", "0700", "--dir", "/run/user"])
        .args(["--tmpfs", "/var", "--dir", "/var/tmp"])
        .args(["--ro-bind-try", "/var/cache/fontconfig", "/var/cache/fontconfig"]);
    let mut bind = |option: &str, from: &Path, to: &str| {
        command.arg(option).arg(from).arg(to);
    };
    bind("--ro-bind", &layout.support.join("passwd"), "/etc/passwd");
    bind("--ro-bind", &layout.support.join("group"), "/etc/group");
    if Path::new(CHROMIUM_FLAGS).exists() {
        bind("--ro-bind", &layout.support.join("chromium-flags"), CHROMIUM_FLAGS);
    }
    // Where the host's resolver keeps its file outside `/etc`, the link to it must lead somewhere.
    if let Ok(resolver) = Path::new("/etc/resolv.conf").canonicalize() {
        bind("--ro-bind", &layout.support.join("resolv.conf"), &resolver.to_string_lossy());
    }
    for secret in SECRETS.iter().map(Path::new).filter(|secret| secret.exists()) {
        bind("--ro-bind", Path::new("/dev/null"), &secret.to_string_lossy());
    }
    bind("--ro-bind", &layout.support, SUPPORT);
    bind("--bind", &layout.x_sockets(), "/tmp/.X11-unix");
    bind("--bind", &layout.run, RUN);
    bind("--bind", &layout.home, HOME);
    command
        .args(["--remount-ro", "/"])
        .args(["--chdir", HOME, "--clearenv"])
        .arg("--")
        .arg(format!("{SUPPORT}/{AGENT}"))
        .args(["agent", "--socket"])
        .arg(format!("{RUN}/agent.sock"))
        // Ctrl-C in the server's terminal is the server's to handle.
        .process_group(0)
        .stdin(std::process::Stdio::null());
    if let Some(owner) = owner {
        command.uid(owner).gid(owner);
    }
    command
}
