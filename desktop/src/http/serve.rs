//! Taking connections, with bounds on what each of them may hold up.

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

/// How long a connection may take over the head of a request, the first or the next one.
const HEAD_LIMIT: Duration = Duration::from_secs(30);
/// What a head may be large in bytes before its connection is closed. The guard refuses smaller ones with an explanation.
const HEAD_SIZE: usize = 128 * 1024;
const HEAD_FIELDS: usize = 1024;
/// File descriptors for everything but connections: the computers, the data.
const RESERVED: u64 = 1024;
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Both ends of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) own: SocketAddr,
    pub(super) peer: SocketAddr,
}

/// Serves until `closing`, then until the connections that are open have ended.
pub(super) async fn serve<S>(listener: TcpListener, service: S, closing: CancellationToken) -> io::Result<()>
where
    S: Service<Request, Response = Response, Error = std::convert::Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let room = Arc::new(Semaphore::new(connections()));
    let tasks = TaskTracker::new();
    loop {
        let accepted = async {
            // Whoever comes while there is no room waits in the kernel's queue.
            let place = Arc::clone(&room).acquire_owned().await.map_err(io::Error::other)?;
            listener.accept().await.map(|(stream, peer)| (stream, peer, place))
        };
        tokio::select! {
            () = closing.cancelled() => break,
            accepted = accepted => match accepted {
                Ok((stream, peer, place)) => {
                    let connection = converse(stream, peer, service.clone(), closing.clone());
                    tasks.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Either the peer has gone already, or the system is short of something that others give back.
                    tracing::debug!("a connection was not accepted: {error}");
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

async fn converse<S>(stream: TcpStream, peer: SocketAddr, service: S, closing: CancellationToken)
where
    S: Service<Request, Response = Response, Error = std::convert::Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let Ok(own) = stream.local_addr() else { return };
    // Small frames go out as they are made.
    let _ = stream.set_nodelay(true);
    speak(stream, Ends { own, peer }, service, closing).await;
}

/// Speaks HTTP on a connection, until its end or until `closing`.
pub(super) async fn speak<C, S>(connection: C, ends: Ends, service: S, closing: CancellationToken)
where
    C: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    S: Service<Request, Response = Response, Error = std::convert::Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let answer = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ends);
        service.clone().oneshot(request.map(axum::body::Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_headers(HEAD_FIELDS)
        .max_buf_size(HEAD_SIZE)
        .serve_connection(TokioIo::new(connection), answer)
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
        tracing::debug!("a connection broke off: {error}");
    }
}

/// How many connections there may be: as many as the system lets this process have, less what it needs itself.
fn connections() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        // Without it there is room for fewer.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let connections = descriptors.saturating_sub(RESERVED).max(descriptors / 2);
    usize::try_from(connections).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)
}
