//! The stream of one computer: from its start until it was stopped, or ended by itself.

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
use super::encoder::{self, Source, Stage};
use super::relay::{Peers, Relays};

/// How long the target may take to accept the stream.
const START_LIMIT: Duration = Duration::from_secs(15);
/// How long the encoder may take to write out what it has and say goodbye.
const STOP_LIMIT: Duration = Duration::from_secs(3);
/// The number of bytes that are kept of the encoder's stderr.
const MAX_STDERR: u64 = 8 * 1024;
/// The number of bytes that are read as one line of the encoder's progress. Its own lines are far shorter.
const MAX_LINE: u64 = 1024;

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
        stage: Stage<'_>,
        connection: Connection,
    ) -> Result<Status, StartError> {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(Stream::is_live) {
            return Err(StartError::AlreadyStreaming);
        }
        let (control, control_in_box) = UnixStream::pair()?;
        let command = encoder::command(&stage, &connection, control_in_box)?;
        let child = spawner.spawn(command).await.map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound { StartError::NoEncoder } else { error.into() }
        })?;
        let target = connection.target().map_err(io::Error::other)?;
        let relays = match stage.source {
            Source::Relayed { display, audio } => {
                Relays::start(control, Peers { display, audio, target: (target.host(), target.port) })?
            }
            Source::Direct { .. } => Relays::none(),
        };
        let stop = CancellationToken::new();
        let (report, mut status) = watch::channel(Status::Idle);
        // It goes on when whoever asked for it does not wait.
        tokio::spawn(follow(child, relays, connection, stop.clone(), report));
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
    mut relays: Relays,
    connection: Connection,
    stop: CancellationToken,
    report: watch::Sender<Status>,
) {
    // Taken out, since waiting for a child closes it.
    let mut stdin = child.stdin.take();
    let stderr = child.stderr.take().map(|stderr| tokio::spawn(read_stderr(stderr)));
    let (begin, mut begun) = oneshot::channel();
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(read_progress(stdout, begin));
    }
    let late = sleep(START_LIMIT);
    tokio::pin!(late);
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
                end(&mut child, stdin.take()).await;
                break Some(failure);
            }
            () = &mut late, if *report.borrow() == Status::Idle => {
                end(&mut child, stdin.take()).await;
                break Some(format!("the target took nothing within {} s", START_LIMIT.as_secs()));
            }
            () = stop.cancelled() => {
                end(&mut child, stdin.take()).await;
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

/// Reads all of stderr, so that the encoder never waits for a reader, and returns its beginning.
async fn read_stderr(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut text = Vec::new();
    let kept = (&mut stderr).take(MAX_STDERR).read_to_end(&mut text).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    kept.map(|_| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
}

/// Reads all of stdout, and reports through `begin` when the target has taken data.
async fn read_progress(stdout: impl AsyncRead + Unpin, begin: oneshot::Sender<()>) {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    while (&mut stdout).take(MAX_LINE).read_until(b'\n', &mut line).await.is_ok_and(|length| length > 0) {
        if is_progress(&String::from_utf8_lossy(&line)) {
            // The other end only goes with the encoder.
            let _ = begin.send(());
            break;
        }
        line.clear();
    }
    let _ = tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await;
}

/// Whether the encoder says that it has written something: it tells a time once there is one.
fn is_progress(line: &str) -> bool {
    line.trim_end()
        .strip_prefix("total_size=")
        .and_then(|size| size.parse().ok())
        .is_some_and(|size: u64| size > 0)
}

/// Asks the encoder to end, and makes it.
async fn end(child: &mut Child, stdin: Option<ChildStdin>) {
    let asked = async {
        if let Some(mut stdin) = stdin {
            // An error means that it has ended already.
            let _ = stdin.write_all(b"q").await;
        }
        child.wait().await
    };
    if timeout(STOP_LIMIT, asked).await.is_err()
        && let Err(error) = child.kill().await
    {
        tracing::error!("cannot end an encoder: {error}");
    }
}

fn last_line(text: &str) -> String {
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
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

    #[tokio::test]
    async fn a_line_without_end_is_read_in_pieces() {
        let flood = vec![b'x'; 10 * 1024 * 1024];
        let (begin, begun) = oneshot::channel();
        read_progress(&*flood, begin).await;
        assert!(begun.await.is_err());
        let (begin, begun) = oneshot::channel();
        read_progress(&b"total_size=0\ntotal_size=12\nprogress=continue\n"[..], begin).await;
        assert_eq!(begun.await, Ok(()));
    }

    #[test]
    fn the_last_line_tells_the_reason() {
        assert_eq!(last_line("a\n b \n\n"), "b");
        assert_eq!(last_line(""), "the encoder ended without a reason");
    }
}
