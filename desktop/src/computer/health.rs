//! Detects that a computer is unusable, and ends it with the reason.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::agent::{Agent, AgentError, Spawn, Stdio};

use super::shutdown::Shutdown;

/// How long a computer may be unable to start a process. A build may reach the limit on processes for a moment.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(10);
/// How often to check again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Checks a computer on request.
#[derive(Debug)]
pub(super) struct Health {
    check: Arc<Notify>,
}

impl Health {
    /// Runs until `shutdown`.
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

    /// Requests a check: a call failed in a way that may affect the whole computer.
    pub(super) fn request_check(&self) {
        self.check.notify_one();
    }
}

async fn wait_for_recovery(agent: &Agent) -> Result<(), String> {
    let since = Instant::now();
    loop {
        let reason = match try_process(agent).await {
            // Any other failure affects only this program, not the whole computer.
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
