//! Reads properties of windows.

use x11rb::{
    cookie::Cookie,
    protocol::xproto::{Atom, AtomEnum, ConnectionExt as _, GetPropertyReply, Window},
};

use super::{Display, bounded::BoundedConnection};
use crate::screen::ScreenError;

/// The maximum number of elements that are read from a short list, such as the types of a window.
pub(in crate::screen) const SHORT_LIST: u32 = 64;

/// A pending request for a property. Several requests can be pending at the same time.
pub(in crate::screen) struct PropertyRequest<'a> {
    cookie: Cookie<'a, BoundedConnection, GetPropertyReply>,
    /// The maximum number of bytes of the value that are used.
    limit: usize,
}

impl<'a> PropertyRequest<'a> {
    /// Requests the first `length` units of 4 bytes of a property. A property with a type other than `kind` is treated
    /// as missing.
    pub(in crate::screen) fn send(
        display: &'a Display,
        window: Window,
        property: Atom,
        kind: AtomEnum,
        length: u32,
    ) -> Result<Self, ScreenError> {
        let cookie = display.conn.get_property(false, window, property, kind, 0, length)?;
        Ok(Self { cookie, limit: usize::try_from(length).unwrap_or(usize::MAX).saturating_mul(4) })
    }

    /// Waits for the reply. Returns `None` if the window is closed, or if the property is missing or empty.
    fn reply(self) -> Result<Option<GetPropertyReply>, ScreenError> {
        match self.cookie.reply().map_err(ScreenError::from) {
            Ok(reply) if reply.value.is_empty() => Ok(None),
            Ok(mut reply) => {
                reply.value.truncate(self.limit);
                Ok(Some(reply))
            }
            Err(ScreenError::XError(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns a list of 32-bit values. The list is empty if the property is missing or has a different format.
    pub(in crate::screen) fn list(self) -> Result<Vec<u32>, ScreenError> {
        let reply = self.reply()?;
        Ok(reply.iter().filter_map(GetPropertyReply::value32).flatten().collect())
    }

    /// Returns the value as text. Decodes the type STRING as Latin-1, and all other types as UTF-8.
    pub(in crate::screen) fn text(self) -> Result<Option<String>, ScreenError> {
        Ok(self.reply()?.map(|reply| {
            if reply.type_ == u32::from(AtomEnum::STRING) {
                reply.value.into_iter().map(char::from).collect()
            } else {
                String::from_utf8_lossy(&reply.value).into_owned()
            }
        }))
    }
}

/// Reads the first [`SHORT_LIST`] elements of a list of 32-bit values. The result is empty if the window or the
/// property does not exist, or if the type of the property differs from `kind`.
pub(in crate::screen) fn list(
    display: &Display,
    window: Window,
    property: Atom,
    kind: AtomEnum,
) -> Result<Vec<u32>, ScreenError> {
    PropertyRequest::send(display, window, property, kind, SHORT_LIST)?.list()
}
