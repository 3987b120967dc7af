//! The named stream targets, which the operator of the server configures in a file.

#![expect(
    clippy::disallowed_methods,
    reason = "reads a file in the data folder, which only the server's account can change"
)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;

use super::listeners::TARGET_PORT;

/// The name of the configuration file in the data folder.
const FILE: &str = "stream-connections.toml";
/// The maximum length of the URL, of the application and of the key, in bytes each. ffmpeg reads option lines of up to
/// 998 bytes.
const MAX_PART: usize = 980;

/// The reason why a target cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionsError {
    #[error("stream connection {name:?} does not exist in {}", .file.display())]
    Unknown { name: String, file: PathBuf },
    #[error("cannot use {}: {problem}", .file.display())]
    File { file: PathBuf, problem: String },
}

/// The configuration file. Each use reads the file again, so that changes take effect without a restart.
#[derive(Debug)]
pub(crate) struct Connections {
    file: PathBuf,
}

/// The URL of an RTMP server, and the settings of the stream that is sent to it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Connection {
    url: String,
    /// The stream key. If it is missing and the URL's path has several parts, the last part is the key.
    key: Option<String>,
    #[serde(default = "frames_per_second")]
    pub(super) frames_per_second: u32,
    #[serde(default = "video_kbps")]
    pub(super) video_kbps: u32,
    #[serde(default = "audio_kbps")]
    pub(super) audio_kbps: u32,
}

/// The parts of a target's address. `playpath` is the stream key, which RTMP calls the play path. It is a secret, and
/// `application` may also be a secret.
#[derive(Debug)]
pub(super) struct Target<'a> {
    scheme: Scheme,
    pub(super) host: Host<'a>,
    pub(super) port: u16,
    pub(super) application: &'a str,
    pub(super) playpath: Option<&'a str>,
}

#[derive(Clone, Copy, Debug)]
enum Scheme {
    Rtmp,
    Rtmps,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Host<'a> {
    Name(&'a str),
    Address(IpAddr),
}

fn frames_per_second() -> u32 {
    25
}

fn video_kbps() -> u32 {
    2500
}

fn audio_kbps() -> u32 {
    128
}

impl Connections {
    pub(crate) fn new(data: &Path) -> Self {
        Self { file: data.join(FILE) }
    }

    /// Reads the connection with this name from the file.
    pub(crate) fn read(&self, name: &str) -> Result<Connection, ConnectionsError> {
        let unusable = |problem: String| ConnectionsError::File { file: self.file.clone(), problem };
        let text = match fs::read_to_string(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| unusable(error.to_string()))?,
        };
        let unknown = || ConnectionsError::Unknown { name: name.to_owned(), file: self.file.clone() };
        let connection = parse(&text).map_err(unusable)?.remove(name).ok_or_else(unknown)?;
        connection.check().map_err(|problem| unusable(format!("{name}: {problem}")))?;
        Ok(connection)
    }
}

fn parse(text: &str) -> Result<BTreeMap<String, Connection>, String> {
    // The error's `Display` output would contain the invalid line, which may contain a key.
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

impl Connection {
    fn check(&self) -> Result<(), &'static str> {
        let target = self.target()?;
        // The encoder reads each of these strings from a line of its options file.
        let texts = [&target.url(), target.application, target.playpath.unwrap_or_default()];
        if texts.concat().contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Err("url and key: must not contain spaces");
        }
        if texts.iter().any(|text| text.len() > MAX_PART) {
            return Err("url and key: must be shorter");
        }
        if !(1..=60).contains(&self.frames_per_second) {
            return Err("frames_per_second: must be 1 to 60");
        }
        if !(100..=50_000).contains(&self.video_kbps) {
            return Err("video_kbps: must be 100 to 50000");
        }
        if !(32..=320).contains(&self.audio_kbps) {
            return Err("audio_kbps: must be 32 to 320");
        }
        Ok(())
    }

    /// Returns the parts of the address, or the reason why the address is invalid.
    pub(super) fn target(&self) -> Result<Target<'_>, &'static str> {
        let schemes = [("rtmp://", Scheme::Rtmp), ("rtmps://", Scheme::Rtmps)];
        let (scheme, rest) = schemes
            .into_iter()
            .find_map(|(prefix, scheme)| Some((scheme, self.url.strip_prefix(prefix)?)))
            .ok_or("url: must begin with rtmp:// or rtmps://")?;
        let (authority, path) = rest.split_once('/').unwrap_or_default();
        if authority.contains('@') {
            // The process list of the host would show the user name and the password.
            return Err("url: must not contain a user name and password");
        }
        let path = path.trim_end_matches('/');
        let (application, playpath) = match (&self.key, path.rsplit_once('/')) {
            (Some(key), _) => (path, Some(key.as_str())),
            (None, Some((application, last))) => (application, Some(last)),
            (None, None) => (path, None),
        };
        if authority.is_empty() || application.is_empty() {
            return Err("url: must name a host and an application, such as rtmp://host/app");
        }
        let (host, port) = split_authority(authority)?;
        Ok(Target { scheme, host, port: port.unwrap_or(scheme.port()), application, playpath })
    }

    /// Removes the address and the key from `text`, because users can see the text.
    pub(super) fn masked(&self, text: &str) -> String {
        let Ok(target) = self.target() else { return String::new() };
        let addresses = [self.url.clone(), target.url(), target.url_in_box(), target.url_of_host()];
        let masked =
            addresses.iter().fold(text.to_owned(), |text, address| text.replace(address, "the target"));
        match target.playpath {
            Some(key) if !key.is_empty() => masked.replace(key, "***"),
            _ => masked,
        }
    }
}

/// Splits `host:port`. Accepts only a host name or an IP address as the host, because a host name is written to a hosts
/// file.
fn split_authority(authority: &str) -> Result<(Host<'_>, Option<u16>), &'static str> {
    const INVALID_HOST: &str = "url: the host must be a name or an IP address";
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or(INVALID_HOST)?;
            let address: Ipv6Addr = address.parse().map_err(|_| INVALID_HOST)?;
            (Host::Address(address.into()), port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            let host = match host.parse::<Ipv4Addr>() {
                Ok(address) => Host::Address(address.into()),
                Err(_) if is_name(host) => Host::Name(host),
                Err(_) => return Err(INVALID_HOST),
            };
            (host, port)
        }
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        port => Some(
            port.and_then(|port| port.parse().ok())
                .filter(|port| *port != 0)
                .ok_or("url: the port must be 1 to 65535")?,
        ),
    };
    Ok((host, port))
}

fn is_name(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    // Numbers are rejected, because the resolver accepts 127.1 and 0x7f000001 as IPv4 addresses.
    let is_number = match last.strip_prefix("0x").or_else(|| last.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => last.bytes().all(|byte| byte.is_ascii_digit()),
    };
    host.len() <= 254 && host.bytes().all(allowed) && !is_number
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::Rtmps => "rtmps",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Rtmp => 1935,
            Self::Rtmps => 443,
        }
    }
}

impl Target<'_> {
    /// Returns the URL of the application, which RTMP calls `tcUrl`.
    pub(super) fn url(&self) -> String {
        let Self { scheme, host, port, application, .. } = self;
        let host = match host {
            Host::Name(name) => (*name).to_owned(),
            Host::Address(IpAddr::V4(address)) => address.to_string(),
            Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
        };
        format!("{}://{host}:{port}/{application}", scheme.name())
    }

    /// Returns the URL that an encoder in a box connects to. In the box, a host name resolves to the loopback address.
    pub(super) fn url_in_box(&self) -> String {
        let host = match self.host {
            Host::Name(name) => name,
            Host::Address(_) => "127.0.0.1",
        };
        format!("{}://{host}:{TARGET_PORT}/", self.scheme.name())
    }

    /// Returns the URL that an encoder without a box connects to. The URL omits the application, which may be a secret,
    /// because the process list shows the URL.
    pub(super) fn url_of_host(&self) -> String {
        let url = self.url();
        url.strip_suffix(self.application).unwrap_or(&url).to_owned()
    }

    /// Returns the host in the form that the server's resolver accepts.
    pub(super) fn host(&self) -> String {
        match self.host {
            Host::Name(name) => name.to_owned(),
            Host::Address(address) => address.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, name: &str) -> Result<Connection, String> {
        let folder = tempfile::tempdir().expect("the tests may write to /tmp");
        let connections = Connections::new(folder.path());
        fs::write(&connections.file, text).expect("the folder is writable");
        connections.read(name).map_err(|error| error.to_string())
    }

    #[test]
    fn a_connection_has_an_address_and_a_key() {
        let text = "[live]\nurl = 'rtmp://a.example/app/'\nkey = 'k1'\nvideo_kbps = 900\n";
        let live = read(text, "live").expect("it is valid");
        assert_eq!((live.frames_per_second, live.video_kbps), (25, 900));
        assert_eq!(live.masked("rtmp://a.example:1935/: refused k1"), "the target: refused ***");
    }

    #[test]
    fn the_key_is_a_separate_field_or_the_last_part_of_the_url() {
        for (text, url, application, playpath) in [
            ("url = 'rtmp://a:19/app/'\nkey = 'k1'", "rtmp://a:19/app", "app", Some("k1")),
            (
                "url = 'rtmps://a/app/more'\nkey = 'k/1?x=y'",
                "rtmps://a:443/app/more",
                "app/more",
                Some("k/1?x=y"),
            ),
            ("url = 'rtmp://[::1]/app/more/k1'", "rtmp://[::1]:1935/app/more", "app/more", Some("k1")),
            ("url = 'rtmp://a/app'", "rtmp://a:1935/app", "app", None),
        ] {
            let live = read(&format!("[live]\n{text}"), "live").expect("it is valid");
            let target = live.target().expect("it was checked");
            assert_eq!(
                (target.url().as_str(), target.application, target.playpath),
                (url, application, playpath)
            );
        }
    }

    #[test]
    fn the_encoder_uses_the_host_name_and_the_server_connects_to_the_host() {
        for (url, in_box, host, port) in [
            ("rtmp://a.example/app", "rtmp://a.example:1935/", "a.example", 1935),
            ("rtmps://a_b.example.:8443/app", "rtmps://a_b.example.:1935/", "a_b.example.", 8443),
            ("rtmp://10.1.2.3:19/app", "rtmp://127.0.0.1:1935/", "10.1.2.3", 19),
            ("rtmps://[fd00::1]/app", "rtmps://127.0.0.1:1935/", "fd00::1", 443),
        ] {
            let live = read(&format!("[live]\nurl = '{url}'\n"), "live").expect("it is valid");
            let target = live.target().expect("it was checked");
            assert_eq!(
                (target.url_in_box().as_str(), target.host().as_str(), target.port),
                (in_box, host, port)
            );
        }
    }

    #[test]
    fn a_host_is_only_a_host_name_or_an_ip_address() {
        for host in [
            "a#b",
            "a,b",
            "a\\b",
            "127.1",
            "0x7f000001",
            "2130706433",
            "[::1",
            "[a]",
            "::1",
            "a:",
            "a:0",
            "a:x",
        ] {
            let result = read(&format!("[live]\nurl = 'rtmp://{host}/app'\n"), "live");
            assert!(result.is_err_and(|error| error.contains("live: url: the ")), "{host}");
        }
    }

    #[test]
    fn no_connection_exists_without_the_file() {
        let connections = Connections::new(Path::new("/nowhere"));
        assert!(matches!(connections.read("live"), Err(ConnectionsError::Unknown { .. })));
    }

    #[test]
    fn an_error_names_the_mistake_without_the_key() {
        for (text, expected) in [
            ("[live]\nurl = 'file:///etc/passwd'", "live: url"),
            ("[live]\nurl = 'rtmp://a/b c'", "live: url and key"),
            ("[live]\nurl = 'rtmp://a/b'\nkey = \"hunter2\\nrtmp_x=y\"", "live: url and key"),
            ("[live]\nurl = 'rtmp://me:hunter2@a/b'", "live: url"),
            ("[live]\nurl = 'rtmp://a'\nkey = 'hunter2'", "live: url: must name"),
            ("[live]\nurl = 'rtmp://a/b'\nframes_per_second = 0", "live: frames_per_second"),
            ("[live]\nurl = 'rtmp://a/b'\nkey = 'hunter2'\nspeed = 1", "unknown field `speed`"),
            ("[live]\nkey = 'hunter2'", "missing field `url`"),
            ("[live]\nkey = hunter2", "cannot use"),
        ] {
            let Err(error) = read(text, "live") else { panic!("{text} was accepted") };
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
        }
    }
}
