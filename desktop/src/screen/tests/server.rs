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
    connection::{endpoint::Endpoint, limits::Limits},
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

/// An X server of the test's own, with what runs on it. All of it ends with the test.
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
            .expect("tigervnc-standalone-server is installed where the tests run");
        let mut line = String::new();
        BufReader::new(xvnc.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(
            line.trim(),
            number.to_string(),
            "the server writes its number once it accepts connections"
        );
        Self { xvnc, clients: Vec::new(), number, folder }
    }

    /// A screen on this server, opened before anything else runs there.
    pub(super) fn screen(&self) -> Screen {
        Screen::open(self.endpoint().connector).unwrap()
    }

    /// For connections of the test's own, each of which may last as long as the test.
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

    /// A folder for files of the test.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a program on this server, away from the settings and the session of whoever runs the test.
    pub(super) fn spawn(&mut self, program: &str, arguments: &[&str]) {
        let child = self.command(program).args(arguments).spawn();
        self.clients.push(child.unwrap_or_else(|error| panic!("{program}: {error}")));
    }

    pub(super) fn run(&self, program: &str, arguments: &[&str]) {
        let status = self.command(program).args(arguments).status();
        assert!(status.unwrap_or_else(|error| panic!("{program}: {error}")).success());
    }

    /// What a program prints.
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

    /// Ends the X server as a crash would.
    pub(super) fn crash(&mut self) {
        self.xvnc.kill().unwrap();
        self.xvnc.wait().unwrap();
    }

    /// Starts the window manager and waits until it manages windows: it loses those that appear a moment before.
    pub(super) fn manage_windows(&mut self) {
        let ready = self.folder().join("window-manager-ready");
        self.spawn("openbox", &["--startup", &format!("touch {}", ready.display())]);
        eventually("the window manager", || ready.exists().then_some(()));
    }
}

/// A display number of this process alone: a server that picks its own takes over that of one that crashed.
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
        // Gently, since a killed server would leave its socket and lock file behind.
        let _ = kill_process(Pid::from_child(&self.xvnc), Signal::CONT);
        let _ = kill_process(Pid::from_child(&self.xvnc), Signal::TERM);
        let _ = self.xvnc.wait();
        let _ = std::fs::remove_file(self.socket());
        let _ = std::fs::remove_file(format!("/tmp/.X{}-lock", self.number));
    }
}
