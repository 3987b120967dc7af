//! Which processes of the box are its user's: those that the server needs for itself are not reported.

use std::collections::HashSet;
use std::io;
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The helpers of the server that run, such as a recorder.
#[derive(Debug, Default)]
pub(super) struct Roster(Mutex<HashSet<u32>>);

impl Roster {
    /// Starts a process. Meanwhile no list is read, which would show a copy of this program that is not yet another.
    pub(super) fn start<T>(
        &self,
        is_helper: bool,
        start: impl FnOnce() -> io::Result<(Child, T)>,
    ) -> io::Result<(Child, T)> {
        let mut helpers = self.lock();
        let started = start()?;
        if is_helper {
            helpers.insert(started.0.id());
        }
        Ok(started)
    }

    /// Says that a process has ended, whose number may be another's from now on.
    pub(super) fn ended(&self, pid: u32) {
        self.lock().remove(&pid);
    }

    /// Reads a list of processes; what it is read with is told which of them are helpers.
    pub(super) fn read<T>(&self, read: impl FnOnce(&HashSet<u32>) -> T) -> T {
        read(&self.lock())
    }

    /// No code that holds the lock can panic half way through a change.
    fn lock(&self) -> MutexGuard<'_, HashSet<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn listed(roster: &Roster, pid: u32) -> bool {
        roster.read(|helpers| helpers.contains(&pid))
    }

    #[test]
    fn a_helper_is_one_from_its_first_moment_to_its_end() {
        let roster = Roster::default();
        let cat = || Ok((Command::new("cat").stdin(Stdio::piped()).spawn()?, ()));
        let (mut helper, ()) = roster.start(true, cat).expect("every system has cat");
        let (mut other, ()) = roster.start(false, cat).expect("every system has cat");
        assert!(listed(&roster, helper.id()) && !listed(&roster, other.id()));
        for child in [&mut helper, &mut other] {
            // It ends with its input.
            drop(child.stdin.take());
            child.wait().expect("it is ours");
            roster.ended(child.id());
            assert!(!listed(&roster, child.id()));
        }
    }
}
