//! The homes of all computers, under the data folder.

#![expect(clippy::disallowed_methods, reason = "reads the list of users")]

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::process::geteuid;

use crate::privileges::can_be_reached;
use crate::untrusted::Folder;

use super::skeleton::{self, HOME};

/// The host's users that computers run as, when the server is root, begin at the first of these that there is. No Debian system
/// hands the first out; a container without root's rights on the host often has 65536 users only.
const FIRST_OWNERS: [u32; 2] = [200_000, 30_000];
/// Which users there are for this process.
const USER_MAP: &str = "/proc/self/uid_map";

/// Holds one folder for each computer, by its id, and in that its home. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Homes {
    path: PathBuf,
    folder: Arc<Folder>,
}

/// One computer's home.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) path: PathBuf,
    /// The host's user that it belongs to, when it is not the server's own.
    pub(super) owner: Option<u32>,
}

impl Homes {
    /// `path` is a folder of the server's own.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let folder = Arc::new(Folder::open(&path)?);
        Ok(Self { path, folder })
    }

    /// Makes the home if there is none, and lets its computer's user reach it, and no other account.
    pub(super) fn prepare(&self, id: &str, slot: u32) -> io::Result<Home> {
        let owner = self.owner(id, slot)?;
        let computer = self.folder.create_passage(id, owner)?;
        skeleton::furnish(&computer, owner)?;
        Ok(Home { path: self.path.join(id).join(HOME), owner })
    }

    /// Removes a computer's folder, with its home.
    pub(super) fn remove(&self, id: &str) -> io::Result<()> {
        self.folder.remove(id)
    }

    /// Root gives each computer a user of its own, since a box that has root's user outside is hardly one. A home that exists
    /// keeps its owner.
    fn owner(&self, id: &str, slot: u32) -> io::Result<Option<u32>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let map = fs::read_to_string(USER_MAP).unwrap_or_default();
        let own = FIRST_OWNERS.map(|first| first + slot).into_iter().find(|&user| covers(&map, user));
        let path = self.path.display();
        match (self.folder.folder(id).and_then(|computer| computer.folder(HOME)?.owner()), own) {
            (Ok(0), Some(own)) => Err(io::Error::other(format!(
                "it belongs to root, and computers do not run as root: chown -R {own}:{own} {path}/{id}/{HOME}"
            ))),
            (Ok(owner @ 1..), _) => Ok(Some(owner)),
            (Err(_), Some(own)) if can_be_reached(&self.path) => Ok(Some(own)),
            (Err(_), Some(_)) => Err(io::Error::other(format!(
                "computers run as users of their own, who cannot pass through the folders above {path}: \
                 choose another --data-dir"
            ))),
            // Root of a namespace that is somebody else outside, and has nobody to give a computer to.
            (_, None) if !is_root_outside(&map) => Ok(None),
            (_, None) => Err(io::Error::other(
                "computers do not run as root, and this server's namespace has no other users: \
                 run it as another user, or give it some",
            )),
        }
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
fn covers(map: &str, user: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map_while(|number| number.parse::<u64>().ok());
        let (first, _, count) = (numbers.next(), numbers.next(), numbers.next());
        first.zip(count).is_some_and(|(first, count)| (first..first + count).contains(&user.into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_has_the_users_of_its_map() {
        assert!(covers("         0          0 4294967295\n", 200_001));
        let container = "         0       1000          1\n         1     100000      65536\n";
        assert!(covers(container, 0) && covers(container, 65_536));
        assert!(!covers(container, 65_537) && !covers(container, 200_000));
        assert!(!is_root_outside(container) && is_root_outside("         0          0          1\n"));
    }
}
