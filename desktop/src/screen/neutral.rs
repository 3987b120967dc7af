//! Keeping what a person holds down, or has locked, out of synthetic key strokes.

use x11rb::{
    connection::Connection,
    protocol::xproto::{ConnectionExt as _, KeyButMask, Keycode},
};

use super::{connection::Display, error::ScreenError, hold::Switch, keymap::Keymap};

/// Modifier keys that were down and are up until [`Self::restore`].
///
/// When the action in between fails they stay up: a modifier that is stuck does more harm than one that must
/// be pressed again.
#[derive(Debug)]
pub(super) struct LiftedModifiers<'a> {
    display: &'a Display,
    codes: Vec<Keycode>,
}

impl<'a> LiftedModifiers<'a> {
    pub(super) fn lift(display: &'a Display, keymap: &Keymap) -> Result<Self, ScreenError> {
        let down = display.keys_down()?;
        let codes = keymap.held_modifiers().filter(|code| down.contains(code)).collect();
        // Also the keys that seem to be up: one that was restored here and then released on the keyboard that
        // held it stays down on the synthetic keyboard, which would ignore the next press.
        for code in keymap.held_modifiers() {
            display.release(Switch::Key(code))?;
        }
        Ok(Self { display, codes })
    }

    pub(super) fn restore(self) -> Result<(), ScreenError> {
        self.codes.into_iter().try_for_each(|code| self.display.press(Switch::Key(code)))
    }
}

/// Caps Lock was on and is off until this is dropped.
#[derive(Debug)]
pub(super) struct LiftedCapsLock<'a> {
    display: &'a Display,
    key: Keycode,
}

impl<'a> LiftedCapsLock<'a> {
    pub(super) fn lift(display: &'a Display, keymap: &Keymap) -> Result<Option<Self>, ScreenError> {
        let state = display.conn.query_pointer(display.root)?.reply()?.mask;
        let Some(key) = keymap.lock_key().filter(|_| state.contains(KeyButMask::LOCK)) else {
            return Ok(None);
        };
        display.tap(Switch::Key(key))?;
        Ok(Some(Self { display, key }))
    }
}

impl Drop for LiftedCapsLock<'_> {
    fn drop(&mut self) {
        // A failure here is a lost connection, which the next request of the caller reports.
        let _ = self.display.tap(Switch::Key(self.key));
        let _ = self.display.conn.flush();
    }
}
