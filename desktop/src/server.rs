//! The server's life: settings to a listening socket, and everything down again.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::app::{Admission, App};
use crate::cli::Serve;
use crate::computer::{
    Decision, Facts, Fleet, FleetError, Homes, Isolation, RuntimeDir, Spawner, Users, decide,
};
use crate::data_dir::{DataDir, DataDirError};
use crate::doctor;
use crate::files::{Contents, LinkSigner};
use crate::http;
use crate::inherited::close_on_exec;
use crate::privileges;
use crate::secret::Secret;
use crate::store::{Store, StoreError};
use crate::stream::Connections;

/// Of the data folder.
const KEY_FILE: &str = "api-key";
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
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("the API key is empty")]
    EmptyKey,
    #[error("--allow-origin {0:?} is not an origin such as http://127.0.0.1:3000")]
    Origin(String),
    #[error("{0}")]
    NoBoxes(String),
    #[error("--public-url {url:?}: {problem}")]
    PublicUrl { url: String, problem: &'static str },
    #[error("cannot open the data: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Fleet(#[from] FleetError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ServeError {
    /// The code that this process ends with: `EX_TEMPFAIL` if another server uses the data folder.
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, Self::DataDir(DataDirError::Busy { .. })) { 75 } else { 1 }
    }
}

/// Serves until SIGINT or SIGTERM, and leaves nothing running.
pub(crate) fn serve(options: &Serve) -> Result<(), ServeError> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        // The terminal may go away before the server does.
        .log_internal_errors(false)
        .init();
    if !options.listen.ip().is_loopback() && !options.allow_remote {
        return Err(ServeError::Remote(options.listen));
    }
    // What runs in computers must not get at the files of whoever started the server.
    close_on_exec(None)?;
    let data = DataDir::open(options.data_dir.as_deref())?;
    let users = Users::find();
    let container = Facts::capture().container();
    let Decision { isolation, warning } =
        decide(options.isolation, || doctor::try_box(users), container.as_deref())
            .map_err(ServeError::NoBoxes)?;
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
    }
    if isolation == Isolation::None {
        // Orphans of a computer whose agent was killed fall to this process, which ends them.
        rustix::process::set_child_subreaper(rustix::process::Pid::from_raw(1)).map_err(io::Error::from)?;
        if !matches!(users, Users::Own { .. }) {
            tracing::warn!("all computers run as the user of this server: what runs in them can end it");
        }
    }
    // While this process has one thread, of which the others get the rights that are left.
    let homes = privileges::settle(&data.homes()?, options.listen.port(), isolation.has_boxes());
    let homes = Homes::open(homes, users, isolation).map_err(|error| data.error(error))?;
    tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()?
        .block_on(run(options, data, homes))
}

async fn run(options: &Serve, data: DataDir, homes: Homes) -> Result<(), ServeError> {
    // Before anything starts, so that no signal finds a half-built server.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;

    let isolation = homes.isolation();
    let (api_key, key_file) = api_key(options, &data)?;
    let store = Arc::new(Store::open(&data.path().join("orgo.db"))?);
    let contents =
        Arc::new(Contents::open(data.path(), &store.file_ids()?).map_err(|error| data.error(error))?);
    let fleet = Fleet::new(
        Arc::clone(&store),
        Arc::clone(&contents),
        homes,
        RuntimeDir::create()?,
        Spawner::start()?,
    );
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| ServeError::Listen { address: options.listen, error })?;
    let address = listener.local_addr()?;
    if let Some(obstacle) = doctor::obstacle(isolation) {
        tracing::warn!("{obstacle}");
    }

    fleet.resume().await?;
    let closing = CancellationToken::new();
    let admission = admission(options)?;
    let app = App {
        store,
        fleet: fleet.clone(),
        contents,
        link_signer: LinkSigner::new(data.secret("link-key", "", 32)?),
        connections: Connections::new(data.path()),
        api_key: api_key.clone(),
        admission,
    };
    let serving = tokio::spawn(http::serve(listener, app, closing.clone()));
    announce(options, address, &api_key, key_file.as_deref(), &data)?;

    let abandoned = CancellationToken::new();
    if options.end_with_stdin {
        watch_stdin(abandoned.clone())?;
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = abandoned.cancelled() => {}
    }
    tracing::info!("stopping");
    if let Err(error) = data.say(None) {
        tracing::warn!("cannot say that the server stops: {error}");
    }
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

/// Cancels `abandoned` when stdin ends. A thread of its own waits, since a read cannot be given up: the process ends without it.
fn watch_stdin(abandoned: CancellationToken) -> io::Result<()> {
    thread::Builder::new().name("stdin".into()).spawn(move || {
        let mut stdin = io::stdin().lock();
        while !matches!(stdin.read(&mut [0; 64]), Ok(0) | Err(_)) {}
        abandoned.cancel();
    })?;
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
    data_dir: &'a Path,
}

/// Says how to call this server. The key itself is for the program that asks for it by `--json`: what is printed without
/// that may be kept in a log.
fn announce(
    options: &Serve,
    address: SocketAddr,
    key: &Secret,
    key_file: Option<&Path>,
    data: &DataDir,
) -> io::Result<()> {
    let base_url = format!("http://{address}/api");
    let realtime_url = format!("ws://{address}/desktops/{{instance_id}}/ws/{{channel}}");
    data.say(Some((&base_url, &realtime_url)))?;
    let mut stdout = io::stdout().lock();
    if options.json {
        let ready = Ready { base_url, realtime_url, api_key: key.expose(), data_dir: data.path() };
        writeln!(stdout, "{}", serde_json::to_string(&ready)?)?;
    } else {
        writeln!(stdout, "Orgo desktop: {base_url}\n")?;
        writeln!(stdout, "    export ORGO_BASE_URL={base_url}")?;
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
    Ok((data.secret(KEY_FILE, "sk_live_", 24)?, Some(data.path().join(KEY_FILE))))
}
