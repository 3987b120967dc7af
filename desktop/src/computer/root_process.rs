//! A computer as processes: in a box bubblewrap outside and its child, the first process inside; else the agent and what it
//! has started.

#![expect(clippy::disallowed_methods, reason = "reads the list of processes")]

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

use super::shutdown::Shutdown;
use super::spawner::Spawner;

/// How long the kernel may take to clear a box away. A process that waits for a broken disk would take for ever.
const CLEARANCE: Duration = Duration::from_secs(5);

/// How the processes of a computer are reached.
pub(super) enum KillScope {
    /// The kernel ends all of them with the outermost.
    Namespace,
    /// They are those that it or one of its descendants has started.
    Descendants(Spawner),
}

/// The outermost process of the computer: when it ends, so does everything inside.
#[derive(Debug)]
pub(super) struct RootProcess {
    kill: CancellationToken,
    ended: watch::Receiver<bool>,
}

impl RootProcess {
    /// Ends the computer when the box ends by itself.
    pub(super) fn follow(mut child: Child, scope: KillScope, shutdown: Shutdown) -> Self {
        let kill = CancellationToken::new();
        let (report, ended) = watch::channel(false);
        let killed = kill.clone();
        tokio::spawn(async move {
            let ended = tokio::select! {
                status = child.wait() => status.map(drop),
                () = killed.cancelled() => end_computer(&mut child, &scope).await,
            };
            if let KillScope::Descendants(spawner) = &scope {
                // Without their ancestor they have fallen to the server.
                spawner.kill_orphans().await;
            }
            if let Err(error) = ended {
                tracing::error!("cannot follow a computer's box: {error}");
            }
            shutdown.fail("its first process ended");
            report.send_replace(true);
        });
        Self { kill, ended }
    }

    /// Returns when nothing of the box is left.
    pub(super) async fn kill(&self) {
        self.kill.cancel();
        // An error means that the follower is gone, and the process with it.
        let _ = self.ended.clone().wait_for(|&ended| ended).await;
    }
}

/// Ends all that is inside, and the outermost process.
async fn end_computer(child: &mut Child, scope: &KillScope) -> io::Result<()> {
    let cleared = match scope {
        KillScope::Namespace => {
            let inside = children(child);
            kill_group(child);
            child.wait().await?;
            // The kernel ends it with its parent, but not in the same moment.
            timeout(CLEARANCE, async {
                for process in inside {
                    wait_for_end(process).await;
                }
            })
            .await
            .is_ok()
        }
        KillScope::Descendants(_) => {
            // The agent last: orphans fall to it as long as it is there.
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
        tracing::error!("the processes of a computer do not end");
    }
    Ok(())
}

/// The outermost process leads a group. While a box opens, the first process inside does not end with its parent yet.
fn kill_group(leader: &Child) {
    if let Some(group) = leader.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        // An error means that it has ended.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// The first process inside, whose end the kernel reports when every other one there has ended.
fn children(parent: &Child) -> Vec<OwnedFd> {
    let Some(parent) = parent.id() else { return Vec::new() };
    let listed = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    let pids = listed.split_ascii_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
    // One that cannot be opened has ended.
    pids.filter_map(|pid| pidfd_open(pid, PidfdFlags::NONBLOCK).ok()).collect()
}

async fn wait_for_end(process: OwnedFd) {
    // SAFETY: the `OwnedFd` is open, always the same, and kept by the `AsyncFd`, which nothing takes it out of.
    if let Ok(process) = unsafe { AsyncFd::register(process) } {
        // An error would say that it cannot be waited for.
        let _ = process.readable().await;
    }
}
