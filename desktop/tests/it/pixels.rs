//! Compares the screen that the client's session decodes with the image in the X server, pixel for pixel. The session is
//! connected directly to a separate Xvnc, so that the test can change the size of the screen.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;
use orgo_core::channel::screen::{Encoding, Framebuffer, ScreenItem, ScreenOptions};
use orgo_core::channel::{Action, ScreenSession, Target};
use orgo_core::client::address::ComputerAddress;
use orgo_core::client::credentials::Password;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    ChangeGCAux, ChangeWindowAttributesAux, ConnectionExt as _, CreateGCAux, ImageFormat, Point, Rectangle,
    SubwindowMode,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::server::{TIMEOUT, full};

type Color = [u8; 3];

/// An X server, and a client that draws on its root window.
struct Display {
    process: Child,
    folder: TempDir,
    client: RustConnection,
    root: u32,
    gc: u32,
}

impl Display {
    fn start(size: &str) -> Self {
        let folder = tempfile::tempdir().expect("the tests may write to /tmp");
        let mut process = Command::new("Xvnc")
            .args(["-displayfd", "1", "-depth", "24", "-geometry", size, "-SecurityTypes", "None"])
            .args(["-rfbport", "-1", "-nolisten", "tcp", "-nolisten", "local", "-noreset"])
            // The test waits for every update.
            .args(["-FrameRate=1000", "-rfbunixpath"])
            .arg(folder.path().join("viewers"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the tests need Xvnc");
        let mut number = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut number).expect("it prints its number when it is ready");
        let (client, screen) =
            RustConnection::connect(Some(&format!(":{}", number.trim()))).expect("it is ready");
        let root = client.setup().roots[screen].root;
        let gc = client.generate_id().expect("there are IDs");
        let values =
            CreateGCAux::new().subwindow_mode(SubwindowMode::INCLUDE_INFERIORS).graphics_exposures(0);
        client.create_gc(gc, root, &values).expect("it is connected");
        let display = Self { process, folder, client, root, gc };
        display.set_pointer();
        display
    }

    /// Gives the pointer a visible shape: a white square of 12 pixels with a black frame.
    fn set_pointer(&self) {
        let id = || self.client.generate_id().expect("there are IDs");
        let (source, mask, gc, cursor) = (id(), id(), id(), id());
        let square = |drawable, side: u16, value| {
            let offset = i16::try_from((16 - side) / 2).expect("it is small");
            let rect = Rectangle { x: offset, y: offset, width: side, height: side };
            self.client.change_gc(gc, &ChangeGCAux::new().foreground(value)).expect("it is connected");
            self.client.poly_fill_rectangle(drawable, gc, &[rect]).expect("it is connected");
        };
        for pixmap in [source, mask] {
            self.client.create_pixmap(1, pixmap, self.root, 16, 16).expect("it is connected");
        }
        self.client.create_gc(gc, source, &CreateGCAux::new()).expect("it is connected");
        for (pixmap, side) in [(source, 10), (mask, 12)] {
            square(pixmap, 16, 0);
            square(pixmap, side, 1);
        }
        let white = u16::MAX;
        self.client
            .create_cursor(cursor, source, mask, white, white, white, 0, 0, 0, 8, 8)
            .expect("it is connected");
        let values = ChangeWindowAttributesAux::new().cursor(cursor);
        self.client.change_window_attributes(self.root, &values).expect("it is connected");
        self.client.sync().expect("it is connected");
    }

    fn size(&self) -> (u16, u16) {
        let geometry = self.client.get_geometry(self.root).expect("it is connected");
        let geometry = geometry.reply().expect("the root window exists");
        (geometry.width, geometry.height)
    }

    /// Returns the pixels of the X server, as those of a framebuffer.
    fn pixels(&self) -> Vec<[u8; 4]> {
        let (width, height) = self.size();
        let image = self.client.get_image(ImageFormat::Z_PIXMAP, self.root, 0, 0, width, height, u32::MAX);
        let image = image.expect("it is connected").reply().expect("the root window is visible");
        image.data.as_chunks::<4>().0.iter().map(|&[blue, green, red, _]| [red, green, blue, 255]).collect()
    }

    fn set_color(&self, [red, green, blue]: Color) {
        let value = u32::from_be_bytes([0, red, green, blue]);
        let values = ChangeGCAux::new().foreground(value);
        self.client.change_gc(self.gc, &values).expect("it is connected");
    }

    fn fill(&self, rects: &[Rectangle], color: Color) {
        self.set_color(color);
        self.client.poly_fill_rectangle(self.root, self.gc, rects).expect("it is connected");
    }

    fn put(&self, rect: Rectangle, mut color: impl FnMut(usize, usize) -> Color) {
        let Rectangle { x, y, width, height } = rect;
        let mut data = Vec::new();
        for row in 0..usize::from(height) {
            for column in 0..usize::from(width) {
                let [red, green, blue] = color(column, row);
                data.extend([blue, green, red, 0]);
            }
        }
        let format = ImageFormat::Z_PIXMAP;
        self.client
            .put_image(format, self.root, self.gc, width, height, x, y, 0, 24, &data)
            .expect("it is connected");
    }

    /// Draws something that an encoder compresses in a particular way.
    fn draw(&self, random: &mut Rng) {
        let (width, height) = self.size();
        let part = |random: &mut Rng| rectangle(random, width, height);
        match random.u8(..8) {
            0 => {
                let rects: Vec<_> = (0..random.u8(1..20)).map(|_| part(random)).collect();
                self.fill(&rects, color(random));
            }
            1 => self.put(part(random), |_, _| color(random)),
            // Palettes of two colors, of up to 16, and of up to 256.
            kind @ 2..=4 => {
                let size = [2, random.usize(3..=16), random.usize(17..=256)][usize::from(kind - 2)];
                let palette: Vec<_> = (0..size).map(|_| color(random)).collect();
                let (mut run, mut current) = (0, palette[0]);
                self.put(part(random), |_, _| {
                    if run == 0 {
                        (run, current) = (random.u8(1..40), palette[random.usize(..size)]);
                    }
                    run -= 1;
                    current
                });
            }
            5 => {
                let from = part(random);
                let (x, y) = (offset(random, from.x, width), offset(random, from.y, height));
                self.client
                    .copy_area(self.root, self.root, self.gc, from.x, from.y, x, y, from.width, from.height)
                    .expect("it is connected");
            }
            6 => self.put(part(random), |column, row| {
                [column, row, column + row].map(|sum| u8::try_from(sum % 256).expect("it is small"))
            }),
            _ => {
                let point = |random: &mut Rng| Point {
                    x: i16::try_from(random.u16(..width)).expect("it is small"),
                    y: i16::try_from(random.u16(..height)).expect("it is small"),
                };
                let points: Vec<_> = (0..random.u8(1..50)).map(|_| point(random)).collect();
                self.set_color(color(random));
                self.client
                    .poly_point(x11rb::protocol::xproto::CoordMode::ORIGIN, self.root, self.gc, &points)
                    .expect("it is connected");
            }
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // With SIGTERM, the server removes its socket and its lock file.
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let _ = self.process.wait();
    }
}

fn color(random: &mut Rng) -> Color {
    [random.u8(..), random.u8(..), random.u8(..)]
}

/// Returns a part of the screen that is often small, and often has an odd size.
fn rectangle(random: &mut Rng, width: u16, height: u16) -> Rectangle {
    let (x, y) = (random.u16(..width), random.u16(..height));
    let side = |random: &mut Rng, room: u16| {
        let most = if random.bool() { room.min(40) } else { room };
        random.u16(1..=most)
    };
    let (width, height) = (side(random, width - x), side(random, height - y));
    let signed = |value: u16| i16::try_from(value).expect("it is small");
    Rectangle { x: signed(x), y: signed(y), width, height }
}

/// Returns a position that is near another one, as when a window scrolls, or anywhere.
fn offset(random: &mut Rng, from: i16, length: u16) -> i16 {
    if random.bool() {
        from + random.i16(-20..=20)
    } else {
        i16::try_from(random.u16(..length)).expect("it is small")
    }
}

/// Returns the target of a session. The session would request an address and a password that are missing. The X server
/// needs neither.
fn target() -> Target {
    Target {
        address: ComputerAddress { computer_id: "c".to_owned(), ..ComputerAddress::default() },
        password: Some(Password::new("unused")),
        max_reconnects: Some(0),
        ..Target::default()
    }
}

/// A client's session that is connected to the X server.
struct View {
    session: ScreenSession,
    stream: UnixStream,
    started: Instant,
    /// The time that the messages appear to take, in milliseconds. From 20 on, the updates are continuous.
    delay: u64,
    /// The bytes of the X server.
    received: Vec<u8>,
    updates: u64,
}

impl View {
    fn connect(display: &Display, encodings: &[Encoding], is_distant: bool) -> Self {
        let options = ScreenOptions { encodings: encodings.to_vec(), ..ScreenOptions::default() };
        Self::connect_with(display, options, is_distant)
    }

    fn connect_with(display: &Display, options: ScreenOptions, is_distant: bool) -> Self {
        let stream = UnixStream::connect(display.folder.path().join("viewers")).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_millis(5))).expect("the timeout is not zero");
        let mut view = Self {
            session: ScreenSession::screen(target(), options, 1, 0),
            stream,
            started: Instant::now(),
            delay: 0,
            received: Vec::new(),
            updates: 0,
        };
        view.perform();
        view.session.handle_open(0);
        view.wait("the first screen", |view| {
            view.delay += if is_distant { 20 } else { 0 };
            view.session.is_complete()
        });
        // The pointer must not be part of the screen. The X server draws it unless this client was the last to move it.
        // A move to the present position would not count.
        let pointer = display.client.query_pointer(display.root).expect("it is connected");
        let is_left = pointer.reply().expect("the root window exists").root_x == 0;
        let mut x = f64::from(u8::from(is_left));
        let mut moved: Option<Instant> = None;
        view.wait("the pointer", |view| {
            // The X server draws the pointer again if it took more than a second to handle the move.
            if moved.is_none_or(|moved| moved.elapsed() > Duration::from_secs(5)) {
                view.session.move_pointer(x, 1.0).expect("it is on the screen");
                (x, moved) = (1.0 - x, Some(Instant::now()));
            }
            view.session.cursor().is_some_and(|cursor| cursor.width > 0)
        });
        view
    }

    fn perform(&mut self) {
        while let Some(action) = self.session.poll_action() {
            if let Action::SendBinary(bytes) = action {
                self.stream.write_all(&bytes).expect("the X server is running");
            }
        }
        while let Some(item) = self.session.poll_item() {
            match item {
                ScreenItem::Damage { updates, .. } => self.updates += updates,
                ScreenItem::Error { message } => panic!("{message}"),
                _ => {}
            }
        }
    }

    fn step(&mut self) {
        self.perform();
        let mut bytes = vec![0; 1 << 16];
        let read = self.stream.read(&mut bytes);
        let now = u64::try_from(self.started.elapsed().as_millis()).expect("it is a short time") + self.delay;
        match read {
            Ok(0) => panic!("the X server has closed the connection"),
            Ok(length) => {
                self.received.extend(&bytes[..length]);
                self.session.handle_binary(now, &bytes[..length]);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                self.session.handle_timeout(now);
            }
            Err(error) => panic!("{error}"),
        }
        self.perform();
    }

    #[track_caller]
    fn wait(&mut self, what: &str, mut condition: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + TIMEOUT;
        while !condition(self) {
            assert!(Instant::now() < end, "timeout: {what}, {:?}", self.session.state());
            self.step();
        }
    }

    /// Returns the pixels that differ from those in the X server.
    fn differences(&self, display: &Display) -> Vec<(usize, usize)> {
        let screen = self.session.framebuffer();
        assert_eq!((screen.width(), screen.height()), display.size());
        let width = usize::from(screen.width());
        let pairs = screen.pixels().iter().zip(display.pixels()).enumerate();
        pairs.filter(|(_, (here, there))| *here != there).map(|(at, _)| (at % width, at / width)).collect()
    }

    /// Waits until the session has received everything that was drawn before, and compares all pixels.
    #[track_caller]
    fn assert_equal(&mut self, display: &Display, stamp: &mut u32, what: &str) {
        // The X server sends changes in order, so the next update with the new color contains everything before it.
        *stamp = (*stamp + 0x01_02_03) & 0x00ff_ffff;
        let [_, red, green, blue] = stamp.to_be_bytes();
        display.fill(&[Rectangle { x: 0, y: 0, width: 1, height: 1 }], [red, green, blue]);
        display.client.flush().expect("it is connected");
        let before = self.updates;
        self.wait(what, |view| {
            view.updates > before && view.session.framebuffer().pixels()[0] == [red, green, blue, 255]
        });
        // The rest of the last update can be on its way.
        let end = Instant::now() + TIMEOUT;
        loop {
            let differences = self.differences(display);
            if differences.is_empty() {
                return;
            }
            assert!(
                Instant::now() < end,
                "{what}: {} pixels differ, the first is {:?}",
                differences.len(),
                differences[0]
            );
            self.step();
        }
    }

    /// Changes the size of the screen.
    fn resize(&mut self, display: &Display, width: u16, height: u16) {
        self.session.resize(width.into(), height.into()).expect("the size is valid");
        self.wait("the size", |view| {
            let screen = view.session.framebuffer();
            (screen.width(), screen.height()) == (width, height) && display.size() == (width, height)
        });
    }
}

/// The lists of encodings that a client can request, with their names.
fn encodings() -> Vec<(&'static str, Vec<Encoding>)> {
    let single = Encoding::ALL.map(|encoding| (encoding.as_str(), vec![encoding]));
    single.into_iter().chain([("all", Encoding::ALL.to_vec())]).collect()
}

#[test]
fn every_pixel_equals_that_of_the_x_server() {
    let seed = std::env::var("ORGO_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let mut random = Rng::with_seed(seed);
    let display = Display::start("640x480");
    let wanted = if full() { 10_000 } else { 300 };
    let (mut updates, mut resizes, mut stamp) = (0, 0, 0);
    for (name, list) in encodings() {
        for is_distant in [false, true] {
            let mut view = View::connect(&display, &list, is_distant);
            let (first, mut round) = (view.updates, 0);
            while (view.updates - first) * 10 < wanted {
                if random.u8(..20) == 0 || round == 1 {
                    // Xvnc refuses a side of less than 32 pixels.
                    view.resize(&display, random.u16(32..900), random.u16(32..700));
                    resizes += 1;
                }
                for _ in 0..random.u8(1..6) {
                    display.draw(&mut random);
                }
                let what = format!("{name}, distant: {is_distant}, round {round}, seed {seed}");
                view.assert_equal(&display, &mut stamp, &what);
                round += 1;
            }
            updates += view.updates - first;
        }
    }
    println!("{updates} updates and {resizes} sizes");
    assert!(updates >= wanted);
}

#[test]
fn the_pointer_is_part_of_the_screen_only_after_another_client_has_moved_it() {
    let display = Display::start("640x480");
    let mut view = View::connect(&display, &Encoding::ALL, false);
    let mut stamp = 0;
    let noise = Rectangle { x: 0, y: 0, width: 640, height: 480 };
    let mut random = Rng::with_seed(1);
    display.put(noise, |_, _| color(&mut random));
    view.assert_equal(&display, &mut stamp, "after a move of this client");
    // The X server draws the pointer if the last input of the client was more than a second ago.
    let mut x = 200;
    view.wait("the hidden pointer", |view| {
        x = 500 - x;
        display.client.warp_pointer(x11rb::NONE, display.root, 0, 0, 0, 0, x, 100).expect("it is connected");
        display.client.flush().expect("it is connected");
        view.session.cursor().is_some_and(|cursor| cursor.width == 0)
    });
    view.wait("the drawn pointer", |view| !view.differences(&display).is_empty());
    let is_near =
        |&(at, y): &(usize, usize)| at.abs_diff(x.unsigned_abs().into()) < 64 && y.abs_diff(100) < 64;
    view.wait("only the pointer to differ", |view| {
        let differences = view.differences(&display);
        !differences.is_empty() && differences.iter().all(is_near)
    });
    // A move to the position that the pointer already has does not change what the X server sends.
    view.session.move_pointer(f64::from(x), 100.0).expect("it is on the screen");
    view.perform();
    display.fill(&[Rectangle { x: 0, y: 0, width: 1, height: 1 }], [1, 2, 3]);
    display.client.flush().expect("it is connected");
    view.wait("a later change", |view| view.session.framebuffer().pixels()[0] == [1, 2, 3, 255]);
    assert!(!view.differences(&display).is_empty(), "the pointer is still part of the screen");
    view.session.move_pointer(9.0, 9.0).expect("it is on the screen");
    view.wait("the shape of the pointer", |view| {
        view.session.cursor().is_some_and(|cursor| cursor.width > 0)
    });
    view.assert_equal(&display, &mut stamp, "after another move of this client");
}

#[test]
fn with_a_quality_the_server_compresses_photographs() {
    let display = Display::start("640x480");
    let options = |quality| ScreenOptions { quality, ..ScreenOptions::default() };
    let [mut exact, mut lossy] =
        [None, Some(7)].map(|quality| View::connect_with(&display, options(quality), false));
    let sizes = [exact.received.len(), lossy.received.len()];
    // A smooth image with some noise, as in a photograph.
    let mut random = Rng::with_seed(2);
    let all = Rectangle { x: 0, y: 0, width: 640, height: 480 };
    display.put(all, |column, row| {
        let noise = usize::from(random.u8(..8));
        [column / 3 + noise, row / 2 + noise, (column + row) / 5 + noise]
            .map(|sum| u8::try_from(sum).expect("it is small"))
    });
    exact.assert_equal(&display, &mut 0, "without a quality");
    let largest = |view: &View| {
        let pairs = view.session.framebuffer().pixels().iter().zip(display.pixels());
        pairs.flat_map(|(here, there)| (0..3).map(move |at| here[at].abs_diff(there[at]))).max()
    };
    lossy.wait("a similar image", |lossy| largest(lossy).is_some_and(|difference| difference < 48));
    assert!(!lossy.differences(&display).is_empty(), "JPEG is not exact");
    let [exact, lossy] = [exact.received.len() - sizes[0], lossy.received.len() - sizes[1]];
    assert!(lossy * 3 < exact, "{lossy} bytes with a quality, {exact} bytes without one");
}

/// A part of a recording after which the screen is known.
struct Check {
    bytes: usize,
    width: u16,
    height: u16,
    hash: u32,
}

/// Returns the FNV-1a hash of all pixels.
fn hash(screen: &Framebuffer) -> u32 {
    screen
        .pixels()
        .as_flattened()
        .iter()
        .fold(0x811c_9dc5, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Records what the X server sends, and the screen at several times.
fn record(display: &Display, list: &[Encoding]) -> (Vec<u8>, Vec<Check>) {
    let mut random = Rng::with_seed(11);
    let mut view = View::connect(display, list, false);
    let (mut checks, mut stamp) = (Vec::new(), 0);
    for round in 0..12 {
        if round % 4 == 3 {
            view.resize(display, random.u16(100..200), random.u16(80..150));
        }
        for _ in 0..4 {
            display.draw(&mut random);
        }
        view.assert_equal(display, &mut stamp, "a round of the recording");
        let screen = view.session.framebuffer();
        let (width, height) = (screen.width(), screen.height());
        checks.push(Check { bytes: view.received.len(), width, height, hash: hash(screen) });
    }
    (view.received, checks)
}

/// With `ORGO_RECORD=1`, writes the recordings to `tests/vectors/screens`, which the tests of the core and of the bindings
/// play.
#[test]
fn a_recording_shows_the_same_screen_again() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/screens");
    let writes = std::env::var_os("ORGO_RECORD").is_some();
    let display = Display::start("160x120");
    let mut list: Vec<Value> = Vec::new();
    for (name, encodings) in encodings() {
        let (bytes, checks) = record(&display, &encodings);
        let mut session = ScreenSession::screen(target(), ScreenOptions::default(), 1, 0);
        assert!(matches!(session.poll_action(), Some(Action::Connect(_))));
        session.handle_open(0);
        let mut start = 0;
        for check in &checks {
            session.handle_binary(0, &bytes[start..check.bytes]);
            start = check.bytes;
            let screen = session.framebuffer();
            assert_eq!((screen.width(), screen.height()), (check.width, check.height), "{name}");
            assert_eq!(hash(screen), check.hash, "{name}");
        }
        let checks: Vec<Value> = checks
            .iter()
            .map(|&Check { bytes, width, height, hash }| {
                json!({ "bytes": bytes, "width": width, "height": height, "hash": hash })
            })
            .collect();
        let file = format!("{name}.rfb");
        if writes {
            std::fs::write(format!("{folder}/{file}"), &bytes).expect("the folder exists");
        }
        list.push(json!({ "name": name, "file": file, "checks": checks }));
    }
    if writes {
        let text = serde_json::to_string_pretty(&list).expect("it is JSON") + "\n";
        std::fs::write(format!("{folder}/recordings.json"), text).expect("the folder exists");
    }
}
