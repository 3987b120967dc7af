//! During synthetic key presses, releases the modifiers that a person holds down and turns off Caps Lock.

use x11rb::{
    connection::Connection,
    protocol::xproto::{ConnectionExt as _, KeyButMask, Keycode},
};

use super::keymap::Keymap;
use crate::screen::{ScreenError, connection::Display, input::xtest::KeyOrButton};

/// Modifier keys that are released until [`Self::restore`].
///
/// If the action fails, they stay released, because a stuck modifier is worse than a modifier that a person must press
/// again.
#[derive(Debug)]
pub(super) struct ReleasedModifiers<'a> {
    display: &'a Display,
    codes: Vec<Keycode>,
}

impl<'a> ReleasedModifiers<'a> {
    pub(super) fn release(display: &'a Display, keymap: &Keymap) -> Result<Self, ScreenError> {
        let down = display.keys_down()?;
        let codes = keymap.held_modifiers().filter(|code| down.contains(code)).collect();
        // Also releases keys that are not reported as down. If a person releases a restored key on the physical
        // keyboard, the key stays down on the synthetic keyboard, which would ignore the next press.
        for code in keymap.held_modifiers() {
            display.release(KeyOrButton::Key(code))?;
        }
        Ok(Self { display, codes })
    }

    pub(super) fn restore(self) -> Result<(), ScreenError> {
        self.codes.into_iter().try_for_each(|code| self.display.press(KeyOrButton::Key(code)))
    }
}

/// A guard that turns off Caps Lock until it is dropped.
#[derive(Debug)]
pub(super) struct DisabledCapsLock<'a> {
    display: &'a Display,
    key: Keycode,
}

impl<'a> DisabledCapsLock<'a> {
    /// Turns off Caps Lock. Returns `None` if Caps Lock is already off.
    pub(super) fn disable(display: &'a Display, keymap: &Keymap) -> Result<Option<Self>, ScreenError> {
        let state = display.conn.query_pointer(display.root)?.reply()?.mask;
        let Some(key) = keymap.caps_lock_key().filter(|_| state.contains(KeyButMask::LOCK)) else {
            return Ok(None);
        };
        display.tap(KeyOrButton::Key(key))?;
        Ok(Some(Self { display, key }))
    }
}

impl Drop for DisabledCapsLock<'_> {
    fn drop(&mut self) {
        // Errors are ignored, because they mean that the connection is lost. The next request of the caller reports
        // that.
        let _ = self.display.tap(KeyOrButton::Key(self.key));
        let _ = self.display.conn.flush();
    }
}
