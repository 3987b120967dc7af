//! The stream of one computer: from its start until it was stopped, or ended by itself.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin};
use tokio::sync::{Mutex, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::computer::Spawner;
use crate::timestamp;

use super::connections::Connection;
use super::encoder::{self, Stage};

/// How long the target may take to accept the stream.
const START_LIMIT: Duration = Duration::from_secs(15);
/// How long the encoder may take to write out what it has and say goodbye.
const STOP_LIMIT: Duration = Duration::from_secs(3);
/// Of what the encoder says about a failure, in bytes.
const COMPLAINT_KEPT: u64 = 8 * 1024;

/// Why a stream did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("this computer streams already; stop that first")]
    AlreadyStreaming,
    #[error("streaming needs ffmpeg, which is not installed")]
    NoEncoder,
    #[error("cannot start the encoder: {0}")]
    Encoder(#[from] io::Error),
    #[error("the stream did not start: {0}")]
    Refused(String),
}

/// What a computer's stream is doing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    Idle,
    Streaming {
        pid: u32,
        start_time: String,
    },
    /// It ended without having been told to.
    Terminated {
        message: String,
    },
}

/// The one stream that a computer can have.
#[derive(Debug, Default)]
pub(crate) struct Broadcast {
    current: Mutex<Option<Stream>>,
}

#[derive(Debug)]
struct Stream {
    status: watch::Receiver<Status>,
    stop: CancellationToken,
}

impl Broadcast {
    /// Starts a stream and returns once the target takes it.
    pub(crate) async fn start(
        &self,
        spawner: &Spawner,
        stage: &Stage,
        connection: Connection,
    ) -> Result<Status, StartError> {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(Stream::is_live) {
            return Err(StartError::AlreadyStreaming);
        }
        let child = spawner.spawn(encoder::command(stage, &connection)?).await.map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound { StartError::NoEncoder } else { error.into() }
        })?;
        let stop = CancellationToken::new();
        let (report, mut status) = watch::channel(Status::Idle);
        // It goes on when whoever asked for it does not wait.
        tokio::spawn(follow(child, Arc::new(connection), stop.clone(), report));
        *current = Some(Stream { status: status.clone(), stop });
        drop(current);
        let settled = status.wait_for(|status| *status != Status::Idle).await.map(|status| status.clone());
        match settled {
            Ok(Status::Terminated { message }) => Err(StartError::Refused(message)),
            Ok(status) => Ok(status),
            Err(_) => Err(StartError::Refused("it was stopped".into())),
        }
    }

    pub(crate) async fn status(&self) -> Status {
        self.current.lock().await.as_ref().map_or(Status::Idle, |stream| stream.status.borrow().clone())
    }

    /// Stops the stream and forgets it; `false` when there was none, or it had ended.
    pub(crate) async fn stop(&self) -> bool {
        let Some(mut stream) = self.current.lock().await.take() else { return false };
        let was_live = stream.is_live();
        stream.stop.cancel();
        // The encoder has ended when its follower has.
        while stream.status.changed().await.is_ok() {}
        was_live
    }
}

impl Stream {
    fn is_live(&self) -> bool {
        !matches!(*self.status.borrow(), Status::Terminated { .. })
    }
}

/// Follows the encoder to its end, and reports what it is doing.
async fn follow(
    mut child: Child,
    connection: Arc<Connection>,
    stop: CancellationToken,
    report: watch::Sender<Status>,
) {
    // Taken out, since waiting for a child closes it.
    let mut keyboard = child.stdin.take();
    let complaint = child.stderr.take().map(|errors| {
        tokio::spawn(async move {
            let mut text = Vec::new();
            let mut errors = errors;
            // More than that is read and left out, so that the encoder never waits for a reader.
            let kept = (&mut errors).take(COMPLAINT_KEPT).read_to_end(&mut text).await;
            let _ = tokio::io::copy(&mut errors, &mut tokio::io::sink()).await;
            kept.map(|_| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
        })
    });
    let mut progress = child.stdout.take().map(|output| BufReader::new(output).lines());
    let late = sleep(START_LIMIT);
    tokio::pin!(late);
    let mut begun = false;
    let message = loop {
        let line = async {
            match &mut progress {
                Some(lines) => lines.next_line().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            line = line => match line {
                Ok(Some(line)) if !begun && is_progress(&line) => {
                    begun = true;
                    let (pid, start_time) = (child.id().unwrap_or_default(), timestamp::seconds());
                    report.send_replace(Status::Streaming { pid, start_time });
                }
                Ok(Some(_)) => {}
                _ => progress = None,
            },
            _ = child.wait() => break match complaint {
                Some(complaint) => last_line(&connection.masked(&complaint.await.unwrap_or_default())),
                None => last_line(""),
            },
            () = &mut late, if !begun => {
                end(&mut child, keyboard.take()).await;
                break format!("the target took nothing within {} s", START_LIMIT.as_secs());
            }
            () = stop.cancelled() => return end(&mut child, keyboard.take()).await,
        }
    };
    tracing::info!("a stream ended: {message}");
    report.send_replace(Status::Terminated { message });
}

/// Whether the encoder says that it has written something: it tells a time once there is one.
fn is_progress(line: &str) -> bool {
    line.strip_prefix("total_size=").and_then(|size| size.parse().ok()).is_some_and(|size: u64| size > 0)
}

/// Asks the encoder to end, and makes it.
async fn end(child: &mut Child, keyboard: Option<ChildStdin>) {
    let asked = async {
        if let Some(mut keyboard) = keyboard {
            // An error means that it has ended already.
            let _ = keyboard.write_all(b"q").await;
        }
        child.wait().await
    };
    if timeout(STOP_LIMIT, asked).await.is_err()
        && let Err(error) = child.kill().await
    {
        tracing::error!("cannot end an encoder: {error}");
    }
}

fn last_line(complaint: &str) -> String {
    let line = complaint.lines().rev().map(str::trim).find(|line| !line.is_empty());
    line.unwrap_or("the encoder ended without a reason").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_written_is_progress() {
        assert!(is_progress("total_size=1234"));
        for line in ["total_size=0", "total_size=N/A", "progress=continue", ""] {
            assert!(!is_progress(line), "{line}");
        }
    }

    #[test]
    fn the_last_line_tells_the_reason() {
        assert_eq!(last_line("a\n b \n\n"), "b");
        assert_eq!(last_line(""), "the encoder ended without a reason");
    }
}
