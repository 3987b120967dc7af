//! The settings of a client, and the options of a call.

use std::fmt;

use crate::Millis;
use crate::client::address::{BaseUrl, DEFAULT_BASE_URL, SocketTemplate};
use crate::client::credentials::ApiKey;
use crate::client::fields::Fields;
use crate::diagnostics::log::LogLevel;
use crate::diagnostics::mask::in_quotes;
use crate::encoding::json::{Map, Value};
use crate::error::Error;

/// The default time limit of one request, in milliseconds.
pub const DEFAULT_TIMEOUT: Millis = 60_000;
/// The default limit of a pause within a response, in milliseconds.
pub const DEFAULT_IDLE_TIMEOUT: Millis = 30_000;
/// The default maximum number of retries of a call.
pub const DEFAULT_MAX_RETRIES: u32 = 2;
/// The default limit of the body of a response, in bytes. It is far larger than a screenshot in base64 or the output of
/// a command.
pub const DEFAULT_MAX_RESPONSE_BYTES: u64 = 64 << 20;
/// The largest content of a stored file, in bytes, unless the call sets a limit.
pub const DEFAULT_MAX_FILE_BYTES: u64 = 1 << 30;

/// The header fields that describe the body or the connection. The core and the host's HTTP client write them. A second
/// value would let servers and proxies disagree about where a request ends. `accept-encoding` is reserved because the
/// native client decompresses only gzip. `proxy-authorization` is reserved because without a proxy it would reach the
/// service.
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

/// A client's settings. `Debug` shows only the names of the headers.
#[derive(Clone)]
pub struct Config {
    /// The root of the REST calls.
    pub base_url: BaseUrl,
    /// The template for the URLs of channels. `None` uses the address that the computer reports.
    pub realtime_url: Option<SocketTemplate>,
    /// The account's key. Without a key, only channels with a known password work.
    pub api_key: Option<ApiKey>,
    /// The time limit of one request, in milliseconds. It does not apply to a call whose parameters set a server limit
    /// that is at least as long. `None` is [`DEFAULT_TIMEOUT`], or the server's limit for the call and a margin if that
    /// is longer.
    pub timeout: Option<Millis>,
    /// The longest pause within a response, in milliseconds.
    pub idle_timeout: Millis,
    /// The time limit of a call with all of its requests and waits, in milliseconds. `None` is the sum of the limits of
    /// all requests, plus one minute for each retry.
    pub total_timeout: Option<Millis>,
    /// The maximum number of retries of a call that may be repeated.
    pub max_retries: u32,
    /// The largest body of a response, in bytes. The content of a stored file has another limit,
    /// [`DEFAULT_MAX_FILE_BYTES`].
    pub max_response_bytes: u64,
    /// The header fields that every call sends, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The least severe level that is logged; `None` logs nothing.
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
    /// Reads a client's settings from the plain object of a binding. An absent setting has the default value.
    ///
    /// # Errors
    /// [`Error::Encode`] for an invalid setting. The error contains the name.
    pub fn read(settings: &Map) -> Result<Self, Error> {
        const OWNER: &str = "Orgo";
        let fields = Fields::new(OWNER, settings);
        let refuse = |field: &str, problem: String| Error::encode(OWNER, field, problem);
        let base_url = fields.text("base_url")?;
        let api_key = fields.text("api_key")?;
        if let Some(key) = &api_key
            && (key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            let problem =
                "must be printable ASCII without spaces, as shown at https://www.orgo.ai/workspaces";
            return Err(refuse("apiKey", problem.to_owned()));
        }
        let CallOptions { timeout, idle_timeout, total_timeout, max_retries, max_response_bytes, headers } =
            CallOptions::read(OWNER, settings)?;
        Ok(Self {
            base_url: BaseUrl::parse(base_url.as_deref().unwrap_or(DEFAULT_BASE_URL))
                .map_err(|error| refuse("baseUrl", error.to_string()))?,
            realtime_url: fields
                .text("realtime_url")?
                .map(|template| SocketTemplate::parse(&template))
                .transpose()
                .map_err(|error| refuse("realtimeUrl", error.to_string()))?,
            api_key: api_key.map(ApiKey::new),
            timeout,
            idle_timeout: idle_timeout.unwrap_or(DEFAULT_IDLE_TIMEOUT),
            total_timeout,
            max_retries: max_retries.unwrap_or(DEFAULT_MAX_RETRIES),
            max_response_bytes: max_response_bytes.unwrap_or(DEFAULT_MAX_RESPONSE_BYTES),
            headers,
            log_level: fields.text("log_level")?.map_or(Ok(None), |name| level(&name))?,
        })
    }

    /// Returns the time limit of a request that does not wait for the computer.
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

fn level(name: &str) -> Result<Option<LogLevel>, Error> {
    let known = LogLevel::ALL.iter().find(|(known, _)| *known == name);
    match known {
        Some((_, level)) => Ok(Some(*level)),
        None if name == "off" => Ok(None),
        None => Err(Error::encode("Orgo", "logLevel", "must be off, error, warn, info or debug")),
    }
}

/// The options of one call. `Debug` shows only the names of the headers.
#[derive(Clone, Default)]
pub struct CallOptions {
    /// See [`Config::timeout`]. The limit of a call applies regardless of the server limit that the call sets.
    pub timeout: Option<Millis>,
    /// See [`Config::idle_timeout`].
    pub idle_timeout: Option<Millis>,
    /// See [`Config::total_timeout`].
    pub total_timeout: Option<Millis>,
    /// The maximum number of retries of the call.
    pub max_retries: Option<u32>,
    /// The largest body of a response of this call, in bytes. It also applies to the content of a stored file.
    pub max_response_bytes: Option<u64>,
    /// Additional header fields, with names in lower case.
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

impl CallOptions {
    /// Reads the options of a call to `operation` from the plain object of a binding.
    ///
    /// # Errors
    /// [`Error::Encode`] for an invalid option. The error contains the name.
    pub fn read(operation: &str, options: &Map) -> Result<Self, Error> {
        let fields = Fields::new(operation, options);
        Ok(Self {
            timeout: limit(operation, "timeout", fields.number("timeout")?)?,
            idle_timeout: limit(operation, "idleTimeout", fields.number("idle_timeout")?)?,
            total_timeout: limit(operation, "totalTimeout", fields.number("total_timeout")?)?,
            max_retries: count(operation, fields.number("max_retries")?)?,
            max_response_bytes: size(operation, fields.number("max_response_bytes")?)?,
            headers: headers(operation, fields.map("headers")?)?,
        })
    }
}

/// Checks a limit in milliseconds. The maximum is the longest delay of a JavaScript timer, about 24 days.
fn limit(owner: &str, field: &str, millis: Option<f64>) -> Result<Option<Millis>, Error> {
    amount(owner, field, "number of milliseconds", i32::MAX as u32, millis)
}

/// Checks a limit in bytes. The maximum is the size of the address space of WebAssembly.
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
                    format!("must have a string as the value of {}", in_quotes(&name)),
                ));
            };
            let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || !name.bytes().all(token) {
                return Err(Error::encode(
                    owner,
                    "headers",
                    format!("has a name that HTTP does not allow: {}", in_quotes(&name)),
                ));
            }
            let name = name.to_ascii_lowercase();
            if RESERVED_HEADERS.contains(&name.as_str()) {
                let name = in_quotes(&name);
                let problem =
                    format!("must not contain {name}, which the HTTP client sets itself: leave it out");
                return Err(Error::encode(owner, "headers", problem));
            }
            // Platforms encode other characters differently, or refuse them.
            if !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
                let problem = format!("must have a value of printable ASCII for {}", in_quotes(&name));
                return Err(Error::encode(owner, "headers", problem));
            }
            Ok((name, value))
        })
        .collect()
}
