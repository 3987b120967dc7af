//! What a server that root started keeps of root's rights, and what it arranges before it gives up the others.

#![expect(clippy::disallowed_methods, reason = "works with files of the system, before any computer runs")]

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

/// Computers run as users of their own, whose homes the server makes and removes, and whose processes it starts and ends.
const KEPT_CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    // A box runs as root where there are no such users; the kernel asks it of whoever maps root.
    .union(CapabilitySet::SETFCAP);

/// Ports below this one are root's.
const FIRST_FREE_PORT: u16 = 1024;

/// The device of tunnels, through which a computer's network is carried, and its folder.
const TUN_DEVICE: &str = "/dev/net/tun";
const TUN_FOLDER: &str = "/dev/net";
/// As Linux numbers it.
const TUN_NUMBER: (u32, u32) = (10, 200);

/// Folders of every system that are for passing mounts, of which one is covered in the server's own view.
const BIND_TARGETS: &[&str] = &["/mnt", "/srv", "/media"];

/// Settles the rights of this process, which must have one thread yet. Returns where `homes` is to be reached: at its own path,
/// or at another that the users of computers can pass through. `has_networks` says whether computers have networks that are carried.
///
/// Root's other rights are gone for good then, also for whatever this process starts.
pub(crate) fn drop_privileges(homes: &Path, port: u16, has_networks: bool) -> PathBuf {
    if !geteuid().is_root() {
        return homes.to_owned();
    }
    let place = mount_private(homes, has_networks).unwrap_or_else(|error| {
        tracing::warn!("cannot arrange mounts of the server's own: {error}");
        homes.to_owned()
    });
    if let Err(error) = limit_capabilities(port) {
        tracing::warn!("the server keeps all rights of root: {error}");
    }
    place
}

/// Computers' users, and the carriers of their networks, have no more rights to a path than any other user. Where the system
/// closes what they need, it is opened to them in a mount namespace of the server's own, which nobody else sees.
fn mount_private(homes: &Path, has_networks: bool) -> io::Result<PathBuf> {
    let tun_is_closed =
        has_networks && fs::metadata(TUN_DEVICE).is_ok_and(|device| device.mode() & 0o006 != 0o006);
    let homes_are_closed = !is_reachable(homes);
    if !tun_is_closed && !homes_are_closed {
        return Ok(homes.to_owned());
    }
    // SAFETY: no descriptor table or file system attributes are unshared but those of the only thread.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }?;
    // What the system mounts later is still seen here, and nothing that is mounted here elsewhere.
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
        // Apart, since the process's mask would take some of it away.
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

/// The mode of a folder on the way to what computers use: where they run as users of their own, these may pass, but not list it.
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
        // The kernel may be older than one of them, or the right to give them up missing already.
        let _ = remove_capability_from_bounding_set(capability);
    }
    let held = rustix::thread::capabilities(None)?.permitted & kept;
    set_capabilities(
        None,
        CapabilitySets { effective: held, permitted: held, inheritable: CapabilitySet::empty() },
    )?;
    Ok(())
}

/// Leaves this process, and all that it starts, without a capability and without a way to one.
pub(crate) fn drop_all_capabilities() -> io::Result<()> {
    for capability in CapabilitySet::all().iter() {
        // Without the right to do so, `no_new_privs` keeps a program from having more than its parent.
        let _ = remove_capability_from_bounding_set(capability);
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    Ok(set_no_new_privs(true)?)
}

/// Whether users other than root can pass through a folder and every one above it.
pub(crate) fn is_reachable(path: &Path) -> bool {
    path.ancestors().filter_map(|folder| fs::metadata(folder).ok()).all(|folder| folder.mode() & 0o001 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_closed_to_others_hides_what_is_in_it() {
        use std::os::unix::fs::PermissionsExt as _;

        let parent = tempfile::tempdir().expect("the tests may write to /tmp");
        let set = |mode| fs::set_permissions(parent.path(), fs::Permissions::from_mode(mode));
        fs::create_dir(parent.path().join("homes")).expect("the folder is ours");
        set(0o700).expect("the folder is ours");
        assert!(!is_reachable(&parent.path().join("homes")));
        set(0o711).expect("the folder is ours");
        assert!(is_reachable(&parent.path().join("homes")));
    }
}
