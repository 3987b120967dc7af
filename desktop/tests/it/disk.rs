//! A small disk that tests can fill. No root rights are needed: the server mounts the disk in its own namespaces, where
//! no other process sees it.

use std::ffi::{CStr, CString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{getgid, getuid};
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// Makes `command` mount a tmpfs with this size at `folder` before its program starts.
pub(crate) fn confine(command: &mut Command, folder: &Path, megabytes: u32) {
    let folder = CString::new(folder.as_os_str().as_bytes()).expect("a path has no NUL byte");
    let size = CString::new(format!("size={megabytes}m,mode=700")).expect("it has no NUL byte");
    // Maps the user and the group to themselves.
    let users = format!("{0} {0} 1", getuid().as_raw());
    let groups = format!("{0} {0} 1", getgid().as_raw());
    let is_root = getuid().is_root();
    // SAFETY: between fork and exec the closure makes only system calls, and allocates nothing.
    unsafe {
        command.pre_exec(move || {
            if is_root {
                // Root can mount without a user namespace. A server in a user namespace could not give each computer
                // its own user.
                unshare_unsafe(UnshareFlags::NEWNS)?;
                mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
            } else {
                unshare_unsafe(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)?;
                write(c"/proc/self/setgroups", "deny")?;
                write(c"/proc/self/uid_map", &users)?;
                write(c"/proc/self/gid_map", &groups)?;
            }
            Ok(mount(c"none", &*folder, c"tmpfs", MountFlags::empty(), &*size)?)
        });
    }
}

fn write(file: &CStr, text: &str) -> io::Result<()> {
    let file = rustix::fs::open(file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(file, text.as_bytes())?;
    Ok(())
}
