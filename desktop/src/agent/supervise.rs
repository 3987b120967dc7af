//! The supervisor: a process between the agent and a command. It keeps the command's descendants together.
//!
//! The supervisor is a child subreaper. It adopts every orphan among the descendants, even an orphan that has left the
//! session and cleared its environment.

#![expect(clippy::disallowed_methods, reason = "runs inside the box, with the rights of the computer's user")]

use std::ffi::CStr;
use std::io;

use rustix::fs::{Mode, OFlags};

/// The name of the supervisor in the system's list of processes. The process events omit processes with this name.
pub(super) const NAME: &str = "orgo-supervisor";
const C_NAME: &CStr = c"orgo-supervisor";

/// Turns the calling process into a supervisor. Returns in its child process, which then executes the command.
///
/// The supervisor exits with the command: with the same exit code, or by the same signal.
///
/// # Safety
///
/// Must be called between fork and exec, because the function closes all file descriptors of the calling process.
pub(super) unsafe fn supervise() -> io::Result<()> {
    // SAFETY: all calls in this function are async-signal-safe, and nothing is allocated.
    unsafe {
        if libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) != 0 {
            return Err(io::Error::last_os_error());
        }
        match libc::fork() {
            -1 => Err(io::Error::last_os_error()),
            0 => Ok(()),
            command => {
                libc::prctl(libc::PR_SET_NAME, C_NAME.as_ptr());
                // The supervisor must not exit before the command. Both get SIGTERM when the computer is stopped.
                libc::signal(libc::SIGTERM, libc::SIG_IGN);
                // Closes the output pipe too. Otherwise its reader would not see the end of the command's output.
                libc::close_range(0, libc::c_uint::MAX, 0);
                mark_expendable_after_exec(command);
                exit_with_command(command)
            }
        }
    }
}

/// Raises the OOM score of a process, so that the kernel kills it before a part of the desktop if memory runs out.
/// Returns whether the score was set. Without it, the kernel chooses a process by its memory use alone, which is nearly
/// as good.
///
/// Must be called by another process. Until its `exec`, the process is a copy of the agent and therefore not dumpable,
/// so it cannot open its own `oom_score_adj` file.
pub(super) fn mark_expendable(pid: u32) -> bool {
    const FOLDER: &[u8] = b"/proc/";
    const FILE: &[u8] = b"/oom_score_adj\0";
    // Nothing may be allocated between fork and exec.
    let mut path = [0; FOLDER.len() + 10 + FILE.len()];
    let mut length = 0;
    let mut append = |bytes: &[u8]| {
        path[length..length + bytes.len()].copy_from_slice(bytes);
        length += bytes.len();
    };
    let mut digits = [0; 10];
    let mut first = digits.len();
    let mut rest = pid;
    while first == digits.len() || rest > 0 {
        first -= 1;
        // The remainder is less than 10, so it fits in a `u8`.
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    append(FOLDER);
    append(&digits[first..]);
    append(FILE);
    let Ok(path) = CStr::from_bytes_until_nul(&path) else { return false };
    let score = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
    score.and_then(|score| rustix::io::write(score, b"500")).is_ok()
}

/// Waits until the command has executed its program, then marks it as expendable.
///
/// # Safety
///
/// See [`supervise`].
unsafe fn mark_expendable_after_exec(command: libc::pid_t) {
    const MAX_ATTEMPTS: usize = 200;
    let pause = libc::timespec { tv_sec: 0, tv_nsec: 100_000 };
    for _ in 0..MAX_ATTEMPTS {
        // SAFETY: `pause` is valid for the call, and `siginfo_t` may be all zero. Both calls are async-signal-safe.
        let ended = unsafe {
            libc::nanosleep(&raw const pause, std::ptr::null_mut());
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            libc::waitid(libc::P_PID, command.cast_unsigned(), &raw mut info, options) == 0
                && info.si_pid() != 0
        };
        if ended || mark_expendable(command.cast_unsigned()) {
            return;
        }
    }
}

/// Reaps children until the command has ended, then exits in the same way as the command.
///
/// # Safety
///
/// See [`supervise`].
unsafe fn exit_with_command(command: libc::pid_t) -> ! {
    loop {
        let mut status = 0;
        // SAFETY: `status` is valid for the call. Both calls are async-signal-safe.
        unsafe {
            let ended = libc::wait(&raw mut status);
            if ended == command && libc::WIFEXITED(status) {
                libc::_exit(libc::WEXITSTATUS(status));
            } else if ended == command && libc::WIFSIGNALED(status) {
                exit_by_signal(libc::WTERMSIG(status))
            } else if ended == -1 && *libc::__errno_location() == libc::ECHILD {
                libc::_exit(1);
            }
        }
    }
}

/// Ends this process by `signal`.
///
/// # Safety
///
/// See [`supervise`].
unsafe fn exit_by_signal(signal: libc::c_int) -> ! {
    // SAFETY: `only` is valid for the calls, which initialize it. All calls are async-signal-safe.
    unsafe {
        let mut only: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut only);
        libc::sigaddset(&raw mut only, signal);
        libc::signal(signal, libc::SIG_DFL);
        libc::sigprocmask(libc::SIG_UNBLOCK, &raw const only, std::ptr::null_mut());
        libc::kill(libc::getpid(), signal);
        libc::_exit(128 + signal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_marked_as_expendable() {
        let mut child =
            std::process::Command::new("sleep").arg("60").spawn().expect("every system has sleep");
        assert!(mark_expendable(child.id()));
        let score = std::fs::read_to_string(format!("/proc/{}/oom_score_adj", child.id()));
        assert_eq!(score.expect("the process runs"), "500\n");
        child.kill().and_then(|()| child.wait()).expect("it is a child of the test");
        assert!(!mark_expendable(u32::MAX));
    }

    #[test]
    fn the_name_fits_into_the_limit_of_the_kernel() {
        assert!(NAME.len() <= 15);
        assert_eq!(C_NAME.to_bytes(), NAME.as_bytes());
    }
}
