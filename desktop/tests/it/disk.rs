//! A disk that is soon full. Nobody has to be root for it: a server in namespaces of its own may mount it, and is the only
//! one that sees it.

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

/// Makes what lies in `folder` a file system of that size for the program that `command` starts.
pub(crate) fn confine(command: &mut Command, folder: &Path, megabytes: u32) {
    let folder = CString::new(folder.as_os_str().as_bytes()).expect("a path has no zero byte");
    let size = CString::new(format!("size={megabytes}m,mode=700")).expect("there is no zero byte");
    // Everybody stays who they are.
    let users = format!("{0} {0} 1", getuid().as_raw());
    let groups = format!("{0} {0} 1", getgid().as_raw());
    let is_root = getuid().is_root();
    // SAFETY: between fork and exec only system calls are made, by the only thread, and nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            if is_root {
                // It may mount, and gives computers users of their own, who would be missing in a namespace of users.
                unshare_unsafe(UnshareFlags::NEWNS)?;
                mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
            } else {
                unshare_unsafe(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)?;
                tell(c"/proc/self/setgroups", "deny")?;
                tell(c"/proc/self/uid_map", &users)?;
                tell(c"/proc/self/gid_map", &groups)?;
            }
            Ok(mount(c"none", &*folder, c"tmpfs", MountFlags::empty(), &*size)?)
        });
    }
}

fn tell(file: &CStr, text: &str) -> io::Result<()> {
    let file = rustix::fs::open(file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(file, text.as_bytes())?;
    Ok(())
}
