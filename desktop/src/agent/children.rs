//! The processes that the agent started, and the end of every process of the box.
//!
//! The agent is the first process of its box, to which all orphans fall, so one thread waits for whatever ends.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How soon it is looked again whether there is a process to wait for.
const IDLE_INTERVAL: Duration = Duration::from_millis(20);

/// Who runs, and who of them is the server's own helper and not the user's.
#[derive(Debug, Default)]
pub(super) struct Children {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The status of those that the agent started, once they have ended.
    statuses: HashMap<u32, Option<ExitStatus>>,
    helpers: HashSet<u32>,
    closed: bool,
}

impl Children {
    /// Starts a process. Meanwhile no list is read, which would show a copy of this program that is not yet another, and no end
    /// is taken note of, which would be that of a process that is not known yet.
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

    /// Lets nothing start any more. What is being started has started when this returns.
    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    /// Waits for the end of a process that was started here. Its number may be another's from then on.
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

    /// Reads a list of processes; what it is read with is told which of them are helpers.
    pub(super) fn with_helpers<T>(&self, read: impl FnOnce(&HashSet<u32>) -> T) -> T {
        read(&self.lock().helpers)
    }

    /// Takes note of the end of every child of this process, for ever.
    pub(super) fn reap(&self) -> ! {
        loop {
            let Some(pid) = ended_child() else {
                thread::sleep(IDLE_INTERVAL);
                continue;
            };
            let mut state = self.lock();
            // One that could not become another program has been waited for by whoever started it.
            let Some(status) = status_of(pid) else { continue };
            if let Some(ended) = state.statuses.get_mut(&pid.cast_unsigned()) {
                *ended = Some(status);
                self.ended.notify_all();
            }
        }
    }

    /// No code that holds the lock can panic half way through a change.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until a child has ended, and leaves it to be waited for; `None` when there is none to wait for.
fn ended_child() -> Option<libc::pid_t> {
    // SAFETY: an all-zero `siginfo_t` is one, and it is valid for the call; on success `si_pid` is set.
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
    fn a_helper_is_one_from_its_first_moment_to_its_end() {
        let children = Children::default();
        let mut started = Vec::new();
        for is_helper in [true, false] {
            // It ends with its input.
            let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("every system has cat");
            let input = child.stdin.take();
            let id = child.id();
            let (pid, input) = children.start(is_helper, || Ok((child, input))).expect("it runs");
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
