//! The screen channel: the live content of a computer's screen, the pointer and the keyboard.
//!
//! The protocol is RFB (RFC 6143) in binary messages. The crate `orgo-screen` implements it; a session adds the connection.

use std::ops::{Deref, DerefMut};

use orgo_screen::{Condition, Counters, Outcome};
pub use orgo_screen::{
    Cursor, Encoding, Framebuffer, Image, ImageFormat, Invalid, KeyAction, Pixel, PointerButton, Rect, Reply,
    Screen, ScreenItem, ScreenOptions,
};

use crate::Millis;
use crate::channel::any::{Command, Kind, Named};
use crate::channel::link::Target;
use crate::channel::screen_protocol::ScreenProtocol;
use crate::channel::session::Session;
use crate::client::credentials::Password;
use crate::client::fields::Fields;
use crate::encoding::json::Value;
use crate::encoding::plain::PlainObject;
use crate::error::Error;

impl Session<Screen> {
    /// Creates a session of a screen.
    #[must_use]
    pub fn screen(target: Target, options: ScreenOptions, seed: u64, now: Millis) -> Self {
        Self::begin(Screen::new(options), target, seed, now)
    }
}

/// The commands of a screen need nothing of its session, so the session has all methods of the screen.
impl Deref for Session<Screen> {
    type Target = Screen;

    fn deref(&self) -> &Screen {
        &self.protocol
    }
}

impl DerefMut for Session<Screen> {
    fn deref_mut(&mut self) -> &mut Screen {
        &mut self.protocol
    }
}

impl ScreenProtocol for Screen {
    type Item = ScreenItem;

    fn is_view_only(&self) -> bool {
        Self::is_view_only(self)
    }

    fn open(&mut self, password: Option<&Password>) {
        Self::open(self, password.map(Password::expose));
    }

    fn accepted(&mut self, after_break: bool) {
        Self::accepted(self, after_break);
    }

    fn set_now(&mut self, now: Millis) {
        Self::set_now(self, now);
    }

    fn set_condition(&mut self, condition: Condition) {
        Self::set_condition(self, condition);
    }

    fn receive(&mut self, bytes: &[u8]) -> Outcome {
        Self::receive(self, bytes)
    }

    fn push_error(&mut self, message: String) {
        Self::push_error(self, message);
    }

    fn poll_item(&mut self) -> Option<ScreenItem> {
        Self::poll_item(self)
    }

    fn counters(&self) -> Counters {
        Self::counters(self)
    }

    fn ping(&self) -> Option<Vec<u8>> {
        Self::ping(self)
    }

    fn poll_timeout(&self) -> Option<Millis> {
        Self::poll_timeout(self)
    }

    fn handle_timeout(&mut self, now: Millis) {
        Self::handle_timeout(self, now);
    }

    fn poll_output(&mut self) -> Option<Vec<u8>> {
        Self::poll_output(self)
    }

    fn continues_output(&self) -> bool {
        Self::continues_output(self)
    }

    fn closing_message(&mut self) -> Option<Vec<u8>> {
        Self::closing_message(self)
    }
}

impl Named for Screen {
    fn open(target: Target, options: &Fields<'_>, seed: u64, now: Millis) -> Result<Session<Self>, Error> {
        let options = ScreenOptions::read(|name| options.value(name))?;
        Ok(Session::screen(target, options, seed, now))
    }
}

impl Kind for Screen {
    fn command(session: &mut Session<Self>, command: Command<'_>) -> Option<Result<Value, Error>> {
        let reply = session.protocol.command::<_, PlainObject>(command.name, &command.argument);
        Some(reply.map(Value::from).map_err(Error::from))
    }

    fn export(item: ScreenItem) -> PlainObject {
        item.write()
    }

    fn free(&mut self) {
        Self::free(self);
    }
}

impl From<Reply<PlainObject>> for Value {
    fn from(reply: Reply<PlainObject>) -> Self {
        match reply {
            Reply::Null => Self::Null,
            Reply::Refused(refusal) => refusal.as_str().into(),
            Reply::Object(object) => object.into_value(),
        }
    }
}
