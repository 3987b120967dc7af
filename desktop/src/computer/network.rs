//! A computer's way to the network: slirp4netns carries what leaves its box, as if the host's user had sent it.
//!
//! The box has a network of its own, so neither the host's loopback (this server, for one) nor another computer's sockets
//! are reached from it.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode};
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::spawner::Spawner;

/// Where it answers questions for names; it passes them to the host's resolver.
pub(super) const RESOLVER: &str = "10.0.2.3";

const PROGRAM: &str = "slirp4netns";
const READY_LIMIT: Duration = Duration::from_secs(5);

/// The process that carries. The network ends with it.
#[derive(Debug)]
pub(super) struct Network {
    _carrier: Child,
}

/// Connects the box whose agent listens on `agent_socket`. What the carrier has to say goes to `log`.
pub(super) async fn connect(agent_socket: &Path, log: fs::File, spawner: &Spawner) -> io::Result<Network> {
    let agent = UnixStream::connect(agent_socket).await?.peer_cred()?.pid();
    let agent = agent.ok_or_else(|| io::Error::other("the agent's process is not known"))?;
    let network = OwnedFd::from(fs::File::open(format!("/proc/{agent}/ns/net"))?);
    let users = owner(&network)?;
    let (ready, report_ready) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    let path = |descriptor: &OwnedFd| format!("/proc/self/fd/{}", descriptor.as_raw_fd());
    let mut command = Command::new(PROGRAM);
    command
        .args(["--configure", "--mtu=65520", "--disable-host-loopback"])
        .arg(format!("--ready-fd={}", report_ready.as_raw_fd()))
        .arg(format!("--userns-path={}", path(&users)))
        .args(["--netns-type=path", &path(&network), "tap0"])
        // The server's variables are not its business; one may hold the API key.
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    let inherited = [network, users, report_ready];
    // SAFETY: between fork and exec only async-signal-safe system calls are made, and nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            for descriptor in &inherited {
                fcntl_setfd(descriptor, FdFlags::empty())?;
            }
            Ok(())
        });
    }
    // The spawner drops the command, and with it our ends of what is inherited.
    let carrier = spawner.spawn(command).await?;
    let ready = pipe::Receiver::from_owned_fd(ready)?;
    timeout(READY_LIMIT, said_ready(ready)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(Network { _carrier: carrier })
}

/// The pipe closes without a byte when the carrier has given up.
async fn said_ready(mut ready: pipe::Receiver) -> io::Result<()> {
    match ready.read(&mut [0]).await? {
        0 => Err(io::Error::other(format!("{PROGRAM} gave up"))),
        _ => Ok(()),
    }
}

/// The user namespace that a network namespace belongs to, which may be no process's any more.
fn owner(network: &OwnedFd) -> io::Result<OwnedFd> {
    // SAFETY: the operation takes no argument and gives a new descriptor, as `GetOwner` declares.
    Ok(unsafe { ioctl(network.as_fd(), GetOwner) }?)
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
