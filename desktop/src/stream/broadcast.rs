//! Starts and stops the stream of one computer, and supervises its encoder.

use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin};
use tokio::sync::{Mutex, oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::computer::Spawner;
use crate::timestamp;

use super::connections::Connection;
use super::encoder::{self, Setup, Source};
use super::relay::{Peers, Relays};

/// How long the target may take to accept the stream.
const START_TIMEOUT: Duration = Duration::from_secs(15);
/// How long the encoder may take to send its remaining data and close the connection.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// The maximum number of bytes of the encoder's stderr that are kept.
const MAX_STDERR: u64 = 8 * 1024;
/// The maximum number of bytes that are read as one line of the encoder's progress report. Actual lines are much
/// shorter.
const MAX_LINE: u64 = 1024;

/// The reason why a stream did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("this computer streams already; stop that stream first")]
    AlreadyStreaming,
    #[error("streaming needs ffmpeg, which is not installed")]
    NoEncoder,
    #[error("cannot start the encoder: {0}")]
    Encoder(#[from] io::Error),
    #[error("the stream did not start: {0}")]
    Refused(String),
}

/// The status of a computer's stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    Idle,
    Streaming {
        pid: u32,
        start_time: String,
    },
    /// The stream ended without a request to stop.
    Terminated {
        message: String,
    },
}

/// Manages the stream of a computer. A computer has at most one stream at a time.
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
    /// Starts a stream and waits until the target accepts data.
    pub(crate) async fn start(
        &self,
        spawner: &Spawner,
        setup: Setup<'_>,
        connection: Connection,
    ) -> Result<Status, StartError> {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(Stream::is_live) {
            return Err(StartError::AlreadyStreaming);
        }
        let (control, control_in_box) = UnixStream::pair()?;
        let command = encoder::command(&setup, &connection, control_in_box)?;
        let child = spawner.spawn(command).await.map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound { StartError::NoEncoder } else { error.into() }
        })?;
        let target = connection.target().map_err(io::Error::other)?;
        let relays = match setup.source {
            Source::Relayed { display, audio } => {
                Relays::start(control, Peers { display, audio, target: (target.host(), target.port) })?
            }
            Source::Direct { .. } => Relays::none(),
        };
        let stop = CancellationToken::new();
        let (report, mut status) = watch::channel(Status::Idle);
        // Runs in a separate task, so that the stream continues if the caller drops this future.
        tokio::spawn(supervise(child, relays, connection, stop.clone(), report));
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

    /// Stops the stream and resets the status to `Idle`. Returns `false` if no stream was running.
    pub(crate) async fn stop(&self) -> bool {
        let Some(mut stream) = self.current.lock().await.take() else { return false };
        let was_live = stream.is_live();
        stream.stop.cancel();
        // The supervising task closes the status channel after the encoder has ended.
        while stream.status.changed().await.is_ok() {}
        was_live
    }
}

impl Stream {
    fn is_live(&self) -> bool {
        !matches!(*self.status.borrow(), Status::Terminated { .. })
    }
}

/// Reports the status of the stream until the encoder ends. Stops the encoder if `stop` is canceled or if the stream
/// fails.
async fn supervise(
    mut child: Child,
    mut relays: Relays,
    connection: Connection,
    stop: CancellationToken,
    report: watch::Sender<Status>,
) {
    // Takes stdin from the child, because `Child::wait` would close it.
    let mut stdin = child.stdin.take();
    let stderr = child.stderr.take().map(|stderr| tokio::spawn(read_stderr(stderr)));
    let (begin, mut begun) = oneshot::channel();
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(read_progress(stdout, begin));
    }
    let start_timeout = sleep(START_TIMEOUT);
    tokio::pin!(start_timeout);
    let message = loop {
        tokio::select! {
            Ok(()) = &mut begun, if !begun.is_terminated() => {
                let (pid, start_time) = (child.id().unwrap_or_default(), timestamp::seconds());
                report.send_replace(Status::Streaming { pid, start_time });
            }
            _ = child.wait() => {
                let stderr = match stderr {
                    Some(stderr) => stderr.await.unwrap_or_default(),
                    None => String::new(),
                };
                break Some(relays.failure().unwrap_or_else(|| last_line(&stderr)));
            }
            failure = relays.failed() => {
                stop_encoder(&mut child, stdin.take()).await;
                break Some(failure);
            }
            () = &mut start_timeout, if *report.borrow() == Status::Idle => {
                stop_encoder(&mut child, stdin.take()).await;
                break Some(format!("the target accepted no data within {} s", START_TIMEOUT.as_secs()));
            }
            () = stop.cancelled() => {
                stop_encoder(&mut child, stdin.take()).await;
                break None;
            }
        }
    };
    relays.close().await;
    if let Some(message) = message {
        let message = connection.masked(&message);
        tracing::info!("a stream ended: {message}");
        report.send_replace(Status::Terminated { message });
    }
}

/// Reads all of stderr, so that writing to it never blocks the encoder, and returns the first `MAX_STDERR` bytes.
async fn read_stderr(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut text = Vec::new();
    let kept = (&mut stderr).take(MAX_STDERR).read_to_end(&mut text).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    kept.map(|_| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
}

/// Reads all of stdout, and sends a message through `begin` when the target has accepted data.
async fn read_progress(stdout: impl AsyncRead + Unpin, begin: oneshot::Sender<()>) {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    while (&mut stdout).take(MAX_LINE).read_until(b'\n', &mut line).await.is_ok_and(|length| length > 0) {
        if is_progress(&String::from_utf8_lossy(&line)) {
            // Fails only after the supervising task has ended.
            let _ = begin.send(());
            break;
        }
        line.clear();
    }
    let _ = tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await;
}

/// Returns whether a line of the progress report shows that the encoder has written data.
fn is_progress(line: &str) -> bool {
    line.trim_end()
        .strip_prefix("total_size=")
        .and_then(|size| size.parse().ok())
        .is_some_and(|size: u64| size > 0)
}

/// Requests that the encoder exit, and kills it if it does not exit within `STOP_TIMEOUT`.
async fn stop_encoder(child: &mut Child, stdin: Option<ChildStdin>) {
    let quit = async {
        if let Some(mut stdin) = stdin {
            // Writing fails only if the encoder has already exited.
            let _ = stdin.write_all(b"q").await;
        }
        child.wait().await
    };
    if timeout(STOP_TIMEOUT, quit).await.is_err()
        && let Err(error) = child.kill().await
    {
        tracing::error!("cannot kill an encoder: {error}");
    }
}

fn last_line(text: &str) -> String {
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
    line.unwrap_or("the encoder ended without an error message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_positive_size_is_progress() {
        assert!(is_progress("total_size=1234"));
        for line in ["total_size=0", "total_size=N/A", "progress=continue", ""] {
            assert!(!is_progress(line), "{line}");
        }
    }

    #[tokio::test]
    async fn a_line_without_a_line_feed_is_read_in_pieces() {
        let endless = vec![b'x'; 10 * 1024 * 1024];
        let (begin, begun) = oneshot::channel();
        read_progress(&*endless, begin).await;
        assert!(begun.await.is_err());
        let (begin, begun) = oneshot::channel();
        read_progress(&b"total_size=0\ntotal_size=12\nprogress=continue\n"[..], begin).await;
        assert_eq!(begun.await, Ok(()));
    }

    #[test]
    fn the_last_line_that_is_not_empty_is_the_reason() {
        assert_eq!(last_line("a\n b \n\n"), "b");
        assert_eq!(last_line(""), "the encoder ended without an error message");
    }
}
