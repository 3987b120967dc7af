//! Detects changes in the list of processes inside the computer.

use std::collections::BTreeMap;

use super::children::Children;
use super::kill::{living_descendants, process_name};
use super::protocol::ProcessChange;
use super::supervise;

/// The names of the processes at the last read, by process ID.
#[derive(Debug, Default)]
pub(super) struct ProcessList(BTreeMap<u32, String>);

impl ProcessList {
    /// Reads `/proc` again and returns the changes. Does not report a process that started and ended between two reads.
    pub(super) fn refresh(&mut self, children: &Children) -> Vec<ProcessChange> {
        let now = children.with_helpers(|helpers| {
            living_descendants()
                .filter_map(|pid| Some((u32::try_from(pid).ok()?, process_name(pid)?)))
                .filter(|(pid, name)| name != supervise::NAME && !helpers.contains(pid))
                .collect()
        });
        self.advance(now)
    }

    /// Returns the changes from the last read to `now`. A new name usually means that the process executed another
    /// program (`exec`). The new name is reported as the end of the old program and the start of the new one.
    fn advance(&mut self, now: BTreeMap<u32, String>) -> Vec<ProcessChange> {
        let before = std::mem::replace(&mut self.0, now);
        let ended = before
            .iter()
            .filter(|(pid, name)| self.0.get(pid) != Some(name))
            .map(|(&pid, name)| ProcessChange::Ended { pid, name: name.clone() });
        let started = self
            .0
            .iter()
            .filter(|(pid, name)| before.get(pid) != Some(name))
            .map(|(&pid, name)| ProcessChange::Started { pid, name: name.clone() });
        ended.chain(started).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(processes: &[(u32, &str)]) -> BTreeMap<u32, String> {
        processes.iter().map(|&(pid, name)| (pid, name.to_owned())).collect()
    }

    #[test]
    fn changes_are_the_difference_between_two_reads() {
        let mut process_list = ProcessList(list(&[(2, "bash"), (3, "sleep")]));
        let changes = process_list.advance(list(&[(2, "bash"), (4, "vim")]));
        assert_eq!(
            changes,
            [
                ProcessChange::Ended { pid: 3, name: "sleep".into() },
                ProcessChange::Started { pid: 4, name: "vim".into() }
            ]
        );
    }

    #[test]
    fn exec_is_reported_as_an_end_and_a_start() {
        let mut process_list = ProcessList(list(&[(2, "bash")]));
        let changes = process_list.advance(list(&[(2, "mousepad")]));
        assert_eq!(
            changes,
            [
                ProcessChange::Ended { pid: 2, name: "bash".into() },
                ProcessChange::Started { pid: 2, name: "mousepad".into() }
            ]
        );
    }
}
