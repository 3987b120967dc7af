//! What the keys of the X server mean at this moment.

use std::collections::HashMap;

use x11rb::{
    connection::Connection,
    protocol::xproto::{ConnectionExt as _, KeyButMask, Keycode, Keysym, MapIndex},
};

use super::{connection::Display, error::ScreenError, keys, keysyms};

/// Keycodes from here on are no keys of a PC keyboard: a stock map has only multimedia symbols there.
pub(super) const FIRST_SPARE: Keycode = 136;
/// Spare codes that keep their stock symbol: an empty one would be given to a remote viewer's character, and
/// Chromium would then reload or leave the page when that viewer types it.
pub(super) const KEPT: [Keycode; 3] = [166, 167, 181];
/// The first and the last keycode of every common X server. The protocol allows none below 8.
const KEYCODES: (Keycode, Keycode) = (8, Keycode::MAX);
/// Symbol of a key that types nothing.
pub(super) const NO_SYMBOL: Keysym = 0;

/// Whether a key of the number pad types the symbol, a digit or what is there without Num Lock.
pub(super) fn is_number_pad(symbol: Keysym) -> bool {
    (0xff95..=0xff9f).contains(&symbol) || (0xffac..=0xffb9).contains(&symbol)
}

/// A key that carries a wanted symbol, and whether Shift must be down for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) code: Keycode,
    pub(super) shift: bool,
}

/// A snapshot of the keyboard and modifier maps.
#[derive(Debug)]
pub(super) struct Keymap {
    first: Keycode,
    width: usize,
    symbols: Vec<Keysym>,
    modifiers: Vec<Vec<Keycode>>,
}

impl Keymap {
    pub(super) fn read(display: &Display) -> Result<Self, ScreenError> {
        let setup = display.conn.setup();
        let (first, last) = KEYCODES;
        if (setup.min_keycode, setup.max_keycode) != KEYCODES {
            return Err(ScreenError::Unsupported(format!("the keycodes {first} to {last}")));
        }
        let symbols = display.conn.get_keyboard_mapping(first, last - first + 1)?;
        let modifiers = display.conn.get_modifier_mapping()?.reply()?;
        let symbols = symbols.reply()?;
        let per_modifier = usize::from(modifiers.keycodes_per_modifier()).max(1);
        let width = usize::from(symbols.keysyms_per_keycode);
        if width == 0 || symbols.keysyms.len() != width * (usize::from(last - first) + 1) {
            return Err(ScreenError::Lost("it sent a keyboard map of a wrong size".to_owned()));
        }
        Ok(Self {
            first,
            width,
            symbols: symbols.keysyms,
            modifiers: modifiers
                .keycodes
                .chunks(per_modifier)
                .map(|codes| codes.iter().copied().filter(|&code| code != 0).collect())
                .collect(),
        })
    }

    /// Symbols of one key, level by level; empty for a code that does not exist.
    pub(super) fn symbols(&self, code: Keycode) -> &[Keysym] {
        let Some(index) = code.checked_sub(self.first) else { return &[] };
        self.symbols.chunks(self.width).nth(index.into()).unwrap_or(&[])
    }

    /// The first two levels of the keys that typing leaves as they are, unshifted ones first; `symbols` are those of a key in
    /// the group that is in use.
    pub(super) fn base<'a>(&self, symbols: impl Fn(Keycode) -> &'a [Keysym]) -> HashMap<Keysym, Key> {
        let mut base = HashMap::new();
        let modifiers = || (FIRST_SPARE..=Keycode::MAX).filter(|&code| self.is_modifier(code));
        for (level, shift) in [(0, false), (1, true)] {
            for code in (self.first..FIRST_SPARE).chain(KEPT).chain(modifiers()) {
                let levels = symbols(code);
                let Some(&symbol) = levels.get(level).filter(|&&symbol| symbol != NO_SYMBOL) else {
                    continue;
                };
                // What Shift makes of the number pad depends on Num Lock.
                if shift && is_number_pad(symbol) {
                    continue;
                }
                // A modifier is one without Shift too (Meta is on the key of Alt), unless the key has nothing else.
                let shift = shift && (levels[0] == NO_SYMBOL || !self.is_modifier(code));
                base.entry(keysyms::canonical(symbol)).or_insert(Key { code, shift });
            }
        }
        base
    }

    /// Keys that act as a modifier, Lock apart (it is a toggle, not held down).
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
        (self.first..FIRST_SPARE).find(|&code| self.symbols(code).first() == Some(&keys::SHIFT_L))
    }

    /// The modifier that Num Lock turns on, if it is on a key.
    pub(super) fn number_lock(&self) -> Option<KeyButMask> {
        let locks = |code: &Keycode| self.symbols(*code).contains(&keys::NUM_LOCK);
        let row = self.modifiers.iter().position(|codes| codes.iter().any(locks))?;
        Some(KeyButMask::from(1u16 << row.min(7)))
    }

    /// The key that toggles Caps Lock, if the Lock modifier has one.
    pub(super) fn lock_key(&self) -> Option<Keycode> {
        self.modifiers.get(usize::from(u8::from(MapIndex::LOCK)))?.first().copied()
    }

    /// Gives keys their only symbol (or none), all in one request: every application and the window manager
    /// read the whole map again after each change.
    pub(super) fn rebind(
        &mut self,
        display: &Display,
        changes: &[(Keycode, Keysym)],
    ) -> Result<(), ScreenError> {
        let codes = || changes.iter().map(|&(code, _)| code);
        let (Some(from), Some(to)) = (codes().min(), codes().max()) else { return Ok(()) };
        for &(code, symbol) in changes {
            let start = usize::from(code - self.first) * self.width;
            let levels = &mut self.symbols[start..start + self.width];
            levels.fill(NO_SYMBOL);
            // Both levels: given one, the server adds the other case of the letter by itself.
            levels.iter_mut().take(2).for_each(|level| *level = symbol);
        }
        let range =
            usize::from(from - self.first) * self.width..usize::from(to - self.first + 1) * self.width;
        display.conn.change_keyboard_mapping(
            to - from + 1,
            from,
            u8::try_from(self.width).expect("a width that was read from one byte"),
            &self.symbols[range],
        )?;
        display.sync()
    }
}
