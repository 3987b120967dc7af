//! Reduces the privileges of a server that root has started: sets up private mounts, then drops the capabilities that
//! the server does not need.

#![expect(clippy::disallowed_methods, reason = "accesses files of the system before any computer runs")]

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind, mount_change};
use rustix::process::geteuid;
use rustix::thread::{
    CapabilitySet, CapabilitySets, UnshareFlags, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs, unshare_unsafe,
};

/// The capabilities that the server needs to create and remove the homes of other users, and to start and kill their
/// processes.
const KEPT_CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    // If there are no other users, a box runs as root, and the kernel requires this capability to map root into a user
    // namespace.
    .union(CapabilitySet::SETFCAP);

/// The first port that a process without `NET_BIND_SERVICE` may listen on.
const FIRST_FREE_PORT: u16 = 1024;

/// The TUN device, through which slirp4netns connects a network namespace, and its folder.
const TUN_DEVICE: &str = "/dev/net/tun";
const TUN_FOLDER: &str = "/dev/net";
/// The major and minor number of the TUN device.
const TUN_NUMBER: (u32, u32) = (10, 200);

/// Folders that exist on every Debian system. The server may mount the homes on one of them in its own mount namespace.
const BIND_TARGETS: &[&str] = &["/mnt", "/srv", "/media"];

/// Drops the capabilities that the server does not need, for this process and all processes that it starts. Must be
/// called while the process has only one thread.
///
/// Returns the path at which the users of computers can reach `homes`: the same path or that of a mount. `has_networks`
/// is true if computers have their own network namespaces.
pub(crate) fn drop_privileges(homes: &Path, port: u16, has_networks: bool) -> PathBuf {
    if !geteuid().is_root() {
        return homes.to_owned();
    }
    let place = mount_private(homes, has_networks).unwrap_or_else(|error| {
        tracing::warn!("cannot create the server's private mounts: {error}");
        homes.to_owned()
    });
    if let Err(error) = limit_capabilities(port) {
        tracing::warn!("cannot drop capabilities, the server keeps all of root's: {error}");
    }
    place
}

/// Mounts the homes and the TUN device at paths that the users of computers can access, unless the users already have
/// access. The mounts are in a mount namespace of the server and not visible to other processes. Returns the path of
/// the homes.
fn mount_private(homes: &Path, has_networks: bool) -> io::Result<PathBuf> {
    let tun_is_closed =
        has_networks && fs::metadata(TUN_DEVICE).is_ok_and(|device| device.mode() & 0o006 != 0o006);
    let homes_are_closed = !is_reachable(homes);
    if !tun_is_closed && !homes_are_closed {
        return Ok(homes.to_owned());
    }
    // SAFETY: the call does not unshare the descriptor table. It unshares the file system attributes, but only one
    // thread exists.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }?;
    // Later mounts of the system appear in this namespace, but mounts in this namespace do not appear elsewhere.
    mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
    if tun_is_closed {
        mount(
            "tmpfs",
            TUN_FOLDER,
            "tmpfs",
            MountFlags::NOSUID | MountFlags::NOEXEC,
            Some(c"mode=755,size=64k"),
        )?;
        let (major, minor) = TUN_NUMBER;
        mknodat(CWD, TUN_DEVICE, FileType::CharacterDevice, Mode::empty(), makedev(major, minor))?;
        // Sets the mode separately, since the umask restricts the mode of a new file.
        rustix::fs::chmod(TUN_DEVICE, Mode::from_raw_mode(0o666))?;
    }
    if !homes_are_closed {
        return Ok(homes.to_owned());
    }
    let target =
        BIND_TARGETS.iter().map(Path::new).find(|target| target.is_dir() && !homes.starts_with(target));
    let target = target.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    mount_bind(homes, target)?;
    Ok(target.to_owned())
}

/// Returns the mode of the folders above a home. If the server runs as root, other users may traverse the folders, but
/// not list them.
pub(crate) fn traversable_mode() -> u32 {
    if geteuid().is_root() { 0o711 } else { 0o700 }
}

fn limit_capabilities(port: u16) -> io::Result<()> {
    let kept = if port != 0 && port < FIRST_FREE_PORT {
        KEPT_CAPABILITIES | CapabilitySet::NET_BIND_SERVICE
    } else {
        KEPT_CAPABILITIES
    };
    for capability in CapabilitySet::all().difference(kept).iter() {
        // The call fails if the kernel does not know the capability, or if this process may not drop it.
        let _ = remove_capability_from_bounding_set(capability);
    }
    let held = rustix::thread::capabilities(None)?.permitted & kept;
    set_capabilities(
        None,
        CapabilitySets { effective: held, permitted: held, inheritable: CapabilitySet::empty() },
    )?;
    Ok(())
}

/// Permanently drops all capabilities of this process and of all processes that it starts.
pub(crate) fn drop_all_capabilities() -> io::Result<()> {
    for capability in CapabilitySet::all().iter() {
        // If this process may not drop the capability, `no_new_privs` still prevents programs from gaining it.
        let _ = remove_capability_from_bounding_set(capability);
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    Ok(set_no_new_privs(true)?)
}

/// Returns whether users other than root can traverse a folder and all folders above it.
pub(crate) fn is_reachable(path: &Path) -> bool {
    path.ancestors().filter_map(|folder| fs::metadata(folder).ok()).all(|folder| folder.mode() & 0o001 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_below_one_that_others_cannot_traverse_is_not_reachable() {
        use std::os::unix::fs::PermissionsExt as _;

        let parent = tempfile::tempdir().expect("the tests may write to /tmp");
        let set = |mode| fs::set_permissions(parent.path(), fs::Permissions::from_mode(mode));
        fs::create_dir(parent.path().join("homes")).expect("the folder is writable");
        set(0o700).expect("the folder is writable");
        assert!(!is_reachable(&parent.path().join("homes")));
        set(0o711).expect("the folder is writable");
        assert!(is_reachable(&parent.path().join("homes")));
    }
}
