//! The first program in the encoder's box: opens the sockets there, sends them to the server and becomes the encoder.

#![expect(clippy::disallowed_methods, reason = "runs inside the encoder's box")]

use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};

use crate::seccomp;

use super::listeners::Listeners;

/// Opens the sockets, sends them through the inherited descriptor `control` and replaces this process with `program`.
/// Returns only if that fails.
pub(crate) fn launch(control: RawFd, program: &[String]) -> io::Result<()> {
    send_listeners(control)?;
    prefer_for_oom_kill();
    close_on_exec()?;
    seccomp::ENCODER.install()?;
    let (name, arguments) = program.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let error = Command::new(name).args(arguments).exec();
    Err(io::Error::new(error.kind(), format!("cannot run {name}: {error}")))
}

/// Opens the sockets, sends them through `control` and closes both here: only the server accepts connections.
fn send_listeners(control: RawFd) -> io::Result<()> {
    // SAFETY: the system call reads no memory, and any number is valid.
    if unsafe { libc::fcntl(control, libc::F_GETFD) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, and was inherited for this purpose alone.
    let control = UnixStream::from(unsafe { OwnedFd::from_raw_fd(control) });
    Listeners::bind()?.send(&control)
}

/// Makes the encoder the first to be killed if the computer runs out of memory. A failure only changes that order.
fn prefer_for_oom_kill() {
    let _ = fs::write("/proc/self/oom_score_adj", "500");
}

/// Marks all descriptors except stdin, stdout and stderr.
fn close_on_exec() -> io::Result<()> {
    for entry in fs::read_dir("/proc/self/fd")? {
        let Some(descriptor) = entry?.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()) else {
            continue;
        };
        if descriptor > 2 {
            // SAFETY: it is open, since the kernel lists it.
            fcntl_setfd(unsafe { BorrowedFd::borrow_raw(descriptor) }, FdFlags::CLOEXEC)?;
        }
    }
    Ok(())
}
