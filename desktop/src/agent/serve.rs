//! The agent's side of the socket.

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

use super::connect::connect_to;
use super::folders::Folders;
use super::protocol::{End, Refusal, Reply, Request, Spawn, Stdio, Verdict};
use super::roster::Roster;
use super::script::Script;
use super::table::Table;
use super::{files, harden, kill, spawn};
use crate::untrusted::transfer;

/// How often the process list is read while somebody watches it.
const TABLE_INTERVAL: Duration = Duration::from_millis(150);
/// How long the server may take to send a request that is refused.
const REFUSAL_LIMIT: Duration = Duration::from_secs(1);

/// Where the agent works.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) home: PathBuf,
    /// Where programs of `exec` lie. In a box it is in memory: they run even if the disk is full.
    pub(crate) scratch: PathBuf,
}

/// What the threads of the agent share.
#[derive(Debug)]
struct Site {
    ground: Ground,
    roster: Roster,
}

/// Answers the requests that come by the socket `control` until the server hangs up, which ends the computer.
pub(crate) fn serve(control: RawFd, ground: Ground) -> io::Result<()> {
    harden::harden()?;
    // SAFETY: the server started this process with that descriptor, and nothing here knows of it yet.
    let control = unsafe { OwnedFd::from_raw_fd(control) };
    fcntl_setfd(&control, FdFlags::CLOEXEC)?;
    let site = Arc::new(Site { ground, roster: Roster::default() });
    let reaper = Arc::clone(&site);
    thread::Builder::new().spawn(move || reaper.roster.reap())?;
    loop {
        let (received, connections) = match transfer::receive(&control, &mut [0], RecvFlags::empty()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            received => received?,
        };
        if received == 0 {
            site.roster.close();
            // A box does so by itself; else what the computer's user started would outlive it.
            while !kill::end_descendants(std::process::id().cast_signed(), &HashSet::new()) {}
            return Ok(());
        }
        for connection in connections.into_iter().map(UnixStream::from) {
            let site = Arc::clone(&site);
            let refusing = connection.try_clone();
            let started = thread::Builder::new().spawn(move || {
                // An error here is the server's hanging up, which needs no answer.
                let _ = answer(&connection, &site);
            });
            if let (Err(error), Ok(connection)) = (started, refusing) {
                // The server may have gone.
                let _ = refuse(&connection, &error);
            }
        }
    }
}

fn answer(connection: &UnixStream, Site { ground, roster }: &Site) -> io::Result<()> {
    let (request, given) = receive_request(connection)?;
    match request {
        Request::Hello => reply(connection, None, &Verdict::Done),
        Request::Spawn(request) => run(connection, &request, given, ground, roster),
        Request::WatchProcesses => watch_processes(connection, roster),
        Request::WatchFolders { folders } => {
            let folders = Folders::watch(&ground.home, &folders)?;
            pass(connection, None)?;
            folders.follow(connection, |change| say(connection, change))
        }
        Request::Terminate { spared } => {
            pass(connection, None)?;
            kill::terminate_all(&spared);
            Ok(())
        }
        Request::OpenFile { path } => judge(connection, files::open(&ground.home, &path).map(OwnedFd::from)),
        Request::PlaceFile { folder, name } => place_file(connection, &ground.home, &folder, &name),
        Request::Connect { path, patience_ms } => {
            let connected = connect_to(&path, Duration::from_millis(patience_ms));
            judge(connection, connected.map(OwnedFd::from).map_err(refusal))
        }
        Request::OpenNetwork => {
            judge(connection, File::open("/proc/self/ns/net").map(OwnedFd::from).map_err(refusal))
        }
        Request::FindTerminals => judge(connection, spawn::terminals().map_err(refusal)),
    }
}

fn receive_request(connection: &UnixStream) -> io::Result<(Request, Vec<OwnedFd>)> {
    let mut first = [0];
    let (received, given) = transfer::receive(connection, &mut first, RecvFlags::empty())?;
    let mut line = first[..received].to_vec();
    BufReader::new(connection).read_until(b'\n', &mut line)?;
    Ok((serde_json::from_slice(&line)?, given))
}

fn place_file(mut connection: &UnixStream, home: &Path, folder: &str, name: &str) -> io::Result<()> {
    let (file, arrival) = match files::Arrival::begin(home) {
        Ok(begun) => begun,
        Err(refusal) => return reply(connection, None, &Verdict::Refused(refusal)),
    };
    pass(connection, Some(&file.into()))?;
    // Hanging up instead of saying so means that it is not complete.
    connection.read_exact(&mut [0])?;
    match arrival.place(folder, name) {
        Ok(()) => say(connection, &Verdict::Done),
        Err(refusal) => say(connection, &Verdict::Refused(refusal)),
    }
}

fn run(
    connection: &UnixStream,
    request: &Spawn,
    given: Vec<OwnedFd>,
    ground: &Ground,
    roster: &Roster,
) -> io::Result<()> {
    let marker = kill::Marker::next();
    let is_helper = spawn::is_helper(&request.stdio);
    let mut given = given.into_iter();
    let terminal = if matches!(request.stdio, Stdio::Terminal { .. }) { given.next() } else { None };
    let script = match request.script.then(|| Script::receive(&ground.scratch, given.collect())).transpose() {
        Ok(script) => script,
        Err(error) => return not_started(connection, &error),
    };
    let start = || spawn::spawn(request, terminal.as_ref(), script.as_ref(), &marker);
    let (pid, output) = match roster.start(is_helper, start) {
        Ok(started) => started,
        Err(error) => return not_started(connection, &error),
    };
    let ended = Arc::new(AtomicBool::new(false));
    // A terminal hangs up on its own, and what was put in the background there with nohup is meant to stay.
    if !matches!(request.stdio, Stdio::Terminal { .. }) {
        let supervised = spawn::is_supervised(&request.stdio);
        let tree = Arc::new(kill::Tree { leader: pid, supervised, marker });
        if let Err(error) = kill_on_hang_up(connection.try_clone()?, Arc::clone(&tree), Arc::clone(&ended)) {
            // Nothing would end it at its limit.
            tree.kill();
            roster.wait(pid);
            return not_started(connection, &error);
        }
    }
    pass(connection, output.as_ref())?;
    drop(terminal);
    // The server has its own now. What a command leaves in the background must find a reader when the server no longer is
    // one; for others, with this one open a pipe's writers would never learn that nobody reads.
    let output = output.filter(|_| spawn::is_supervised(&request.stdio));
    say(connection, &Reply::Started)?;
    let end = end(roster.wait(pid));
    ended.store(true, Ordering::Release);
    drop(script);
    say(connection, &Reply::Exited(end))?;
    connection.shutdown(std::net::Shutdown::Write)?;
    if let Some(output) = output {
        // It hangs up once it has read what there is.
        let _ = (&*connection).read(&mut [0]);
        io::copy(&mut File::from(output), &mut io::sink())?;
    }
    Ok(())
}

/// Answers here and now, where there is no room for a thread. A reply that came before its request could not be read.
fn refuse(connection: &UnixStream, error: &io::Error) -> io::Result<()> {
    connection.set_read_timeout(Some(REFUSAL_LIMIT))?;
    receive_request(connection)?;
    not_started(connection, error)
}

fn not_started(connection: &UnixStream, error: &io::Error) -> io::Result<()> {
    let exhausted = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::OutOfMemory);
    reply(connection, None, &Reply::Failed { message: error.to_string(), exhausted })
}

fn end(status: ExitStatus) -> End {
    let signal = status.signal();
    End { code: status.code().unwrap_or_else(|| 128 + signal.unwrap_or(0)), signal }
}

/// Once the process has ended by itself, what it left in the background stays: that is how a command starts a program.
fn kill_on_hang_up(
    mut connection: UnixStream,
    tree: Arc<kill::Tree>,
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

fn watch_processes(mut connection: &UnixStream, roster: &Roster) -> io::Result<()> {
    let mut table = Table::default();
    // What runs already is no change.
    table.refresh(roster);
    pass(connection, None)?;
    loop {
        for change in table.refresh(roster) {
            say(connection, &change)?;
        }
        // The write fails once the server has gone, also while nothing changes.
        connection.write_all(b"\n")?;
        thread::sleep(TABLE_INTERVAL);
    }
}

#[expect(clippy::needless_pass_by_value, reason = "results are mapped by it")]
fn refusal(error: io::Error) -> Refusal {
    Refusal::Failed(error.to_string())
}

/// Passes a descriptor that was asked for, or says why there is none.
fn judge(connection: &UnixStream, opened: Result<OwnedFd, Refusal>) -> io::Result<()> {
    match opened {
        Ok(descriptor) => reply(connection, Some(&descriptor), &Verdict::Done),
        Err(refusal) => reply(connection, None, &Verdict::Refused(refusal)),
    }
}

fn reply(connection: &UnixStream, descriptor: Option<&OwnedFd>, message: &impl Serialize) -> io::Result<()> {
    pass(connection, descriptor)?;
    say(connection, message)
}

/// Sends the first byte of a reply, with the descriptor that it carries.
fn pass(connection: &UnixStream, descriptor: Option<&OwnedFd>) -> io::Result<()> {
    let descriptors: Vec<_> = descriptor.iter().map(|descriptor| descriptor.as_fd()).collect();
    transfer::send(connection, &[0], &descriptors, SendFlags::empty())?;
    Ok(())
}

fn say(mut connection: &UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    connection.write_all(&line)
}
