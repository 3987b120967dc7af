//! The platform for the core's driver: tokio's timer, hyper for HTTP, [`socket`] for WebSockets.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, PROXY_AUTHORIZATION, USER_AGENT};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use orgo_core::Millis;
use orgo_core::channel::ConnectFailure;
use orgo_core::client::address::SocketUrl;
use orgo_core::diagnostics::log::LogEntry;
use orgo_core::driver::{HttpPlatform, Platform, Progress};
use orgo_core::rest::http::{RESPONSE_FIELDS, Request, Response, ResponseBody, SendFailure};

use crate::abort::AbortOnDrop;
use crate::body::RequestBody;
use crate::clock;
use crate::connect::{Connector, USER_AGENT_VALUE};
use crate::decode::Decoder;
use crate::download::{OpenBody, Opened};
use crate::error::{BoxError, cause, code, describe};
use crate::file::{File, Unreadable};
use crate::log::Log;
use crate::reuse::Usage;
use crate::socket::{self, Reader, Writer};

/// How long an idle connection is kept for reuse.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// The connections of one client, and the streams of one call. Clones share them.
#[derive(Clone)]
pub(crate) struct Network {
    connector: Connector,
    http: legacy::Client<Connector, RequestBody>,
    log: Log,
    /// The file that the call uploads.
    file: Option<File>,
    /// The response that the call streams.
    opened: Opened,
}

impl Network {
    /// Reads the proxy and certificate settings from the environment. Opens no connection.
    pub(crate) fn from_env(log: Log) -> Self {
        let connector = Connector::from_env();
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_LIMIT)
            .build(connector.clone());
        Self { connector, http, log, file: None, opened: Opened::default() }
    }

    /// Returns the network for one call with its streams.
    pub(crate) fn for_call(&self, file: Option<File>, opened: Opened) -> Self {
        Self { file, opened, ..self.clone() }
    }

    async fn request(self, request: Arc<Request>, progress: Progress) -> Result<Response, SendFailure> {
        let (limit, once, streams) = (request.max_response_bytes, request.once, request.streams_response);
        let mut request =
            self.convert(&request, &progress).map_err(|error| SendFailure::never(error.to_string()))?;
        let sent = request.body().sent();
        if let Some(credentials) =
            self.connector.forwarder(request.uri()).and_then(|proxy| proxy.credentials().cloned())
        {
            request.headers_mut().insert(PROXY_AUTHORIZATION, credentials);
        }
        let captured = capture_connection(&mut request);
        let mut connection = AbortOnDrop::new(captured.clone());
        // Lets the pool process the closes that have arrived from the server, before it selects a connection.
        tokio::task::yield_now().await;
        if once {
            self.connector.connections().retire(request.uri());
        }
        let mut response = pin!(self.http.request(request));
        let response = poll_fn(|context| {
            let response = response.as_mut().poll(context);
            // The request is sent as soon as it has a connection, including the tunnel and the TLS handshake.
            progress.waits_for_connection(response.is_pending() && captured.connection_metadata().is_none());
            response
        })
        .await;
        let (mut head, body) = match response {
            Ok(response) => response.into_parts(),
            // hyper keeps a broken connection that has not accepted the whole body, and with it the body.
            Err(error) => return Err(classify(&error)),
        };
        progress.received(clock::now());
        if streams && head.status.is_success() {
            let response = read(&head, Some(Vec::new()));
            self.opened.put(OpenBody::new(body, head.headers, captured, connection));
            return Ok(response);
        }
        let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        let collected = ResponseBody::new(limit, length);
        let decoder = collected.map(|body| Decoder::new(body, head.headers.get(CONTENT_ENCODING)));
        if decoder.as_ref().is_some_and(Decoder::decodes) {
            head.headers.remove(CONTENT_ENCODING);
        }
        let body = collect(body, decoder, &progress).await.map_err(|error| {
            SendFailure::maybe(format!("the response was cut off: {}", describe(&*error)))
                .with_code(code(&*error))
        })?;
        // A server may respond to a request that it has not read completely. The rest of the request is useless.
        if sent.is_complete() {
            connection.disarm();
            if let Some(usage) = Usage::of(&captured) {
                usage.completed(&captured, &head.headers);
            }
        }
        Ok(read(&head, body))
    }

    fn convert(&self, request: &Request, progress: &Progress) -> http::Result<http::Request<RequestBody>> {
        let mut builder = http::Request::builder().method(request.method.as_str()).uri(&*request.url);
        for (name, value) in &request.headers {
            let mut value = HeaderValue::try_from(value)?;
            value.set_sensitive(name == AUTHORIZATION.as_str());
            builder = builder.header(&**name, value);
        }
        let body = RequestBody::new(request.body.as_ref(), self.file.clone(), progress.clone());
        let mut request = builder.body(body)?;
        request.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT_VALUE));
        Ok(request)
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

    fn connect(
        &self,
        url: SocketUrl,
        _: bool,
    ) -> impl Future<Output = Result<(Reader, Writer), ConnectFailure>> + 'static {
        socket::connect(self.connector.clone(), url)
    }

    fn log(&self, entry: &LogEntry) {
        self.log.write(entry);
    }
}

impl HttpPlatform for Network {
    fn send(
        &self,
        request: Arc<Request>,
        progress: Progress,
    ) -> impl Future<Output = Result<Response, SendFailure>> + 'static {
        self.clone().request(request, progress)
    }
}

/// Reads and decodes a body completely. Returns `None` if the body exceeds the limit. The body is then dropped, which closes its
/// connection.
async fn collect(
    mut body: Incoming,
    decoder: Option<Decoder>,
    progress: &Progress,
) -> Result<Option<Vec<u8>>, BoxError> {
    let Some(mut decoder) = decoder else { return Ok(None) };
    while let Some(frame) = body.frame().await {
        progress.received(clock::now());
        if let Ok(piece) = frame?.into_data()
            && !decoder.push(&piece)?
        {
            return Ok(None);
        }
    }
    decoder.finish()
}

/// Returns a random number for jitter and form boundaries. The number need not be secret.
pub(crate) fn seed() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::hash::RandomState::new().build_hasher().finish()
}

fn read(head: &http::response::Parts, body: Option<Vec<u8>>) -> Response {
    let headers = RESPONSE_FIELDS
        .iter()
        .filter_map(|name| {
            let value = head.headers.get(*name)?;
            Some(((*name).to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        })
        .collect();
    let too_large = body.is_none();
    Response { status: head.status.as_u16(), headers, body: body.unwrap_or_default(), too_large }
}

fn classify(error: &legacy::Error) -> SendFailure {
    use std::error::Error as _;
    if let Some(Unreadable(problem)) = cause(error) {
        return SendFailure::unreadable(problem.as_str());
    }
    // The outer error names only the stage that failed.
    let message = error.source().map_or_else(|| error.to_string(), describe);
    // Without a connection nothing can have been sent.
    let failure = if error.is_connect() { SendFailure::never(message) } else { SendFailure::maybe(message) };
    failure.with_code(code(error))
}
