//! Connects a computer in a box to the network: slirp4netns, a user-mode network stack, sends the traffic of the
//! computer as the host user.
//!
//! The box has its own network namespace. Programs in the box reach neither the host's loopback interface, on which
//! this server listens, nor the sockets of other computers. Link-local addresses and the addresses of cloud metadata
//! services are blocked inside the namespace ([`launcher`]), where the computer's user is not allowed to unblock them.

mod launcher;

pub(crate) use launcher::run as run_network_launcher;

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::io::Errno;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::inherited::inherit;

use super::limits::ControlGroup;
use super::spawner::Spawner;

/// The address of the DNS server in slirp4netns. The server forwards queries to the host's resolver.
pub(super) const RESOLVER: &str = "10.0.2.3";

const PROGRAM: &str = "slirp4netns";
const READY_TIMEOUT: Duration = Duration::from_secs(5);

/// The slirp4netns process of a computer. The computer has a network only while this process runs.
#[derive(Debug)]
pub(super) struct Network {
    slirp: Child,
}

impl Network {
    /// Kills the process. Returns when it has exited. Must be called before the computer's control groups are removed.
    pub(super) async fn close(mut self) {
        if let Err(error) = self.slirp.kill().await {
            tracing::error!("cannot kill slirp4netns: {error}");
        }
    }
}

/// The parameters for connecting a computer to the network.
pub(super) struct NetworkOptions<'a> {
    pub(super) spawner: &'a Spawner,
    /// The path at which the computer's user can execute this program.
    pub(super) agent: &'a Path,
    /// The host user ID that the box runs as; `None` for the user of the server.
    pub(super) owner: Option<u32>,
    /// The computer's control groups.
    pub(super) group: &'a ControlGroup,
    /// Receives the output of slirp4netns.
    pub(super) log: OwnedFd,
}

/// Connects the network namespace of a box to the network. Returns when the network is ready.
pub(super) async fn connect(network: OwnedFd, options: NetworkOptions<'_>) -> io::Result<Network> {
    let NetworkOptions { spawner, agent, owner, group, log } = options;
    let users = user_namespace_of(&network)?;
    let (ready, report_ready) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let path = |descriptor: &OwnedFd| format!("/proc/self/fd/{}", descriptor.as_raw_fd());
    let mut command = Command::new(agent);
    command
        .args(["network", "--users", &users.as_raw_fd().to_string()])
        .args(["--network", &network.as_raw_fd().to_string(), "--", PROGRAM])
        .args(["--configure", "--mtu=65520", "--disable-host-loopback", "--enable-seccomp"])
        .arg(format!("--ready-fd={}", report_ready.as_raw_fd()))
        .arg(format!("--userns-path={}", path(&users)))
        .args(["--netns-type=path", &path(&network), "tap0"])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    if let Some(owner) = owner {
        command.uid(owner).gid(owner);
    }
    group.join(&mut command)?;
    inherit(command.as_std_mut(), vec![network, users, report_ready]);
    // `spawn` drops the command, which closes the server's copies of the inherited descriptors.
    let slirp = spawner.spawn(command).await?;
    let ready = pipe::Receiver::from_owned_fd(ready)?;
    timeout(READY_TIMEOUT, wait_until_ready(ready))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(Network { slirp })
}

/// Waits until slirp4netns writes a byte to the pipe. If slirp4netns fails, it closes the pipe without a byte.
async fn wait_until_ready(mut ready: pipe::Receiver) -> io::Result<()> {
    match ready.read(&mut [0]).await? {
        0 => Err(io::Error::other(format!("{PROGRAM} has exited"))),
        _ => Ok(()),
    }
}

/// Opens the user namespace that owns a network namespace, even if no process is in the user namespace. The agent
/// passed the descriptor, so this function checks that the descriptor refers to a network namespace.
fn user_namespace_of(network: &OwnedFd) -> io::Result<OwnedFd> {
    // SAFETY: the operation takes no argument and returns a number.
    if unsafe { ioctl(network.as_fd(), GetType) }? != libc::CLONE_NEWNET {
        return Err(Errno::INVAL.into());
    }
    // SAFETY: the operation takes no argument and returns a new descriptor, as `GetOwner` declares.
    Ok(unsafe { ioctl(network.as_fd(), GetOwner) }?)
}

/// The ioctl `NS_GET_NSTYPE` of `linux/nsfs.h`, which returns the type of a namespace.
struct GetType;

// SAFETY: the kernel neither reads nor writes memory of this process.
unsafe impl Ioctl for GetType {
    type Output = i32;

    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        opcode::none(0xb7, 3)
    }

    fn as_ptr(&mut self) -> *mut std::ffi::c_void {
        std::ptr::null_mut()
    }

    unsafe fn output_from_ptr(kind: IoctlOutput, _: *mut std::ffi::c_void) -> rustix::io::Result<i32> {
        Ok(kind)
    }
}

/// The ioctl `NS_GET_USERNS` of `linux/nsfs.h`, which opens the user namespace that owns a namespace.
struct GetOwner;

// SAFETY: the kernel neither reads nor writes memory of this process.
unsafe impl Ioctl for GetOwner {
    type Output = OwnedFd;

    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        opcode::none(0xb7, 1)
    }

    fn as_ptr(&mut self) -> *mut std::ffi::c_void {
        std::ptr::null_mut()
    }

    unsafe fn output_from_ptr(
        descriptor: IoctlOutput,
        _: *mut std::ffi::c_void,
    ) -> rustix::io::Result<OwnedFd> {
        // SAFETY: the call has succeeded, so this is a new descriptor that nothing else owns.
        Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
    }
}
