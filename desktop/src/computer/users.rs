//! Selects the users of the host that computers run as.

#![expect(clippy::disallowed_methods, reason = "reads the user IDs of the namespace in `/proc`")]

use std::fs;

use rustix::process::geteuid;
use rustix::thread::{CapabilitySet, capabilities};

/// The candidates for the lowest user ID of computers if the server is root. The first candidate that exists is used.
/// Debian does not assign 200,000 to any other user, but a rootless container often has only 65,536 user IDs.
const FIRST_USER_IDS: [u32; 2] = [200_000, 30_000];
/// The path of the file that lists the user IDs of this process's user namespace.
const UID_MAP: &str = "/proc/self/uid_map";
/// The capabilities to start a process as another user, to give files to that user, and to kill the process.
const REQUIRED_CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID);

/// The users that computers run as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Users {
    /// Each computer has a separate user ID. `first` is the lowest ID.
    PerComputer { first: u32 },
    /// All computers run as the server's own user. This user is not root, or is root only in a user namespace.
    Shared,
    /// The server is root on the host or in a container, and cannot use other users.
    Root,
}

impl Users {
    /// Detects which users this process can assign.
    pub(crate) fn detect() -> Self {
        if !geteuid().is_root() {
            return Self::Shared;
        }
        let has_capabilities =
            capabilities(None).is_ok_and(|own| own.effective.contains(REQUIRED_CAPABILITIES));
        Self::detect_as_root(&fs::read_to_string(UID_MAP).unwrap_or_default(), has_capabilities)
    }

    fn detect_as_root(map: &str, has_capabilities: bool) -> Self {
        match FIRST_USER_IDS.into_iter().find(|&user| has_user(map, user)) {
            Some(first) if has_capabilities => Self::PerComputer { first },
            _ if is_root_outside(map) => Self::Root,
            _ => Self::Shared,
        }
    }

    /// Returns the user ID of the computer in this slot; `None` for the user of the server.
    pub(super) fn for_slot(self, slot: u32) -> Option<u32> {
        match self {
            Self::PerComputer { first } => Some(first + slot),
            Self::Shared | Self::Root => None,
        }
    }

    /// Returns the user ID with which the server tests whether boxes work; `None` for the user of the server.
    pub(crate) fn first(self) -> Option<u32> {
        self.for_slot(0)
    }
}

/// Returns whether root in this namespace is also root in the parent namespace.
fn is_root_outside(map: &str) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace();
        (numbers.next(), numbers.next()) == (Some("0"), Some("0"))
    })
}

/// Returns whether a user ID exists in a namespace. A line of `map` contains the first ID inside, the first ID outside,
/// and the number of IDs.
fn has_user(map: &str, user: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map_while(|number| number.parse::<u64>().ok());
        let (first, _, count) = (numbers.next(), numbers.next(), numbers.next());
        first.zip(count).is_some_and(|(first, count)| (first..first + count).contains(&user.into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "         0          0 4294967295\n";
    const CONTAINER: &str = "         0       1000          1\n         1     100000      65536\n";
    const ALONE: &str = "         0       1000          1\n";

    #[test]
    fn the_users_of_a_namespace_are_read_from_its_map() {
        assert!(has_user(HOST, 200_001));
        assert!(has_user(CONTAINER, 0) && has_user(CONTAINER, 65_536));
        assert!(!has_user(CONTAINER, 65_537) && !has_user(CONTAINER, 200_000));
        assert!(!is_root_outside(CONTAINER) && is_root_outside("         0          0          1\n"));
    }

    #[test]
    fn root_uses_one_user_per_computer_if_users_and_capabilities_allow() {
        assert_eq!(Users::detect_as_root(HOST, true), Users::PerComputer { first: 200_000 });
        assert_eq!(Users::detect_as_root(CONTAINER, true), Users::PerComputer { first: 30_000 });
        assert_eq!(Users::detect_as_root(HOST, false), Users::Root);
        assert_eq!(Users::detect_as_root("         0          0          1\n", true), Users::Root);
        for has_capabilities in [true, false] {
            assert_eq!(Users::detect_as_root(ALONE, has_capabilities), Users::Shared);
        }
    }
}
