//! Changes that wait to be reported, in their order.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::agent::protocol::{FolderAction, FolderChange};

/// How long the changes of a new file wait. Programs save a file by writing a temporary one and renaming it to the name of the
/// file: if both happen in this time, only the file is reported as modified.
pub(super) const HOLD_TIME: Duration = Duration::from_millis(500);
/// The maximum number of changes that wait. More are reported at once.
const MAX_PENDING: usize = 1024;

#[derive(Default)]
pub(super) struct Pending(VecDeque<PendingChange>);

struct PendingChange {
    change: FolderChange,
    due: Instant,
    /// What the kernel gives both ends of a rename.
    cookie: u32,
}

impl Pending {
    pub(super) fn push(&mut self, change: FolderChange) {
        // Behind the others of a new file, with them.
        let creation = self.creation_of(&change.folder, &change.name);
        let due = creation.map_or_else(Instant::now, |index| self.0[index].due);
        self.0.push_back(PendingChange { change, due, cookie: 0 });
    }

    /// Holds a change, and those that follow it.
    pub(super) fn created(&mut self, change: FolderChange) {
        self.0.push_back(PendingChange { change, due: Instant::now() + HOLD_TIME, cookie: 0 });
    }

    /// `cookie` is that of the rename, or 0.
    pub(super) fn deleted(&mut self, change: FolderChange, cookie: u32) {
        self.push(change);
        if let Some(last) = self.0.back_mut() {
            last.cookie = cookie;
        }
    }

    /// A rename gave a file the name of another one. If the file was new, nothing of its earlier name is reported.
    pub(super) fn replaced(&mut self, change: FolderChange, cookie: u32) {
        let from = self.0.iter().rev().find(|held| cookie != 0 && held.cookie == cookie);
        let from = from.map(|held| (held.change.folder.clone(), held.change.name.clone()));
        if let Some((folder, name)) = from
            && let Some(creation) = self.creation_of(&folder, &name)
        {
            // A file that had the name before was another one.
            let later = self.0.split_off(creation);
            self.0.extend(later.into_iter().filter(|held| !is_of(&held.change, &folder, &name)));
        }
        self.push(change);
    }

    /// The index of the creation of a file, if it waits.
    fn creation_of(&self, folder: &str, name: &str) -> Option<usize> {
        let is_its_creation = |held: &PendingChange| {
            held.change.action == FolderAction::Created && is_of(&held.change, folder, name)
        };
        self.0.iter().rposition(is_its_creation)
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.0.front().map(|held| held.due)
    }

    /// The next change, if it has waited long enough.
    pub(super) fn release(&mut self, now: Instant) -> Option<FolderChange> {
        let is_due = self.0.len() > MAX_PENDING || self.0.front().is_some_and(|held| held.due <= now);
        if is_due { self.0.pop_front().map(|held| held.change) } else { None }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

fn is_of(change: &FolderChange, folder: &str, name: &str) -> bool {
    change.folder == folder && change.name == name
}
