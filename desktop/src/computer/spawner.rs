//! Starting processes that end with the server, however that ends, from a thread that lives as long as the server.
//!
//! The kernel is asked to end a process with its parent, and to the kernel the parent is the *thread* that started it. A
//! thread of the runtime may end while the server goes on; this one does not.

use std::{io, thread};

use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

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

    pub(crate) async fn spawn(&self, mut command: Command) -> io::Result<Child> {
        command.kill_on_drop(true);
        let server = getpid();
        // SAFETY: between fork and exec only async-signal-safe system calls are made, and nothing is allocated.
        unsafe {
            command.pre_exec(move || {
                set_parent_process_death_signal(Some(Signal::KILL))?;
                // The server may have ended before it was asked for.
                if getppid() == Some(server) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
            });
        }
        let (reply, answer) = oneshot::channel();
        self.requests.send((command, reply)).map_err(io::Error::other)?;
        answer.await.map_err(io::Error::other)?
    }
}
