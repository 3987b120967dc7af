//! A remote viewer for tests.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
};

use x11rb::protocol::xproto::Keysym;

use super::server::Server;

/// A client of the VNC server (RFB 3.8). Its keyboard and the synthetic keyboard are different devices.
pub(super) struct Viewer(UnixStream);

impl Viewer {
    pub(super) fn connect(server: &Server) -> Self {
        const NO_AUTHENTICATION: u8 = 1;
        const SHARED: u8 = 1;
        let mut stream = UnixStream::connect(server.viewer_socket()).unwrap();
        read(&mut stream, 12);
        stream.write_all(b"RFB 003.008\n").unwrap();
        let kinds = read(&mut stream, 1)[0];
        read(&mut stream, kinds.into());
        stream.write_all(&[NO_AUTHENTICATION]).unwrap();
        assert_eq!(read(&mut stream, 4), [0; 4]);
        stream.write_all(&[SHARED]).unwrap();
        let screen = read(&mut stream, 24);
        let name = u32::from_be_bytes(screen[20..].try_into().unwrap());
        read(&mut stream, name as usize);
        Self(stream)
    }

    pub(super) fn key(&mut self, keysym: Keysym, down: bool) {
        const KEY_EVENT: u8 = 4;
        let mut message = vec![KEY_EVENT, down.into(), 0, 0];
        message.extend(keysym.to_be_bytes());
        self.0.write_all(&message).unwrap();
    }

    /// Moves the pointer, and holds exactly the buttons of the mask.
    pub(super) fn pointer(&mut self, buttons: u8, x: u16, y: u16) {
        const POINTER_EVENT: u8 = 5;
        let mut message = vec![POINTER_EVENT, buttons];
        message.extend(x.to_be_bytes());
        message.extend(y.to_be_bytes());
        self.0.write_all(&message).unwrap();
    }
}

fn read(stream: &mut UnixStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}
