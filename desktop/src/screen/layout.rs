//! The groups of a keyboard layout (`us,ru` has two), of which one is in use, and keys whose meaning is changed for a moment.
//!
//! The core protocol shows only a part of a layout, and a change by it loses levels of the key. So this is the XKB extension.

use std::collections::HashMap;

use x11rb::{
    connection::{Connection as _, RequestConnection as _},
    protocol::{
        xkb::{self, ConnectionExt as _, ID, KeySymMap, MapPart, SetMapAux, SetMapFlags, VMod},
        xproto::{ConnectionExt as _, Keycode, Keysym, ModMask},
    },
};

use super::{
    barrier,
    connection::Display,
    error::ScreenError,
    keymap::{self, Key, Keymap},
    keys,
    typing::{ADOPTION_LIMIT, REUSE_LIMIT},
};

/// The first version of XKB that X.Org has.
const VERSION: (u16, u16) = (1, 0);
/// How the number of groups and what happens beyond them are packed into one byte.
const GROUP_COUNT: u8 = 0b1111;
const BEYOND: u8 = 0b1100_0000;
const BEYOND_IS_LAST: u8 = 0b0100_0000;
const MOST_GROUPS: u8 = 4;
/// Types that every keymap has: two levels by Shift, and those of a letter, by Shift and Caps Lock.
const TWO_LEVEL: u8 = 1;
const ALPHABETIC: u8 = 2;

/// The keys of a US keyboard by their places, row by row: the first keycode, its characters, and those with Shift.
const US: [(Keycode, &str, &str); 6] = [
    (10, "1234567890-=", "!@#$%^&*()_+"),
    (24, "qwertyuiop[]", "QWERTYUIOP{}"),
    (38, "asdfghjkl;'", "ASDFGHJKL:\""),
    (49, "`", "~"),
    (51, "\\", "|"),
    (52, "zxcvbnm,./", "ZXCVBNM<>?"),
];

/// The key on which a US keyboard has the character.
fn us_key(symbol: Keysym) -> Option<Keycode> {
    let character = char::from_u32(symbol).filter(char::is_ascii_graphic)?;
    US.iter().find_map(|&(first, plain, shifted)| {
        let place = plain.find(character).or_else(|| shifted.find(character))?;
        u8::try_from(place).ok().map(|place| first + place)
    })
}

/// The layout as it is now.
#[derive(Debug)]
struct Layout {
    first: Keycode,
    keys: Vec<KeySymMap>,
    group: u8,
    /// What is added to the locked group by keys that are held.
    held: i32,
    locked: xkb::Group,
}

impl Layout {
    /// `None` if the X server does not have the extension.
    fn read(display: &Display) -> Result<Option<Self>, ScreenError> {
        let conn = &display.conn;
        if conn.extension_information(xkb::X11_EXTENSION_NAME)?.is_none()
            || !conn.xkb_use_extension(VERSION.0, VERSION.1)?.reply()?.supported
        {
            return Ok(None);
        }
        let none = MapPart::from(0u8);
        let virtual_none = VMod::from(0u16);
        let state = conn.xkb_get_state(keyboard())?;
        let map = conn.xkb_get_map(
            keyboard(),
            MapPart::KEY_SYMS,
            none,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            virtual_none,
            0,
            0,
            0,
            0,
            0,
            0,
        )?;
        let (state, map) = (state.reply()?, map.reply()?);
        let Some(keys) = map.map.syms_rtrn else { return Ok(None) };
        Ok(Some(Self {
            first: map.first_key_sym,
            keys,
            group: u8::from(state.group) % MOST_GROUPS,
            held: i32::from(state.base_group) + i32::from(state.latched_group),
            locked: state.locked_group,
        }))
    }

    fn key(&self, code: Keycode) -> Option<&KeySymMap> {
        self.keys.get(usize::from(code.checked_sub(self.first)?))
    }

    fn groups(&self) -> u8 {
        self.keys.iter().map(group_count).max().unwrap_or(0).min(MOST_GROUPS)
    }

    /// The symbols of a key while that group is in use, level by level.
    fn symbols(&self, code: Keycode, group: u8) -> &[Keysym] {
        let Some(key) = self.key(code) else { return &[] };
        let count = group_count(key);
        if count == 0 {
            return &[];
        }
        let group = match key.group_info & BEYOND {
            _ if group < count => group,
            BEYOND_IS_LAST => count - 1,
            _ => group % count,
        };
        key.syms.chunks(usize::from(key.width).max(1)).nth(group.into()).unwrap_or(&[])
    }
}

fn keyboard() -> u16 {
    ID::USE_CORE_KBD.into()
}

fn group_count(key: &KeySymMap) -> u8 {
    key.group_info & GROUP_COUNT
}

/// The keys of the keyboard that an action can use, with the group that has the most of what the action needs. The group that
/// was in use is so again when this is dropped.
#[derive(Debug)]
pub(super) struct Keyboard<'a> {
    display: &'a Display,
    pub(super) base: HashMap<Keysym, Key>,
    layout: Option<Layout>,
    /// Whether another group is in use than before.
    changed: bool,
}

impl<'a> Keyboard<'a> {
    /// `fits` says whether a key is of use for a symbol that it types.
    pub(super) fn choose(
        display: &'a Display,
        keymap: &Keymap,
        wanted: &[Keysym],
        fits: impl Fn(Keysym, Key) -> bool,
    ) -> Result<Self, ScreenError> {
        let state = display.conn.query_pointer(display.root)?.reply()?.mask;
        let group = u16::from(state) >> 13 & 0b11;
        let number_pad = keymap.number_lock().is_some_and(|lock| state.contains(lock));
        let usable = |mut base: HashMap<Keysym, Key>| {
            base.retain(|&symbol, &mut key| {
                fits(symbol, key) && !(number_pad && keymap::is_number_pad(symbol))
            });
            base
        };
        let mut base = usable(keymap.base(|code| keymap.symbols(code)));
        if group == 0 && wanted.iter().all(|symbol| us_key(*symbol).is_none() || base.contains_key(symbol)) {
            return Ok(Self { display, base, layout: None, changed: false });
        }
        let Some(layout) = Layout::read(display)? else {
            if group != 0 {
                // Its characters are elsewhere.
                base.retain(|&symbol, _| !keys::is_character(symbol));
            }
            return Ok(Self { display, base, layout: None, changed: false });
        };
        let groups = (0..layout.groups()).map(|group| {
            let base = usable(keymap.base(|code| layout.symbols(code, group)));
            let found = wanted.iter().filter(|symbol| base.contains_key(symbol)).count();
            ((found, group == layout.group), group, base)
        });
        let Some((_, group, base)) = groups.max_by_key(|&(found, ..)| found) else {
            return Ok(Self { display, base, layout: None, changed: false });
        };
        let changed = group != layout.group;
        if changed {
            let locked = i32::from(group) - layout.held;
            lock_group(display, locked.rem_euclid(i32::from(layout.groups())))?;
        }
        Ok(Self { display, base, layout: Some(layout), changed })
    }

    /// Gives those of the symbols, each of which `base` lacks, to the keys on which a US keyboard has them: programs such as
    /// Chromium know a key by its place, too. `taken` are keys that the action needs as they are.
    pub(super) fn borrow(&self, symbols: &[Keysym], taken: &[Keycode]) -> Result<Borrowed<'a>, ScreenError> {
        let mut borrowed = Borrowed { display: self.display, before: Vec::new(), keys: HashMap::new() };
        let Some(layout) = &self.layout else { return Ok(borrowed) };
        for &symbol in symbols {
            let Some(code) = us_key(symbol).filter(|code| !taken.contains(code)) else { continue };
            let Some(before) = layout.key(code).filter(|_| !borrowed.has(code)) else { continue };
            let lower = keys::lower_case(symbol);
            let upper = keys::upper_case(symbol);
            let levels = if lower == upper { [symbol; 2] } else { [lower, upper] };
            let key_type = if lower == upper { TWO_LEVEL } else { ALPHABETIC };
            let groups = group_count(before).max(1);
            let now = KeySymMap {
                kt_index: [key_type; 4],
                group_info: before.group_info & !GROUP_COUNT | groups,
                width: 2,
                syms: levels.repeat(groups.into()),
            };
            borrowed.before.push((code, before.clone()));
            borrowed.keys.insert(symbol, Key { code, shift: lower != upper && symbol == upper });
            set_key(self.display, code, now)?;
        }
        if !borrowed.before.is_empty() {
            self.display.sync()?;
            barrier::wait(self.display, ADOPTION_LIMIT)?;
        }
        Ok(borrowed)
    }
}

impl Drop for Keyboard<'_> {
    fn drop(&mut self) {
        // A failure here is a lost connection, which the next request of the caller reports.
        if let Some(layout) = self.layout.as_ref().filter(|_| self.changed) {
            let _ = lock_group(self.display, u8::from(layout.locked).into());
            let _ = self.display.conn.flush();
        }
    }
}

fn lock_group(display: &Display, group: i32) -> Result<(), ScreenError> {
    let none = ModMask::from(0u8);
    let group = xkb::Group::from(u8::try_from(group).unwrap_or_default());
    display.conn.xkb_latch_lock_state(keyboard(), none, none, true, group, none, false, 0)?;
    Ok(())
}

/// Keys that have other symbols until this is dropped.
#[derive(Debug)]
pub(super) struct Borrowed<'a> {
    display: &'a Display,
    before: Vec<(Keycode, KeySymMap)>,
    pub(super) keys: HashMap<Keysym, Key>,
}

impl Borrowed<'_> {
    fn has(&self, code: Keycode) -> bool {
        self.before.iter().any(|&(borrowed, _)| borrowed == code)
    }

    /// Gives the keys their symbols again, once the application has read the ones that were sent.
    pub(super) fn give_back(mut self) -> Result<(), ScreenError> {
        if self.before.is_empty() {
            return Ok(());
        }
        barrier::keys_sent(self.display)?;
        barrier::wait(self.display, REUSE_LIMIT)?;
        self.restore()?;
        self.display.sync()?;
        barrier::wait(self.display, ADOPTION_LIMIT)?;
        Ok(())
    }

    fn restore(&mut self) -> Result<(), ScreenError> {
        while let Some((code, key)) = self.before.pop() {
            set_key(self.display, code, key)?;
        }
        Ok(())
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        // Best effort: this runs when an earlier error is already on its way to the caller.
        if !self.before.is_empty() {
            let _ = self.restore();
            let _ = self.display.conn.flush();
        }
    }
}

fn set_key(display: &Display, code: Keycode, key: KeySymMap) -> Result<(), ScreenError> {
    let setup = display.conn.setup();
    let total = u16::try_from(key.syms.len()).unwrap_or_default();
    display.conn.xkb_set_map(
        keyboard(),
        SetMapFlags::from(0u8),
        setup.min_keycode,
        setup.max_keycode,
        0,
        0,
        code,
        1,
        total,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        VMod::from(0u16),
        &SetMapAux::new().syms(vec![key]),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::keysyms;

    #[test]
    fn every_graphic_character_has_one_place_on_a_us_keyboard() {
        let codes: Vec<_> = ('!'..='~').map(|character| us_key(character.into()).unwrap()).collect();
        assert_eq!(codes.len(), 94);
        assert!(US.iter().all(|(_, plain, shifted)| plain.len() == shifted.len()));
        for (character, code) in
            [('a', 38), ('A', 38), ('1', 10), ('!', 10), ('/', 61), ('`', 49), ('\\', 51)]
        {
            assert_eq!(us_key(character.into()), Some(code), "{character}");
        }
        for symbol in [0x20, 0xe9, 0xff0d, keysyms::of_char('ф')] {
            assert_eq!(us_key(symbol), None);
        }
    }

    #[test]
    fn a_key_with_fewer_groups_says_what_it_types_in_the_others() {
        let key = |group_info, syms: &[Keysym]| KeySymMap {
            kt_index: [1; 4],
            group_info,
            width: 2,
            syms: syms.to_vec(),
        };
        let keys = vec![
            key(2, &[1, 2, 3, 4]),
            key(1, &[5, 6]),
            key(BEYOND_IS_LAST | 2, &[7, 8, 9, 10]),
            key(0, &[]),
            // What a hostile server may say.
            KeySymMap { width: 0, ..key(3, &[11]) },
        ];
        let layout = Layout { first: 8, keys, group: 0, held: 0, locked: xkb::Group::M1 };
        assert_eq!(layout.groups(), 3);
        assert_eq!(layout.symbols(8, 1), [3, 4]);
        assert_eq!(layout.symbols(9, 1), [5, 6]);
        assert_eq!(layout.symbols(10, 3), [9, 10]);
        for (code, group) in [(11, 0), (12, 2), (7, 0), (13, 0)] {
            assert_eq!(layout.symbols(code, group), [0; 0]);
        }
    }
}
