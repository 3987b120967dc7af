//! What a client is set up with, and what one call may change of it.

use std::fmt;

use crate::Millis;
use crate::client::address::{BaseUrl, DEFAULT_BASE_URL, SocketTemplate};
use crate::client::credentials::ApiKey;
use crate::diagnostics::log::LogLevel;
use crate::encoding::json::{Map, Value};
use crate::error::Error;

/// The time limit of one request.
pub const DEFAULT_TIMEOUT: Millis = 60_000;
/// How long an answer that has begun may pause.
pub const DEFAULT_IDLE_TIMEOUT: Millis = 30_000;
/// How often a call is sent again.
pub const DEFAULT_MAX_RETRIES: u32 = 2;
/// The largest body of a response, in bytes: far above a screenshot in base64 or the output of a command.
pub const DEFAULT_MAX_RESPONSE_BYTES: u64 = 64 << 20;
/// The largest content of a stored file, in bytes, unless the call sets a limit.
pub const DEFAULT_MAX_FILE_BYTES: u64 = 1 << 30;

/// The header fields that describe the body or the connection. The core and the HTTP client of the host write them;
/// a second opinion makes servers and proxies disagree about where a request ends. `accept-encoding` is among them
/// because the native client does not decompress, and `proxy-authorization` because it would reach the service where
/// there is no proxy.
const RESERVED_HEADERS: [&str; 14] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A client's settings. `Debug` shows the names of the headers alone.
#[derive(Clone)]
pub struct Config {
    /// The root of the REST calls.
    pub base_url: BaseUrl,
    /// Where the channels are, if not where the computer says.
    pub realtime_url: Option<SocketTemplate>,
    /// The account's key. Without one only channels with a known password work.
    pub api_key: Option<ApiKey>,
    /// The time limit of one request, in milliseconds. It holds for every call that does not name a server limit at
    /// least as long. `None` is [`DEFAULT_TIMEOUT`], or the server's own limit of the call and a margin if that is longer.
    pub timeout: Option<Millis>,
    /// How long an answer that has begun may pause, in milliseconds.
    pub idle_timeout: Millis,
    /// The time limit of a call with all of its requests and waits, in milliseconds. `None` leaves time for every
    /// request to run into its own limit, and for a minute of waiting before each retry.
    pub total_timeout: Option<Millis>,
    /// How often a call that may be repeated is sent again.
    pub max_retries: u32,
    /// The largest body of a response, in bytes. The content of a stored file has a limit of its own,
    /// [`DEFAULT_MAX_FILE_BYTES`].
    pub max_response_bytes: u64,
    /// Header fields sent with every call, names in lower case.
    pub headers: Vec<(String, String)>,
    /// What a log is told; `None` is nothing.
    pub log_level: Option<LogLevel>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("base_url", &self.base_url)
            .field("realtime_url", &self.realtime_url)
            .field("api_key", &self.api_key)
            .field("timeout", &self.timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("max_retries", &self.max_retries)
            .field("max_response_bytes", &self.max_response_bytes)
            .field("headers", &names(&self.headers))
            .field("log_level", &self.log_level)
            .finish()
    }
}

impl Config {
    /// The time limit of a request that waits for nothing on the server.
    #[must_use]
    pub fn request_timeout(&self) -> Millis {
        self.timeout.unwrap_or(DEFAULT_TIMEOUT)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: BaseUrl::default(),
            realtime_url: None,
            api_key: None,
            timeout: None,
            idle_timeout: DEFAULT_IDLE_TIMEOUT,
            total_timeout: None,
            max_retries: DEFAULT_MAX_RETRIES,
            max_response_bytes: DEFAULT_MAX_RESPONSE_BYTES,
            headers: Vec::new(),
            log_level: None,
        }
    }
}

/// A client's settings as text, before they are checked; what is absent has its default.
#[derive(Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct RawConfig {
    /// See [`Config::base_url`].
    pub base_url: Option<String>,
    /// See [`Config::realtime_url`].
    pub realtime_url: Option<String>,
    /// See [`Config::api_key`].
    pub api_key: Option<ApiKey>,
    /// See [`Config::timeout`].
    pub timeout: Option<f64>,
    /// See [`Config::idle_timeout`].
    pub idle_timeout: Option<f64>,
    /// See [`Config::total_timeout`].
    pub total_timeout: Option<f64>,
    /// See [`Config::max_retries`].
    pub max_retries: Option<f64>,
    /// See [`Config::max_response_bytes`].
    pub max_response_bytes: Option<f64>,
    /// See [`Config::headers`].
    pub headers: Map,
    /// See [`Config::log_level`]: the name of a level, or `off`.
    pub log_level: Option<String>,
}

impl fmt::Debug for RawConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawConfig").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl TryFrom<RawConfig> for Config {
    type Error = Error;

    fn try_from(raw: RawConfig) -> Result<Self, Error> {
        const OWNER: &str = "Orgo";
        let refuse = |field: &str, problem: String| Error::encode(OWNER, field, problem);
        let base_url = raw.base_url.as_deref().unwrap_or(DEFAULT_BASE_URL);
        if let Some(key) = &raw.api_key
            && (key.expose().is_empty() || !key.expose().bytes().all(|byte| byte.is_ascii_graphic()))
        {
            let problem =
                "must be printable ASCII without spaces, as shown at https://www.orgo.ai/workspaces";
            return Err(refuse("apiKey", problem.to_owned()));
        }
        Ok(Self {
            base_url: BaseUrl::parse(base_url).map_err(|error| refuse("baseUrl", error.to_string()))?,
            realtime_url: raw
                .realtime_url
                .as_deref()
                .map(SocketTemplate::parse)
                .transpose()
                .map_err(|error| refuse("realtimeUrl", error.to_string()))?,
            api_key: raw.api_key,
            timeout: limit(OWNER, "timeout", raw.timeout)?,
            idle_timeout: limit(OWNER, "idleTimeout", raw.idle_timeout)?.unwrap_or(DEFAULT_IDLE_TIMEOUT),
            total_timeout: limit(OWNER, "totalTimeout", raw.total_timeout)?,
            max_retries: count(OWNER, raw.max_retries)?.unwrap_or(DEFAULT_MAX_RETRIES),
            max_response_bytes: size(OWNER, raw.max_response_bytes)?.unwrap_or(DEFAULT_MAX_RESPONSE_BYTES),
            headers: headers(OWNER, raw.headers)?,
            log_level: raw.log_level.as_deref().map_or(Ok(None), level)?,
        })
    }
}

fn level(name: &str) -> Result<Option<LogLevel>, Error> {
    let known = LogLevel::ALL.iter().find(|(known, _)| *known == name);
    match known {
        Some((_, level)) => Ok(Some(*level)),
        None if name == "off" => Ok(None),
        None => Err(Error::encode("Orgo", "logLevel", "must be off, error, warn, info or debug")),
    }
}

/// What one call may change. `Debug` shows the names of the headers alone.
#[derive(Clone, Default)]
pub struct CallOptions {
    /// See [`Config::timeout`]. It holds whatever server limit the call names.
    pub timeout: Option<Millis>,
    /// See [`Config::idle_timeout`].
    pub idle_timeout: Option<Millis>,
    /// See [`Config::total_timeout`].
    pub total_timeout: Option<Millis>,
    /// How often the call is sent again.
    pub max_retries: Option<u32>,
    /// The largest body of a response of this call, in bytes, also for the content of a stored file.
    pub max_response_bytes: Option<u64>,
    /// More header fields, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallOptions")
            .field("timeout", &self.timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("max_retries", &self.max_retries)
            .field("max_response_bytes", &self.max_response_bytes)
            .field("headers", &names(&self.headers))
            .finish()
    }
}

fn names(headers: &[(String, String)]) -> Vec<&str> {
    headers.iter().map(|(name, _)| name.as_str()).collect()
}

/// What one call may change, before it is checked.
#[derive(Clone, Default, serde::Deserialize)]
#[serde(default)]
pub struct RawCallOptions {
    /// See [`CallOptions::timeout`].
    pub timeout: Option<f64>,
    /// See [`CallOptions::idle_timeout`].
    pub idle_timeout: Option<f64>,
    /// See [`CallOptions::total_timeout`].
    pub total_timeout: Option<f64>,
    /// See [`CallOptions::max_retries`].
    pub max_retries: Option<f64>,
    /// See [`CallOptions::max_response_bytes`].
    pub max_response_bytes: Option<f64>,
    /// See [`CallOptions::headers`].
    pub headers: Map,
}

impl fmt::Debug for RawCallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawCallOptions").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl RawCallOptions {
    /// Checks the options of a call to `operation`.
    ///
    /// # Errors
    /// [`Error::Encode`] that names the option.
    pub fn check(self, operation: &str) -> Result<CallOptions, Error> {
        Ok(CallOptions {
            timeout: limit(operation, "timeout", self.timeout)?,
            idle_timeout: limit(operation, "idleTimeout", self.idle_timeout)?,
            total_timeout: limit(operation, "totalTimeout", self.total_timeout)?,
            max_retries: count(operation, self.max_retries)?,
            max_response_bytes: size(operation, self.max_response_bytes)?,
            headers: headers(operation, self.headers)?,
        })
    }
}

/// A limit in milliseconds, of at most what a timer of JavaScript can hold, about 24 days.
fn limit(owner: &str, field: &str, millis: Option<f64>) -> Result<Option<Millis>, Error> {
    amount(owner, field, "number of milliseconds", i32::MAX as u32, millis)
}

/// A limit in bytes, of at most what WebAssembly can address.
fn size(owner: &str, bytes: Option<f64>) -> Result<Option<u64>, Error> {
    amount(
        owner,
        "maxResponseBytes",
        "whole number of bytes",
        u32::MAX,
        bytes.map(|bytes| if bytes.fract() == 0.0 { bytes } else { 0.0 }),
    )
}

fn amount(
    owner: &str,
    field: &str,
    unit: &str,
    most: u32,
    amount: Option<f64>,
) -> Result<Option<u64>, Error> {
    let Some(amount) = amount else { return Ok(None) };
    if !(1.0..=f64::from(most)).contains(&amount) {
        return Err(Error::encode(owner, field, format!("must be a {unit} from 1 to {most}")));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    Ok(Some(amount as u64))
}

pub(crate) fn count(owner: &str, retries: Option<f64>) -> Result<Option<u32>, Error> {
    let Some(retries) = retries else { return Ok(None) };
    if !(0.0..=100.0).contains(&retries) || retries.fract() != 0.0 {
        return Err(Error::encode(owner, "maxRetries", "must be a whole number from 0 to 100"));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    Ok(Some(retries as u32))
}

fn headers(owner: &str, headers: Map) -> Result<Vec<(String, String)>, Error> {
    headers
        .into_iter()
        .map(|(name, value)| {
            let Value::String(value) = value else {
                return Err(Error::encode(
                    owner,
                    "headers",
                    format!("must have text as the value of {name:?}"),
                ));
            };
            let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || !name.bytes().all(token) {
                return Err(Error::encode(
                    owner,
                    "headers",
                    format!("has a name that HTTP does not allow: {name:?}"),
                ));
            }
            let name = name.to_ascii_lowercase();
            if RESERVED_HEADERS.contains(&name.as_str()) {
                let problem =
                    format!("must not contain {name:?}, which the HTTP client sets itself: leave it out");
                return Err(Error::encode(owner, "headers", problem));
            }
            // Beyond ASCII every platform encodes differently or refuses.
            if !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
                let problem = format!("must have a value of printable ASCII for {name:?}");
                return Err(Error::encode(owner, "headers", problem));
            }
            Ok((name, value))
        })
        .collect()
}
