//! The targets that computers can stream to, by name: a file that whoever runs the server writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;

/// The name of the file in the data folder.
const FILE: &str = "stream-connections.toml";

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
        if !["rtmp://", "rtmps://"].iter().any(|scheme| self.url.starts_with(scheme)) {
            return Err("url: must begin with rtmp:// or rtmps://");
        }
        // The encoder takes what comes after a space for options.
        if self.target().contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Err("url and key: must not contain spaces");
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

    /// The whole address. It is a secret.
    pub(super) fn target(&self) -> String {
        match &self.key {
            Some(key) => format!("{}/{key}", self.url.trim_end_matches('/')),
            None => self.url.clone(),
        }
    }

    /// Takes the address and the key out of a text that is shown.
    pub(super) fn masked(&self, text: &str) -> String {
        let masked = text.replace(&self.target(), "the target").replace(&self.url, "the target");
        match &self.key {
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
        assert_eq!(live.target(), "rtmp://a.example/app/k1");
        assert_eq!((live.frames_per_second, live.video_kbps), (25, 900));
        assert_eq!(live.masked("rtmp://a.example/app/k1: refused k1"), "the target: refused ***");
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
