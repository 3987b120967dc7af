//! One call with its retries, as a state machine.
//!
//! ```text
//! new ─▶ step ─┬─ Send ──▶ handle_response / handle_failure / handle_timeout / handle_stall ─▶ step ...
//!              ├─ Wait ──▶ (the time passes) ─▶ step ...
//!              └─ Done
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::Millis;
use crate::client::address::redirect_target;
use crate::client::config::{CallOptions, Config, DEFAULT_MAX_FILE_BYTES};
use crate::client::credentials::ApiKey;
use crate::diagnostics::log::{LogEntry, LogEvent, LogQueue};
use crate::diagnostics::mask::{Mask, in_quotes};
use crate::encoding::base64;
use crate::encoding::json::{self, Map, SyntaxError, Value};
use crate::encoding::text::split_once;
use crate::error::{
    AbortedError, DecodeError, Delivered, Error, Mismatch, ServerError, TimeoutError, TimeoutKind,
    TooLargeError, TransportError,
};
use crate::rest::calls::actions::Screenshot;
use crate::rest::custom;
use crate::rest::download::Download;
use crate::rest::http::{Body, Method, Reached, Redirects, Request, Response, SendFailure};
use crate::rest::image;
use crate::rest::operation::{
    Effect, Encoded, Endpoint, Operation, ParameterEncoding, Prepared, ResponseKind,
};
use crate::rest::refusal;
use crate::rest::retry::{Backoff, Jitter, millis_from_seconds, retry_after, retry_delay};
use crate::rest::schema::normalize;
use crate::rest::upload::{Content, Form, UploadProgress, UploadTracker};

/// The time that is added to the server's time limit of a long call, in milliseconds, for the transfer of the request
/// and the response.
const ROUND_TRIP_MARGIN: Millis = 15_000;

/// The largest number of redirects in a row.
const MAX_REDIRECTS: usize = 5;

/// The hint that is added to the server's message if the API key is missing.
const NO_KEY_HINT: &str = " (no API key was sent: give the client an `apiKey`, or in Node set ORGO_API_KEY)";

/// The result of a call. `Debug` masks the secrets of a JSON value, and shows only the length of bytes.
#[derive(Clone, PartialEq)]
pub enum Output {
    /// A JSON value of the declared type.
    Value(Value),
    /// A screenshot.
    Screenshot(Screenshot),
    /// The content of a file.
    Content(Vec<u8>),
    /// The content of a file, which the platform still reads.
    Stream(Download),
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(value) => write!(f, "Value({})", Mask::default().body(value.to_string().as_bytes())),
            Self::Screenshot(image) => write!(f, "Screenshot({}x{})", image.width, image.height),
            Self::Content(data) => write!(f, "Content({} bytes)", data.len()),
            Self::Stream(download) => write!(f, "Stream({download:?})"),
        }
    }
}

impl Output {
    /// Converts the result to the declared Rust type.
    ///
    /// # Errors
    /// [`Error::Decode`] if the result has another type.
    pub fn into_typed<E: Endpoint>(self) -> Result<E::Response, Error> {
        fn read<T: DeserializeOwned>(name: &str, output: Output) -> Result<T, Error> {
            let value = match output {
                Output::Value(value) => value,
                Output::Screenshot(_) | Output::Content(_) | Output::Stream(_) => Value::Null,
            };
            serde_json::from_str(&value.to_string()).map_err(|error| {
                Error::Decode(Box::new(DecodeError {
                    operation: name.to_owned(),
                    path: String::new(),
                    problem: error.to_string(),
                    status: 200,
                    body: String::new(),
                    garbled: false,
                }))
            })
        }
        read(E::OPERATION.name, self)
    }
}

/// The next step of a call, for the caller to perform.
///
/// The enum is exhaustive on purpose: a caller must handle every step.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Send the request, then report the response, the failure, or the expired limit.
    Send(Arc<Request>, Limits),
    /// Wait for this number of milliseconds.
    Wait(Millis),
    /// The call is done.
    Done(Result<Output, Error>),
}

/// The time limits of one request, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The limit until the response is complete.
    pub request: Millis,
    /// The limit from one part of the response to the next. The first part is the header.
    pub idle: Millis,
}

/// A call in progress. The [front page](crate) has an example.
#[derive(Debug)]
pub struct Call {
    /// The name in errors and log entries.
    name: String,
    operation: &'static Operation,
    effect: Effect,
    base: crate::client::address::BaseUrl,
    key: Option<ApiKey>,
    mask: Mask,
    limits: Limits,
    total: Millis,
    /// The time of the first step.
    started: Option<Millis>,
    max_retries: u32,
    jitter: Jitter,
    request: Arc<Request>,
    /// The URLs that were redirected, the first one first.
    redirected: Vec<String>,
    /// The largest body of a linked response, in bytes.
    max_linked_bytes: u64,
    upload: Option<UploadTracker>,
    /// Whether the file to upload can be read only once.
    single_use: bool,
    /// Whether the platform has started to read the file to upload.
    file_opened: bool,
    /// Whether the response of the operation has arrived, and a link in it is being fetched.
    following: bool,
    attempt: u32,
    requests: u32,
    /// Whether the requests so far took effect.
    delivered: Delivered,
    request_id: Option<String>,
    phase: Phase,
    log: LogQueue,
}

#[derive(Debug)]
enum Phase {
    Ready,
    Sent {
        /// Whether the limit of the request is the remaining time of the whole call.
        last: bool,
        /// Whether the request may have reached the server.
        reached: Reached,
    },
    /// With the wait before the retry; `None` if there is no retry.
    Failed(Error, Option<Millis>),
    Done(Option<Result<Output, Error>>),
}

impl Call {
    /// Creates a call by its name, such as `computers.click`. `content` is the file of an upload. `seed` is a random
    /// number for the jitter.
    ///
    /// # Errors
    /// [`Error::Encode`] for an unknown name, or an invalid parameter or option.
    pub fn new(
        config: &Config,
        name: &str,
        params: &Map,
        options: &CallOptions,
        content: Option<Content>,
        seed: u64,
    ) -> Result<Self, Error> {
        if name == custom::NAME {
            return Self::prepare(config, custom::read(params)?, options, content, seed);
        }
        let operation = crate::rest::calls::operation(name).ok_or_else(|| {
            Error::encode("call", "operation", format!("is not known: {}", in_quotes(name)))
        })?;
        Self::prepare(config, Prepared::declared(operation, params)?, options, content, seed)
    }

    /// Creates a call from a typed request. `seed` is a random number for the jitter.
    ///
    /// # Errors
    /// [`Error::Encode`] for an invalid parameter or option.
    pub fn typed<E: Endpoint>(
        config: &Config,
        endpoint: &E,
        options: &CallOptions,
        seed: u64,
    ) -> Result<Self, Error> {
        let params = endpoint.params()?;
        Self::prepare(config, Prepared::declared(E::OPERATION, &params)?, options, None, seed)
    }

    fn prepare(
        config: &Config,
        prepared: Prepared<'_>,
        options: &CallOptions,
        content: Option<Content>,
        seed: u64,
    ) -> Result<Self, Error> {
        let Prepared { name, operation, method, effect, params, encoded, body } = prepared;
        let Encoded { target, fields } = encoded;
        let mut jitter = Jitter::new(seed);
        let max_response_bytes = options.max_response_bytes.unwrap_or(config.max_response_bytes);
        let mut request = Request {
            method,
            url: config.base_url.join(&target),
            headers: vec![("accept".into(), "application/json".to_owned())],
            body: None,
            max_response_bytes,
            streams_response: false,
            once: effect == Effect::Once,
        };
        let mut upload = None;
        let single_use = content.as_ref().is_some_and(|content| !content.data.is_repeatable());
        match (operation.encoding, content) {
            (ParameterEncoding::Multipart, Some(content)) if !Form::can_encode_name(&content.name) => {
                let problem =
                    "must have a name without %22, %0D, %0A and control characters: a form cannot carry them";
                return Err(Error::encode(operation.name, "file", problem));
            }
            (ParameterEncoding::Multipart, Some(content)) => {
                let form = Form::new(&fields, content, &mut jitter);
                request.headers.push(("content-type".into(), form.content_type));
                request.body = Some(form.body);
                upload = Some(form.tracker);
            }
            (ParameterEncoding::Multipart, None) => {
                return Err(Error::encode(operation.name, "file", "is required: the content to upload"));
            }
            (_, Some(_)) => {
                return Err(Error::encode(operation.name, "file", "is not a parameter of this call"));
            }
            (_, None) => {
                if let Some(body) = body {
                    request.headers.push(("content-type".into(), "application/json".to_owned()));
                    request.body = Some(Body::new([body.to_json().into_bytes()]));
                }
            }
        }
        let mut mask = Mask::default();
        config.api_key.iter().for_each(|key| mask.add(key.expose()));
        for (name, value) in config.headers.iter().chain(&options.headers) {
            if name == "authorization" && config.api_key.is_some() {
                let problem = "must not contain \"authorization\", in which the API key is sent: leave out one of the two";
                return Err(Error::encode(operation.name, "headers", problem));
            }
            mask.add_header(name, value);
            request.headers.retain(|(own, _)| own != name);
            request.headers.push((name.clone().into(), value.clone()));
        }
        authorize(&mut request, config.api_key.as_ref());

        let timeout = options.timeout.unwrap_or_else(|| request_timeout(config, operation, params));
        let max_retries = options.max_retries.unwrap_or(config.max_retries);
        // The default total limit has room for the first request, the request for a link, and each retry after the
        // longest backoff. If the server asks for a longer wait, the call fails instead.
        let retries = u64::from(max_retries);
        let all = timeout.saturating_mul(retries + 2).saturating_add(Backoff::CALL.cap * retries);
        Ok(Self {
            // The path in the name of an undeclared call may contain a secret.
            name: if operation.name == custom::NAME { mask.text(&name) } else { name },
            operation,
            effect,
            base: config.base_url.clone(),
            key: config.api_key.clone(),
            mask,
            limits: Limits { request: timeout, idle: options.idle_timeout.unwrap_or(config.idle_timeout) },
            total: options.total_timeout.or(config.total_timeout).unwrap_or(all),
            started: None,
            max_retries,
            jitter,
            request: Arc::new(request),
            redirected: Vec::new(),
            max_linked_bytes: match operation.response {
                ResponseKind::Content => options.max_response_bytes.unwrap_or(DEFAULT_MAX_FILE_BYTES),
                // A stream needs no memory for the whole file.
                ResponseKind::Stream => options.max_response_bytes.unwrap_or(u64::MAX),
                ResponseKind::Screenshot | ResponseKind::Value { .. } | ResponseKind::Any => {
                    max_response_bytes
                }
            },
            upload,
            single_use,
            file_opened: false,
            following: false,
            attempt: 0,
            requests: 0,
            delivered: Delivered::No,
            request_id: None,
            phase: Phase::Ready,
            log: LogQueue::new(config.log_level),
        })
    }

    /// Returns the next step. `now` is on the caller's clock. Call one of the `handle_*` methods after each `Send`.
    /// `Done` is the last step.
    #[must_use]
    pub fn step(&mut self, now: Millis) -> Step {
        let end = self.started.get_or_insert(now).saturating_add(self.total);
        let left = end.saturating_sub(now);
        match std::mem::replace(&mut self.phase, Phase::Done(None)) {
            Phase::Ready | Phase::Sent { .. } if left > 0 => {
                let last = left <= self.limits.request;
                self.phase = Phase::Sent { last, reached: Reached::Maybe };
                self.requests += 1;
                let request = self.limits.request.min(left);
                Step::Send(Arc::clone(&self.request), Limits { request, ..self.limits })
            }
            Phase::Failed(error, Some(wait)) if wait < left => {
                self.attempt += 1;
                self.phase = Phase::Ready;
                self.log.add(|| LogEntry {
                    subject: self.name.clone(),
                    event: LogEvent::Retry {
                        error: without_operation(&error, &self.name),
                        request_id: self.request_id.take().map(|id| self.mask.text(&id)),
                        attempt: self.attempt,
                        of: self.max_retries,
                        wait,
                    },
                });
                Step::Wait(wait)
            }
            Phase::Ready | Phase::Sent { .. } => {
                self.finish(now, Err(self.out_of_time(TimeoutKind::Total, self.total)))
            }
            Phase::Failed(error, _) => self.finish(now, Err(error)),
            Phase::Done(Some(result)) => self.finish(now, result),
            Phase::Done(None) => Step::Done(Err(self.aborted())),
        }
    }

    fn finish(&mut self, now: Millis, result: Result<Output, Error>) -> Step {
        self.log.add(|| LogEntry {
            subject: self.name.clone(),
            event: LogEvent::Called {
                error: result.as_ref().err().map(|error| without_operation(error, &self.name)),
                took: now.saturating_sub(self.started.unwrap_or(now)),
                requests: self.requests,
                request_id: self.request_id.take().map(|id| self.mask.text(&id)),
            },
        });
        Step::Done(result)
    }

    /// Returns the next log entry, in order. Call this method after each step until it returns `None`.
    #[must_use]
    pub fn poll_log(&mut self) -> Option<LogEntry> {
        self.log.pop()
    }

    /// Reports that the platform has started to read the file of the request. A file that can be read only once is not
    /// resent after this.
    pub fn handle_file_opened(&mut self) {
        self.file_opened = true;
    }

    /// Reports that the network has accepted the first `body` bytes of the request's body.
    pub fn handle_sent(&mut self, body: u64) {
        self.upload.iter_mut().for_each(|upload| upload.reach(body));
    }

    /// Returns the progress of an upload, if it has changed. The progress never decreases, even during a retry, and is
    /// complete after a successful response.
    #[must_use]
    pub fn poll_upload_progress(&mut self) -> Option<UploadProgress> {
        self.upload.as_mut()?.poll()
    }

    /// Reports that the current request has not been sent, because there is no connection yet. Call this method before
    /// [`handle_timeout`](Self::handle_timeout) or [`abort`](Self::abort). Otherwise the request counts as sent.
    pub fn handle_unsent(&mut self) {
        if let Phase::Sent { reached, .. } = &mut self.phase {
            *reached = Reached::Never;
        }
    }

    /// Reports the response. A response that redirects a read is followed.
    pub fn handle_response(&mut self, mut response: Response) {
        match self.redirect(&response) {
            Some(url) if self.redirected.len() < MAX_REDIRECTS => {
                self.mask.add_query(&url);
                let redirected = self.set_url(url);
                self.redirected.push(redirected);
                self.phase = Phase::Ready;
                return;
            }
            Some(_) => return self.handle_failure(SendFailure::maybe("too many redirects")),
            None => {}
        }
        self.request_id = response.header("x-request-id").map(str::to_owned);
        let result = if (200..300).contains(&response.status) {
            // From here on, only decoding the response or fetching a link in it can fail.
            self.record_delivery(Delivered::Yes);
            self.upload.iter_mut().for_each(UploadTracker::complete);
            if response.too_large { Err(self.too_large(&response)) } else { self.decode(&mut response) }
        } else {
            Err(self.server_error(&response))
        };
        match result {
            Ok(Some(output)) => self.phase = Phase::Done(Some(Ok(output))),
            // The request for a link is ready.
            Ok(None) => self.phase = Phase::Ready,
            Err(error) => self.fail(error),
        }
    }

    /// Returns the URL to which a response redirects the request, if the request follows this redirect.
    fn redirect(&self, response: &Response) -> Option<String> {
        if !refusal::redirects(response.status) {
            return None;
        }
        let (url, own) = redirect_target(&self.request.url, response.header("location")?)?;
        match self.request.redirects() {
            Redirects::None => None,
            Redirects::SameOrigin => own.then_some(url),
            Redirects::AnyOrigin => Some(url),
        }
    }

    /// Changes the URL of the request. Returns the previous one.
    fn set_url(&mut self, url: String) -> String {
        std::mem::replace(&mut Arc::make_mut(&mut self.request).url, url)
    }

    /// Reports that the request failed without a complete response.
    pub fn handle_failure(&mut self, failure: SendFailure) {
        let SendFailure { reached, message, code, unreadable } = failure;
        if unreadable {
            // A server cannot use an incomplete request.
            let problem = format!("cannot be read: {}", self.mask.text(&message));
            return self.fail(Error::encode(&self.name, "file", problem));
        }
        self.record_delivery(reached.into());
        self.fail(Error::Transport(Box::new(TransportError {
            operation: self.name.clone(),
            message: self.mask.text(&message),
            code,
            delivered: self.delivered,
        })));
    }

    /// Reports that the limit [`request`](Limits::request) expired.
    pub fn handle_timeout(&mut self) {
        let last = matches!(self.phase, Phase::Sent { last: true, .. });
        self.record_reached();
        if last {
            let error = self.out_of_time(TimeoutKind::Total, self.total);
            self.phase = Phase::Done(Some(Err(error)));
        } else {
            self.fail(self.out_of_time(TimeoutKind::Request, self.limits.request));
        }
    }

    /// Reports that the limit [`idle`](Limits::idle) expired.
    pub fn handle_stall(&mut self) {
        self.record_delivery(Delivered::Maybe);
        self.fail(self.out_of_time(TimeoutKind::Idle, self.limits.idle));
    }

    fn out_of_time(&self, kind: TimeoutKind, limit: Millis) -> Error {
        let operation = self.name.clone();
        Error::Timeout(Box::new(TimeoutError { operation, kind, limit, delivered: self.delivered }))
    }

    /// Aborts the call. The next step is `Done`.
    pub fn abort(&mut self) {
        match self.phase {
            Phase::Sent { .. } => self.record_reached(),
            Phase::Ready | Phase::Failed(..) => {}
            Phase::Done(_) => return,
        }
        self.phase = Phase::Done(Some(Err(self.aborted())));
    }

    fn aborted(&self) -> Error {
        Error::Aborted(Box::new(AbortedError { operation: self.name.clone(), delivered: self.delivered }))
    }

    /// Records that the current request has ended without a response.
    fn record_reached(&mut self) {
        let reached = if let Phase::Sent { reached, .. } = self.phase { reached } else { Reached::Maybe };
        self.record_delivery(reached.into());
    }

    /// Combines the effect of one request with the effect of the earlier requests.
    fn record_delivery(&mut self, delivered: Delivered) {
        self.delivered = self.delivered.max(delivered);
    }

    fn fail(&mut self, error: Error) {
        // A retry repeats the request from the start, because the target of a redirect may be valid only once.
        if !self.redirected.is_empty() {
            let url = self.redirected.swap_remove(0);
            self.set_url(url);
            self.redirected.clear();
        }
        let effect = if self.following { Effect::Read } else { self.effect };
        let used_up = self.single_use && self.file_opened;
        let retry = if self.attempt < self.max_retries && !used_up {
            retry_delay(effect, &error, self.attempt + 1, &mut self.jitter)
        } else {
            None
        };
        self.phase = Phase::Failed(error, retry);
    }

    fn server_error(&mut self, response: &Response) -> Error {
        let mask = &self.mask;
        // The documented shape of an error is flat; the shape of an error of the chat endpoint is nested.
        let body = json::parse(&response.body).unwrap_or_default();
        let text = |name: &str| {
            let nested = body.get("error").and_then(|error| error.get(name));
            nested.or_else(|| body.get(name)).and_then(Value::as_str).map(str::to_owned)
        };
        let header =
            response.header("retry-after").and_then(|value| retry_after(value, response.header("date")));
        let mut message = if response.too_large {
            "the response is larger than `maxResponseBytes`".to_owned()
        } else {
            refusal::of(response.status, &response.body, |text| mask.text(text))
        };
        let keyless = !self.request.headers.iter().any(|(name, _)| name == "authorization");
        if response.status == 401 && keyless && !self.following {
            message.push_str(NO_KEY_HINT);
        }
        let mut error = ServerError {
            operation: self.name.clone(),
            status: response.status,
            message,
            code: text("code").map(|code| mask.text(&code)),
            request_id: text("request_id")
                .or_else(|| response.header("x-request-id").map(str::to_owned))
                .map(|id| mask.text(&id)),
            upstream_status: body
                .get("upstream_status")
                .and_then(Value::as_f64)
                .filter(|status| (0.0..=f64::from(u16::MAX)).contains(status) && status.fract() == 0.0)
                .map(|status| status as u16),
            retry_after: header.or_else(|| {
                body.get("retry_after")
                    .and_then(Value::as_f64)
                    .filter(|seconds| (0.0..=86_400.0).contains(seconds))
                    .map(millis_from_seconds)
            }),
            body: mask.body(&response.body),
            delivered: Delivered::No,
        };
        self.request_id.clone_from(&error.request_id);
        self.record_delivery(error.delivery());
        error.delivered = self.delivered;
        Error::Server(Box::new(error))
    }

    /// Decodes the response. Returns `None` if a link has to be fetched first.
    fn decode(&mut self, response: &mut Response) -> Result<Option<Output>, Error> {
        let output = match self.operation.response {
            ResponseKind::Content if self.following => Output::Content(std::mem::take(&mut response.body)),
            ResponseKind::Stream if self.following => Output::Stream(self.download(response)?),
            ResponseKind::Content | ResponseKind::Stream => {
                let link = self.link(response)?;
                self.follow_link(&link, response)?;
                return Ok(None);
            }
            ResponseKind::Screenshot => match self.image(response)? {
                ImageSource::Data(data) => Output::Screenshot(self.screenshot(data, response)?),
                ImageSource::Link(link) => {
                    self.follow_link(&link, response)?;
                    return Ok(None);
                }
            },
            ResponseKind::Any => self.any(response)?,
            ResponseKind::Value { ty, under } => {
                let mut value = if response.body.trim_ascii().is_empty() {
                    Value::Object(Map::new())
                } else {
                    json::parse(&response.body).map_err(|error| self.not_json(response, error))?
                };
                if let Some(name) = under.iter().find(|name| value.get(name).is_some()) {
                    let mut inner = value.get_mut(name).map(Value::take).unwrap_or_default();
                    normalize(&mut inner, &ty)
                        .map_err(|error| self.mismatch(response, error.inside(name)))?;
                    value = inner;
                } else {
                    normalize(&mut value, &ty).map_err(|error| self.mismatch(response, error))?;
                }
                Output::Value(value)
            }
        };
        Ok(Some(output))
    }

    /// Returns the body as JSON, or as bytes if it is not JSON. A body that is not JSON is an error if the content type
    /// is JSON.
    fn any(&self, response: &mut Response) -> Result<Output, Error> {
        if response.body.trim_ascii().is_empty() {
            return Ok(Output::Value(Value::Null));
        }
        match json::parse(&response.body) {
            Ok(value) => Ok(Output::Value(value)),
            Err(error)
                if response
                    .header("content-type")
                    .is_some_and(|kind| split_once(&kind.to_ascii_lowercase(), "json").is_some()) =>
            {
                Err(self.not_json(response, error))
            }
            Err(_) => Ok(Output::Content(std::mem::take(&mut response.body))),
        }
    }

    fn link(&self, response: &Response) -> Result<String, Error> {
        let value = json::parse(&response.body).map_err(|error| self.not_json(response, error))?;
        match value.get("url") {
            Some(Value::String(url)) => Ok(url.clone()),
            Some(other) => Err(self.mismatch(response, Mismatch::new("a string", other).inside("url"))),
            None => Err(self.mismatch(response, Mismatch::missing("a string").inside("url"))),
        }
    }

    /// Prepares the request for a link. It contains the API key only if the link has the origin of the service.
    fn follow_link(&mut self, link: &str, response: &Response) -> Result<(), Error> {
        let Some((url, own)) = self.base.resolve(link) else {
            let problem = "expected an http or https URL or a path from the root".to_owned();
            return Err(self.mismatch(response, Mismatch { path: String::new(), problem }));
        };
        self.mask.add_query(&url);
        let streams = matches!(self.operation.response, ResponseKind::Stream);
        let mut request = Request {
            method: Method::Get,
            url,
            headers: Vec::new(),
            body: None,
            // The limit of a stream applies to its bytes as they are read.
            max_response_bytes: if streams { self.request.max_response_bytes } else { self.max_linked_bytes },
            streams_response: streams,
            once: false,
        };
        self.redirected.clear();
        // A signed URL contains its own credentials, and some stores refuse a second kind.
        if own && matches!(self.operation.response, ResponseKind::Screenshot) {
            authorize(&mut request, self.key.as_ref());
        }
        self.request = Arc::new(request);
        self.following = true;
        Ok(())
    }

    fn image(&self, response: &mut Response) -> Result<ImageSource, Error> {
        if self.following || image::inspect(&response.body).is_some() {
            return Ok(ImageSource::Data(std::mem::take(&mut response.body)));
        }
        let text = self.image_text(response)?;
        // These are the documented forms A to E, see docs/protocol.md. Form F, the image itself, is handled above.
        let encoded = match text.strip_prefix(b"data:") {
            Some(data) => {
                let marker = b";base64,";
                let at = data.windows(marker.len()).position(|part| part == marker).ok_or_else(|| {
                    let problem = "expected a data URL in base64".to_owned();
                    self.mismatch(response, Mismatch { path: "image".to_owned(), problem })
                })?;
                &data[at + marker.len()..]
            }
            // The base64 of a JPEG starts with a slash too: `/9j/`. Any other text that starts with a slash is a path.
            None if text.starts_with(b"http://") || text.starts_with(b"https://") => {
                return Ok(ImageSource::Link(json::text(text)));
            }
            None if text.starts_with(b"/") && !text.starts_with(b"/9j/") => {
                return Ok(ImageSource::Link(json::text(text)));
            }
            None => &*text,
        };
        // Line breaks are rare, and searching for them takes as long as decoding.
        let decoded = base64::decode(encoded).or_else(|| {
            let mut encoded = encoded.to_vec();
            encoded.retain(|byte| !byte.is_ascii_whitespace());
            base64::decode(&encoded)
        });
        decoded.map(ImageSource::Data).ok_or_else(|| {
            let problem = "expected base64, a data URL or a link".to_owned();
            self.mismatch(response, Mismatch { path: "image".to_owned(), problem })
        })
    }

    /// Returns the content of the field `image`, without decoding the other fields.
    fn image_text<'a>(&self, response: &'a Response) -> Result<Cow<'a, [u8]>, Error> {
        let mut image = None;
        let read = json::members(&response.body, &mut |name, value| {
            match name {
                b"image" => image = Some(value.string()?),
                _ => drop(value.skip()?),
            }
            Ok(())
        });
        if let (Ok(()), Some(text)) = (read, image) {
            return Ok(text);
        }
        // The body is not as expected. It is decoded to find the difference.
        let body = json::parse(&response.body).map_err(|error| self.not_json(response, error))?;
        let mismatch = match body.get("image") {
            Some(other) => Mismatch::new("a string", other),
            None => Mismatch::missing("a string"),
        };
        Err(self.mismatch(response, mismatch.inside("image")))
    }

    fn screenshot(&self, data: Vec<u8>, response: &Response) -> Result<Screenshot, Error> {
        let info = image::inspect(&data).ok_or_else(|| {
            let problem = "expected a PNG or JPEG image".to_owned();
            self.mismatch(response, Mismatch { path: "image".to_owned(), problem })
        })?;
        Ok(Screenshot { data, mime_type: info.mime_type, width: info.width, height: info.height })
    }

    fn download(&self, response: &Response) -> Result<Download, Error> {
        let download =
            Download::new(&self.name, self.mask.clone(), self.limits.idle, self.max_linked_bytes, response);
        if download.announces_too_much() { Err(download.too_large()) } else { Ok(download) }
    }

    fn too_large(&self, response: &Response) -> Error {
        Error::TooLarge(Box::new(TooLargeError {
            operation: self.name.clone(),
            status: response.status,
            limit: self.request.max_response_bytes,
        }))
    }

    fn not_json(&self, response: &Response, error: SyntaxError) -> Error {
        let problem = if error.exceeded.is_some() {
            error.to_string()
        } else {
            match response.header("content-encoding") {
                Some(coding) if !coding.eq_ignore_ascii_case("identity") && !is_text(&response.body) => {
                    format!(
                        "expected JSON, found a body with the `Content-Encoding` {}, which is not supported",
                        self.mask.text(&refusal::shortened(coding))
                    )
                }
                _ => format!("expected JSON, found something else at byte {}", error.at),
            }
        };
        let mut decode_error = self.decode_error(response, Mismatch { path: String::new(), problem });
        // The response to a retry would exceed the limit too.
        decode_error.garbled = error.exceeded.is_none();
        Error::Decode(decode_error)
    }

    fn mismatch(&self, response: &Response, mismatch: Mismatch) -> Error {
        Error::Decode(self.decode_error(response, mismatch))
    }

    fn decode_error(&self, response: &Response, Mismatch { path, problem }: Mismatch) -> Box<DecodeError> {
        Box::new(DecodeError {
            operation: self.name.clone(),
            path,
            problem,
            status: response.status,
            body: self.mask.body(&response.body),
            garbled: false,
        })
    }
}

/// Returns whether a body is text, and so not compressed.
fn is_text(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok()
}

/// Returns the default time limit of one request. The time limit of the client overrides the server's default limit of
/// a call. If the caller sets a server limit for this call, the time limit of the client overrides this server limit
/// only if the server limit is shorter.
fn request_timeout(config: &Config, operation: &Operation, params: &Map) -> Millis {
    let Some(server) = operation.server_limit(params) else { return config.request_timeout() };
    match config.timeout {
        Some(timeout) if server < timeout || !operation.sets_server_limit(params) => timeout,
        _ => config.request_timeout().max(server + ROUND_TRIP_MARGIN),
    }
}

/// Returns the text of an error without the name of the call, because a log line starts with the name.
fn without_operation(error: &Error, operation: &str) -> String {
    let mut text = error.to_string();
    let rest = text.strip_prefix(operation).and_then(|rest| rest.strip_prefix(": "));
    let name = rest.map_or(0, |rest| text.len() - rest.len());
    text.drain(..name);
    text
}

enum ImageSource {
    Data(Vec<u8>),
    Link(String),
}

fn authorize(request: &mut Request, key: Option<&ApiKey>) {
    if let Some(key) = key {
        request.headers.push(("authorization".into(), ["Bearer ", key.expose()].concat()));
    }
}
