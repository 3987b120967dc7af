//! The agent's side of the agent protocol.

#![expect(clippy::disallowed_methods, reason = "runs inside the box, with the rights of the computer's user")]

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::{AsFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{RecvFlags, SendFlags};
use serde::Serialize;

use super::children::Children;
use super::connect::connect_to;
use super::folders::FolderWatcher;
use super::process_list::ProcessList;
use super::protocol::{Exit, Refusal, Reply, Request, Spawn, SpawnReply, Stdio};
use super::script::Script;
use super::{files, harden, kill, spawn};
use crate::untrusted::transfer;

/// The interval at which the process list is read while it is watched.
const PROCESS_LIST_INTERVAL: Duration = Duration::from_millis(150);
/// The maximum time that the server may take to send a request that the agent refuses.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// The folders that the agent uses.
#[derive(Debug)]
pub(crate) struct AgentPaths {
    pub(crate) home: PathBuf,
    /// The folder for the source files of `exec` calls. In a box, the folder is in memory, so `exec` works even if the
    /// disk is full.
    pub(crate) scratch: PathBuf,
}

/// The state that the agent's threads share.
#[derive(Debug)]
struct Shared {
    paths: AgentPaths,
    children: Children,
}

/// Serves the requests that arrive on the socket `control`. Returns when the server closes the socket, which ends the
/// computer.
pub(crate) fn serve(control: RawFd, paths: AgentPaths) -> io::Result<()> {
    harden::harden()?;
    // SAFETY: the server passed this descriptor when it started the process, and nothing else in the process uses it.
    let control = unsafe { OwnedFd::from_raw_fd(control) };
    fcntl_setfd(&control, FdFlags::CLOEXEC)?;
    let shared = Arc::new(Shared { paths, children: Children::default() });
    let reaper = Arc::clone(&shared);
    thread::Builder::new().spawn(move || reaper.children.reap())?;
    loop {
        let (received, connections) = match transfer::receive(&control, &mut [0], RecvFlags::empty()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            received => received?,
        };
        if received == 0 {
            shared.children.close();
            // A box ends its processes automatically. Without a box, the computer's processes would outlive the agent.
            while !kill::kill_descendants(std::process::id().cast_signed(), &HashSet::new()) {}
            return Ok(());
        }
        for connection in connections.into_iter().map(UnixStream::from) {
            let shared = Arc::clone(&shared);
            let refusing = connection.try_clone();
            let started = thread::Builder::new().spawn(move || {
                // An error here means that the server has closed the connection.
                let _ = handle_request(&connection, &shared);
            });
            if let (Err(error), Ok(connection)) = (started, refusing) {
                // The server may have closed the connection.
                let _ = refuse(&connection, &error);
            }
        }
    }
}

fn handle_request(connection: &UnixStream, Shared { paths, children }: &Shared) -> io::Result<()> {
    let (request, passed) = receive_request(connection)?;
    match request {
        Request::Hello => reply(connection, None, &Reply::Done),
        Request::Spawn(request) => run_process(connection, &request, passed, paths, children),
        Request::WatchProcesses => watch_processes(connection, children),
        Request::WatchFolders { folders } => {
            let folders = FolderWatcher::watch(&paths.home, &folders)?;
            send_first_byte(connection, None)?;
            folders.follow(connection, |change| send_line(connection, change))
        }
        Request::Terminate { excluded } => {
            send_first_byte(connection, None)?;
            kill::terminate_all(&excluded);
            Ok(())
        }
        Request::OpenFile { path } => {
            reply_with(connection, files::open(&paths.home, &path).map(OwnedFd::from))
        }
        Request::PlaceFile { folder, name } => place_file(connection, &paths.home, &folder, &name),
        Request::Connect { path, listen_timeout_ms } => {
            let connected = connect_to(&path, Duration::from_millis(listen_timeout_ms));
            reply_with(connection, connected.map(OwnedFd::from).map_err(refusal))
        }
        Request::OpenNetwork => {
            reply_with(connection, File::open("/proc/self/ns/net").map(OwnedFd::from).map_err(refusal))
        }
        Request::FindTerminals => reply_with(connection, spawn::terminals().map_err(refusal)),
    }
}

fn receive_request(connection: &UnixStream) -> io::Result<(Request, Vec<OwnedFd>)> {
    let mut first = [0];
    let (received, passed) = transfer::receive(connection, &mut first, RecvFlags::empty())?;
    let mut line = first[..received].to_vec();
    BufReader::new(connection).read_until(b'\n', &mut line)?;
    Ok((serde_json::from_slice(&line)?, passed))
}

fn place_file(mut connection: &UnixStream, home: &Path, folder: &str, name: &str) -> io::Result<()> {
    let (file, incoming) = match files::IncomingFile::create(home) {
        Ok(created) => created,
        Err(refusal) => return reply(connection, None, &Reply::Refused(refusal)),
    };
    send_first_byte(connection, Some(&file.into()))?;
    // If the server closes the connection instead of sending this byte, the file is incomplete.
    connection.read_exact(&mut [0])?;
    match incoming.place(folder, name) {
        Ok(()) => send_line(connection, &Reply::Done),
        Err(refusal) => send_line(connection, &Reply::Refused(refusal)),
    }
}

fn run_process(
    connection: &UnixStream,
    request: &Spawn,
    passed: Vec<OwnedFd>,
    paths: &AgentPaths,
    children: &Children,
) -> io::Result<()> {
    let marker = kill::Marker::next();
    let is_helper = spawn::is_helper(&request.stdio);
    let mut passed = passed.into_iter();
    let terminal = if matches!(request.stdio, Stdio::Terminal { .. }) { passed.next() } else { None };
    let script = match request.script.then(|| Script::receive(&paths.scratch, passed.collect())).transpose() {
        Ok(script) => script,
        Err(error) => return reply_not_started(connection, &error),
    };
    let start = || spawn::spawn(request, terminal.as_ref(), script.as_ref(), &marker);
    let (pid, output) = match children.start(is_helper, start) {
        Ok(started) => started,
        Err(error) => return reply_not_started(connection, &error),
    };
    let ended = Arc::new(AtomicBool::new(false));
    // A terminal needs no such thread: it hangs up automatically, and programs that were started with `nohup` keep
    // running.
    if !matches!(request.stdio, Stdio::Terminal { .. }) {
        let supervised = spawn::is_supervised(&request.stdio);
        let tree = Arc::new(kill::ProcessTree { leader: pid, supervised, marker });
        if let Err(error) = kill_on_hangup(connection.try_clone()?, Arc::clone(&tree), Arc::clone(&ended)) {
            // Without this thread nothing would kill the process at its time limit.
            tree.kill();
            children.wait(pid);
            return reply_not_started(connection, &error);
        }
    }
    send_first_byte(connection, output.as_ref())?;
    drop(terminal);
    // The server now has a duplicate of the output. The pipe of a command stays open here, so background processes
    // still have a reader after the server has closed its duplicate. Any other pipe is closed here: otherwise the
    // writers of the pipe would not detect that the reader has closed it.
    let output = output.filter(|_| spawn::is_supervised(&request.stdio));
    send_line(connection, &SpawnReply::Started)?;
    let end = end(children.wait(pid));
    ended.store(true, Ordering::Release);
    drop(script);
    send_line(connection, &SpawnReply::Exited(end))?;
    connection.shutdown(std::net::Shutdown::Write)?;
    if let Some(output) = output {
        // Returns once the server has read the remaining output and closed the connection.
        let _ = (&*connection).read(&mut [0]);
        io::copy(&mut File::from(output), &mut io::sink())?;
    }
    Ok(())
}

/// Refuses a request on the calling thread, because no other thread could be started. Reads the request first, since
/// the server cannot read a reply before it has sent its request.
fn refuse(connection: &UnixStream, error: &io::Error) -> io::Result<()> {
    connection.set_read_timeout(Some(REFUSAL_TIMEOUT))?;
    receive_request(connection)?;
    reply_not_started(connection, error)
}

fn reply_not_started(connection: &UnixStream, error: &io::Error) -> io::Result<()> {
    let exhausted = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory);
    reply(connection, None, &SpawnReply::Failed { message: error.to_string(), exhausted })
}

fn end(status: ExitStatus) -> Exit {
    let signal = status.signal();
    Exit { code: status.code().unwrap_or_else(|| 128 + signal.unwrap_or(0)), signal }
}

/// Starts a thread that kills the tree if the server closes the connection before the process has exited. After the
/// exit, background processes keep running, so that a command can start a program.
fn kill_on_hangup(
    mut connection: UnixStream,
    tree: Arc<kill::ProcessTree>,
    ended: Arc<AtomicBool>,
) -> io::Result<()> {
    thread::Builder::new().spawn(move || {
        let hung_up = !matches!(connection.read(&mut [0]), Ok(1));
        if hung_up && !ended.load(Ordering::Acquire) {
            tree.kill();
        }
    })?;
    Ok(())
}

fn watch_processes(mut connection: &UnixStream, children: &Children) -> io::Result<()> {
    let mut process_list = ProcessList::default();
    // Processes that are already running are not reported as changes.
    process_list.refresh(children);
    send_first_byte(connection, None)?;
    loop {
        for change in process_list.refresh(children) {
            send_line(connection, &change)?;
        }
        // Sends a keep-alive. The write fails once the server has closed the connection, even if no process starts or
        // ends.
        connection.write_all(b"\n")?;
        thread::sleep(PROCESS_LIST_INTERVAL);
    }
}

#[expect(clippy::needless_pass_by_value, reason = "passed to `map_err`")]
fn refusal(error: io::Error) -> Refusal {
    Refusal::Failed(error.to_string())
}

/// Replies with the opened descriptor, or with the reason why there is none.
fn reply_with(connection: &UnixStream, opened: Result<OwnedFd, Refusal>) -> io::Result<()> {
    match opened {
        Ok(descriptor) => reply(connection, Some(&descriptor), &Reply::Done),
        Err(refusal) => reply(connection, None, &Reply::Refused(refusal)),
    }
}

fn reply(connection: &UnixStream, descriptor: Option<&OwnedFd>, message: &impl Serialize) -> io::Result<()> {
    send_first_byte(connection, descriptor)?;
    send_line(connection, message)
}

/// Sends the first byte of a reply, with a descriptor if there is one.
fn send_first_byte(connection: &UnixStream, descriptor: Option<&OwnedFd>) -> io::Result<()> {
    let descriptors: Vec<_> = descriptor.iter().map(|descriptor| descriptor.as_fd()).collect();
    transfer::send(connection, &[0], &descriptors, SendFlags::empty())?;
    Ok(())
}

fn send_line(mut connection: &UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    connection.write_all(&line)
}
