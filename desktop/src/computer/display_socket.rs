//! The socket of a computer's X server.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use crate::screen::Dial;

/// Time limit for a connection to be accepted into the queue.
const LIMIT: Duration = Duration::from_secs(10);
/// Delay between two attempts while the queue is full.
const INTERVAL: Duration = Duration::from_millis(5);

/// A Unix socket at a path.
#[derive(Debug)]
pub(super) struct DisplaySocket(pub(super) PathBuf);

impl Dial for DisplaySocket {
    fn dial(&self) -> io::Result<UnixStream> {
        let address = SocketAddrUnix::new(&self.0)?;
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        let end = Instant::now() + LIMIT;
        loop {
            match connect(&socket, &address) {
                Ok(()) => return Ok(socket.into()),
                // The queue is full. A blocking socket would wait indefinitely.
                Err(Errno::AGAIN) if Instant::now() < end => thread::sleep(INTERVAL),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_server_that_takes_connections_late_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("X1");
        let listener = UnixListener::bind(&path).unwrap();
        // A queue with room for one connection.
        rustix::net::listen(&listener, 0).unwrap();
        let socket = DisplaySocket(path);
        let _first = socket.dial().unwrap();
        thread::scope(|scope| {
            let second = scope.spawn(|| socket.dial());
            listener.accept().unwrap();
            listener.accept().unwrap();
            second.join().unwrap().unwrap();
        });
    }

    #[test]
    fn no_server_is_an_error_at_once() {
        assert!(DisplaySocket("/nonexistent/X1".into()).dial().is_err());
    }
}
