//! Synthetic presses (XTEST) that cannot be left down.

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

use super::{connection::Display, error::ScreenError};

/// The last button that is used here.
const WHEEL_RIGHT: u8 = 7;

/// Something that can be held down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    Key(Keycode),
    Button(u8),
}

impl Display {
    pub(super) fn press(&self, switch: Switch) -> Result<(), ScreenError> {
        match switch {
            Switch::Key(code) => self.fake(KEY_PRESS_EVENT, code, (0, 0)),
            Switch::Button(number) => self.fake(BUTTON_PRESS_EVENT, number, (0, 0)),
        }
    }

    pub(super) fn release(&self, switch: Switch) -> Result<(), ScreenError> {
        match switch {
            Switch::Key(code) => self.fake(KEY_RELEASE_EVENT, code, (0, 0)),
            Switch::Button(number) => self.fake(BUTTON_RELEASE_EVENT, number, (0, 0)),
        }
    }

    /// Lets go of all that an earlier connection held down when it was lost, which the X server does not do.
    pub(super) fn release_everything(&self) -> Result<(), ScreenError> {
        for number in 1..=WHEEL_RIGHT {
            self.release(Switch::Button(number))?;
        }
        for code in self.keys_down()? {
            self.release(Switch::Key(code))?;
        }
        self.sync()
    }

    pub(super) fn keys_down(&self) -> Result<Vec<Keycode>, ScreenError> {
        let bits = self.conn.query_keymap()?.reply()?.keys;
        let is_down = |code: &Keycode| bits[usize::from(code / 8)] & (1 << (code % 8)) != 0;
        Ok((Keycode::MIN..=Keycode::MAX).filter(is_down).collect())
    }

    pub(super) fn tap(&self, switch: Switch) -> Result<(), ScreenError> {
        self.press(switch)?;
        self.release(switch)
    }

    pub(super) fn move_pointer(&self, to: (i16, i16)) -> Result<(), ScreenError> {
        const ABSOLUTE: u8 = 0;
        self.fake(MOTION_NOTIFY_EVENT, ABSOLUTE, to)
    }

    fn fake(&self, kind: u8, detail: u8, (x, y): (i16, i16)) -> Result<(), ScreenError> {
        self.conn.xtest_fake_input(kind, detail, CURRENT_TIME, self.root, x, y, 0)?;
        Ok(())
    }
}

/// Keys and buttons that are down. They come up in reverse order, also when the action in between fails.
#[derive(Debug)]
pub(super) struct Hold<'a> {
    display: &'a Display,
    down: Vec<Switch>,
}

impl<'a> Hold<'a> {
    pub(super) fn new(display: &'a Display) -> Self {
        Self { display, down: Vec::new() }
    }

    pub(super) fn press(&mut self, switch: Switch) -> Result<(), ScreenError> {
        self.down.push(switch);
        self.display.press(switch)
    }

    pub(super) fn release(mut self) -> Result<(), ScreenError> {
        self.release_all()
    }

    fn release_all(&mut self) -> Result<(), ScreenError> {
        while let Some(switch) = self.down.pop() {
            self.display.release(switch)?;
        }
        Ok(())
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        // Best effort: this runs when an earlier error is already on its way to the caller.
        while !self.down.is_empty() {
            let _ = self.release_all();
        }
        let _ = self.display.conn.flush();
    }
}
