//! Tests that the screen channel of the client shows exactly the pixels of a real X server.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use orgo_core::{
    channel::{
        Action, ScreenSession, State, Target,
        screen::{Encoding, ScreenItem, ScreenOptions},
    },
    client::{address::ComputerAddress, credentials::Password},
};
use x11rb::{
    connection::Connection as _,
    protocol::xproto::{ChangeGCAux, ConnectionExt as _, CreateGCAux, ImageFormat, Rectangle},
};

use super::{TEST_TIMEOUT, server::Server};
use crate::screen::connection::Display;

/// The client's screen channel, connected directly to the socket of the X server.
struct Live {
    session: ScreenSession,
    stream: UnixStream,
    started: Instant,
    items: Vec<ScreenItem>,
}

impl Live {
    fn connect(server: &Server, encoding: Encoding) -> Self {
        let target = Target {
            address: ComputerAddress { computer_id: "c".to_owned(), ..ComputerAddress::default() },
            password: Some(Password::new("unused")),
            ..Target::default()
        };
        let options = ScreenOptions { encodings: vec![encoding, Encoding::Raw], ..ScreenOptions::default() };
        let stream = UnixStream::connect(server.viewer_socket()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        let session = ScreenSession::screen(target, options, 1, 0);
        let mut live = Self { session, stream, started: Instant::now(), items: Vec::new() };
        live.perform();
        live.session.handle_open(0);
        live.wait("the handshake", |live| live.session.is_complete());
        live
    }

    fn perform(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::SendBinary(bytes) => self.stream.write_all(&bytes).unwrap(),
                Action::Connect(_) => {}
                other => panic!("the connection breaks: {other:?}, {:?}", self.session.state()),
            }
        }
        self.items.extend(std::iter::from_fn(|| self.session.poll_item()));
    }

    /// Handles messages until the condition is met.
    #[track_caller]
    fn wait(&mut self, what: &str, mut condition: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + TEST_TIMEOUT;
        let mut bytes = vec![0; 1 << 16];
        loop {
            self.perform();
            if condition(self) {
                return;
            }
            assert!(Instant::now() < end, "timeout: {what}");
            let now = u64::try_from(self.started.elapsed().as_millis()).unwrap();
            match self.stream.read(&mut bytes) {
                Ok(0) => panic!("the server closed the connection"),
                Ok(count) => self.session.handle_binary(now, &bytes[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    self.session.handle_timeout(now);
                }
                Err(error) => panic!("{error}"),
            }
            assert!(!matches!(self.session.state(), State::Closed(_)), "{:?}", self.session.state());
        }
    }

    /// Waits until the pixels are those of the X server.
    #[track_caller]
    fn wait_until_equal(&mut self, display: &Display, detail: &str) {
        let (width, height) = display.size().unwrap();
        let image = display
            .conn
            .get_image(ImageFormat::Z_PIXMAP, display.root, 0, 0, width, height, !0)
            .unwrap()
            .reply()
            .unwrap();
        // 32 bits in little-endian order, with red in the third byte.
        let pixels: Vec<[u8; 4]> = image
            .data
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&[blue, green, red, _]| [red, green, blue, 255])
            .collect();
        self.wait(detail, |live| {
            let screen = live.session.framebuffer();
            (screen.width(), screen.height()) == (width, height) && screen.pixels() == pixels
        });
    }
}

/// Draws something random. The operations lead to all kinds of rectangles: one color, few colors, noise, gradients,
/// copies.
fn draw(display: &Display, pen: u32, random: &mut fastrand::Rng) {
    let conn = &display.conn;
    let (width, height) = display.size().unwrap();
    let mut area = || {
        let (x, y) = (random.u16(..width - 1), random.u16(..height - 1));
        let (w, h) = (random.u16(1..=(width - x).min(300)), random.u16(1..=(height - y).min(200)));
        Rectangle { x: x.cast_signed(), y: y.cast_signed(), width: w, height: h }
    };
    let (to, from) = (area(), area());
    let color = |random: &mut fastrand::Rng| random.u32(..1 << 24);
    match random.u8(..6) {
        0 | 1 => {
            conn.change_gc(pen, &ChangeGCAux::new().foreground(color(random))).unwrap();
            conn.poly_fill_rectangle(display.root, pen, &[to]).unwrap();
        }
        2 => {
            let (w, h) = (to.width.min(from.width), to.height.min(from.height));
            conn.copy_area(display.root, display.root, pen, from.x, from.y, to.x, to.y, w, h).unwrap();
        }
        kind => {
            let colors: Vec<u32> = (0..random.usize(2..200)).map(|_| color(random)).collect();
            let mut pixel = |x: u32, y: u32| match kind {
                3 => color(random),
                4 => colors[random.usize(..colors.len())],
                _ => (x * 3 & 255) << 16 | (y * 2 & 255) << 8 | (x + y) & 255,
            };
            let (w, h) = (to.width.min(120), to.height.min(90));
            let data: Vec<u8> = (0..u32::from(h))
                .flat_map(|y| (0..u32::from(w)).map(move |x| (x, y)))
                .flat_map(|(x, y)| pixel(x, y).to_le_bytes())
                .collect();
            conn.put_image(ImageFormat::Z_PIXMAP, display.root, pen, w, h, to.x, to.y, 0, 24, &data).unwrap();
        }
    }
}

fn stays_equal(encoding: Encoding) {
    let rounds = if std::env::var_os("ORGO_FULL").is_some() { 500 } else { 25 };
    let server = Server::start();
    let display = Display::connect(&server.endpoint()).unwrap();
    let pen = display.conn.generate_id().unwrap();
    display.conn.create_gc(pen, display.root, &CreateGCAux::new().graphics_exposures(0)).unwrap();
    let mut live = Live::connect(&server, encoding);
    // Otherwise the server draws its pointer into the screen of this client.
    live.session.move_pointer(0.0, 0.0).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..rounds {
        for _ in 0..random.usize(1..20) {
            draw(&display, pen, &mut random);
        }
        display.sync().unwrap();
        live.wait_until_equal(&display, &format!("{encoding:?}, round {round}"));
    }
    // A new size, and a change on the new screen.
    live.session.resize(801.0, 603.0).unwrap();
    live.wait("the new size", |live| live.session.framebuffer().width() == 801);
    draw(&display, pen, &mut random);
    display.sync().unwrap();
    live.wait_until_equal(&display, "after the resize");
    assert!(live.items.contains(&ScreenItem::Resized { width: 801, height: 603 }));
    assert_eq!(live.session.counters().malformed, 0);
    println!("{encoding:?}: {} updates", live.session.counters().received);
}

#[test]
fn tight_shows_the_pixels_of_the_server() {
    stays_equal(Encoding::Tight);
}

#[test]
fn zrle_shows_the_pixels_of_the_server() {
    stays_equal(Encoding::Zrle);
}

#[test]
fn hextile_shows_the_pixels_of_the_server() {
    stays_equal(Encoding::Hextile);
}

#[test]
fn raw_shows_the_pixels_of_the_server() {
    stays_equal(Encoding::Raw);
}
