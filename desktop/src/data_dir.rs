//! The data folder: its secrets, and the lock that shows which server uses it.

#![expect(
    clippy::disallowed_methods,
    reason = "uses the data folder, which only the server's account can change"
)]

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, thread};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::privileges;
use crate::secret::Secret;

const LOCK: &str = "lock";
/// The time limits for taking the lock: while a child of a killed server still holds it, and while another server
/// stops.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// The reason why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    #[error("cannot use the data folder {}: {error}", .folder.display())]
    Unusable { folder: PathBuf, error: io::Error },
    #[error("HOME is not set: set --data-dir")]
    NoHome,
    #[error("{}", busy(.folder, .holder))]
    Busy { folder: PathBuf, holder: LockHolder },
    #[error(transparent)]
    Randomness(#[from] getrandom::Error),
}

fn busy(folder: &Path, holder: &LockHolder) -> String {
    let folder = folder.display();
    match holder {
        LockHolder { pid: Some(pid), base_url: Some(url), .. } => format!(
            "{folder} is used by another orgo-desktop: process {pid}, at {url}. Use that server, stop it, or start a \
             second one with --data-dir=OTHER-FOLDER and another port (--listen 127.0.0.1:0)"
        ),
        LockHolder { pid: Some(pid), .. } => {
            format!(
                "{folder} is used by another orgo-desktop, process {pid}, which is starting or stopping: retry later"
            )
        }
        LockHolder { pid: None, .. } => {
            format!("{folder} is used by another process: use --data-dir=OTHER-FOLDER")
        }
    }
}

/// The content of the lock file, which describes the server that uses the folder. The URLs are missing while the server
/// starts or stops.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct LockHolder {
    pub(crate) pid: Option<u32>,
    pub(crate) base_url: Option<String>,
    pub(crate) realtime_url: Option<String>,
}

/// The data folder, locked against other servers.
pub(crate) struct DataDir {
    folder: PathBuf,
    lock: fs::File,
}

impl DataDir {
    /// Opens the chosen folder, or the default folder of this account. Waits for a server that is stopping.
    pub(crate) fn open(chosen: Option<&Path>) -> Result<Self, DataDirError> {
        let folder = chosen_or_default(chosen)?;
        let explain = |error| DataDirError::Unusable { folder: folder.clone(), error };
        let lock = create_folder(&folder).and_then(|()| lock_file(&folder.join(LOCK))).map_err(explain)?;
        let began = Instant::now();
        // A child of a killed server holds the lock until it calls `exec`.
        while flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let holder = read(&lock);
            let is_stopping = holder.pid.is_some() && holder.base_url.is_none();
            if began.elapsed() > if is_stopping { STOP_TIMEOUT } else { BUSY_TIMEOUT } {
                return Err(DataDirError::Busy { folder, holder });
            }
            thread::sleep(RETRY_INTERVAL);
        }
        // SQLite gives its other files, such as the log, the permissions of the database file.
        private_file(&folder.join("orgo.db")).map_err(explain)?;
        let folder = folder.canonicalize().map_err(explain)?;
        let data = Self { folder, lock };
        data.write_addresses(None).map_err(|error| data.error(error))?;
        Ok(data)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// Writes the base URL and the URL of the channels to the lock file. `addresses` is `None` while the server starts
    /// or stops.
    pub(crate) fn write_addresses(&self, addresses: Option<(&str, &str)>) -> io::Result<()> {
        let (base_url, realtime_url) = addresses.unzip();
        let holder = LockHolder {
            pid: Some(std::process::id()),
            base_url: base_url.map(str::to_owned),
            realtime_url: realtime_url.map(str::to_owned),
        };
        let text = serde_json::to_vec(&holder)?;
        self.lock.set_len(0)?;
        self.lock.write_all_at(&text, 0)
    }

    pub(crate) fn homes(&self) -> Result<PathBuf, DataDirError> {
        let homes = self.folder.join("computers");
        create_folder(&homes).map_err(|error| self.error(error))?;
        Ok(homes)
    }

    /// Returns the secret in a file. A new file gets a random secret: `prefix`, then `bytes` random bytes in
    /// hexadecimal.
    pub(crate) fn secret(&self, name: &str, prefix: &str, bytes: usize) -> Result<Secret, DataDirError> {
        let file = self.folder.join(name);
        match fs::read_to_string(&file) {
            Ok(kept) if !kept.trim().is_empty() => return Ok(kept.trim().to_owned().into()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(self.error(error)),
            _ => {}
        }
        let secret = Secret::random(prefix, bytes)?;
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&file)
            .and_then(|mut file| writeln!(file, "{}", secret.expose()))
            .map_err(|error| self.error(error))?;
        Ok(secret)
    }

    pub(crate) fn error(&self, error: io::Error) -> DataDirError {
        DataDirError::Unusable { folder: self.folder.clone(), error }
    }
}

/// Returns the chosen folder, or the default folder of this account, and the server that uses it. Does not create the
/// folder.
pub(crate) fn lock_holder(chosen: Option<&Path>) -> Result<(PathBuf, Option<LockHolder>), DataDirError> {
    let folder = chosen_or_default(chosen)?;
    let lock = match OpenOptions::new().read(true).open(folder.join(LOCK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((folder, None)),
        opened => opened.map_err(|error| DataDirError::Unusable { folder: folder.clone(), error })?,
    };
    // If no process holds the lock, the content describes a server that has ended. This lock is shared, so two
    // concurrent `status` commands do not mistake each other for a server.
    let is_free = flock(&lock, FlockOperation::NonBlockingLockShared).is_ok();
    Ok((folder, if is_free { None } else { Some(read(&lock)) }))
}

fn read(lock: &fs::File) -> LockHolder {
    let mut text = vec![0; 4096];
    let length = lock.read_at(&mut text, 0).unwrap_or(0);
    serde_json::from_slice(&text[..length]).unwrap_or_default()
}

fn chosen_or_default(chosen: Option<&Path>) -> Result<PathBuf, DataDirError> {
    if let Some(chosen) = chosen {
        return Ok(chosen.to_owned());
    }
    if rustix::process::geteuid().is_root() {
        return Ok("/var/lib/orgo-desktop".into());
    }
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = data.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".local/share")));
    Ok(data.ok_or(DataDirError::NoHome)?.join("orgo-desktop"))
}

/// Creates a folder that the users of computers may traverse.
fn create_folder(folder: &Path) -> io::Result<()> {
    let mode = privileges::traversable_mode();
    DirBuilder::new().recursive(true).mode(mode).create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(mode))
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn lock_file(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_shows_its_server_and_a_free_lock_shows_none() {
        let parent = tempfile::tempdir().expect("the tests may write to /tmp");
        let chosen = Some(parent.path());
        assert_eq!(lock_holder(chosen).expect("it exists").1, None);
        let data = DataDir::open(chosen).expect("the folder is not in use");
        let user = |user: Option<LockHolder>| user.expect("the folder is in use");
        assert_eq!(user(lock_holder(chosen).expect("it exists").1).base_url, None);
        data.write_addresses(Some(("http://127.0.0.1:1/api", "ws://127.0.0.1:1")))
            .expect("there is enough space");
        let known = user(lock_holder(chosen).expect("it exists").1);
        assert_eq!(
            (known.pid, known.base_url.as_deref()),
            (Some(std::process::id()), Some("http://127.0.0.1:1/api"))
        );
        let refusal = DataDir::open(chosen).err().expect("the folder is in use").to_string();
        for part in ["http://127.0.0.1:1/api", "--data-dir=", &std::process::id().to_string()] {
            assert!(refusal.contains(part), "{refusal}");
        }
        drop(data);
        assert_eq!(lock_holder(chosen).expect("it exists").1, None);
        DataDir::open(chosen).expect("the folder is no longer in use");
    }

    #[test]
    fn opening_waits_for_a_server_that_is_stopping() {
        let parent = tempfile::tempdir().expect("the tests may write to /tmp");
        let data = DataDir::open(Some(parent.path())).expect("the folder is not in use");
        thread::scope(|scope| {
            scope.spawn(|| DataDir::open(Some(parent.path())).expect("the other server stops"));
            thread::sleep(BUSY_TIMEOUT + BUSY_TIMEOUT / 4);
            drop(data);
        });
    }
}
