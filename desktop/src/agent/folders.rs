//! Watches folders of the home with inotify. Subfolders are not watched, and a symbolic link in place of a folder is
//! not followed.

#![expect(clippy::disallowed_methods, reason = "runs inside the box, with the rights of the computer's user")]

mod pending;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Instant;

use inotify::{Event, EventMask, Inotify, WatchDescriptor, WatchMask};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, Mode, OFlags, Timespec, fstat, openat};
use rustix::io::Errno;

use super::protocol::{FolderAction, FolderChange};

use self::pending::Pending;

/// The size of the buffer for inotify events, which is enough for a burst of events with long names.
const EVENT_BUFFER_BYTES: usize = 16 * 1024;
/// The maximum number of remembered names per folder. Above this number, a file that replaces another file is reported
/// as created instead of modified.
const MAX_NAMES: usize = 64 * 1024;

/// An active watch on several folders.
pub(super) struct FolderWatcher {
    inotify: Inotify,
    home: PathBuf,
    /// The watch on the parent of the home, since the home may become inaccessible, and accessible again.
    parent_watch: Option<WatchDescriptor>,
    /// The watch on the home itself, since the watched folders may be removed, replaced and created again.
    home_watch: Option<WatchDescriptor>,
    folders: Vec<Folder>,
    pending: Pending,
}

/// A folder to watch, which may not exist.
struct Folder {
    name: String,
    watched: Option<Watched>,
    /// The remembered names of the files in the folder.
    names: HashSet<OsString>,
}

struct Watched {
    watch: WatchDescriptor,
    /// The device and inode numbers of the folder. No other folder has the same pair while this folder is watched.
    identity: (u64, u64),
}

impl Folder {
    /// Adds a name. Returns whether it is new.
    fn add(&mut self, name: &OsStr) -> bool {
        if self.names.contains(name) {
            return false;
        }
        if self.names.len() < MAX_NAMES {
            self.names.insert(name.to_owned());
        }
        true
    }
}

impl FolderWatcher {
    pub(super) fn watch(home: &Path, folders: &[String]) -> io::Result<Self> {
        let folder = |name: &String| Folder { name: name.clone(), watched: None, names: HashSet::new() };
        let mut watching = Self {
            inotify: Inotify::init()?,
            home: home.to_owned(),
            parent_watch: None,
            home_watch: None,
            folders: folders.iter().map(folder).collect(),
            pending: Pending::default(),
        };
        watching.update_watches();
        // Existing files are not reported as changes.
        watching.pending.clear();
        Ok(watching)
    }

    /// Reports changes until `connection` is closed or `report` fails.
    pub(super) fn follow(
        mut self,
        connection: &UnixStream,
        report: impl Fn(&FolderChange) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            let mut sources = [
                PollFd::from_borrowed_fd(self.inotify.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(connection.as_fd(), PollFlags::IN),
            ];
            let wait = self.pending.next_due().map(|due| due.saturating_duration_since(Instant::now()));
            poll(&mut sources, wait.and_then(|wait| Timespec::try_from(wait).ok()).as_ref())?;
            // The server sends nothing on this connection, so an event means that it was closed.
            if !sources[1].revents().is_empty() {
                return Ok(());
            }
            // New events are handled before pending changes are released, because they may show that a pending change
            // must not be reported.
            self.read_events()?;
            while let Some(change) = self.pending.release(Instant::now()) {
                report(&change)?;
            }
        }
    }

    fn read_events(&mut self) -> io::Result<()> {
        let mut buffer = [0; EVENT_BUFFER_BYTES];
        loop {
            match self.inotify.read_events(&mut buffer) {
                Ok(events) => events.for_each(|event| self.handle_event(&event)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn handle_event(&mut self, event: &Event<&OsStr>) {
        if event.mask.contains(EventMask::Q_OVERFLOW) {
            self.update_watches();
            (0..self.folders.len()).for_each(|index| self.rescan(index));
            return;
        }
        let is_its =
            |folder: &Folder| folder.watched.as_ref().is_some_and(|watched| watched.watch == event.wd);
        let Some(index) = self.folders.iter().position(is_its) else {
            // The event belongs to the home or its parent, or is the last event of a watch that was replaced.
            return self.update_watches();
        };
        if event.mask.contains(EventMask::IGNORED) {
            // The folder no longer exists. A new folder with the same name may reuse the inode number.
            self.stop_watching(index);
            self.update_watches();
        } else if let Some(name) = event.name {
            self.handle_entry(index, event.mask, name, event.cookie);
        }
    }

    fn handle_entry(&mut self, index: usize, mask: EventMask, name: &OsStr, cookie: u32) {
        let folder = &mut self.folders[index];
        let change = |action| FolderChange {
            folder: folder.name.clone(),
            name: name.to_string_lossy().into_owned(),
            action,
        };
        if mask.contains(EventMask::CREATE) {
            let change = change(FolderAction::Created);
            // The name is already known if the folder was listed after the creation of the file.
            if folder.add(name) {
                self.pending.created(change);
            }
        } else if mask.contains(EventMask::MOVED_TO) {
            let (created, modified) = (change(FolderAction::Created), change(FolderAction::Modified));
            if folder.add(name) {
                self.pending.push(created);
            } else {
                self.pending.replaced(modified, cookie);
            }
        } else if mask.contains(EventMask::CLOSE_WRITE) {
            self.pending.push(change(FolderAction::Modified));
        } else if mask.intersects(EventMask::DELETE | EventMask::MOVED_FROM) {
            let change = change(FolderAction::Deleted);
            folder.names.remove(name);
            self.pending.deleted(change, cookie);
        }
    }

    /// Moves the watches to the folders that currently have the watched names. If a folder was replaced, reports the
    /// differences between the old and the new folder.
    fn update_watches(&mut self) {
        let interest = WatchMask::CREATE
            | WatchMask::DELETE
            | WatchMask::MOVE
            | WatchMask::ATTRIB
            | WatchMask::ONLYDIR
            | WatchMask::DONT_FOLLOW;
        if self.parent_watch.is_none() {
            self.parent_watch =
                self.home.parent().and_then(|parent| self.inotify.watches().add(parent, interest).ok());
        }
        if self.home_watch.is_none() {
            self.home_watch = self.inotify.watches().add(&self.home, interest).ok();
        }
        // Removes all outdated watches first: a folder may have been renamed to the name of another watched folder.
        let found: Vec<_> = self.folders.iter().map(|folder| open(&self.home.join(&folder.name))).collect();
        for (index, found) in found.iter().enumerate() {
            let Some(watched) = &self.folders[index].watched else { continue };
            let is_same = match found {
                Ok((_, identity)) => *identity == watched.identity,
                // The home is not accessible, so the state of the folder is unknown.
                Err(error) => !matches!(*error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP),
            };
            if !is_same {
                // Fails if the kernel has already removed the watch.
                let _ = self.inotify.watches().remove(watched.watch.clone());
                self.stop_watching(index);
            }
        }
        for (index, found) in found.into_iter().enumerate() {
            if let (Ok((folder, identity)), None) = (found, &self.folders[index].watched) {
                self.start_watching(index, &folder, identity);
            }
        }
    }

    /// Watches a folder and reports the files in it.
    fn start_watching(&mut self, index: usize, folder: &OwnedFd, identity: (u64, u64)) {
        // A file counts as modified when a writer closes the file, not at each write.
        let interest = WatchMask::CREATE
            | WatchMask::CLOSE_WRITE
            | WatchMask::DELETE
            | WatchMask::MOVE
            | WatchMask::ONLYDIR;
        // Fails if the folder's owner has no access to it.
        if let Ok(watch) = self.inotify.watches().add(path_of(folder), interest) {
            self.folders[index].watched = Some(Watched { watch, identity });
            self.rescan(index);
        }
    }

    /// Forgets a folder that no longer has its watched name, and reports all its files as deleted.
    fn stop_watching(&mut self, index: usize) {
        let folder = &mut self.folders[index];
        folder.watched = None;
        for name in folder.names.drain() {
            self.pending.push(FolderChange {
                folder: folder.name.clone(),
                name: name.to_string_lossy().into_owned(),
                action: FolderAction::Deleted,
            });
        }
    }

    /// Lists a folder and reports the differences from the remembered names.
    fn rescan(&mut self, index: usize) {
        let folder = &mut self.folders[index];
        // Skips a folder that has replaced the watched folder. `update_watches` handles this case.
        let Ok((opened, identity)) = open(&self.home.join(&folder.name)) else { return };
        if folder.watched.as_ref().is_none_or(|watched| watched.identity != identity) {
            return;
        }
        let Ok(entries) = fs::read_dir(path_of(&opened)) else { return };
        let names: HashSet<_> = entries.take(MAX_NAMES).flatten().map(|entry| entry.file_name()).collect();
        let change = |name: &OsStr, action| FolderChange {
            folder: folder.name.clone(),
            name: name.to_string_lossy().into_owned(),
            action,
        };
        for name in folder.names.difference(&names) {
            self.pending.push(change(name, FolderAction::Deleted));
        }
        for name in names.difference(&folder.names) {
            self.pending.created(change(name, FolderAction::Created));
        }
        folder.names = names;
    }
}

/// Opens a folder without following a link. Returns the folder with its device and inode numbers.
fn open(path: &Path) -> Result<(OwnedFd, (u64, u64)), Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(CWD, path, flags, Mode::empty())?;
    let stat = fstat(&folder)?;
    Ok((folder, (stat.st_dev, stat.st_ino)))
}

/// Returns a path that leads to exactly this folder, even if its name now belongs to another folder.
fn path_of(folder: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", folder.as_raw_fd())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;
    use std::time::Duration;

    use super::FolderAction::{Created, Deleted, Modified};
    use super::*;

    const MARKERS: [&str; 2] = ["first marker", "second marker"];

    struct Watch {
        home: PathBuf,
        changes: Receiver<FolderChange>,
        _parent: tempfile::TempDir,
        _connection: UnixStream,
    }

    fn watch(prepare: impl FnOnce(&Path)) -> Watch {
        let parent = tempfile::tempdir().expect("the tests may write to /tmp");
        let home = parent.path().join("home");
        for folder in ["Desktop", "Downloads"] {
            fs::create_dir_all(home.join(folder)).expect("the folder is writable");
        }
        prepare(&home);
        let folders = FolderWatcher::watch(&home, &["Desktop".into(), "Downloads".into()])
            .expect("there is enough space");
        let (connection, other) = UnixStream::pair().expect("there is enough space");
        let (sender, changes) = channel();
        thread::spawn(move || {
            let report = |change: &FolderChange| sender.send(change.clone()).map_err(io::Error::other);
            folders.follow(&other, report)
        });
        Watch { home, changes, _parent: parent, _connection: connection }
    }

    impl Watch {
        /// Returns the changes until now. Waits until the creation of two marker files was reported. One marker is not
        /// enough: if a folder is listed, the first marker is reported in any order with other files.
        fn all(&self) -> Vec<(String, FolderAction)> {
            let mut seen = Vec::new();
            for marker in MARKERS {
                // The watch may not cover a new folder yet, which does not affect the result.
                fs::write(self.home.join("Desktop").join(marker), "").expect("the folder is writable");
                loop {
                    let change =
                        self.changes.recv_timeout(Duration::from_secs(60)).expect("the change is reported");
                    if change.name == marker && change.action == Created {
                        break;
                    }
                    if !MARKERS.contains(&change.name.as_str()) {
                        seen.push((format!("{}/{}", change.folder, change.name), change.action));
                    }
                }
            }
            for marker in MARKERS {
                fs::remove_file(self.home.join("Desktop").join(marker)).expect("the folder is writable");
            }
            seen
        }

        fn expect(&self, expected: &[(&str, FolderAction)]) {
            let expected: Vec<_> = expected.iter().map(|&(path, action)| (path.to_owned(), action)).collect();
            assert_eq!(self.all(), expected);
        }

        fn path(&self, path: &str) -> PathBuf {
            self.home.join(path)
        }
    }

    #[test]
    fn a_recreated_folder_is_watched() {
        let watch = watch(|home| fs::write(home.join("Downloads/old"), "").expect("the folder is writable"));
        fs::remove_dir_all(watch.path("Downloads")).expect("the home is writable");
        fs::create_dir(watch.path("Downloads")).expect("the home is writable");
        fs::write(watch.path("Downloads/a"), "").expect("the home is writable");
        let seen = watch.all();
        assert_eq!(seen[..2], [("Downloads/old".to_owned(), Deleted), ("Downloads/a".to_owned(), Created)]);
        assert!(seen[2..].iter().all(|change| *change == ("Downloads/a".to_owned(), Modified)), "{seen:?}");
    }

    #[test]
    fn a_renamed_folder_is_watched_again_after_it_is_renamed_back() {
        let watch = watch(|home| fs::write(home.join("Downloads/a"), "").expect("the folder is writable"));
        fs::rename(watch.path("Downloads"), watch.path("Elsewhere")).expect("the home is writable");
        watch.expect(&[("Downloads/a", Deleted)]);
        fs::write(watch.path("Elsewhere/b"), "").expect("the home is writable");
        watch.expect(&[]);
        fs::remove_file(watch.path("Elsewhere/a")).expect("the home is writable");
        fs::rename(watch.path("Elsewhere"), watch.path("Downloads")).expect("the home is writable");
        watch.expect(&[("Downloads/b", Created)]);
    }

    #[test]
    fn two_folders_can_be_swapped() {
        let watch = watch(|home| fs::write(home.join("Downloads/a"), "").expect("the folder is writable"));
        fs::rename(watch.path("Downloads"), watch.path("x")).expect("the home is writable");
        fs::rename(watch.path("Desktop"), watch.path("Downloads")).expect("the home is writable");
        fs::rename(watch.path("x"), watch.path("Desktop")).expect("the home is writable");
        watch.expect(&[("Downloads/a", Deleted), ("Desktop/a", Created)]);
        fs::remove_file(watch.path("Desktop/a")).expect("the home is writable");
        watch.expect(&[("Desktop/a", Deleted)]);
    }

    #[test]
    fn a_link_in_place_of_a_folder_is_not_followed() {
        let watch = watch(|_| {});
        let outside = tempfile::tempdir().expect("the tests may write to /tmp");
        fs::remove_dir(watch.path("Downloads")).expect("the home is writable");
        symlink(outside.path(), watch.path("Downloads")).expect("the home is writable");
        fs::write(outside.path().join("secret"), "").expect("the folder is writable");
        watch.expect(&[]);
        fs::remove_file(watch.path("Downloads")).expect("the home is writable");
        fs::create_dir(watch.path("Downloads")).expect("the home is writable");
        watch.expect(&[]);
        fs::create_dir(watch.path("Downloads/a")).expect("the home is writable");
        watch.expect(&[("Downloads/a", Created)]);
    }

    #[test]
    fn no_change_is_lost_while_the_home_is_not_accessible() {
        let watch = watch(|home| fs::write(home.join("Downloads/a"), "").expect("the folder is writable"));
        for mode in [0o000, 0o700] {
            fs::set_permissions(&watch.home, fs::Permissions::from_mode(mode)).expect("the tests own it");
        }
        for mode in [0o000, 0o700] {
            fs::set_permissions(watch.path("Downloads"), fs::Permissions::from_mode(mode))
                .expect("the tests own it");
        }
        fs::remove_file(watch.path("Downloads/a")).expect("the home is writable");
        watch.expect(&[("Downloads/a", Deleted)]);
    }

    #[test]
    fn replacing_a_file_is_reported_as_a_modification() {
        let watch = watch(|home| fs::write(home.join("Desktop/a"), "old").expect("the folder is writable"));
        // Repeats until both calls together take less than half of the hold time. A slow machine may need several
        // attempts.
        loop {
            let began = Instant::now();
            fs::write(watch.path("Desktop/.a.tmp"), "new").expect("the home is writable");
            fs::rename(watch.path("Desktop/.a.tmp"), watch.path("Desktop/a")).expect("the home is writable");
            if began.elapsed() < pending::HOLD_TIME / 2 {
                break;
            }
            watch.all();
        }
        watch.expect(&[("Desktop/a", Modified)]);
        // A file that is renamed from another folder also replaces the existing file.
        fs::write(watch.path("b"), "newer").expect("the home is writable");
        fs::rename(watch.path("b"), watch.path("Desktop/a")).expect("the home is writable");
        watch.expect(&[("Desktop/a", Modified)]);
    }

    #[test]
    fn a_rename_is_reported_as_a_deletion_and_a_creation() {
        let watch = watch(|home| {
            for name in ["a", "b"] {
                fs::write(home.join("Desktop").join(name), name).expect("the folder is writable");
            }
        });
        fs::rename(watch.path("Desktop/a"), watch.path("Downloads/c")).expect("the home is writable");
        watch.expect(&[("Desktop/a", Deleted), ("Downloads/c", Created)]);
        // If the renamed file already existed, both changes are reported.
        fs::rename(watch.path("Desktop/b"), watch.path("Downloads/c")).expect("the home is writable");
        watch.expect(&[("Desktop/b", Deleted), ("Downloads/c", Modified)]);
        // Both changes are also reported if a temporary file is renamed to a new name.
        fs::create_dir(watch.path("Desktop/tmp")).expect("the home is writable");
        fs::rename(watch.path("Desktop/tmp"), watch.path("Desktop/d")).expect("the home is writable");
        watch.expect(&[("Desktop/tmp", Created), ("Desktop/tmp", Deleted), ("Desktop/d", Created)]);
    }
}
