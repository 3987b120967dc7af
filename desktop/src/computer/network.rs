//! A computer's way to the network: slirp4netns carries what leaves its box, as if the host's user had sent it.
//!
//! The box has a network of its own, so neither the host's loopback (this server, for one) nor another computer's sockets
//! are reached from it. Link-local addresses, and those by which clouds give machines their credentials, are closed from
//! inside ([`launcher`]), where the computer's user has no right to open them again.

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

/// Where it answers questions for names; it passes them to the host's resolver.
pub(super) const RESOLVER: &str = "10.0.2.3";

const PROGRAM: &str = "slirp4netns";
const READY_TIMEOUT: Duration = Duration::from_secs(5);

/// The process that carries. The network ends with it.
#[derive(Debug)]
pub(super) struct Network {
    slirp: Child,
}

impl Network {
    /// Returns when the carrier has ended, which is in the computer's control groups.
    pub(super) async fn close(mut self) {
        if let Err(error) = self.slirp.kill().await {
            tracing::error!("cannot end the carrier of a network: {error}");
        }
    }
}

/// Who carries for a box.
pub(super) struct NetworkOptions<'a> {
    pub(super) spawner: &'a Spawner,
    /// This program, where the computer's user can run it.
    pub(super) agent: &'a Path,
    /// The host's user that the box runs as, when it is not the server's own.
    pub(super) owner: Option<u32>,
    /// The computer's control groups.
    pub(super) group: &'a ControlGroup,
    /// Takes what the carrier has to say.
    pub(super) log: OwnedFd,
}

/// Connects a box by its network namespace.
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
    // The spawner drops the command, and with it our ends of what is inherited.
    let slirp = spawner.spawn(command).await?;
    let ready = pipe::Receiver::from_owned_fd(ready)?;
    timeout(READY_TIMEOUT, wait_until_ready(ready))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(Network { slirp })
}

/// The pipe closes without a byte when the carrier has given up.
async fn wait_until_ready(mut ready: pipe::Receiver) -> io::Result<()> {
    match ready.read(&mut [0]).await? {
        0 => Err(io::Error::other(format!("{PROGRAM} gave up"))),
        _ => Ok(()),
    }
}

/// The user namespace that a network namespace belongs to, which may be no process's any more. Fails for what is no network
/// namespace: the agent passed it.
fn user_namespace_of(network: &OwnedFd) -> io::Result<OwnedFd> {
    // SAFETY: the operation takes no argument and gives a number.
    if unsafe { ioctl(network.as_fd(), GetType) }? != libc::CLONE_NEWNET {
        return Err(Errno::INVAL.into());
    }
    // SAFETY: the operation takes no argument and gives a new descriptor, as `GetOwner` declares.
    Ok(unsafe { ioctl(network.as_fd(), GetOwner) }?)
}

/// `NS_GET_NSTYPE` of `linux/nsfs.h`.
struct GetType;

// SAFETY: the kernel reads and writes no memory for it.
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

/// `NS_GET_USERNS` of `linux/nsfs.h`.
struct GetOwner;

// SAFETY: the kernel reads and writes no memory for it.
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
        // SAFETY: the call succeeded, so this is a descriptor that nobody else knows of.
        Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
    }
}
