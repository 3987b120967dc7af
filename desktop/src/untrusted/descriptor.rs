//! Descriptors that came from inside a computer: each is checked to be what it was asked for.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::fs::{FileType, FsWord, PROC_SUPER_MAGIC, fstat, fstatfs};
use rustix::net::sockopt::{socket_domain, socket_peercred, socket_type};
use rustix::net::{AddressFamily, SocketType};
use rustix::termios::isatty;

/// `SYSFS_MAGIC` of `linux/magic.h`.
const SYSFS_MAGIC: FsWord = 0x6265_6572;

/// A regular file with bytes of its own. Files of `/proc` and `/sys` call themselves regular too, but reading one may wait for
/// ever or never end.
pub(crate) fn regular_file(descriptor: OwnedFd) -> Option<File> {
    let is_regular = has_type(&descriptor, FileType::RegularFile);
    let is_stored =
        fstatfs(&descriptor).is_ok_and(|system| ![PROC_SUPER_MAGIC, SYSFS_MAGIC].contains(&system.f_type));
    (is_regular && is_stored).then(|| File::from(descriptor))
}

/// A pipe or a terminal: what the output of a process comes from.
pub(crate) fn output(descriptor: OwnedFd) -> Option<OwnedFd> {
    (has_type(&descriptor, FileType::Fifo) || isatty(&descriptor)).then_some(descriptor)
}

/// A connection of the Unix domain whose other end belongs to the user `owner`.
pub(crate) fn connection(descriptor: OwnedFd, owner: u32) -> io::Result<UnixStream> {
    let is_stream =
        socket_domain(&descriptor)? == AddressFamily::UNIX && socket_type(&descriptor)? == SocketType::STREAM;
    if !is_stream || socket_peercred(&descriptor)?.uid.as_raw() != owner {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the agent passed a foreign descriptor"));
    }
    Ok(descriptor.into())
}

fn has_type(descriptor: &OwnedFd, expected: FileType) -> bool {
    fstat(descriptor.as_fd()).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == expected)
}

#[cfg(test)]
mod tests {
    use rustix::process::getuid;

    use super::*;

    fn own(path: &str) -> OwnedFd {
        File::open(path).expect("every system has it").into()
    }

    #[test]
    fn only_a_stored_file_is_one() {
        let stored = tempfile::tempfile().expect("the tests may write to /tmp");
        assert!(regular_file(stored.into()).is_some());
        for path in ["/proc/version", "/dev/zero", "/"] {
            assert!(regular_file(own(path)).is_none(), "{path}");
        }
        let (read, _write) = rustix::pipe::pipe().expect("there is room");
        assert!(regular_file(read).is_none());
    }

    #[test]
    fn output_comes_from_a_pipe_or_a_terminal() {
        let (read, _write) = rustix::pipe::pipe().expect("there is room");
        assert!(output(read).is_some());
        for path in ["/dev/zero", "/proc/version", "/"] {
            assert!(output(own(path)).is_none(), "{path}");
        }
    }

    #[test]
    fn a_connection_is_a_socket_of_the_right_user() {
        let user = getuid().as_raw();
        let pair = || UnixStream::pair().expect("there is room").0.into();
        assert!(connection(pair(), user).is_ok());
        assert!(connection(pair(), user + 1).is_err());
        assert!(connection(own("/dev/null"), user).is_err());
        let network = std::net::UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
        assert!(connection(network.into(), user).is_err());
    }
}
