//! Finds the cgroup hierarchies of this machine in which the server may create groups. cgroup v1 has one hierarchy per
//! kind of resource. cgroup v2 has one hierarchy for all resources.

#![expect(
    clippy::disallowed_methods,
    reason = "uses control groups, which only the server's account can change"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The controllers that limit computers.
const CONTROLLERS: &[&str] = &["memory", "cpu", "pids"];

/// The name of the group for the server process itself in cgroup v2, where a group with subgroups cannot have members.
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

/// A hierarchy in which this server may create groups.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Hierarchy {
    pub(super) version: Version,
    /// The group that the server was started in.
    pub(super) folder: PathBuf,
    controllers: Vec<String>,
}

impl Hierarchy {
    /// Returns the hierarchies in which a group named `name` can be created.
    pub(super) fn usable(name: &str) -> Vec<Self> {
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        let found = find(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
        found.into_iter().filter_map(|hierarchy| hierarchy.prepare(name)).collect()
    }

    pub(super) fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|it| it == controller)
    }

    /// Creates a group and its parents, with the controllers of this hierarchy.
    pub(super) fn make(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        if self.version == Version::Two
            && let Some(server) = folder.parent()
        {
            // The controllers of a group are enabled in its parent group.
            self.enable(server)?;
        }
        Ok(())
    }

    /// Enables the controllers, then creates and removes a group as a test, since neither permissions nor mount options
    /// show reliably whether the server can create groups. Returns `None` if it cannot.
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

    /// Moves this server from its group to a subgroup. Fails if the group has other members.
    fn move_server_to_subgroup(&self) -> io::Result<()> {
        let own = std::process::id().to_string();
        if fs::read_to_string(self.folder.join("cgroup.procs"))?.trim() != own {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        let subgroup = self.folder.join(SERVER_ITSELF);
        fs::create_dir_all(&subgroup)?;
        fs::write(subgroup.join("cgroup.procs"), own)?;
        self.enable(&self.folder)
    }
}

/// Finds the hierarchies in the content of `/proc/self/mountinfo` and `/proc/self/cgroup`.
fn find(mounts: &str, memberships: &str) -> Vec<Hierarchy> {
    mounts.lines().filter_map(|mount| read(mount, memberships)).collect()
}

fn read(mount: &str, memberships: &str) -> Option<Hierarchy> {
    // The format is `ID PARENT DEVICE ROOT MOUNT-POINT OPTIONS [TAGS...] - TYPE SOURCE SUPER-OPTIONS`.
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
    // The format is `ID:CONTROLLERS:PATH`. The field CONTROLLERS is empty in cgroup v2.
    let membership = memberships.lines().find_map(|line| {
        let (names, membership) = line.split_once(':')?.1.split_once(':')?;
        let matches = match version {
            Version::One => names.split(',').any(|name| controllers.iter().any(|it| it == name)),
            Version::Two => names.is_empty(),
        };
        matches.then_some(membership)
    })?;
    // In a container, only a part of the hierarchy may be mounted.
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
    fn cgroup_v1_has_one_hierarchy_per_resource() {
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
    fn cgroup_v2_has_one_hierarchy() {
        let mounts = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let membership = "/system.slice/orgo-desktop.service";
        assert_eq!(
            find(mounts, &format!("0::{membership}\n")),
            [hierarchy(Version::Two, &format!("/sys/fs/cgroup{membership}"), CONTROLLERS)]
        );
    }

    #[test]
    fn a_group_outside_of_the_mount_is_ignored() {
        let mounts = "30 25 0:28 /docker/a1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        assert_eq!(find(mounts, "4:memory:/other\n"), []);
        assert_eq!(find("nonsense", ""), []);
    }
}
