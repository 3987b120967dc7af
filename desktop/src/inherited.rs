//! Controls the state that child processes inherit: resets signals and the umask, and closes all descriptors except
//! those that are passed explicitly.

use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::fs::{MemfdFlags, Mode, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::{FdFlags, fcntl_setfd};

/// The highest signal number in Linux.
const LAST_SIGNAL: libc::c_int = 64;

/// Marks all descriptors except stdin, stdout, stderr and `kept` as close-on-exec.
#[expect(clippy::disallowed_methods, reason = "lists the descriptors of this process")]
pub(crate) fn close_on_exec(kept: Option<RawFd>) -> io::Result<()> {
    for entry in fs::read_dir("/proc/self/fd")? {
        let Some(descriptor) = entry?.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()) else {
            continue;
        };
        if descriptor > 2 && Some(descriptor) != kept {
            // SAFETY: the descriptor is open, since the kernel lists it.
            fcntl_setfd(unsafe { BorrowedFd::borrow_raw(descriptor) }, FdFlags::CLOEXEC)?;
        }
    }
    Ok(())
}

/// Resets the ignored signals and the umask, which `exec` preserves, to the defaults of a login. A server started with
/// `nohup` ignores SIGHUP, and a service may have a stricter umask. Most programs reset neither.
///
/// # Safety
///
/// Must be called between fork and exec, because it removes the signal handlers of the process. It makes only
/// async-signal-safe system calls.
pub(crate) unsafe fn reset_for_exec() {
    for signal in 1..=LAST_SIGNAL {
        // SAFETY: the default action has no handler. The call fails without effect for SIGKILL and SIGSTOP, and for the
        // signals that the C library uses.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    rustix::process::umask(Mode::from_raw_mode(0o022));
}

/// Passes descriptors to the process of a command, with the same numbers. This process closes them when the command is
/// dropped.
pub(crate) fn inherit(command: &mut Command, descriptors: Vec<OwnedFd>) {
    // SAFETY: between fork and exec the closure makes only async-signal-safe system calls and allocates nothing.
    unsafe {
        command.pre_exec(move || {
            for descriptor in &descriptors {
                fcntl_setfd(descriptor, FdFlags::empty())?;
            }
            Ok(())
        });
    }
}

/// Returns a sealed file in memory with this content. The file offset is 0. `name` appears only in `/proc`.
pub(crate) fn memory_file(name: &str, content: &[u8]) -> io::Result<OwnedFd> {
    let mut file = File::from(memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.write_all(content)?;
    file.rewind()?;
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file.into())
}
