//! The process that executes the encoder. In a box, it first sends the box's listening sockets to the server. Without a
//! box, it first drops its capabilities.

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

/// Replaces this process with `program`. Returns only if an operation fails. First opens the box's sockets and sends
/// them through the inherited descriptor `control`. If `control` is `None`, drops all capabilities instead. `program`
/// inherits the descriptor `secrets`.
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

/// Opens the sockets, sends them through `control` and closes them in this process. Only the server accepts
/// connections.
fn send_listeners(control: RawFd) -> io::Result<()> {
    // SAFETY: `F_GETFD` accesses no memory, and accepts any number as a descriptor.
    if unsafe { libc::fcntl(control, libc::F_GETFD) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is open, and no other code of this process owns it.
    let control = UnixStream::from(unsafe { OwnedFd::from_raw_fd(control) });
    Listeners::bind()?.send(&control)
}

/// Makes the encoder a preferred victim of the OOM killer. Ignores errors, because they only change the order in which
/// processes are killed.
fn prefer_for_oom_kill() {
    let _ = fs::write("/proc/self/oom_score_adj", "500");
}
