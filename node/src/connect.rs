//! Opens byte streams to servers for HTTP and WebSockets: over TCP, through a proxy if the environment sets one, and
//! with TLS if the URL requires it.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::uri::Scheme;
use http::{Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::ext::ReasonPhrase;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::client::legacy::connect::proxy::SocksV5;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use crate::abort::Abort;
use crate::error::{BoxError, Failure};
use crate::proxies::{Protocol, Proxies, Proxy, is_localhost};
use crate::reuse::{Connections, StreamUsage};
use crate::tcp::Tcp;
use crate::tls::Tls;

/// The `user-agent` of every request.
pub(crate) const USER_AGENT_VALUE: &str = concat!("orgo-sdk-node/", env!("CARGO_PKG_VERSION"));

/// The time limit for connecting to a host, for all of its addresses together. It is shorter than the default time
/// limit of a call, so that the failure can report that nothing was sent.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The idle time after which the system sends TCP keep-alive probes.
const KEEPALIVE: Duration = Duration::from_secs(60);

type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// Opens streams with the proxies and certificates of the environment.
#[derive(Clone)]
pub(crate) struct Connector {
    direct: Direct,
    proxies: Arc<Proxies>,
    connections: Connections,
}

impl Connector {
    /// Reads the proxy and certificate settings of the environment. Call this on the thread that may change the
    /// environment.
    pub(crate) fn from_env() -> Self {
        let resolver = Resolver(GaiResolver::new());
        let mut tcp = HttpConnector::new_with_resolver(resolver.clone());
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp.set_connect_timeout(Some(CONNECT_LIMIT));
        Self {
            direct: Direct { tcp, resolver, tls: Arc::new(Tls::from_env()) },
            proxies: Arc::new(Proxies::from_env()),
            connections: Connections::default(),
        }
    }

    /// Returns the proxy that forwards whole requests to this URI, or `None` if the connection is direct or a tunnel.
    pub(crate) fn forwarder(&self, uri: &Uri) -> Option<&Proxy> {
        self.proxies.of(uri).ok().flatten().filter(|proxy| {
            uri.scheme() == Some(&Scheme::HTTP) && matches!(proxy.protocol(), Protocol::Http(_))
        })
    }

    /// Returns the connections that this connector opened for requests.
    pub(crate) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Opens a stream to the server itself, through the tunnel of a proxy if there is one. `uri` is an `http` or
    /// `https` URL.
    pub(crate) async fn tunnel(mut self, uri: Uri) -> Result<Stream, BoxError> {
        let Some(proxy) = self.proxies.of(&uri)?.cloned() else {
            return Ok(self.direct.call(uri).await?.into_inner());
        };
        let host = uri.host().ok_or("the address has no host")?;
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let stream = match proxy.protocol() {
            Protocol::Http(_) => self.http_tunnel(&proxy, format!("{host}:{port}")).await,
            Protocol::Socks { credentials, resolves } => {
                self.socks_tunnel(&proxy, credentials.clone(), *resolves, host, port).await
            }
        };
        let stream = stream.map_err(|error| through(&proxy, &*error))?;
        if secure { Ok(Stream::new(self.direct.tls.connect(host, stream).await?)) } else { Ok(stream) }
    }

    /// Opens a tunnel with the method CONNECT.
    async fn http_tunnel(&mut self, proxy: &Proxy, target: String) -> Result<Stream, BoxError> {
        let stream = self.direct.call(proxy.uri().clone()).await?;
        let (mut sender, connection) = http1::handshake(stream).await?;
        let mut request = Request::connect(target.as_str()).header(HOST, target.as_str());
        if let Some(credentials) = proxy.credentials() {
            request = request.header(PROXY_AUTHORIZATION, credentials);
        }
        let request = request.body(Empty::<Bytes>::new())?;
        let opened = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            if !status.is_success() {
                let custom = response.extensions().get::<ReasonPhrase>();
                let reason = custom.map(|reason| String::from_utf8_lossy(reason.as_bytes()));
                let reason = reason.as_deref().or(status.canonical_reason()).unwrap_or_default();
                let mut text = format!("it refused CONNECT {target}: {} {reason}", status.as_u16());
                if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
                    let variable = proxy.variable();
                    text.push_str(&format!(" (check the user name and the password in {variable})"));
                }
                return Err(BoxError::from(text));
            }
            Ok(hyper::upgrade::on(response).await?)
        };
        let upgraded = match select(pin!(opened), pin!(connection.with_upgrades())).await {
            Either::Left((opened, _)) => opened?,
            Either::Right((_, opened)) => opened.await?,
        };
        let parts = upgraded.downcast::<TokioIo<Stream>>().map_err(|_| "the tunnel has another stream")?;
        // In all protocols through the tunnel, the client sends first.
        if parts.read_buf.is_empty() {
            Ok(parts.io.into_inner())
        } else {
            Err("it sent data before the tunnel was used".into())
        }
    }

    /// Opens a tunnel with SOCKS5.
    async fn socks_tunnel(
        &self,
        proxy: &Proxy,
        credentials: Option<(String, String)>,
        resolves: bool,
        host: &str,
        port: u16,
    ) -> Result<Stream, BoxError> {
        let mut tunnel = SocksV5::new(proxy.uri().clone(), self.direct.clone());
        if let Some((user, password)) = credentials {
            tunnel = tunnel.with_auth(user, password);
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let target = if resolves || bare.parse::<IpAddr>().is_ok() {
            format!("{host}:{port}")
        } else {
            let mut addresses = self.direct.resolver.clone().call(bare.parse()?).await?;
            let mut address = addresses.next().ok_or("the name has no address")?;
            address.set_port(port);
            address.to_string()
        };
        let target = Uri::builder().scheme("http").authority(target).path_and_query("/").build()?;
        Ok(tunnel.call(target).await?.into_inner())
    }

    async fn for_requests(mut self, uri: Uri) -> Result<TokioIo<Stream>, BoxError> {
        let usage = Some(self.connections.track(&uri));
        let Some(proxy) = self.forwarder(&uri).cloned() else {
            return Ok(TokioIo::new(Stream { usage, ..self.tunnel(uri).await? }));
        };
        let stream = self.direct.call(proxy.uri().clone()).await.map_err(|error| through(&proxy, &*error))?;
        Ok(TokioIo::new(Stream { forwards: true, usage, ..stream.into_inner() }))
    }
}

fn through(proxy: &Proxy, error: &(dyn Error + 'static)) -> BoxError {
    Failure::new(proxy.name(), error).into()
}

/// Resolves host names. Subdomains of `localhost` are the local machine, as in browsers and curl, because few system
/// resolvers know them. The name `localhost` is passed to the system resolver, because it may have one or two
/// addresses.
#[derive(Clone)]
struct Resolver(GaiResolver);

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        if is_localhost(name.as_str()) && name.as_str().trim_end_matches('.').contains('.') {
            let here = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            let here = here.map(|address| SocketAddr::new(address, 0)).to_vec();
            return Box::pin(std::future::ready(Ok(here.into_iter())));
        }
        let found = self.0.call(name);
        Box::pin(async move {
            // The resolver's error has no kind, and the text of the C library.
            let found = found.await.map_err(|error| {
                io::Error::other(Failure::new("the name cannot be resolved", &error).or_code("ENOTFOUND"))
            });
            Ok(found?.collect::<Vec<_>>().into_iter())
        })
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().for_requests(uri))
    }
}

/// Opens streams without a proxy.
#[derive(Clone)]
struct Direct {
    tcp: HttpConnector<Resolver>,
    resolver: Resolver,
    tls: Arc<Tls>,
}

impl Service<Uri> for Direct {
    type Response = TokioIo<Stream>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { mut tcp, tls, .. } = self.clone();
        Box::pin(async move {
            let stream = tcp.call(uri.clone()).await.map_err(|error| {
                let server = uri.authority().map_or("", |authority| authority.as_str());
                Failure::new(format_args!("no connection to {server}"), &error)
            })?;
            let stream = Tcp::new(stream.into_inner());
            Ok(TokioIo::new(if uri.scheme() == Some(&Scheme::HTTPS) {
                Stream::new(tls.connect(uri.host().unwrap_or_default(), stream).await?)
            } else {
                Stream::new(stream)
            }))
        })
    }
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send {
    /// See [`Tcp::defer`].
    fn defer(&mut self, deferred: bool);
}

impl Io for Tcp {
    fn defer(&mut self, deferred: bool) {
        self.defer(deferred);
    }
}

impl Io for Stream {
    fn defer(&mut self, deferred: bool) {
        self.defer(deferred);
    }
}

impl<S: Io> Io for TlsStream<S> {
    fn defer(&mut self, deferred: bool) {
        self.get_mut().0.defer(deferred);
    }
}

/// A byte stream: any combination of TCP, proxy tunnels and TLS.
pub(crate) struct Stream {
    io: Box<dyn Io>,
    /// Whether the peer is a proxy that forwards whole requests.
    forwards: bool,
    abort: Abort,
    /// `None` for the stream of a WebSocket.
    usage: Option<StreamUsage>,
    /// Why the peer of a request accepts no more bytes.
    unwritable: Option<io::Error>,
    /// Whether bytes were read since the last bytes were written.
    answered: bool,
}

impl Stream {
    fn new(io: impl Io + 'static) -> Self {
        Self {
            io: Box::new(io),
            forwards: false,
            abort: Abort::default(),
            usage: None,
            unwritable: None,
            answered: false,
        }
    }

    /// Sets whether received bytes may wait in the system until there are many of them.
    pub(crate) fn defer(&mut self, deferred: bool) {
        self.io.defer(deferred);
    }

    /// Fails if the request was aborted. A WebSocket has no request.
    fn check_abort(&self, context: &Context<'_>) -> io::Result<()> {
        if self.usage.is_some() { self.abort.check(context) } else { Ok(()) }
    }

    /// Runs an operation of the writing half.
    ///
    /// A server can respond and close the connection before it has read the whole request. hyper drops that response if the
    /// rest of the request cannot be written. So the writing half of a request then waits: the next reads return the response
    /// that has arrived, or this error.
    fn write<T>(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut dyn Io>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.check_abort(context)?;
        if self.unwritable.is_some() {
            return Poll::Pending;
        }
        match write(Pin::new(&mut *self.io), context) {
            Poll::Ready(Err(error)) if self.usage.is_some() && is_closed(&error) => {
                self.unwritable = Some(error);
                // Whatever woke the task for this write, the next poll must read.
                context.waker().wake_by_ref();
                Poll::Pending
            }
            result => result,
        }
    }

    fn note_written(&mut self, result: &Poll<io::Result<usize>>) {
        if let (Some(usage), Poll::Ready(Ok(1..))) = (&self.usage, result) {
            usage.written();
            self.answered = false;
        }
    }
}

/// Returns whether the peer has closed the connection.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.forwards).extra(self.abort.clone());
        match &self.usage {
            Some(usage) => connected.extra(usage.handle()),
            None => connected,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_abort(context)?;
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.io).poll_read(context, buffer);
        if let (Some(usage), Poll::Ready(result)) = (&self.usage, &result) {
            if result.is_ok() && buffer.filled().len() > before {
                usage.read();
                self.answered = true;
            } else {
                usage.closed();
                // The end of the stream gives no cause. After a response, it may be the end of its body.
                if let Some(error) = self.unwritable.take().filter(|_| !self.answered) {
                    return Poll::Ready(Err(error));
                }
            }
        }
        result
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = self.write(context, |io, context| io.poll_write(context, bytes));
        self.note_written(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.write(context, |io, context| io.poll_write_vectored(context, slices));
        self.note_written(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        #[allow(
            clippy::redundant_closure_for_method_calls,
            reason = "the lifetime of the method is not general enough"
        )]
        self.write(context, |io, context| io.poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_abort(context)?;
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("proxies", &self.proxies).finish_non_exhaustive()
    }
}
