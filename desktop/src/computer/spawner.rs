//! Starting the programs that the server needs beside itself: boxes, the carriers of networks, encoders.
//!
//! They end with the server, however that ends, and get nothing of it but what is named: no variable, no terminal, no key, no
//! descriptor, no ignored signal.
//!
//! The kernel is asked to end a process with its parent, and to the kernel the parent is the *thread* that started it. A
//! thread of the runtime may end while the server goes on, so these are started by a thread that lives as long as the server.

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

use crate::agent::{Identity, Stat, descendants, kill_descendants};
use crate::inherited::reset_for_exec;

/// `KEYCTL_JOIN_SESSION_KEYRING` of `linux/keyctl.h`.
const JOIN_SESSION_KEYRING: libc::c_long = 1;

enum Request {
    Spawn(Box<Command>, oneshot::Sender<io::Result<Child>>),
    KillOrphans(oneshot::Sender<()>),
}

/// The way to that thread.
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
                // Whoever asked may have gone; a child is then killed on drop.
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

    /// Kills all children of this process that it has not started: what computers without boxes have left. Orphans fall to
    /// this process if it has said so to the kernel.
    pub(crate) async fn kill_orphans(&self) {
        let (reply, response) = oneshot::channel();
        if self.requests.send(Request::KillOrphans(reply)).is_ok() {
            // An error means that the server goes down.
            let _ = response.await;
        }
    }

    /// Starts a program in a session of its own.
    pub(crate) async fn spawn(&self, mut command: Command) -> io::Result<Child> {
        command.kill_on_drop(true);
        // A variable of the server's may hold the API key, or keys of whoever started it.
        let named: Vec<_> = command
            .as_std()
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default()).envs(named);
        let server = getpid();
        // SAFETY: between fork and exec only async-signal-safe system calls are made, and nothing is allocated.
        unsafe {
            command.pre_exec(move || {
                set_parent_process_death_signal(Some(Signal::KILL))?;
                // The server may have ended before it was asked for.
                if getppid() != Some(server) {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                // The server's terminal is not theirs: Ctrl-C there is the server's to handle.
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

/// The children that were started here: their numbers, and when they started if that could be read.
#[derive(Default)]
struct StartedChildren(HashMap<i32, Option<u64>>);

impl StartedChildren {
    fn record(&mut self, child: &io::Result<Child>) {
        if let Some(pid) = child.as_ref().ok().and_then(Child::id).map(u32::cast_signed) {
            self.0.insert(pid, Stat::of(pid).map(|stat| stat.started));
        }
    }

    /// Whether a child was started here. In doubt it was.
    fn has(&self, pid: i32, stat: &Stat) -> bool {
        self.0.get(&pid).is_some_and(|started| started.is_none_or(|started| started == stat.started))
    }

    /// No child is started meanwhile, which would be taken for a foreign one.
    fn kill_orphans(&mut self) {
        let own = getpid().as_raw_nonzero().get();
        // The list of processes may lack some of them if it cannot be read whole.
        self.0.retain(|&pid, _| {
            Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
        });
        let all = descendants(own);
        let kept: HashSet<Identity> = all
            .iter()
            .filter(|(pid, stat)| stat.parent == own && self.has(*pid, stat))
            .map(|(pid, stat)| (*pid, stat.started))
            .collect();
        if !kill_descendants(own, &kept) {
            tracing::error!("what a computer has left does not end");
        }
        let left = descendants(own).into_iter();
        for (pid, _) in left.filter(|(pid, stat)| stat.parent == own && !self.has(*pid, stat)) {
            // Nobody else waits for it. One that does not end would be waited for in vain.
            if let Some(pid) = Pid::from_raw(pid) {
                let _ = waitpid(Some(pid), WaitOptions::NOHANG);
            }
        }
    }
}

/// Leaves the keys of the login that started the server, for an empty keyring. A kernel without keyrings has nothing to leave.
fn leave_session_keyring() {
    // SAFETY: the call takes a name or null, and touches no memory of this process.
    unsafe {
        libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>());
    }
}
