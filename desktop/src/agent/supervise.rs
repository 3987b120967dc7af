//! A process between the agent and a command, so that nothing the command starts can get out of its tree.
//!
//! What loses its parent becomes the supervisor's child, also when it left the session and cleared its environment.

use std::ffi::CStr;
use std::io;

/// What the supervisor is called in the list of processes, where it is of no interest to anybody.
pub(super) const NAME: &str = "orgo-supervisor";
const C_NAME: &CStr = c"orgo-supervisor";

/// Turns the calling process into a supervisor and returns in a child of it, which is to become the command.
///
/// The supervisor ends with the command, with its exit code, or 128 + the signal's number.
///
/// # Safety
///
/// To be called between fork and exec: all file descriptors are closed in the calling process.
pub(super) unsafe fn supervise() -> io::Result<()> {
    // SAFETY: every call up to the end of the function is async-signal-safe, and nothing is allocated.
    unsafe {
        if libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) != 0 {
            return Err(io::Error::last_os_error());
        }
        match libc::fork() {
            -1 => Err(io::Error::last_os_error()),
            0 => Ok(()),
            command => {
                libc::prctl(libc::PR_SET_NAME, C_NAME.as_ptr());
                // It leaves with the command, not before: whoever ends the box asks the command too.
                libc::signal(libc::SIGTERM, libc::SIG_IGN);
                // Else its reader would not see the end of the command's output.
                libc::close_range(0, libc::c_uint::MAX, 0);
                await_end(command)
            }
        }
    }
}

/// # Safety
///
/// As [`supervise`].
unsafe fn await_end(command: libc::pid_t) -> ! {
    loop {
        let mut status = 0;
        // SAFETY: `status` is valid for the call; both calls are async-signal-safe.
        unsafe {
            let ended = libc::wait(&raw mut status);
            if ended == command && libc::WIFEXITED(status) {
                libc::_exit(libc::WEXITSTATUS(status));
            } else if ended == command && libc::WIFSIGNALED(status) {
                libc::_exit(128 + libc::WTERMSIG(status));
            } else if ended == -1 && *libc::__errno_location() == libc::ECHILD {
                libc::_exit(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_keeps_the_whole_name() {
        assert!(NAME.len() <= 15);
        assert_eq!(C_NAME.to_bytes(), NAME.as_bytes());
    }
}
