//! Starting the programs that the server needs beside itself: boxes, the carriers of networks, encoders.
//!
//! They end with the server, however that ends, and get nothing of it but what is named: no variable, no terminal, no key.
//!
//! The kernel is asked to end a process with its parent, and to the kernel the parent is the *thread* that started it. A
//! thread of the runtime may end while the server goes on, so these are started by a thread that lives as long as the server.

use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::{env, io, thread};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal, setsid};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

/// `KEYCTL_JOIN_SESSION_KEYRING` of `linux/keyctl.h`.
const JOIN_SESSION_KEYRING: libc::c_long = 1;

type Request = (Command, oneshot::Sender<io::Result<Child>>);

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
            while let Some((mut command, reply)) = received.blocking_recv() {
                // Whoever asked may have gone; the child is then killed on drop.
                let _ = reply.send(command.spawn());
            }
        })?;
        Ok(Self { requests })
    }

    /// Starts a program in a session of its own.
    pub(crate) async fn spawn(&self, mut command: Command) -> io::Result<Child> {
        command.kill_on_drop(true);
        // A variable of the server's may hold the API key, or keys of whoever started it.
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
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
                Ok(())
            });
        }
        let (reply, answer) = oneshot::channel();
        self.requests.send((command, reply)).map_err(io::Error::other)?;
        answer.await.map_err(io::Error::other)?
    }
}

/// Leaves the keys of the login that started the server, for an empty keyring. A kernel without keyrings has nothing to leave.
fn leave_session_keyring() {
    // SAFETY: the call takes a name or null, and touches no memory of this process.
    unsafe {
        libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>());
    }
}

/// Lets the child have these descriptors, by the same numbers. They are closed here when the command is dropped.
pub(crate) fn inherit(command: &mut std::process::Command, descriptors: Vec<OwnedFd>) {
    // SAFETY: between fork and exec only an async-signal-safe system call is made, and nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            for descriptor in &descriptors {
                fcntl_setfd(descriptor, FdFlags::empty())?;
            }
            Ok(())
        });
    }
}
