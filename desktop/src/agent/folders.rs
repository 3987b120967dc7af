//! Changes in folders of the home, from the kernel. Folders inside them are not looked into.

#![expect(clippy::disallowed_methods, reason = "runs inside the box, with the rights of the computer's user")]

use std::collections::HashMap;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask};
use rustix::event::{PollFd, PollFlags, poll};

use super::protocol::{FolderAction, FolderChange};

/// Room for a burst of events with long names.
const BUFFER: usize = 16 * 1024;

/// A watch that is at work.
pub(super) struct Folders {
    inotify: Inotify,
    names: HashMap<WatchDescriptor, String>,
}

impl Folders {
    pub(super) fn watch(home: &Path, folders: &[String]) -> io::Result<Self> {
        let inotify = Inotify::init()?;
        // A file is modified when a writer has closed it, not with each of its writes.
        let interest = WatchMask::CREATE | WatchMask::CLOSE_WRITE | WatchMask::DELETE | WatchMask::MOVE;
        let mut names = HashMap::new();
        for folder in folders {
            // The user may have removed one of them.
            if let Ok(watch) = inotify.watches().add(home.join(folder), interest) {
                names.insert(watch, folder.clone());
            }
        }
        Ok(Self { inotify, names })
    }

    /// Reports changes until `connection` hangs up or `report` fails.
    pub(super) fn follow(
        mut self,
        connection: &UnixStream,
        report: impl Fn(&FolderChange) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut buffer = [0; BUFFER];
        loop {
            let mut ends = [
                PollFd::from_borrowed_fd(self.inotify.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(connection.as_fd(), PollFlags::IN),
            ];
            poll(&mut ends, None)?;
            // The server has nothing more to say, so it has gone.
            if !ends[1].revents().is_empty() {
                return Ok(());
            }
            for change in self.inotify.read_events(&mut buffer)? {
                let described = action(change.mask).zip(change.name).zip(self.names.get(&change.wd));
                if let Some(((action, name), folder)) = described {
                    let name = name.to_string_lossy().into_owned();
                    report(&FolderChange { folder: folder.clone(), name, action })?;
                }
            }
        }
    }
}

/// A rename is the end of one name and the beginning of another.
fn action(mask: EventMask) -> Option<FolderAction> {
    if mask.intersects(EventMask::CREATE | EventMask::MOVED_TO) {
        Some(FolderAction::Created)
    } else if mask.contains(EventMask::CLOSE_WRITE) {
        Some(FolderAction::Modified)
    } else if mask.intersects(EventMask::DELETE | EventMask::MOVED_FROM) {
        Some(FolderAction::Deleted)
    } else {
        None
    }
}
