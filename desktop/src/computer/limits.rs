//! Limits the memory, CPU time and number of processes of computers by control groups, if this server is allowed to
//! create control groups.

#![expect(
    clippy::disallowed_methods,
    reason = "uses control groups, which only the server's account can change"
)]

mod hierarchy;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::time::sleep;

use crate::agent::MAX_PROCESSES;

use self::hierarchy::{Hierarchy, Version};

/// The period of the CPU quota, in microseconds.
const CPU_PERIOD: u32 = 100_000;
/// The maximum number of attempts to remove a group. The kernel may take a moment to detect that a group is empty.
const MAX_REMOVAL_ATTEMPTS: u32 = 100;
const REMOVAL_INTERVAL: Duration = Duration::from_millis(10);

/// The control groups of this server, in which the groups of its computers are created.
#[derive(Debug)]
pub(crate) struct Limits {
    hierarchies: Vec<Hierarchy>,
    /// The name of this server's group in each hierarchy. It contains the groups of the computers.
    server: String,
    /// Locks on this server's groups. They show other servers that this server is running, even if the others have a
    /// different `/tmp` and a different PID namespace.
    _locks: Vec<File>,
}

impl Drop for Limits {
    fn drop(&mut self) {
        for hierarchy in &self.hierarchies {
            // Fails if the group still contains the group of a computer. A later server removes both.
            let _ = fs::remove_dir(hierarchy.folder.join(&self.server));
        }
    }
}

/// Whether the kernel enforces the memory size and the number of cores of a computer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Enforced {
    pub(crate) ram: bool,
    pub(crate) cpu: bool,
}

impl Limits {
    /// Finds the hierarchies in which this server may create groups, and creates the group `server` in each of them.
    /// Removes the groups of killed servers, whose names start with `prefix`.
    pub(crate) fn find(server: String, prefix: &str) -> Self {
        let mut hierarchies = Hierarchy::usable(&server);
        let mut locks = Vec::new();
        hierarchies.retain(|hierarchy| {
            remove_stale(&hierarchy.folder, prefix);
            let lock = create_and_lock(&hierarchy.folder.join(&server));
            let is_held = lock.is_ok();
            locks.extend(lock);
            is_held
        });
        if !hierarchies.iter().any(|hierarchy| hierarchy.has("memory")) {
            tracing::info!(
                "the memory of computers is not limited: this server is not allowed to create control groups"
            );
        }
        Self { hierarchies, server, _locks: locks }
    }

    /// Creates the groups of one computer. If their creation fails, the computer runs without limits, and a warning is
    /// logged.
    pub(super) fn create_group(&self, name: &str, ram_gb: f64, cores: f64) -> ControlGroup {
        self.try_create_group(name, ram_gb, cores).unwrap_or_else(|error| {
            tracing::warn!("computer {name} runs without limits: {error}");
            ControlGroup::default()
        })
    }

    fn try_create_group(&self, name: &str, ram_gb: f64, cores: f64) -> io::Result<ControlGroup> {
        let mut group = ControlGroup::default();
        for hierarchy in &self.hierarchies {
            let folder = hierarchy.folder.join(&self.server).join(name);
            hierarchy.make(&folder)?;
            group.folders.push(folder.clone());
            let set = |file: &str, value: String| fs::write(folder.join(file), value);
            if hierarchy.has("memory") {
                // Memory sizes and numbers of cores are small and positive, so the conversion is exact enough.
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
                let bytes = (ram_gb * f64::from(1 << 30)) as u64;
                set(hierarchy.version.memory_limit(), bytes.to_string())?;
                group.enforced.ram = true;
            }
            if hierarchy.has("cpu") {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
                let quota = (cores * f64::from(CPU_PERIOD)) as u64;
                match hierarchy.version {
                    Version::One => {
                        set("cpu.cfs_period_us", CPU_PERIOD.to_string())?;
                        set("cpu.cfs_quota_us", quota.to_string())?;
                    }
                    Version::Two => set("cpu.max", format!("{quota} {CPU_PERIOD}"))?,
                }
                group.enforced.cpu = true;
            }
            if hierarchy.has("pids") {
                set(PROCESS_LIMIT, MAX_PROCESSES.to_string())?;
            }
        }
        Ok(group)
    }
}

/// The file that contains the maximum number of processes.
const PROCESS_LIMIT: &str = "pids.max";
/// The file that contains the process IDs of the members.
const MEMBERS: &str = "cgroup.procs";

/// The control groups of one computer, one in each hierarchy.
#[derive(Clone, Debug, Default)]
pub(super) struct ControlGroup {
    folders: Vec<PathBuf>,
    enforced: Enforced,
}

impl ControlGroup {
    pub(super) fn enforced(&self) -> Enforced {
        self.enforced
    }

    /// Adds the process of `command` to the groups before its `exec`, so all processes that it starts are also members.
    pub(super) fn join(&self, command: &mut Command) -> io::Result<()> {
        let open = |folder: &PathBuf| OpenOptions::new().write(true).open(folder.join(MEMBERS));
        // The files are opened here, since the process itself may run as a user who is not allowed to open them.
        let members = self.folders.iter().map(open).collect::<io::Result<Vec<File>>>()?;
        // SAFETY: between fork and exec the closure makes only async-signal-safe system calls and allocates nothing.
        unsafe {
            command.pre_exec(move || {
                for members in &members {
                    // 0 stands for the writing process.
                    rustix::io::write(members, b"0")?;
                }
                Ok(())
            });
        }
        Ok(())
    }

    /// Forbids the members to start processes, so that all of them can be found and killed. Has no effect if the number of
    /// processes is not limited.
    pub(super) fn forbid_new_processes(&self) {
        self.folders.iter().for_each(|folder| forbid_new_processes(folder));
    }

    /// Removes the groups. Must be called after all members have ended.
    pub(super) async fn remove(&self) {
        for folder in &self.folders {
            for _ in 0..MAX_REMOVAL_ATTEMPTS {
                let removed = fs::remove_dir(folder);
                if !removed.is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy) {
                    break;
                }
                sleep(REMOVAL_INTERVAL).await;
            }
        }
    }
}

fn forbid_new_processes(group: &Path) {
    // The file exists in one of the hierarchies, if at all.
    let _ = OpenOptions::new()
        .write(true)
        .open(group.join(PROCESS_LIMIT))
        .and_then(|mut file| file.write_all(b"0"));
}

/// Creates a server's group and locks it.
fn create_and_lock(group: &Path) -> io::Result<File> {
    loop {
        match fs::create_dir(group) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let lock = File::open(group)?;
        flock(&lock, FlockOperation::LockExclusive)?;
        // Before the group was locked, another server may have taken it for a stale group and removed it.
        if fs::metadata(group).is_ok_and(|named| lock.metadata().is_ok_and(|held| held.ino() == named.ino()))
        {
            return Ok(lock);
        }
    }
}

/// Removes the groups of servers that were killed, and kills their members. A group cannot be removed before its members have
/// ended, so a later server may have to remove it.
fn remove_stale(folder: &Path, prefix: &str) {
    for server in subfolders(folder) {
        if !server.file_name().unwrap_or_default().to_string_lossy().starts_with(prefix) {
            continue;
        }
        let Ok(lock) = File::open(&server) else { continue };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            for group in subfolders(&server) {
                forbid_new_processes(&group);
                kill_members(&group);
                let _ = fs::remove_dir(group);
            }
            let _ = fs::remove_dir(&server);
        }
    }
}

fn kill_members(group: &Path) {
    let members = fs::read_to_string(group.join(MEMBERS)).unwrap_or_default();
    // 0 stands for a process in another PID namespace, which this server cannot kill.
    for member in members.lines().filter_map(|pid| pid.parse().ok().and_then(Pid::from_raw)) {
        // The process may have exited since it was listed.
        let _ = kill_process(member, Signal::KILL);
    }
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_a_running_server_are_not_removed() {
        let tree = tempfile::tempdir().expect("the tests may write to /tmp");
        let (server, other) = (tree.path().join("orgo-1"), tree.path().join("other-1"));
        fs::create_dir_all(other.join("group")).expect("the folder is writable");
        let lock = create_and_lock(&server).expect("the lock is free");
        fs::create_dir(server.join("group")).expect("the folder is writable");
        remove_stale(tree.path(), "orgo-");
        assert!(server.join("group").exists());
        drop(lock);
        remove_stale(tree.path(), "orgo-");
        assert!(!server.exists() && other.join("group").exists());
        let _lock = create_and_lock(&server).expect("the group is created again");
        assert!(server.exists());
    }
}
