//! Relays between the encoder's box and the three peers that the encoder may connect to: the computer's X server, the
//! computer's audio server and the target. The box has no network, so the server opens the connections to the peers.

use std::future::{Future, pending};
use std::io;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream, lookup_host};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::listeners::Listeners;
use crate::untrusted::Connection;

/// How long the box may take to send its sockets.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long connecting to a peer may take, including the lookup of its host name.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long connecting to one address of the target may take before the next address is tried.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(4);
/// How long each relay may take to send its remaining data after the end of the stream.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The pause after a failed `accept`. If no descriptors are free, an immediate retry would also fail.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The maximum number of concurrent connections of a relay. ffmpeg opens one connection to each peer.
const MAX_CONNECTIONS: usize = 4;
/// The size of the buffer for each direction of a connection, in bytes. Larger buffers do not reduce the CPU usage.
const BUFFER: usize = 64 * 1024;

/// Opens connections to the computer's X server or audio server.
pub(crate) struct ComputerSocket(Box<dyn Fn() -> BoxFuture<'static, io::Result<Connection>> + Send + Sync>);

impl ComputerSocket {
    pub(crate) fn new<F>(connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Connection>> + Send + 'static,
    {
        Self(Box::new(move || Box::pin(connect())))
    }

    pub(crate) async fn connect(&self) -> io::Result<Connection> {
        (self.0)().await
    }
}

/// The peers that the encoder may connect to.
pub(super) struct Peers {
    pub(super) display: ComputerSocket,
    pub(super) audio: ComputerSocket,
    /// The target's host and port.
    pub(super) target: (String, u16),
}

/// The three relays of one stream.
pub(super) struct Relays {
    closing: CancellationToken,
    failure: watch::Receiver<Option<String>>,
    task: JoinHandle<()>,
}

impl Relays {
    /// Starts the relays. They accept connections as soon as the box's sockets arrive through `control`.
    pub(super) fn start(control: StdUnixStream, peers: Peers) -> io::Result<Self> {
        control.set_nonblocking(true)?;
        let control = UnixStream::from_std(control)?;
        let (report, failure) = watch::channel(None);
        let closing = CancellationToken::new();
        let task = tokio::spawn(run(control, peers, Failures(Arc::new(report)), closing.clone()));
        Ok(Self { closing, failure, task })
    }

    /// Returns a value without relays, for an encoder that connects to its peers directly.
    pub(super) fn none() -> Self {
        let (_, failure) = watch::channel(None);
        Self { closing: CancellationToken::new(), failure, task: tokio::spawn(async {}) }
    }

    /// Waits until a relay fails, and returns the first failure.
    pub(super) async fn failed(&mut self) -> String {
        match self.failure.wait_for(Option::is_some).await.map(|failure| failure.clone()) {
            Ok(Some(failure)) => failure,
            _ => pending().await,
        }
    }

    /// Returns the first failure, if a relay has failed.
    pub(super) fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// Stops accepting connections, sends the remaining data and closes all connections.
    pub(super) async fn close(self) {
        self.closing.cancel();
        if let Err(error) = self.task.await {
            tracing::error!("the relays of a stream failed: {error}");
        }
    }
}

/// Reports failures of the relays.
#[derive(Clone)]
struct Failures(Arc<watch::Sender<Option<String>>>);

impl Failures {
    /// Keeps only the first failure, because later failures are its consequences.
    fn report(&self, failure: String) {
        self.0.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert(failure);
            is_first
        });
    }
}

async fn run(control: UnixStream, peers: Peers, failures: Failures, closing: CancellationToken) {
    let received = tokio::select! {
        received = timeout(LISTEN_TIMEOUT, Listeners::receive(&control)) => received,
        () = closing.cancelled() => return,
    };
    let listeners = match received.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(Some(listeners)) => listeners,
        // The box has ended. Its stderr contains the reason.
        Ok(None) => return,
        Err(error) => return failures.report(format!("the encoder's box opened no sockets: {error}")),
    };
    drop(control);
    let (display, audio, target) = match into_async(listeners) {
        Ok(listeners) => listeners,
        Err(error) => return failures.report(format!("cannot listen for the encoder: {error}")),
    };
    let Peers { display: display_peer, audio: audio_peer, target: (host, port) } = peers;
    let relay = |peer| Relay { peer, failures: failures.clone(), closing: closing.clone() };
    tokio::join!(
        relay("the computer's screen").run(display, display_peer.0),
        relay("the computer's audio").run(audio, audio_peer.0),
        relay("the target").run(target, move || {
            let host = host.clone();
            Box::pin(async move { connect(&host, port).await })
        }),
    );
}

fn into_async(listeners: Listeners) -> io::Result<(UnixListener, UnixListener, TcpListener)> {
    let Listeners { display, audio, target } = listeners;
    display.set_nonblocking(true)?;
    audio.set_nonblocking(true)?;
    target.set_nonblocking(true)?;
    Ok((UnixListener::from_std(display)?, UnixListener::from_std(audio)?, TcpListener::from_std(target)?))
}

/// Connects to the first address of `host` that accepts the connection.
async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
    for address in lookup_host((host, port)).await? {
        match timeout(ADDRESS_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Nagle's algorithm already merges small writes on the encoder's own connection.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => failure = error,
            Err(_) => failure = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(failure)
}

/// A listening Unix or TCP socket.
trait Listener {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.accept().await?.0)
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        Ok(self.accept().await?.0)
    }
}

/// A relay that forwards the encoder's connections to one peer.
struct Relay {
    /// The peer's name in error messages.
    peer: &'static str,
    failures: Failures,
    closing: CancellationToken,
}

impl Relay {
    async fn run<L, S>(
        self,
        listener: L,
        connect: impl Fn() -> BoxFuture<'static, io::Result<S>> + Send + Sync + 'static,
    ) where
        L: Listener,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => accepted,
                Some(_) = connections.join_next() => continue,
                () = self.closing.cancelled() => break,
            };
            match accepted {
                Ok(inner) => {
                    let outer = connect();
                    connections.spawn(forward(inner, outer, self.peer, self.failures.clone()));
                }
                Err(error) => {
                    tracing::warn!("a stream cannot accept a connection of its encoder: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        // The encoder has ended. Only its remaining data must still be sent.
        let sent = async { while connections.join_next().await.is_some() {} };
        let _ = timeout(CLOSE_TIMEOUT, sent).await;
    }
}

/// Connects to the peer and copies data in both directions, until both directions are closed or one of them fails.
async fn forward<I, O>(
    mut inner: I,
    outer: BoxFuture<'static, io::Result<O>>,
    peer: &'static str,
    failures: Failures,
) where
    I: AsyncRead + AsyncWrite + Unpin,
    O: AsyncRead + AsyncWrite + Unpin,
{
    let connected = timeout(CONNECT_TIMEOUT, outer).await;
    match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(mut outer) => {
            let copied = copy_bidirectional_with_sizes(&mut inner, &mut outer, BUFFER, BUFFER).await;
            // A failure is not reported here, because the encoder reports broken connections.
            tracing::debug!("a connection of an encoder to {peer} ended: {copied:?}");
        }
        Err(error) => failures.report(format!("cannot connect to {peer}: {error}")),
    }
}
