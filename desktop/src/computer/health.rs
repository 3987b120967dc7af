//! Telling that a computer has made itself unusable, and ending it with the reason.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::agent::{Agent, AgentError, Spawn, Stdio};

use super::shutdown::Shutdown;

/// How long a computer may have no room for another process. A build may need so many for a moment.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(10);
/// How soon it is looked again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Watches a computer once there is a doubt.
#[derive(Debug)]
pub(super) struct Health {
    check: Arc<Notify>,
}

impl Health {
    /// It goes on until `shutdown`.
    pub(super) fn watch(agent: Agent, shutdown: Shutdown) -> Self {
        let check = Arc::new(Notify::new());
        let requested = Arc::clone(&check);
        let ended = shutdown.token().clone();
        tokio::spawn(ended.run_until_cancelled_owned(async move {
            loop {
                requested.notified().await;
                if let Err(reason) = wait_for_recovery(&agent).await {
                    tracing::error!("a computer is given up: {reason}");
                    shutdown.fail(reason);
                }
            }
        }));
        Self { check }
    }

    /// Says that a call failed in a way that may be the whole computer's.
    pub(super) fn request_check(&self) {
        self.check.notify_one();
    }
}

async fn wait_for_recovery(agent: &Agent) -> Result<(), String> {
    let since = Instant::now();
    loop {
        let reason = match try_process(agent).await {
            // What else is wrong with a program is no matter of the whole computer.
            Ok(()) | Err(AgentError::NotStarted(_)) => return Ok(()),
            Err(AgentError::Exhausted(error)) => {
                format!("no process can be started in it any more ({error}): restart it")
            }
            Err(AgentError::Lost(error)) => format!("its agent does not answer ({error}): restart it"),
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
