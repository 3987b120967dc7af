//! RFB on one socket: the handshake, the messages of the server, and the update requests.

use super::clipboard::{Answer, Clipboard};
use super::damage::Damage;
use super::framebuffer::{Framebuffer, Rect};
use super::handshake::{self, Handshake};
use super::hextile::Hextile;
use super::raw::Raw;
use super::reader::{Read, Reader, Stop};
use super::tight::Tight;
use super::zrle::Zrle;
use super::{Cursor, Encoding, ScreenOptions};
use crate::prelude::*;

/// Responses to the server are dropped while more bytes than this are unsent, so that a server that does not read cannot
/// fill the memory.
const MAX_UNSENT: usize = 64 << 10;
/// The largest number of pixels that the updates in one message may draw or allocate: this many of the largest screen
/// within the message, and the absolute limit.
const MAX_SCREENS: usize = 256;
const MAX_WORK: usize = 1 << 30;
/// The largest number of pixels of a cursor.
const MAX_CURSOR: usize = 1 << 20;
/// From this round-trip time on, the server sends updates without requests.
const CONTINUOUS_FROM: u64 = 20;

/// The pseudo-encodings.
const LAST_RECT: i32 = -224;
const CURSOR: i32 = -239;
const DESKTOP_SIZE: i32 = -223;
const EXTENDED_DESKTOP_SIZE: i32 = -308;
const QEMU_KEYS: i32 = -258;
const FENCE: i32 = -312;
const CONTINUOUS_UPDATES: i32 = -313;
const EXTENDED_BUTTONS: i32 = -316;
const EXTENDED_CLIPBOARD: i32 = 0xc0a1_e5ce_u32.cast_signed();
/// The lowest of ten levels of JPEG quality.
const QUALITY: i32 = -32;
/// Compression level 6 of 9.
const COMPRESSION: i32 = -250;
const COPY_RECT: i32 = 1;

const TIGHT: i32 = Encoding::Tight.number();
const ZRLE: i32 = Encoding::Zrle.number();
const HEXTILE: i32 = Encoding::Hextile.number();
const RAW: i32 = Encoding::Raw.number();

/// What is requested in addition to the encodings of the options.
const ALWAYS: [i32; 11] = [
    COPY_RECT,
    LAST_RECT,
    EXTENDED_DESKTOP_SIZE,
    DESKTOP_SIZE,
    CURSOR,
    FENCE,
    CONTINUOUS_UPDATES,
    QEMU_KEYS,
    EXTENDED_BUTTONS,
    EXTENDED_CLIPBOARD,
    COMPRESSION,
];

/// The flags of a fence.
const FENCE_REQUEST: u32 = 1 << 31;
const FENCE_KNOWN: u32 = 7;

/// The request for the next update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    None,
    /// The changes since the last update.
    Changes,
    /// The whole screen.
    Everything,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Continuous {
    Unsupported,
    Off,
    On,
}

#[derive(Debug)]
enum Phase {
    Handshake(Handshake),
    /// Between two messages.
    Idle,
    /// In an update, between two rectangles. The number of further rectangles; `None` until a rectangle says that it is
    /// the last.
    Update(Option<u16>),
    /// In a rectangle, of which a part is decoded.
    Rect(Partial, Option<u16>),
}

#[derive(Debug)]
enum Partial {
    Raw(Raw),
    Hextile(Hextile),
}

/// What the messages of the server change.
#[derive(Debug)]
pub(super) struct Desk<'a> {
    pub(super) screen: &'a mut Framebuffer,
    pub(super) clipboard: &'a mut Clipboard,
    pub(super) effects: &'a mut Effects,
    pub(super) now: u64,
}

/// The effects of the received messages, apart from the pixels.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// The first update has arrived.
    pub(super) accepted: bool,
    pub(super) resized: bool,
    /// Pixels may have changed, also those of an update that is not complete.
    pub(super) drew: bool,
    /// A new cursor shape. An empty shape means that the server hides the cursor, or draws it into the screen.
    pub(super) cursor: Option<Cursor>,
    /// The number of complete updates with changes.
    pub(super) updates: u64,
    /// The changes of the complete updates.
    pub(super) damage: Damage,
    pub(super) clipboard: Option<Answer>,
    pub(super) bell: bool,
    /// Why the server refused to change the size.
    pub(super) size_refused: Option<&'static str>,
    pub(super) extended_buttons: bool,
    pub(super) qemu_keys: bool,
}

/// Why a connection ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    PasswordRefused(String),
    Refused(String),
    Invalid(&'static str),
}

#[derive(Debug)]
pub(super) struct Connection {
    /// The start of a message that is not complete yet.
    buffer: Vec<u8>,
    phase: Phase,
    encodings: Vec<Encoding>,
    quality: Option<u8>,
    zrle: Zrle,
    tight: Tight,
    output: Vec<u8>,
    request: Request,
    /// Whether a request was sent that the server has not satisfied yet.
    in_flight: bool,
    paused: bool,
    /// Whether pixels or the end of an update have arrived. Before them, servers announce what they support, so that a
    /// command is not refused only because it is early.
    accepted: bool,
    /// The changes of the current update.
    damage: Damage,
    /// The number of pixels that arrived since the connection opened, up to the number of the whole screen.
    drawn: usize,
    /// The number of pixels that the current message has drawn or allocated, and the limit.
    work: usize,
    work_limit: usize,
    fences: bool,
    /// The time at which the fence that measures the round trip was sent.
    probe: Option<u64>,
    continuous: Continuous,
    distant: bool,
    /// Whether the server supports a change of the size, and the id and the flags of its first monitor.
    monitor: Option<(u32, u32)>,
}

impl Connection {
    pub(super) fn new(password: Option<&str>, options: &ScreenOptions, paused: bool) -> Self {
        Self {
            buffer: Vec::new(),
            phase: Phase::Handshake(Handshake::new(password)),
            encodings: options.encodings.clone(),
            quality: options.quality,
            zrle: Zrle::default(),
            tight: Tight::new(options.quality),
            output: Vec::new(),
            request: Request::None,
            in_flight: false,
            paused,
            accepted: false,
            damage: Damage::default(),
            drawn: 0,
            work: 0,
            work_limit: 0,
            fences: false,
            probe: None,
            continuous: Continuous::Unsupported,
            distant: false,
            monitor: None,
        }
    }

    /// Returns whether the whole screen has arrived on this connection.
    pub(super) fn is_complete(&self, screen: &Framebuffer) -> bool {
        !matches!(self.phase, Phase::Handshake(_)) && self.drawn >= screen.pixels().len()
    }

    /// Returns a message that the server responds to, or `None` before the end of the handshake.
    pub(super) fn ping(&self) -> Option<Vec<u8>> {
        if matches!(self.phase, Phase::Handshake(_)) {
            return None;
        }
        // Without fences: a request for the first pixel, whether it has changed or not.
        Some(if self.fences { fence(FENCE_REQUEST | 1, &[0]) } else { update_request(false, [0, 0, 1, 1]) })
    }

    /// Returns whether a part of an update has arrived, so that the screen shows parts of two updates.
    pub(super) fn is_updating(&self) -> bool {
        matches!(self.phase, Phase::Update(_) | Phase::Rect(..))
    }

    /// Sets whether the server accepts a change of the size, in a mirror.
    pub(super) fn set_resizable(&mut self, resizable: bool) {
        self.monitor = resizable.then_some((0, 0));
    }

    /// Returns whether the server accepts a change of the size.
    pub(super) fn is_resizable(&self) -> bool {
        self.monitor.is_some()
    }

    /// Requests another size of the screen.
    pub(super) fn resize(&mut self, width: u16, height: u16) {
        let Some((id, flags)) = self.monitor else { return };
        self.output.extend_from_slice(&[251, 0]);
        extend_u16(&mut self.output, &[width, height]);
        self.output.extend_from_slice(&[1, 0]);
        self.output.extend_from_slice(&id.to_be_bytes());
        extend_u16(&mut self.output, &[0, 0, width, height]);
        self.output.extend_from_slice(&flags.to_be_bytes());
    }

    /// Stops or continues the updates.
    pub(super) fn set_paused(&mut self, paused: bool, screen: &Framebuffer) {
        if self.paused == paused {
            return;
        }
        self.paused = paused;
        if !matches!(self.phase, Phase::Handshake(_)) {
            self.set_continuous(screen);
            if !paused && self.request == Request::None {
                self.request = Request::Changes;
            }
        }
    }

    /// Adds a message of the program.
    pub(super) fn send(&mut self, message: &[u8]) {
        self.output.extend_from_slice(message);
    }

    /// Returns the bytes to send: responses, and the request for the next update.
    pub(super) fn poll_output(&mut self, screen: &Framebuffer) -> Vec<u8> {
        let mut output = core::mem::take(&mut self.output);
        let waits = self.in_flight && self.request == Request::Changes;
        // Also a connection that starts without updates needs the first one.
        if self.request != Request::None && !waits && !(self.paused && self.accepted) {
            let changes = self.request == Request::Changes;
            // With continuous updates, the server ignores requests for changes.
            if !changes || self.continuous != Continuous::On {
                output.append(&mut update_request(changes, [0, 0, screen.width(), screen.height()]));
                self.in_flight = true;
            }
            self.request = Request::None;
        }
        output
    }

    /// Handles bytes from the server, which may contain any part of any number of messages.
    pub(super) fn receive(&mut self, bytes: &[u8], desk: &mut Desk<'_>) -> Result<(), End> {
        (self.work, self.work_limit) = (0, 0);
        let mut buffer = core::mem::take(&mut self.buffer);
        let bytes = if buffer.is_empty() {
            bytes
        } else {
            buffer.extend_from_slice(bytes);
            &buffer
        };
        let mut reader = Reader::new(bytes);
        let end = loop {
            let mut next = reader;
            match self.step(&mut next, desk) {
                Ok(None) => reader = next,
                Ok(Some(end)) => break Err(end),
                Err(Stop::Incomplete) => break Ok(()),
                Err(Stop::Invalid(problem)) => break Err(End::Invalid(problem)),
            }
        };
        let handled = bytes.len() - reader.len();
        self.buffer = if buffer.is_empty() {
            bytes[handled..].to_vec()
        } else {
            buffer.drain(..handled);
            buffer
        };
        end
    }

    /// Handles the next part that is complete.
    fn step(&mut self, reader: &mut Reader<'_>, desk: &mut Desk<'_>) -> Read<Option<End>> {
        match &mut self.phase {
            Phase::Handshake(handshake) => match handshake.step(reader, &mut self.output)? {
                handshake::Step::Continue => {}
                handshake::Step::PasswordRefused(reason) => return Ok(Some(End::PasswordRefused(reason))),
                handshake::Step::Refused(reason) => return Ok(Some(End::Refused(reason))),
                handshake::Step::Done(width, height) => self.start(width, height, desk)?,
            },
            Phase::Idle => self.message(reader, desk)?,
            Phase::Update(Some(0)) => self.finish_update(desk),
            Phase::Update(left) => {
                let left = *left;
                self.rect(reader, desk, left)?;
            }
            Phase::Rect(partial, left) => {
                desk.effects.drew = true;
                let complete = match partial {
                    Partial::Raw(raw) => raw.step(reader, desk.screen)?,
                    Partial::Hextile(hextile) => hextile.step(reader, desk.screen)?,
                };
                if complete {
                    self.phase = Phase::Update(*left);
                }
            }
        }
        Ok(None)
    }

    /// Starts to show the screen after the handshake.
    fn start(&mut self, width: u16, height: u16, desk: &mut Desk<'_>) -> Read<()> {
        self.set_size(width, height, desk)?;
        // 32 bits in little-endian order with red first, which are the bytes of a pixel here.
        self.output.extend_from_slice(&[0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0]);
        let count = self.encodings.len() + ALWAYS.len() + usize::from(self.quality.is_some());
        self.output.extend_from_slice(&[2, 0]);
        extend_u16(&mut self.output, &[u16::try_from(count).unwrap_or_default()]);
        for encoding in &self.encodings {
            self.output.extend_from_slice(&encoding.number().to_be_bytes());
        }
        for encoding in ALWAYS {
            self.output.extend_from_slice(&encoding.to_be_bytes());
        }
        if let Some(quality) = self.quality {
            self.output.extend_from_slice(&(QUALITY + i32::from(quality)).to_be_bytes());
        }
        self.phase = Phase::Idle;
        Ok(())
    }

    fn accept(&mut self, effects: &mut Effects) {
        effects.accepted |= !core::mem::replace(&mut self.accepted, true);
    }

    fn set_size(&mut self, width: u16, height: u16, desk: &mut Desk<'_>) -> Read<()> {
        let same = desk.screen.width() == width && desk.screen.height() == height;
        if !same {
            desk.screen.resize(width, height)?;
            let area = desk.screen.pixels().len();
            self.add_work(area, area)?;
            // A rectangle of the old size may be outside the new screen.
            self.damage.clear();
            desk.effects.damage.clear();
            (desk.effects.resized, desk.effects.drew) = (true, true);
            self.damage.add(desk.screen.rect());
        }
        if !same || matches!(self.phase, Phase::Handshake(_)) {
            self.drawn = 0;
            self.request = Request::Everything;
            if self.continuous == Continuous::On {
                self.enable_continuous(true, desk.screen);
            }
        }
        Ok(())
    }

    /// Counts pixels that are drawn or allocated on a screen of this size.
    fn add_work(&mut self, pixels: usize, screen: usize) -> Read<()> {
        self.work_limit = self.work_limit.max(screen.saturating_mul(MAX_SCREENS).min(MAX_WORK));
        self.work = self.work.saturating_add(pixels);
        if self.work > self.work_limit {
            return Err(Stop::Invalid("a message draws too many pixels"));
        }
        Ok(())
    }

    fn message(&mut self, reader: &mut Reader<'_>, desk: &mut Desk<'_>) -> Read<()> {
        match reader.u8()? {
            0 => {
                reader.u8()?;
                let count = reader.u16()?;
                self.phase = Phase::Update(Some(count).filter(|&count| count != u16::MAX));
            }
            // A color map, which a client with direct colors does not need.
            1 => {
                reader.take(3)?;
                let count = usize::from(reader.u16()?);
                reader.take(count * 6)?;
            }
            2 => desk.effects.bell = true,
            3 => {
                let mut output = Vec::new();
                if let Some(answer) = desk.clipboard.handle(reader, &mut output)? {
                    desk.effects.clipboard = Some(answer);
                }
                self.respond(&output);
            }
            150 => self.continuous_ended(desk.screen),
            248 => self.fence(reader, desk)?,
            _ => return Err(Stop::Invalid("the server sent a message of an unknown type")),
        }
        Ok(())
    }

    /// Queues a response, unless the server does not read its responses.
    fn respond(&mut self, response: &[u8]) {
        if self.output.len() < MAX_UNSENT {
            self.output.extend_from_slice(response);
        }
    }

    fn fence(&mut self, reader: &mut Reader<'_>, desk: &mut Desk<'_>) -> Read<()> {
        reader.take(3)?;
        let flags = reader.u32()?;
        let length = reader.u8()?;
        if length > 64 {
            return Err(Stop::Invalid("a fence has more than 64 bytes"));
        }
        let payload = reader.take(length.into())?;
        let first = !core::mem::replace(&mut self.fences, true);
        if flags & FENCE_REQUEST != 0 {
            self.respond(&fence(flags & FENCE_KNOWN, payload));
        } else if payload == PROBE
            && let Some(sent) = self.probe.take()
        {
            self.distant = desk.now.saturating_sub(sent) >= CONTINUOUS_FROM;
            self.set_continuous(desk.screen);
        }
        if first {
            self.probe = Some(desk.now);
            self.respond(&fence(FENCE_REQUEST, PROBE));
        }
        Ok(())
    }

    /// Handles the message that the server sends first to announce continuous updates, and later when they have ended.
    fn continuous_ended(&mut self, screen: &Framebuffer) {
        let announced = self.continuous == Continuous::Unsupported;
        self.continuous = Continuous::Off;
        if announced {
            self.set_continuous(screen);
        } else if self.request == Request::None && !self.paused {
            self.request = Request::Changes;
        }
    }

    /// Switches continuous updates on if the server is distant, and off while the updates are paused.
    fn set_continuous(&mut self, screen: &Framebuffer) {
        let wanted = self.distant && !self.paused;
        match self.continuous {
            Continuous::Off if wanted => {
                self.continuous = Continuous::On;
                self.enable_continuous(true, screen);
            }
            // The server confirms the end with a message.
            Continuous::On if !wanted => self.enable_continuous(false, screen),
            _ => {}
        }
    }

    fn enable_continuous(&mut self, enable: bool, screen: &Framebuffer) {
        self.output.extend_from_slice(&[150, u8::from(enable)]);
        extend_u16(&mut self.output, &[0, 0, screen.width(), screen.height()]);
    }

    /// Handles the header of a rectangle, and the whole rectangle unless its encoding is decoded in parts.
    fn rect(&mut self, reader: &mut Reader<'_>, desk: &mut Desk<'_>, left: Option<u16>) -> Read<()> {
        let (x, y, width, height) = (reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?);
        let rect = Rect { x, y, width, height };
        let encoding = reader.u32()?.cast_signed();
        let left = left.map(|left| left - 1);
        let mut next = Phase::Update(left);
        match encoding {
            LAST_RECT => next = Phase::Update(Some(0)),
            CURSOR => desk.effects.cursor = Some(cursor(reader, rect)?),
            DESKTOP_SIZE => self.set_size(width, height, desk)?,
            EXTENDED_DESKTOP_SIZE => self.extended_size(reader, rect, desk)?,
            QEMU_KEYS => desk.effects.qemu_keys = true,
            EXTENDED_BUTTONS => desk.effects.extended_buttons = true,
            _ => {
                self.accept(desk.effects);
                desk.effects.drew = true;
                let screen = &mut *desk.screen;
                if !screen.rect().contains(rect) {
                    return Err(Stop::Invalid("a rectangle is outside the screen"));
                }
                match encoding {
                    TIGHT => self.tight.decode(reader, screen, rect)?,
                    ZRLE => self.zrle.decode(reader, screen, rect)?,
                    HEXTILE => next = Phase::Rect(Partial::Hextile(Hextile::new(rect)), left),
                    RAW => next = Phase::Rect(Partial::Raw(Raw::new(rect)), left),
                    COPY_RECT => {
                        let from = Rect { x: reader.u16()?, y: reader.u16()?, ..rect };
                        if !screen.rect().contains(from) {
                            return Err(Stop::Invalid("a rectangle is copied from outside the screen"));
                        }
                        screen.copy((from.x, from.y), rect);
                    }
                    _ => return Err(Stop::Invalid("a rectangle has an encoding that was not requested")),
                }
                self.add_work(rect.area(), screen.pixels().len())?;
                self.drawn = self.drawn.saturating_add(rect.area()).min(screen.pixels().len());
                self.damage.add(rect);
            }
        }
        self.phase = next;
        Ok(())
    }

    fn extended_size(&mut self, reader: &mut Reader<'_>, rect: Rect, desk: &mut Desk<'_>) -> Read<()> {
        let monitors = usize::from(reader.u8()?);
        reader.take(3)?;
        let layout = reader.take(monitors * 16)?;
        let mut first = Reader::new(layout);
        self.monitor = Some(match (first.u32(), first.take(8), first.u32()) {
            (Ok(id), Ok(_), Ok(flags)) => (id, flags),
            _ => (0, 0),
        });
        // `x` is the reason of the message: 1 is a request of this client. `y` is its result.
        if rect.x == 1 && rect.y != 0 {
            desk.effects.size_refused = Some(match rect.y {
                1 => "the server does not permit another size",
                2 => "the server has no memory for this size",
                _ => "the server refused this size",
            });
            return Ok(());
        }
        self.set_size(rect.width, rect.height, desk)
    }

    fn finish_update(&mut self, desk: &mut Desk<'_>) {
        self.accept(desk.effects);
        self.phase = Phase::Idle;
        self.in_flight = false;
        if self.request == Request::None {
            self.request = Request::Changes;
        }
        if !self.damage.is_empty() {
            desk.effects.updates += 1;
            desk.effects.damage.add_all(&self.damage);
            self.damage.clear();
        }
    }
}

/// The payload of the fence that measures the round trip.
const PROBE: &[u8] = &[1];

fn fence(flags: u32, payload: &[u8]) -> Vec<u8> {
    let mut message = vec![248, 0, 0, 0];
    message.extend_from_slice(&flags.to_be_bytes());
    message.push(u8::try_from(payload.len()).unwrap_or_default());
    message.extend_from_slice(payload);
    message
}

fn update_request(changes: bool, area: [u16; 4]) -> Vec<u8> {
    let mut message = vec![3, u8::from(changes)];
    extend_u16(&mut message, &area);
    message
}

fn extend_u16(output: &mut Vec<u8>, numbers: &[u16]) {
    for number in numbers {
        output.extend_from_slice(&number.to_be_bytes());
    }
}

/// Reads a cursor: its pixels, and a mask of the visible pixels.
fn cursor(reader: &mut Reader<'_>, rect: Rect) -> Read<Cursor> {
    let Rect { x, y, width, height } = rect;
    if rect.area() > MAX_CURSOR {
        return Err(Stop::Invalid("a cursor is too large"));
    }
    let line = usize::from(width).div_ceil(8);
    let colors = reader.take(rect.area() * 4)?;
    let mask = reader.take(line * usize::from(height))?;
    let mut pixels = Vec::with_capacity(colors.len());
    for (at, &[red, green, blue, _]) in colors.as_chunks::<4>().0.iter().enumerate() {
        let (row, column) = (at / usize::from(width), at % usize::from(width));
        let visible = mask[row * line + column / 8] >> (7 - column % 8) & 1 != 0;
        pixels.extend_from_slice(&if visible { [red, green, blue, 255] } else { [0; 4] });
    }
    Ok(Cursor { x, y, width, height, pixels })
}
