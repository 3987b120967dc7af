//! A fake X server for tests. It responds like a real X server, unless its script returns other actions.

use std::{
    fmt,
    io::{self, Read, Write},
    net::Shutdown,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use x11rb::{
    protocol::xproto::{Depth, Format, ImageOrder, Screen, Setup, VisualClass, Visualtype},
    x11_utils::Serialize as _,
};

use crate::screen::connection::endpoint::Connector;

pub(super) const ROOT: u32 = 0x100;
/// The focused window.
pub(super) const FOCUSED: u32 = 0x20_0001;
pub(super) const SIZE: (u16, u16) = (64, 48);
/// The first atom that is not predefined.
const FIRST_ATOM: u32 = 1000;
/// The major opcode of the first extension in [`EXTENSIONS`].
const FIRST_EXTENSION: u8 = 128;
/// The first event number of the first extension in [`EXTENSIONS`].
const FIRST_EVENT: u8 = 64;
/// The number of event numbers that are reserved for each extension.
const EVENTS: u8 = 6;
const EXTENSIONS: [&str; 10] = [
    "DAMAGE",
    "MIT-SHM",
    "XFIXES",
    "XTEST",
    "RANDR",
    "SYNC",
    "RECORD",
    "XKEYBOARD",
    "BIG-REQUESTS",
    "XInputExtension",
];

/// A request of a client. The first request is the setup request.
#[derive(Debug)]
pub(super) struct Request {
    /// The index of the connection, starting at 0.
    pub(super) connection: usize,
    /// The sequence number of the request on its connection. The setup request has the number 0.
    pub(super) sequence: u16,
    pub(super) bytes: Vec<u8>,
}

/// An action of the fake server.
#[derive(Debug)]
pub(super) enum ServerAction {
    Send(Vec<u8>),
    /// Sends the bytes repeatedly until the connection is closed.
    Flood(Vec<u8>),
    /// Sends the bytes repeatedly, one byte per interval.
    Trickle(Vec<u8>, Duration),
    /// Sends the bytes with a file descriptor.
    SendWithFd(Vec<u8>, Arc<OwnedFd>),
    Close,
}

/// A function that returns the server actions for a request.
pub(super) type Script = dyn Fn(&Request) -> Vec<ServerAction> + Send + Sync;

/// A fake X server, which runs a thread for each connection.
pub(super) struct FakeServer {
    script: Arc<Script>,
    connections: AtomicUsize,
    open: Mutex<Vec<(UnixStream, JoinHandle<()>)>>,
}

impl fmt::Debug for FakeServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeServer").finish_non_exhaustive()
    }
}

impl FakeServer {
    pub(super) fn new(script: impl Fn(&Request) -> Vec<ServerAction> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { script: Arc::new(script), connections: AtomicUsize::new(0), open: Mutex::default() })
    }

    /// Returns the number of accepted connections.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Closes every connection.
    pub(super) fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        for (stream, thread) in open {
            let _ = stream.shutdown(Shutdown::Both);
            thread.join().expect("the thread ends with its connection");
        }
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.close();
    }
}

impl Connector for FakeServer {
    fn connect(&self) -> io::Result<UnixStream> {
        let (client, server) = UnixStream::pair()?;
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        let (script, mut stream) = (Arc::clone(&self.script), server.try_clone()?);
        let thread = thread::Builder::new().name("fake-x-server".to_owned()).spawn(move || {
            // Any error closes the connection.
            let _ = serve(&mut stream, connection, &*script);
            let _ = stream.shutdown(Shutdown::Both);
        })?;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).push((server, thread));
        Ok(client)
    }
}

fn serve(stream: &mut UnixStream, connection: usize, script: &Script) -> io::Result<()> {
    let mut sequence = 0;
    loop {
        let bytes = if sequence == 0 { read_setup(stream)? } else { read_request(stream)? };
        for action in script(&Request { connection, sequence, bytes }) {
            run(stream, action)?;
        }
        sequence = sequence.wrapping_add(1);
        if sequence == 0 {
            // 0 is reserved for the setup request.
            sequence = u16::MAX;
        }
    }
}

fn run(stream: &mut UnixStream, action: ServerAction) -> io::Result<()> {
    match action {
        ServerAction::Send(bytes) => stream.write_all(&bytes),
        ServerAction::Flood(bytes) => loop {
            stream.write_all(&bytes)?;
        },
        ServerAction::Trickle(bytes, pause) => {
            for byte in bytes.iter().cycle() {
                stream.write_all(&[*byte])?;
                thread::sleep(pause);
            }
            Ok(())
        }
        ServerAction::SendWithFd(bytes, descriptor) => {
            let descriptors = [descriptor.as_fd()];
            let rights = SendAncillaryMessage::ScmRights(&descriptors);
            let mut space = vec![std::mem::MaybeUninit::uninit(); rights.size()];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            assert!(ancillary.push(rights), "the buffer has room for one descriptor");
            sendmsg(&*stream, &[io::IoSlice::new(&bytes)], &mut ancillary, SendFlags::empty())?;
            Ok(())
        }
        ServerAction::Close => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

fn read_setup(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 12];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_request(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    stream.read_exact(&mut bytes)?;
    let mut length = usize::from(u16::from_ne_bytes([bytes[2], bytes[3]])) * 4;
    if length == 0 {
        // A request of the BIG-REQUESTS extension.
        let mut long = [0; 4];
        stream.read_exact(&mut long)?;
        length = u32::from_ne_bytes(long) as usize * 4 - 4;
    }
    bytes.resize(length.max(4), 0);
    stream.read_exact(&mut bytes[4..])?;
    Ok(bytes)
}

/// Returns the major opcode of an extension on this server.
pub(super) fn extension(name: &str) -> u8 {
    FIRST_EXTENSION + index(name)
}

/// Returns the number of the first event of an extension.
pub(super) fn first_event(name: &str) -> u8 {
    FIRST_EVENT + index(name) * EVENTS
}

fn index(name: &str) -> u8 {
    let index = EXTENSIONS.iter().position(|known| *known == name);
    u8::try_from(index.expect("the extension is known")).expect("there are few extensions")
}

/// Returns the atom for a name on this server.
pub(super) fn atom(name: impl AsRef<[u8]>) -> u32 {
    let sum = |sum: u32, &byte: &u8| sum.wrapping_mul(31).wrapping_add(byte.into());
    FIRST_ATOM + name.as_ref().iter().fold(0, sum) % 100_000
}

impl Request {
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or_default()
    }

    fn word(&self, at: usize) -> u32 {
        self.bytes.get(at..).and_then(<[u8]>::first_chunk).copied().map_or(0, u32::from_ne_bytes)
    }

    pub(super) fn is_setup(&self) -> bool {
        self.sequence == 0
    }

    /// Returns whether the request has this major opcode.
    pub(super) fn is(&self, opcode: u8) -> bool {
        !self.is_setup() && self.byte(0) == opcode
    }

    pub(super) fn is_of(&self, extension_name: &str, opcode: u8) -> bool {
        self.is(extension(extension_name)) && self.byte(1) == opcode
    }

    /// Returns the action that sends the reply of a real X server, or no actions if the request has no reply.
    pub(super) fn default_actions(&self) -> Vec<ServerAction> {
        self.reply().map(ServerAction::Send).into_iter().collect()
    }

    /// Returns the reply that a real X server would send, or `None` if the request has no reply.
    pub(super) fn reply(&self) -> Option<Vec<u8>> {
        if self.is_setup() {
            return Some(setup());
        }
        match self.byte(0) {
            // GetGeometry
            14 => Some(self.reply_with(
                24,
                &[(8, ROOT), (16, u32::from(SIZE.0) | u32::from(SIZE.1) << 16)],
                &[],
            )),
            // QueryTree
            15 => Some(self.reply_with(0, &[(8, ROOT), (12, ROOT)], &[])),
            // InternAtom
            16 => {
                let length = usize::from(self.byte(4));
                let name = self.bytes.get(8..8 + length).unwrap_or_default();
                Some(self.reply_with(0, &[(8, atom(name))], &[]))
            }
            // GetProperty
            20 => Some(self.reply_with(32, &[(8, self.word(12)), (16, 1)], &[FOCUSED])),
            // QueryPointer
            38 => Some(self.reply_with(1, &[(8, ROOT)], &[])),
            // GetInputFocus
            43 => Some(self.reply_with(0, &[(8, FOCUSED)], &[])),
            // QueryKeymap
            44 => Some(self.reply_with(0, &[], &[0, 0])),
            // QueryExtension
            98 => Some(self.extension_reply()),
            // GetKeyboardMapping
            101 => {
                let (first, count) = (self.byte(4), self.byte(5));
                let symbols = (0..count).flat_map(|n| [u32::from(first.wrapping_add(n)); 2]);
                Some(self.reply_with(2, &[], &symbols.collect::<Vec<_>>()))
            }
            // GetModifierMapping
            119 => Some(self.reply_with(1, &[], &[0x0032_0000, 0])),
            major => self.reply_of_extension(major),
        }
    }

    fn extension_reply(&self) -> Vec<u8> {
        let name = self.bytes.get(8..).unwrap_or_default();
        match EXTENSIONS.iter().position(|known| name.starts_with(known.as_bytes())) {
            Some(index) => {
                let name = EXTENSIONS[index];
                let mut reply = self.reply_with(0, &[], &[]);
                // The fake server uses the same range of error numbers for all extensions.
                reply[8..12].copy_from_slice(&[1, extension(name), first_event(name), FIRST_EXTENSION]);
                reply
            }
            None => self.reply_with(0, &[], &[]),
        }
    }

    fn reply_of_extension(&self, major: u8) -> Option<Vec<u8>> {
        let name = EXTENSIONS.get(usize::from(major.checked_sub(FIRST_EXTENSION)?))?;
        match (*name, self.byte(1)) {
            // QueryVersion, and ShmGetImage.
            ("DAMAGE" | "MIT-SHM" | "XFIXES" | "XTEST" | "RANDR" | "SYNC" | "RECORD", 0) | ("MIT-SHM", 4) => {
                Some(self.reply_with(0, &[(8, 5)], &[]))
            }
            // BigReqEnable, with the maximum request length.
            ("BIG-REQUESTS", 0) => Some(self.reply_with(0, &[(8, 1 << 20)], &[])),
            // GetCursorImage, with one pixel.
            ("XFIXES", 4) => Some(self.reply_with(0, &[(12, 0x1_0001)], &[0xff00_ff00])),
            // ListSystemCounters, with one counter.
            ("SYNC", 1) => {
                let name = b"\x08\x00IDLETIME\0\0";
                let words = name
                    .chunks(4)
                    .map(|word| u32::from_ne_bytes(word.try_into().expect("each chunk has four bytes")));
                let counter: Vec<u32> = [7, 0, 1].into_iter().chain(words).collect();
                Some(self.reply_with(0, &[(8, 1)], &counter))
            }
            // UseExtension
            ("XKEYBOARD", 0) => Some(self.reply_with(1, &[], &[])),
            // GetState
            ("XKEYBOARD", 4) => Some(self.reply_with(3, &[], &[])),
            // GetMap: the symbols of one key with one group of two levels.
            ("XKEYBOARD", 8) => {
                let head = [
                    (8, u32::from_ne_bytes([0, 0, 8, 255])),
                    (12, 2),
                    (16, u32::from_ne_bytes([0, 8, 2, 0])),
                    (20, 1),
                ];
                let key = [0x0101_0101, u32::from_ne_bytes([1, 2, 2, 0]), 0x61, 0x41];
                Some(self.reply_with(3, &head, &[&[0, 0][..], &key].concat()))
            }
            // XIQueryVersion.
            ("XInputExtension", 47) => Some(self.reply_with(0, &[(8, 0x2_0002)], &[])),
            // EnableContext, with the category StartOfData.
            ("RECORD", 5) => Some(self.reply_with(4, &[], &[])),
            _ => None,
        }
    }

    /// Builds a reply with `detail` as its second byte. `head` contains offsets in the header and their 32-bit values.
    pub(super) fn reply_with(&self, detail: u8, head: &[(usize, u32)], body: &[u32]) -> Vec<u8> {
        let mut reply = vec![0; 32];
        reply[0] = 1;
        reply[1] = detail;
        reply[2..4].copy_from_slice(&self.sequence.to_ne_bytes());
        reply[4..8].copy_from_slice(&(body.len() as u32).to_ne_bytes());
        for (at, word) in head {
            reply[*at..*at + 4].copy_from_slice(&word.to_ne_bytes());
        }
        reply.extend(body.iter().flat_map(|word| word.to_ne_bytes()));
        reply
    }
}

/// Returns the reply to the setup request.
pub(super) fn setup() -> Vec<u8> {
    let visual = Visualtype {
        visual_id: 33,
        class: VisualClass::TRUE_COLOR,
        bits_per_rgb_value: 8,
        colormap_entries: 256,
        red_mask: 0xff_0000,
        green_mask: 0xff00,
        blue_mask: 0xff,
    };
    let screen = Screen {
        root: ROOT,
        root_visual: visual.visual_id,
        root_depth: 24,
        width_in_pixels: SIZE.0,
        height_in_pixels: SIZE.1,
        allowed_depths: vec![Depth { depth: 24, visuals: vec![visual] }],
        ..Screen::default()
    };
    let mut setup = Setup {
        status: 1,
        protocol_major_version: 11,
        resource_id_base: 0x40_0000,
        resource_id_mask: 0x1f_ffff,
        maximum_request_length: u16::MAX,
        image_byte_order: ImageOrder::LSB_FIRST,
        bitmap_format_bit_order: ImageOrder::LSB_FIRST,
        bitmap_format_scanline_unit: 32,
        bitmap_format_scanline_pad: 32,
        min_keycode: 8,
        max_keycode: 255,
        pixmap_formats: vec![Format { depth: 24, bits_per_pixel: 32, scanline_pad: 32 }],
        roots: vec![screen],
        ..Setup::default()
    };
    setup.length = ((setup.serialize().len() - 8) / 4) as u16;
    setup.serialize()
}
