//! Accepts and serves connections, with limits on their time, memory and number.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt as _};

/// The time limit for receiving the header of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum header size in bytes. hyper closes a connection that exceeds it. `guard` has a lower limit and returns a
/// descriptive error.
const MAX_HEADER_BYTES: usize = 128 * 1024;
const MAX_HEADER_FIELDS: usize = 1024;
/// The number of file descriptors that are reserved for computers and data, not available to connections.
const RESERVED_DESCRIPTORS: u64 = 1024;
/// The delay after a failed `accept`.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The addresses of both endpoints of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoints {
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
}

/// Serves until `closing` is canceled, then waits until all open connections have ended.
pub(super) async fn serve<S>(listener: TcpListener, service: S, closing: CancellationToken) -> io::Result<()>
where
    S: Service<Request, Response = Response, Error = std::convert::Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let slots = Arc::new(Semaphore::new(max_connections()));
    let tasks = TaskTracker::new();
    loop {
        let accepted = async {
            // While no slot is free, new connections wait in the kernel's backlog.
            let slot = Arc::clone(&slots).acquire_owned().await.map_err(io::Error::other)?;
            listener.accept().await.map(|(stream, peer)| (stream, peer, slot))
        };
        tokio::select! {
            () = closing.cancelled() => break,
            accepted = accepted => match accepted {
                Ok((stream, peer, slot)) => {
                    let connection = handle(stream, peer, service.clone(), closing.clone());
                    tasks.spawn(async move {
                        connection.await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    // The peer has already disconnected, or the system is temporarily out of a resource.
                    tracing::debug!("accept failed: {error}; retrying in {} ms", RETRY_DELAY.as_millis());
                    sleep(RETRY_DELAY).await;
                }
            },
        }
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
    Ok(())
}

async fn handle<S>(stream: TcpStream, peer: SocketAddr, service: S, closing: CancellationToken)
where
    S: Service<Request, Response = Response, Error = std::convert::Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let Ok(local) = stream.local_addr() else { return };
    // Disables Nagle's algorithm, which would delay small frames.
    let _ = stream.set_nodelay(true);
    serve_connection(stream, Endpoints { local, peer }, service, closing).await;
}

/// Serves HTTP on a connection until it ends. When `closing` is canceled, shuts the connection down gracefully.
pub(super) async fn serve_connection<C, S>(
    connection: C,
    endpoints: Endpoints,
    service: S,
    closing: CancellationToken,
) where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    S: Service<Request, Response = Response, Error = std::convert::Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(endpoints);
        service.clone().oneshot(request.map(axum::body::Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(MAX_HEADER_FIELDS)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(connection), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("connection failed: {error}");
    }
}

/// Returns the maximum number of connections: the process's descriptor limit minus the reserved descriptors.
fn max_connections() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        // If this fails, the current limit applies.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let connections = descriptors.saturating_sub(RESERVED_DESCRIPTORS).max(descriptors / 2);
    usize::try_from(connections).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)
}
