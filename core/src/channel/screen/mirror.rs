//! A mirror of a session, which checks commands on another thread than the session.
//!
//! In a page, a worker runs the session. A command still has to return at once, or to fail with the name of a wrong field.
//! The mirror follows the outline of the session, so the same code checks the commands on both threads.

use super::framebuffer::Framebuffer;
use super::{Screen, ScreenOptions};
use crate::channel::any::{AnySession, Command};
use crate::channel::link::Target;
use crate::channel::session::Session;
use crate::channel::terminal::InputRefusal;
use crate::encoding::json::{Map, Value};
use crate::error::Error;

/// The names of the flags in the JSON of an outline.
const OPEN: &str = "open";
const RESIZABLE: &str = "resizable";
const EXTENDED_BUTTONS: &str = "extended_buttons";
const UNICODE: &str = "unicode";
const REFUSAL: &str = "refusal";

impl Session<Screen> {
    /// Creates a mirror. It never connects.
    #[must_use]
    pub fn mirror() -> Self {
        let mut mirror = Self::screen(Target::default(), ScreenOptions::default(), 0, 0);
        mirror.protocol.mirrored = Some(Some(InputRefusal::Disconnected));
        mirror
    }

    /// Returns the part of the state that the checks of commands depend on.
    #[must_use]
    pub fn outline(&self) -> Value {
        let screen = self.framebuffer();
        Value::record([
            ("width", u32::from(screen.width()).into()),
            ("height", u32::from(screen.height()).into()),
            (OPEN, self.link.is_open().into()),
            (RESIZABLE, self.protocol.connection.is_resizable().into()),
            (EXTENDED_BUTTONS, self.protocol.input.extended_buttons.into()),
            (UNICODE, self.protocol.clipboard.is_unicode().into()),
            (REFUSAL, self.refusal().map(InputRefusal::as_str).into()),
        ])
    }

    /// Applies the outline of the session to its mirror.
    pub fn follow(&mut self, outline: &Map) {
        let flag = |name: &str| matches!(outline.get(name), Some(Value::Bool(true)));
        let side = |name: &str| {
            let length = outline.get(name).and_then(Value::as_f64).unwrap_or_default();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
            let length = length as u16;
            length
        };
        let screen = &mut self.protocol;
        screen.framebuffer = Framebuffer::without_pixels(side("width"), side("height"));
        screen.connection.set_resizable(flag(RESIZABLE));
        screen.input.extended_buttons = flag(EXTENDED_BUTTONS);
        screen.clipboard.set_unicode(flag(UNICODE));
        screen.mirrored =
            Some(outline.get(REFUSAL).and_then(Value::as_str).and_then(InputRefusal::from_name));
        self.link.set_open(flag(OPEN));
    }

    /// Executes a command in the mirror: checks it, and remembers where the pointer is. Returns what the session will
    /// return for the same command.
    ///
    /// # Errors
    /// [`Error::Encode`] for an unknown command or a wrong argument.
    pub fn check(&mut self, command: Command<'_>) -> Result<Value, Error> {
        let result = AnySession::command(self, command);
        // The session sends the input.
        self.protocol.input.discard();
        self.protocol.connection.poll_output(&self.protocol.framebuffer);
        self.protocol.clipboard.forget();
        result
    }

    /// Reports that a requested image has arrived, so that the mirror accepts another request.
    pub fn image_arrived(&mut self) {
        self.protocol.unread.images.pop_front();
    }
}
