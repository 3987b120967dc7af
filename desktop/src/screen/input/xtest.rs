//! Synthetic key and button presses through the XTEST extension, and a guard that releases pressed keys and buttons.

use x11rb::{
    CURRENT_TIME,
    connection::Connection,
    protocol::{
        xproto::{
            BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, KEY_PRESS_EVENT, KEY_RELEASE_EVENT,
            Keycode, MOTION_NOTIFY_EVENT,
        },
        xtest::ConnectionExt as _,
    },
};

use crate::screen::{ScreenError, connection::Display};

/// The highest button number that this program uses.
const WHEEL_RIGHT: u8 = 7;

/// A key or a pointer button, by its X11 number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::screen) enum KeyOrButton {
    Key(Keycode),
    Button(u8),
}

impl Display {
    pub(in crate::screen) fn press(&self, input: KeyOrButton) -> Result<(), ScreenError> {
        match input {
            KeyOrButton::Key(code) => self.fake(KEY_PRESS_EVENT, code, (0, 0)),
            KeyOrButton::Button(number) => self.fake(BUTTON_PRESS_EVENT, number, (0, 0)),
        }
    }

    pub(in crate::screen) fn release(&self, input: KeyOrButton) -> Result<(), ScreenError> {
        match input {
            KeyOrButton::Key(code) => self.fake(KEY_RELEASE_EVENT, code, (0, 0)),
            KeyOrButton::Button(number) => self.fake(BUTTON_RELEASE_EVENT, number, (0, 0)),
        }
    }

    /// Releases all keys and buttons that an earlier connection has left pressed. The X server does not release them.
    pub(in crate::screen) fn release_everything(&self) -> Result<(), ScreenError> {
        for number in 1..=WHEEL_RIGHT {
            self.release(KeyOrButton::Button(number))?;
        }
        for code in self.keys_down()? {
            self.release(KeyOrButton::Key(code))?;
        }
        self.sync()
    }

    pub(in crate::screen) fn keys_down(&self) -> Result<Vec<Keycode>, ScreenError> {
        let bits = self.conn.query_keymap()?.reply()?.keys;
        let is_down = |code: &Keycode| bits[usize::from(code / 8)] & (1 << (code % 8)) != 0;
        Ok((Keycode::MIN..=Keycode::MAX).filter(is_down).collect())
    }

    pub(in crate::screen) fn tap(&self, input: KeyOrButton) -> Result<(), ScreenError> {
        self.press(input)?;
        self.release(input)
    }

    pub(in crate::screen) fn move_pointer(&self, to: (i16, i16)) -> Result<(), ScreenError> {
        const ABSOLUTE: u8 = 0;
        self.fake(MOTION_NOTIFY_EVENT, ABSOLUTE, to)
    }

    fn fake(&self, kind: u8, detail: u8, (x, y): (i16, i16)) -> Result<(), ScreenError> {
        self.conn.xtest_fake_input(kind, detail, CURRENT_TIME, self.root, x, y, 0)?;
        Ok(())
    }
}

/// A guard for pressed keys and buttons. It releases them in reverse order, even if the action fails.
#[derive(Debug)]
pub(in crate::screen) struct HeldInputs<'a> {
    display: &'a Display,
    down: Vec<KeyOrButton>,
}

impl<'a> HeldInputs<'a> {
    pub(in crate::screen) fn new(display: &'a Display) -> Self {
        Self { display, down: Vec::new() }
    }

    pub(in crate::screen) fn press(&mut self, input: KeyOrButton) -> Result<(), ScreenError> {
        self.down.push(input);
        self.display.press(input)
    }

    pub(in crate::screen) fn release(mut self) -> Result<(), ScreenError> {
        self.release_all()
    }

    fn release_all(&mut self) -> Result<(), ScreenError> {
        while let Some(input) = self.down.pop() {
            self.display.release(input)?;
        }
        Ok(())
    }
}

impl Drop for HeldInputs<'_> {
    fn drop(&mut self) {
        // Errors are ignored, because the caller already returns an earlier error.
        while !self.down.is_empty() {
            let _ = self.release_all();
        }
        let _ = self.display.conn.flush();
    }
}
