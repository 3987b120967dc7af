//! A process between the agent and a command, so that nothing the command starts can get out of its tree.
//!
//! What loses its parent becomes the supervisor's child, also when it left the session and cleared its environment.

#![expect(clippy::disallowed_methods, reason = "runs inside the box, with the rights of the computer's user")]

use std::ffi::CStr;
use std::io;

use rustix::fs::{Mode, OFlags};

/// What the supervisor is called in the list of processes, where it is of no interest to anybody.
pub(super) const NAME: &str = "orgo-supervisor";
const C_NAME: &CStr = c"orgo-supervisor";

/// Turns the calling process into a supervisor and returns in a child of it, which is to become the command.
///
/// The supervisor ends with the command: with its exit code, or by the same signal.
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
                mark_expendable_after_exec(command);
                exit_with_command(command)
            }
        }
    }
}

/// When memory runs out, what a user started goes before a part of the desktop. Without it the kernel chooses by size alone,
/// so a failure changes little.
///
/// It is done from outside: until a process has become another program it is a copy of the agent, and closed as the agent
/// is.
pub(super) fn mark_expendable(pid: u32) -> bool {
    const FOLDER: &[u8] = b"/proc/";
    const FILE: &[u8] = b"/oom_score_adj\0";
    // Between fork and exec nothing may be allocated.
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
        // A digit is below 10.
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

/// # Safety
///
/// As [`supervise`].
unsafe fn mark_expendable_after_exec(command: libc::pid_t) {
    const TRIES: usize = 200;
    let pause = libc::timespec { tv_sec: 0, tv_nsec: 100_000 };
    for _ in 0..TRIES {
        // SAFETY: `pause` is valid for the call, and an all-zero `siginfo_t` is one; both calls are async-signal-safe.
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

/// # Safety
///
/// As [`supervise`].
unsafe fn exit_with_command(command: libc::pid_t) -> ! {
    loop {
        let mut status = 0;
        // SAFETY: `status` is valid for the call; both calls are async-signal-safe.
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

/// # Safety
///
/// As [`supervise`].
unsafe fn exit_by_signal(signal: libc::c_int) -> ! {
    // SAFETY: `only` is valid for the calls, which initialize it; all calls are async-signal-safe.
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
    fn a_process_is_expended_by_its_number() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("every system has it");
        assert!(mark_expendable(child.id()));
        let score = std::fs::read_to_string(format!("/proc/{}/oom_score_adj", child.id()));
        assert_eq!(score.expect("it runs"), "500\n");
        child.kill().and_then(|()| child.wait()).expect("it is ours");
        assert!(!mark_expendable(u32::MAX));
    }

    #[test]
    fn the_kernel_keeps_the_whole_name() {
        assert!(NAME.len() <= 15);
        assert_eq!(C_NAME.to_bytes(), NAME.as_bytes());
    }
}
