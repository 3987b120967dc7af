//! Manages the server's runtime folder in `/tmp`. It contains the files that all computers share, and the folders of
//! computers without a box.

#![expect(
    clippy::disallowed_methods,
    reason = "uses the server's own folder in a sticky folder, and the list of processes in `/proc`"
)]

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};

use crate::agent::kill_descendants;
use crate::privileges::traversable_mode;
use crate::untrusted::Folder;

use super::layout::{PYTHON, X_SOCKETS};
use super::network::RESOLVER;
use super::x_cookie::XCookie;
use super::{AGENT, Limits};

macro_rules! system {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../assets/system/", $path)))),*]
    };
}

/// The files of the support folder, as pairs of path and content. They extend the host's programs and settings.
const SUPPORT_FILES: &[(&str, &str)] = system![
    "alsa.conf",
    "bin/python",
    "bin/web-browser",
    "chromium-flags",
    "chromium/master_preferences",
    "chromium/policies/managed/computer.json",
    "chromium/policies/recommended/computer.json",
    "config/mimeapps.list",
    "config/pip/pip.conf",
    "profile",
    "share/applications/web-browser.desktop",
    "unboxed/shell",
];

/// The wrapper scripts for Debian's browser in computers without a box, as pairs of path and content.
const BROWSER_FILES: &[(&str, &str)] = system![
    "unboxed/bin/chromium",
    "unboxed/bin/x-www-browser",
    "unboxed/share/applications/chromium.desktop",
];

const PARENT: &str = "/tmp";
const PREFIX: &str = "orgo-desktop-";
/// The name prefix of a runtime folder that is not locked yet. If such a folder is older than [`UNLOCKED_AGE`], its
/// server was killed before it could lock the folder.
const UNLOCKED_PREFIX: &str = ".orgo-desktop-";
const UNLOCKED_AGE: Duration = Duration::from_secs(60);
const LOCK: &str = "lock";

/// The maximum number of searches for the processes of a killed server. A box may start another process just before it
/// is killed.
const MAX_ROUNDS: usize = 100;
const ROUND_INTERVAL: Duration = Duration::from_millis(10);
/// The delays before the searches are repeated.
const REPEAT_DELAYS: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(3), Duration::from_secs(10)];

/// The runtime folder, which is removed on drop. Its lock shows other servers that its server is running.
#[derive(Debug)]
pub(crate) struct RuntimeDir {
    folder: PathBuf,
    _lock: File,
}

impl Drop for RuntimeDir {
    fn drop(&mut self) {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        // The folder may contain folders of computers without a box, so it is removed as untrusted content.
        if let Err(error) = Folder::open(Path::new(PARENT)).and_then(|parent| parent.remove(&name)) {
            tracing::warn!("cannot remove {}: {error}", self.folder.display());
        }
    }
}

impl RuntimeDir {
    /// Removes the folders of killed servers, then creates the folder of this server with the support files.
    pub(crate) fn create() -> io::Result<Self> {
        remove_stale(Path::new(PARENT));
        // The folder gets its final name once it is locked. Otherwise another server would mistake it for the folder of
        // a killed server.
        let unlocked = tempfile::Builder::new().prefix(UNLOCKED_PREFIX).rand_bytes(8).tempdir_in(PARENT)?;
        // Because of the mode, other accounts cannot lock the file.
        let lock =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(unlocked.path().join(LOCK))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        fs::set_permissions(unlocked.path(), Permissions::from_mode(traversable_mode()))?;
        let own = unlocked.path().file_name().unwrap_or_default().to_string_lossy().replacen(
            UNLOCKED_PREFIX,
            PREFIX,
            1,
        );
        let folder = Path::new(PARENT).join(own);
        fs::rename(unlocked.path(), &folder)?;
        // Turns off the removal on drop, since the folder no longer has its temporary name.
        let _ = unlocked.keep();
        let runtime = Self { folder, _lock: lock };
        runtime.write_support()?;
        Ok(runtime)
    }

    /// Sets up the control groups of this server, which are named after this folder.
    pub(super) fn limits(&self) -> Limits {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Limits::find(name, PREFIX)
    }

    /// The names of the folders of a computer without a box: for sockets, for `XDG_RUNTIME_DIR`, for logs and for the
    /// source files of `exec` calls.
    pub(super) const FOLDERS: [&str; 4] = ["run", "user", "log", "exec"];

    /// Creates the folders of a computer without a box. Their parent is named after a free X display number. Returns
    /// the display number and the path of the parent.
    pub(super) fn create_computer_folders(
        &self,
        owner: Option<u32>,
        key: &XCookie,
    ) -> io::Result<(u16, PathBuf)> {
        let own = Folder::open(&self.folder)?;
        let x_sockets = x_sockets()?;
        for _ in 0..MAX_DISPLAYS_TRIED {
            let display = random_display()?;
            let name = display.to_string();
            if fs::symlink_metadata(lock_of(display)).is_ok() || x_sockets.has(&socket_of(display)) {
                continue;
            }
            match own.create(&name, None) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            };
            let place = own.create_traversable(&name, owner)?;
            let made = Self::FOLDERS.iter().try_for_each(|name| {
                let folder = place.create(name, owner)?;
                if *name == Self::FOLDERS[0] {
                    folder.write(XCookie::FILE, &key.file(), owner)
                } else {
                    Ok(())
                }
            });
            if let Err(error) = made {
                self.remove_computer_folders(display);
                return Err(error);
            }
            return Ok((display, self.folder.join(name)));
        }
        Err(io::Error::other("no free X display number was found"))
    }

    /// Removes the folders of a computer without a box, and the files that its X server left. Must be called after all
    /// processes of the computer have ended.
    pub(super) fn remove_computer_folders(&self, display: u16) {
        remove_display(display);
        let removed = Folder::open(&self.folder).and_then(|own| own.remove(&display.to_string()));
        if let Err(error) = removed {
            tracing::warn!("cannot remove the folders of a computer: {error}");
        }
    }

    pub(super) fn support(&self) -> PathBuf {
        self.folder.join("support")
    }

    fn write_support(&self) -> io::Result<()> {
        let support = self.support();
        make_public(&support)?;
        let public = |name: &str, text: &str| -> io::Result<()> {
            let path = support.join(name);
            if let Some(folder) = path.parent() {
                make_public(folder)?;
            }
            fs::write(&path, text)?;
            let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
            fs::set_permissions(path, Permissions::from_mode(mode))
        };
        public(
            "passwd",
            "root:x:0:0:root:/root:/usr/sbin/nologin\nuser:x:1000:1000:User:/home/user:/bin/bash\n",
        )?;
        public("group", "root:x:0:\nuser:x:1000:user\n")?;
        public("resolv.conf", &format!("nameserver {RESOLVER}\n"))?;
        for (name, text) in SUPPORT_FILES {
            public(name, text)?;
        }
        // The wrappers are only written if Chromium is installed. Otherwise a wrapper would look like an installed
        // browser.
        for (name, text) in BROWSER_FILES {
            if Path::new("/usr/bin/chromium").exists() {
                public(name, text)?;
            }
        }
        let sitecustomize = format!("{PYTHON}/sitecustomize.py");
        public(&sitecustomize, include_str!("../../assets/python/sitecustomize.py"))?;
        install_agent(&std::env::current_exe()?, &support.join(AGENT))
    }
}

/// Creates a folder that every account can read, regardless of the process's umask.
fn make_public(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_public(parent)?;
    }
    fs::create_dir(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o755))
}

/// The maximum number of display numbers to try.
const MAX_DISPLAYS_TRIED: usize = 100;

/// Returns a random display number of at least 1000, since users and other programs number displays from 0.
fn random_display() -> io::Result<u16> {
    let mut random = [0; 2];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(1000 + u16::from_ne_bytes(random) % 50_000)
}

/// Returns the path of the lock file that reserves a display for an X server.
fn lock_of(display: u16) -> PathBuf {
    Path::new(PARENT).join(format!(".X{display}-lock"))
}

fn socket_of(display: u16) -> String {
    format!("X{display}")
}

/// Opens the folder of X sockets, and creates it if it does not exist. All users of the host may create files in this
/// folder, as in `/tmp`.
fn x_sockets() -> io::Result<Folder> {
    let parent = Folder::open(Path::new(PARENT))?;
    let name = X_SOCKETS.rsplit_once('/').map_or(X_SOCKETS, |(_, name)| name);
    match parent.create_sticky(name) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => parent.open_unchanged(name),
    }
}

/// Removes the files that a killed X server has left.
fn remove_display(display: u16) {
    let parent = Folder::open(Path::new(PARENT));
    let lock = lock_of(display);
    let lock = lock.file_name().unwrap_or_default().to_string_lossy();
    // The removal fails if the file does not exist or belongs to another user. Both errors are ignored, because such a
    // file must not be removed.
    let _ = parent.and_then(|parent| parent.remove(&lock));
    let _ = x_sockets().and_then(|x_sockets| x_sockets.remove(&socket_of(display)));
}

/// Makes this program available at a path that the computers' users can execute. Creates a hard link, or a copy if the
/// program is on another file system or is not executable for all users.
fn install_agent(program: &Path, agent: &Path) -> io::Result<()> {
    let open_to_all = fs::metadata(program)?.mode() & 0o005 == 0o005;
    if open_to_all && fs::hard_link(program, agent).is_ok() {
        return Ok(());
    }
    fs::copy(program, agent)?;
    fs::set_permissions(agent, Permissions::from_mode(0o755))
}

/// Kills the processes that a killed server left: boxes that were starting, and computers without a box. The command
/// lines or the mounts of these processes contain the path of the server's folder.
fn kill_leftovers(folder: &str) {
    let part = format!("/{folder}/");
    for _ in 0..MAX_ROUNDS {
        let mut found = false;
        for (pid, process) in processes() {
            if belongs_to_box(&process, &part) {
                found = true;
            } else if is_agent(&process, &part) {
                found = true;
                // The agent is about to kill its descendants itself, unless it hangs. The agent is killed last, because
                // it adopts the orphans until it ends.
                kill_descendants(pid.as_raw_nonzero().get(), &HashSet::new());
            } else {
                continue;
            }
            // The process may have exited since it was listed.
            let _ = kill_process(pid, Signal::KILL);
        }
        if !found {
            return;
        }
        thread::sleep(ROUND_INTERVAL);
    }
}

fn processes() -> impl Iterator<Item = (Pid, PathBuf)> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok().and_then(Pid::from_raw)?;
        Some((pid, process.path()))
    })
}

fn belongs_to_box(process: &Path, part: &str) -> bool {
    let has = |file, text: &str| read(process, file).contains(text);
    has("mountinfo", part) || has("comm", "bwrap") && has("cmdline", part)
}

/// Returns whether a process is the agent of a computer without a box whose program is below `part`.
fn is_agent(process: &Path, part: &str) -> bool {
    let place = format!("{PARENT}{part}");
    read(process, "comm").trim_end() == AGENT && read(process, "cmdline").starts_with(&place)
}

fn read(process: &Path, file: &str) -> String {
    String::from_utf8_lossy(&fs::read(process.join(file)).unwrap_or_default()).into_owned()
}

/// Removes the folders of servers that were killed. The folders of running servers and of other users stay.
fn remove_stale(parent: &Path) {
    let own = rustix::process::getuid().as_raw();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = entry.metadata().is_ok_and(|metadata| {
            // An unlocked folder counts only after some time, because a starting server locks its folder within a
            // moment.
            let age = metadata.modified().ok().and_then(|made| made.elapsed().ok()).unwrap_or_default();
            let has_prefix =
                name.starts_with(PREFIX) || name.starts_with(UNLOCKED_PREFIX) && age > UNLOCKED_AGE;
            has_prefix && metadata.is_dir() && metadata.uid() == own
        });
        let abandoned = ours && is_abandoned(&entry.path());
        if !abandoned {
            continue;
        }
        kill_leftovers(&name);
        // The folders of computers without a box are named after their displays.
        for display in displays_of(&entry.path()) {
            remove_display(display);
        }
        if let Err(error) = Folder::open(parent).and_then(|parent| parent.remove(&name)) {
            tracing::warn!("cannot remove {}: {error}", entry.path().display());
        }
        // A box that has just started may not be recognizable yet, so the search is repeated.
        thread::spawn(move || {
            for pause in REPEAT_DELAYS {
                thread::sleep(pause);
                kill_leftovers(&name);
            }
        });
    }
}

fn displays_of(folder: &Path) -> Vec<u16> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn is_abandoned(folder: &Path) -> bool {
    File::open(folder.join(LOCK))
        .is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_folders_of_killed_servers_are_removed() {
        let parent = tempfile::tempdir().expect("the tests may write to /tmp");
        let make = |name: &str| {
            let folder = parent.path().join(name);
            fs::create_dir(&folder).expect("the folder is new");
            File::create(folder.join(LOCK)).expect("the folder is writable")
        };
        drop(make("orgo-desktop-dead"));
        let alive = make("orgo-desktop-alive");
        flock(&alive, FlockOperation::NonBlockingLockExclusive).expect("the lock is free");
        drop(make("other"));
        let deep = Folder::open(&parent.path().join("orgo-desktop-dead")).expect("it was created");
        let mut below = deep.create("left", None).expect("the folder is writable");
        for _ in 0..5_000 {
            below = below.create("d", None).expect("there is enough space");
        }

        remove_stale(parent.path());

        assert!(!parent.path().join("orgo-desktop-dead").exists());
        assert!(parent.path().join("orgo-desktop-alive").exists());
        assert!(parent.path().join("other").exists());
    }
}
