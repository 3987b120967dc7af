//! A session with a socket, in virtual time.

use orgo_core::Millis;
use orgo_core::channel::screen::{Rect, ScreenItem, ScreenOptions};
use orgo_core::channel::{Action, ScreenSession, State, Target};
use orgo_core::client::address::ComputerAddress;
use orgo_core::client::credentials::Password;

use crate::encode::Picture;

pub(crate) const PASSWORD: &str = "hunter2 and more";

pub(crate) struct Client {
    pub(crate) session: ScreenSession,
    pub(crate) now: Millis,
    /// The bytes to the server that the test has not read.
    pub(crate) sent: Vec<u8>,
    pub(crate) items: Vec<ScreenItem>,
    pub(crate) authorizations: usize,
    pub(crate) connects: usize,
    pub(crate) closes: usize,
}

impl Client {
    /// Creates a client that has opened its first socket.
    pub(crate) fn new(options: ScreenOptions) -> Self {
        let target = Target {
            address: ComputerAddress { computer_id: "c".to_owned(), ..ComputerAddress::default() },
            password: Some(Password::new(PASSWORD)),
            max_reconnects: Some(100),
            ..Target::default()
        };
        let session = ScreenSession::screen(target, options, 1, 0);
        let mut client = Self {
            session,
            now: 0,
            sent: Vec::new(),
            items: Vec::new(),
            authorizations: 0,
            connects: 0,
            closes: 0,
        };
        client.settle();
        client.open();
        client
    }

    pub(crate) fn open(&mut self) {
        self.sent.clear();
        self.session.handle_open(self.now);
        self.settle();
    }

    /// Creates a client with an open screen of this size.
    pub(crate) fn connected(width: usize, height: usize) -> Self {
        let mut client = Self::new(ScreenOptions::default());
        client.receive(&[handshake(width, height), update(&[])].concat());
        assert_eq!(client.session.state(), State::Open);
        client
    }

    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.session.handle_binary(self.now, bytes);
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::SendBinary(bytes) => self.sent.extend(bytes),
                Action::Send(text) => panic!("a screen sends no text: {text}"),
                Action::Connect(url) => {
                    assert!(url.expose().contains("/websockify?token=hunter2%20and%20more"), "{url}");
                    self.connects += 1;
                }
                Action::Authorize => self.authorizations += 1,
                Action::Close(_) => self.closes += 1,
            }
        }
        while let Some(item) = self.session.poll_item() {
            self.items.push(item);
        }
    }

    pub(crate) fn take_sent(&mut self) -> Vec<u8> {
        self.settle();
        std::mem::take(&mut self.sent)
    }

    /// Returns the changed rectangles since the last call.
    pub(crate) fn damage(&mut self) -> Vec<Rect> {
        let mut all = Vec::new();
        for item in self.items.drain(..) {
            if let ScreenItem::Damage { rects, .. } = item {
                all.extend(rects);
            }
        }
        all
    }

    pub(crate) fn assert_shows(&self, picture: &Picture, detail: &str) {
        let screen = self.session.framebuffer();
        assert_eq!(
            (usize::from(screen.width()), usize::from(screen.height())),
            (picture.width, picture.height)
        );
        for (at, (found, &[red, green, blue])) in screen.pixels().iter().zip(&picture.pixels).enumerate() {
            let (x, y) = (at % picture.width, at / picture.width);
            assert_eq!(*found, [red, green, blue, 255], "the pixel {x}, {y}: {detail}");
        }
    }

    pub(crate) fn reason(&self) -> String {
        match self.session.state() {
            State::Closed(cause) => cause.to_string(),
            state => panic!("the channel is open: {state:?}"),
        }
    }
}

/// Returns the messages of a server of version 3.8 without a password, up to the end of the handshake.
pub(crate) fn handshake(width: usize, height: usize) -> Vec<u8> {
    let mut bytes = b"RFB 003.008\n".to_vec();
    bytes.extend([1, 1]);
    bytes.extend([0; 4]);
    bytes.extend(init(width, height));
    bytes
}

pub(crate) fn init(width: usize, height: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(u16::try_from(width).unwrap().to_be_bytes());
    bytes.extend(u16::try_from(height).unwrap().to_be_bytes());
    bytes.extend([16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0]);
    bytes.extend([0, 0, 0, 4]);
    bytes.extend(b"desk");
    bytes
}

/// Returns an update with these rectangles.
pub(crate) fn update(rects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(u16::try_from(rects.len()).unwrap().to_be_bytes());
    bytes.extend(rects.iter().flatten());
    bytes
}
