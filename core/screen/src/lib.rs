//! A live screen over RFB (RFC 6143) without its connection.
//!
//! A [`Screen`] decodes the updates of a server into a [`Framebuffer`], reports the changed rectangles, and encodes input. The caller
//! passes the messages of a connection to it, and sends its output. The crate uses no standard library, because a page downloads it.

#![cfg_attr(not(any(test, feature = "png", feature = "jpeg", feature = "quality")), no_std)]

extern crate alloc;

mod clipboard;
mod commands;
mod connection;
mod damage;
mod framebuffer;
mod handshake;
mod hextile;
mod image;
mod inflate;
mod input;
mod interface;
#[cfg(feature = "quality")]
mod jpeg;
mod keys;
mod mirror;
mod raw;
mod reader;
mod tight;
mod zrle;

use core::mem;

use self::clipboard::{Answer, Clipboard, TooLong};
use self::connection::{Connection, Desk, Effects, End};
use self::damage::Damage;
use self::image::{ImageCache, ImageRequest};
use self::input::Input;
use self::prelude::*;

pub use self::commands::{KeyAction, PointerButton, Reply};
pub use self::framebuffer::{Framebuffer, Pixel, Rect};
pub use self::image::{Image, ImageFormat};
pub use self::interface::{
    Argument, Condition, Counters, InputRefusal, Invalid, MUST_BE_TEXTS, Outcome, Record, UNKNOWN_COMMAND,
};

/// An encoding of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// One color, or compressed pixels, palette indices or differences.
    Tight,
    /// Compressed tiles with palettes and run lengths.
    Zrle,
    /// Tiles with a background and rectangles of other colors.
    Hextile,
    /// All pixels.
    Raw,
}

impl Encoding {
    /// Every encoding, in the order of preference.
    pub const ALL: [Self; 4] = [Self::Tight, Self::Zrle, Self::Hextile, Self::Raw];

    /// Returns the name in JavaScript.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tight => "tight",
            Self::Zrle => "zrle",
            Self::Hextile => "hextile",
            Self::Raw => "raw",
        }
    }

    const fn number(self) -> i32 {
        match self {
            Self::Tight => 7,
            Self::Zrle => 16,
            Self::Hextile => 5,
            Self::Raw => 0,
        }
    }
}

/// The shape of the pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The column of the pixel that points.
    pub x: u16,
    /// The row of the pixel that points.
    pub y: u16,
    /// The width in pixels; 0 if the pointer is invisible, or the server draws it into the screen.
    pub width: u16,
    /// The height in pixels.
    pub height: u16,
    /// The pixels with an alpha of 0 or 255, four bytes each, row by row.
    pub pixels: Vec<u8>,
}

/// An item of a screen channel.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScreenItem {
    /// The connection broke, and a new connection is open. The whole screen follows.
    Reconnected,
    /// The screen has a new size. The item precedes the first changes of each size.
    Resized {
        /// The width in pixels.
        width: u16,
        /// The height in pixels.
        height: u16,
    },
    /// The pointer has a new shape.
    Cursor(Cursor),
    /// Rectangles have changed. Unread changes are joined into one item.
    Damage {
        /// The changed rectangles.
        rects: Vec<Rect>,
        /// The number of updates that the item contains.
        updates: u64,
    },
    /// An image, as requested by [`Screen::request_image`].
    Image {
        /// The number of the request.
        id: u64,
        /// The image.
        image: Image,
    },
    /// The text of the clipboard, as requested by
    /// [`Screen::request_clipboard`].
    Clipboard {
        /// The text.
        text: String,
    },
    /// The requested text of the clipboard is longer than 1 MiB.
    ClipboardTooLong,
    /// A program rang the bell.
    Bell,
    /// An error message from the server, with secrets masked.
    Error {
        /// The text.
        message: String,
    },
}

impl ScreenItem {
    /// Writes the item in the form that JavaScript receives.
    #[must_use]
    pub fn write<Object: Record>(self) -> Object {
        let mut object = Object::empty();
        object.text("type", self.name());
        match self {
            Self::Reconnected | Self::ClipboardTooLong | Self::Bell => {}
            Self::Resized { width, height } => size(&mut object, width, height),
            Self::Damage { rects, updates } => {
                let mut list = Vec::with_capacity(rects.len());
                for rect in rects {
                    list.push(rect.write());
                }
                object.list("rects", list);
                object.number("updates", updates);
            }
            Self::Clipboard { text } => object.long_text("text", text),
            Self::Error { message } => object.text("message", &message),
            Self::Cursor(Cursor { x, y, width, height, pixels }) => {
                place(&mut object, x, y);
                size(&mut object, width, height);
                object.bytes("pixels", Arc::new(pixels));
            }
            Self::Image { id, image } => {
                object.number("id", id);
                size(&mut object, image.width, image.height);
                object.text("format", image.format.as_str());
                object.bytes("data", image.data);
            }
        }
        object
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Reconnected => "reconnected",
            Self::Resized { .. } => "resized",
            Self::Cursor(_) => "cursor",
            Self::Damage { .. } => "damage",
            Self::Image { .. } => "image",
            Self::Clipboard { .. } => "clipboard",
            Self::ClipboardTooLong => "clipboard_too_long",
            Self::Bell => "bell",
            Self::Error { .. } => "error",
        }
    }
}

impl Rect {
    fn write<Object: Record>(self) -> Object {
        let mut object = Object::empty();
        place(&mut object, self.x, self.y);
        size(&mut object, self.width, self.height);
        object
    }
}

fn place(object: &mut impl Record, x: u16, y: u16) {
    object.number("x", x.into());
    object.number("y", y.into());
}

fn size(object: &mut impl Record, width: u16, height: u16) {
    object.number("width", width.into());
    object.number("height", height.into());
}

/// The options of a screen channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenOptions {
    /// Whether input is refused.
    pub view_only: bool,
    /// The accepted encodings, in the order of preference. The server may also copy rectangles. Default: all.
    pub encodings: Vec<Encoding>,
    /// The quality with which the server may compress photographic parts with JPEG, from 0 to 9. Needs the feature
    /// `quality`. Default: `None`, which means that every pixel is exact.
    pub quality: Option<u8>,
}

impl Default for ScreenOptions {
    fn default() -> Self {
        Self { view_only: false, encodings: Encoding::ALL.to_vec(), quality: None }
    }
}

/// The protocol of the screen channel.
#[derive(Debug)]
pub struct Screen {
    options: ScreenOptions,
    connection: Connection,
    now: u64,
    condition: Condition,
    counters: Counters,
    framebuffer: Framebuffer,
    /// The number of messages that may have changed the pixels or the shape of the pointer.
    version: u64,
    image_cache: ImageCache,
    cursor: Option<Cursor>,
    clipboard: Clipboard,
    input: Input,
    /// The rest of the output, of which the start was sent.
    unsent: Vec<u8>,
    paused: bool,
    /// What a view has not shown yet. `None` without a view.
    undrawn: Option<Undrawn>,
    /// In a mirror: whether the session refuses input.
    mirrored: Option<Option<InputRefusal>>,
    unread: Unread,
}

/// The largest number of unread error messages. Above it, the oldest message is dropped.
const MAX_ERRORS: usize = 64;
/// The largest binary message, in bytes. Some servers limit messages to 32 KiB.
const MAX_MESSAGE: usize = 16 << 10;

/// What a view has not shown yet.
#[derive(Debug)]
struct Undrawn {
    damage: Damage,
    /// Whether the pointer has a new shape.
    cursor: bool,
    /// When the first of the changes arrived.
    since: u64,
}

/// What the consumer has not read. Items of the same kind are joined, so the number of items is bounded.
#[derive(Debug, Default)]
struct Unread {
    reconnected: bool,
    resized: bool,
    cursor: bool,
    damage: Damage,
    updates: u64,
    /// The requested images, with the numbers of their requests.
    images: Vec<(u64, ImageRequest)>,
    clipboard: Option<Answer>,
    bell: bool,
    errors: Vec<String>,
}

impl Unread {
    fn push_error(&mut self, message: String) {
        if self.errors.len() >= MAX_ERRORS {
            self.errors.remove(0);
        }
        self.errors.push(message);
    }
}

impl Screen {
    /// Creates a screen without a connection.
    #[must_use]
    pub fn new(options: ScreenOptions) -> Self {
        Self {
            connection: Connection::new(None, &options, false),
            options,
            now: 0,
            condition: Condition::default(),
            counters: Counters::default(),
            framebuffer: Framebuffer::default(),
            version: 0,
            image_cache: ImageCache::default(),
            cursor: None,
            clipboard: Clipboard::default(),
            input: Input::default(),
            unsent: Vec::new(),
            paused: false,
            undrawn: None,
            mirrored: None,
            unread: Unread::default(),
        }
    }

    /// Returns the next requested image, if the whole screen has arrived and is current.
    fn poll_image(&mut self) -> Option<ScreenItem> {
        let is_current = self.condition == Condition::Open && self.connection.is_complete(&self.framebuffer);
        if self.unread.images.is_empty() || !is_current {
            return None;
        }
        let (id, request) = self.unread.images.remove(0);
        let pointer = self.cursor.as_ref().zip(self.input.position()).filter(|_| request.pointer);
        let image = self.image_cache.take(self.version, request, &self.framebuffer, pointer);
        Some(ScreenItem::Image { id, image })
    }
}

/// The methods for the connection.
impl Screen {
    /// Returns whether the server has to refuse input.
    #[must_use]
    pub fn is_view_only(&self) -> bool {
        self.options.view_only
    }

    /// Starts the handshake on a new connection, with the password of the computer.
    pub fn open(&mut self, password: Option<&str>) {
        self.connection = Connection::new(password, &self.options, self.paused);
        self.clipboard.reset();
        self.unsent.clear();
        self.input.on_open();
    }

    /// Handles the acceptance by the server, for the first time or after a break.
    pub fn accepted(&mut self, after_break: bool) {
        if after_break {
            self.unread.reconnected = true;
            // The server may not know yet that the previous socket is lost.
            self.input.release_all();
        }
    }

    /// Learns the time in milliseconds before a message is handled.
    pub fn set_now(&mut self, now: u64) {
        self.now = now;
    }

    /// Learns the condition of the connection.
    pub fn set_condition(&mut self, condition: Condition) {
        self.condition = condition;
    }

    /// Handles a message.
    pub fn receive(&mut self, bytes: &[u8]) -> Outcome {
        let mut effects = Effects::default();
        let mut desk = Desk {
            screen: &mut self.framebuffer,
            clipboard: &mut self.clipboard,
            effects: &mut effects,
            now: self.now,
        };
        let result = self.connection.receive(bytes, &mut desk);
        if effects.drew {
            self.version += 1;
        }
        let Effects { accepted, resized, cursor, updates, damage, clipboard, bell, size_refused, .. } =
            effects;
        if let Some(undrawn) = &mut self.undrawn
            && undrawn.damage.is_empty()
        {
            undrawn.since = self.now;
        }
        let undrawn = self.undrawn.iter_mut().map(|undrawn| &mut undrawn.damage);
        for earlier in undrawn.chain([&mut self.unread.damage]) {
            if resized {
                // The changes of an old size are outside the new screen.
                earlier.clear();
            }
            earlier.add_all(&damage);
        }
        self.unread.resized |= resized;
        self.unread.updates += updates;
        self.counters.received += updates;
        if cursor.is_some() {
            self.version += 1;
            self.cursor = cursor;
            self.unread.cursor = true;
            if let Some(undrawn) = &mut self.undrawn {
                undrawn.cursor = true;
            }
        }
        if clipboard.is_some() {
            self.unread.clipboard = clipboard;
        }
        self.unread.bell |= bell;
        self.input.extended_buttons |= effects.extended_buttons;
        self.input.qemu_keys |= effects.qemu_keys;
        if let Some(problem) = size_refused {
            self.unread.push_error(problem.to_owned());
        }
        match result {
            Err(End::PasswordRefused(reason)) => Outcome::PasswordRefused(reason),
            Err(End::Refused(reason)) => Outcome::Refused(reason),
            Err(End::Invalid(problem)) => Outcome::Invalid(problem.to_owned()),
            Ok(()) if accepted => Outcome::Accepted,
            Ok(()) => Outcome::Handled,
        }
    }

    /// Removes and returns the next item for the consumer.
    pub fn poll_item(&mut self) -> Option<ScreenItem> {
        let unread = &mut self.unread;
        if mem::take(&mut unread.reconnected) {
            return Some(ScreenItem::Reconnected);
        }
        if mem::take(&mut unread.resized) {
            let (width, height) = (self.framebuffer.width(), self.framebuffer.height());
            return Some(ScreenItem::Resized { width, height });
        }
        if mem::take(&mut unread.cursor)
            && let Some(cursor) = &self.cursor
        {
            return Some(ScreenItem::Cursor(cursor.clone()));
        }
        let updates = mem::take(&mut unread.updates);
        if updates > 0 {
            self.counters.taken += updates;
            return Some(ScreenItem::Damage { rects: unread.damage.take(), updates });
        }
        if let Some(answer) = unread.clipboard.take() {
            return Some(match answer {
                Ok(text) => ScreenItem::Clipboard { text },
                Err(TooLong) => ScreenItem::ClipboardTooLong,
            });
        }
        if mem::take(&mut unread.bell) {
            return Some(ScreenItem::Bell);
        }
        if !unread.errors.is_empty() {
            return Some(ScreenItem::Error { message: unread.errors.remove(0) });
        }
        self.poll_image()
    }

    /// Adds an error message for the consumer.
    pub fn push_error(&mut self, message: String) {
        self.unread.push_error(message);
    }

    /// Returns the counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Returns a message that the server responds to, or `None` before the end of the handshake.
    #[must_use]
    pub fn ping(&self) -> Option<Vec<u8>> {
        self.connection.ping()
    }

    /// Returns when to call [`handle_timeout`](Self::handle_timeout) while the connection is open. Zero means immediately.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.input.next_time()
    }

    /// Handles the time of [`poll_timeout`](Self::poll_timeout), or an earlier time.
    pub fn handle_timeout(&mut self, now: u64) {
        self.input.handle_time(now, self.condition == Condition::Open);
    }

    /// Returns the next message to the server, when the connection has room for it.
    pub fn poll_output(&mut self) -> Option<Vec<u8>> {
        if self.unsent.is_empty() {
            self.unsent = self.connection.poll_output(&self.framebuffer);
            self.unsent.append(&mut self.input.take());
        }
        let rest = self.unsent.split_off(MAX_MESSAGE.min(self.unsent.len()));
        let next = mem::replace(&mut self.unsent, rest);
        (!next.is_empty()).then_some(next)
    }

    /// Returns whether the next output continues the last output, so that no other message may be between them.
    #[must_use]
    pub fn continues_output(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Frees the memory of the pixels and of the decoders. For a screen that will not open again. The size and the unread
    /// items remain.
    pub fn free(&mut self) {
        self.framebuffer = Framebuffer::without_pixels(self.framebuffer.width(), self.framebuffer.height());
        self.image_cache = ImageCache::default();
        self.connection = Connection::new(None, &self.options, self.paused);
    }

    /// Returns the message that releases everything that is held, if anything is, before the connection is closed.
    pub fn closing_message(&mut self) -> Option<Vec<u8>> {
        self.input.release_all();
        let mut last = mem::take(&mut self.unsent);
        last.append(&mut self.input.take());
        (!last.is_empty()).then_some(last)
    }
}

/// The parts of the standard library that every file uses.
mod prelude {
    pub(crate) use alloc::borrow::ToOwned;
    pub(crate) use alloc::boxed::Box;
    pub(crate) use alloc::string::String;
    pub(crate) use alloc::sync::Arc;
    pub(crate) use alloc::vec;
    pub(crate) use alloc::vec::Vec;
}
