//! One call from its parameters to its end, with every retry: a state machine that opens nothing.
//!
//! ```text
//! new ─▶ step ─┬─ Send ──▶ handle_response / handle_failure / handle_timeout ─▶ step ...
//!              ├─ Wait ──▶ (the time passes) ─▶ step ...
//!              └─ Done
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;

use crate::Millis;
use crate::api::actions::Screenshot;
use crate::auth::{ApiKey, redact};
use crate::config::{CallOptions, Config};
use crate::endpoint::{Answer, Carrier, Encoded, Endpoint, Operation};
use crate::error::{
    AbortedError, DecodeError, Delivered, Error, Mismatch, ServerError, TimeoutError, TransportError,
};
use crate::http::{Method, Request, Response, SendFailure};
use crate::image;
use crate::json::{self, Map, SyntaxError, Value};
use crate::retry::{Jitter, retry_after, retry_delay};
use crate::schema::normalise;

/// Added to the server's own time limit of a long call, for the way there and back.
const MARGIN: Millis = 15_000;

/// The content of a file to upload.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// The file's name.
    pub name: String,
    /// Its MIME type.
    pub content_type: String,
    /// Its bytes.
    pub data: Vec<u8>,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("name", &self.name).field("bytes", &self.data.len()).finish()
    }
}

/// The value of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// A JSON value of the declared type.
    Value(Value),
    /// A picture of the screen.
    Screenshot(Screenshot),
    /// A file's content.
    Content(Vec<u8>),
}

impl Output {
    /// The value as the declared Rust type.
    ///
    /// # Errors
    /// [`Error::Decode`] if the value is of another type.
    pub fn into_typed<E: Endpoint>(self) -> Result<E::Response, Error> {
        fn read<T: DeserializeOwned>(name: &str, output: Output) -> Result<T, Error> {
            let value = match output {
                Output::Value(value) => value,
                Output::Screenshot(_) | Output::Content(_) => Value::Null,
            };
            serde_json::from_str(&value.to_string()).map_err(|error| {
                Error::Decode(DecodeError {
                    operation: name.to_owned(),
                    path: String::new(),
                    problem: error.to_string(),
                    status: 200,
                    body: String::new(),
                })
            })
        }
        read(E::OPERATION.name, self)
    }
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Send this, and report the answer, the failure, or that this many milliseconds have passed.
    Send(Request, Millis),
    /// Let this many milliseconds pass.
    Wait(Millis),
    /// The end.
    Done(Result<Output, Error>),
}

/// A call under way.
#[derive(Debug)]
pub struct Call {
    operation: &'static Operation,
    base: crate::address::BaseUrl,
    key: Option<ApiKey>,
    timeout: Millis,
    max_retries: u32,
    jitter: Jitter,
    request: Request,
    /// The operation's own answer has come, and a link in it is being fetched.
    following: bool,
    attempt: u32,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Ready,
    Sent,
    Waiting(Millis),
    Done(Option<Result<Output, Error>>),
}

impl Call {
    /// Prepares a call by name, as the bindings do.
    ///
    /// # Errors
    /// [`Error::Encode`] for a name, a parameter or an option that is not acceptable.
    pub fn new(
        config: &Config,
        name: &str,
        params: &Map,
        options: &CallOptions,
        content: Option<Content>,
        seed: u64,
    ) -> Result<Self, Error> {
        let operation = crate::api::operation(name)
            .ok_or_else(|| Error::encode("call", "operation", format!("is not known: {name:?}")))?;
        Self::prepare(config, operation, params, options, content, seed)
    }

    /// Prepares a call from a typed request.
    ///
    /// # Errors
    /// [`Error::Encode`] for a parameter or an option that is not acceptable.
    pub fn typed<E: Endpoint>(
        config: &Config,
        endpoint: &E,
        options: &CallOptions,
        seed: u64,
    ) -> Result<Self, Error> {
        Self::prepare(config, E::OPERATION, &endpoint.params(), options, None, seed)
    }

    fn prepare(
        config: &Config,
        operation: &'static Operation,
        params: &Map,
        options: &CallOptions,
        content: Option<Content>,
        seed: u64,
    ) -> Result<Self, Error> {
        let Encoded { target, fields } = operation.encode(params)?;
        let mut jitter = Jitter::new(seed);
        let mut request = Request {
            method: operation.method,
            url: config.base_url.join(&target),
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: None,
        };
        match (operation.carrier, content) {
            (Carrier::Multipart, Some(content)) => {
                let boundary = boundary(&mut jitter, &content.data);
                request
                    .headers
                    .push(("content-type".to_owned(), format!("multipart/form-data; boundary={boundary}")));
                request.body = Some(multipart(&boundary, &fields, &content));
            }
            (Carrier::Multipart, None) => {
                return Err(Error::encode(operation.name, "file", "is required: the content to upload"));
            }
            (_, Some(_)) => {
                return Err(Error::encode(operation.name, "file", "is not a parameter of this call"));
            }
            (Carrier::Json, None) if operation.method == Method::Post => {
                let body = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
                request.body = Some(Value::Object(body).to_string().into_bytes());
            }
            (Carrier::Json | Carrier::Query, None) => {}
        }
        for (name, value) in config.headers.iter().chain(&options.headers) {
            request.headers.retain(|(own, _)| own != name);
            request.headers.push((name.clone(), value.clone()));
        }
        authorize(&mut request, config.api_key.as_ref());

        let longest = operation.server_limit(params).map_or(0, |limit| limit + MARGIN);
        Ok(Self {
            operation,
            base: config.base_url.clone(),
            key: config.api_key.clone(),
            timeout: options.timeout.unwrap_or_else(|| config.timeout.max(longest)),
            max_retries: options.max_retries.unwrap_or(config.max_retries),
            jitter,
            request,
            following: false,
            attempt: 0,
            phase: Phase::Ready,
        })
    }

    /// What is to be done next. Each `Send` is to be answered by one of the `handle_*`; after `Done` there is nothing.
    #[must_use]
    pub fn step(&mut self) -> Step {
        match &mut self.phase {
            Phase::Ready | Phase::Sent => {
                self.phase = Phase::Sent;
                Step::Send(self.request.clone(), self.timeout)
            }
            Phase::Waiting(delay) => {
                let delay = *delay;
                self.phase = Phase::Ready;
                Step::Wait(delay)
            }
            Phase::Done(result) => {
                Step::Done(result.take().unwrap_or_else(|| Err(self.aborted(Delivered::Yes))))
            }
        }
    }

    /// The answer came.
    pub fn handle_response(&mut self, mut response: Response) {
        let judged = if (200..300).contains(&response.status) {
            self.decode(&mut response)
        } else {
            Err(self.refused(&response))
        };
        match judged {
            Ok(Some(output)) => self.phase = Phase::Done(Some(Ok(output))),
            // A link was followed: its request is in place.
            Ok(None) => self.phase = Phase::Ready,
            Err(error) => self.fail(error),
        }
    }

    /// The request failed without an answer.
    pub fn handle_failure(&mut self, failure: SendFailure) {
        self.fail(Error::Transport(TransportError {
            operation: self.operation.name.to_owned(),
            message: failure.message,
            delivered: self.judged(failure.reached.into()),
        }));
    }

    /// The time limit of the request passed without an answer.
    pub fn handle_timeout(&mut self) {
        self.fail(Error::Timeout(TimeoutError {
            operation: self.operation.name.to_owned(),
            limit: self.timeout,
            delivered: self.judged(Delivered::Maybe),
        }));
    }

    /// The caller gives up. The next step is `Done`.
    pub fn abort(&mut self) {
        let delivered = match self.phase {
            Phase::Sent => self.judged(Delivered::Maybe),
            // A retry is only ever prepared for what did nothing or may be repeated.
            Phase::Ready | Phase::Waiting(_) => self.judged(Delivered::No),
            Phase::Done(_) => return,
        };
        self.phase = Phase::Done(Some(Err(self.aborted(delivered))));
    }

    fn aborted(&self, delivered: Delivered) -> Error {
        Error::Aborted(AbortedError { operation: self.operation.name.to_owned(), delivered })
    }

    /// Once the operation itself was answered, what fails is only the fetching of a link.
    fn judged(&self, delivered: Delivered) -> Delivered {
        if self.following { Delivered::Yes } else { delivered }
    }

    fn fail(&mut self, error: Error) {
        let effect = if self.following { crate::endpoint::Effect::Read } else { self.operation.effect };
        let retry = if self.attempt < self.max_retries {
            retry_delay(effect, &error, self.attempt + 1, &mut self.jitter)
        } else {
            None
        };
        self.phase = match retry {
            Some(delay) => {
                self.attempt += 1;
                Phase::Waiting(delay)
            }
            None => Phase::Done(Some(Err(error))),
        };
    }

    fn refused(&self, response: &Response) -> Error {
        // The documented shape of an error, and the nested one of the chat endpoint (G3).
        let body = json::parse(&response.body).unwrap_or_default();
        let text = |name: &str| {
            let nested = body.get("error").and_then(|error| error.get(name));
            nested.or_else(|| body.get(name)).and_then(Value::as_str).map(str::to_owned)
        };
        let message =
            body.get("error").and_then(Value::as_str).map(str::to_owned).or_else(|| text("message"));
        let header =
            response.header("retry-after").and_then(|value| retry_after(value, response.header("date")));
        Error::Server(Box::new(ServerError {
            operation: self.operation.name.to_owned(),
            status: response.status,
            message: redact(
                message.unwrap_or_else(|| "the server gave no reason".to_owned()).as_bytes(),
                self.key.as_ref(),
            ),
            code: text("code"),
            request_id: text("request_id").or_else(|| response.header("x-request-id").map(str::to_owned)),
            upstream_status: body
                .get("upstream_status")
                .and_then(Value::as_f64)
                .filter(|status| (0.0..=f64::from(u16::MAX)).contains(status) && status.fract() == 0.0)
                .map(|status| status as u16),
            retry_after: header.or_else(|| {
                body.get("retry_after")
                    .and_then(Value::as_f64)
                    .filter(|seconds| (0.0..=86_400.0).contains(seconds))
            }),
            body: redact(&response.body, self.key.as_ref()),
        }))
    }

    /// The output, or `None` where a link has to be fetched first.
    fn decode(&mut self, response: &mut Response) -> Result<Option<Output>, Error> {
        let output = match self.operation.answer {
            Answer::Content if self.following => Output::Content(std::mem::take(&mut response.body)),
            Answer::Content => {
                let link = self.link(response)?;
                self.follow(&link, response)?;
                return Ok(None);
            }
            Answer::Screenshot => match self.picture(response)? {
                Picture::Data(data) => Output::Screenshot(self.screenshot(data, response)?),
                Picture::Link(link) => {
                    self.follow(&link, response)?;
                    return Ok(None);
                }
            },
            Answer::Value { ty, under } => {
                let mut value = if response.body.trim_ascii().is_empty() {
                    Value::Object(Map::new())
                } else {
                    json::parse(&response.body).map_err(|error| self.not_json(response, error))?
                };
                if let Some(name) = under.iter().find(|name| value.get(name).is_some()) {
                    let mut inner = value.get_mut(name).map(Value::take).unwrap_or_default();
                    normalise(&mut inner, &ty).map_err(|error| self.misfit(response, error.inside(name)))?;
                    value = inner;
                } else {
                    normalise(&mut value, &ty).map_err(|error| self.misfit(response, error))?;
                }
                Output::Value(value)
            }
        };
        Ok(Some(output))
    }

    fn link(&self, response: &Response) -> Result<String, Error> {
        let value = json::parse(&response.body).map_err(|error| self.not_json(response, error))?;
        match value.get("url") {
            Some(Value::String(url)) => Ok(url.clone()),
            Some(other) => Err(self.misfit(response, Mismatch::new("a string", other).inside("url"))),
            None => Err(self.misfit(response, Mismatch::missing("a string").inside("url"))),
        }
    }

    /// Prepares the request for a link. It gets the API key only on the service's own origin.
    fn follow(&mut self, link: &str, response: &Response) -> Result<(), Error> {
        let Some((url, own)) = self.base.resolve(link) else {
            let problem = "expected an http or https URL or a path from the root".to_owned();
            return Err(self.misfit(response, Mismatch { path: String::new(), problem }));
        };
        self.request = Request { method: Method::Get, url, headers: Vec::new(), body: None };
        // A signed URL carries its own credentials: some stores refuse a second kind beside them.
        if own && matches!(self.operation.answer, Answer::Screenshot) {
            authorize(&mut self.request, self.key.as_ref());
        }
        self.following = true;
        Ok(())
    }

    fn picture(&self, response: &mut Response) -> Result<Picture, Error> {
        if self.following || image::inspect(&response.body).is_some() {
            return Ok(Picture::Data(std::mem::take(&mut response.body)));
        }
        let mut body = json::parse(&response.body).map_err(|error| self.not_json(response, error))?;
        let text = match body.get_mut("image").map(Value::take) {
            Some(Value::String(text)) => text,
            Some(other) => {
                return Err(self.misfit(response, Mismatch::new("a string", &other).inside("image")));
            }
            None => return Err(self.misfit(response, Mismatch::missing("a string").inside("image"))),
        };
        // Every documented form at once: A to E of the generations; F is the picture itself, and was taken above.
        let encoded = match text.strip_prefix("data:") {
            Some(data) => data.split_once(";base64,").map(|(_, encoded)| encoded).ok_or_else(|| {
                let problem = "expected a data URL in base64".to_owned();
                self.misfit(response, Mismatch { path: "image".to_owned(), problem })
            })?,
            // Base64 of a JPEG begins with a slash too: `/9j/`. A path is not valid base64 of a picture.
            None if text.starts_with("http://") || text.starts_with("https://") => {
                return Ok(Picture::Link(text));
            }
            None if text.starts_with('/') && !text.starts_with("/9j/") => {
                return Ok(Picture::Link(text));
            }
            None => &text,
        };
        // Line breaks are rare, and looking for them costs as much as decoding does.
        let decoded = BASE64
            .decode(encoded)
            .or_else(|_| BASE64.decode(encoded.split_ascii_whitespace().collect::<String>()));
        decoded.map(Picture::Data).map_err(|_| {
            let problem = "expected base64, a data URL or a link".to_owned();
            self.misfit(response, Mismatch { path: "image".to_owned(), problem })
        })
    }

    fn screenshot(&self, data: Vec<u8>, response: &Response) -> Result<Screenshot, Error> {
        let info = image::inspect(&data).ok_or_else(|| {
            let problem = "expected a PNG or JPEG picture".to_owned();
            self.misfit(response, Mismatch { path: "image".to_owned(), problem })
        })?;
        Ok(Screenshot { data, mime_type: info.mime_type, width: info.width, height: info.height })
    }

    fn not_json(&self, response: &Response, error: SyntaxError) -> Error {
        let problem = format!("expected JSON, found something else at byte {}", error.at);
        self.misfit(response, Mismatch { path: String::new(), problem })
    }

    fn misfit(&self, response: &Response, Mismatch { path, problem }: Mismatch) -> Error {
        Error::Decode(DecodeError {
            operation: self.operation.name.to_owned(),
            path,
            problem,
            status: response.status,
            body: redact(&response.body, self.key.as_ref()),
        })
    }
}

enum Picture {
    Data(Vec<u8>),
    Link(String),
}

fn authorize(request: &mut Request, key: Option<&ApiKey>) {
    if let Some(key) = key {
        request.headers.retain(|(name, _)| name != "authorization");
        request.headers.push(("authorization".to_owned(), format!("Bearer {}", key.expose())));
    }
}

/// A boundary that the content does not hold.
fn boundary(jitter: &mut Jitter, data: &[u8]) -> String {
    loop {
        let boundary = format!("orgo-{:016x}{:016x}", jitter.up_to(u64::MAX), jitter.up_to(u64::MAX));
        if !data.windows(boundary.len()).any(|window| window == boundary.as_bytes()) {
            return boundary;
        }
    }
}

/// A `multipart/form-data` body (RFC 7578): the fields, then the file.
fn multipart(boundary: &str, fields: &[(&str, Value)], content: &Content) -> Vec<u8> {
    // As browsers do (WHATWG HTML, multipart form data): quotes and line ends would end the parameter.
    let escape = |text: &str| text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let content_type = match content.content_type.as_str() {
        text if !text.is_empty() && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) => text,
        _ => "application/octet-stream",
    };
    let mut head = String::new();
    for (name, value) in fields {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        head.push_str(&format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n"
        ));
    }
    head.push_str(&format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{}\"\r\ncontent-type: {content_type}\r\n\r\n",
        escape(&content.name)
    ));
    let mut body = Vec::with_capacity(head.len() + content.data.len() + boundary.len() + 8);
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(&content.data);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}
