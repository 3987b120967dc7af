//! Opens the listening sockets in the encoder's box and transfers them to the server.

#![expect(clippy::disallowed_methods, reason = "binds its sockets inside the encoder's box")]

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::net::{RecvFlags, SendFlags};
use tokio::io::Interest;

use crate::computer::X_SOCKETS;
use crate::untrusted::transfer;

/// The display number of the X server in the box.
pub(super) const DISPLAY: u16 = 0;
/// The path of the audio server's socket in the box.
pub(super) const AUDIO: &str = "/tmp/pulse.sock";
/// The port of the target on the box's loopback interface. Any port is free there, because the network namespace is
/// new.
pub(super) const TARGET_PORT: u16 = 1935;

const COUNT: usize = 3;

/// One listening socket for each peer of the encoder.
#[derive(Debug)]
pub(super) struct Listeners {
    pub(super) display: UnixListener,
    pub(super) audio: UnixListener,
    pub(super) target: TcpListener,
}

impl Listeners {
    /// Binds the sockets in the namespaces of this process.
    pub(super) fn bind() -> io::Result<Self> {
        std::fs::create_dir(X_SOCKETS)?;
        Ok(Self {
            display: UnixListener::bind(format!("{X_SOCKETS}/X{DISPLAY}"))?,
            audio: UnixListener::bind(AUDIO)?,
            target: TcpListener::bind((Ipv4Addr::LOCALHOST, TARGET_PORT))?,
        })
    }

    /// Sends the sockets to the process that holds the other end of `control`.
    pub(super) fn send(&self, control: &UnixStream) -> io::Result<()> {
        let descriptors = [self.display.as_fd(), self.audio.as_fd(), self.target.as_fd()];
        // A message with descriptors must contain at least one byte.
        transfer::send(control, &[0], &descriptors, SendFlags::empty())?;
        Ok(())
    }

    /// Receives the sockets. Returns `None` if the other end is closed before it sends them.
    pub(super) async fn receive(control: &tokio::net::UnixStream) -> io::Result<Option<Self>> {
        let receive = || transfer::receive(control, &mut [0], RecvFlags::empty());
        let (received, descriptors) = control.async_io(Interest::READABLE, receive).await?;
        if received == 0 {
            return Ok(None);
        }
        let [display, audio, target]: [OwnedFd; COUNT] =
            descriptors.try_into().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(Some(Self { display: display.into(), audio: audio.into(), target: target.into() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_sockets_arrive_in_order() {
        let folder = tempfile::tempdir().expect("the tests may write to /tmp");
        let unix = |name: &str| UnixListener::bind(folder.path().join(name)).expect("the folder is writable");
        let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        let sent = Listeners { display: unix("x"), audio: unix("a"), target };
        let (inner, outer) = UnixStream::pair().expect("sockets are available");
        outer.set_nonblocking(true).expect("it is a socket");
        let outer = tokio::net::UnixStream::from_std(outer).expect("it is non-blocking");

        sent.send(&inner).expect("the other end is open");
        let received = Listeners::receive(&outer).await.expect("they were sent").expect("it is open");

        let name = |listener: &UnixListener| {
            let address = listener.local_addr().expect("it is bound");
            address.as_pathname().map(std::path::Path::to_owned)
        };
        assert_eq!(name(&received.display), name(&sent.display));
        assert_eq!(name(&received.audio), name(&sent.audio));
        assert_eq!(received.target.local_addr().ok(), sent.target.local_addr().ok());
    }

    #[tokio::test]
    async fn a_message_without_sockets_is_an_error_but_a_closed_connection_is_not() {
        let (inner, outer) = UnixStream::pair().expect("sockets are available");
        outer.set_nonblocking(true).expect("it is a socket");
        let outer = tokio::net::UnixStream::from_std(outer).expect("it is non-blocking");
        io::Write::write_all(&mut &inner, &[0]).expect("the other end is open");
        let error = Listeners::receive(&outer).await.expect_err("nothing came with the byte");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        drop(inner);
        assert!(Listeners::receive(&outer).await.expect("it is closed").is_none());
    }
}
