//! Builds the bubblewrap command for a box, a sandbox with separate namespaces that contains one computer.

#![expect(clippy::disallowed_methods, reason = "reads files of the system")]

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::inherited::{inherit, memory_file};
use crate::seccomp;

use super::homes::Home;
use super::layout::{InsidePaths, Layout, X_SOCKETS};
use super::runtime_dir::RuntimeDir;

/// The file name of the agent's executable in the support folder.
pub(crate) const AGENT: &str = "agent";

/// The host paths that a box replaces, as pairs of the name of the replacement in the support folder and the host path.
/// A mount can only cover an existing path.
const REPLACED_PATHS: &[(&str, &str)] = &[
    ("profile", "/etc/profile"),
    // Debian's Chromium launcher runs `default-flags` as a shell script. `/etc/chromium` contains Chromium's policies
    // and preferences.
    ("chromium-flags", "/etc/chromium.d/default-flags"),
    ("chromium", "/etc/chromium"),
];

/// The maximum total size of the log files in a box, in bytes. The limit applies even if a part of the desktop never
/// stops logging.
const LOG_SIZE: &str = "8388608";

/// The path of the table of host names. A box gets a copy of the host's table, extended by the computer's host name.
const HOSTS: &str = "/etc/hosts";

/// The host files that are hidden in a box. A box that runs as root on the host could otherwise read them.
const HIDDEN_FILES: &[&str] = &["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-"];

/// The bubblewrap arguments for the mounts of every box: the host's programs and libraries (read-only), separate
/// `/proc` and `/dev` file systems, and an empty `/tmp`. Kernel settings are mounted read-only, because a box that runs
/// as root on the host could write to them.
#[rustfmt::skip]
pub(crate) const SYSTEM_MOUNTS: &[&str] = &[
    "--ro-bind", "/usr", "/usr",
    "--symlink", "usr/bin", "/bin",
    "--symlink", "usr/sbin", "/sbin",
    "--symlink", "usr/lib", "/lib",
    "--symlink", "usr/lib64", "/lib64",
    "--proc", "/proc",
    "--ro-bind", "/proc/sys", "/proc/sys",
    "--ro-bind-try", "/proc/sysrq-trigger", "/proc/sysrq-trigger",
    "--ro-bind-try", "/proc/irq", "/proc/irq",
    "--ro-bind-try", "/proc/bus", "/proc/bus",
    "--ro-bind-try", "/proc/fs", "/proc/fs",
    "--dev", "/dev",
    "--tmpfs", "/tmp",
];

/// The bubblewrap arguments that mount the host's `/etc` read-only.
pub(crate) const ETC_MOUNT: &[&str] = &["--ro-bind", "/etc", "/etc"];

/// Returns the paths and the display number of a computer in a box. Display numbers start at 1000, so they differ from
/// the host's in logs and process lists.
pub(super) fn layout(runtime: &RuntimeDir, home: &Home, slot: u32) -> Layout {
    Layout {
        home: home.path.clone(),
        support: runtime.support(),
        // The remainder is less than 10,000, so it fits in a `u16`.
        display: 1000 + (slot % 10_000) as u16,
        key: None,
        inside: InsidePaths::for_box(),
    }
}

/// The parameters for starting an agent, in addition to the computer's [`Layout`].
pub(super) struct AgentLaunch<'a> {
    pub(super) hostname: &'a str,
    /// The host user ID that the agent runs as; `None` for the user of the server.
    pub(super) owner: Option<u32>,
    /// The agent's end of the socket pair that it shares with the server.
    pub(super) control: OwnedFd,
}

/// Returns the command that starts the shell of a terminal. The shell reads the box's own `/etc/profile`.
pub(super) fn shell_command() -> Vec<String> {
    ["bash", "--login"].map(str::to_owned).to_vec()
}

/// Returns the command that starts a box. The agent is the first process in the box.
///
/// The box has separate users, processes, shared memory, host name, network and mounts. It has read-only access to the
/// host's `/usr`, `/opt` and `/etc`, except for the [`HIDDEN_FILES`].
pub(super) fn command(layout: &Layout, launch: AgentLaunch<'_>) -> io::Result<Command> {
    let AgentLaunch { hostname, owner, control } = launch;
    let inside = &layout.inside;
    let mut command = Command::new("bwrap");
    command
        .args(["--die-with-parent", "--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"])
        .args(["--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-uts", "--unshare-net"])
        .args(["--unshare-cgroup-try", "--hostname", hostname])
        .args(SYSTEM_MOUNTS)
        .args(ETC_MOUNT)
        .args(["--perms", "1777", "--dir", X_SOCKETS])
        .args(["--ro-bind-try", "/opt", "/opt"])
        .args(["--tmpfs", "/dev/shm"])
        .args([
            "--tmpfs",
            "/run",
            "--perms",
            "0700",
            "--dir",
            &inside.user,
            "--perms",
            "0700",
            "--dir",
            &inside.run,
        ])
        .args(["--size", LOG_SIZE, "--tmpfs", &inside.logs])
        .args(["--tmpfs", "/var", "--dir", "/var/tmp"])
        .args(["--ro-bind-try", "/var/cache/fontconfig", "/var/cache/fontconfig"]);
    let mut bind = |option: &str, from: &Path, to: &str| {
        command.arg(option).arg(from).arg(to);
    };
    bind("--ro-bind", &layout.support.join("passwd"), "/etc/passwd");
    bind("--ro-bind", &layout.support.join("group"), "/etc/group");
    for (name, covered) in REPLACED_PATHS.iter().filter(|(_, covered)| Path::new(covered).exists()) {
        bind("--ro-bind", &layout.support.join(name), covered);
    }
    // `/etc/resolv.conf` may be a symbolic link to a file outside `/etc`. The mount must be at the target of the link.
    if let Ok(resolver) = Path::new("/etc/resolv.conf").canonicalize() {
        bind("--ro-bind", &layout.support.join("resolv.conf"), &resolver.to_string_lossy());
    }
    for secret in HIDDEN_FILES.iter().map(Path::new).filter(|secret| secret.exists()) {
        bind("--ro-bind", Path::new("/dev/null"), &secret.to_string_lossy());
    }
    bind("--ro-bind", &layout.support, &inside.support);
    bind("--bind", &layout.home, &inside.home);
    let filter = seccomp::COMPUTER.file()?;
    let control_number = control.as_raw_fd().to_string();
    let mut inherited = vec![control];
    // A mount can only cover an existing file.
    if let Ok(hosts) = std::fs::read_to_string(HOSTS) {
        let own = memory_file("hosts", with_own_name(&hosts, hostname).as_bytes())?;
        command.args(["--perms", "0644", "--ro-bind-data", &own.as_raw_fd().to_string(), HOSTS]);
        inherited.push(own);
    }
    command
        .args(["--seccomp", &filter.as_raw_fd().to_string()])
        .args(["--remount-ro", "/"])
        .args(["--chdir", "/", "--clearenv"])
        .arg("--")
        .arg(format!("{}/{AGENT}", inside.support))
        .args(["agent", "--control", &control_number])
        .args(["--home", &inside.home, "--scratch", &inside.scratch])
        .stdin(Stdio::null());
    if let Some(owner) = owner {
        command.uid(owner).gid(owner);
    }
    inherited.push(filter);
    inherit(command.as_std_mut(), inherited);
    Ok(command)
}

/// Returns the host's table, extended by the computer's host name at the address that Debian uses for it. Programs look
/// up their own host name, which no name server can resolve.
fn with_own_name(hosts: &str, hostname: &str) -> String {
    format!("{}\n127.0.1.1\t{hostname}\n", hosts.trim_end())
}
