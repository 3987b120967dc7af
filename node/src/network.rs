//! The platform for the core's driver: tokio's timer, hyper for HTTP, [`socket`] for WebSockets.

use std::future::Future;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_LENGTH, LOCATION, PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderValue, Method, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use orgo_core::Millis;
use orgo_core::channel::ConnectFailure;
use orgo_core::client::address::SocketUrl;
use orgo_core::diagnostics::log::LogEntry;
use orgo_core::driver::{Platform, Progress};
use orgo_core::rest::http::{Reached, Request, Response, ResponseBody, SendFailure};

use crate::abort::AbortOnDrop;
use crate::body::CountedBody;
use crate::clock;
use crate::connect::{Connector, USER_AGENT_VALUE};
use crate::error::describe;
use crate::log::Log;
use crate::reuse::Usage;
use crate::socket::{self, Reader, Writer};

/// How long an idle connection is kept for reuse.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: usize = 5;

/// The connections of one client. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    connector: Connector,
    http: legacy::Client<Connector, Full<CountedBody>>,
    log: Log,
}

impl Network {
    /// Reads the proxy and certificate settings from the environment. Opens no connection.
    pub(crate) fn from_env(log: Log) -> Self {
        let connector = Connector::from_env();
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_LIMIT)
            .build(connector.clone());
        Self { connector, http, log }
    }

    async fn request(self, request: Request, progress: Progress) -> Result<Response, SendFailure> {
        let (limit, once) = (request.max_response_bytes, request.once);
        let mut request = convert(request, &progress).map_err(|error| never(error.to_string()))?;
        for _ in 0..MAX_REDIRECTS {
            let again = (request.method() == Method::GET && !once).then(|| request.clone());
            let response = self.exchange(request, limit, once, &progress).await?;
            match again.and_then(|again| redirected(again, &response)) {
                Some(next) => request = next,
                None => return Ok(read(response)),
            }
        }
        Err(SendFailure { reached: Reached::Maybe, message: "too many redirects".to_owned() })
    }

    async fn exchange(
        &self,
        mut request: http::Request<Full<CountedBody>>,
        limit: u64,
        once: bool,
        progress: &Progress,
    ) -> Result<http::Response<Option<Vec<u8>>>, SendFailure> {
        if let Some(credentials) =
            self.connector.forwarder(request.uri()).and_then(|proxy| proxy.credentials().cloned())
        {
            request.headers_mut().insert(PROXY_AUTHORIZATION, credentials);
        }
        let captured = capture_connection(&mut request);
        let connection = AbortOnDrop::new(captured.clone());
        // Lets the pool process the closes that have arrived from the server, before it selects a connection.
        tokio::task::yield_now().await;
        if once {
            self.connector.connections().retire(request.uri());
        }
        let response = self.http.request(request).await;
        connection.disarm();
        let (head, body) = response.map_err(|error| classify(&error))?.into_parts();
        progress.received();
        let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let body = collect(body, ResponseBody::new(limit, length), progress).await;
        let body = body.map_err(|error| SendFailure {
            reached: Reached::Maybe,
            message: format!("the response was cut off: {}", describe(&error)),
        })?;
        if let Some(usage) = Usage::of(&captured) {
            usage.completed(&captured, &head.headers);
        }
        Ok(http::Response::from_parts(head, body))
    }
}

impl Platform for Network {
    type Reader = Reader;
    type Writer = Writer;

    fn now(&self) -> Millis {
        clock::now()
    }

    fn seed(&self) -> u64 {
        seed()
    }

    fn sleep(&self, time: Millis) -> impl Future<Output = ()> + 'static {
        tokio::time::sleep(Duration::from_millis(time))
    }

    fn yield_now(&self) -> impl Future<Output = ()> {
        tokio::task::yield_now()
    }

    fn send(
        &self,
        request: Request,
        progress: Progress,
    ) -> impl Future<Output = Result<Response, SendFailure>> + 'static {
        self.clone().request(request, progress)
    }

    fn connect(
        &self,
        url: SocketUrl,
    ) -> impl Future<Output = Result<(Reader, Writer), ConnectFailure>> + 'static {
        socket::connect(self.connector.clone(), url)
    }

    fn log(&self, entry: &LogEntry) {
        self.log.write(entry);
    }
}

/// Reads a body completely. Returns `None` if the body exceeds the limit. The body is then dropped, which closes its
/// connection.
async fn collect(
    mut body: Incoming,
    collected: Option<ResponseBody>,
    progress: &Progress,
) -> Result<Option<Vec<u8>>, hyper::Error> {
    let Some(mut collected) = collected else { return Ok(None) };
    while let Some(frame) = body.frame().await {
        progress.received();
        if let Ok(piece) = frame?.into_data() {
            if !collected.push(&piece) {
                return Ok(None);
            }
        }
    }
    Ok(Some(collected.into_bytes()))
}

/// Returns a random number for jitter and form boundaries. The number need not be secret.
pub(crate) fn seed() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::hash::RandomState::new().build_hasher().finish()
}

fn convert(request: Request, progress: &Progress) -> http::Result<http::Request<Full<CountedBody>>> {
    let mut builder = http::Request::builder().method(request.method.as_str()).uri(request.url);
    for (name, value) in request.headers {
        let mut value = HeaderValue::try_from(value)?;
        value.set_sensitive(name == AUTHORIZATION.as_str());
        builder = builder.header(name, value);
    }
    let body = CountedBody::new(request.body.as_ref(), progress.clone());
    let mut request = builder.body(Full::new(body))?;
    request.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT_VALUE));
    Ok(request)
}

/// Returns the request that follows a redirect, or `None` if the redirect is not followed. Credentials are sent only to
/// their origin. A redirect from `https` to `http` is not followed.
fn redirected(
    mut request: http::Request<Full<CountedBody>>,
    response: &http::Response<Option<Vec<u8>>>,
) -> Option<http::Request<Full<CountedBody>>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location: Uri = response.headers().get(LOCATION)?.to_str().ok()?.parse().ok()?;
    let from = request.uri();
    let to = if location.scheme().is_some() {
        location
    } else {
        let mut parts = from.clone().into_parts();
        parts.path_and_query = location.path_and_query().cloned();
        Uri::from_parts(parts).ok()?
    };
    let same_origin = from.scheme() == to.scheme() && from.authority() == to.authority();
    let secure = |uri: &Uri| uri.scheme_str() == Some("https");
    if !same_origin && (request.headers().contains_key(AUTHORIZATION) || secure(from) && !secure(&to)) {
        return None;
    }
    *request.uri_mut() = to;
    Some(request)
}

fn read(response: http::Response<Option<Vec<u8>>>) -> Response {
    let (head, body) = response.into_parts();
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let too_large = body.is_none();
    Response { status: head.status.as_u16(), headers, body: body.unwrap_or_default(), too_large }
}

fn never(message: String) -> SendFailure {
    SendFailure { reached: Reached::Never, message }
}

fn classify(error: &legacy::Error) -> SendFailure {
    use std::error::Error as _;
    // The outer error names only the stage that failed.
    let message = error.source().map_or_else(|| error.to_string(), describe);
    // Without a connection nothing can have been sent.
    let reached = if error.is_connect() { Reached::Never } else { Reached::Maybe };
    SendFailure { reached, message }
}
