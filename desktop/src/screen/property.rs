//! Properties of windows.

use x11rb::{
    cookie::Cookie,
    protocol::xproto::{Atom, AtomEnum, ConnectionExt as _, GetPropertyReply, Window},
    rust_connection::RustConnection,
};

use super::{
    connection::{BoundedStream, Display},
    error::ScreenError,
};

/// The length, in units of 4 bytes, of as much as a reply can hold.
pub(super) const WHOLE: u32 = u32::MAX / 4;

/// A property that was asked for. Several can be asked for before the first answer is waited for.
pub(super) struct Question<'a>(Cookie<'a, RustConnection<BoundedStream>, GetPropertyReply>);

impl<'a> Question<'a> {
    /// Of a property of another kind there is nothing in the answer. `length` is in units of 4 bytes.
    pub(super) fn ask(
        display: &'a Display,
        window: Window,
        property: Atom,
        kind: AtomEnum,
        length: u32,
    ) -> Result<Self, ScreenError> {
        Ok(Self(display.conn.get_property(false, window, property, kind, 0, length)?))
    }

    /// `None` where the window has gone or has no such property.
    fn answer(self) -> Result<Option<GetPropertyReply>, ScreenError> {
        match self.0.reply().map_err(ScreenError::from) {
            Ok(reply) if reply.value.is_empty() => Ok(None),
            Ok(reply) => Ok(Some(reply)),
            Err(ScreenError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The elements of a list of 32-bit values; none of what is no such list.
    pub(super) fn list(self) -> Result<Vec<u32>, ScreenError> {
        let reply = self.answer()?;
        Ok(reply.iter().filter_map(GetPropertyReply::value32).flatten().collect())
    }

    /// A text in Latin-1 or UTF-8.
    pub(super) fn text(self) -> Result<Option<String>, ScreenError> {
        Ok(self.answer()?.map(|reply| {
            if reply.type_ == u32::from(AtomEnum::STRING) {
                reply.value.into_iter().map(char::from).collect()
            } else {
                String::from_utf8_lossy(&reply.value).into_owned()
            }
        }))
    }
}

/// A list of 32-bit values; empty when the window, the property or the right kind is missing.
pub(super) fn list(
    display: &Display,
    window: Window,
    property: Atom,
    kind: AtomEnum,
) -> Result<Vec<u32>, ScreenError> {
    Question::ask(display, window, property, kind, WHOLE)?.list()
}
