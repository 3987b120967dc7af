//! The agent's side of the socket.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde::Serialize;

use super::protocol::{FileReply, Reply, Request, Spawn, Stdio};
use super::roster::Roster;
use super::table::Table;
use super::{files, kill, spawn};

/// How often the process list is read while somebody watches it.
const TABLE_INTERVAL: Duration = Duration::from_millis(150);

/// Answers connections on `socket` until the box ends.
pub(crate) fn serve(socket: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(socket)?;
    let roster = Arc::new(Roster::default());
    for connection in listener.incoming() {
        let connection = connection?;
        let roster = Arc::clone(&roster);
        thread::spawn(move || {
            // An error here is the server's hanging up, which needs no answer.
            let _ = answer(&connection, &roster);
        });
    }
    Ok(())
}

fn answer(connection: &UnixStream, roster: &Roster) -> io::Result<()> {
    let mut line = String::new();
    BufReader::new(connection).read_line(&mut line)?;
    match serde_json::from_str(&line)? {
        Request::Spawn(request) => run(connection, &request, roster),
        Request::WatchProcesses => watch(connection, roster),
        Request::Terminate { spared } => {
            kill::terminate_all(&spared);
            Ok(())
        }
        Request::OpenFile { path } => open_file(connection, &path),
        Request::PlaceFile { folder, name } => place_file(connection, &folder, &name),
    }
}

fn open_file(connection: &UnixStream, path: &str) -> io::Result<()> {
    match files::open(path) {
        Ok(file) => {
            send_output(connection, Some(&file.into()))?;
            say(connection, &FileReply::Done)
        }
        Err(refusal) => {
            send_output(connection, None)?;
            say(connection, &FileReply::Refused(refusal))
        }
    }
}

fn place_file(mut connection: &UnixStream, folder: &str, name: &str) -> io::Result<()> {
    let (file, arrival) = match files::Arrival::begin() {
        Ok(begun) => begun,
        Err(refusal) => {
            send_output(connection, None)?;
            return say(connection, &FileReply::Refused(refusal));
        }
    };
    send_output(connection, Some(&file.into()))?;
    // Hanging up instead of saying so means that it is not complete.
    connection.read_exact(&mut [0])?;
    match arrival.place(folder, name) {
        Ok(()) => say(connection, &FileReply::Done),
        Err(refusal) => say(connection, &FileReply::Refused(refusal)),
    }
}

fn run(connection: &UnixStream, request: &Spawn, roster: &Roster) -> io::Result<()> {
    let marker = kill::Marker::next();
    let is_helper = spawn::is_helper(&request.stdio);
    let (mut child, output) = match roster.start(is_helper, || spawn::spawn(request, &marker)) {
        Ok(started) => started,
        Err(error) => {
            send_output(connection, None)?;
            return say(connection, &Reply::Failed { message: error.to_string() });
        }
    };
    send_output(connection, output.as_ref())?;
    // The server has its own now; with this one open a pipe's writers would never learn that nobody reads.
    drop(output);
    say(connection, &Reply::Started)?;
    let ended = Arc::new(AtomicBool::new(false));
    // A terminal hangs up on its own, and what was put in the background there with nohup is meant to stay.
    if !matches!(request.stdio, Stdio::Terminal { .. }) {
        let tree =
            kill::Tree { leader: child.id(), supervised: spawn::is_supervised(&request.stdio), marker };
        kill_on_hang_up(connection.try_clone()?, tree, Arc::clone(&ended));
    }
    let code = exit_code(child.wait()?);
    roster.ended(child.id());
    ended.store(true, Ordering::Release);
    say(connection, &Reply::Exited { code })?;
    connection.shutdown(std::net::Shutdown::Write)
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Once the process has ended by itself, what it left in the background stays: that is how a command starts a program.
fn kill_on_hang_up(mut connection: UnixStream, tree: kill::Tree, ended: Arc<AtomicBool>) {
    thread::spawn(move || {
        let hung_up = !matches!(connection.read(&mut [0]), Ok(1));
        if hung_up && !ended.load(Ordering::Acquire) {
            tree.kill();
        }
    });
}

fn watch(mut connection: &UnixStream, roster: &Roster) -> io::Result<()> {
    let mut table = Table::default();
    // What runs already is no change.
    table.refresh(roster);
    send_output(connection, None)?;
    loop {
        for change in table.refresh(roster) {
            say(connection, &change)?;
        }
        // The write fails once the server has gone, also while nothing changes.
        connection.write_all(b"\n")?;
        thread::sleep(TABLE_INTERVAL);
    }
}

fn say(mut connection: &UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    connection.write_all(&line)
}

fn send_output(connection: &UnixStream, output: Option<&OwnedFd>) -> io::Result<()> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = output.map(|output| [output.as_fd()]);
    if let Some(descriptors) = &descriptors {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    sendmsg(connection, &[io::IoSlice::new(&[0])], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}
