//! The server's side of the agent's socket.

use std::fs::File;
use std::io::{self, BufRead as _, IoSliceMut, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::protocol::{FileRefusal, FileReply, Reply, Request, Spawn, TableChange};

/// Why a process could not be started or followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgentError {
    /// The program could not be executed.
    #[error("{0}")]
    NotStarted(String),
    /// The box no longer answers.
    #[error("the computer's agent does not answer: {0}")]
    Lost(#[from] io::Error),
}

/// Why a file could not be opened or placed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error(transparent)]
    Refused(#[from] FileRefusal),
    /// The box no longer answers, or the disk does not.
    #[error("the computer's files cannot be reached: {0}")]
    Lost(#[from] io::Error),
}

/// How long the agent may take to open a file or to give it its name.
const FILE_LIMIT: Duration = Duration::from_secs(10);

/// The way into one box.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    socket: PathBuf,
}

/// A process inside the box. Dropping it before its end kills it and all that it started, unless it has a terminal,
/// which hangs up instead.
#[derive(Debug)]
pub(crate) struct Process {
    lines: BufReader<tokio::net::UnixStream>,
    output: Option<OwnedFd>,
}

/// The processes that start and end in the box.
#[derive(Debug)]
pub(crate) struct ProcessTable {
    lines: BufReader<tokio::net::UnixStream>,
}

impl Agent {
    pub(crate) fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Starts a process in the box.
    pub(crate) async fn spawn(&self, spawn: Spawn) -> Result<Process, AgentError> {
        let (lines, output) = self.request(Request::Spawn(spawn)).await?;
        let mut process = Process { lines, output };
        match process.reply().await? {
            Reply::Started => Ok(process),
            Reply::Failed { message } => Err(AgentError::NotStarted(message)),
            Reply::Exited { .. } => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
        }
    }

    /// Follows the processes that start and end from now on.
    pub(crate) async fn watch_processes(&self) -> Result<ProcessTable, AgentError> {
        let (lines, _) = self.request(Request::WatchProcesses).await?;
        Ok(ProcessTable { lines })
    }

    /// Asks every process of the box to end, but for those named `spared`; returns when they have, which some never do.
    pub(crate) async fn terminate(&self, spared: &str) -> Result<(), AgentError> {
        let (socket, spared) = (self.socket.clone(), spared.to_owned());
        blocking(move || {
            let connection = send(&socket, &Request::Terminate { spared })?;
            // The agent closes the connection when it is done.
            io::copy(&mut &connection, &mut io::sink())?;
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// Opens a file of the home, as the computer's user sees it.
    pub(crate) async fn open_file(&self, path: String) -> Result<File, FileError> {
        let socket = self.socket.clone();
        blocking(move || {
            let connection = send(&socket, &Request::OpenFile { path })?;
            connection.set_read_timeout(Some(FILE_LIMIT))?;
            let file = receive_output(&connection)?;
            Ok(expect_done(&connection)?.and_then(|()| regular(file)))
        })
        .await?
        .map_err(FileError::from)
    }

    /// Puts a copy of `source` into a folder of the home, in place of another file of that name.
    pub(crate) async fn place_file(
        &self,
        mut source: File,
        folder: &str,
        name: String,
    ) -> Result<(), FileError> {
        let (socket, folder) = (self.socket.clone(), folder.to_owned());
        blocking(move || {
            let mut connection = send(&socket, &Request::PlaceFile { folder, name })?;
            connection.set_read_timeout(Some(FILE_LIMIT))?;
            match receive_output(&connection)? {
                None => expect_done(&connection),
                file => match regular(file) {
                    Ok(mut copy) => {
                        io::copy(&mut source, &mut copy)?;
                        drop(copy);
                        connection.write_all(&[0])?;
                        expect_done(&connection)
                    }
                    Err(refusal) => Ok(Err(refusal)),
                },
            }
        })
        .await?
        .map_err(FileError::from)
    }

    async fn request(
        &self,
        request: Request,
    ) -> io::Result<(BufReader<tokio::net::UnixStream>, Option<OwnedFd>)> {
        let socket = self.socket.clone();
        let (connection, output) = blocking(move || {
            let connection = send(&socket, &request)?;
            let output = receive_output(&connection)?;
            connection.set_nonblocking(true)?;
            Ok((connection, output))
        })
        .await?;
        Ok((BufReader::new(tokio::net::UnixStream::from_std(connection)?), output))
    }
}

impl Process {
    /// The end of its output that is read here, once: a pipe, or a terminal's master side.
    pub(crate) fn take_output(&mut self) -> Option<OwnedFd> {
        self.output.take()
    }

    /// Waits for its end and gives the exit code.
    pub(crate) async fn exit(&mut self) -> Result<i32, AgentError> {
        match self.reply().await? {
            Reply::Exited { code } => Ok(code),
            Reply::Started | Reply::Failed { .. } => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
        }
    }

    async fn reply(&mut self) -> io::Result<Reply> {
        let mut line = String::new();
        if self.lines.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl ProcessTable {
    /// The next change; `None` when the box has ended.
    pub(crate) async fn next(&mut self) -> Option<TableChange> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            // An empty line only proves that the watch still goes on.
            if line != "\n" {
                return serde_json::from_str(&line).ok();
            }
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

fn send(socket: &std::path::Path, request: &Request) -> io::Result<UnixStream> {
    let mut connection = UnixStream::connect(socket)?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    connection.write_all(&line)?;
    Ok(connection)
}

fn expect_done(connection: &UnixStream) -> io::Result<Result<(), FileRefusal>> {
    let mut line = String::new();
    if io::BufReader::new(connection).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(match serde_json::from_str(&line)? {
        FileReply::Done => Ok(()),
        FileReply::Refused(refusal) => Err(refusal),
    })
}

/// What is inside the box is its user's to change, the agent too: a pipe in place of a file would hold the server up.
fn regular(file: Option<OwnedFd>) -> Result<File, FileRefusal> {
    file.map(File::from)
        .filter(|file| file.metadata().is_ok_and(|metadata| metadata.is_file()))
        .ok_or(FileRefusal::NotAFile)
}

/// Reads the single byte that carries the descriptor of the output.
fn receive_output(connection: &UnixStream) -> io::Result<Option<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let received =
        recvmsg(connection, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    }))
}
