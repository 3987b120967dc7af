//! Connects to a server inside the computer by the path of its Unix socket, with the rights of the computer's user.

use std::io;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

/// The maximum time that a server with a full backlog may take to accept a connection, in addition to the time that it
/// may take to listen.
pub(super) const BACKLOG_TIMEOUT: Duration = Duration::from_secs(10);
/// The interval between two attempts while the server does not listen yet.
const RETRY_INTERVAL: Duration = Duration::from_millis(1);

/// Connects to the server at `path` as soon as it listens. Retries at an interval, because there is no notification
/// when a server starts to listen, and the socket appears in the file system a moment before it accepts connections.
pub(super) fn connect_to(path: &str, listen_timeout: Duration) -> io::Result<UnixStream> {
    let began = Instant::now();
    loop {
        match try_connect(path) {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                // The backlog is full. A blocking socket would wait without a limit.
                let waits = error.kind() == io::ErrorKind::WouldBlock;
                let limit = if waits { listen_timeout + BACKLOG_TIMEOUT } else { listen_timeout };
                if began.elapsed() >= limit {
                    return Err(error);
                }
            }
        }
        thread::sleep(RETRY_INTERVAL);
    }
}

fn try_connect(path: &str) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    loop {
        match connect(&socket, &address) {
            Err(Errno::INTR) => {}
            connected => break connected?,
        }
    }
    fcntl_setfl(&socket, OFlags::empty())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn connecting_waits_while_the_backlog_is_full() {
        let folder = tempfile::tempdir().expect("the tests may write to /tmp");
        let path = folder.path().join("X1");
        let path = path.to_str().expect("the text is valid UTF-8");
        let listener = UnixListener::bind(path).expect("the folder is writable");
        // The backlog has space for one connection, so the first connection fills it.
        rustix::net::listen(&listener, 0).expect("the socket is bound");
        let _first = connect_to(path, Duration::ZERO).expect("the backlog has space");
        thread::scope(|scope| {
            let second = scope.spawn(|| connect_to(path, Duration::ZERO));
            listener.accept().expect("the first has connected");
            listener.accept().expect("the second connects");
            second.join().expect("the thread does not panic").expect("the backlog has space now");
        });
    }

    #[test]
    fn connecting_waits_for_a_server_only_within_the_timeout() {
        let folder = tempfile::tempdir().expect("the tests may write to /tmp");
        let path = folder.path().join("X1");
        let path = path.to_str().expect("the text is valid UTF-8");
        assert!(connect_to(path, Duration::ZERO).is_err());
        thread::scope(|scope| {
            let early = scope.spawn(|| connect_to(path, Duration::from_secs(60)));
            let listener = UnixListener::bind(path).expect("the folder is writable");
            listener.accept().expect("the client connects");
            early.join().expect("the thread does not panic").expect("the server listens now");
        });
    }
}
