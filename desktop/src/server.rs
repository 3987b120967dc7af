//! The life cycle of the server, from its options to the end of all computers.

use std::env;
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
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::app::{Admission, App};
use crate::cli::Serve;
use crate::computer::{
    ContainerSigns, Fleet, FleetError, Homes, Isolation, IsolationDecision, RuntimeDir, Spawner, Users,
    decide,
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

/// The name of the API key's file in the data folder.
const KEY_FILE: &str = "api-key";
/// The maximum number of threads for blocking calls, such as those to displays and disks. Each computer uses only a
/// few.
const BLOCKING_THREADS: usize = 4096;
/// The time limit for open connections to close after the computers have stopped.
const CONNECTIONS_TIMEOUT: Duration = Duration::from_secs(3);

/// The reason why the server did not start, or why it stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error("--listen {0}: other machines can reach this address, which requires --allow-remote")]
    Remote(SocketAddr),
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: io::Error },
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error("--api-key: the API key is empty, must have at least one character")]
    EmptyKey,
    #[error(
        "--allow-origin {0:?}: not an origin, must be like http://127.0.0.1:3000 or chrome-extension://ID"
    )]
    Origin(String),
    #[error("{0}")]
    NoBoxes(String),
    #[error("--public-url {url:?}: {problem}")]
    PublicUrl { url: String, problem: &'static str },
    #[error("cannot open the database: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Fleet(#[from] FleetError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ServeError {
    /// Returns the exit code of the process: 75 (`EX_TEMPFAIL`) if another server uses the data folder, otherwise 1.
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, Self::DataDir(DataDirError::Busy { .. })) { 75 } else { 1 }
    }
}

/// Runs the server until SIGINT or SIGTERM, then stops the computers and closes all connections.
pub(crate) fn serve(options: &Serve) -> Result<(), ServeError> {
    let filter: Option<Targets> = env::var("RUST_LOG").ok().and_then(|text| text.parse().ok());
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        // Does not report failed writes to stderr: the terminal may close before the server ends.
        .log_internal_errors(false)
        .finish()
        .with(filter.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO)))
        .init();
    if !options.listen.ip().is_loopback() && !options.allow_remote {
        return Err(ServeError::Remote(options.listen));
    }
    // Computers must not inherit open files from the process that started the server.
    close_on_exec(None)?;
    let data = DataDir::open(options.data_dir.as_deref())?;
    let users = Users::detect();
    let container = ContainerSigns::read().detect();
    let IsolationDecision { isolation, warning } =
        decide(options.isolation, || doctor::try_box(users), container.as_deref())
            .map_err(ServeError::NoBoxes)?;
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
    }
    if isolation == Isolation::None {
        // If the agent of a computer is killed, this process adopts the computer's orphaned processes and kills them.
        rustix::process::set_child_subreaper(rustix::process::Pid::from_raw(1)).map_err(io::Error::from)?;
        if !matches!(users, Users::PerComputer { .. }) {
            tracing::warn!("all computers run as the user of this server: programs in them can kill it");
        }
    }
    // Must be called while the process has only one thread, because capabilities belong to threads and new threads
    // inherit them.
    let homes = privileges::drop_privileges(&data.homes()?, options.listen.port(), isolation.has_boxes());
    let homes = Homes::open(homes, users, isolation).map_err(|error| data.error(error))?;
    tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()?
        .block_on(run(options, data, homes))
}

async fn run(options: &Serve, data: DataDir, homes: Homes) -> Result<(), ServeError> {
    // Handles signals before any computer starts, so that a signal cannot kill a server that is starting.
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
    if let Some(problem) = doctor::problem(isolation) {
        tracing::warn!("{problem}");
    }

    fleet.resume().await?;
    let shutdown = CancellationToken::new();
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
    let serving = tokio::spawn(http::serve(listener, app, shutdown.clone()));
    print_ready(options, address, &api_key, key_file.as_deref(), &data)?;

    let stdin_ended = CancellationToken::new();
    if options.end_with_stdin {
        watch_stdin(stdin_ended.clone())?;
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = stdin_ended.cancelled() => {}
    }
    tracing::info!("stopping");
    if let Err(error) = data.write_addresses(None) {
        tracing::warn!("cannot record that the server is stopping: {error}");
    }
    let graceful_stop = async {
        // Stops the computers first, so that their sockets close with the documented code.
        fleet.shut_down().await;
        shutdown.cancel();
        let _ = timeout(CONNECTIONS_TIMEOUT, serving).await;
    };
    tokio::select! {
        () = graceful_stop => {}
        // A second signal ends the server immediately. Boxes always end with the process.
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Cancels `stdin_ended` when stdin ends. Uses a separate thread, since a blocking read cannot be canceled. The process
/// exits without waiting for this thread.
fn watch_stdin(stdin_ended: CancellationToken) -> io::Result<()> {
    thread::Builder::new().name("stdin".into()).spawn(move || {
        let mut stdin = io::stdin().lock();
        while !matches!(stdin.read(&mut [0; 64]), Ok(0) | Err(_)) {}
        stdin_ended.cancel();
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

/// The line of JSON that `--json` prints.
#[derive(Serialize)]
struct Ready<'a> {
    base_url: String,
    realtime_url: String,
    api_key: &'a str,
    data_dir: &'a Path,
}

/// Prints how to call this server, and writes its addresses to the lock file. Prints the API key itself only with
/// `--json`, because other output may be written to a log.
fn print_ready(
    options: &Serve,
    address: SocketAddr,
    key: &Secret,
    key_file: Option<&Path>,
    data: &DataDir,
) -> io::Result<()> {
    let base_url = format!("http://{address}/api");
    let realtime_url = format!("ws://{address}/desktops/{{instance_id}}/ws/{{channel}}");
    data.write_addresses(Some((&base_url, &realtime_url)))?;
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
            None => writeln!(stdout, "    export ORGO_API_KEY=...   # the key passed to this server")?,
        }
    }
    stdout.flush()
}

/// Returns the API key, and the path of its file if it was not given as an option.
fn api_key(options: &Serve, data: &DataDir) -> Result<(Secret, Option<PathBuf>), ServeError> {
    if let Some(given) = &options.api_key {
        if given.expose().is_empty() {
            return Err(ServeError::EmptyKey);
        }
        return Ok((given.clone(), None));
    }
    Ok((data.secret(KEY_FILE, "sk_live_", 24)?, Some(data.path().join(KEY_FILE))))
}
