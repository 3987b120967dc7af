//! The trees of control groups of this machine, and this server's place in them. There are two versions of the interface:
//! the first has a tree for each kind of resource, the second one for all.

#![expect(
    clippy::disallowed_methods,
    reason = "works with control groups, which only the server's account can change"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What computers are limited in.
const CONTROLLERS: &[&str] = &["memory", "cpu", "pids"];

/// Where the server itself goes, in a tree of the second version, whose inner groups may have no members.
const SERVER_ITSELF: &str = "server";

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Version {
    One,
    Two,
}

impl Version {
    pub(super) fn memory_limit(self) -> &'static str {
        match self {
            Self::One => "memory.limit_in_bytes",
            Self::Two => "memory.max",
        }
    }
}

/// A tree in which this server may make groups.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Hierarchy {
    pub(super) version: Version,
    /// This server's own group.
    pub(super) folder: PathBuf,
    controllers: Vec<String>,
}

impl Hierarchy {
    /// The trees in which a group named `name` can be made.
    pub(super) fn usable(name: &str) -> Vec<Self> {
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        let found = find(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
        found.into_iter().filter_map(|hierarchy| hierarchy.prepare(name)).collect()
    }

    pub(super) fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|it| it == controller)
    }

    /// Makes a group with the ones above it.
    pub(super) fn make(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        if self.version == Version::Two
            && let Some(server) = folder.parent()
        {
            // What a group may limit is for the one above it to say.
            self.enable(server)?;
        }
        Ok(())
    }

    /// Tries it out, since neither permissions nor mount options tell everything.
    fn prepare(mut self, name: &str) -> Option<Self> {
        if self.version == Version::Two {
            let offered = fs::read_to_string(self.folder.join("cgroup.controllers")).ok()?;
            self.controllers.retain(|controller| offered.split_whitespace().any(|it| it == controller));
            if self.controllers.is_empty()
                || self.enable(&self.folder).or_else(|_| self.move_server_to_subgroup()).is_err()
            {
                return None;
            }
        }
        let tried = self.folder.join(name);
        fs::create_dir(&tried).and_then(|()| fs::remove_dir(&tried)).ok()?;
        Some(self)
    }

    fn enable(&self, folder: &Path) -> io::Result<()> {
        let all: Vec<_> = self.controllers.iter().map(|controller| format!("+{controller}")).collect();
        fs::write(folder.join("cgroup.subtree_control"), all.join(" "))
    }

    /// Moves this server from its group to one below it, if nobody else is there: then the group is its own.
    fn move_server_to_subgroup(&self) -> io::Result<()> {
        let own = std::process::id().to_string();
        if fs::read_to_string(self.folder.join("cgroup.procs"))?.trim() != own {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        let aside = self.folder.join(SERVER_ITSELF);
        fs::create_dir_all(&aside)?;
        fs::write(aside.join("cgroup.procs"), own)?;
        self.enable(&self.folder)
    }
}

/// Reads the trees of `/proc/self/mountinfo` and the places in them of `/proc/self/cgroup`.
fn find(mounts: &str, memberships: &str) -> Vec<Hierarchy> {
    mounts.lines().filter_map(|mount| read(mount, memberships)).collect()
}

fn read(mount: &str, memberships: &str) -> Option<Hierarchy> {
    // ID PARENT DEVICE ROOT MOUNT-POINT OPTIONS [TAGS...] - TYPE SOURCE TREE-OPTIONS
    let (left, right) = mount.split_once(" - ")?;
    let mut left = left.split(' ').skip(3);
    let (root, point) = (left.next()?, left.next()?);
    let mut right = right.split(' ');
    let (kind, options) = (right.next()?, right.nth(1)?);
    let wanted = |names: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        names.filter(|name| CONTROLLERS.contains(name)).map(str::to_owned).collect()
    };
    let (version, controllers) = match kind {
        "cgroup" => (Version::One, wanted(&mut options.split(','))),
        "cgroup2" => (Version::Two, wanted(&mut CONTROLLERS.iter().copied())),
        _ => return None,
    };
    if controllers.is_empty() {
        return None;
    }
    // ID:CONTROLLERS:PLACE, without controllers for the second version.
    let membership = memberships.lines().find_map(|line| {
        let (names, membership) = line.split_once(':')?.1.split_once(':')?;
        let matches = match version {
            Version::One => names.split(',').any(|name| controllers.iter().any(|it| it == name)),
            Version::Two => names.is_empty(),
        };
        matches.then_some(membership)
    })?;
    // A container may see only a part of the tree.
    let membership = membership.strip_prefix(root.trim_end_matches('/'))?;
    let folder = Path::new(point).join(membership.trim_start_matches('/'));
    Some(Hierarchy { version, folder, controllers })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hierarchy(version: Version, folder: &str, controllers: &[&str]) -> Hierarchy {
        let controllers = controllers.iter().map(|&name| name.to_owned()).collect();
        Hierarchy { version, folder: folder.into(), controllers }
    }

    #[test]
    fn the_first_version_has_a_tree_for_each_resource() {
        let mounts = "\
            25 22 0:23 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
            26 25 0:24 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
            30 25 0:28 /docker/a1 /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
            31 25 0:29 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer\n";
        let memberships = "6:freezer:/\n4:memory:/docker/a1/b2\n1:cpu,cpuacct:/\n0::/\n";
        assert_eq!(
            find(mounts, memberships),
            [
                hierarchy(Version::One, "/sys/fs/cgroup/cpu,cpuacct", &["cpu"]),
                hierarchy(Version::One, "/sys/fs/cgroup/memory/b2", &["memory"]),
            ]
        );
    }

    #[test]
    fn the_second_version_has_one_tree() {
        let mounts = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let membership = "/system.slice/orgo-desktop.service";
        assert_eq!(
            find(mounts, &format!("0::{membership}\n")),
            [hierarchy(Version::Two, &format!("/sys/fs/cgroup{membership}"), CONTROLLERS)]
        );
    }

    #[test]
    fn a_place_outside_of_what_is_mounted_is_no_place() {
        let mounts = "30 25 0:28 /docker/a1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        assert_eq!(find(mounts, "4:memory:/other\n"), []);
        assert_eq!(find("nonsense", ""), []);
    }
}
