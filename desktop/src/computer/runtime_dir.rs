//! The folder of what all boxes see of the server's own: the agent's program and a few files. It goes with the server.

#![expect(
    clippy::disallowed_methods,
    reason = "works with a folder of the server's own in a folder that is sticky, and with the list of processes"
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

use super::display_key::DisplayKey;
use super::layout::{PYTHON, X_SOCKETS};
use super::network::RESOLVER;
use super::{AGENT, Limits};

macro_rules! system {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../assets/system/", $path)))),*]
    };
}

/// What every computer has beside the programs and settings of the host: files by their path in the support folder.
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

/// What a computer without a box has beside Debian's browser.
const BROWSER_FILES: &[(&str, &str)] = system![
    "unboxed/bin/chromium",
    "unboxed/bin/x-www-browser",
    "unboxed/share/applications/chromium.desktop",
];

const PARENT: &str = "/tmp";
const PREFIX: &str = "orgo-desktop-";
/// Of a folder that is not locked yet, and how old one is that will not be locked any more.
const UNLOCKED_PREFIX: &str = ".orgo-desktop-";
const UNLOCKED_AGE: Duration = Duration::from_secs(60);
const LOCK: &str = "lock";

/// A box that is killed may just have made another process, which the next search finds.
const MAX_ROUNDS: usize = 100;
const ROUND_INTERVAL: Duration = Duration::from_millis(10);
/// When the search is repeated, each after the one before.
const REPEAT_DELAYS: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(3), Duration::from_secs(10)];

/// The server's folder under `/tmp`, removed on drop. A lock in it says that its server lives.
#[derive(Debug)]
pub(crate) struct RuntimeDir {
    folder: PathBuf,
    _lock: File,
}

impl Drop for RuntimeDir {
    fn drop(&mut self) {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy();
        // Computers without boxes have folders of their own in it.
        if let Err(error) = Folder::open(Path::new(PARENT)).and_then(|parent| parent.remove(&name)) {
            tracing::warn!("cannot remove {}: {error}", self.folder.display());
        }
    }
}

impl RuntimeDir {
    /// Makes one with the shared support files in it, after removing those of servers that were killed.
    pub(crate) fn create() -> io::Result<Self> {
        remove_stale(Path::new(PARENT));
        // It gets its name once it is locked: until then another server would take it for one whose server was killed.
        let unlocked = tempfile::Builder::new().prefix(UNLOCKED_PREFIX).rand_bytes(8).tempdir_in(PARENT)?;
        // Another account must not be able to take it.
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
        // Nothing of that name is left to remove.
        let _ = unlocked.keep();
        let runtime = Self { folder, _lock: lock };
        runtime.write_support()?;
        Ok(runtime)
    }

    /// What limits can be set here. The groups are named after this folder.
    pub(super) fn limits(&self) -> Limits {
        let name = self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Limits::find(name, PREFIX)
    }

    /// The names of the folders of a computer without a box: for sockets, for `XDG_RUNTIME_DIR`, for logs and for programs of
    /// `exec`.
    pub(super) const FOLDERS: [&str; 4] = ["run", "user", "log", "exec"];

    /// Makes the folders of a computer without a box, named after a display that is free.
    pub(super) fn create_computer_folders(
        &self,
        owner: Option<u32>,
        key: &DisplayKey,
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
                    folder.write(DisplayKey::FILE, &key.file(), owner)
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
        Err(io::Error::other("no X display is free"))
    }

    /// Removes the folders of a computer without a box, of which nothing runs any more, and what its X server left.
    pub(super) fn remove_computer_folders(&self, display: u16) {
        remove_display(display);
        let removed = Folder::open(&self.folder).and_then(|own| own.remove(&display.to_string()));
        if let Err(error) = removed {
            tracing::warn!("cannot remove a folder of a computer: {error}");
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
        // A wrapper of a program that is not installed would be taken for it.
        for (name, text) in BROWSER_FILES {
            if Path::new("/usr/bin/chromium").exists() {
                public(name, text)?;
            }
        }
        let prepares = format!("{PYTHON}/sitecustomize.py");
        public(&prepares, include_str!("../../assets/python/sitecustomize.py"))?;
        install_agent(&std::env::current_exe()?, &support.join(AGENT))
    }
}

/// Makes a folder that every account can read, whatever mask the server was started with.
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

/// How many displays may be taken, of those that are tried.
const MAX_DISPLAYS_TRIED: usize = 100;

/// Clear of the displays that people and other programs number from 0.
fn random_display() -> io::Result<u16> {
    let mut random = [0; 2];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(1000 + u16::from_ne_bytes(random) % 50_000)
}

/// The file in `/tmp` by which an X server keeps its display to itself.
fn lock_of(display: u16) -> PathBuf {
    Path::new(PARENT).join(format!(".X{display}-lock"))
}

fn socket_of(display: u16) -> String {
    format!("X{display}")
}

/// The folder of X sockets. All users of the host may write to it, as to `/tmp`.
fn x_sockets() -> io::Result<Folder> {
    let parent = Folder::open(Path::new(PARENT))?;
    let name = X_SOCKETS.rsplit_once('/').map_or(X_SOCKETS, |(_, name)| name);
    match parent.create_sticky(name) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => parent.open_unchanged(name),
    }
}

/// Removes what an X server that was killed leaves.
fn remove_display(display: u16) {
    let parent = Folder::open(Path::new(PARENT));
    let lock = lock_of(display);
    let lock = lock.file_name().unwrap_or_default().to_string_lossy();
    // What is not there, or somebody else's, stays.
    let _ = parent.and_then(|parent| parent.remove(&lock));
    let _ = x_sockets().and_then(|x_sockets| x_sockets.remove(&socket_of(display)));
}

/// A second name for this program, since a computer's user may not be able to reach the folder it lies in; a copy where
/// that is another file system or the file is closed to others.
fn install_agent(program: &Path, agent: &Path) -> io::Result<()> {
    let open_to_all = fs::metadata(program)?.mode() & 0o005 == 0o005;
    if open_to_all && fs::hard_link(program, agent).is_ok() {
        return Ok(());
    }
    fs::copy(program, agent)?;
    fs::set_permissions(agent, Permissions::from_mode(0o755))
}

/// Kills the boxes that were being opened at the moment their server was killed: the folder is part of their command, and
/// then mounted in them. So it does with what is left of computers without boxes.
fn kill_leftovers(folder: &str) {
    let part = format!("/{folder}/");
    for _ in 0..MAX_ROUNDS {
        let mut found = false;
        for (pid, process) in processes() {
            if belongs_to_box(&process, &part) {
                found = true;
            } else if is_agent(&process, &part) {
                found = true;
                // It does the same, or hangs. Orphans fall to it as long as it is there.
                kill_descendants(pid.as_raw_nonzero().get(), &HashSet::new());
            } else {
                continue;
            }
            // It may have ended by itself since it was listed.
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

/// Whether a process is the agent of a computer without a box, of which the folders are below `part`.
fn is_agent(process: &Path, part: &str) -> bool {
    let place = format!("{PARENT}{part}");
    read(process, "comm").trim_end() == AGENT && read(process, "cmdline").starts_with(&place)
}

fn read(process: &Path, file: &str) -> String {
    String::from_utf8_lossy(&fs::read(process.join(file)).unwrap_or_default()).into_owned()
}

/// What cannot be removed is somebody else's, or still at work.
fn remove_stale(parent: &Path) {
    let own = rustix::process::getuid().as_raw();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = entry.metadata().is_ok_and(|metadata| {
            // A server that is starting locks its folder at once.
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
        // Folders of computers without boxes are named after their displays.
        for display in displays_of(&entry.path()) {
            remove_display(display);
        }
        if let Err(error) = Folder::open(parent).and_then(|parent| parent.remove(&name)) {
            tracing::warn!("cannot remove {}: {error}", entry.path().display());
        }
        // A box may have been so young that it could not be told from other processes yet.
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
    fn only_the_folders_of_dead_servers_are_removed() {
        let parent = tempfile::tempdir().expect("the tests may write to /tmp");
        let make = |name: &str| {
            let folder = parent.path().join(name);
            fs::create_dir(&folder).expect("the folder is new");
            File::create(folder.join(LOCK)).expect("the folder is ours")
        };
        drop(make("orgo-desktop-dead"));
        let alive = make("orgo-desktop-alive");
        flock(&alive, FlockOperation::NonBlockingLockExclusive).expect("nobody else holds it");
        drop(make("other"));
        let deep = Folder::open(&parent.path().join("orgo-desktop-dead")).expect("it was made");
        let mut below = deep.create("left", None).expect("the folder is ours");
        for _ in 0..5_000 {
            below = below.create("d", None).expect("there is room");
        }

        remove_stale(parent.path());

        assert!(!parent.path().join("orgo-desktop-dead").exists());
        assert!(parent.path().join("orgo-desktop-alive").exists());
        assert!(parent.path().join("other").exists());
    }
}
