//! Watches the root process of a computer, and kills all processes of the computer.
//!
//! In a box, the root process is bubblewrap, whose child is the first process inside the box. Without a box, the root
//! process is the agent.

#![expect(clippy::disallowed_methods, reason = "reads the list of processes in `/proc`")]

use std::collections::HashSet;
use std::fs;
use std::io;
use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use tokio::io::unix::AsyncFd;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::agent::kill_descendants;

use super::limits::ControlGroup;
use super::shutdown::Shutdown;
use super::spawner::Spawner;

/// The maximum time to wait until the processes of a killed box have ended. A process that waits for a broken disk
/// never ends.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// The way to find the processes of a computer.
pub(super) enum KillScope {
    /// The processes are in a PID namespace, so the kernel ends them together with the root process.
    Namespace,
    /// The processes are the descendants of the root process, and members of the group.
    Descendants(Spawner, ControlGroup),
}

/// A handle to the root process.
#[derive(Debug)]
pub(super) struct RootProcess {
    kill: CancellationToken,
    ended: watch::Receiver<bool>,
}

impl RootProcess {
    /// Watches the root process. Ends the computer when the process ends.
    pub(super) fn follow(mut child: Child, scope: KillScope, shutdown: Shutdown) -> Self {
        let kill = CancellationToken::new();
        let (report, ended) = watch::channel(false);
        let killed = kill.clone();
        tokio::spawn(async move {
            let ended = tokio::select! {
                status = child.wait() => Some(status.map(drop)),
                () = killed.cancelled() => None,
            };
            if let KillScope::Descendants(_, group) = &scope {
                group.forbid_new_processes();
            }
            let ended = match ended {
                Some(ended) => ended,
                None => end_computer(&mut child, &scope).await,
            };
            if let KillScope::Descendants(spawner, _) = &scope {
                // The server has adopted the processes that remained when the agent ended.
                spawner.kill_orphans().await;
            }
            if let Err(error) = ended {
                tracing::error!("cannot wait for a computer's root process: {error}");
            }
            shutdown.fail("its root process ended");
            report.send_replace(true);
        });
        Self { kill, ended }
    }

    /// Kills all processes of the computer. Returns when they have ended, or when waiting for them has timed out.
    pub(super) async fn kill(&self) {
        self.kill.cancel();
        // An error means that the task and the process have ended.
        let _ = self.ended.clone().wait_for(|&ended| ended).await;
    }
}

/// Kills all processes of the computer, including the root process.
async fn end_computer(child: &mut Child, scope: &KillScope) -> io::Result<()> {
    let cleared = match scope {
        KillScope::Namespace => {
            let inside = children(child);
            kill_group(child);
            child.wait().await?;
            // The kernel kills the first process of the box a moment after its parent, bubblewrap.
            timeout(KILL_TIMEOUT, async {
                for process in inside {
                    wait_for_end(process).await;
                }
            })
            .await
            .is_ok()
        }
        KillScope::Descendants(..) => {
            // The agent is killed last, because it adopts the orphans until it ends.
            let agent = child.id().map(u32::cast_signed);
            let ended = tokio::task::spawn_blocking(move || {
                agent.is_none_or(|agent| kill_descendants(agent, &HashSet::new()))
            })
            .await;
            kill_group(child);
            child.wait().await?;
            ended.is_ok_and(|ended| ended)
        }
    };
    if !cleared {
        tracing::error!("some processes of a computer could not be killed");
    }
    Ok(())
}

/// Kills the process group of the root process. Killing only the root process is not enough while a box is starting:
/// the first process of the box does not yet end together with bubblewrap.
fn kill_group(leader: &Child) {
    if let Some(group) = leader.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        // An error means that the group has ended.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Returns pidfds of the children of a process. The only child of a box's root process is the first process inside the
/// box. The kernel reports the exit of the first process when all processes of its namespace have ended.
fn children(parent: &Child) -> Vec<OwnedFd> {
    let Some(parent) = parent.id() else { return Vec::new() };
    let listed = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    let pids = listed.split_ascii_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
    // A child that cannot be opened has ended.
    pids.filter_map(|pid| pidfd_open(pid, PidfdFlags::NONBLOCK).ok()).collect()
}

async fn wait_for_end(process: OwnedFd) {
    // SAFETY: the `AsyncFd` owns the `OwnedFd`, never replaces it, and keeps it open.
    if let Ok(process) = unsafe { AsyncFd::register(process) } {
        // An error means that the process cannot be watched.
        let _ = process.readable().await;
    }
}
