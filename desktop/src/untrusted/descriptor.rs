//! Checks descriptors that come from inside a computer.
//!
//! Code inside the computer may keep a duplicate of each descriptor and change the state that duplicates share: the
//! file offset and the non-blocking flag.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::fs::{
    FileType, FsWord, Gid, Mode, OFlags, PROC_SUPER_MAGIC, StatFs, Uid, fchown, fcntl_getfl, fstat, fstatfs,
    major, minor, open,
};
use rustix::net::sockopt::{socket_domain, socket_peercred, socket_type};
use rustix::net::{AddressFamily, SocketType, getpeername};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};

/// The types of file systems, from `linux/magic.h`.
const NSFS_MAGIC: FsWord = 0x6e73_6673;
const TMPFS_MAGIC: FsWord = 0x0102_1994;
const DEVPTS_SUPER_MAGIC: FsWord = 0x1cd1;

/// The major and minor device number of `ptmx`, the device that opens terminals.
const PTMX: (u32, u32) = (5, 2);

/// The access for which a descriptor must be open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Returns a descriptor as a file, if it is a regular file that stores data and is open for `access`.
///
/// Files in `/proc` and `/sys` also have the type of a regular file, but they do not store data. A read may block
/// forever or never reach the end, and a write may be a command to the kernel.
pub(crate) fn regular_file(descriptor: OwnedFd, access: Access) -> Option<File> {
    let is_regular = has_type(&descriptor, FileType::RegularFile) && allows(&descriptor, access);
    (is_regular && fstatfs(&descriptor).is_ok_and(|system| stores_files(&system)))
        .then(|| File::from(descriptor))
}

/// Returns whether a file system stores files. Virtual file systems have no blocks, but neither has a `tmpfs` without a
/// size limit.
fn stores_files(system: &StatFs) -> bool {
    system.f_type == TMPFS_MAGIC || system.f_blocks > 0 && system.f_type != PROC_SUPER_MAGIC
}

/// Returns a new descriptor for the output of a process, if `descriptor` is the read end of a pipe.
pub(crate) fn output(descriptor: &OwnedFd) -> Option<OwnedFd> {
    let is_readable_pipe = has_type(descriptor, FileType::Fifo) && allows(descriptor, Access::Read);
    is_readable_pipe.then(|| reopen_pipe(descriptor)).flatten()
}

/// Opens a pipe again through its descriptor. The new descriptor shares no flags with a duplicate inside the computer,
/// so code there cannot make a read of the server block.
#[expect(
    clippy::disallowed_methods,
    reason = "the path leads to the pipe of that descriptor, which the computer cannot change"
)]
fn reopen_pipe(descriptor: &OwnedFd) -> Option<OwnedFd> {
    let itself = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
    open(itself, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// Both sides of a terminal. No other process has a duplicate.
#[derive(Debug)]
pub(crate) struct Terminal {
    pub(crate) master: OwnedFd,
    pub(crate) slave: OwnedFd,
}

/// Opens a terminal for the user `owner` with a computer's terminal device. `device` may be an `O_PATH` descriptor.
pub(crate) fn open_terminal(device: &OwnedFd, owner: u32) -> io::Result<Terminal> {
    let status = fstat(device)?;
    let is_device = FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice
        && (major(status.st_rdev), minor(status.st_rdev)) == PTMX
        && fstatfs(device)?.f_type == DEVPTS_SUPER_MAGIC;
    if !is_device {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the agent passed a descriptor of a wrong type or owner",
        ));
    }
    open_terminal_at(&format!("/proc/self/fd/{}", device.as_raw_fd()), owner)
}

/// Opens a terminal with the terminal device of the host.
pub(crate) fn open_terminal_of_host(owner: u32) -> io::Result<Terminal> {
    open_terminal_at("/dev/ptmx", owner)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the path leads to the device of a checked descriptor or of the host, which the computer cannot change"
)]
fn open_terminal_at(device: &str, owner: u32) -> io::Result<Terminal> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let master = open(device, flags | OFlags::NONBLOCK, Mode::empty())?;
    unlockpt(&master)?;
    let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    // The kernel makes the user of this process the owner of the terminal. The group may be another group.
    if fstat(&slave)?.st_uid != owner {
        fchown(&slave, Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner)))?;
    }
    Ok(Terminal { master, slave })
}

/// Returns a descriptor as a socket, if it is a connected Unix stream socket whose peer belongs to the user `owner`.
pub(crate) fn connection(descriptor: OwnedFd, owner: u32) -> io::Result<UnixStream> {
    let is_stream =
        socket_domain(&descriptor)? == AddressFamily::UNIX && socket_type(&descriptor)? == SocketType::STREAM;
    // A listening socket has the credentials of its owner, but no peer.
    let is_connected = getpeername(&descriptor).is_ok();
    if !is_stream || !is_connected || socket_peercred(&descriptor)?.uid.as_raw() != owner {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the agent passed a descriptor of a wrong type or owner",
        ));
    }
    Ok(descriptor.into())
}

/// Returns the descriptor if it refers to a namespace, of any type.
pub(crate) fn namespace(descriptor: OwnedFd) -> Option<OwnedFd> {
    let is_namespace = fstatfs(&descriptor).is_ok_and(|system| system.f_type == NSFS_MAGIC);
    (is_namespace && allows(&descriptor, Access::Read)).then_some(descriptor)
}

fn has_type(descriptor: &OwnedFd, expected: FileType) -> bool {
    fstat(descriptor.as_fd()).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == expected)
}

/// Returns whether a descriptor is open for `access`. A descriptor that was opened with `O_PATH` is open for neither,
/// regardless of its other flags.
fn allows(descriptor: &OwnedFd, access: Access) -> bool {
    fcntl_getfl(descriptor).is_ok_and(|flags| {
        let mode = flags & OFlags::RWMODE;
        let fits = match access {
            Access::Read => mode == OFlags::RDONLY,
            Access::Write => mode == OFlags::WRONLY,
        };
        !flags.contains(OFlags::PATH) && (fits || mode == OFlags::RDWR)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use rustix::fs::{MemfdFlags, fcntl_setfl, memfd_create};
    use rustix::process::getuid;

    use super::*;

    fn own(path: &str) -> OwnedFd {
        File::open(path).expect("every system has this file").into()
    }

    fn path_only(path: &str) -> OwnedFd {
        open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).expect("every system has this file")
    }

    #[test]
    fn only_files_with_stored_data_are_accepted() {
        let stored = || tempfile::tempfile().expect("the tests may write to /tmp").into();
        assert!(regular_file(stored(), Access::Read).is_some());
        assert!(regular_file(stored(), Access::Write).is_some());
        let memory = memfd_create("x", MemfdFlags::CLOEXEC).expect("there is enough space");
        assert!(regular_file(memory, Access::Read).is_some());
        for path in ["/proc/version", "/proc/self/ns/net", "/sys/kernel/uevent_seqnum", "/dev/zero", "/"] {
            assert!(regular_file(own(path), Access::Read).is_none(), "{path}");
        }
        let (read, _write) = rustix::pipe::pipe().expect("there is enough space");
        assert!(regular_file(read, Access::Read).is_none());
    }

    #[test]
    fn a_file_must_be_open_for_the_requested_access() {
        let file = tempfile::NamedTempFile::new().expect("the tests may write to /tmp");
        let path = file.path().to_str().expect("the text is valid UTF-8");
        assert!(regular_file(own(path), Access::Read).is_some());
        assert!(regular_file(own(path), Access::Write).is_none());
        assert!(regular_file(path_only(path), Access::Read).is_none());
        let writable = File::options().append(true).open(path).expect("the file is writable");
        assert!(regular_file(writable.into(), Access::Read).is_none());
    }

    #[test]
    fn a_terminal_is_only_opened_from_its_device() {
        let user = getuid().as_raw();
        let device = path_only("/dev/pts/ptmx");
        let Terminal { master, slave } = open_terminal(&device, user).expect("the tests may open terminals");
        rustix::io::write(&slave, b"x").expect("it is open");
        assert_eq!(rustix::io::read(&master, &mut [0; 8]), Ok(1));
        assert_eq!(rustix::io::read(&master, &mut [0; 8]), Err(rustix::io::Errno::AGAIN));
        for other in [own("/dev/null"), own("/"), own("/dev/zero"), slave] {
            assert!(open_terminal(&other, user).is_err(), "{other:?}");
        }
    }

    #[test]
    fn only_the_read_end_of_a_pipe_is_accepted_as_output() {
        let (read, write) = rustix::pipe::pipe().expect("there is enough space");
        assert!(output(&read).is_some());
        assert!(output(&write).is_none());
        for path in ["/dev/zero", "/proc/version", "/"] {
            assert!(output(&own(path)).is_none(), "{path}");
        }
    }

    #[test]
    fn a_duplicate_inside_the_computer_cannot_make_a_pipe_block() {
        let (read, _write) = rustix::pipe::pipe().expect("there is enough space");
        let kept = read.try_clone().expect("there is enough space");
        let read = output(&read).expect("it is a pipe");
        fcntl_setfl(&kept, OFlags::empty()).expect("it is a pipe");
        assert_eq!(rustix::io::read(&read, &mut [0]), Err(rustix::io::Errno::AGAIN));
    }

    #[test]
    fn only_a_connected_unix_socket_of_the_user_is_accepted() {
        let user = getuid().as_raw();
        let pair = || UnixStream::pair().expect("there is enough space").0.into();
        assert!(connection(pair(), user).is_ok());
        assert!(connection(pair(), user + 1).is_err());
        assert!(connection(own("/dev/null"), user).is_err());
        let network = std::net::UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
        assert!(connection(network.into(), user).is_err());
        let folder = tempfile::tempdir().expect("the tests may write to /tmp");
        let listener = UnixListener::bind(folder.path().join("x")).expect("the folder is writable");
        assert!(connection(listener.into(), user).is_err());
    }

    #[test]
    fn only_a_readable_namespace_is_accepted() {
        assert!(namespace(own("/proc/self/ns/net")).is_some());
        assert!(namespace(path_only("/proc/self/ns/net")).is_none());
        assert!(namespace(own("/proc/version")).is_none());
        assert!(namespace(own("/dev/null")).is_none());
    }
}
