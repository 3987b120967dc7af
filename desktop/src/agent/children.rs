//! Tracks the processes that the agent started, and reaps the child processes of the agent.
//!
//! The agent adopts all orphans of the computer, so one thread waits for the exit of any child.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The polling interval of the reaper while there is no child.
const IDLE_INTERVAL: Duration = Duration::from_millis(20);

/// The state of the agent's children: whether they run, and which of them are helpers of the server instead of programs
/// of the user.
#[derive(Debug, Default)]
pub(super) struct Children {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The children that the agent started: `None` while they run, and the exit status after that.
    statuses: HashMap<u32, Option<ExitStatus>>,
    helpers: HashSet<u32>,
    closed: bool,
}

impl Children {
    /// Starts a process and holds the lock during the start.
    ///
    /// Without the lock, the list of processes would show the forked copy of the agent before its `exec`, and the
    /// reaper could see the exit of a child that is not in the map yet.
    pub(super) fn start<T>(
        &self,
        is_helper: bool,
        start: impl FnOnce() -> io::Result<(Child, T)>,
    ) -> io::Result<(u32, T)> {
        let mut state = self.lock();
        if state.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let (child, with) = start()?;
        let pid = child.id();
        state.statuses.insert(pid, None);
        if is_helper {
            state.helpers.insert(pid);
        }
        Ok((pid, with))
    }

    /// Makes all further starts fail. A start that is in progress has completed when this function returns.
    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    /// Waits for the exit of a process that was started here. The kernel may reuse the process ID after the exit.
    pub(super) fn wait(&self, pid: u32) -> ExitStatus {
        let mut state = self.lock();
        loop {
            if let Some(Some(status)) = state.statuses.get(&pid) {
                let status = *status;
                state.statuses.remove(&pid);
                state.helpers.remove(&pid);
                return status;
            }
            state = self.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Calls `read` with the process IDs of the helpers. The helpers cannot change during the call.
    pub(super) fn with_helpers<T>(&self, read: impl FnOnce(&HashSet<u32>) -> T) -> T {
        read(&self.lock().helpers)
    }

    /// Reaps the children of this process forever.
    pub(super) fn reap(&self) -> ! {
        loop {
            let Some(pid) = ended_child() else {
                thread::sleep(IDLE_INTERVAL);
                continue;
            };
            let mut state = self.lock();
            // The standard library has already waited for a child whose `exec` failed.
            let Some(status) = status_of(pid) else { continue };
            if let Some(ended) = state.statuses.get_mut(&pid.cast_unsigned()) {
                *ended = Some(status);
                self.ended.notify_all();
            }
        }
    }

    /// Locks the state. Ignores poisoning, because code that holds the lock cannot panic in the middle of a change.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until a child has exited, without reaping it. Returns `None` if there is no child.
fn ended_child() -> Option<libc::pid_t> {
    // SAFETY: `siginfo_t` may be all zero, and it is valid for the call. On success the kernel sets `si_pid`.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let waited = libc::waitid(libc::P_ALL, 0, &raw mut info, libc::WEXITED | libc::WNOWAIT);
        (waited == 0).then(|| info.si_pid())
    }
}

fn status_of(pid: libc::pid_t) -> Option<ExitStatus> {
    let mut status = 0;
    // SAFETY: `status` is valid for the call.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) };
    (waited == pid).then(|| ExitStatus::from_raw(status))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn listed(children: &Children, pid: u32) -> bool {
        children.with_helpers(|helpers| helpers.contains(&pid))
    }

    #[test]
    fn a_helper_is_listed_from_its_start_to_its_end() {
        let children = Children::default();
        let mut started = Vec::new();
        for is_helper in [true, false] {
            // `cat` exits when its stdin ends.
            let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("every system has cat");
            let input = child.stdin.take();
            let id = child.id();
            let (pid, input) = children.start(is_helper, || Ok((child, input))).expect("the process runs");
            assert_eq!(pid, id);
            assert_eq!(listed(&children, pid), is_helper);
            started.push((pid, input));
        }
        for (pid, input) in started {
            drop(input);
            let status = loop {
                if let Some(status) = status_of(pid.cast_signed()) {
                    break status;
                }
                thread::yield_now();
            };
            children.lock().statuses.insert(pid, Some(status));
            assert!(children.wait(pid).success());
            assert!(!listed(&children, pid));
        }
    }
}
