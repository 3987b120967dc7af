//! The process that becomes the encoder. In a box it first sends the box's listening sockets to the server. Otherwise it first
//! drops its own rights.

#![expect(clippy::disallowed_methods, reason = "runs with the rights of the computer's user")]

use std::fs;
use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::inherited::close_on_exec;
use crate::privileges::drop_all_capabilities;
use crate::seccomp;

use super::listeners::Listeners;

/// Replaces this process with `program`. Returns only if that fails. First opens the box's sockets and sends them through the
/// inherited descriptor `control`. Without `control` it drops this process's rights instead. `program` inherits the
/// descriptor `secrets`.
pub(crate) fn launch(control: Option<RawFd>, secrets: Option<RawFd>, program: &[String]) -> io::Result<()> {
    match control {
        Some(control) => send_listeners(control)?,
        None => drop_all_capabilities()?,
    }
    prefer_for_oom_kill();
    close_on_exec(secrets)?;
    seccomp::ENCODER.install()?;
    let (name, arguments) = program.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let error = Command::new(name).args(arguments).exec();
    Err(io::Error::new(error.kind(), format!("cannot run {name}: {error}")))
}

/// Opens the sockets, sends them through `control` and closes them here, since only the server accepts connections.
fn send_listeners(control: RawFd) -> io::Result<()> {
    // SAFETY: the system call reads no memory, and any number is valid.
    if unsafe { libc::fcntl(control, libc::F_GETFD) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is open, and was inherited only for this purpose.
    let control = UnixStream::from(unsafe { OwnedFd::from_raw_fd(control) });
    Listeners::bind()?.send(&control)
}

/// Makes the encoder the first process to be killed if the computer runs out of memory. A failure only changes that order.
fn prefer_for_oom_kill() {
    let _ = fs::write("/proc/self/oom_score_adj", "500");
}
