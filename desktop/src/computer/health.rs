//! Detects that a computer is unusable, and shuts it down with the reason.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::agent::{Agent, AgentError, Spawn, Stdio};

use super::shutdown::Shutdown;

/// The maximum time for which a computer may be unable to start a process. A build, for example, may reach the limit on
/// processes for a moment.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(10);
/// The interval between two checks while a computer is unable to start a process.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// A handle to the task that checks a computer on request.
#[derive(Debug)]
pub(super) struct Health {
    check: Arc<Notify>,
}

impl Health {
    /// Starts the task, which runs until the computer shuts down.
    pub(super) fn watch(agent: Agent, shutdown: Shutdown) -> Self {
        let check = Arc::new(Notify::new());
        let requested = Arc::clone(&check);
        let ended = shutdown.token().clone();
        tokio::spawn(ended.run_until_cancelled_owned(async move {
            loop {
                requested.notified().await;
                if let Err(reason) = wait_for_recovery(&agent).await {
                    tracing::error!("a computer is unusable and is stopped: {reason}");
                    shutdown.fail(reason);
                }
            }
        }));
        Self { check }
    }

    /// Requests a check, after a call failed for a reason that may affect the whole computer.
    pub(super) fn request_check(&self) {
        self.check.notify_one();
    }
}

async fn wait_for_recovery(agent: &Agent) -> Result<(), String> {
    let since = Instant::now();
    loop {
        let reason = match try_process(agent).await {
            // `NotStarted` is a failure of this program only, not of the whole computer.
            Ok(()) | Err(AgentError::NotStarted(_)) => return Ok(()),
            Err(AgentError::Exhausted(error)) => {
                format!("it cannot start any more processes ({error}): restart it")
            }
            Err(AgentError::Lost(error)) => format!("its agent does not reply ({error}): restart it"),
        };
        if since.elapsed() > RECOVERY_TIMEOUT {
            return Err(reason);
        }
        sleep(RETRY_INTERVAL).await;
    }
}

async fn try_process(agent: &Agent) -> Result<(), AgentError> {
    let spawn = Spawn {
        argv: vec!["/bin/true".into()],
        env: Vec::new(),
        cwd: "/".into(),
        stdio: Stdio::Output,
        script: false,
    };
    agent.spawn(spawn, &[]).await?.exit().await?;
    Ok(())
}
