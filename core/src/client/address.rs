//! The URLs of the REST calls and the channels, in every generation of the protocol.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use crate::client::credentials::Password;
use crate::diagnostics::mask::MASK;
use crate::encoding::percent::percent_encode;
use crate::encoding::text::{digits, part, replace, split_before, split_once, trim_end};

/// The root of the REST calls of the hosted service. The host starts with `www`, because `orgo.ai` redirects, and
/// a redirect drops the credentials.
pub const DEFAULT_BASE_URL: &str = "https://www.orgo.ai/api";

/// An invalid URL, or a URL that cannot be built. The text describes the requirement that is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressError {
    problem: Cow<'static, str>,
}

impl AddressError {
    const fn new(problem: &'static str) -> Self {
        Self { problem: Cow::Borrowed(problem) }
    }
}

/// Writes the problem as the end of a sentence that starts with the name of the URL.
impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for AddressError {}

/// The root of the REST calls: an `http` or `https` URL without query, fragment and credentials. The default is
/// [`DEFAULT_BASE_URL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    secure: bool,
    /// The host and the port.
    authority: String,
    /// The path. It is empty, or starts with a slash and does not end with a slash.
    path: String,
}

impl Default for BaseUrl {
    fn default() -> Self {
        // `expect` would print the error, with 5 kB of tables that a page does not need.
        let Ok(default) = Self::parse(DEFAULT_BASE_URL) else {
            unreachable!("the default is valid: a test parses it")
        };
        default
    }
}

impl BaseUrl {
    /// Parses a URL such as `https://www.orgo.ai/api`.
    ///
    /// # Errors
    /// [`AddressError`] if the text is not an `http` or `https` URL, or if it has a query, a fragment or credentials.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (secure, rest) = split_scheme(text, "http", "https").ok_or(AddressError::new(
            "must start with https:// or http://, such as https://www.orgo.ai/api",
        ))?;
        let (authority, path) = split_authority(rest)?;
        if !split_before(path, b"?#").1.is_empty() {
            return Err(AddressError::new("must not have a query or a fragment"));
        }
        Ok(Self { secure, authority, path: trim_end(path, b'/').to_owned() })
    }

    /// Returns the scheme, the host and the port, such as `https://www.orgo.ai`.
    #[must_use]
    pub fn origin(&self) -> String {
        [self.scheme(), &self.authority].concat()
    }

    fn scheme(&self) -> &'static str {
        if self.secure { "https://" } else { "http://" }
    }

    /// Returns the URL of `path`, which starts with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        [self.scheme(), &self.authority, &self.path, path].concat()
    }

    /// Returns the absolute form of a link in a response, and whether the link has the origin of this URL. Returns
    /// `None` if the link is neither an absolute path nor an `http` or `https` URL.
    #[must_use]
    pub fn resolve(&self, link: &str) -> Option<(String, bool)> {
        if !link.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        if link.starts_with('/') && !link.starts_with("//") {
            return Some(([self.scheme(), &self.authority, link].concat(), true));
        }
        let (secure, rest) = split_scheme(link, "http", "https")?;
        let (authority, _) = split_authority(rest).ok()?;
        Some((link.to_owned(), secure == self.secure && authority.eq_ignore_ascii_case(&self.authority)))
    }
}

/// Returns the target of a redirect from the URL `from`, and whether the target has the same origin. Returns `None` if the
/// `Location` is not an `http` or `https` URL or a path, or if it leads from `https` to `http`.
pub(crate) fn redirect_target(from: &str, location: &str) -> Option<(String, bool)> {
    let (location, _) = split_before(location, b"#");
    if location.is_empty() || !location.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let (secure, rest) = split_scheme(from, "http", "https")?;
    let (authority, path) = split_authority(rest).ok()?;
    let scheme = if secure { "https:" } else { "http:" };
    let (path, _) = split_before(path, b"?#");
    let absolute = if location.starts_with("//") {
        format!("{scheme}{location}")
    } else if location.starts_with('/') {
        format!("{scheme}//{authority}{location}")
    } else if location.starts_with('?') {
        format!("{scheme}//{authority}{path}{location}")
    } else if split_before(location, b"/?").0.as_bytes().contains(&b':') {
        location.to_owned()
    } else {
        let folder = path.bytes().rposition(|byte| byte == b'/').map_or("/", |end| part(path, ..=end));
        format!("{scheme}//{authority}{folder}{location}")
    };
    let (now_secure, rest) = split_scheme(&absolute, "http", "https")?;
    let (now_authority, _) = split_authority(rest).ok()?;
    let own = now_secure == secure && now_authority.eq_ignore_ascii_case(&authority);
    (now_secure || !secure).then_some((absolute, own))
}

/// A template for the URLs of channels: a `ws` or `wss` URL with the placeholder `{channel}`, and optionally
/// `{computer_id}` and `{instance_id}`. `Debug` masks the query.
#[derive(Clone, PartialEq, Eq)]
pub struct SocketTemplate(String);

impl fmt::Debug for SocketTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SocketTemplate({})", without_query(&self.0))
    }
}

impl SocketTemplate {
    /// Parses a template such as `wss://{computer_id}.orgo.dev/{channel}`.
    ///
    /// # Errors
    /// [`AddressError`] if the text is not a `ws` or `wss` URL, `{channel}` is missing, or a placeholder is unknown.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (_, rest) = split_scheme(text, "ws", "wss").ok_or(AddressError::new(
            "must start with wss:// or ws://, such as wss://{computer_id}.orgo.dev/{channel}",
        ))?;
        let (_, path) = split_authority(rest)?;
        if path.as_bytes().contains(&b'#') {
            return Err(AddressError::new("must not have a fragment"));
        }
        if split_once(text, "{channel}").is_none() {
            return Err(AddressError::new(
                "must contain {channel}, such as wss://{computer_id}.orgo.dev/{channel}",
            ));
        }
        let mut rest = text;
        loop {
            (_, rest) = split_before(rest, b"{}");
            if rest.is_empty() {
                return Ok(Self(text.to_owned()));
            }
            let placeholder = ["{computer_id}", "{instance_id}", "{channel}"]
                .into_iter()
                .find(|placeholder| rest.starts_with(placeholder))
                .ok_or(AddressError::new(
                    "may contain {computer_id}, {instance_id} and {channel}, and no other braces",
                ))?;
            rest = part(rest, placeholder.len()..);
        }
    }

    /// Returns whether the template contains `{instance_id}`.
    #[must_use]
    pub fn needs_instance(&self) -> bool {
        split_once(&self.0, "{instance_id}").is_some()
    }
}

/// The data from which the URLs of a computer's channels are built.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct ComputerAddress {
    /// The computer's UUID.
    pub computer_id: String,
    /// The computer's second id, which the channels use.
    pub instance_id: Option<String>,
    /// The base URL of the computer's channels, as the computer object of a response contains it.
    pub connection_url: Option<String>,
}

impl ComputerAddress {
    /// Returns the URL of a channel, without credentials. The URL is built from the first of these that is known: the
    /// template, the computer's `connection_url`, the instance id on the host of the REST calls, the computer id on
    /// `orgo.dev`.
    ///
    /// # Errors
    /// [`AddressError`] if the computer id is empty, the template needs an instance id that is not known, or
    /// `connection_url` is invalid.
    pub fn channel_url(
        &self,
        base: &BaseUrl,
        template: Option<&SocketTemplate>,
        channel: &str,
    ) -> Result<SocketUrl, AddressError> {
        if self.computer_id.is_empty() {
            return Err(AddressError::new("must be the id of a computer"));
        }
        let instance = self.instance_id.as_deref().filter(|id| !id.is_empty());
        if let Some(template) = template {
            let needs_instance = template.needs_instance();
            let SocketTemplate(template) = template;
            if needs_instance && instance.is_none() {
                return Err(AddressError::new(
                    "needs an instance id, which this computer does not have (yet)",
                ));
            }
            let mut url = replace(template, "{channel}", channel);
            for (placeholder, id) in
                [("{computer_id}", &*self.computer_id), ("{instance_id}", instance.unwrap_or_default())]
            {
                url = replace(&url, placeholder, &percent_encode(id));
            }
            return Ok(SocketUrl::new(url));
        }
        if let Some(url) = self.connection_url.as_deref().filter(|url| !url.is_empty()) {
            let (secure, rest) = split_scheme(url, "http", "https")
                .or_else(|| split_scheme(url, "ws", "wss"))
                .ok_or(AddressError::new("has a connection_url that is not an http, https, ws or wss URL"))?;
            let (authority, path) = split_authority(rest)?;
            let path = trim_end(split_before(path, b"?#").0, b'/');
            return Ok(SocketUrl::new(format!("{}://{authority}{path}/ws/{channel}", scheme(secure))));
        }
        Ok(SocketUrl::new(match instance {
            Some(instance) => format!(
                "{}://{}/desktops/{}/ws/{channel}",
                scheme(base.secure),
                base.authority,
                percent_encode(instance)
            ),
            None => format!("wss://{}.orgo.dev/{channel}", percent_encode(&self.computer_id)),
        }))
    }
}

/// The URL of a channel. `Debug` and `Display` mask the token and the query of the template.
#[derive(Clone, PartialEq, Eq)]
pub struct SocketUrl {
    url: String,
    query: String,
    token: Option<Password>,
}

impl SocketUrl {
    fn new(url: String) -> Self {
        Self { url, query: String::new(), token: None }
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        let _ = write!(self.query, "&{name}={}", percent_encode(&value.to_string()));
        self
    }

    /// Sets the query parameter `token`, which is the computer's password.
    #[must_use]
    pub fn with_token(mut self, token: Password) -> Self {
        self.token = Some(token);
        self
    }

    /// Returns the complete URL with the password. Use it only to open the socket, and never print it.
    #[must_use]
    pub fn expose(&self) -> String {
        self.render(&self.url, self.token.as_ref().map(|token| percent_encode(token.expose())))
    }

    fn render(&self, url: &str, token: Option<String>) -> String {
        let query = match token {
            Some(token) => format!("token={token}{}", self.query),
            None => self.query.strip_prefix('&').unwrap_or_default().to_owned(),
        };
        let joint = if query.is_empty() {
            ""
        } else if url.as_bytes().contains(&b'?') {
            "&"
        } else {
            "?"
        };
        format!("{url}{joint}{query}")
    }
}

impl fmt::Display for SocketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = without_query(&self.url);
        f.write_str(&self.render(&url, self.token.as_ref().map(|_| MASK.to_owned())))
    }
}

impl fmt::Debug for SocketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SocketUrl({self})")
    }
}

/// Returns the URL with a masked query, because a query can contain credentials.
fn without_query(url: &str) -> String {
    let (place, query) = split_before(url, b"?");
    if query.is_empty() { url.to_owned() } else { format!("{place}?{MASK}") }
}

fn scheme(secure: bool) -> &'static str {
    if secure { "wss" } else { "ws" }
}

fn split_scheme<'a>(text: &'a str, plain: &str, secure: &str) -> Option<(bool, &'a str)> {
    let (scheme, rest) = split_once(text, "://")?;
    if scheme.eq_ignore_ascii_case(secure) {
        Some((true, rest))
    } else {
        scheme.eq_ignore_ascii_case(plain).then_some((false, rest))
    }
}

/// Splits a URL without its scheme into the authority (the host and the port), and the path with the query.
fn split_authority(rest: &str) -> Result<(String, &str), AddressError> {
    let (authority, path) = split_before(rest, b"/?#");
    if authority.as_bytes().contains(&b'@') {
        return Err(AddressError::new("must not contain a user name or a password"));
    }
    // The last colon, unless it is in the brackets of an IPv6 address.
    let colon = authority.bytes().rposition(|byte| b":]".contains(&byte)).unwrap_or(authority.len());
    let host_end = if part(authority, colon..).starts_with(']') { authority.len() } else { colon };
    let (host, port) = (part(authority, ..host_end), part(authority, host_end..));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~[]:{}".contains(&byte);
    if host.is_empty() || !authority.bytes().all(allowed) {
        return Err(AddressError::new("must have a host name of ASCII letters, digits, dots and dashes"));
    }
    if !port.is_empty() && digits(part(port, 1..)).is_none_or(|port| port > u16::MAX.into()) {
        return Err(AddressError::new("must have a port from 0 to 65535, or none"));
    }
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(AddressError::new("must be printable ASCII without spaces: percent-encode the rest"));
    }
    Ok((authority.to_owned(), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_are_checked_and_joined() {
        assert_eq!(BaseUrl::default().join("/computers"), "https://www.orgo.ai/api/computers");
        assert_eq!(
            BaseUrl::parse("http://127.0.0.1:8800/api/").unwrap().join("/x"),
            "http://127.0.0.1:8800/api/x"
        );
        assert_eq!(BaseUrl::parse("HTTP://[::1]:80").unwrap().join("/x"), "http://[::1]:80/x");
        for wrong in [
            "",
            "orgo.ai",
            "ftp://x",
            "https://",
            "https://u:p@x",
            "https://x?y",
            "https://x:99999",
            "https://é",
            "http://x/a b",
        ] {
            assert!(BaseUrl::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn links_to_other_origins_are_recognized() {
        let base = BaseUrl::parse("https://www.orgo.ai/api").unwrap();
        assert_eq!(
            base.resolve("/api/storage/x"),
            Some(("https://www.orgo.ai/api/storage/x".to_owned(), true))
        );
        assert_eq!(base.resolve("https://WWW.orgo.ai/x"), Some(("https://WWW.orgo.ai/x".to_owned(), true)));
        assert_eq!(
            base.resolve("https://evil.example/x"),
            Some(("https://evil.example/x".to_owned(), false))
        );
        assert_eq!(base.resolve("http://www.orgo.ai/x").map(|(_, own)| own), Some(false));
        for wrong in ["//evil.example/x", "javascript:alert(1)", "x", "https://www.orgo.ai@evil.example/"] {
            assert_eq!(base.resolve(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_target_of_a_redirect_is_resolved_against_the_request() {
        let from = "https://h:1/api/v1/x?y=/z";
        for (location, expected) in [
            ("/a?b#c", Some(("https://h:1/a?b", true))),
            ("other", Some(("https://h:1/api/v1/other", true))),
            ("?page=a:b", Some(("https://h:1/api/v1/x?page=a:b", true))),
            ("//store.example/a", Some(("https://store.example/a", false))),
            ("https://H:1/a", Some(("https://H:1/a", true))),
            ("https://h:2/a", Some(("https://h:2/a", false))),
            ("HTTPS://store.example", Some(("HTTPS://store.example", false))),
            ("http://h:1/a", None),
            ("ftp://h/a", None),
            ("javascript:alert(1)", None),
            ("https://h:1@evil.example/", None),
            ("/a b", None),
            ("", None),
        ] {
            let expected = expected.map(|(url, own)| (url.to_owned(), own));
            assert_eq!(redirect_target(from, location), expected, "{location}");
        }
        assert_eq!(redirect_target("http://h", "x").unwrap().0, "http://h/x");
        assert_eq!(redirect_target("http://h/", "https://h/").map(|(_, own)| own), Some(false));
    }

    #[test]
    fn the_newest_known_address_of_a_computer_is_used() {
        let base = BaseUrl::parse("https://www.orgo.ai/api").unwrap();
        let url = |address: &ComputerAddress, template: Option<&str>| {
            let template = template.map(|text| SocketTemplate::parse(text).unwrap());
            address.channel_url(&base, template.as_ref(), "terminal").map(|url| url.expose())
        };
        let mut address = ComputerAddress { computer_id: "c 1".to_owned(), ..ComputerAddress::default() };
        assert_eq!(url(&address, None).unwrap(), "wss://c%201.orgo.dev/terminal");
        assert!(url(&address, Some("ws://h/{instance_id}/{channel}")).is_err());
        address.instance_id = Some("5b90".to_owned());
        assert_eq!(url(&address, None).unwrap(), "wss://www.orgo.ai/desktops/5b90/ws/terminal");
        address.connection_url = Some("http://localhost:1/desktops/5b90/".to_owned());
        assert_eq!(url(&address, None).unwrap(), "ws://localhost:1/desktops/5b90/ws/terminal");
        assert_eq!(
            url(&address, Some("ws://h/{instance_id}/{channel}?v=1")).unwrap(),
            "ws://h/5b90/terminal?v=1"
        );
    }

    #[test]
    fn templates_with_unknown_placeholders_are_refused() {
        for wrong in
            ["wss://h/x", "https://h/{channel}", "wss://h/{channel}/{id}", "wss://h/{channel}}", "{channel}"]
        {
            assert!(SocketTemplate::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_text_of_a_socket_url_masks_its_secrets() {
        let url =
            SocketUrl::new("wss://h/terminal".to_owned()).with("cols", 80).with_token(Password::new("a&b"));
        assert_eq!(url.expose(), "wss://h/terminal?token=a%26b&cols=80");
        assert_eq!(format!("{url}"), "wss://h/terminal?token=***&cols=80");
        let template = SocketTemplate::parse("wss://h/{channel}?gateway=secret").unwrap();
        let address = ComputerAddress { computer_id: "c".to_owned(), ..ComputerAddress::default() };
        let url = address.channel_url(&BaseUrl::default(), Some(&template), "audio").unwrap();
        let url = url.with_token(Password::new("a&b"));
        assert_eq!(url.expose(), "wss://h/audio?gateway=secret&token=a%26b");
        assert_eq!(format!("{url}"), "wss://h/audio?***&token=***");
        assert_eq!(format!("{template:?}"), "SocketTemplate(wss://h/{channel}?***)");
    }
}
