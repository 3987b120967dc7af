//! The box that a computer runs in: bubblewrap's command line.

#![expect(clippy::disallowed_methods, reason = "looks at files of the system")]

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

/// The program of the agent, among the support files.
pub(crate) const AGENT: &str = "agent";

/// What a computer has in place of the host's, by its name in the support folder. Only what is there can be covered.
const REPLACED_PATHS: &[(&str, &str)] = &[
    ("profile", "/etc/profile"),
    // What Debian's launcher of the browser reads as a script, and policies and settings of the browser.
    ("chromium-flags", "/etc/chromium.d/default-flags"),
    ("chromium", "/etc/chromium"),
];

/// For all logs of a box together, in bytes. A part of the desktop that complains without end fills no more.
const LOG_SIZE: &str = "8388608";

/// The table of host names, to which the name of the computer is added.
const HOSTS: &str = "/etc/hosts";

/// Closed to the computer's user, unless that is root outside.
const HIDDEN_FILES: &[&str] = &["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-"];

/// What every box has: of the host its programs and libraries, not writable; processes and devices of its own, and an empty
/// `/tmp`. Settings of the kernel, which root alone may write, are covered, should a box have root's user outside.
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

/// The host's settings, which a computer shares.
pub(crate) const ETC_MOUNT: &[&str] = &["--ro-bind", "/etc", "/etc"];

/// Where the parts of a computer in a box lie. The numbers of displays are clear of the host's, so that no log or process list
/// leaves a doubt.
pub(super) fn layout(runtime: &RuntimeDir, home: &Home, slot: u32) -> Layout {
    Layout {
        home: home.path.clone(),
        support: runtime.support(),
        // The remainder is below 10 000.
        display: 1000 + (slot % 10_000) as u16,
        key: None,
        inside: InsidePaths::for_box(),
    }
}

/// What a computer is opened with, beside the files of its computer.
pub(super) struct AgentLaunch<'a> {
    pub(super) hostname: &'a str,
    /// The host's user that it runs as, when it is not the server's own.
    pub(super) owner: Option<u32>,
    /// The agent's end of the pair that the server talks to it by.
    pub(super) control: OwnedFd,
}

/// The command that starts the shell of a terminal, which reads the [profile](COVERS) of the box.
pub(super) fn shell_command() -> Vec<String> {
    ["bash", "--login"].map(str::to_owned).to_vec()
}

/// The command that opens the box with the agent as its first process.
///
/// The box has its own users, processes, shared memory, host name, network and file tree; of the host it sees `/usr`,
/// `/opt` and `/etc`, not writable and without the secrets in it.
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
    // Where the host's resolver keeps its file outside `/etc`, the link to it must lead somewhere.
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
    // Only a file that is there can be covered.
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

/// The host's table with the name of the computer, at the address that Debian gives it: programs look their own name up, and
/// no name server knows it.
fn with_own_name(hosts: &str, hostname: &str) -> String {
    format!("{}\n127.0.1.1\t{hostname}\n", hosts.trim_end())
}
