//! One running computer.

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
use crate::screen::Screen;
use crate::secret::Secret;
use crate::stream::{Broadcast, Connection, Connector, Setup, Source, StartError, Status};
use crate::untrusted;

use super::box_log::BoxLog;
use super::container::Container;
use super::ending::Ending;
use super::environment::environment;
use super::health::Health;
use super::isolation::Isolation;
use super::layout::Layout;
use super::limits::{Enforced, Group};
use super::network::{self, Carrying, Network};
use super::resolution::Resolution;
use super::runtime_dir::RuntimeDir;
use super::sandbox::{AGENT, Opening};
use super::session::{self, BootError, DISPLAY_SERVER, Desktop, Settings};
use super::spawner::Spawner;

/// How many calls look at a screen at a time.
const VIEWS: usize = 4;
/// How long a display may take to tell its size to those who list computers.
const SIZE_LIMIT: Duration = Duration::from_millis(500);
/// How long programs get to save and close before the box is taken down.
const GRACE: Duration = Duration::from_secs(1);

/// A computer whose desktop is up.
#[derive(Debug)]
pub(crate) struct Machine {
    agent: Agent,
    screen: Arc<Screen>,
    drawn: Arc<SetOnce<()>>,
    missing: Vec<&'static str>,
    settings: Settings,
    started: Instant,
    layout: Layout,
    isolation: Isolation,
    runtime: Arc<RuntimeDir>,
    password: Secret,
    ending: Ending,
    health: Health,
    lanes: Lanes,
    container: Container,
    group: Group,
    spawner: Spawner,
    owner: Option<u32>,
    broadcast: Broadcast,
    network: Mutex<Option<Network>>,
}

/// What a machine is made from.
#[derive(Debug)]
pub(super) struct Blueprint {
    pub(super) layout: Layout,
    pub(super) isolation: Isolation,
    /// Where the layout's folders are.
    pub(super) runtime: Arc<RuntimeDir>,
    pub(super) hostname: String,
    pub(super) resolution: Resolution,
    /// The host's user that it runs as, when it is not the server's own.
    pub(super) owner: Option<u32>,
    pub(super) password: Secret,
    pub(super) group: Group,
    pub(super) settings: Settings,
}

/// Who may use the screen at a time: its calls block threads, of which one computer must not take those of all. A display that
/// hangs holds up its own callers, who wait here without a thread.
#[derive(Debug)]
struct Lanes {
    input: Arc<Semaphore>,
    view: Arc<Semaphore>,
}

/// What a call does with the screen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lane {
    /// Uses pointer or keyboard: one at a time.
    Input,
    /// Looks at it.
    View,
}

impl Machine {
    /// Opens the box and brings the desktop up.
    pub(super) async fn boot(
        blueprint: Blueprint,
        spawner: &Spawner,
        closing: &CancellationToken,
    ) -> Result<Self, BootError> {
        let Blueprint { layout, isolation, runtime, hostname, resolution, owner, password, group, settings } =
            blueprint;
        let (own_end, control) = UnixStream::pair()?;
        let opening = Opening { hostname: &hostname, owner, control: control.into() };
        let mut command = isolation.command(&layout, opening)?;
        group.join(&mut command)?;
        let (log, log_end) = BoxLog::open()?;
        command.stdout(log_end.try_clone()?).stderr(log_end.try_clone()?);
        let ending = Ending::default();
        let container = isolation.follow(spawner.spawn(command).await?, spawner, ending.clone());
        let agent = Agent::new(own_end, owner.unwrap_or_else(|| geteuid().as_raw()), isolation.terminals())?;
        let started = async {
            session::reach(&agent).await?;
            let desktop = session::start(&agent, &layout, resolution, settings, &ending);
            let program = layout.support.join(AGENT);
            let carrying = Carrying { spawner, agent: &program, owner, group: &group, log: log_end };
            let network =
                async { if isolation.has_boxes() { connect(&agent, &log, carrying).await } else { None } };
            let (desktop, network) = tokio::join!(desktop, network);
            Ok((desktop?, network))
        };
        let started = tokio::select! {
            started = started => started,
            () = ending.token().cancelled() => {
                let reason = ending.reason().unwrap_or("it was ended");
                Err(BootError::Ended { reason: reason.to_owned(), log: log.last_line() })
            }
            () = closing.cancelled() => Err(BootError::GivenUp),
        };
        match started {
            Ok((Desktop { screen, missing }, network)) => Ok(Self {
                drawn: follow_drawing(&screen),
                missing,
                settings,
                started: Instant::now(),
                health: Health::watch(agent.clone(), ending.clone()),
                agent,
                screen,
                layout,
                isolation,
                runtime,
                password,
                ending,
                lanes: Lanes { input: Arc::new(Semaphore::new(1)), view: Arc::new(Semaphore::new(VIEWS)) },
                container,
                group,
                spawner: spawner.clone(),
                owner,
                broadcast: Broadcast::default(),
                network: Mutex::new(network),
            }),
            Err(error) => {
                ending.begin();
                container.kill().await;
                group.remove().await;
                isolation.clear(&runtime, &layout);
                Err(error)
            }
        }
    }

    /// Runs `work` with the screen, on a thread that may block.
    pub(crate) async fn on_screen<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce(&Screen) -> T + Send + 'static,
    ) -> io::Result<T> {
        let lane = match lane {
            Lane::Input => &self.lanes.input,
            Lane::View => &self.lanes.view,
        };
        let turn = Arc::clone(lane).acquire_owned().await.map_err(io::Error::other)?;
        let screen = Arc::clone(&self.screen);
        let working = tokio::task::spawn_blocking(move || {
            // The thread has the turn, also when its caller no longer waits.
            let _turn = turn;
            work(&screen)
        });
        working.await.map_err(io::Error::other)
    }

    pub(crate) fn screen(&self) -> &Arc<Screen> {
        &self.screen
    }

    /// Returns when its desktop is drawn, which takes a moment after its start; at once from then on.
    pub(crate) async fn drawn(&self) {
        self.drawn.wait().await;
    }

    /// The size of its screen as it is now, unless its display takes long to tell.
    pub(crate) async fn resolution(&self) -> Option<Resolution> {
        let asked = self.on_screen(Lane::View, Screen::size);
        let (width, height) = timeout(SIZE_LIMIT, asked).await.ok()?.ok()?;
        Some(Resolution { width, height })
    }

    pub(crate) fn agent(&self) -> &Agent {
        &self.agent
    }

    pub(crate) fn password(&self) -> &Secret {
        &self.password
    }

    /// The parts of its desktop that did not come up.
    pub(crate) fn missing(&self) -> &[&'static str] {
        &self.missing
    }

    pub(crate) fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Which settings its desktop reads.
    pub(crate) fn settings(&self) -> Settings {
        self.settings
    }

    /// How long ago its start was complete.
    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// What of its sizes it is held to.
    pub(crate) fn enforced(&self) -> Enforced {
        self.group.enforced()
    }

    pub(crate) fn broadcast(&self) -> &Broadcast {
        &self.broadcast
    }

    /// Its home, as programs inside name it.
    pub(crate) fn home(&self) -> &str {
        &self.layout.inside.home
    }

    /// The folder with what prepares an interpreter.
    pub(super) fn python_path(&self) -> String {
        self.layout.inside.python()
    }

    /// Streams its screen and sound; returns once the target takes them.
    pub(crate) async fn start_stream(&self, connection: Connection) -> Result<Status, StartError> {
        let size = self.on_screen(Lane::View, Screen::size).await?;
        let setup = Setup {
            program: self.layout.support.join(AGENT),
            source: self.source(),
            size,
            owner: self.owner,
            join_group: &|command| self.group.join(command),
        };
        self.broadcast.start(&self.spawner, setup, connection).await
    }

    /// How an encoder comes to the screen and the sound.
    fn source(&self) -> Source {
        let audio = self.layout.inside.pulse_socket();
        if self.isolation.has_boxes() {
            Source::Relayed { display: self.connector(self.layout.x_socket()), audio: self.connector(audio) }
        } else {
            Source::Direct { display: self.layout.display, audio, variables: environment(&self.layout) }
        }
    }

    /// Connects to a server inside for those who cannot be told how.
    fn connector(&self, socket: String) -> Connector {
        let agent = self.agent.clone();
        Connector::new(move || {
            let (agent, socket) = (agent.clone(), socket.clone());
            async move {
                let connected =
                    tokio::task::spawn_blocking(move || agent.connect(&socket, Duration::ZERO)).await;
                untrusted::Connection::new(connected.map_err(io::Error::other)??)
            }
        })
    }

    /// Cancelled as soon as this computer begins to stop, or its box has ended by itself.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        self.ending.token()
    }

    /// Why it ends without having been asked to.
    pub(super) fn failure(&self) -> Option<&str> {
        self.ending.reason()
    }

    /// Starts an interactive shell in a terminal of that size.
    pub(crate) async fn spawn_shell(&self, cols: u16, rows: u16) -> Result<Process, AgentError> {
        let mut env = environment(&self.layout);
        env.push(("COLORTERM".into(), "truecolor".into()));
        let argv = self.isolation.shell(&self.layout);
        let stdio = Stdio::Terminal { cols, rows };
        self.start(Spawn { argv, env, cwd: self.home().into(), stdio, script: false }, &[]).await
    }

    /// Starts a program inside with the desktop's environment, in the home.
    pub(crate) async fn spawn(&self, argv: Vec<String>, stdio: Stdio) -> Result<Process, AgentError> {
        let env = environment(&self.layout);
        self.start(Spawn { argv, env, cwd: self.home().into(), stdio, script: false }, &[]).await
    }

    /// Starts an interpreter as [`Self::spawn`] does, with additional `variables`. Its last argument is the path of a file with
    /// the `source`, and it inherits the `report`.
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
            self.health.doubt();
        }
        spawned
    }

    /// Lets programs close, then takes the box down. Returns when nothing of it is left.
    pub(super) async fn stop(&self) {
        self.ending.begin();
        self.broadcast.stop().await;
        // Programs lose what they would save if their display went first.
        let closed = timeout(GRACE, self.agent.terminate(DISPLAY_SERVER)).await;
        tracing::debug!("the programs of a computer were asked to close: {closed:?}");
        self.container.kill().await;
        let network = self.network.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(network) = network {
            network.close().await;
        }
        self.group.remove().await;
        let (isolation, runtime, layout) = (self.isolation, Arc::clone(&self.runtime), self.layout.clone());
        // Its user may have left very many files.
        let cleared = tokio::task::spawn_blocking(move || isolation.clear(&runtime, &layout)).await;
        tracing::debug!("the folders of a computer were removed: {cleared:?}");
    }
}

fn follow_drawing(screen: &Arc<Screen>) -> Arc<SetOnce<()>> {
    let drawn = Arc::new(SetOnce::new());
    let (screen, report) = (Arc::clone(screen), Arc::clone(&drawn));
    tokio::spawn(async move {
        session::drawn(screen).await;
        // It is set nowhere else.
        let _ = report.set(());
    });
    drawn
}

/// Without a network the computer works all the same.
async fn connect(agent: &Agent, log: &BoxLog, carrying: Carrying<'_>) -> Option<Network> {
    let connected = async { network::connect(agent.network().await?, carrying).await };
    match connected.await {
        Ok(network) => Some(network),
        Err(error) => {
            tracing::warn!("a computer has no network: {error} ({})", log.last_line());
            None
        }
    }
}
