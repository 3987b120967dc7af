//! Starts X servers for tests.

use std::{
    io::{self, BufRead, BufReader},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{TEST_TIMEOUT, eventually};
use crate::screen::{
    Connector, Screen,
    connection::{Display, endpoint::Endpoint, limits::Limits},
};

const VIEWER_SOCKET: &str = "rfb.sock";

/// The Unix socket of an X server.
#[derive(Debug)]
pub(super) struct Socket(pub(super) PathBuf);

impl Connector for Socket {
    fn connect(&self) -> io::Result<UnixStream> {
        UnixStream::connect(&self.0)
    }
}

/// An X server and its clients for one test. Dropping this value ends the server and the clients.
pub(super) struct Server {
    xvnc: Child,
    clients: Vec<Child>,
    number: u32,
    folder: TempDir,
}

impl Server {
    pub(super) fn start() -> Self {
        Self::with_depth(24)
    }

    pub(super) fn with_depth(depth: u32) -> Self {
        let folder = TempDir::new().unwrap();
        let number = unused_number();
        let mut xvnc = Command::new("Xvnc")
            .arg(format!(":{number}"))
            .args(["-displayfd", "1", "-geometry", "1280x720", "-depth", &depth.to_string()])
            .args(["-SecurityTypes", "None", "-rfbport", "-1", "-nolisten", "tcp", "-nolisten", "local"])
            .arg("-rfbunixpath")
            .arg(folder.path().join(VIEWER_SOCKET))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the tests need tigervnc-standalone-server");
        let mut line = String::new();
        BufReader::new(xvnc.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(
            line.trim(),
            number.to_string(),
            "the server prints its number when it accepts connections"
        );
        Self { xvnc, clients: Vec::new(), number, folder }
    }

    /// Opens a screen on this server. Call this before other clients start.
    pub(super) fn screen(&self) -> Screen {
        Screen::open(self.endpoint().connector).unwrap()
    }

    /// Returns an endpoint for additional connections of the test, with a long timeout.
    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint {
            connector: Arc::new(Socket(self.socket())),
            limits: Limits { operation: TEST_TIMEOUT, ..Limits::default() },
        }
    }

    pub(super) fn socket(&self) -> PathBuf {
        format!("/tmp/.X11-unix/X{}", self.number).into()
    }

    pub(super) fn viewer_socket(&self) -> PathBuf {
        self.folder.path().join(VIEWER_SOCKET)
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Returns a temporary folder for files of the test.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a program on this server, without access to the settings and the session of the current user.
    pub(super) fn spawn(&mut self, program: &str, arguments: &[&str]) {
        let child = self.command(program).args(arguments).spawn();
        self.clients.push(child.unwrap_or_else(|error| panic!("{program}: {error}")));
    }

    pub(super) fn run(&self, program: &str, arguments: &[&str]) {
        let status = self.command(program).args(arguments).status();
        assert!(status.unwrap_or_else(|error| panic!("{program}: {error}")).success());
    }

    /// Returns the output of a program.
    pub(super) fn output(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).stdout(Stdio::piped()).output();
        String::from_utf8(output.unwrap_or_else(|error| panic!("{program}: {error}")).stdout).unwrap()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("DISPLAY", format!(":{}", self.number))
            .env("HOME", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("DBUS_SESSION_BUS_ADDRESS", "disabled:")
            .env("GSETTINGS_BACKEND", "memory")
            .env("LANG", "C.UTF-8")
            .env("NO_AT_BRIDGE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.xvnc), signal).unwrap();
    }

    /// Sends a signal to the window manager, which is the first client that was started.
    pub(super) fn signal_window_manager(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.clients[0]), signal).unwrap();
    }

    /// Stops the window manager, but not while it has grabbed the X server, which then answers no other client.
    pub(super) fn stop_window_manager(&self) {
        self.signal_window_manager(Signal::STOP);
        while Display::connect(&self.endpoint()).is_err() {
            self.signal_window_manager(Signal::CONT);
            self.signal_window_manager(Signal::STOP);
        }
    }

    /// Kills the X server.
    pub(super) fn crash(&mut self) {
        self.xvnc.kill().unwrap();
        self.xvnc.wait().unwrap();
    }

    /// Starts the window manager and waits until it manages windows. The window manager ignores windows that appear
    /// earlier.
    pub(super) fn manage_windows(&mut self) {
        let ready = self.folder().join("window-manager-ready");
        self.spawn("openbox", &["--startup", &format!("touch {}", ready.display())]);
        eventually("the window manager", || ready.exists().then_some(()));
    }
}

/// Returns a display number that other test processes are unlikely to use. An automatic number could be the
/// number of a crashed server.
fn unused_number() -> u32 {
    const PER_PROCESS: u32 = 64;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    1000 + std::process::id() % 900 * PER_PROCESS + NEXT.fetch_add(1, Ordering::Relaxed) % PER_PROCESS
}

impl Drop for Server {
    fn drop(&mut self) {
        for client in &mut self.clients {
            let _ = client.kill();
            let _ = client.wait();
        }
        // SIGTERM lets the server remove its socket and lock file.
        let _ = kill_process(Pid::from_child(&self.xvnc), Signal::CONT);
        let _ = kill_process(Pid::from_child(&self.xvnc), Signal::TERM);
        let _ = self.xvnc.wait();
        let _ = std::fs::remove_file(self.socket());
        let _ = std::fs::remove_file(format!("/tmp/.X{}-lock", self.number));
    }
}
