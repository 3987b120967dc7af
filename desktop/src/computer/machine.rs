//! Controls a running computer.

use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use tokio::sync::{Semaphore, SetOnce};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::agent::{Agent, AgentError, Process, Spawn, Stdio};
use crate::screen::{Screen, Watch};
use crate::secret::Secret;
use crate::stream::{Broadcast, ComputerSocket, Connection, Setup, Source, StartError, Status};
use crate::untrusted;

use super::box_log::BoxLog;
use super::boxed::{AGENT, AgentLaunch};
use super::environment::environment;
use super::health::Health;
use super::isolation::Isolation;
use super::layout::Layout;
use super::limits::{ControlGroup, Enforced};
use super::network::{self, Network, NetworkOptions};
use super::resolution::Resolution;
use super::root_process::RootProcess;
use super::runtime_dir::RuntimeDir;
use super::session::{self, BootError, DISPLAY_SERVER, Desktop, Settings};
use super::shutdown::Shutdown;
use super::spawner::Spawner;
use super::viewers::Viewers;

/// The maximum number of calls per computer that read the screen at the same time.
const MAX_CONCURRENT_VIEWS: usize = 4;
/// The timeout for reading the size of a screen.
const SIZE_TIMEOUT: Duration = Duration::from_millis(500);
/// The time that programs have to save and exit before the computer is killed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A computer whose desktop runs.
#[derive(Debug)]
pub(crate) struct Machine {
    agent: Agent,
    screen: Arc<Screen>,
    _pointer_watch: Watch,
    drawn: Arc<SetOnce<()>>,
    missing: Vec<&'static str>,
    settings: Settings,
    started: Instant,
    layout: Layout,
    isolation: Isolation,
    runtime: Arc<RuntimeDir>,
    password: Secret,
    shutdown: Shutdown,
    health: Health,
    permits: ScreenPermits,
    root_process: RootProcess,
    group: ControlGroup,
    spawner: Spawner,
    owner: Option<u32>,
    broadcast: Broadcast,
    viewers: Viewers,
    network: Mutex<Option<Network>>,
}

/// The parameters for starting a computer.
#[derive(Debug)]
pub(super) struct MachineConfig {
    pub(super) layout: Layout,
    pub(super) isolation: Isolation,
    /// The runtime folder of the server.
    pub(super) runtime: Arc<RuntimeDir>,
    pub(super) hostname: String,
    pub(super) resolution: Resolution,
    /// The host user ID that the computer runs as; `None` for the user of the server.
    pub(super) owner: Option<u32>,
    pub(super) password: Secret,
    pub(super) group: ControlGroup,
    pub(super) settings: Settings,
}

/// Limits the number of calls that use the screen at the same time. Each call blocks a thread, and the calls to one
/// computer must not block all threads of the server. If a display hangs, further callers wait for a permit without
/// blocking a thread.
#[derive(Debug)]
struct ScreenPermits {
    input: Arc<Semaphore>,
    view: Arc<Semaphore>,
}

/// The way in which a call uses the screen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ScreenAccess {
    /// The call uses the pointer or the keyboard. Only one such call runs at a time.
    Input,
    /// The call reads the screen.
    View,
}

impl Machine {
    /// Starts the agent and the desktop.
    pub(super) async fn boot(
        config: MachineConfig,
        spawner: &Spawner,
        closing: &CancellationToken,
    ) -> Result<Self, BootError> {
        let MachineConfig {
            layout,
            isolation,
            runtime,
            hostname,
            resolution,
            owner,
            password,
            group,
            settings,
        } = config;
        let (own_end, control) = UnixStream::pair()?;
        let launch = AgentLaunch { hostname: &hostname, owner, control: control.into() };
        let mut command = isolation.command(&layout, launch)?;
        group.join(&mut command)?;
        let (log, log_end) = BoxLog::open()?;
        command.stdout(log_end.try_clone()?).stderr(log_end.try_clone()?);
        let shutdown = Shutdown::default();
        let root_process = isolation.follow(spawner.spawn(command).await?, spawner, &group, shutdown.clone());
        let agent = Agent::new(own_end, owner.unwrap_or_else(|| geteuid().as_raw()), isolation.terminals())?;
        let started = async {
            session::wait_for_agent(&agent).await?;
            let desktop = session::start(&agent, &layout, resolution, settings, &shutdown);
            let program = layout.support.join(AGENT);
            let options = NetworkOptions { spawner, agent: &program, owner, group: &group, log: log_end };
            let network =
                async { if isolation.has_boxes() { connect(&agent, &log, options).await } else { None } };
            let (desktop, network) = tokio::join!(desktop, network);
            Ok((desktop?, network))
        };
        let started = tokio::select! {
            started = started => started,
            () = shutdown.token().cancelled() => {
                let reason = shutdown.reason().unwrap_or("it was stopped");
                Err(BootError::Ended { reason: reason.to_owned(), log: log.last_line() })
            }
            () = closing.cancelled() => Err(BootError::ShuttingDown),
        };
        match started {
            Ok((Desktop { screen, pointer_watch, missing }, network)) => Ok(Self {
                drawn: watch_drawing(&screen),
                missing,
                settings,
                started: Instant::now(),
                health: Health::watch(agent.clone(), shutdown.clone()),
                agent,
                screen,
                _pointer_watch: pointer_watch,
                layout,
                isolation,
                runtime,
                password,
                shutdown,
                permits: ScreenPermits {
                    input: Arc::new(Semaphore::new(1)),
                    view: Arc::new(Semaphore::new(MAX_CONCURRENT_VIEWS)),
                },
                root_process,
                group,
                spawner: spawner.clone(),
                owner,
                broadcast: Broadcast::default(),
                viewers: Viewers::default(),
                network: Mutex::new(network),
            }),
            Err(error) => {
                shutdown.begin();
                root_process.kill().await;
                group.remove().await;
                isolation.remove_folders(&runtime, &layout);
                Err(error)
            }
        }
    }

    /// Calls `work` with the screen, on a thread that is allowed to block.
    pub(crate) async fn on_screen<T: Send + 'static>(
        &self,
        access: ScreenAccess,
        work: impl FnOnce(&Screen) -> T + Send + 'static,
    ) -> io::Result<T> {
        let access = match access {
            ScreenAccess::Input => &self.permits.input,
            ScreenAccess::View => &self.permits.view,
        };
        let permit = Arc::clone(access).acquire_owned().await.map_err(io::Error::other)?;
        let screen = Arc::clone(&self.screen);
        let working = tokio::task::spawn_blocking(move || {
            // The thread holds the permit until `work` returns, even if its caller no longer waits.
            let _permit = permit;
            work(&screen)
        });
        working.await.map_err(io::Error::other)
    }

    pub(crate) fn screen(&self) -> &Arc<Screen> {
        &self.screen
    }

    /// Waits until the desktop is drawn, or until a timeout. Drawing takes a moment after the start of the desktop.
    pub(crate) async fn drawn(&self) {
        self.drawn.wait().await;
    }

    /// Returns the current size of the screen, or `None` if the display does not respond in time.
    pub(crate) async fn resolution(&self) -> Option<Resolution> {
        let asked = self.on_screen(ScreenAccess::View, Screen::size);
        let (width, height) = timeout(SIZE_TIMEOUT, asked).await.ok()?.ok()?;
        Some(Resolution { width, height })
    }

    pub(crate) fn agent(&self) -> &Agent {
        &self.agent
    }

    pub(crate) fn password(&self) -> &Secret {
        &self.password
    }

    /// Returns the parts of the desktop that did not start.
    pub(crate) fn missing(&self) -> &[&'static str] {
        &self.missing
    }

    pub(crate) fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Returns which settings the desktop reads.
    pub(crate) fn settings(&self) -> Settings {
        self.settings
    }

    /// Returns the time since the start of the computer was complete.
    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Returns which sizes of the computer the kernel enforces.
    pub(crate) fn enforced(&self) -> Enforced {
        self.group.enforced()
    }

    pub(crate) fn broadcast(&self) -> &Broadcast {
        &self.broadcast
    }

    pub(crate) fn viewers(&self) -> &Viewers {
        &self.viewers
    }

    /// Connects to the socket for viewers of the X server.
    pub(crate) async fn connect_to_screen(&self) -> io::Result<untrusted::Connection> {
        self.socket(self.layout.inside.viewer_socket()).connect().await
    }

    /// Returns the path of the home inside the computer.
    pub(crate) fn home(&self) -> &str {
        &self.layout.inside.home
    }

    /// Returns the value of `PYTHONPATH` for `exec` calls.
    pub(super) fn python_path(&self) -> String {
        self.layout.inside.python()
    }

    /// Starts to stream the screen and the audio. Returns once the target of the stream receives it.
    pub(crate) async fn start_stream(&self, connection: Connection) -> Result<Status, StartError> {
        let size = self.on_screen(ScreenAccess::View, Screen::size).await?;
        let setup = Setup {
            program: self.layout.support.join(AGENT),
            source: self.source(),
            size,
            owner: self.owner,
            join_group: &|command| self.group.join(command),
        };
        self.broadcast.start(&self.spawner, setup, connection).await
    }

    /// Returns how the encoder reaches the screen and the audio.
    fn source(&self) -> Source {
        let audio = self.layout.inside.pulse_socket();
        if self.isolation.has_boxes() {
            Source::Relayed { display: self.socket(self.layout.x_socket()), audio: self.socket(audio) }
        } else {
            Source::Direct { display: self.layout.display, audio, variables: environment(&self.layout) }
        }
    }

    /// Returns a function that connects to the server with this socket inside the computer.
    fn socket(&self, socket: String) -> ComputerSocket {
        let agent = self.agent.clone();
        ComputerSocket::new(move || {
            let (agent, socket) = (agent.clone(), socket.clone());
            async move {
                let connected =
                    tokio::task::spawn_blocking(move || agent.connect(&socket, Duration::ZERO)).await;
                untrusted::Connection::new(connected.map_err(io::Error::other)??)
            }
        })
    }

    /// Returns a token that is canceled as soon as this computer begins to stop, or has crashed.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        self.shutdown.token()
    }

    /// Returns the reason why the computer ends, unless a call has stopped it.
    pub(super) fn failure(&self) -> Option<&str> {
        self.shutdown.reason()
    }

    /// Starts an interactive shell in a terminal with this number of columns and rows.
    pub(crate) async fn spawn_shell(&self, cols: u16, rows: u16) -> Result<Process, AgentError> {
        let mut env = environment(&self.layout);
        env.push(("COLORTERM".into(), "truecolor".into()));
        let argv = self.isolation.shell_command(&self.layout);
        let stdio = Stdio::Terminal { cols, rows };
        self.start(Spawn { argv, env, cwd: self.home().into(), stdio, script: false }, &[]).await
    }

    /// Starts a program in the home, with the environment of the desktop.
    pub(crate) async fn spawn(&self, argv: Vec<String>, stdio: Stdio) -> Result<Process, AgentError> {
        let env = environment(&self.layout);
        self.start(Spawn { argv, env, cwd: self.home().into(), stdio, script: false }, &[]).await
    }

    /// Starts an interpreter as [`Self::spawn`] does, with additional environment `variables`. The agent copies the
    /// `source` to a file, and appends the path of the file to `argv`. The interpreter inherits the descriptor
    /// `report`.
    pub(super) async fn spawn_script(
        &self,
        argv: Vec<String>,
        variables: impl IntoIterator<Item = (String, String)>,
        source: BorrowedFd<'_>,
        report: BorrowedFd<'_>,
    ) -> Result<Process, AgentError> {
        let mut env = environment(&self.layout);
        env.extend(variables);
        let spawn = Spawn { argv, env, cwd: self.home().into(), stdio: Stdio::Merged, script: true };
        self.start(spawn, &[source, report]).await
    }

    async fn start(&self, spawn: Spawn, given: &[BorrowedFd<'_>]) -> Result<Process, AgentError> {
        let spawned = self.agent.spawn(spawn, given).await;
        if matches!(spawned, Err(AgentError::Exhausted(_) | AgentError::Lost(_))) {
            self.health.request_check();
        }
        spawned
    }

    /// Sends SIGTERM to all programs, then kills the computer. Returns when all processes of the computer have ended,
    /// and its folders are removed.
    pub(super) async fn stop(&self) {
        self.shutdown.begin();
        self.broadcast.stop().await;
        // The display server is excluded, because programs that lose their display cannot save files.
        let closed = timeout(CLOSE_TIMEOUT, self.agent.terminate(DISPLAY_SERVER)).await;
        tracing::debug!("the programs of a computer were asked to close: {closed:?}");
        self.root_process.kill().await;
        let network = self.network.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(network) = network {
            network.close().await;
        }
        self.group.remove().await;
        let (isolation, runtime, layout) = (self.isolation, Arc::clone(&self.runtime), self.layout.clone());
        // The removal may take a long time, because the folders can contain a large number of files.
        let cleared = tokio::task::spawn_blocking(move || isolation.remove_folders(&runtime, &layout)).await;
        tracing::debug!("the folders of a computer were removed: {cleared:?}");
    }
}

fn watch_drawing(screen: &Arc<Screen>) -> Arc<SetOnce<()>> {
    let drawn = Arc::new(SetOnce::new());
    let (screen, report) = (Arc::clone(screen), Arc::clone(&drawn));
    tokio::spawn(async move {
        session::drawn(screen).await;
        // Cannot fail, because only this task sets the value.
        let _ = report.set(());
    });
    drawn
}

/// Connects the computer to the network. Returns `None` if this fails: the computer then runs without a network.
async fn connect(agent: &Agent, log: &BoxLog, options: NetworkOptions<'_>) -> Option<Network> {
    let connected = async { network::connect(agent.network().await?, options).await };
    match connected.await {
        Ok(network) => Some(network),
        Err(error) => {
            tracing::warn!("a computer has no network: {error} ({})", log.last_line());
            None
        }
    }
}
