//! Queues the changes that are not reported yet, in order.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::agent::protocol::{FolderAction, FolderChange};

/// The time for which the changes of a new file are held back. Programs save a file by writing a temporary file and
/// renaming it. If both happen within this time, only the modification of the saved file is reported.
pub(super) const HOLD_TIME: Duration = Duration::from_millis(500);
/// The maximum number of pending changes. Above this number, the oldest change is reported immediately.
const MAX_PENDING: usize = 1024;

#[derive(Default)]
pub(super) struct Pending(VecDeque<PendingChange>);

struct PendingChange {
    change: FolderChange,
    due: Instant,
    /// The cookie of the rename, or 0 if the change is not the deletion by a rename. The kernel gives both events of a
    /// rename the same cookie.
    cookie: u32,
}

impl Pending {
    pub(super) fn push(&mut self, change: FolderChange) {
        // Later changes of a new file are held back together with its creation.
        let creation = self.creation_of(&change.folder, &change.name);
        let due = creation.map_or_else(Instant::now, |index| self.0[index].due);
        self.0.push_back(PendingChange { change, due, cookie: 0 });
    }

    /// Adds the creation of a file. The creation and the changes that follow it are held back.
    pub(super) fn created(&mut self, change: FolderChange) {
        self.0.push_back(PendingChange { change, due: Instant::now() + HOLD_TIME, cookie: 0 });
    }

    /// Adds the deletion of a file. `cookie` is the cookie of the rename that removed the name, or 0 if the file was
    /// not renamed.
    pub(super) fn deleted(&mut self, change: FolderChange, cookie: u32) {
        self.push(change);
        if let Some(last) = self.0.back_mut() {
            last.cookie = cookie;
        }
    }

    /// Adds the replacement of a file by a rename. If the renamed file is new, drops the changes under its former name.
    pub(super) fn replaced(&mut self, change: FolderChange, cookie: u32) {
        let from = self.0.iter().rev().find(|held| cookie != 0 && held.cookie == cookie);
        let from = from.map(|held| (held.change.folder.clone(), held.change.name.clone()));
        if let Some((folder, name)) = from
            && let Some(creation) = self.creation_of(&folder, &name)
        {
            // Keeps the changes of an earlier file with the same name.
            let later = self.0.split_off(creation);
            self.0.extend(later.into_iter().filter(|held| !is_of(&held.change, &folder, &name)));
        }
        self.push(change);
    }

    /// Returns the index of the pending creation of a file.
    fn creation_of(&self, folder: &str, name: &str) -> Option<usize> {
        let is_its_creation = |held: &PendingChange| {
            held.change.action == FolderAction::Created && is_of(&held.change, folder, name)
        };
        self.0.iter().rposition(is_its_creation)
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.0.front().map(|held| held.due)
    }

    /// Removes and returns the oldest change, if it was held back long enough or too many changes are pending.
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
