//! Releases modifiers that a person holds down, and turns off Caps Lock, during synthetic key presses.

use x11rb::{
    connection::Connection,
    protocol::xproto::{ConnectionExt as _, KeyButMask, Keycode},
};

use super::keymap::Keymap;
use crate::screen::{ScreenError, connection::Display, input::xtest::KeyOrButton};

/// Modifier keys that are released until [`Self::restore`].
///
/// They stay released if the action fails: a stuck modifier does more harm than one that a person has to press again.
#[derive(Debug)]
pub(super) struct ReleasedModifiers<'a> {
    display: &'a Display,
    codes: Vec<Keycode>,
}

impl<'a> ReleasedModifiers<'a> {
    pub(super) fn release(display: &'a Display, keymap: &Keymap) -> Result<Self, ScreenError> {
        let down = display.keys_down()?;
        let codes = keymap.held_modifiers().filter(|code| down.contains(code)).collect();
        // This includes keys that seem to be up. After a restored key is released on the physical keyboard, it stays
        // down on the synthetic keyboard, which would ignore the next press.
        for code in keymap.held_modifiers() {
            display.release(KeyOrButton::Key(code))?;
        }
        Ok(Self { display, codes })
    }

    pub(super) fn restore(self) -> Result<(), ScreenError> {
        self.codes.into_iter().try_for_each(|code| self.display.press(KeyOrButton::Key(code)))
    }
}

/// Turns off Caps Lock until this guard is dropped.
#[derive(Debug)]
pub(super) struct DisabledCapsLock<'a> {
    display: &'a Display,
    key: Keycode,
}

impl<'a> DisabledCapsLock<'a> {
    /// Returns `None` if Caps Lock is off.
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
        // An error means that the connection is lost, which the next request of the caller reports.
        let _ = self.display.tap(KeyOrButton::Key(self.key));
        let _ = self.display.conn.flush();
    }
}
