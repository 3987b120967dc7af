//! A computer in a box: a bubblewrap sandbox with its own namespaces.

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

/// The file name of the agent's program in the support folder.
pub(crate) const AGENT: &str = "agent";

/// Paths of the host that a box replaces, after the name of the replacement in the support folder. Only an existing
/// path can be covered by a mount.
const REPLACED_PATHS: &[(&str, &str)] = &[
    ("profile", "/etc/profile"),
    // Debian's launcher of Chromium runs the first as a shell script. The second has Chromium's policies and
    // preferences.
    ("chromium-flags", "/etc/chromium.d/default-flags"),
    ("chromium", "/etc/chromium"),
];

/// The size limit of all logs of a box together, in bytes. A part of the desktop that logs without end cannot use more.
const LOG_SIZE: &str = "8388608";

/// The table of host names. A box gets a copy of it with the computer's name.
const HOSTS: &str = "/etc/hosts";

/// Files of the host that are hidden from a box. It could read them only if it ran as root on the host.
const HIDDEN_FILES: &[&str] = &["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-"];

/// The mounts of every box: the host's programs and libraries, read-only; its own `/proc`, `/dev` and an empty `/tmp`.
/// Kernel settings are covered in case the box runs as root on the host, since root could write to them.
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

/// The mount of the host's `/etc`.
pub(crate) const ETC_MOUNT: &[&str] = &["--ro-bind", "/etc", "/etc"];

/// Returns the paths of a computer in a box. The display numbers start at 1000, so they differ from the host's in logs
/// and process lists.
pub(super) fn layout(runtime: &RuntimeDir, home: &Home, slot: u32) -> Layout {
    Layout {
        home: home.path.clone(),
        support: runtime.support(),
        // The remainder is less than 10,000.
        display: 1000 + (slot % 10_000) as u16,
        key: None,
        inside: InsidePaths::for_box(),
    }
}

/// The parameters of an agent's start, in addition to the computer's paths.
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

/// Returns the command that opens the box, with the agent as its first process.
///
/// The box has its own users, processes, shared memory, host name, network and file tree. It has read-only access to
/// `/usr`, `/opt` and `/etc` of the host, without secrets.
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
    // `/etc/resolv.conf` may be a link to a file outside `/etc`. The mount must be at the target of the link.
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
    // Only an existing file can be covered by a mount.
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

/// Returns the host's table with the computer's name, at the address that Debian uses for it. Programs look up their
/// own host name, and no name server knows it.
fn with_own_name(hosts: &str, hostname: &str) -> String {
    format!("{}\n127.0.1.1\t{hostname}\n", hosts.trim_end())
}
