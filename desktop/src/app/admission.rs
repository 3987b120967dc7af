//! Host and Origin checks, and helpers for the headers that identify a client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN};
use axum::http::{HeaderValue, StatusCode};

use super::error::ApiError;

/// The hosts and origins whose requests the server accepts.
///
/// A page of another site can make a browser send requests to this server, for example through DNS rebinding. The page
/// cannot choose the Host and Origin headers of these requests, so the server checks both.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    origins: Vec<HeaderValue>,
    remote: bool,
    public_url: Option<String>,
}

impl Admission {
    /// Creates the check from the origins that are allowed explicitly. The error is the first string that is not a
    /// valid origin.
    pub(crate) fn new(origins: &[String], remote: bool) -> Result<Self, String> {
        let origins = origins
            .iter()
            .map(|origin| parse_origin(origin).ok_or_else(|| origin.clone()))
            .collect::<Result<_, _>>()?;
        Ok(Self { origins, remote, public_url: None })
    }

    /// Also allows the host of `url`, the public URL of this server, such as that of a reverse proxy. The error
    /// explains why `url` is not valid.
    pub(crate) fn with_public_url(mut self, url: &str) -> Result<Self, &'static str> {
        self.public_url = Some(parse_public_url(url)?);
        Ok(self)
    }

    /// Returns the public URL, which is the base of links in responses. If it is `None`, links start with the host of
    /// the request.
    pub(crate) fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    pub(crate) fn origins(&self) -> &[HeaderValue] {
        &self.origins
    }

    fn allows_host(&self, host: &str) -> bool {
        is_loopback(host)
            || self
                .public_url
                .as_deref()
                .and_then(host_of_url)
                .is_some_and(|own| own.eq_ignore_ascii_case(host))
            || (self.remote
                && (address(host).is_some()
                    || self.origins.iter().any(|origin| host_of(origin) == Some(host))))
    }

    fn allows_origin(&self, origin: &HeaderValue) -> bool {
        self.origins.contains(origin) || host_of(origin).is_some_and(is_loopback)
    }

    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let host = single_value(headers, &HOST)?.and_then(|host| host.to_str().ok()).unwrap_or_default();
        if !self.allows_host(without_port(host)) {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "The host name is not allowed: use a loopback address, or start the server with --public-url",
            ));
        }
        match single_value(headers, &ORIGIN)? {
            Some(origin) if !self.allows_origin(origin) => Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "The origin is not allowed; allow it with the server's option --allow-origin",
            )),
            _ => Ok(()),
        }
    }
}

/// Returns the value of a header that may occur only once. A repeated header is refused, since another parser could use
/// another of its values.
fn single_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, ApiError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(ApiError::new(StatusCode::FORBIDDEN, format!("The header {name} occurs more than once"))),
    }
}

/// Returns the token of the header `Authorization: Bearer TOKEN`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Returns the host without its port. Keeps the brackets of an IPv6 address. A suffix that is not a valid port remains
/// part of the name, so the checks of the name also apply to the suffix.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

/// The schemes of the origins of pages and of browser extensions.
const SCHEMES: [&str; 5] = ["http", "https", "chrome-extension", "moz-extension", "safari-web-extension"];

fn parse_origin(text: &str) -> Option<HeaderValue> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let (scheme, host) = text.split_once("://")?;
    let plain = SCHEMES.contains(&scheme) && !host.is_empty() && !host.contains(['/', '*', ' ']);
    plain.then(|| HeaderValue::from_str(text).ok()).flatten()
}

/// Checks a public URL and removes trailing slashes.
fn parse_public_url(text: &str) -> Result<String, &'static str> {
    let url = text.trim_end_matches('/');
    let (scheme, rest) = url.split_once("://").ok_or("it must start with http:// or https://")?;
    if !matches!(scheme, "http" | "https") {
        return Err("it must start with http:// or https://");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte);
    if rest.starts_with('/') || rest.is_empty() || !rest.bytes().all(plain) {
        return Err(
            "it must be a host, optionally with a port and a path, such as https://desk.example/computers",
        );
    }
    Ok(url.to_owned())
}

fn host_of_url(url: &str) -> Option<&str> {
    Some(without_port(url.split_once("://")?.1.split('/').next()?))
}

fn host_of(origin: &HeaderValue) -> Option<&str> {
    Some(without_port(origin.to_str().ok()?.split_once("://")?.1))
}

fn address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(v6) => v6.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

/// Returns whether a host name or address is a loopback one. Browsers resolve `localhost` and its subdomains to this
/// machine without a DNS query.
fn is_loopback(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let is_name = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    host == "localhost"
        || is_name && host.ends_with(".localhost")
        || address(&host).is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(admission: &Admission, host: &'static str, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        admission.check(&headers).is_ok()
    }

    #[test]
    fn loopback_hosts_are_allowed_and_others_refused() {
        let admission = Admission::new(&[], false).expect("an empty list is valid");
        for host in ["127.0.0.1:8800", "localhost", "LOCALHOST:1", "[::1]:8800", "5b90e2c7.localhost:8800"] {
            assert!(check(&admission, host, None), "{host}");
        }
        for host in ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1"] {
            assert!(!check(&admission, host, None), "{host}");
        }
        // Links in responses contain the host, so a crafted host must not make a link point elsewhere.
        for host in [
            "localhost:80@evil.example",
            "localhost:@evil.example",
            "localhost:8800/@evil.example",
            "evil.example/x.localhost",
            "evil.example?.localhost",
            "evil.example#.localhost:80",
            "evil@x.localhost",
            "[::1]:80@evil.example",
            "[::1]evil.example",
            "::1",
        ] {
            assert!(!check(&admission, host, None), "{host}");
        }
    }

    #[test]
    fn a_remote_server_allows_ip_addresses_and_hosts_of_allowed_origins() {
        let admission = Admission::new(&["https://desk.example".into()], true).expect("the origin is valid");
        assert!(check(&admission, "10.0.0.1:8800", None));
        assert!(check(&admission, "desk.example:8800", None));
        assert!(!check(&admission, "evil.example", None));
    }

    #[test]
    fn only_listed_and_loopback_origins_are_allowed() {
        let admission =
            Admission::new(&["https://desk.example/".into()], false).expect("the origin is valid");
        assert!(check(&admission, "localhost", Some("https://desk.example")));
        assert!(check(&admission, "localhost", Some("http://127.0.0.1:5173")));
        for origin in ["null", "https://evil.example", "https://desk.example.evil", "http://desk.example"] {
            assert!(!check(&admission, "localhost", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn a_browser_extension_is_allowed_if_it_is_listed() {
        let admission =
            Admission::new(&["chrome-extension://abcdefgh".into()], true).expect("the origin is valid");
        assert!(check(&admission, "localhost", Some("chrome-extension://abcdefgh")));
        for origin in ["chrome-extension://hgfedcba", "moz-extension://abcdefgh", "https://abcdefgh"] {
            assert!(!check(&admission, "localhost", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn the_host_of_the_public_url_is_allowed_and_similar_hosts_are_refused() {
        let admission = Admission::new(&[], false).expect("an empty list is valid");
        let admission = admission.with_public_url("https://desk.example:8443/a/").expect("the URL is valid");
        assert_eq!(admission.public_url(), Some("https://desk.example:8443/a"));
        for host in ["desk.example", "DESK.example:8443", "127.0.0.1:8800"] {
            assert!(check(&admission, host, None), "{host}");
        }
        for host in ["evil.example", "desk.example.evil", "desk.example@evil.example", "desk.example/a"] {
            assert!(!check(&admission, host, None), "{host}");
        }
        // A public URL allows its host, but not its origin. Only --allow-origin allows an origin.
        assert!(!check(&admission, "desk.example", Some("https://desk.example:8443")));
        for url in [
            "",
            "desk.example",
            "ftp://a",
            "https://",
            "https:///a",
            "https://a@b",
            "https://a?b",
            "https://a b",
            "https://a#",
            "https://é",
        ] {
            let admission = Admission::new(&[], false).expect("an empty list is valid");
            assert!(admission.with_public_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn an_invalid_origin_is_returned_as_the_error() {
        for text in ["*", "example.com", "http://a/b", "ftp://a"] {
            assert_eq!(Admission::new(&[text.into()], false).expect_err("the origin is not valid"), text);
        }
    }
}
