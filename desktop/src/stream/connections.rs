//! The targets that computers can stream to, by name: a file that whoever runs the server writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;

/// The name of the file in the data folder.
const FILE: &str = "stream-connections.toml";
/// Of each part of an address, in bytes: the encoder reads no longer lines.
const PART_LIMIT: usize = 900;

/// Why a target is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionsError {
    #[error("there is no stream connection {name:?}: {} names none such", .file.display())]
    Unknown { name: String, file: PathBuf },
    #[error("{} cannot be used: {problem}", .file.display())]
    File { file: PathBuf, problem: String },
}

/// The file. It is read anew at each use, so that a change needs no restart.
#[derive(Debug)]
pub(crate) struct Connections {
    file: PathBuf,
}

/// An RTMP server and what it is to get.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Connection {
    url: String,
    /// The stream key, which the URL ends with.
    key: Option<String>,
    #[serde(default = "frames_per_second")]
    pub(super) frames_per_second: u32,
    #[serde(default = "video_kbps")]
    pub(super) video_kbps: u32,
    #[serde(default = "audio_kbps")]
    pub(super) audio_kbps: u32,
}

/// The parts of an address. The key, as RTMP calls it the play path, is a secret.
pub(super) struct Target<'a> {
    /// `rtmp://host:port/`
    pub(super) server: String,
    pub(super) application: &'a str,
    pub(super) playpath: Option<&'a str>,
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

    /// The connection of that name.
    pub(crate) fn named(&self, name: &str) -> Result<Connection, ConnectionsError> {
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
    // The whole text of an error would show the line, and with it perhaps a key.
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

impl Connection {
    fn check(&self) -> Result<(), &'static str> {
        let Target { server, application, playpath } = self.target()?;
        // The encoder is told these by a file with a line for each.
        let texts = [server.as_str(), application, playpath.unwrap_or_default()];
        if texts.concat().contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Err("url and key: must not contain spaces");
        }
        if texts.iter().any(|text| text.len() > PART_LIMIT) {
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

    /// Where the stream goes to, or what is wrong with the address.
    pub(super) fn target(&self) -> Result<Target<'_>, &'static str> {
        let scheme = ["rtmp://", "rtmps://"].into_iter().find(|scheme| self.url.starts_with(scheme));
        let scheme = scheme.ok_or("url: must begin with rtmp:// or rtmps://")?;
        let (host, path) = self.url[scheme.len()..].split_once('/').unwrap_or_default();
        if host.contains('@') {
            // It would be part of the server's address, which is shown.
            return Err("url: must not contain a user's name and password");
        }
        let path = path.trim_end_matches('/');
        let (application, playpath) = match (&self.key, path.rsplit_once('/')) {
            (Some(key), _) => (path, Some(key.as_str())),
            (None, Some((application, last))) => (application, Some(last)),
            (None, None) => (path, None),
        };
        if host.is_empty() || application.is_empty() {
            return Err("url: must name a host and an application, such as rtmp://host/app");
        }
        Ok(Target { server: format!("{scheme}{host}/"), application, playpath })
    }

    /// Takes the address and the key out of a text that is shown.
    pub(super) fn masked(&self, text: &str) -> String {
        let Ok(Target { server, playpath, .. }) = self.target() else { return String::new() };
        let masked = text.replace(&self.url, "the target").replace(&server, "the target");
        match playpath {
            Some(key) if !key.is_empty() => masked.replace(key, "***"),
            _ => masked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str, name: &str) -> Result<Connection, String> {
        let folder = tempfile::tempdir().expect("the tests may write to /tmp");
        let connections = Connections::new(folder.path());
        fs::write(&connections.file, text).expect("the folder is ours");
        connections.named(name).map_err(|error| error.to_string())
    }

    #[test]
    fn a_connection_has_an_address_and_a_key() {
        let text = "[live]\nurl = 'rtmp://a.example/app/'\nkey = 'k1'\nvideo_kbps = 900\n";
        let live = named(text, "live").expect("it is right");
        assert_eq!((live.frames_per_second, live.video_kbps), (25, 900));
        assert_eq!(live.masked("rtmp://a.example/: refused k1"), "the target: refused ***");
    }

    #[test]
    fn the_key_is_the_last_part_of_an_address_or_beside_it() {
        for (text, server, application, playpath) in [
            ("url = 'rtmp://a:19/app/'\nkey = 'k1'", "rtmp://a:19/", "app", Some("k1")),
            ("url = 'rtmps://a/app/more'\nkey = 'k/1?x=y'", "rtmps://a/", "app/more", Some("k/1?x=y")),
            ("url = 'rtmp://[::1]/app/more/k1'", "rtmp://[::1]/", "app/more", Some("k1")),
            ("url = 'rtmp://a/app'", "rtmp://a/", "app", None),
        ] {
            let live = named(&format!("[live]\n{text}"), "live").expect("it is right");
            let target = live.target().expect("it was checked");
            assert_eq!(
                (target.server.as_str(), target.application, target.playpath),
                (server, application, playpath)
            );
        }
    }

    #[test]
    fn without_the_file_no_name_is_known() {
        let connections = Connections::new(Path::new("/nowhere"));
        assert!(matches!(connections.named("live"), Err(ConnectionsError::Unknown { .. })));
    }

    #[test]
    fn a_mistake_is_named_and_no_key_shown() {
        for (text, expected) in [
            ("[live]\nurl = 'file:///etc/passwd'", "live: url"),
            ("[live]\nurl = 'rtmp://a/b c'", "live: url and key"),
            ("[live]\nurl = 'rtmp://a/b'\nkey = \"hunter2\\nrtmp_x=y\"", "live: url and key"),
            ("[live]\nurl = 'rtmp://me:hunter2@a/b'", "live: url"),
            ("[live]\nurl = 'rtmp://a'\nkey = 'hunter2'", "live: url: must name"),
            ("[live]\nurl = 'rtmp://a/b'\nframes_per_second = 0", "live: frames_per_second"),
            ("[live]\nurl = 'rtmp://a/b'\nkey = 'hunter2'\nspeed = 1", "unknown field `speed`"),
            ("[live]\nkey = 'hunter2'", "missing field `url`"),
            ("[live]\nkey = hunter2", "cannot be used"),
        ] {
            let Err(refusal) = named(text, "live") else { panic!("{text} was accepted") };
            assert!(refusal.contains(expected) && !refusal.contains("hunter2"), "{refusal}");
        }
    }
}
