//! Launches slirp4netns: blocks addresses in the computer's network namespace, then executes slirp4netns.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, recv, send, socket};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space, set_no_new_privs};

/// The blocked networks, as pairs of address and prefix length.
const BLOCKED_NETWORKS: &[(Ipv4Addr, u8)] = &[
    // A socket that is bound to the network device bypasses the loopback interface of the box. The packets of such a
    // socket would reach the host's loopback interface.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Link-local addresses. In nearly every cloud, the metadata service, which returns credentials, is at
    // 169.254.169.254.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // The addresses of metadata services of Azure, Alibaba and Oracle.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(100, 100, 100, 200), 32),
    (Ipv4Addr::new(192, 0, 0, 192), 32),
];

/// Blocks the networks, then executes `program`. `users` and `network` are the descriptors of the box's user and
/// network namespaces.
pub(crate) fn run(users: RawFd, network: RawFd, program: &[String]) -> io::Result<()> {
    // SAFETY: the server passed these descriptors when it started the process, and nothing else in the process uses
    // them. They stay open, because the program inherits them.
    let namespaces = [users, network].map(|number| unsafe { BorrowedFd::borrow_raw(number) });
    block_from_inside(namespaces)?;
    set_no_new_privs(true)?;
    let (name, arguments) = program.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    Err(Command::new(name).args(arguments).exec())
}

/// Blocks the networks in a child process, since the program itself must stay outside of the namespaces.
fn block_from_inside(namespaces: [BorrowedFd<'_>; 2]) -> io::Result<()> {
    // SAFETY: this process has one thread, so the child may call any function.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let blocked = enter(namespaces)
                .and_then(|()| BLOCKED_NETWORKS.iter().try_for_each(|&(to, length)| block(to, length)));
            if let Err(error) = &blocked {
                eprintln!("cannot block addresses in the computer's network: {error}");
            }
            // SAFETY: the call only ends this process.
            unsafe { libc::_exit(i32::from(blocked.is_err())) }
        }
        child => {
            let mut status = 0;
            // SAFETY: `status` is valid for the call.
            let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
            if waited == child && status == 0 { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
        }
    }
}

/// The resource limits of the computer's user namespace, as pairs of the file name in `/proc/sys/user` and the value.
/// Without them the kernel counts these resources only for the host user, which may also be the user of the server or
/// of other computers.
const RESOURCE_LIMITS: &[(&str, u32)] = &[
    ("max_user_namespaces", 256),
    ("max_pid_namespaces", 256),
    ("max_net_namespaces", 256),
    ("max_mnt_namespaces", 256),
    ("max_ipc_namespaces", 256),
    ("max_uts_namespaces", 256),
    ("max_cgroup_namespaces", 256),
    ("max_time_namespaces", 256),
    ("max_inotify_instances", 64),
    ("max_inotify_watches", 65_536),
    ("max_fanotify_groups", 16),
    ("max_fanotify_marks", 1024),
];

/// Sets the resource limits, except those that the kernel does not have.
#[expect(clippy::disallowed_methods, reason = "kernel settings, before the program runs")]
fn set_resource_limits() -> io::Result<()> {
    for (name, most) in RESOURCE_LIMITS {
        match std::fs::write(format!("/proc/sys/user/{name}"), most.to_string()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn enter([users, network]: [BorrowedFd<'_>; 2]) -> io::Result<()> {
    move_into_link_name_space(users, Some(LinkNameSpaceType::User))?;
    set_resource_limits()?;
    Ok(move_into_link_name_space(network, Some(LinkNameSpaceType::Network))?)
}

/// Blocks a network by an unreachable route.
fn block(to: Ipv4Addr, length: u8) -> io::Result<()> {
    let kernel = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    send(&kernel, &request(to, length), SendFlags::empty())?;
    read_acknowledgment(kernel.as_fd())
}

/// Returns an `RTM_NEWROUTE` message of `linux/rtnetlink.h` that adds the route, in native byte order.
fn request(to: Ipv4Addr, length: u8) -> Vec<u8> {
    const NEW_ROUTE: u16 = 24;
    /// The flags `NLM_F_REQUEST | NLM_F_ACK | NLM_F_EXCL | NLM_F_CREATE`.
    const FLAGS: u16 = 0x1 | 0x4 | 0x200 | 0x400;
    const MAIN_TABLE: u8 = 254;
    const STATIC: u8 = 4;
    const UNREACHABLE: u8 = 7;
    const DESTINATION: u16 = 1;
    let family = u8::try_from(AddressFamily::INET.as_raw()).expect("AF_INET is 2");
    let mut route = vec![family, length, 0, 0, MAIN_TABLE, STATIC, 0, UNREACHABLE, 0, 0, 0, 0];
    route.extend(8_u16.to_ne_bytes());
    route.extend(DESTINATION.to_ne_bytes());
    route.extend(to.octets());
    let size = u32::try_from(16 + route.len()).expect("the line is short enough");
    let mut message = size.to_ne_bytes().to_vec();
    message.extend(NEW_ROUTE.to_ne_bytes());
    message.extend(FLAGS.to_ne_bytes());
    // The sequence number and the port ID, which are not used here.
    message.extend([0; 8]);
    message.extend(route);
    message
}

/// Reads the kernel's acknowledgment, which contains 0 or a negative error number after the header.
fn read_acknowledgment(kernel: BorrowedFd<'_>) -> io::Result<()> {
    let mut reply = [0; 256];
    let (_, length) = recv(kernel, &mut reply[..], RecvFlags::empty())?;
    let verdict = reply[..length].get(16..20).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
    match verdict {
        Some(0) => Ok(()),
        Some(error) => Err(io::Error::from_raw_os_error(-error)),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
