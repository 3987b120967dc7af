//! The host's users that computers run as.

#![expect(clippy::disallowed_methods, reason = "reads the list of users")]

use std::fs;

use rustix::process::geteuid;
use rustix::thread::{CapabilitySet, capabilities};

/// If the server is root, computers' users begin at the first of these that there is. No Debian system hands the first out; a
/// container without root's rights on the host often has 65536 users only.
const FIRST_USER_IDS: [u32; 2] = [200_000, 30_000];
/// Which users there are for this process.
const UID_MAP: &str = "/proc/self/uid_map";
/// What it takes to start a process of another user, to give files to it, and to end it.
const REQUIRED_CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID);

/// Who computers run as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Users {
    /// Each is a user of its own; this is the first one's.
    PerComputer { first: u32 },
    /// All are the server's own user, which is not root, or the root of a namespace who is somebody else outside.
    Shared,
    /// There is only root, and it is the host's or that of a container.
    Root,
}

impl Users {
    /// Whom this process can give computers to.
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

    /// The user of the computer with that number, if it is not the server's own.
    pub(super) fn for_slot(self, slot: u32) -> Option<u32> {
        match self {
            Self::PerComputer { first } => Some(first + slot),
            Self::Shared | Self::Root => None,
        }
    }

    /// Who a box is tried as.
    pub(crate) fn first(self) -> Option<u32> {
        self.for_slot(0)
    }
}

/// Whether the root of a namespace is that of the one outside.
fn is_root_outside(map: &str) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace();
        (numbers.next(), numbers.next()) == (Some("0"), Some("0"))
    })
}

/// Whether a namespace has a user: in a container without root's rights on the host it may have a few only. A line of `map`
/// is the first user inside, the first outside, and how many.
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
    fn a_namespace_has_the_users_of_its_map() {
        assert!(has_user(HOST, 200_001));
        assert!(has_user(CONTAINER, 0) && has_user(CONTAINER, 65_536));
        assert!(!has_user(CONTAINER, 65_537) && !has_user(CONTAINER, 200_000));
        assert!(!is_root_outside(CONTAINER) && is_root_outside("         0          0          1\n"));
    }

    #[test]
    fn root_gives_computers_users_of_their_own_if_it_has_and_may() {
        assert_eq!(Users::detect_as_root(HOST, true), Users::PerComputer { first: 200_000 });
        assert_eq!(Users::detect_as_root(CONTAINER, true), Users::PerComputer { first: 30_000 });
        assert_eq!(Users::detect_as_root(HOST, false), Users::Root);
        assert_eq!(Users::detect_as_root("         0          0          1\n", true), Users::Root);
        for has_capabilities in [true, false] {
            assert_eq!(Users::detect_as_root(ALONE, has_capabilities), Users::Shared);
        }
    }
}
