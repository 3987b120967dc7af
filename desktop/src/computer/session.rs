//! Starts a computer's desktop: first the X server, then the audio server, the message bus, the window manager, the
//! wallpaper and the panel.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use crate::agent::{Agent, AgentError, Spawn, Stdio};
use crate::screen::{Connector, DesktopPart, Screen, ScreenError, Watch};

use super::environment::environment;
use super::layout::{InsidePaths, Layout};
use super::resolution::Resolution;
use super::shutdown::Shutdown;
use super::x_cookie::XCookie;

/// The timeout for the start of the agent, and for the start of the X server. Each usually takes a fraction of a
/// second.
const BOOT_TIMEOUT: Duration = Duration::from_secs(20);
/// The timeout for the start of the window manager and the audio server. The computer works without them.
const PART_TIMEOUT: Duration = Duration::from_secs(10);
/// The timeout for drawing the wallpaper and the panel.
const PAINT_TIMEOUT: Duration = Duration::from_secs(5);
/// The delay before a part that has exited is restarted.
const RESTART_DELAY: Duration = Duration::from_millis(500);

/// The reason why a computer did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BootError {
    /// bubblewrap or the agent could not be started, or the agent did not reply.
    #[error("cannot open its box: {0}")]
    Box(#[from] io::Error),
    /// The home could neither be opened nor created.
    #[error("cannot use its home: {0}")]
    Home(io::Error),
    /// The agent or the X server has ended.
    #[error("{reason}: {log}")]
    Ended { reason: String, log: String },
    /// A program could not be started.
    #[error("cannot start {program}: {error}")]
    Program { program: &'static str, error: AgentError },
    /// The display could not be used.
    #[error("cannot use its display: {0}")]
    Screen(#[from] ScreenError),
    /// The server is shutting down.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// A part was not ready in time.
    #[error("{part} was not ready in time")]
    TooSlow { part: &'static str },
    /// The socket of a part could not be reached.
    #[error("cannot reach {part}: {error}")]
    Unreachable { part: &'static str, error: io::Error },
}

impl BootError {
    /// Returns whether the settings in the home may be the cause of the failure: they can start programs and break
    /// parts of the desktop.
    pub(super) fn may_come_from_settings(&self) -> bool {
        match self {
            Self::Ended { .. } | Self::Program { .. } | Self::Screen(_) => true,
            Self::TooSlow { .. } | Self::Unreachable { .. } => true,
            Self::Box(_) | Self::Home(_) | Self::ShuttingDown => false,
        }
    }
}

/// The settings that the parts of the desktop read.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Settings {
    /// The settings in the home. The user can change them in any way.
    #[default]
    Home,
    /// Only the settings of the system.
    System,
}

impl Settings {
    /// Returns the name of the settings in the protocol.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::System => "system",
        }
    }
}

/// Waits until the agent replies.
pub(super) async fn wait_for_agent(agent: &Agent) -> Result<(), BootError> {
    timeout(BOOT_TIMEOUT, agent.hello()).await.map_err(|_| BootError::TooSlow { part: "the box" })??;
    Ok(())
}

/// A desktop that has started.
pub(super) struct Desktop {
    pub(super) screen: Arc<Screen>,
    pub(super) pointer_watch: Watch,
    /// The parts that did not start. The computer works without them, so the user can repair their settings.
    pub(super) missing: Vec<&'static str>,
}

/// Starts the desktop. Returns once the X server is ready, and the window manager and the audio server are ready or
/// have timed out. [`drawn`] waits for the wallpaper and the panel.
///
/// Parts that exit are restarted until the computer shuts down. If the X server exits, the computer ends.
pub(super) async fn start(
    agent: &Agent,
    layout: &Layout,
    resolution: Resolution,
    settings: Settings,
    shutdown: &Shutdown,
) -> Result<Desktop, BootError> {
    let deadline = Instant::now() + BOOT_TIMEOUT;
    let session = Session { agent, layout, settings, shutdown };

    session.start_display(resolution).await?;
    let audio_and_bus = async {
        session.keep_running(AUDIO_SERVER).await?;
        session.keep_running(MESSAGE_BUS).await
    };
    let ((screen, pointer_watch), ()) = tokio::try_join!(session.open_screen(deadline), audio_and_bus)?;

    session.keep_running(WINDOW_MANAGER).await?;
    // A part that is not ready by this time counts as missing.
    let deadline = Instant::now() + PART_TIMEOUT;
    let managed = wait_for_part(&screen, DesktopPart::WindowManager, deadline).await?;
    session.keep_running(DESKTOP).await?;
    session.keep_running(PANEL).await?;
    let audio_ready = wait_for(agent, layout.inside.pulse_socket(), "the audio server", deadline).await;
    let parts = [(managed, "window manager"), (audio_ready.is_ok(), "audio server")];
    let missing: Vec<_> = parts.into_iter().filter(|(is_up, _)| !is_up).map(|(_, part)| part).collect();
    if !missing.is_empty() {
        tracing::warn!("a computer runs without {}", missing.join(" and "));
    }
    Ok(Desktop { screen, pointer_watch, missing })
}

/// Waits until the wallpaper and the panel are drawn, which only screenshots need. Also returns after
/// [`PAINT_TIMEOUT`], because the user may have turned off the panel or broken the settings.
pub(super) async fn drawn(screen: Arc<Screen>) {
    match wait_for_part(&screen, DesktopPart::WallpaperAndPanel, Instant::now() + PAINT_TIMEOUT).await {
        Ok(true) => {}
        Ok(false) => tracing::warn!("the desktop of a computer was not drawn in time"),
        // The computer is stopping.
        Err(error) => tracing::debug!("the desktop of a computer was not drawn: {error}"),
    }
}

async fn wait_for_part(
    screen: &Arc<Screen>,
    part: DesktopPart,
    deadline: Instant,
) -> Result<bool, BootError> {
    let screen = Arc::clone(screen);
    // The call blocks until the X server replies.
    let waiting = tokio::task::spawn_blocking(move || screen.wait_until_ready(part, deadline.into_std()));
    Ok(waiting.await.map_err(io::Error::other)??)
}

/// A program that is part of every desktop. In the arguments and variables, `{run}`, `{user}` and `{home}` are
/// placeholders for folders of the computer.
struct Part {
    program: &'static str,
    arguments: &'static [&'static str],
    /// The environment variables that replace those of the desktop.
    variables: &'static [(&'static str, &'static str)],
}

/// The variables of parts that read nothing from the home. Files in the home can neither stop these parts nor run code
/// in them.
const NO_HOME: &[(&str, &str)] =
    &[("HOME", "{run}"), ("XDG_CONFIG_HOME", "{run}"), ("XDG_DATA_HOME", "{run}")];

/// The audio server. With `norewinds`, a recorder receives the first sample within a few milliseconds. Without this
/// option, the sink wakes up only every 2 s.
const AUDIO_SERVER: Part = Part {
    program: "pulseaudio",
    arguments: &[
        "-n",
        "--daemonize=no",
        "--exit-idle-time=-1",
        "--use-pid-file=no",
        "--disable-shm=true",
        "--log-level=error",
        "-L",
        "module-null-sink sink_name=out format=s16le rate=48000 channels=2 norewinds=1 sink_properties=device.description=Speakers",
        "-L",
        "module-native-protocol-unix socket={run}/pulse.sock auth-anonymous=1",
        "-L",
        "module-always-sink",
    ],
    variables: NO_HOME,
};
const MESSAGE_BUS: Part = Part {
    program: "dbus-daemon",
    arguments: &["--session", "--address=unix:path={user}/bus", "--nofork", "--nopidfile"],
    // Without this variable, the bus would look up its user in the user database. A computer without a box may run as a
    // user who is not in the database.
    variables: &[("XDG_DATA_HOME", "{home}/.local/share")],
};
const WINDOW_MANAGER: Part = Part { program: "openbox", arguments: &[], variables: &[] };
const DESKTOP: Part = Part { program: "pcmanfm", arguments: &["--desktop"], variables: &[] };
const PANEL: Part = Part { program: "tint2", arguments: &[], variables: &[] };

fn expand(text: &str, inside: &InsidePaths) -> String {
    text.replace("{run}", &inside.run).replace("{user}", &inside.user).replace("{home}", &inside.home)
}

/// The name of the X server's program.
pub(super) const DISPLAY_SERVER: &str = "Xvnc";

struct Session<'a> {
    agent: &'a Agent,
    layout: &'a Layout,
    settings: Settings,
    shutdown: &'a Shutdown,
}

impl Session<'_> {
    async fn start_display(&self, resolution: Resolution) -> Result<(), BootError> {
        let Layout { display, inside, key, .. } = self.layout;
        let mut argv: Vec<String> = vec![
            DISPLAY_SERVER.into(),
            format!(":{display}"),
            "-geometry".into(),
            format!("{}x{}", resolution.width, resolution.height),
            "-depth".into(),
            "24".into(),
            "-SecurityTypes".into(),
            "None".into(),
            "-rfbport".into(),
            "-1".into(),
            "-rfbunixpath".into(),
            inside.viewer_socket(),
            "-nolisten".into(),
            "tcp".into(),
            // The abstract socket is not needed, because clients use the socket in the file system.
            "-nolisten".into(),
            "local".into(),
            "-AlwaysShared".into(),
            // Without this option, the X server counts every viewer whose handshake is not complete as a failed attempt, and all
            // viewers as one host. It would refuse the sixth of several simultaneous viewers. The bridge has its own limit.
            "-BlacklistThreshold=2147483647".into(),
            // The clipboard of a screen has at most 1 MiB of text, which RFB transfers with longer line ends and a size.
            "-MaxCutText=4194304".into(),
            // As at the service, viewers do not change the size of the screen.
            "-AcceptSetDesktopSize=0".into(),
            // The session ends only with the X server, not with its last client.
            "-noreset".into(),
        ];
        if key.is_some() {
            argv.extend(["-auth".into(), inside.key_file()]);
        }
        let mut server = self.spawn(DISPLAY_SERVER, argv, NO_HOME).await?;
        let shutdown = self.shutdown.clone();
        let ended = shutdown.token().clone();
        tokio::spawn(ended.run_until_cancelled_owned(async move {
            let ended = server.exit().await;
            tracing::debug!("the X server ended: {ended:?}");
            // If the agent has ended, the state of the X server is unknown.
            shutdown.fail(if ended.is_ok() { "its X server ended" } else { "its agent ended" });
        }));
        Ok(())
    }

    /// Connects to the X server and reserves keycodes for typing. This happens before the window manager starts,
    /// because the window manager takes a long time to process a change of the keymap.
    async fn open_screen(&self, deadline: Instant) -> Result<(Arc<Screen>, Watch), BootError> {
        let socket = self.layout.x_socket();
        wait_for(self.agent, socket.clone(), "the X server", deadline).await?;
        let connector =
            Arc::new(AgentConnector { agent: self.agent.clone(), socket, key: self.layout.key.clone() });
        let opened = tokio::task::spawn_blocking(move || {
            let screen = Screen::open(connector)?;
            let pointer_watch = screen.watch_for_frozen_pointer()?;
            Ok::<_, ScreenError>((Arc::new(screen), pointer_watch))
        });
        Ok(opened.await.map_err(io::Error::other)??)
    }

    /// Starts a part, and restarts it whenever it exits.
    async fn keep_running(&self, part: Part) -> Result<(), BootError> {
        let words = std::iter::once(part.program).chain(part.arguments.iter().copied());
        let argv: Vec<String> = words.map(|word| expand(word, &self.layout.inside)).collect();
        let mut process = self.spawn(part.program, argv.clone(), part.variables).await?;
        let (agent, layout, shutdown) = (self.agent.clone(), self.layout.clone(), self.shutdown.clone());
        let settings = self.settings;
        let ended = shutdown.token().clone();
        tokio::spawn(ended.run_until_cancelled_owned(async move {
            loop {
                let ended = process.exit().await;
                tracing::debug!("{} ended: {ended:?}", part.program);
                sleep(RESTART_DELAY).await;
                let session = Session { agent: &agent, layout: &layout, settings, shutdown: &shutdown };
                match session.spawn(part.program, argv.clone(), part.variables).await {
                    Ok(again) => process = again,
                    Err(error) => return tracing::warn!("{error}"),
                }
            }
        }));
        Ok(())
    }

    async fn spawn(
        &self,
        program: &'static str,
        argv: Vec<String>,
        variables: &[(&str, &str)],
    ) -> Result<crate::agent::Process, BootError> {
        let inside = &self.layout.inside;
        let stdio = Stdio::Log { path: format!("{}/{program}.log", inside.logs) };
        let variables = match self.settings {
            Settings::Home => variables,
            Settings::System => NO_HOME,
        };
        let mut env = environment(self.layout);
        env.retain(|(name, _)| variables.iter().all(|(other, _)| name != other));
        env.extend(variables.iter().map(|&(name, value)| (name.to_owned(), expand(value, inside))));
        let spawn = Spawn { argv, env, cwd: inside.home.clone(), stdio, script: false };
        self.agent.spawn(spawn, &[]).await.map_err(|error| BootError::Program { program, error })
    }
}

/// Connects to the X server through the agent, since the user can replace the socket.
#[derive(Debug)]
struct AgentConnector {
    agent: Agent,
    socket: String,
    key: Option<XCookie>,
}

impl Connector for AgentConnector {
    fn connect(&self) -> io::Result<UnixStream> {
        self.agent.connect(&self.socket, Duration::ZERO)
    }

    fn key(&self) -> Option<&XCookie> {
        self.key.as_ref()
    }
}

/// Waits until a server inside the computer listens.
async fn wait_for(
    agent: &Agent,
    socket: String,
    part: &'static str,
    deadline: Instant,
) -> Result<(), BootError> {
    let (agent, listen_timeout) = (agent.clone(), deadline.saturating_duration_since(Instant::now()));
    let connected = tokio::task::spawn_blocking(move || agent.connect(&socket, listen_timeout)).await;
    match connected.map_err(io::Error::other)? {
        Ok(_) => Ok(()),
        Err(error) => Err(BootError::Unreachable { part, error }),
    }
}
