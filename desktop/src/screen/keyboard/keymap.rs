//! The keymap of the X server, in the form that the core protocol returns.

use std::collections::HashMap;

use x11rb::{
    connection::Connection,
    protocol::xproto::{ConnectionExt as _, KeyButMask, Keycode, Keysym, MapIndex},
};

use super::{keys, keysyms};
use crate::screen::{ScreenError, connection::Display};

/// The first spare keycode. This keycode and all higher keycodes are not on a PC keyboard. In the default keymap, they
/// have only multimedia keysyms.
pub(super) const FIRST_SPARE: Keycode = 136;
/// The spare keycodes that keep their default keysym. A VNC server binds unbound keycodes to characters of a remote
/// viewer. If a character had one of these keycodes, Chromium would reload or leave the page.
pub(super) const UNTOUCHED: [Keycode; 3] = [166, 167, 181];
/// The first and the last keycode of all common X servers. The protocol reserves keycodes below 8.
const KEYCODES: (Keycode, Keycode) = (8, Keycode::MAX);
/// The keysym NoSymbol, which means that a key has no function.
pub(super) const NO_SYMBOL: Keysym = 0;

/// Returns whether the keysym is on the keypad, with or without Num Lock.
pub(super) fn is_keypad(keysym: Keysym) -> bool {
    (0xff95..=0xff9f).contains(&keysym) || (0xffac..=0xffb9).contains(&keysym)
}

/// The key for a keysym. `shift` is `true` if the keysym requires Shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) code: Keycode,
    pub(super) shift: bool,
}

/// A snapshot of the keyboard mapping and the modifier mapping.
#[derive(Debug)]
pub(super) struct Keymap {
    first: Keycode,
    width: usize,
    keysyms: Vec<Keysym>,
    modifiers: Vec<Vec<Keycode>>,
}

impl Keymap {
    pub(super) fn read(display: &Display) -> Result<Self, ScreenError> {
        let setup = display.conn.setup();
        let (first, last) = KEYCODES;
        if (setup.min_keycode, setup.max_keycode) != KEYCODES {
            return Err(ScreenError::Unsupported(format!("the keycodes {first} to {last}")));
        }
        let keysyms = display.conn.get_keyboard_mapping(first, last - first + 1)?;
        let modifiers = display.conn.get_modifier_mapping()?.reply()?;
        let keysyms = keysyms.reply()?;
        let per_modifier = usize::from(modifiers.keycodes_per_modifier()).max(1);
        let width = usize::from(keysyms.keysyms_per_keycode);
        if width == 0 || keysyms.keysyms.len() != width * (usize::from(last - first) + 1) {
            return Err(ScreenError::Lost("it sent a keyboard mapping of a wrong size".to_owned()));
        }
        Ok(Self {
            first,
            width,
            keysyms: keysyms.keysyms,
            modifiers: modifiers
                .keycodes
                .chunks(per_modifier)
                .map(|codes| codes.iter().copied().filter(|&code| code != 0).collect())
                .collect(),
        })
    }

    /// Returns the keysyms of a key by level. The list is empty for an invalid keycode.
    pub(super) fn keysyms(&self, code: Keycode) -> &[Keysym] {
        let Some(index) = code.checked_sub(self.first) else { return &[] };
        self.keysyms.chunks(self.width).nth(index.into()).unwrap_or(&[])
    }

    /// Returns the keys that typing never rebinds, by the keysyms of their first two levels. `keysyms` must return the
    /// keysyms of a keycode in the active group. If several keys have a keysym, keys without Shift take precedence.
    pub(super) fn fixed_keys<'a>(&self, keysyms: impl Fn(Keycode) -> &'a [Keysym]) -> HashMap<Keysym, Key> {
        let mut keys = HashMap::new();
        let modifiers = || (FIRST_SPARE..=Keycode::MAX).filter(|&code| self.is_modifier(code));
        for (level, shift) in [(0, false), (1, true)] {
            for code in (self.first..FIRST_SPARE).chain(UNTOUCHED).chain(modifiers()) {
                let levels = keysyms(code);
                let Some(&keysym) = levels.get(level).filter(|&&keysym| keysym != NO_SYMBOL) else {
                    continue;
                };
                // On the keypad, the effect of Shift depends on Num Lock.
                if shift && is_keypad(keysym) {
                    continue;
                }
                // A modifier key that has a first level also works without Shift, for example Meta on the Alt key.
                let shift = shift && (levels[0] == NO_SYMBOL || !self.is_modifier(code));
                keys.entry(keysyms::canonical(keysym)).or_insert(Key { code, shift });
            }
        }
        keys
    }

    /// Returns the keys that act as modifiers, except keys of the Lock modifier, which is a toggle.
    pub(super) fn held_modifiers(&self) -> impl Iterator<Item = Keycode> {
        let lock = usize::from(u8::from(MapIndex::LOCK));
        self.modifiers
            .iter()
            .enumerate()
            .filter(move |(row, _)| *row != lock)
            .flat_map(|(_, codes)| codes)
            .copied()
    }

    pub(super) fn is_modifier(&self, code: Keycode) -> bool {
        self.modifiers.iter().flatten().any(|&modifier| modifier == code)
    }

    pub(super) fn shift_key(&self) -> Option<Keycode> {
        (self.first..FIRST_SPARE).find(|&code| self.keysyms(code).first() == Some(&keys::SHIFT_L))
    }

    /// Returns the modifier of the Num Lock key, if there is one.
    pub(super) fn num_lock_mask(&self) -> Option<KeyButMask> {
        let locks = |code: &Keycode| self.keysyms(*code).contains(&keys::NUM_LOCK);
        let row = self.modifiers.iter().position(|codes| codes.iter().any(locks))?;
        Some(KeyButMask::from(1u16 << row.min(7)))
    }

    /// Returns the first key of the Lock modifier, if there is one.
    pub(super) fn caps_lock_key(&self) -> Option<Keycode> {
        self.modifiers.get(usize::from(u8::from(MapIndex::LOCK)))?.first().copied()
    }

    /// Binds each keycode to a keysym or to NoSymbol. Uses a single request, because every client rereads the whole
    /// mapping after each change.
    pub(super) fn rebind(
        &mut self,
        display: &Display,
        changes: &[(Keycode, Keysym)],
    ) -> Result<(), ScreenError> {
        let codes = || changes.iter().map(|&(code, _)| code);
        let (Some(from), Some(to)) = (codes().min(), codes().max()) else { return Ok(()) };
        for &(code, keysym) in changes {
            let start = usize::from(code - self.first) * self.width;
            let levels = &mut self.keysyms[start..start + self.width];
            levels.fill(NO_SYMBOL);
            // Sets two levels. If there were only one level, the server would add the other case of a letter.
            levels.iter_mut().take(2).for_each(|level| *level = keysym);
        }
        let range =
            usize::from(from - self.first) * self.width..usize::from(to - self.first + 1) * self.width;
        display.conn.change_keyboard_mapping(
            to - from + 1,
            from,
            u8::try_from(self.width).expect("the width was read from one byte"),
            &self.keysyms[range],
        )?;
        display.sync()
    }
}
