//! The server's life: settings to a listening socket, and everything down again.

#![expect(
    clippy::disallowed_methods,
    reason = "works in the data folder, which only the server's account can change"
)]

use std::fs::{self, DirBuilder};
use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs::OpenOptions, thread};

use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::app::{Admission, App};
use crate::cli::Serve;
use crate::computer::{Fleet, FleetError, Homes, RuntimeDir, Spawner};
use crate::doctor;
use crate::files::{Contents, Linker};
use crate::http;
use crate::privileges;
use crate::secret::Secret;
use crate::store::{Store, StoreError};
use crate::stream::Connections;

/// Of the data folder.
const KEY_FILE: &str = "api-key";
/// How long the data folder's lock may be held by what a killed server left.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
const LOCK_INTERVAL: Duration = Duration::from_millis(20);
/// Calls that block, to displays and disks. One computer has a handful at most.
const BLOCKING_THREADS: usize = 4096;
/// How long open connections get to end once the computers have.
const FAREWELL: Duration = Duration::from_secs(3);

/// Why the server did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error("{0} is reached from other machines; add --allow-remote if that is meant")]
    Remote(SocketAddr),
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: io::Error },
    #[error("cannot use the data folder {}: {error}", .folder.display())]
    DataDir { folder: PathBuf, error: io::Error },
    #[error("no home folder is known; name one with --data-dir")]
    NoHome,
    #[error("{0} is used by another orgo-desktop; name another with --data-dir")]
    Busy(String),
    #[error("the API key is empty")]
    EmptyKey,
    #[error("--allow-origin {0:?} is not an origin such as http://127.0.0.1:3000")]
    Origin(String),
    #[error("--public-url {url:?}: {problem}")]
    PublicUrl { url: String, problem: &'static str },
    #[error("cannot open the data: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Fleet(#[from] FleetError),
    #[error(transparent)]
    Randomness(#[from] getrandom::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Serves until SIGINT or SIGTERM, and leaves nothing running.
pub(crate) fn serve(options: &Serve) -> Result<(), ServeError> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    if !options.listen.ip().is_loopback() && !options.allow_remote {
        return Err(ServeError::Remote(options.listen));
    }
    let data = DataDir::open(options.data_dir.clone())?;
    // While this process has one thread, of which the others get the rights that are left.
    let homes = privileges::settle(&data.homes()?, options.listen.port());
    tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()?
        .block_on(run(options, data, homes))
}

async fn run(options: &Serve, data: DataDir, homes: PathBuf) -> Result<(), ServeError> {
    // Before anything starts, so that no signal finds a half-built server.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;

    let (api_key, key_file) = api_key(options, &data)?;
    let store = Arc::new(Store::open(&data.folder.join("orgo.db"))?);
    let contents =
        Arc::new(Contents::open(&data.folder, &store.file_ids()?).map_err(|error| data.error(error))?);
    let fleet = Fleet::new(
        Arc::clone(&store),
        Arc::clone(&contents),
        Homes::open(homes).map_err(|error| data.error(error))?,
        RuntimeDir::create()?,
        Spawner::start()?,
    );
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| ServeError::Listen { address: options.listen, error })?;
    let address = listener.local_addr()?;
    if let Some(obstacle) = doctor::obstacle() {
        tracing::warn!("{obstacle}");
    }

    fleet.resume().await?;
    let closing = CancellationToken::new();
    let admission = admission(options)?;
    let app = App {
        store,
        fleet: fleet.clone(),
        contents,
        linker: Linker::new(data.secret("link-key", "", 32)?),
        connections: Connections::new(&data.folder),
        api_key: api_key.clone(),
        admission,
    };
    let serving = tokio::spawn(http::serve(listener, app, closing.clone()));
    announce(options, address, &api_key, key_file.as_deref())?;

    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
    let farewell = async {
        // The computers first: their sockets then say goodbye as the documents promise.
        fleet.shut_down().await;
        closing.cancel();
        let _ = timeout(FAREWELL, serving).await;
    };
    tokio::select! {
        () = farewell => {}
        // Whoever insists is not kept waiting: the boxes end with this process in any case.
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn admission(options: &Serve) -> Result<Admission, ServeError> {
    let admission =
        Admission::new(&options.allow_origin, options.allow_remote).map_err(ServeError::Origin)?;
    match &options.public_url {
        Some(url) => admission
            .with_public_url(url)
            .map_err(|problem| ServeError::PublicUrl { url: url.clone(), problem }),
        None => Ok(admission),
    }
}

/// The line that `--json` prints.
#[derive(Serialize)]
struct Ready<'a> {
    base_url: String,
    realtime_url: String,
    api_key: &'a str,
}

/// Says how to call this server. The key itself is for the program that asks for it by `--json`: what is printed without
/// that may be kept in a log.
fn announce(options: &Serve, address: SocketAddr, key: &Secret, key_file: Option<&Path>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if options.json {
        let ready = Ready {
            base_url: format!("http://{address}/api"),
            realtime_url: format!("ws://{address}/desktops/{{instance_id}}/ws/{{channel}}"),
            api_key: key.expose(),
        };
        writeln!(stdout, "{}", serde_json::to_string(&ready)?)?;
    } else {
        writeln!(stdout, "Orgo desktop: http://{address}/api\n")?;
        writeln!(stdout, "    export ORGO_BASE_URL=http://{address}/api")?;
        match key_file {
            Some(file) => {
                let file = file.display().to_string().replace('\'', r"'\''");
                writeln!(stdout, "    export ORGO_API_KEY=\"$(cat '{file}')\"")?;
            }
            None => writeln!(stdout, "    export ORGO_API_KEY=...   # the key that was given")?,
        }
    }
    stdout.flush()
}

/// The API key, and where it is kept if it was not given.
fn api_key(options: &Serve, data: &DataDir) -> Result<(Secret, Option<PathBuf>), ServeError> {
    if let Some(given) = &options.api_key {
        if given.expose().is_empty() {
            return Err(ServeError::EmptyKey);
        }
        return Ok((given.clone(), None));
    }
    Ok((data.secret(KEY_FILE, "sk_live_", 24)?, Some(data.folder.join(KEY_FILE))))
}

/// The folder that outlives the server, locked against a second one.
struct DataDir {
    folder: PathBuf,
    _lock: fs::File,
}

impl DataDir {
    fn open(chosen: Option<PathBuf>) -> Result<Self, ServeError> {
        let folder = chosen.map_or_else(default_data_dir, Ok)?;
        let explain = |error| ServeError::DataDir { folder: folder.clone(), error };
        let lock = make(&folder).and_then(|()| private_file(&folder.join("lock"))).map_err(explain)?;
        // A child of a server that was killed holds the lock too, until it has become another program.
        let end = Instant::now() + LOCK_PATIENCE;
        while flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            if Instant::now() > end {
                return Err(ServeError::Busy(folder.display().to_string()));
            }
            thread::sleep(LOCK_INTERVAL);
        }
        // SQLite makes its companions with the permissions of the file itself.
        private_file(&folder.join("orgo.db")).map_err(explain)?;
        let folder = folder.canonicalize().map_err(explain)?;
        Ok(Self { folder, _lock: lock })
    }

    fn homes(&self) -> Result<PathBuf, ServeError> {
        let homes = self.folder.join("computers");
        make(&homes).map_err(|error| self.error(error))?;
        Ok(homes)
    }

    /// The secret in a file, which is made with a random one: `prefix` and `bytes` random bytes in hexadecimal.
    fn secret(&self, name: &str, prefix: &str, bytes: usize) -> Result<Secret, ServeError> {
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

    fn error(&self, error: io::Error) -> ServeError {
        ServeError::DataDir { folder: self.folder.clone(), error }
    }
}

fn default_data_dir() -> Result<PathBuf, ServeError> {
    if rustix::process::geteuid().is_root() {
        return Ok("/var/lib/orgo-desktop".into());
    }
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = data.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".local/share")));
    Ok(data.ok_or(ServeError::NoHome)?.join("orgo-desktop"))
}

/// A folder on the way to the homes.
fn make(folder: &Path) -> io::Result<()> {
    let mode = privileges::passage();
    DirBuilder::new().recursive(true).mode(mode).create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(mode))
}

fn private_file(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}
