//! Starts the helper programs of the server: boxes, slirp4netns and encoders.
//!
//! Helpers always end with the server. They inherit `PATH` from the server, but no other environment variables,
//! terminal, keyring, descriptors or ignored signals, except those that are passed explicitly.
//!
//! The kernel kills a helper when its parent ends, and its parent is the *thread* that started it. A thread of the
//! async runtime may end before the server, so a dedicated thread starts the helpers.

use std::collections::{HashMap, HashSet};
use std::{env, io, thread};

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, getppid, set_parent_process_death_signal, setsid, test_kill_process,
    waitpid,
};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::agent::{ProcessIdentity, Stat, descendants, kill_descendants};
use crate::inherited::reset_for_exec;

/// The operation `KEYCTL_JOIN_SESSION_KEYRING` of `linux/keyctl.h`.
const JOIN_SESSION_KEYRING: libc::c_long = 1;

enum Request {
    Spawn(Box<Command>, oneshot::Sender<io::Result<Child>>),
    KillOrphans(oneshot::Sender<()>),
}

/// A handle to the thread that starts helpers.
#[derive(Clone, Debug)]
pub(crate) struct Spawner {
    requests: mpsc::UnboundedSender<Request>,
}

impl Spawner {
    /// Starts the thread. Must be called inside the runtime.
    pub(crate) fn start() -> io::Result<Self> {
        let (requests, mut received) = mpsc::unbounded_channel::<Request>();
        let runtime = Handle::current();
        thread::Builder::new().name("spawner".into()).spawn(move || {
            let _entered = runtime.enter();
            let mut started = StartedChildren::default();
            while let Some(request) = received.blocking_recv() {
                // If the caller no longer waits for the reply, the child is dropped and thereby killed.
                match request {
                    Request::Spawn(mut command, reply) => {
                        let child = command.spawn();
                        started.record(&child);
                        let _ = reply.send(child);
                    }
                    Request::KillOrphans(reply) => {
                        started.kill_orphans();
                        let _ = reply.send(());
                    }
                }
            }
        })?;
        Ok(Self { requests })
    }

    /// Kills all children of this process that it has not started, with their descendants. Such children are processes
    /// that computers without a box have left behind. The server adopts them if it is a child subreaper.
    pub(crate) async fn kill_orphans(&self) {
        let (reply, response) = oneshot::channel();
        if self.requests.send(Request::KillOrphans(reply)).is_ok() {
            // An error means that the server shuts down.
            let _ = response.await;
        }
    }

    /// Starts a program in a new session.
    pub(crate) async fn spawn(&self, mut command: Command) -> io::Result<Child> {
        command.kill_on_drop(true);
        // The environment is cleared, because the server's variables may contain the API key, or secrets of the user
        // who started the server.
        let named: Vec<_> = command
            .as_std()
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default()).envs(named);
        let server = getpid();
        // SAFETY: between fork and exec the closure makes only async-signal-safe system calls and allocates nothing.
        unsafe {
            command.pre_exec(move || {
                set_parent_process_death_signal(Some(Signal::KILL))?;
                // The server may have ended before the call above.
                if getppid() != Some(server) {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                // A new session has no terminal, so Ctrl-C in the server's terminal reaches only the server.
                setsid()?;
                leave_session_keyring();
                reset_for_exec();
                Ok(())
            });
        }
        let (reply, response) = oneshot::channel();
        self.requests.send(Request::Spawn(Box::new(command), reply)).map_err(io::Error::other)?;
        response.await.map_err(io::Error::other)?
    }
}

/// The children that this thread has started, by process ID, with their start times if these could be read.
#[derive(Default)]
struct StartedChildren(HashMap<i32, Option<u64>>);

impl StartedChildren {
    fn record(&mut self, child: &io::Result<Child>) {
        if let Some(pid) = child.as_ref().ok().and_then(Child::id).map(u32::cast_signed) {
            self.0.insert(pid, Stat::of(pid).map(|stat| stat.started));
        }
    }

    /// Returns whether a child was started here. Returns `true` if its start time is unknown.
    fn has(&self, pid: i32, stat: &Stat) -> bool {
        self.0.get(&pid).is_some_and(|started| started.is_none_or(|started| started == stat.started))
    }

    /// Kills the children that this thread has not started. Runs on the thread that starts children, so that no child
    /// is started during the search and killed by mistake.
    fn kill_orphans(&mut self) {
        let own = getpid().as_raw_nonzero().get();
        // Forgets the children that no longer exist. Queries the kernel for each child, because a list of processes may
        // be incomplete.
        self.0.retain(|&pid, _| {
            Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
        });
        let all = descendants(own);
        let kept: HashSet<ProcessIdentity> = all
            .iter()
            .filter(|(pid, stat)| stat.parent == own && self.has(*pid, stat))
            .map(|(pid, stat)| (*pid, stat.started))
            .collect();
        if !kill_descendants(own, &kept) {
            tracing::error!("some processes that a computer has left behind could not be killed");
        }
        let left = descendants(own).into_iter();
        for (pid, _) in left.filter(|(pid, stat)| stat.parent == own && !self.has(*pid, stat)) {
            // No other code reaps this process. The call does not wait for the process, since the process may never
            // end.
            if let Some(pid) = Pid::from_raw(pid) {
                let _ = waitpid(Some(pid), WaitOptions::NOHANG);
            }
        }
    }
}

/// Replaces the session keyring with an empty one: the inherited one contains keys of the login session that started
/// the server. Has no effect if the kernel has no keyrings.
fn leave_session_keyring() {
    // SAFETY: the call takes a null pointer as the name and accesses no memory of this process.
    unsafe {
        libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>());
    }
}
