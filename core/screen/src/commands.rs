//! The commands of a screen channel.

use crate::damage::Damage;
use crate::image::{ImageFormat, ImageRequest};
use crate::input::Key;
use crate::interface::{Argument, Condition, InputRefusal, Invalid, MUST_BE_TEXTS, Record, UNKNOWN_COMMAND};
use crate::prelude::*;
use crate::{Cursor, Encoding, Framebuffer, Rect, Screen, ScreenOptions, Undrawn, clipboard, keys};

/// The largest number of requested images that are not taken yet.
const MAX_IMAGES: usize = 64;
/// The largest number of clicks, wheel steps or points of one command.
const MAX_CLICKS: u16 = 100;
const MAX_POINTS: usize = 1_000;
/// The longest time for which the changes of a complete update wait for the end of the next update, in milliseconds: two
/// frames of a display.
const MAX_DRAWING_WAIT: u64 = 33;
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
type Accepted = Result<Option<InputRefusal>, Box<Invalid>>;

/// The result of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<Object> {
    /// Nothing: input was accepted, or there is no value.
    Null,
    /// Why input was refused or would be refused.
    Refused(InputRefusal),
    /// An object.
    Object(Object),
}

impl<Object> From<Option<InputRefusal>> for Reply<Object> {
    fn from(refusal: Option<InputRefusal>) -> Self {
        refusal.map_or(Self::Null, Self::Refused)
    }
}

impl Screen {
    /// Returns the current content of the screen. It remains while the channel reconnects.
    #[must_use]
    pub fn framebuffer(&self) -> &Framebuffer {
        &self.framebuffer
    }

    /// Returns whether the whole screen has arrived on the current connection.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.connection.is_complete(&self.framebuffer)
    }

    /// Returns the shape of the pointer, if the server has sent one.
    #[must_use]
    pub fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    /// Returns where this channel has moved the pointer. Other clients and programs also move it.
    #[must_use]
    pub fn pointer(&self) -> Option<(u16, u16)> {
        self.input.position()
    }

    /// Returns why input would be refused now. Returns `None` if it would be accepted.
    #[must_use]
    pub fn refusal(&self) -> Option<InputRefusal> {
        if let Some(mirrored) = self.mirrored {
            mirrored
        } else if self.options.view_only {
            Some(InputRefusal::ViewOnly)
        } else {
            self.condition.refusal().or_else(|| self.input.is_full().then_some(InputRefusal::Full))
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.condition != Condition::Disconnected
    }

    /// Moves the pointer. A move that is not sent yet is replaced by the next move.
    ///
    /// # Errors
    /// An error if the pixel is not on the screen.
    pub fn move_pointer(&mut self, x: f64, y: f64) -> Accepted {
        let point = self.point("move", x, y)?;
        Ok(self.accept(|screen| screen.input.move_to(point, true)))
    }

    /// Presses (`true`) or releases a button at the current position.
    ///
    /// # Errors
    /// An error if the server does not know the button, or the pointer has no position yet.
    pub fn set_button(&mut self, button: PointerButton, pressed: bool) -> Accepted {
        let operation = if pressed { "down" } else { "up" };
        self.check_button(operation, button)?;
        self.check_placed(operation)?;
        Ok(self.accept(|screen| screen.input.button(button.number(), pressed)))
    }

    /// Clicks `count` times at the current position, while the `modifiers` (names of keys) are held.
    ///
    /// # Errors
    /// An error if an argument is invalid, or the pointer has no position yet.
    pub fn click(&mut self, button: PointerButton, count: f64, modifiers: &[String]) -> Accepted {
        self.check_button("click", button)?;
        self.check_placed("click")?;
        let count = whole("click", "count", count, 1, MAX_CLICKS)?;
        let mut held = Vec::new();
        for name in modifiers {
            held.append(&mut key_list("click", "modifiers", name, self.input.holds_shift())?);
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
    /// An error if a point is not on the screen, or there are not 2 to 1,000 points.
    pub fn drag(&mut self, button: PointerButton, path: &[(f64, f64)]) -> Accepted {
        self.check_button("drag", button)?;
        if !(2..=MAX_POINTS).contains(&path.len()) {
            let problem = ["must have 2 to ", &decimal(MAX_POINTS), " points"].concat();
            return Err(refused("drag", "path", &problem));
        }
        let mut points = Vec::with_capacity(path.len());
        for &(x, y) in path {
            points.push(self.point("drag", x, y)?);
        }
        Ok(self.accept(|screen| screen.input.drag(button.number(), &points)))
    }

    /// Turns the wheel by a number of steps: `dy` down, `dx` to the right; negative numbers turn it up and to the left.
    ///
    /// # Errors
    /// An error if a number is not a whole number from -100 to 100, or the pointer has no position yet.
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
    /// An error for the name of an unknown key. Other characters have no key: type them with `computers.type`.
    pub fn key(&mut self, name: &str, action: KeyAction) -> Accepted {
        let input = &self.input;
        // The release of a capital includes the Shift that was added when it was pressed.
        let is_shift_held = input.holds_shift() && !(action == KeyAction::Up && input.has_added_shift());
        let keys = key_list("key", "key", name, is_shift_held)?;
        Ok(self.accept(|Self { input, .. }| match action {
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
        if self.is_open() {
            self.input.release_all();
        }
    }

    /// Changes the size of the screen. The server may refuse it, with [`crate::ScreenItem::Error`].
    ///
    /// # Errors
    /// An error if a side is not a whole number of pixels from 1 to 16,384, or the server does not support it.
    pub fn resize(&mut self, width: f64, height: f64) -> Accepted {
        let width = whole("resize", "width", width, 1, 1 << 14)?;
        let height = whole("resize", "height", height, 1, 1 << 14)?;
        if self.is_open() && !self.connection.is_resizable() {
            return Err(refused("resize", "width", "cannot change, because the server does not support it"));
        }
        Ok(self.accept(|screen| screen.connection.resize(width, height)))
    }

    /// Offers a text to the programs of the computer as the content of the clipboard.
    ///
    /// # Errors
    /// An error if the text is longer than 1 MiB, or has characters that the server does not support.
    pub fn set_clipboard(&mut self, text: &str) -> Accepted {
        if text.len() > clipboard::MAX_TEXT {
            let (size, limit) = (decimal(text.len()), decimal(clipboard::MAX_TEXT));
            let problem = ["has ", &size, " bytes, and at most ", &limit, " are accepted"].concat();
            return Err(refused("clipboard", "text", &problem));
        }
        if let Some(refusal) = self.counted_refusal() {
            return Ok(Some(refusal));
        }
        let Some(message) = self.clipboard.offer(text) else {
            let problem = "has characters beyond Latin-1, which this server does not support";
            return Err(refused("clipboard", "text", problem));
        };
        self.connection.send(&message);
        if let Some(answer) = self.clipboard.answer_with_offer() {
            self.unread.clipboard = Some(answer);
        }
        Ok(None)
    }

    /// Requests the text of the computer's clipboard, for [`crate::ScreenItem::Clipboard`] or [`crate::ScreenItem::ClipboardTooLong`].
    /// Requests that wait share one item. The text is that of [`Self::set_clipboard`] while this channel owns the
    /// clipboard, and empty if the server announces none: a text that was copied before the channel opened is unknown to
    /// it on some servers.
    pub fn request_clipboard(&mut self) -> Option<InputRefusal> {
        if !self.is_open() {
            return Some(InputRefusal::Disconnected);
        }
        let (answer, message) = self.clipboard.request();
        self.connection.send(&message);
        // An unread answer to an old request may be outdated.
        self.unread.clipboard = answer;
        None
    }

    /// Stops or continues the updates, for example while nobody sees the screen.
    pub fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
        self.connection.set_paused(paused, &self.framebuffer);
    }

    /// Starts to collect the changes for a view, which draws the whole screen first.
    pub fn start_drawing(&mut self) {
        let mut damage = Damage::default();
        damage.add(self.framebuffer.rect());
        self.undrawn = Some(Undrawn { damage, cursor: true, since: self.now });
    }

    /// Stops to collect the changes for a view.
    pub fn stop_drawing(&mut self) {
        self.undrawn = None;
    }

    /// Returns the changed rectangles for a view. Returns `None` if nothing has changed, or while only a part of an update
    /// has arrived. If updates follow each other without a pause, the next one has always started, so the rectangles of
    /// complete updates are returned 33 ms after the first of these updates.
    #[must_use]
    pub fn poll_drawing(&mut self) -> Option<Vec<Rect>> {
        let undrawn = self.undrawn.as_mut()?;
        if self.connection.is_updating() && self.now.saturating_sub(undrawn.since) < MAX_DRAWING_WAIT {
            return None;
        }
        if undrawn.damage.is_empty() {
            return None;
        }
        Some(undrawn.damage.take())
    }

    /// Returns the shape of the pointer for a view, if the shape has changed.
    #[must_use]
    pub fn poll_drawn_cursor(&mut self) -> Option<&Cursor> {
        let undrawn = self.undrawn.as_mut()?;
        core::mem::take(&mut undrawn.cursor).then_some(self.cursor.as_ref()).flatten()
    }

    /// Requests an image, for [`crate::ScreenItem::Image`] with this `id`. It is taken as soon as the whole screen has arrived
    /// and the server responds, so never while the channel reconnects or after it has closed.
    /// `region` is a part of the screen (default: the whole screen), `scale` the size of the image from above 0 to 1.
    /// `pointer` is whether to draw the pointer where this channel has moved it, unless it is hidden or part of the screen.
    ///
    /// # Errors
    /// An error if an argument is invalid, no pixel of the region is on the screen, or 64 images are requested
    /// already.
    pub fn request_image(
        &mut self,
        id: u64,
        region: Option<Rect>,
        scale: f64,
        format: ImageFormat,
        pointer: bool,
    ) -> Result<(), Box<Invalid>> {
        if !(scale > 0.0 && scale <= 1.0) {
            return Err(refused("screenshot", "scale", "must be above 0 and at most 1"));
        }
        if region.is_some_and(|region| region.area() == 0) {
            return Err(refused("screenshot", "region", "must have a width and a height"));
        }
        let screen = self.framebuffer.rect();
        // The size is unknown before the first connect.
        if screen.area() > 0
            && region.is_some_and(|region| region.x >= screen.width || region.y >= screen.height)
        {
            let (width, height) = (decimal(screen.width.into()), decimal(screen.height.into()));
            let problem = ["has no pixel on the screen of ", &width, "x", &height, " pixels"].concat();
            return Err(refused("screenshot", "region", &problem));
        }
        let images = &mut self.unread.images;
        if images.len() >= MAX_IMAGES {
            return Err(refused(
                "screenshot",
                "requests",
                "must be at most 64 at a time: wait for the previous images",
            ));
        }
        images.push((id, ImageRequest { region, scale, format, pointer }));
        Ok(())
    }

    fn accept(&mut self, input: impl FnOnce(&mut Self)) -> Option<InputRefusal> {
        let refusal = self.counted_refusal();
        if refusal.is_none() {
            input(self);
        }
        refusal
    }

    /// Returns why input is refused now, and counts it.
    #[inline(never)]
    fn counted_refusal(&mut self) -> Option<InputRefusal> {
        let refusal = self.refusal();
        self.counters.refused += u64::from(refusal.is_some());
        refusal
    }

    /// Checks that a pixel is on the screen. Before the first connection, the size is not known.
    fn point(&self, operation: &str, x: f64, y: f64) -> Result<(u16, u16), Box<Invalid>> {
        let side = |name, value, length: u16| {
            let last = if length == 0 { u16::MAX } else { length - 1 };
            whole(operation, name, value, 0, last)
        };
        let screen = &self.framebuffer;
        Ok((side("x", x, screen.width())?, side("y", y, screen.height())?))
    }

    fn check_button(&self, operation: &str, button: PointerButton) -> Result<(), Box<Invalid>> {
        let known = button.number() <= 3 || !self.is_open() || self.input.extended_buttons;
        let problem = "is not a button that this server knows: it must be left, middle or right";
        if known { Ok(()) } else { Err(refused(operation, "button", problem)) }
    }

    fn check_placed(&self, operation: &str) -> Result<(), Box<Invalid>> {
        let placed = self.input.position().is_some();
        if placed { Ok(()) } else { Err(refused(operation, "x", "is required before the first move")) }
    }
}

#[inline(never)]
fn refused(operation: &str, field: &str, problem: &str) -> Box<Invalid> {
    Invalid::new(&["screen.", operation].concat(), field, problem)
}

/// Returns a number in decimal digits. Formatting would add code to a page.
fn decimal(number: usize) -> String {
    let mut digits = if number < 10 { String::new() } else { decimal(number / 10) };
    digits.push(char::from(b'0' + u8::try_from(number % 10).unwrap_or_default()));
    digits
}

/// Returns whether a number has no fraction. The numbers of commands are small.
fn is_whole(value: f64) -> bool {
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the cast saturates")]
    let whole = value as i64 as f64;
    whole == value
}

fn whole(operation: &str, field: &str, value: f64, least: u16, most: u16) -> Result<u16, Box<Invalid>> {
    if !(f64::from(least)..=f64::from(most)).contains(&value) || !is_whole(value) {
        let (least, most) = (decimal(least.into()), decimal(most.into()));
        let problem = ["must be a whole number from ", &least, " to ", &most].concat();
        return Err(refused(operation, field, &problem));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    Ok(value as u16)
}

/// Returns the start of a text for an error. Characters that a terminal may interpret become question marks.
fn printable(text: &str) -> String {
    let is_shown = |one: char| matches!(one, ' '..='~' | '\u{a1}'..='\u{17f}' | '\u{3040}'..='\u{9fff}');
    let mut shown = String::new();
    for one in text.chars().take(40) {
        shown.push(if is_shown(one) { one } else { '?' });
    }
    shown
}

/// Returns the keys of a combination, in the order in which they are pressed.
fn key_list(operation: &str, field: &str, name: &str, is_shift_held: bool) -> Result<Vec<Key>, Box<Invalid>> {
    let keysyms = keys::combination(name).map_err(|unknown| {
        let problem = [
            "has an unknown key \"",
            &printable(unknown),
            "\": use names such as Enter, Page_Up, ctrl+c or one character, and `type` for text",
        ];
        refused(operation, field, &problem.concat())
    })?;
    Ok(keys::with_shift(&keysyms, is_shift_held))
}

/// The arguments of a command.
struct Arguments<'a, Value> {
    operation: &'a str,
    fields: &'a Value,
}

impl<Value: Argument> Arguments<'_, Value> {
    /// Reads a field. Returns `None` if it is absent or null.
    fn read<T>(
        &self,
        name: &str,
        problem: &str,
        convert: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, Box<Invalid>> {
        let value = self.fields.field(name);
        if value.is_null() {
            return Ok(None);
        }
        convert(&value).map(Some).ok_or_else(|| refused(self.operation, name, problem))
    }

    fn number(&self, name: &str) -> Result<Option<f64>, Box<Invalid>> {
        self.read(name, "must be a number", Value::as_number)
    }

    fn required(&self, name: &str) -> Result<f64, Box<Invalid>> {
        self.number(name)?.ok_or_else(|| refused(self.operation, name, "is required"))
    }

    fn text(&self, name: &str) -> Result<Option<String>, Box<Invalid>> {
        self.read(name, "must be a string", Value::as_text)
    }

    fn button(&self) -> Result<PointerButton, Box<Invalid>> {
        let name = self.text("button")?;
        let name = name.as_deref().unwrap_or("left");
        let found = PointerButton::ALL.iter().find(|(known, _)| *known == name);
        let problem = "must be left, middle, right, back or forward";
        found.map(|&(_, button)| button).ok_or_else(|| refused(self.operation, "button", problem))
    }

    fn path(&self) -> Result<Vec<(f64, f64)>, Box<Invalid>> {
        let problem = || refused(self.operation, "path", "must be a list of points with `x` and `y`");
        let points = self.fields.field("path").items().ok_or_else(problem)?;
        let mut path = Vec::with_capacity(points.len());
        for point in points {
            let side = |name| point.field(name).as_number();
            path.push(side("x").zip(side("y")).ok_or_else(problem)?);
        }
        Ok(path)
    }

    fn region(&self) -> Result<Option<Rect>, Box<Invalid>> {
        let region = self.fields.field("region");
        if region.is_null() {
            return Ok(None);
        }
        let side = |name| {
            let value = region.field(name).as_number();
            let value = value
                .filter(|value| *value >= 0.0 && value.is_finite() && is_whole(*value))
                .ok_or_else(|| {
                    let problem = "must have whole numbers from 0: `x`, `y`, `width` and `height`";
                    refused(self.operation, "region", problem)
                })?;
            // What is beyond the largest screen is cropped anyway.
            whole(self.operation, name, value.min(u16::MAX.into()), 0, u16::MAX)
        };
        Ok(Some(Rect { x: side("x")?, y: side("y")?, width: side("width")?, height: side("height")? }))
    }
}

fn texts<Value: Argument>(value: &Value) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    for item in value.items()? {
        texts.push(item.as_text()?);
    }
    Some(texts)
}

impl ScreenOptions {
    /// Reads the options of a program. `field` returns the option with a name.
    ///
    /// # Errors
    /// An error for an invalid option.
    pub fn read<Value: Argument>(field: impl Fn(&str) -> Value) -> Result<Self, Box<Invalid>> {
        let invalid = |name: &str, problem: &str| Invalid::new("computers.screen", name, problem);
        let names = field("encodings");
        let names = if names.is_null() { Some(Vec::new()) } else { texts(&names) };
        let mut encodings = Vec::new();
        for name in names.ok_or_else(|| invalid("encodings", MUST_BE_TEXTS))? {
            let known = Encoding::ALL.iter().find(|known| known.as_str() == name);
            let problem = "must be a list of tight, zrle, hextile and raw";
            encodings.push(*known.ok_or_else(|| invalid("encodings", problem))?);
        }
        if encodings.is_empty() {
            encodings = Encoding::ALL.to_vec();
        }
        let quality = field("quality");
        let quality = if quality.is_null() {
            None
        } else if !cfg!(feature = "quality") {
            return Err(invalid("quality", "is not supported by this host, whose screens are always exact"));
        } else {
            let quality =
                quality.as_number().filter(|quality| (0.0..=9.0).contains(quality) && is_whole(*quality));
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range was checked"
            )]
            let quality = quality.map(|quality| quality as u8);
            Some(quality.ok_or_else(|| invalid("quality", "must be a whole number from 0 to 9"))?)
        };
        let view_only = field("view_only");
        let view_only = if view_only.is_null() { Some(false) } else { view_only.as_bool() };
        let view_only = view_only.ok_or_else(|| invalid("view_only", "must be true or false"))?;
        Ok(Self { view_only, encodings, quality })
    }
}

impl Screen {
    /// Executes a command.
    ///
    /// # Errors
    /// An error for an unknown command or a wrong argument.
    pub fn command<Value: Argument, Object: Record>(
        &mut self,
        name: &str,
        argument: &Value,
    ) -> Result<Reply<Object>, Box<Invalid>> {
        let arguments = Arguments { operation: name, fields: argument };
        Ok(match name {
            "size" => Reply::Object(pair(
                ("width", self.framebuffer.width()),
                ("height", self.framebuffer.height()),
            )),
            "pointer" => self.pointer().map_or(Reply::Null, |(x, y)| Reply::Object(pair(("x", x), ("y", y)))),
            "refusal" => self.refusal().into(),
            "release" => {
                self.release_all();
                Reply::Null
            }
            "pause" => {
                let paused = argument.as_bool();
                self.set_paused(paused.ok_or_else(|| refused(name, "paused", "must be true or false"))?);
                Reply::Null
            }
            "clipboard" if argument.is_null() => self.request_clipboard().into(),
            "clipboard" => {
                let text = argument.as_text().ok_or_else(|| refused(name, "text", "must be a string"))?;
                self.set_clipboard(&text)?.into()
            }
            "screenshot" => {
                self.image(&arguments)?;
                Reply::Null
            }
            _ => self.input(&arguments)?.into(),
        })
    }

    /// Executes a command that is input.
    fn input<Value: Argument>(&mut self, arguments: &Arguments<'_, Value>) -> Accepted {
        let name = arguments.operation;
        match name {
            "move" => self.move_pointer(arguments.required("x")?, arguments.required("y")?),
            "down" | "up" => {
                let button = arguments.button()?;
                self.check_button(name, button)?;
                match self.move_first(arguments)? {
                    None => self.set_button(button, name == "down"),
                    refusal => Ok(refusal),
                }
            }
            "click" => {
                let button = arguments.button()?;
                self.check_button(name, button)?;
                let count = arguments.number("count")?.unwrap_or(1.0);
                let modifiers = arguments.read("modifiers", MUST_BE_TEXTS, texts)?.unwrap_or_default();
                for name in &modifiers {
                    key_list("click", "modifiers", name, false)?;
                }
                whole(name, "count", count, 1, MAX_CLICKS)?;
                match self.move_first(arguments)? {
                    None => self.click(button, count, &modifiers),
                    refusal => Ok(refusal),
                }
            }
            "drag" => self.drag(arguments.button()?, &arguments.path()?),
            "wheel" => {
                let steps = |name| arguments.number(name).map(Option::unwrap_or_default);
                let (dx, dy) = (steps("dx")?, steps("dy")?);
                match self.move_first(arguments)? {
                    None => self.wheel(dx, dy),
                    refusal => Ok(refusal),
                }
            }
            "key" => {
                let key = arguments.text("key")?.ok_or_else(|| refused(name, "key", "is required"))?;
                let action = arguments.text("action")?;
                let action = match action.as_deref().unwrap_or("press") {
                    "press" => KeyAction::Press,
                    "down" => KeyAction::Down,
                    "hold" => KeyAction::Hold,
                    "up" => KeyAction::Up,
                    _ => return Err(refused(name, "action", "must be press, down, hold or up")),
                };
                self.key(&key, action)
            }
            "keysym" => {
                let keysym = arguments.required("keysym")?;
                if !(1.0..=f64::from(MAX_KEYSYM)).contains(&keysym) || !is_whole(keysym) {
                    return Err(refused(name, "keysym", "must be the number of an X11 keysym"));
                }
                let pressed = arguments.fields.field("pressed").as_bool() == Some(true);
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "the range was checked"
                )]
                Ok(self.set_key(keysym as u32, None, pressed))
            }
            "resize" => self.resize(arguments.required("width")?, arguments.required("height")?),
            _ => Err(Invalid::new("computers.screen", name, UNKNOWN_COMMAND)),
        }
    }

    /// Moves the pointer to the position of a command, if it has one.
    fn move_first<Value: Argument>(&mut self, arguments: &Arguments<'_, Value>) -> Accepted {
        let name = arguments.operation;
        match (arguments.number("x")?, arguments.number("y")?) {
            (None, None) => Ok(None),
            (Some(x), Some(y)) => self.move_pointer(x, y),
            (None, _) => Err(refused(name, "x", "is required with `y`")),
            (_, None) => Err(refused(name, "y", "is required with `x`")),
        }
    }

    fn image<Value: Argument>(&mut self, arguments: &Arguments<'_, Value>) -> Result<(), Box<Invalid>> {
        let id = arguments.required("id")?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        let id = id as u64;
        let format = arguments.text("format")?;
        let format = ImageFormat::from_name(format.as_deref().unwrap_or("rgba"))
            .ok_or_else(|| refused("screenshot", "format", &["must be ", ImageFormat::NAMES].concat()))?;
        let scale = arguments.number("scale")?.unwrap_or(1.0);
        let pointer = arguments.read("pointer", "must be true or false", Value::as_bool)?.unwrap_or_default();
        self.request_image(id, arguments.region()?, scale, format, pointer)
    }
}

fn pair<Object: Record>(one: (&'static str, u16), other: (&'static str, u16)) -> Object {
    let mut object = Object::empty();
    object.number(one.0, one.1.into());
    object.number(other.0, other.1.into());
    object
}
