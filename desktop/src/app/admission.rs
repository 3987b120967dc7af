//! Whom the server answers: the Host and Origin of a request, and what it says of itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN};
use axum::http::{HeaderValue, StatusCode};

use super::error::ApiError;

/// The origins and hosts that are answered.
///
/// A page of another site can make a browser connect here, even under a name that it has pointed at this machine. It
/// cannot choose the Host and Origin headers.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    origins: Vec<HeaderValue>,
    remote: bool,
    public_url: Option<String>,
}

impl Admission {
    /// Fails with the text that is not an origin.
    pub(crate) fn new(origins: &[String], remote: bool) -> Result<Self, String> {
        let origins = origins
            .iter()
            .map(|origin| parse_origin(origin).ok_or_else(|| origin.clone()))
            .collect::<Result<_, _>>()?;
        Ok(Self { origins, remote, public_url: None })
    }

    /// Also admits the host of `url`, at which clients reach a proxy in front of this server. Fails with the reason why it
    /// cannot be one.
    pub(crate) fn with_public_url(mut self, url: &str) -> Result<Self, &'static str> {
        self.public_url = Some(parse_public_url(url)?);
        Ok(self)
    }

    /// What links begin with, if not with the address that a request came to.
    pub(crate) fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    pub(crate) fn origins(&self) -> &[HeaderValue] {
        &self.origins
    }

    fn admits_host(&self, host: &str) -> bool {
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

    fn admits_origin(&self, origin: &HeaderValue) -> bool {
        self.origins.contains(origin) || host_of(origin).is_some_and(is_loopback)
    }

    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let host = only(headers, &HOST)?.and_then(|host| host.to_str().ok()).unwrap_or_default();
        if !self.admits_host(without_port(host)) {
            return Err(ApiError::new(StatusCode::FORBIDDEN, "This host name is not served"));
        }
        match only(headers, &ORIGIN)? {
            Some(origin) if !self.admits_origin(origin) => Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "Pages of this origin are not served; the server's --allow-origin admits them",
            )),
            _ => Ok(()),
        }
    }
}

/// The value of a header that two readers could read differently if it were there twice.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, ApiError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(ApiError::new(StatusCode::FORBIDDEN, format!("The header {name} is there twice"))),
    }
}

/// The token of `Authorization: Bearer TOKEN`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A host without its port; the brackets of an IPv6 address stay. What follows the name and is no port belongs to it, so that
/// no check of the name lets the rest through.
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

fn parse_origin(text: &str) -> Option<HeaderValue> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let (scheme, host) = text.split_once("://")?;
    let plain = matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains(['/', '*', ' ']);
    plain.then(|| HeaderValue::from_str(text).ok()).flatten()
}

/// Without a slash at its end.
fn parse_public_url(text: &str) -> Result<String, &'static str> {
    let url = text.trim_end_matches('/');
    let (scheme, rest) = url.split_once("://").ok_or("it does not begin with http:// or https://")?;
    if !matches!(scheme, "http" | "https") {
        return Err("it does not begin with http:// or https://");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte);
    if rest.starts_with('/') || rest.is_empty() || !rest.bytes().all(plain) {
        return Err("it is not a host with a port and a path, such as https://desk.example/computers");
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

/// Browsers resolve `localhost` and what is under it to this machine without asking anybody.
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
    fn loopback_names_are_served_and_others_are_not() {
        let admission = Admission::new(&[], false).expect("there are no origins");
        for host in ["127.0.0.1:8800", "localhost", "LOCALHOST:1", "[::1]:8800", "5b90e2c7.localhost:8800"] {
            assert!(check(&admission, host, None), "{host}");
        }
        for host in ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1"] {
            assert!(!check(&admission, host, None), "{host}");
        }
        // What a link is made with must lead back here.
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
    fn a_remote_server_is_called_by_address_or_by_the_name_of_an_origin() {
        let admission = Admission::new(&["https://desk.example".into()], true).expect("it is an origin");
        assert!(check(&admission, "10.0.0.1:8800", None));
        assert!(check(&admission, "desk.example:8800", None));
        assert!(!check(&admission, "evil.example", None));
    }

    #[test]
    fn only_allowed_and_loopback_origins_are_served() {
        let admission = Admission::new(&["https://desk.example/".into()], false).expect("it is an origin");
        assert!(check(&admission, "localhost", Some("https://desk.example")));
        assert!(check(&admission, "localhost", Some("http://127.0.0.1:5173")));
        for origin in ["null", "https://evil.example", "https://desk.example.evil", "http://desk.example"] {
            assert!(!check(&admission, "localhost", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn a_public_url_is_served_and_nothing_like_it() {
        let admission = Admission::new(&[], false).expect("there are no origins");
        let admission = admission.with_public_url("https://desk.example:8443/a/").expect("it is a URL");
        assert_eq!(admission.public_url(), Some("https://desk.example:8443/a"));
        for host in ["desk.example", "DESK.example:8443", "127.0.0.1:8800"] {
            assert!(check(&admission, host, None), "{host}");
        }
        for host in ["evil.example", "desk.example.evil", "desk.example@evil.example", "desk.example/a"] {
            assert!(!check(&admission, host, None), "{host}");
        }
        // Its pages are none of this server's until --allow-origin says so.
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
            let admission = Admission::new(&[], false).expect("there are no origins");
            assert!(admission.with_public_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn what_is_not_an_origin_is_named() {
        for text in ["*", "example.com", "http://a/b", "ftp://a"] {
            assert_eq!(Admission::new(&[text.into()], false).expect_err("it is none"), text);
        }
    }
}
