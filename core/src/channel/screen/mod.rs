//! The screen channel: the live content of a computer's screen, the pointer and the keyboard.
//!
//! The protocol is RFB (RFC 6143) in binary messages. A session decodes the updates into a [`Framebuffer`], and reports
//! the changed rectangles.

mod clipboard;
mod connection;
mod damage;
mod framebuffer;
mod handshake;
mod hextile;
mod image;
mod inflate;
mod input;
#[cfg(feature = "screen-quality")]
mod jpeg;
mod keys;
mod mirror;
mod raw;
mod reader;
mod session;
mod tight;
mod zrle;

use std::collections::VecDeque;
use std::mem;

use self::clipboard::{Answer, Clipboard, TooLong};
use self::connection::{Connection, Desk, Effects, End};
use self::damage::Damage;
use self::image::{ImageCache, ImageRequest};
use self::input::Input;
use super::close::{CloseCause, CloseReason};
use super::link::{Action, Counters};
use super::session::{Incoming, Protocol, Received, drop_oldest_error};
use super::terminal::InputRefusal;
use crate::Millis;
use crate::client::address::SocketUrl;
use crate::client::credentials::Password;
use crate::diagnostics::mask::Mask;
use crate::encoding::json::{self, Value};

pub use self::framebuffer::{Framebuffer, Pixel, Rect};
pub use self::image::{Image, ImageFormat};
pub use self::session::{KeyAction, PointerButton};

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

    fn number(self) -> i32 {
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
    /// An image, as requested by [`Session::request_image`](super::Session::request_image).
    Image {
        /// The number of the request.
        id: u64,
        /// The image.
        image: Image,
    },
    /// The text of the clipboard, as requested by
    /// [`Session::request_clipboard`](super::Session::request_clipboard).
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

/// The options of a screen channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenOptions {
    /// Whether input is refused.
    pub view_only: bool,
    /// The accepted encodings, in the order of preference. The server may also copy rectangles. Default: all.
    pub encodings: Vec<Encoding>,
    /// The quality with which the server may compress photographic parts with JPEG, from 0 to 9. Needs the feature
    /// `screen-quality`. Default: `None`, which means that every pixel is exact.
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
    now: Millis,
    /// Whether the server responds, so that the screen is current.
    connected: bool,
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

/// The largest binary message, in bytes. Some servers limit messages to 32 KiB.
const MAX_MESSAGE: usize = 16 << 10;

/// What a view has not shown yet.
#[derive(Debug)]
struct Undrawn {
    damage: Damage,
    /// Whether the pointer has a new shape.
    cursor: bool,
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
    images: VecDeque<(u64, ImageRequest)>,
    clipboard: Option<Answer>,
    bell: bool,
    errors: VecDeque<String>,
}

impl Unread {
    fn push_error(&mut self, message: String) {
        self.errors.push_back(message);
        drop_oldest_error(&mut self.errors, |_| true);
    }
}

impl Screen {
    fn new(options: ScreenOptions) -> Self {
        Self {
            connection: Connection::new(None, &options, false),
            options,
            now: 0,
            connected: false,
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

    fn receive_binary(&mut self, bytes: &[u8], counters: &mut Counters, mask: &Mask) -> Received {
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
            self.image_cache.clear();
        }
        let Effects { accepted, resized, cursor, updates, damage, clipboard, bell, size_refused, .. } =
            effects;
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
        counters.received += updates;
        counters.buffered = self.unread.updates;
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
            Err(End::PasswordRefused(reason)) => Received::PasswordRefused(mask.text(&reason)),
            Err(End::Refused(reason)) => Received::Refused(mask.text(&reason)),
            Err(End::Invalid(problem)) => Received::End(CloseCause::new(CloseReason::Protocol, problem)),
            Ok(()) if accepted => Received::Accepted,
            Ok(()) => Received::Handled,
        }
    }

    /// Returns the next requested image, if the whole screen has arrived and is current.
    fn poll_image(&mut self) -> Option<ScreenItem> {
        if !self.connected || !self.connection.is_complete(&self.framebuffer) {
            return None;
        }
        let (id, request) = self.unread.images.pop_front()?;
        let pointer = self.cursor.as_ref().zip(self.input.position()).filter(|_| request.pointer);
        let image = self.image_cache.take(self.version, request, &self.framebuffer, pointer);
        Some(ScreenItem::Image { id, image })
    }
}

impl Protocol for Screen {
    type Item = ScreenItem;
    const CHANNEL: &'static str = "screen";
    const PATH: &'static str = "websockify";
    const HANDSHAKE: bool = true;

    fn add_query(&self, url: SocketUrl) -> SocketUrl {
        if self.options.view_only { url.with("view_only", 1) } else { url }
    }

    fn on_open(&mut self, password: Option<&Password>) -> Vec<String> {
        self.connection = Connection::new(password, &self.options, self.paused);
        self.clipboard.reset();
        self.unsent.clear();
        self.input.on_open();
        Vec::new()
    }

    fn on_accepted(&mut self, after_break: Option<u64>) {
        if after_break.is_some() {
            self.unread.reconnected = true;
            // The server may not know yet that the previous socket is lost.
            self.input.release_all();
        }
    }

    fn receive(&mut self, message: Incoming<'_>, counters: &mut Counters, mask: &Mask) -> Received {
        let text = match message {
            Incoming::Binary(bytes) => return self.receive_binary(bytes, counters, mask),
            Incoming::Text(text) => text,
        };
        // A proxy can report an error in the form of the other channels before it closes the socket.
        let frame = json::parse(text).unwrap_or_default();
        if frame.get("type").and_then(Value::as_str) != Some("error") {
            return Received::Malformed;
        }
        let message = mask.text(frame.get("message").and_then(Value::as_str).unwrap_or_default());
        self.unread.push_error(message.clone());
        Received::Problem(message)
    }

    fn set_connected(&mut self, connected: bool) {
        self.connected = connected;
    }

    fn poll_item(&mut self, counters: &mut Counters) -> Option<ScreenItem> {
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
            counters.taken += updates;
            counters.buffered = 0;
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
        if let Some(message) = unread.errors.pop_front() {
            return Some(ScreenItem::Error { message });
        }
        self.poll_image()
    }

    fn is_full(&self) -> bool {
        false
    }

    fn overflows(&self) -> bool {
        false
    }

    fn ping(&self) -> Option<Action> {
        self.connection.ping().map(Action::SendBinary)
    }

    fn set_now(&mut self, now: Millis) {
        self.now = now;
    }

    fn poll_timeout(&self) -> Option<Millis> {
        self.input.next_time()
    }

    fn handle_timeout(&mut self, now: Millis, accepts: bool) {
        self.input.handle_time(now, accepts);
    }

    fn poll_output(&mut self) -> Option<Vec<u8>> {
        if self.unsent.is_empty() {
            self.unsent = self.connection.poll_output(&self.framebuffer);
            self.unsent.extend(self.input.take());
        }
        let rest = self.unsent.split_off(MAX_MESSAGE.min(self.unsent.len()));
        let next = mem::replace(&mut self.unsent, rest);
        (!next.is_empty()).then_some(next)
    }

    fn continues_output(&self) -> bool {
        !self.unsent.is_empty()
    }

    fn closing_message(&mut self) -> Option<Action> {
        self.input.release_all();
        let mut last = mem::take(&mut self.unsent);
        last.extend(self.input.take());
        (!last.is_empty()).then_some(Action::SendBinary(last))
    }
}
