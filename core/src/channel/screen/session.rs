//! The commands of a screen channel.

use super::damage::Damage;
use super::image::{ImageFormat, ImageRequest};
use super::input::Key;
use super::{
    Cursor, Encoding, Framebuffer, Rect, Screen, ScreenItem, ScreenOptions, Undrawn, clipboard, keys,
};
use crate::Millis;
use crate::channel::InputRefusal;
use crate::channel::any::{Command, Kind};
use crate::channel::link::Target;
use crate::channel::session::Session;
use crate::client::fields::{Fields, list_of_texts};
use crate::diagnostics::mask::in_quotes;
use crate::encoding::json::{Map, Value};
use crate::encoding::plain::{Payload, PlainObject};
use crate::error::Error;

/// The largest number of requested images that are not taken yet.
const MAX_IMAGES: usize = 64;
/// The largest number of clicks, wheel steps or points of one command.
const MAX_CLICKS: u16 = 100;
const MAX_POINTS: usize = 1_000;
/// The largest keysym, which X11 reserves 29 bits for.
const MAX_KEYSYM: u32 = (1 << 29) - 1;

/// A button of the pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointerButton {
    /// The left button.
    Left,
    /// The middle button.
    Middle,
    /// The right button.
    Right,
    /// The button that goes back, which not every server knows.
    Back,
    /// The button that goes forward, which not every server knows.
    Forward,
}

impl PointerButton {
    const ALL: [(&'static str, Self); 5] = [
        ("left", Self::Left),
        ("middle", Self::Middle),
        ("right", Self::Right),
        ("back", Self::Back),
        ("forward", Self::Forward),
    ];

    fn number(self) -> u16 {
        match self {
            Self::Left => 1,
            Self::Middle => 2,
            Self::Right => 3,
            Self::Back => 8,
            Self::Forward => 9,
        }
    }
}

/// How a key is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAction {
    /// Presses and releases the key.
    Press,
    /// Presses and holds the key. A key that is already held repeats.
    Down,
    /// Presses and holds the key, and repeats it until it is released or another key is used. Of a combination, the last
    /// key repeats.
    Hold,
    /// Releases the key.
    Up,
}

/// The result of an input: `None` if it was accepted, or why it was refused.
type Accepted = Result<Option<InputRefusal>, Error>;

impl Session<Screen> {
    /// Creates a session of a screen.
    #[must_use]
    pub fn screen(target: Target, options: ScreenOptions, seed: u64, now: Millis) -> Self {
        Self::begin(Screen::new(options), target, seed, now)
    }

    /// Returns the current content of the screen. It remains while the channel reconnects.
    #[must_use]
    pub fn framebuffer(&self) -> &Framebuffer {
        &self.protocol.framebuffer
    }

    /// Returns whether the whole screen has arrived on the current connection.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.protocol.connection.is_complete(&self.protocol.framebuffer)
    }

    /// Returns the shape of the pointer, if the server has sent one.
    #[must_use]
    pub fn cursor(&self) -> Option<&Cursor> {
        self.protocol.cursor.as_ref()
    }

    /// Returns where this channel has moved the pointer. Other clients and programs also move it.
    #[must_use]
    pub fn pointer(&self) -> Option<(u16, u16)> {
        self.protocol.input.position()
    }

    /// Returns why input would be refused now. Returns `None` if it would be accepted.
    #[must_use]
    pub fn refusal(&self) -> Option<InputRefusal> {
        if let Some(mirrored) = self.protocol.mirrored {
            mirrored
        } else if self.protocol.options.view_only {
            Some(InputRefusal::ViewOnly)
        } else if !self.link.is_open() {
            Some(InputRefusal::Disconnected)
        } else if self.link.is_unstable() {
            Some(InputRefusal::Unstable)
        } else {
            self.protocol.input.is_full().then_some(InputRefusal::Full)
        }
    }

    /// Moves the pointer. A move that is not sent yet is replaced by the next move.
    ///
    /// # Errors
    /// [`Error::Encode`] if the pixel is not on the screen.
    pub fn move_pointer(&mut self, x: f64, y: f64) -> Accepted {
        let point = self.point("move", x, y)?;
        Ok(self.accept(|screen| screen.input.move_to(point, true)))
    }

    /// Presses (`true`) or releases a button at the current position.
    ///
    /// # Errors
    /// [`Error::Encode`] if the server does not know the button, or the pointer has no position yet.
    pub fn set_button(&mut self, button: PointerButton, pressed: bool) -> Accepted {
        let operation = if pressed { "down" } else { "up" };
        self.check_button(operation, button)?;
        self.check_placed(operation)?;
        Ok(self.accept(|screen| screen.input.button(button.number(), pressed)))
    }

    /// Clicks `count` times at the current position, while the `modifiers` (names of keys) are held.
    ///
    /// # Errors
    /// [`Error::Encode`] if an argument is invalid, or the pointer has no position yet.
    pub fn click(&mut self, button: PointerButton, count: f64, modifiers: &[String]) -> Accepted {
        self.check_button("click", button)?;
        self.check_placed("click")?;
        let count = whole("click", "count", count, 1, MAX_CLICKS)?;
        let mut held = Vec::new();
        for name in modifiers {
            held.extend(key_list("click", "modifiers", name, self.protocol.input.holds_shift())?);
        }
        Ok(self.accept(|screen| {
            screen.input.press(&held);
            for _ in 0..count {
                screen.input.click(button.number());
            }
            screen.input.release(&held);
        }))
    }

    /// Moves the pointer to the first point, presses the button, moves along the other points, and releases the button. There
    /// are 4 ms between the points, and later input follows after the last one.
    ///
    /// # Errors
    /// [`Error::Encode`] if a point is not on the screen, or there are not 2 to 1,000 points.
    pub fn drag(&mut self, button: PointerButton, path: &[(f64, f64)]) -> Accepted {
        self.check_button("drag", button)?;
        if !(2..=MAX_POINTS).contains(&path.len()) {
            return Err(refused("drag", "path", format!("must have 2 to {MAX_POINTS} points")));
        }
        let path: Vec<_> = path.iter().map(|&(x, y)| self.point("drag", x, y)).collect::<Result<_, _>>()?;
        Ok(self.accept(|screen| screen.input.drag(button.number(), &path)))
    }

    /// Turns the wheel by a number of steps: `dy` down, `dx` to the right; negative numbers turn it up and to the left.
    ///
    /// # Errors
    /// [`Error::Encode`] if a number is not a whole number from -100 to 100, or the pointer has no position yet.
    pub fn wheel(&mut self, dx: f64, dy: f64) -> Accepted {
        self.check_placed("wheel")?;
        let steps = |name, steps: f64, less, more| {
            whole("wheel", name, steps.abs(), 0, MAX_CLICKS)
                .map(|count| (if steps < 0.0 { less } else { more }, count))
                .map_err(|_| refused("wheel", name, "must be a whole number from -100 to 100"))
        };
        let turns = [steps("dy", dy, 4, 5)?, steps("dx", dx, 6, 7)?];
        Ok(self.accept(|screen| {
            for (button, count) in turns {
                for _ in 0..count {
                    screen.input.click(button);
                }
            }
        }))
    }

    /// Uses a key or a combination such as `ctrl+c`. A character is its own key if it is in Latin-1. A capital letter is
    /// pressed together with Shift.
    ///
    /// # Errors
    /// [`Error::Encode`] for the name of an unknown key. Other characters have no key: type them with `computers.type`.
    pub fn key(&mut self, name: &str, action: KeyAction) -> Accepted {
        let input = &self.protocol.input;
        // The release of a capital includes the Shift that was added when it was pressed.
        let is_shift_held = input.holds_shift() && !(action == KeyAction::Up && input.has_added_shift());
        let keys = key_list("key", "key", name, is_shift_held)?;
        Ok(self.accept(|Screen { input, .. }| match action {
            KeyAction::Press => {
                input.press(&keys);
                input.release(&keys);
            }
            KeyAction::Down => input.press(&keys),
            KeyAction::Hold => input.hold(&keys),
            KeyAction::Up => input.release(&keys),
        }))
    }

    /// Presses (`true`) or releases the key with this X11 keysym. `code` is the key's code in the XT scan code set, for
    /// a server that uses codes.
    pub fn set_key(&mut self, keysym: u32, code: Option<u32>, pressed: bool) -> Option<InputRefusal> {
        self.accept(|screen| {
            screen.input.key(Key { keysym, code, added: false }, pressed);
        })
    }

    /// Releases everything that this channel holds.
    pub fn release_all(&mut self) {
        if self.link.is_open() {
            self.protocol.input.release_all();
        }
    }

    /// Changes the size of the screen. The server may refuse it, with [`ScreenItem::Error`].
    ///
    /// # Errors
    /// [`Error::Encode`] if a side is not a whole number of pixels from 1 to 16,384, or the server does not support it.
    pub fn resize(&mut self, width: f64, height: f64) -> Accepted {
        let width = whole("resize", "width", width, 1, 1 << 14)?;
        let height = whole("resize", "height", height, 1, 1 << 14)?;
        if self.link.is_open() && !self.protocol.connection.is_resizable() {
            return Err(refused("resize", "width", "cannot change, because the server does not support it"));
        }
        Ok(self.accept(|screen| screen.connection.resize(width, height)))
    }

    /// Offers a text to the programs of the computer as the content of the clipboard.
    ///
    /// # Errors
    /// [`Error::Encode`] if the text is longer than 1 MiB, or has characters that the server does not support.
    pub fn set_clipboard(&mut self, text: &str) -> Accepted {
        if text.len() > clipboard::MAX_TEXT {
            let problem =
                format!("has {} bytes, and at most {} are accepted", text.len(), clipboard::MAX_TEXT);
            return Err(refused("clipboard", "text", problem));
        }
        if let Some(refusal) = self.refusal() {
            self.link.refuse();
            return Ok(Some(refusal));
        }
        let Some(message) = self.protocol.clipboard.offer(text) else {
            let problem = "has characters beyond Latin-1, which this server does not support";
            return Err(refused("clipboard", "text", problem));
        };
        self.protocol.connection.send(&message);
        if let Some(answer) = self.protocol.clipboard.answer_with_offer() {
            self.protocol.unread.clipboard = Some(answer);
        }
        Ok(None)
    }

    /// Requests the text of the computer's clipboard, for [`ScreenItem::Clipboard`] or [`ScreenItem::ClipboardTooLong`].
    /// Requests that wait share one item. The text is that of [`Self::set_clipboard`] while this channel owns the
    /// clipboard, and empty if the server announces none: a text that was copied before the channel opened is unknown to
    /// it on some servers.
    pub fn request_clipboard(&mut self) -> Option<InputRefusal> {
        if !self.link.is_open() {
            return Some(InputRefusal::Disconnected);
        }
        let (answer, message) = self.protocol.clipboard.request();
        self.protocol.connection.send(&message);
        // An unread answer to an old request may be outdated.
        self.protocol.unread.clipboard = answer;
        None
    }

    /// Stops or continues the updates, for example while nobody sees the screen.
    pub fn set_paused(&mut self, paused: bool) {
        self.protocol.paused = paused;
        self.protocol.connection.set_paused(paused, &self.protocol.framebuffer);
    }

    /// Starts to collect the changes for a view, which draws the whole screen first.
    pub fn start_drawing(&mut self) {
        let mut damage = Damage::default();
        damage.add(self.protocol.framebuffer.rect());
        self.protocol.undrawn = Some(Undrawn { damage, cursor: true });
    }

    /// Stops to collect the changes for a view.
    pub fn stop_drawing(&mut self) {
        self.protocol.undrawn = None;
    }

    /// Returns the changed rectangles for a view. Returns `None` if nothing has changed, or while only a part of an update
    /// has arrived.
    #[must_use]
    pub fn poll_drawing(&mut self) -> Option<Vec<Rect>> {
        if self.protocol.connection.is_updating() {
            return None;
        }
        let damage = &mut self.protocol.undrawn.as_mut()?.damage;
        (!damage.is_empty()).then(|| damage.take())
    }

    /// Returns the shape of the pointer for a view, if the shape has changed.
    #[must_use]
    pub fn poll_drawn_cursor(&mut self) -> Option<&Cursor> {
        let undrawn = self.protocol.undrawn.as_mut()?;
        std::mem::take(&mut undrawn.cursor).then_some(self.protocol.cursor.as_ref()).flatten()
    }

    /// Requests an image, for [`ScreenItem::Image`] with this `id`. It is taken as soon as the whole screen has arrived and
    /// the server responds, so never while the channel reconnects or after it has closed.
    /// `region` is a part of the screen (default: the whole screen), `scale` the size of the image from above 0 to 1.
    /// `pointer` is whether to draw the pointer where this channel has moved it, unless it is hidden or part of the screen.
    ///
    /// # Errors
    /// [`Error::Encode`] if an argument is invalid, no pixel of the region is on the screen, or 64 images are requested
    /// already.
    pub fn request_image(
        &mut self,
        id: u64,
        region: Option<Rect>,
        scale: f64,
        format: ImageFormat,
        pointer: bool,
    ) -> Result<(), Error> {
        if !(scale > 0.0 && scale <= 1.0) {
            return Err(refused("image", "scale", "must be above 0 and at most 1"));
        }
        if region.is_some_and(|region| region.area() == 0) {
            return Err(refused("image", "region", "must have a width and a height"));
        }
        let screen = self.protocol.framebuffer.rect();
        // The size is unknown before the first connect.
        if screen.area() > 0
            && region.is_some_and(|region| region.x >= screen.width || region.y >= screen.height)
        {
            let problem = format!("has no pixel on the screen of {}x{} pixels", screen.width, screen.height);
            return Err(refused("image", "region", problem));
        }
        let images = &mut self.protocol.unread.images;
        if images.len() >= MAX_IMAGES {
            return Err(refused("image", "id", "is one request too many: wait for the previous images"));
        }
        images.push_back((id, ImageRequest { region, scale, format, pointer }));
        Ok(())
    }

    fn accept(&mut self, input: impl FnOnce(&mut Screen)) -> Option<InputRefusal> {
        let refusal = self.refusal();
        match refusal {
            Some(_) => self.link.refuse(),
            None => input(&mut self.protocol),
        }
        refusal
    }

    /// Checks that a pixel is on the screen. Before the first connection, the size is not known.
    fn point(&self, operation: &str, x: f64, y: f64) -> Result<(u16, u16), Error> {
        let side = |name, value, length: u16| {
            let last = if length == 0 { u16::MAX } else { length - 1 };
            whole(operation, name, value, 0, last)
        };
        let screen = &self.protocol.framebuffer;
        Ok((side("x", x, screen.width())?, side("y", y, screen.height())?))
    }

    fn check_button(&self, operation: &str, button: PointerButton) -> Result<(), Error> {
        let known = button.number() <= 3 || !self.link.is_open() || self.protocol.input.extended_buttons;
        let problem = "is not a button that this server knows: it must be left, middle or right";
        if known { Ok(()) } else { Err(refused(operation, "button", problem)) }
    }

    fn check_placed(&self, operation: &str) -> Result<(), Error> {
        let placed = self.protocol.input.position().is_some();
        if placed { Ok(()) } else { Err(refused(operation, "x", "is required before the first move")) }
    }
}

fn refused(operation: &str, field: &str, problem: impl Into<String>) -> Error {
    Error::encode(&format!("screen.{operation}"), field, problem)
}

fn whole(operation: &str, field: &str, value: f64, least: u16, most: u16) -> Result<u16, Error> {
    if !(f64::from(least)..=f64::from(most)).contains(&value) || value.fract() != 0.0 {
        return Err(refused(operation, field, format!("must be a whole number from {least} to {most}")));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    Ok(value as u16)
}

/// Returns the keys of a combination, in the order in which they are pressed.
fn key_list(operation: &str, field: &str, name: &str, is_shift_held: bool) -> Result<Vec<Key>, Error> {
    let keysyms = keys::combination(name).map_err(|unknown| {
        let unknown = in_quotes(&unknown.chars().take(40).collect::<String>());
        let problem = format!(
            "has an unknown key {unknown}: use names such as Enter, Page_Up, ctrl+c or one character, and `type` for text"
        );
        refused(operation, field, problem)
    })?;
    let keysyms = keys::with_shift(keysyms, is_shift_held);
    Ok(keysyms.into_iter().map(|(keysym, added)| Key { keysym, code: None, added }).collect())
}

/// The arguments of a command.
struct Arguments<'a> {
    operation: &'a str,
    fields: &'a Map,
}

impl<'a> Arguments<'a> {
    fn number(&self, name: &str) -> Result<Option<f64>, Error> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                value.as_f64().map(Some).ok_or_else(|| refused(self.operation, name, "must be a number"))
            }
        }
    }

    fn required(&self, name: &str) -> Result<f64, Error> {
        self.number(name)?.ok_or_else(|| refused(self.operation, name, "is required"))
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, Error> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(refused(self.operation, name, "must be a string")),
        }
    }

    fn button(&self) -> Result<PointerButton, Error> {
        let name = self.text("button")?.unwrap_or("left");
        let found = PointerButton::ALL.into_iter().find(|(known, _)| *known == name);
        let problem = "must be left, middle, right, back or forward";
        found.map(|(_, button)| button).ok_or_else(|| refused(self.operation, "button", problem))
    }

    fn path(&self) -> Result<Vec<(f64, f64)>, Error> {
        let problem = || refused(self.operation, "path", "must be a list of points with `x` and `y`");
        let Some(Value::Array(points)) = self.fields.get("path") else { return Err(problem()) };
        let point = |point: &Value| {
            let side = |name| point.get(name).and_then(Value::as_f64);
            side("x").zip(side("y")).ok_or_else(problem)
        };
        points.iter().map(point).collect()
    }

    fn region(&self) -> Result<Option<Rect>, Error> {
        let region = match self.fields.get("region") {
            None | Some(Value::Null) => return Ok(None),
            Some(region) => region,
        };
        let side = |name| {
            let value = region.get(name).and_then(Value::as_f64);
            let value = value
                .filter(|value| *value >= 0.0 && value.is_finite() && value.fract() == 0.0)
                .ok_or_else(|| {
                    let problem = "must have whole numbers of pixels: `x`, `y`, `width` and `height`";
                    refused(self.operation, "region", problem)
                })?;
            // What is beyond the largest screen is cropped anyway.
            whole(self.operation, name, value.min(u16::MAX.into()), 0, u16::MAX)
        };
        Ok(Some(Rect { x: side("x")?, y: side("y")?, width: side("width")?, height: side("height")? }))
    }
}

impl Kind for Screen {
    fn open(target: Target, options: &Fields<'_>, seed: u64, now: Millis) -> Result<Session<Self>, Error> {
        let names = options.texts("encodings")?;
        let mut encodings = Vec::new();
        for name in &names {
            let known = Encoding::ALL.into_iter().find(|known| known.as_str() == name);
            let problem = "must be a list of tight, zrle, hextile and raw";
            encodings.push(known.ok_or_else(|| Error::encode("computers.screen", "encodings", problem))?);
        }
        if encodings.is_empty() {
            encodings.extend(Encoding::ALL);
        }
        let quality = match options.any_number("quality") {
            Some(_) if !cfg!(feature = "screen-quality") => {
                let problem = "is not supported by this host, whose screens are always exact";
                return Err(Error::encode("computers.screen", "quality", problem));
            }
            Some(quality) if !(0.0..=9.0).contains(&quality) || quality.fract() != 0.0 => {
                let problem = "must be a whole number from 0 to 9";
                return Err(Error::encode("computers.screen", "quality", problem));
            }
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range was checked"
            )]
            quality => quality.map(|quality| quality as u8),
        };
        let options = ScreenOptions { view_only: options.flag("view_only")?, encodings, quality };
        Ok(Session::screen(target, options, seed, now))
    }

    fn command(session: &mut Session<Self>, command: Command<'_>) -> Option<Result<Value, Error>> {
        let name = command.name;
        let empty = Map::new();
        let fields = match command.argument {
            Value::Object(fields) => fields,
            _ => &empty,
        };
        let arguments = Arguments { operation: name, fields };
        Some(match name {
            "size" => {
                let screen = session.framebuffer();
                Ok(size(screen.width(), screen.height()))
            }
            "pointer" => Ok(session.pointer().map_or(Value::Null, |(x, y)| {
                Value::record([("x", u32::from(x).into()), ("y", u32::from(y).into())])
            })),
            "refusal" => Ok(outcome(session.refusal())),
            "release" => {
                session.release_all();
                Ok(Value::Null)
            }
            "pause" => match command.argument {
                Value::Bool(paused) => {
                    session.set_paused(*paused);
                    Ok(Value::Null)
                }
                _ => Err(refused(name, "paused", "must be true or false")),
            },
            "clipboard" => match command.argument {
                Value::Null => Ok(outcome(session.request_clipboard())),
                Value::String(text) => session.set_clipboard(text).map(outcome),
                _ => Err(refused(name, "text", "must be a string")),
            },
            "image" => request_image(session, &arguments).map(|()| Value::Null),
            _ => return input(session, &arguments).transpose().map(|result| result.map(outcome)),
        })
    }

    fn export(item: ScreenItem) -> PlainObject {
        let record = |kind: &str| ("type", kind.into());
        PlainObject::from(match item {
            ScreenItem::Reconnected => Value::record([record("reconnected")]),
            ScreenItem::Resized { width, height } => Value::record([
                record("resized"),
                ("width", u32::from(width).into()),
                ("height", u32::from(height).into()),
            ]),
            ScreenItem::Damage { rects, updates } => Value::record([
                record("damage"),
                ("rects", Value::Array(rects.into_iter().map(rectangle).collect())),
                ("updates", updates.into()),
            ]),
            ScreenItem::Clipboard { text } => {
                return PlainObject::of_type("clipboard", "text", Payload::Text(text));
            }
            ScreenItem::ClipboardTooLong => Value::record([record("clipboard_too_long")]),
            ScreenItem::Bell => Value::record([record("bell")]),
            ScreenItem::Error { message } => Value::record([record("error"), ("message", message.into())]),
            ScreenItem::Cursor(Cursor { x, y, width, height, pixels }) => {
                let fields = Value::record([
                    record("cursor"),
                    ("x", u32::from(x).into()),
                    ("y", u32::from(y).into()),
                    ("width", u32::from(width).into()),
                    ("height", u32::from(height).into()),
                ]);
                return PlainObject::with_payload(fields, "pixels", Payload::Bytes(pixels));
            }
            ScreenItem::Image { id, image } => {
                let fields = Value::record([
                    record("image"),
                    ("id", id.into()),
                    ("width", u32::from(image.width).into()),
                    ("height", u32::from(image.height).into()),
                    ("format", image.format.as_str().into()),
                ]);
                return PlainObject::with_payload(fields, "data", Payload::Bytes(image.data));
            }
        })
    }
}

/// Executes a command that is input. Returns `None` for another command.
fn input(
    session: &mut Session<Screen>,
    arguments: &Arguments<'_>,
) -> Result<Option<Option<InputRefusal>>, Error> {
    let name = arguments.operation;
    // The other commands accept a position: the pointer moves there first.
    let to = |session: &mut Session<Screen>| match (arguments.number("x")?, arguments.number("y")?) {
        (None, None) => Ok(None),
        (Some(x), Some(y)) => session.move_pointer(x, y),
        (None, _) => Err(refused(name, "x", "is required with `y`")),
        (_, None) => Err(refused(name, "y", "is required with `x`")),
    };
    let refusal = match name {
        "move" => session.move_pointer(arguments.required("x")?, arguments.required("y")?)?,
        "down" | "up" => {
            let button = arguments.button()?;
            session.check_button(name, button)?;
            match to(session)? {
                None => session.set_button(button, name == "down")?,
                refusal => refusal,
            }
        }
        "click" => {
            let button = arguments.button()?;
            session.check_button(name, button)?;
            let count = arguments.number("count")?.unwrap_or(1.0);
            let modifiers = match arguments.fields.get("modifiers") {
                None | Some(Value::Null) => Vec::new(),
                Some(names) => list_of_texts("screen.click", "modifiers", names)?,
            };
            for name in &modifiers {
                key_list("click", "modifiers", name, false)?;
            }
            whole(name, "count", count, 1, MAX_CLICKS)?;
            match to(session)? {
                None => session.click(button, count, &modifiers)?,
                refusal => refusal,
            }
        }
        "drag" => session.drag(arguments.button()?, &arguments.path()?)?,
        "wheel" => {
            let steps = |name| arguments.number(name).map(Option::unwrap_or_default);
            let (dx, dy) = (steps("dx")?, steps("dy")?);
            match to(session)? {
                None => session.wheel(dx, dy)?,
                refusal => refusal,
            }
        }
        "key" => {
            let key = arguments.text("key")?.ok_or_else(|| refused(name, "key", "is required"))?;
            let action = match arguments.text("action")?.unwrap_or("press") {
                "press" => KeyAction::Press,
                "down" => KeyAction::Down,
                "hold" => KeyAction::Hold,
                "up" => KeyAction::Up,
                _ => return Err(refused(name, "action", "must be press, down, hold or up")),
            };
            session.key(key, action)?
        }
        "keysym" => {
            let keysym = arguments.required("keysym")?;
            if !(1.0..=f64::from(MAX_KEYSYM)).contains(&keysym) || keysym.fract() != 0.0 {
                return Err(refused(name, "keysym", "must be the number of an X11 keysym"));
            }
            let pressed = matches!(arguments.fields.get("pressed"), Some(Value::Bool(true)));
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range was checked"
            )]
            session.set_key(keysym as u32, None, pressed)
        }
        "resize" => session.resize(arguments.required("width")?, arguments.required("height")?)?,
        _ => return Ok(None),
    };
    Ok(Some(refusal))
}

fn request_image(session: &mut Session<Screen>, arguments: &Arguments<'_>) -> Result<(), Error> {
    let id = arguments.required("id")?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    let id = id as u64;
    let format = arguments.text("format")?.unwrap_or("rgba");
    let format = ImageFormat::from_name(format)
        .ok_or_else(|| refused("image", "format", format!("must be {}", ImageFormat::NAMES)))?;
    let scale = arguments.number("scale")?.unwrap_or(1.0);
    let pointer = match arguments.fields.get("pointer") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(pointer)) => *pointer,
        Some(_) => return Err(refused("image", "pointer", "must be true or false")),
    };
    session.request_image(id, arguments.region()?, scale, format, pointer)
}

fn outcome(refusal: Option<InputRefusal>) -> Value {
    refusal.map(InputRefusal::as_str).into()
}

fn size(width: u16, height: u16) -> Value {
    Value::record([("width", u32::from(width).into()), ("height", u32::from(height).into())])
}

fn rectangle(Rect { x, y, width, height }: Rect) -> Value {
    Value::record([
        ("x", u32::from(x).into()),
        ("y", u32::from(y).into()),
        ("width", u32::from(width).into()),
        ("height", u32::from(height).into()),
    ])
}
