//! Selects the proxy for an address from the environment. npm/README.md documents the rules.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};
use ipnet::IpNet;
use percent_encoding::percent_decode_str;

/// The entry of `NO_PROXY` that enables proxies for addresses of the local machine, as in Chromium.
const LOOPBACK_TOO: &str = "<-loopback>";

/// The default port of a SOCKS proxy.
const SOCKS_PORT: u16 = 1080;

/// The proxies of the environment.
#[derive(Debug)]
pub(crate) struct Proxies {
    http: Option<Result<Proxy, String>>,
    https: Option<Result<Proxy, String>>,
    exceptions: Exceptions,
}

/// A proxy. `Debug` does not show the credentials.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    variable: &'static str,
    /// The address in the variable, without credentials.
    address: String,
    uri: Uri,
    protocol: Protocol,
}

/// The protocol of a proxy, with its credentials.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP, with the value of the `Proxy-Authorization` header.
    Http(Option<HeaderValue>),
    /// SOCKS5 (RFC 1928), with a user name and a password (RFC 1929).
    Socks {
        credentials: Option<(String, String)>,
        /// Whether the proxy resolves the names of servers.
        resolves: bool,
    },
}

impl Proxies {
    /// Reads the variables. Call this on the thread that may change the environment.
    pub(crate) fn from_env() -> Self {
        Self::read(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        // An empty variable counts as not set.
        let value = |name: &str| {
            variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        // In a CGI program, `HTTP_PROXY` contains the `Proxy` header of the client (httpoxy).
        let in_cgi = variable("REQUEST_METHOD").is_some();
        let first = |names: [&'static str; 4]| {
            names
                .into_iter()
                .filter(|name| !(in_cgi && *name == "HTTP_PROXY"))
                .find_map(|name| Some(Proxy::parse(name, &value(name)?)))
        };
        Self {
            http: first(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
            https: first(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            exceptions: Exceptions::parse(
                &value("no_proxy").or_else(|| value("NO_PROXY")).unwrap_or_default(),
            ),
        }
    }

    /// Returns the proxy for an `http` or `https` URL, if there is one.
    ///
    /// # Errors
    /// Describes the problem of an invalid variable. A connection without the proxy would ignore the user's setting.
    pub(crate) fn of(&self, uri: &Uri) -> Result<Option<&Proxy>, String> {
        let secure = uri.scheme() == Some(&Scheme::HTTPS);
        let Some(proxy) = (if secure { &self.https } else { &self.http }) else { return Ok(None) };
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        if self.exceptions.contain(uri.host().unwrap_or_default(), port) {
            return Ok(None);
        }
        proxy.as_ref().map(Some).map_err(Clone::clone)
    }
}

impl Proxy {
    fn parse(variable: &'static str, value: &str) -> Result<Self, String> {
        let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
        let scheme = scheme.to_ascii_lowercase();
        let (own_scheme, resolves, default_port) = match scheme.as_str() {
            "http" | "https" => (scheme.as_str(), None, None),
            "socks5" => ("http", Some(false), Some(SOCKS_PORT)),
            "socks5h" => ("http", Some(true), Some(SOCKS_PORT)),
            _ => {
                let known = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) && scheme.len() < 10;
                let kind = if known { scheme.as_str() } else { "unknown" };
                return Err(format!(
                    "{variable} names a proxy of the kind {kind}, and only http, https, socks5 and socks5h ones are \
                     supported"
                ));
            }
        };
        // A password may contain any character, including characters that a URL does not allow.
        let (user, address) =
            rest.rsplit_once('@').map_or((None, rest), |(user, address)| (Some(user), address));
        let address = address.split(['/', '?', '#']).next().unwrap_or_default();
        let wrong =
            || format!("{variable} must be the URL of a proxy, such as http://user:password@proxy:3128");
        let authority: Authority = address.parse().map_err(|_| wrong())?;
        // The parser accepts a port that is not a number, and colons within a host.
        let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        if authority.host().is_empty() || !port.is_empty() && authority.port_u16().is_none() {
            return Err(wrong());
        }
        let authority = match default_port {
            Some(default_port) if port.is_empty() => format!("{authority}:{default_port}"),
            _ => authority.to_string(),
        };
        let uri = Uri::builder().scheme(own_scheme).authority(authority).path_and_query("/").build();
        let credentials = user.map(|user| {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            [name, password].map(|text| percent_decode_str(text).collect::<Vec<u8>>())
        });
        let protocol = match resolves {
            Some(resolves) => {
                let text = |bytes: Vec<u8>| {
                    let text = String::from_utf8(bytes).ok().filter(|text| text.len() <= 255);
                    text.ok_or_else(|| {
                        format!("{variable} must have a user name and a password of at most 255 bytes")
                    })
                };
                let credentials =
                    credentials.map(|[name, password]| Ok::<_, String>((text(name)?, text(password)?)));
                Protocol::Socks { credentials: credentials.transpose()?, resolves }
            }
            None => Protocol::Http(match credentials {
                Some(pair) => {
                    let value = HeaderValue::try_from(format!("Basic {}", BASE64.encode(pair.join(&b':'))));
                    let mut value = value.map_err(|_| wrong())?;
                    value.set_sensitive(true);
                    Some(value)
                }
                None => None,
            }),
        };
        Ok(Self { variable, address: address.to_owned(), uri: uri.map_err(|_| wrong())?, protocol })
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// Returns the variable that sets this proxy.
    pub(crate) fn variable(&self) -> &'static str {
        self.variable
    }

    /// Returns the value of the `Proxy-Authorization` header of an HTTP proxy.
    pub(crate) fn credentials(&self) -> Option<&HeaderValue> {
        if let Protocol::Http(credentials) = &self.protocol { credentials.as_ref() } else { None }
    }

    /// Describes the proxy for an error message, without credentials. npm/src/proxies.ts uses the same words.
    pub(crate) fn name(&self) -> String {
        format!("the proxy {} of {}", self.address, self.variable)
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

/// The hosts that are reached without a proxy.
#[derive(Debug, Default)]
struct Exceptions {
    everything: bool,
    loopback_too: bool,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug)]
enum Host {
    Network(IpNet),
    /// A name and its subdomains, in lower case.
    Domain(String),
}

impl Exceptions {
    fn parse(list: &str) -> Self {
        let mut exceptions = Self::default();
        for word in list.split([',', ' ', '\t', '\n', '\r']).filter(|word| !word.is_empty()) {
            match word {
                "*" => exceptions.everything = true,
                LOOPBACK_TOO => exceptions.loopback_too = true,
                _ => exceptions.entries.push(Entry::parse(word)),
            }
        }
        exceptions
    }

    fn contain(&self, host: &str, port: u16) -> bool {
        let name = name(host);
        let address = address(&name);
        self.everything
            || !self.loopback_too && is_loopback(&name, address)
            || self.entries.iter().any(|entry| entry.fits(&name, address, port))
    }
}

impl Entry {
    fn parse(word: &str) -> Self {
        let (host, port) = match word.rsplit_once(':') {
            // An IPv6 address without brackets contains colons too.
            Some((host, digits)) if !host.contains(':') || host.ends_with(']') => match digits.parse() {
                Ok(port) => (host, Some(port)),
                Err(_) => (word, None),
            },
            _ => (word, None),
        };
        let bare = name(host);
        let network = bare.parse::<IpNet>().ok();
        let host = match network.or_else(|| address(&bare).map(IpNet::from)) {
            Some(network) => Host::Network(network),
            None => {
                let domain = bare.strip_prefix('*').unwrap_or(&bare);
                Host::Domain(domain.trim_start_matches('.').to_owned())
            }
        };
        Self { host, port }
    }

    fn fits(&self, name: &str, address: Option<IpAddr>, port: u16) -> bool {
        self.port.is_none_or(|own| own == port)
            && match (&self.host, address) {
                (Host::Network(network), Some(address)) => network.contains(&address),
                (Host::Domain(domain), None) => {
                    let before = name.strip_suffix(domain.as_str());
                    !domain.is_empty()
                        && before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
                }
                _ => false,
            }
    }
}

/// Returns a host in normal form for comparisons: in lower case, without brackets and without a final dot.
fn name(host: &str) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Returns the IP address that a host contains, if there is one. Accepts the old forms of IPv4 that every resolver
/// accepts (`127.1`, `0x7f000001`). Converts an IPv4-mapped IPv6 address to the IPv4 address.
fn address(host: &str) -> Option<IpAddr> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let number = |part: &str| match part.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None if part.len() > 1 && part.starts_with('0') => u32::from_str_radix(part, 8).ok(),
        None => part.parse().ok(),
    };
    let parts: Vec<u32> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, bytes) = parts.split_last()?;
    let room = 4_usize.checked_sub(bytes.len()).filter(|room| *room > 0)?;
    if u64::from(*last) >= 1 << (8 * room) || bytes.iter().any(|byte| *byte > 255) {
        return None;
    }
    let high = bytes.iter().enumerate().map(|(at, byte)| byte << (24 - 8 * at)).sum::<u32>();
    Some(Ipv4Addr::from(high | last).into())
}

/// Returns whether a host is the local machine. A connection to an unspecified address (`0.0.0.0`) also reaches the
/// local machine.
fn is_loopback(name: &str, address: Option<IpAddr>) -> bool {
    match address {
        Some(address) => address.is_loopback() || address.is_unspecified(),
        None => is_localhost(name),
    }
}

/// Returns whether a name is reserved for the local machine (RFC 6761).
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let label = name.rsplit('.').next().unwrap_or_default();
    label.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn proxies(variables: Variables<'_>) -> Proxies {
        Proxies::read(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    /// Returns the route to a URL: a proxy, `direct`, or an error.
    fn way(variables: Variables<'_>, address: &str) -> String {
        match proxies(variables).of(&address.parse().unwrap()) {
            Ok(Some(proxy)) => proxy.name(),
            Ok(None) => "direct".to_owned(),
            Err(error) => error,
        }
    }

    #[test]
    fn the_variables_are_read_in_the_order_of_curl() {
        let (plain, secure) = ("http://orgo.test/", "https://orgo.test/");
        let cases: [(Variables<'_>, &str, &str); 14] = [
            (&[], plain, "direct"),
            (&[("http_proxy", "http://p:1")], plain, "the proxy p:1 of http_proxy"),
            (&[("http_proxy", "http://p:1")], secure, "direct"),
            // curl reads only lower case, undici and Go read both.
            (&[("HTTP_PROXY", "http://p:1")], plain, "the proxy p:1 of HTTP_PROXY"),
            (&[("HTTP_PROXY", "http://p:1"), ("REQUEST_METHOD", "GET")], plain, "direct"),
            (
                &[("http_proxy", "http://p:1"), ("REQUEST_METHOD", "GET")],
                plain,
                "the proxy p:1 of http_proxy",
            ),
            (
                &[("HTTPS_PROXY", "http://p:1"), ("https_proxy", "q:2")],
                secure,
                "the proxy q:2 of https_proxy",
            ),
            (&[("HTTPS_PROXY", "p:1"), ("https_proxy", "")], secure, "the proxy p:1 of HTTPS_PROXY"),
            (&[("HTTPS_PROXY", " p:1 "), ("ALL_PROXY", "q:2")], secure, "the proxy p:1 of HTTPS_PROXY"),
            (&[("HTTPS_PROXY", "p:1"), ("ALL_PROXY", "q:2")], plain, "the proxy q:2 of ALL_PROXY"),
            (&[("ALL_PROXY", "p:1"), ("all_proxy", "q:2")], plain, "the proxy q:2 of all_proxy"),
            (&[("HTTP_PROXY", "http://p:1/"), ("no_proxy", "orgo.test"), ("NO_PROXY", "x")], plain, "direct"),
            (&[("HTTP_PROXY", "HTTP://p:1/pac?x"), ("no_proxy", "")], plain, "the proxy p:1 of HTTP_PROXY"),
            (&[("HTTP_PROXY", "http://[::1]:1")], plain, "the proxy [::1]:1 of HTTP_PROXY"),
        ];
        for (variables, address, expected) in cases {
            assert_eq!(way(variables, address), expected, "{variables:?} {address}");
        }
    }

    #[test]
    fn an_unusable_proxy_is_an_error_without_its_password() {
        for value in [
            "socks4://user:hunter2@p:1",
            "ftp://hunter2@p",
            "http://user:hunter2@",
            "http://",
            "http://a b",
            "p:1:hunter2",
            ":::hunter2",
            "hunter2:port",
            "http://:3128",
            "http://p:",
            "http://p:99999",
        ] {
            let said = way(&[("HTTP_PROXY", value)], "http://orgo.test/");
            assert!(said.starts_with("HTTP_PROXY ") && !said.contains("hunter2"), "{value}: {said}");
        }
        // A host that is reached without a proxy is not affected by an invalid variable.
        assert_eq!(way(&[("HTTP_PROXY", ":::bad")], "http://127.0.0.1:8800/"), "direct");
        assert_eq!(way(&[("HTTP_PROXY", ":::bad"), ("NO_PROXY", ".test")], "http://orgo.test/"), "direct");
        // Nor is a URL with the other scheme.
        let both = [("HTTP_PROXY", ":::bad"), ("HTTPS_PROXY", "p:1")];
        assert_eq!(way(&both, "https://orgo.test/"), "the proxy p:1 of HTTPS_PROXY");
        assert_eq!(way(&both[..1], "https://orgo.test/"), "direct");
    }

    #[test]
    fn socks_proxies_have_their_own_port_and_credentials() {
        let socks = |value| {
            let proxies = proxies(&[("ALL_PROXY", value)]);
            let proxy = proxies.of(&"https://orgo.test/".parse().unwrap()).unwrap().unwrap().clone();
            (proxy.uri().to_string(), proxy.name(), proxy.protocol().clone())
        };
        let name = "the proxy p of ALL_PROXY".to_owned();
        let pair = Some(("us:r".to_owned(), "pa@ss".to_owned()));
        let plain = Protocol::Socks { credentials: None, resolves: false };
        assert!(socks("socks5://p") == ("http://p:1080/".to_owned(), name, plain));
        let protocol = Protocol::Socks { credentials: pair, resolves: true };
        let name = "the proxy [::1]:9 of ALL_PROXY".to_owned();
        assert!(socks("SOCKS5H://us%3Ar:pa%40ss@[::1]:9") == ("http://[::1]:9/".to_owned(), name, protocol));
    }

    #[test]
    fn credentials_may_contain_any_character() {
        for (value, pair) in [
            ("http://user:pa%40ss@p:1", "user:pa@ss"),
            ("http://user:p@ss/w?rd#@p:1", "user:p@ss/w?rd#"),
            ("user:a:b@p:1", "user:a:b"),
            ("http://user@p:1", "user:"),
            ("http://us%C3%A9r:@p:1", "us\u{e9}r:"),
        ] {
            let proxies = proxies(&[("ALL_PROXY", value)]);
            let proxy = proxies.of(&"http://orgo.test/".parse().unwrap()).unwrap().unwrap();
            let expected = format!("Basic {}", BASE64.encode(pair));
            assert_eq!(proxy.credentials().unwrap(), expected.as_str(), "{value}");
            assert_eq!(format!("{proxy:?}"), "the proxy p:1 of ALL_PROXY");
            assert!(proxy.uri().authority().is_some_and(|authority| authority == "p:1"));
        }
    }

    #[test]
    fn this_machine_is_reached_directly_unless_no_proxy_disables_it() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "5b90e2c7.localhost",
            "a.b.localhost.",
            "127.0.0.1",
            "127.9.9.9",
            "127.1",
            "2130706433",
            "0x7f000001",
            "017700000001",
            "[::1]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
            "[::]",
        ] {
            let address = format!("http://{host}:8800/api");
            assert_eq!(way(&[("ALL_PROXY", "p:1")], &address), "direct", "{host}");
            let asked = [("ALL_PROXY", "p:1"), ("NO_PROXY", "x.test,<-loopback>")];
            assert_eq!(way(&asked, &address), "the proxy p:1 of ALL_PROXY", "{host}");
            let partly =
                [("ALL_PROXY", "p:1"), ("NO_PROXY", "<-loopback> localhost 127.0.0.0/8 ::1 0.0.0.0 ::")];
            assert_eq!(way(&partly, &address), "direct", "{host}");
        }
        for host in
            ["localhost.test", "notlocalhost", "127.0.0.1.test", "128.0.0.1", "[::2]", "127.1.1.1.1", "1.256"]
        {
            let address = format!("http://{host}/");
            assert_eq!(way(&[("ALL_PROXY", "p:1")], &address), "the proxy p:1 of ALL_PROXY", "{host}");
        }
    }

    #[test]
    fn no_proxy_is_read_as_in_curl_and_with_ports() {
        let direct =
            |list: &str, address: &str| way(&[("ALL_PROXY", "p:1"), ("NO_PROXY", list)], address) == "direct";
        for (list, address) in [
            ("*", "http://orgo.test/"),
            ("a.test, *", "http://10.0.0.1/"),
            ("orgo.test", "https://orgo.test/"),
            ("orgo.test", "https://www.orgo.test/"),
            (".orgo.test", "https://orgo.test/"),
            (".orgo.test", "https://a.b.orgo.test/"),
            ("*.orgo.test", "https://a.orgo.test/"),
            ("ORGO.test.", "https://orgo.TEST./"),
            ("a.test,orgo.test", "http://orgo.test/"),
            ("a.test  orgo.test\tb.test", "http://orgo.test/"),
            (" , ,orgo.test,", "http://orgo.test/"),
            ("orgo.test:8443", "https://orgo.test:8443/"),
            ("orgo.test:443", "https://orgo.test/"),
            ("orgo.test:80", "http://orgo.test/"),
            ("10.1.2.3", "http://10.1.2.3:9/"),
            ("10.1.2.3:9", "http://10.1.2.3:9/"),
            ("10.0.0.0/8", "http://10.1.2.3/"),
            ("10.1.2.3/8", "http://10.9.9.9/"),
            ("10.1.2.3", "http://[::ffff:10.1.2.3]/"),
            ("[fd00::1]", "http://[fd00::1]/"),
            ("fd00::1", "http://[fd00::1]:9/"),
            ("fd00::0001", "http://[fd00:0::1]/"),
            ("[fd00::1]:9", "http://[fd00::1]:9/"),
            ("fd00::/8", "http://[fd12::3]/"),
        ] {
            assert!(direct(list, address), "{list:?} {address}");
        }
        for (list, address) in [
            ("orgo.test", "https://notorgo.test/"),
            ("orgo.test", "https://orgo.test.evil/"),
            ("orgo.test:8443", "https://orgo.test/"),
            ("10.1.2.3:9", "http://10.1.2.3/"),
            ("10.1.2.0/24", "http://10.1.3.1/"),
            ("10.1.2", "http://10.1.2.3/"),
            ("[fd00::1]:9", "http://[fd00::1]/"),
            ("2.3", "http://10.1.2.3/"),
            (".", "http://orgo.test/"),
            (":", "http://orgo.test/"),
            ("", "http://orgo.test/"),
            ("test:x", "http://orgo.test/"),
        ] {
            assert!(!direct(list, address), "{list:?} {address}");
        }
    }
}
