//! The server's side of the agent protocol.
//!
//! Programs in the computer can neither kill nor trace the agent, nor replace its socket. The server does not trust the
//! agent anyway: it limits the time for a reply and the length of a line, and checks every descriptor.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{mem, thread};

use rustix::net::{RecvFlags, SendFlags};
use rustix::termios::{InputModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::connect;
use super::protocol::{Exit, FolderChange, ProcessChange, Refusal, Reply, Request, Spawn, SpawnReply, Stdio};
use crate::untrusted::descriptor::{self, Access, Terminal};
use crate::untrusted::{Lines, transfer};

/// The delay between two attempts to write to the agent's socket while the socket is full.
const RETRY_DELAY: Duration = Duration::from_millis(1);
/// The maximum number of open requests per computer: commands, terminals, audio recorders and watches.
const MAX_REQUESTS: usize = 256;
/// The maximum length of a reply that [`Agent::connect`] reads, in bytes.
const MAX_REPLY_BYTES: usize = 4 * 1024;

/// The maximum times to wait for the agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// The timeout for a reply.
    pub(super) reply: Duration,
    /// The timeout for a connection, in addition to the time that the target server may take to listen.
    pub(super) connect: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { reply: Duration::from_secs(30), connect: 2 * connect::BACKLOG_TIMEOUT }
    }
}

/// The reason why the agent could not start a process or report changes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgentError {
    /// The program could not be executed.
    #[error("{0}")]
    NotStarted(String),
    /// The computer has reached a limit on processes, threads or memory.
    #[error("the computer cannot start another process: {0}")]
    Exhausted(String),
    /// The agent did not reply, or its reply was invalid.
    #[error("the computer's agent does not reply: {0}")]
    Lost(#[from] io::Error),
}

/// The reason why a file could not be opened or stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The agent did not reply, its reply was invalid, or the disk failed.
    #[error("cannot access the computer's files: {0}")]
    Lost(#[from] io::Error),
}

/// A handle to the agent of one computer. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Agent(Arc<Inner>);

/// The device that opens the terminals of a computer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TerminalDevice {
    /// The device in the box. Only the agent can open it for the server.
    Box,
    Host,
}

#[derive(Debug)]
struct Inner {
    control: UnixStream,
    /// The host user ID that all processes of the computer run as.
    owner: u32,
    terminals: TerminalDevice,
    timeouts: Timeouts,
    permits: Arc<Semaphore>,
}

/// A handle to a process inside the computer.
///
/// Dropping the handle before the process has exited kills the process and the processes that it started. If the
/// process has a terminal, dropping the handle hangs up the terminal instead.
#[derive(Debug)]
pub(crate) struct Process {
    exchange: Exchange,
    output: Option<OwnedFd>,
}

/// A stream of changes that the agent reports, one per line.
#[derive(Debug)]
pub(crate) struct Changes<T> {
    exchange: Exchange,
    kind: std::marker::PhantomData<T>,
}

impl Agent {
    /// Creates a client of an agent. `control` is the server's end of the socket pair. The agent received the other end
    /// when it was started.
    pub(crate) fn new(control: UnixStream, owner: u32, terminals: TerminalDevice) -> io::Result<Self> {
        Self::with_timeouts(control, owner, terminals, Timeouts::default())
    }

    pub(super) fn with_timeouts(
        control: UnixStream,
        owner: u32,
        terminals: TerminalDevice,
        timeouts: Timeouts,
    ) -> io::Result<Self> {
        control.set_nonblocking(true)?;
        let permits = Arc::new(Semaphore::new(MAX_REQUESTS));
        Ok(Self(Arc::new(Inner { control, owner, terminals, timeouts, permits })))
    }

    /// Waits until the agent replies.
    pub(crate) async fn hello(&self) -> io::Result<()> {
        let (mut exchange, _) = self.send_request(&Request::Hello, &[]).await?;
        exchange.reply().await?.map_err(io::Error::other)
    }

    /// Starts a process. `passed` contains the descriptors for the source and the report of a script.
    pub(crate) async fn spawn(&self, spawn: Spawn, passed: &[BorrowedFd<'_>]) -> Result<Process, AgentError> {
        let terminal = match spawn.stdio {
            Stdio::Terminal { cols, rows } => Some(self.open_terminal(cols, rows).await?),
            _ => None,
        };
        let slave = terminal.iter().map(|terminal| terminal.slave.as_fd());
        let passed: Vec<_> = slave.chain(passed.iter().copied()).collect();
        let (mut exchange, output) = self.send_request(&Request::Spawn(spawn), &passed).await?;
        match exchange.spawn_reply().await? {
            SpawnReply::Started => {
                let output = match terminal {
                    Some(terminal) => Some(terminal.master),
                    None => output.as_ref().and_then(descriptor::output),
                };
                Ok(Process { exchange, output })
            }
            SpawnReply::Failed { message, exhausted: true } => Err(AgentError::Exhausted(message)),
            SpawnReply::Failed { message, exhausted: false } => Err(AgentError::NotStarted(message)),
            SpawnReply::Exited(_) => Err(unexpected_reply().into()),
        }
    }

    /// Opens a terminal in the computer.
    ///
    /// The agent of a box only passes the device. If the agent opened the terminal itself, it could keep a duplicate of
    /// the master side, and use the duplicate to block the server's threads.
    async fn open_terminal(&self, cols: u16, rows: u16) -> io::Result<Terminal> {
        let terminal = match self.0.terminals {
            TerminalDevice::Host => descriptor::open_terminal_of_host(self.0.owner)?,
            TerminalDevice::Box => {
                let (mut exchange, device) = self.send_request(&Request::FindTerminals, &[]).await?;
                exchange.reply().await?.map_err(io::Error::other)?;
                descriptor::open_terminal(&device.ok_or_else(unexpected_reply)?, self.0.owner)?
            }
        };
        tcsetwinsize(&terminal.master, Winsize { ws_col: cols, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 })?;
        let mut modes = tcgetattr(&terminal.master)?;
        // Without this flag, Backspace at a program's prompt would remove only one byte of a multi-byte character.
        modes.input_modes |= InputModes::IUTF8;
        tcsetattr(&terminal.master, OptionalActions::Now, &modes)?;
        Ok(terminal)
    }

    /// Returns a stream of the processes that start and end from now on.
    pub(crate) async fn watch_processes(&self) -> Result<Changes<ProcessChange>, AgentError> {
        self.watch(&Request::WatchProcesses).await
    }

    /// Returns a stream of the changes in folders of the home from now on.
    pub(crate) async fn watch_folders(&self, folders: &[&str]) -> Result<Changes<FolderChange>, AgentError> {
        let folders = folders.iter().map(|&folder| folder.to_owned()).collect();
        self.watch(&Request::WatchFolders { folders }).await
    }

    async fn watch<T>(&self, request: &Request) -> Result<Changes<T>, AgentError> {
        let (exchange, _) = self.send_request(request, &[]).await?;
        Ok(Changes { exchange, kind: std::marker::PhantomData })
    }

    /// Sends SIGTERM to every process of the computer, except those named `excluded`. Returns when all of them have
    /// exited. Some processes may never exit, so callers need a timeout.
    pub(crate) async fn terminate(&self, excluded: &str) -> Result<(), AgentError> {
        let (exchange, _) =
            self.send_request(&Request::Terminate { excluded: excluded.to_owned() }, &[]).await?;
        exchange.end().await?;
        Ok(())
    }

    /// Opens a file in the home, with the rights of the computer's user.
    pub(crate) async fn open_file(&self, path: String) -> Result<File, FileError> {
        let (mut exchange, file) = self.send_request(&Request::OpenFile { path }, &[]).await?;
        exchange.reply().await??;
        Ok(file.and_then(|file| descriptor::regular_file(file, Access::Read)).ok_or(Refusal::NotAFile)?)
    }

    /// Copies `source` into a folder of the home. Replaces a file of the same name.
    pub(crate) async fn place_file(
        &self,
        mut source: File,
        folder: &str,
        name: String,
    ) -> Result<(), FileError> {
        let request = Request::PlaceFile { folder: folder.to_owned(), name };
        let (mut exchange, copy) = self.send_request(&request, &[]).await?;
        let Some(copy) = copy else { return Ok(exchange.reply().await??) };
        let mut copy = descriptor::regular_file(copy, Access::Write).ok_or(Refusal::NotAFile)?;
        // Disk I/O blocks, so another thread copies the file.
        let copied = tokio::task::spawn_blocking(move || io::copy(&mut source, &mut copy)).await;
        let copied = copied.map_err(io::Error::other)?;
        copied.map_err(|error| Refusal::Failed(format!("cannot write its content: {error}")))?;
        exchange.confirm().await?;
        Ok(exchange.reply().await??)
    }

    /// Opens the network namespace of the box. The returned descriptor is a namespace, but the caller must check that
    /// it is a network namespace.
    pub(crate) async fn network(&self) -> io::Result<OwnedFd> {
        let (_, network) = self.send_request(&Request::OpenNetwork, &[]).await?;
        network.and_then(descriptor::namespace).ok_or_else(unexpected_reply)
    }

    /// Connects to the server at `path` inside the computer. Waits up to `listen_timeout` until the server listens.
    /// Blocks the calling thread.
    pub(crate) fn connect(&self, path: &str, listen_timeout: Duration) -> io::Result<UnixStream> {
        let deadline = Instant::now() + self.0.timeouts.connect + listen_timeout;
        let _permit = self.permit()?;
        let (mut own, other) = UnixStream::pair()?;
        while !self.pass_to_agent(&other)? {
            thread::sleep(RETRY_DELAY);
            self.time_left(deadline)?;
        }
        drop(other);
        let listen_timeout_ms = u64::try_from(listen_timeout.as_millis()).unwrap_or(u64::MAX);
        own.write_all(&encode_request(&Request::Connect { path: path.to_owned(), listen_timeout_ms })?)?;
        own.set_read_timeout(Some(self.time_left(deadline)?))?;
        let (received, mut descriptors) = transfer::receive(&own, &mut [0], RecvFlags::empty())?;
        if received == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut reply = Vec::new();
        // The agent closes the connection after the reply. The socket's timeout applies to a single read, so the
        // deadline is checked before each read: an agent could send one byte at a time.
        loop {
            own.set_read_timeout(Some(self.time_left(deadline)?))?;
            let mut chunk = [0; MAX_REPLY_BYTES];
            match own.read(&mut chunk[reply.len()..]) {
                Ok(0) => break,
                Ok(length) => reply.extend_from_slice(&chunk[reply.len()..][..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        match serde_json::from_slice(&reply).map_err(|_| unexpected_reply())? {
            Reply::Done => {
                descriptor::connection(descriptors.pop().ok_or_else(unexpected_reply)?, self.0.owner)
            }
            Reply::Refused(refusal) => Err(io::Error::other(refusal)),
        }
    }

    /// Sends a request. Returns after the first byte of the reply, with the descriptor that this byte carried, if any.
    async fn send_request(
        &self,
        request: &Request,
        passed: &[BorrowedFd<'_>],
    ) -> io::Result<(Exchange, Option<OwnedFd>)> {
        let permit = self.permit()?;
        let exchange = async {
            let (own, other) = UnixStream::pair()?;
            own.set_nonblocking(true)?;
            while !self.pass_to_agent(&other)? {
                sleep(RETRY_DELAY).await;
            }
            drop(other);
            let mut own = tokio::net::UnixStream::from_std(own)?;
            let line = encode_request(request)?;
            let write = || transfer::send(&own, &line, passed, SendFlags::empty());
            let sent = own.async_io(Interest::WRITABLE, write).await?;
            own.write_all(&line[sent..]).await?;
            let read = || transfer::receive(&own, &mut [0], RecvFlags::empty());
            let (received, mut descriptors) = own.async_io(Interest::READABLE, read).await?;
            if received == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            Ok((own, descriptors.pop()))
        };
        let limit = self.0.timeouts.reply;
        let (own, descriptor) = timeout(limit, exchange).await.map_err(|_| timeout_error(limit))??;
        Ok((Exchange { lines: Lines::new(own), limit, _permit: permit }, descriptor))
    }

    fn time_left(&self, deadline: Instant) -> io::Result<Duration> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(timeout_error(self.0.timeouts.connect)) } else { Ok(left) }
    }

    fn permit(&self) -> io::Result<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.0.permits).try_acquire_owned();
        permit.map_err(|_| io::Error::other("too many commands and terminals are open"))
    }

    /// Passes `end`, one end of a socket pair, to the agent. Returns `false` if the agent's socket is full.
    fn pass_to_agent(&self, end: &UnixStream) -> io::Result<bool> {
        match transfer::send(&self.0.control, &[0], &[end.as_fd()], SendFlags::DONTWAIT) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The connection of a request that was sent to the agent.
#[derive(Debug)]
struct Exchange {
    lines: Lines<tokio::net::UnixStream>,
    /// The timeout of a reply.
    limit: Duration,
    _permit: OwnedSemaphorePermit,
}

impl Exchange {
    /// Returns the next line, without a timeout.
    async fn line<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        let line = self.lines.next().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        // The error of serde_json is dropped, because it quotes the line.
        serde_json::from_str(&line).map_err(|_| unexpected_reply())
    }

    async fn spawn_reply(&mut self) -> io::Result<SpawnReply> {
        let limit = self.limit;
        timeout(limit, self.line()).await.map_err(|_| timeout_error(limit))?
    }

    async fn reply(&mut self) -> io::Result<Result<(), Refusal>> {
        let limit = self.limit;
        let reply = timeout(limit, self.line()).await.map_err(|_| timeout_error(limit))??;
        Ok(match reply {
            Reply::Done => Ok(()),
            Reply::Refused(refusal) => Err(refusal),
        })
    }

    async fn confirm(&mut self) -> io::Result<()> {
        let limit = self.limit;
        timeout(limit, self.lines.get_mut().write_all(&[0])).await.map_err(|_| timeout_error(limit))?
    }

    /// Waits until the agent closes the connection.
    async fn end(mut self) -> io::Result<()> {
        while self.lines.get_mut().read(&mut [0; 64]).await? > 0 {}
        Ok(())
    }
}

impl Process {
    /// Takes the server's end of the process's output: a pipe, or the master side of a terminal. Returns `None` on
    /// later calls.
    pub(crate) fn take_output(&mut self) -> Option<OwnedFd> {
        mem::take(&mut self.output)
    }

    /// Waits until the process exits.
    pub(crate) async fn exit(&mut self) -> Result<Exit, AgentError> {
        match self.exchange.line().await? {
            SpawnReply::Exited(end) => Ok(end),
            SpawnReply::Started | SpawnReply::Failed { .. } => Err(unexpected_reply().into()),
        }
    }
}

impl<T: DeserializeOwned> Changes<T> {
    /// Returns the next change, or `None` when the computer has ended.
    pub(crate) async fn next(&mut self) -> Option<T> {
        loop {
            let line = self.exchange.lines.next().await.ok()??;
            // An empty line is a keep-alive.
            if !line.is_empty() {
                return serde_json::from_str(&line).ok();
            }
        }
    }
}

fn encode_request(request: &Request) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    Ok(line)
}

fn timeout_error(limit: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("no reply within {} s", limit.as_secs()))
}

fn unexpected_reply() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "invalid reply")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the client of an agent that sends `pieces` in reply to the first request, one piece every 20 ms. After
    /// that the agent stays silent and keeps the connection open.
    fn agent(pieces: Vec<Vec<u8>>) -> Agent {
        let (own, control) = UnixStream::pair().expect("there is enough space");
        thread::spawn(move || {
            let (_, asking) =
                transfer::receive(&control, &mut [0], RecvFlags::empty()).expect("a request arrives");
            for piece in pieces {
                // Fails once the caller has timed out.
                let _ = transfer::send(&asking[0], &piece, &[], SendFlags::empty());
                thread::sleep(Duration::from_millis(20));
            }
            // Later requests get no reply either.
            while transfer::receive(&control, &mut [0], RecvFlags::empty())
                .is_ok_and(|(length, _)| length > 0)
            {}
        });
        let timeouts = Timeouts { reply: Duration::from_millis(200), connect: Duration::from_millis(200) };
        Agent::with_timeouts(own, 0, TerminalDevice::Box, timeouts).expect("the socket can be set up")
    }

    #[test]
    fn a_connection_times_out_even_if_the_reply_arrives_byte_by_byte() {
        let began = Instant::now();
        let drip = vec![vec![b' ']; 2000];
        let error = agent(drip).connect("/x", Duration::ZERO).expect_err("the reply is invalid");
        assert!(matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock), "{error}");
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn control_characters_are_removed_from_reasons() {
        for line in [
            &b"\0{\"refused\":{\"failed\":\"\\u001b[2Jno\"}}\n"[..],
            b"\0{\"\\u001b[2Jno\":1}\n",
            b"\0\x1b[2Jno\n",
        ] {
            let error = agent(vec![line.to_vec()]).hello().await.expect_err("the request is refused");
            let text = format!("{error} {error:?}");
            assert!(!text.contains('\u{1b}') && !text.contains("u{1b}"), "{text}");
        }
    }
}
