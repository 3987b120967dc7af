//! The session of a screen, and its form for the bindings.

use std::ops::{Deref, DerefMut};

use super::commands::Reply;
use super::{Screen, ScreenItem, ScreenOptions};
use crate::Millis;
use crate::channel::any::{Command, Kind, Named};
use crate::channel::link::Target;
use crate::channel::session::Session;
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
