//! One running computer.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::SetOnce;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::agent::{Agent, AgentError, Process, Spawn, Stdio};
use crate::screen::Screen;
use crate::secret::Secret;
use crate::stream::{Broadcast, Connection, Connector, Stage, StartError, Status};

use super::container::Container;
use super::environment::environment;
use super::layout::{HOME, Layout};
use super::limits::{Enforced, Group};
use super::network::{self, Network};
use super::resolution::Resolution;
use super::sandbox::AGENT;
use super::session::{self, BootError, DISPLAY_SERVER};
use super::spawner::Spawner;
use super::{sandbox, skeleton};

/// How long programs get to save and close before the box is taken down.
const GRACE: Duration = Duration::from_secs(1);

/// A computer whose desktop is up.
#[derive(Debug)]
pub(crate) struct Machine {
    agent: Agent,
    screen: Arc<Screen>,
    drawn: Arc<SetOnce<()>>,
    layout: Layout,
    password: Secret,
    stopping: CancellationToken,
    container: Container,
    group: Group,
    spawner: Spawner,
    owner: Option<u32>,
    broadcast: Broadcast,
    _network: Option<Network>,
}

/// What a machine is made from.
#[derive(Debug)]
pub(super) struct Blueprint {
    pub(super) layout: Layout,
    pub(super) hostname: String,
    pub(super) resolution: Resolution,
    /// The host's user that it runs as, when it is not the server's own.
    pub(super) owner: Option<u32>,
    pub(super) password: Secret,
    pub(super) group: Group,
}

impl Machine {
    /// Opens the box and brings the desktop up.
    pub(super) async fn boot(
        blueprint: Blueprint,
        spawner: &Spawner,
        closing: &CancellationToken,
    ) -> Result<Self, BootError> {
        let Blueprint { layout, hostname, resolution, owner, password, group } = blueprint;
        prepare(&layout, owner)?;
        let mut command = sandbox::command(&layout, &hostname, owner);
        group.join(&mut command)?;
        let log = fs::File::create(layout.box_log())?;
        command.stdout(log.try_clone()?).stderr(log);
        let stopping = CancellationToken::new();
        let container = Container::follow(spawner.spawn(command).await?, stopping.clone());
        let agent = Agent::new(layout.agent_socket());
        let started = async {
            session::reach(&layout).await?;
            let desktop = session::start(&agent, &layout, resolution, &stopping);
            let (screen, network) = tokio::join!(desktop, connect(&layout, spawner));
            Ok((screen?, network))
        };
        let started = tokio::select! {
            started = started => started,
            () = stopping.cancelled() => Err(BootError::BoxClosed(last_line(&layout.box_log()))),
            () = closing.cancelled() => Err(BootError::GivenUp),
        };
        match started {
            Ok((screen, network)) => Ok(Self {
                agent,
                drawn: follow_drawing(&screen),
                screen,
                layout,
                password,
                stopping,
                container,
                group,
                spawner: spawner.clone(),
                owner,
                broadcast: Broadcast::default(),
                _network: network,
            }),
            Err(error) => {
                stopping.cancel();
                container.kill().await;
                group.remove().await;
                remove(&layout.run);
                Err(error)
            }
        }
    }

    pub(crate) fn screen(&self) -> &Arc<Screen> {
        &self.screen
    }

    /// Returns when its desktop is drawn, which takes a moment after its start; at once from then on.
    pub(crate) async fn drawn(&self) {
        self.drawn.wait().await;
    }

    /// The size of its screen as it is now.
    pub(crate) async fn resolution(&self) -> Option<Resolution> {
        let screen = Arc::clone(&self.screen);
        // The X server is asked, which blocks.
        let (width, height) = tokio::task::spawn_blocking(move || screen.size()).await.ok()?;
        Some(Resolution { width, height })
    }

    pub(crate) fn agent(&self) -> &Agent {
        &self.agent
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn password(&self) -> &Secret {
        &self.password
    }

    /// What of its sizes it is held to.
    pub(crate) fn enforced(&self) -> Enforced {
        self.group.enforced()
    }

    pub(crate) fn broadcast(&self) -> &Broadcast {
        &self.broadcast
    }

    /// Streams its screen and sound; returns once the target takes them.
    pub(crate) async fn start_stream(&self, connection: Connection) -> Result<Status, StartError> {
        let screen = Arc::clone(&self.screen);
        // The X server is asked, which blocks.
        let size = tokio::task::spawn_blocking(move || screen.size()).await.map_err(io::Error::other)?;
        let connector = |socket: PathBuf| Connector::new(move || UnixStream::connect(socket.clone()));
        let stage = Stage {
            program: self.layout.support.join(AGENT),
            display: connector(self.layout.x_socket()),
            audio: connector(self.layout.pulse_socket()),
            size,
            owner: self.owner,
            join_group: &|command| self.group.join(command),
        };
        self.broadcast.start(&self.spawner, stage, connection).await
    }

    /// Cancelled as soon as this computer begins to stop, or its box has ended by itself.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Starts a program inside with the desktop's environment, in the home.
    pub(crate) async fn spawn(&self, argv: Vec<String>, stdio: Stdio) -> Result<Process, AgentError> {
        let mut env = environment(self.layout.display);
        if matches!(stdio, Stdio::Terminal { .. }) {
            env.push(("TERM".into(), "xterm-256color".into()));
            env.push(("COLORTERM".into(), "truecolor".into()));
        }
        self.agent.spawn(Spawn { argv, env, cwd: HOME.into(), stdio }).await
    }

    /// Lets programs close, then takes the box down. Returns when nothing of it is left.
    pub(super) async fn stop(&self) {
        self.stopping.cancel();
        self.broadcast.stop().await;
        // Programs lose what they would save if their display went first.
        let closed = timeout(GRACE, self.agent.terminate(DISPLAY_SERVER)).await;
        tracing::debug!("the programs of a computer were asked to close: {closed:?}");
        self.container.kill().await;
        self.group.remove().await;
        remove(&self.layout.run);
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
async fn connect(layout: &Layout, spawner: &Spawner) -> Option<Network> {
    let connected = async {
        let log = fs::OpenOptions::new().append(true).open(layout.box_log())?;
        network::connect(&layout.agent_socket(), log, spawner).await
    };
    match connected.await {
        Ok(network) => Some(network),
        Err(error) => {
            let reason = last_line(&layout.box_log());
            tracing::warn!("a computer has no network: {error} ({reason})");
            None
        }
    }
}

fn prepare(layout: &Layout, owner: Option<u32>) -> io::Result<()> {
    remove(&layout.run);
    for folder in [layout.run.clone(), layout.x_sockets(), layout.exchange()] {
        DirBuilder::new().mode(0o700).create(&folder)?;
        if let Some(owner) = owner {
            chown(&folder, Some(owner), Some(owner))?;
        }
    }
    skeleton::furnish(&layout.home, owner)
}

fn remove(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!("cannot remove {}: {error}", folder.display());
        }
        _ => {}
    }
}

fn last_line(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().last().unwrap_or("no reason given").to_owned()
}
