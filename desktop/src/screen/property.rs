//! Properties of windows.

use x11rb::{
    cookie::Cookie,
    protocol::xproto::{Atom, AtomEnum, ConnectionExt as _, GetPropertyReply, Window},
};

use super::{bounded::BoundedConnection, connection::Display, error::ScreenError};

/// Most elements that are read of a short list, such as the types of a window.
pub(super) const SHORT_LIST: u32 = 64;

/// A property that was asked for. Several can be asked for before the first answer is waited for.
pub(super) struct Question<'a> {
    cookie: Cookie<'a, BoundedConnection, GetPropertyReply>,
    /// Most bytes of the value that are used.
    limit: usize,
}

impl<'a> Question<'a> {
    /// Of a property of another kind there is nothing in the answer. `length` is in units of 4 bytes; the rest of
    /// the property is ignored.
    pub(super) fn ask(
        display: &'a Display,
        window: Window,
        property: Atom,
        kind: AtomEnum,
        length: u32,
    ) -> Result<Self, ScreenError> {
        let cookie = display.conn.get_property(false, window, property, kind, 0, length)?;
        Ok(Self { cookie, limit: usize::try_from(length).unwrap_or(usize::MAX).saturating_mul(4) })
    }

    /// `None` where the window has gone or has no such property.
    fn answer(self) -> Result<Option<GetPropertyReply>, ScreenError> {
        match self.cookie.reply().map_err(ScreenError::from) {
            Ok(reply) if reply.value.is_empty() => Ok(None),
            Ok(mut reply) => {
                reply.value.truncate(self.limit);
                Ok(Some(reply))
            }
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

/// The first [`SHORT_LIST`] of a list of 32-bit values; none when the window, the property or the right kind is missing.
pub(super) fn list(
    display: &Display,
    window: Window,
    property: Atom,
    kind: AtomEnum,
) -> Result<Vec<u32>, ScreenError> {
    Question::ask(display, window, property, kind, SHORT_LIST)?.list()
}
