//! Bringing up what runs in a box: the X server first, then the desktop and the sound server around it.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use crate::agent::{Agent, AgentError, Spawn, Stdio};
use crate::screen::{Connector, DesktopPart, Screen, ScreenError};

use super::display_key::DisplayKey;
use super::ending::Ending;
use super::environment::environment;
use super::layout::{Inside, Layout};
use super::resolution::Resolution;

/// How long a desktop may take to come up; a warm one takes a fraction of a second.
const BOOT_LIMIT: Duration = Duration::from_secs(20);
/// How long a part may take that the rest can do without.
const PART_LIMIT: Duration = Duration::from_secs(10);
/// How long the wallpaper and the panel may take after that.
const PAINT_LIMIT: Duration = Duration::from_secs(5);
/// How soon a part of the desktop that ended is started again.
const RESTART_DELAY: Duration = Duration::from_millis(500);

/// Why a computer did not come up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BootError {
    /// bubblewrap, or the agent in the box.
    #[error("cannot open its box: {0}")]
    Box(#[from] io::Error),
    /// Its home can be neither used nor made.
    #[error("cannot use its home: {0}")]
    Home(io::Error),
    /// The box closed again, or its X server ended.
    #[error("{reason}: {log}")]
    Ended { reason: String, log: String },
    /// A program could not be started.
    #[error("cannot start {program}: {error}")]
    Program { program: &'static str, error: AgentError },
    /// The display could not be used.
    #[error("cannot use its display: {0}")]
    Screen(#[from] ScreenError),
    /// The server goes down.
    #[error("the server is going down")]
    GivenUp,
    /// A part did not get ready.
    #[error("{part} did not get ready in time")]
    TooSlow { part: &'static str },
    /// A part's socket was not reached.
    #[error("cannot reach {part}: {error}")]
    Unreachable { part: &'static str, error: io::Error },
}

impl BootError {
    /// Whether a program that the settings in the home start, or a part that they break, may be the reason.
    pub(super) fn may_come_from_settings(&self) -> bool {
        match self {
            Self::Ended { .. } | Self::Program { .. } | Self::Screen(_) => true,
            Self::TooSlow { .. } | Self::Unreachable { .. } => true,
            Self::Box(_) | Self::Home(_) | Self::GivenUp => false,
        }
    }
}

/// Which settings the parts of the desktop read.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Settings {
    /// Those in the home, which are the user's and may do anything.
    #[default]
    Home,
    /// The system's alone.
    System,
}

impl Settings {
    /// As responses name them.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::System => "system",
        }
    }
}

/// Waits for the agent.
pub(super) async fn reach(agent: &Agent) -> Result<(), BootError> {
    timeout(BOOT_LIMIT, agent.hello()).await.map_err(|_| BootError::TooSlow { part: "the box" })??;
    Ok(())
}

/// A desktop after its start.
pub(super) struct Desktop {
    pub(super) screen: Arc<Screen>,
    /// The parts that did not come up. The rest works, so that the user can repair what is wrong with them.
    pub(super) missing: Vec<&'static str>,
}

/// Starts everything and returns once the X server, the window manager and the sound server are ready; what is drawn on the
/// screen comes [later](drawn). The parts are started again when they end, until `ending`; when the X server ends the whole
/// computer does.
pub(super) async fn start(
    agent: &Agent,
    layout: &Layout,
    resolution: Resolution,
    settings: Settings,
    ending: &Ending,
) -> Result<Desktop, BootError> {
    let deadline = Instant::now() + BOOT_LIMIT;
    let session = Session { agent, layout, settings, ending };

    session.start_display(resolution).await?;
    let around = async {
        session.keep(SOUND_SERVER).await?;
        session.keep(MESSAGE_BUS).await
    };
    let (screen, ()) = tokio::try_join!(session.open_screen(deadline), around)?;

    session.keep(WINDOW_MANAGER).await?;
    // By then the parts that need none have no more to wait for.
    let deadline = Instant::now() + PART_LIMIT;
    let managed = shows(&screen, DesktopPart::WindowManager, deadline).await?;
    session.keep(DESKTOP).await?;
    session.keep(PANEL).await?;
    let heard = wait_for(agent, layout.inside.pulse_socket(), "the sound server", deadline).await;
    let parts = [(managed, "window manager"), (heard.is_ok(), "audio server")];
    let missing: Vec<_> = parts.into_iter().filter(|(is_up, _)| !is_up).map(|(_, part)| part).collect();
    if !missing.is_empty() {
        tracing::warn!("a computer runs without its {}", missing.join(" and its "));
    }
    Ok(Desktop { screen, missing })
}

/// Waits for the wallpaper and the panel, which nothing but a picture of the screen needs. Its user may have turned the panel
/// off, or broken the settings of either, so it gives up after a while.
pub(super) async fn drawn(screen: Arc<Screen>) {
    match shows(&screen, DesktopPart::WallpaperAndPanel, Instant::now() + PAINT_LIMIT).await {
        Ok(true) => {}
        Ok(false) => tracing::warn!("the desktop of a computer did not get drawn in time"),
        // It stops already.
        Err(error) => tracing::debug!("the desktop of a computer did not get drawn: {error}"),
    }
}

async fn shows(screen: &Arc<Screen>, part: DesktopPart, deadline: Instant) -> Result<bool, BootError> {
    let screen = Arc::clone(screen);
    // The X server is asked, which blocks.
    let waiting = tokio::task::spawn_blocking(move || screen.wait_until_ready(part, deadline.into_std()));
    Ok(waiting.await.map_err(io::Error::other)??)
}

/// A program that is part of every desktop. In arguments and values `{run}`, `{user}` and `{home}` stand for folders of the computer.
struct Part {
    program: &'static str,
    arguments: &'static [&'static str],
    /// Variables that it gets instead of the desktop's.
    variables: &'static [(&'static str, &'static str)],
}

/// For parts that have nothing to find in the home: what the user puts there can neither stop them nor run in them.
const NO_HOME: &[(&str, &str)] =
    &[("HOME", "{run}"), ("XDG_CONFIG_HOME", "{run}"), ("XDG_DATA_HOME", "{run}")];

/// `norewinds` lets a recorder hear the first sample within a few milliseconds: without it the sink wakes every 2 s.
const SOUND_SERVER: Part = Part {
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
    // Without it the bus looks its user up, who without a box may have no entry in the database of users.
    variables: &[("XDG_DATA_HOME", "{home}/.local/share")],
};
const WINDOW_MANAGER: Part = Part { program: "openbox", arguments: &[], variables: &[] };
const DESKTOP: Part = Part { program: "pcmanfm", arguments: &["--desktop"], variables: &[] };
const PANEL: Part = Part { program: "tint2", arguments: &[], variables: &[] };

fn filled(text: &str, inside: &Inside) -> String {
    text.replace("{run}", &inside.run).replace("{user}", &inside.user).replace("{home}", &inside.home)
}

/// The program of the X server.
pub(super) const DISPLAY_SERVER: &str = "Xvnc";

struct Session<'a> {
    agent: &'a Agent,
    layout: &'a Layout,
    settings: Settings,
    ending: &'a Ending,
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
            format!("{}/rfb.sock", inside.run),
            "-nolisten".into(),
            "tcp".into(),
            // Nobody looks for the abstract socket, since the other one is there too.
            "-nolisten".into(),
            "local".into(),
            "-AlwaysShared".into(),
            // Nothing that a program does ends the session but the end of the server itself.
            "-noreset".into(),
        ];
        if key.is_some() {
            argv.extend(["-auth".into(), inside.key_file()]);
        }
        let mut server = self.spawn(DISPLAY_SERVER, argv, NO_HOME).await?;
        let ending = self.ending.clone();
        let ended = ending.token().clone();
        tokio::spawn(ended.run_until_cancelled_owned(async move {
            let ended = server.exit().await;
            tracing::debug!("the X server ended: {ended:?}");
            // Without its agent nothing is known of the X server.
            ending.because(if ended.is_ok() { "its X server ended" } else { "its agent ended" });
        }));
        Ok(())
    }

    /// Also reserves keycodes for typing: before the window manager starts, since a change of the key map makes it work long.
    async fn open_screen(&self, deadline: Instant) -> Result<Arc<Screen>, BootError> {
        let socket = self.layout.x_socket();
        wait_for(self.agent, socket.clone(), "the X server", deadline).await?;
        let dialer = Arc::new(Dialer { agent: self.agent.clone(), socket, key: self.layout.key.clone() });
        let opened = tokio::task::spawn_blocking(move || Screen::open(dialer)).await;
        Ok(Arc::new(opened.map_err(io::Error::other)??))
    }

    /// Starts a part now and again whenever it ends.
    async fn keep(&self, part: Part) -> Result<(), BootError> {
        let words = std::iter::once(part.program).chain(part.arguments.iter().copied());
        let argv: Vec<String> = words.map(|word| filled(word, &self.layout.inside)).collect();
        let mut process = self.spawn(part.program, argv.clone(), part.variables).await?;
        let (agent, layout, ending) = (self.agent.clone(), self.layout.clone(), self.ending.clone());
        let settings = self.settings;
        let ended = ending.token().clone();
        tokio::spawn(ended.run_until_cancelled_owned(async move {
            loop {
                let ended = process.exit().await;
                tracing::debug!("{} ended: {ended:?}", part.program);
                sleep(RESTART_DELAY).await;
                let session = Session { agent: &agent, layout: &layout, settings, ending: &ending };
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
        env.extend(variables.iter().map(|&(name, value)| (name.to_owned(), filled(value, inside))));
        let spawn = Spawn { argv, env, cwd: inside.home.clone(), stdio, script: false };
        self.agent.spawn(spawn, &[]).await.map_err(|error| BootError::Program { program, error })
    }
}

/// How the screen is connected to, again and again: by the agent, since the user can replace the socket.
#[derive(Debug)]
struct Dialer {
    agent: Agent,
    socket: String,
    key: Option<DisplayKey>,
}

impl Connector for Dialer {
    fn connect(&self) -> io::Result<UnixStream> {
        self.agent.connect(&self.socket, Duration::ZERO)
    }

    fn key(&self) -> Option<&DisplayKey> {
        self.key.as_ref()
    }
}

/// Waits until a server inside listens.
async fn wait_for(
    agent: &Agent,
    socket: String,
    part: &'static str,
    deadline: Instant,
) -> Result<(), BootError> {
    let (agent, patience) = (agent.clone(), deadline.saturating_duration_since(Instant::now()));
    let connected = tokio::task::spawn_blocking(move || agent.connect(&socket, patience)).await;
    match connected.map_err(io::Error::other)? {
        Ok(_) => Ok(()),
        Err(error) => Err(BootError::Unreachable { part, error }),
    }
}
