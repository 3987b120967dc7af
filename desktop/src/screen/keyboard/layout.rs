//! Switches between the groups of a keyboard layout, and remaps keys temporarily. For example, the layout `us,ru` has
//! two groups.
//!
//! This module uses the XKB extension, because the core protocol returns only a part of a layout, and its requests
//! remove levels of a key.

use std::collections::HashMap;

use x11rb::{
    connection::{Connection as _, RequestConnection as _},
    protocol::{
        xkb::{self, ConnectionExt as _, ID, KeySymMap, MapPart, SetMapAux, SetMapFlags, VMod},
        xproto::{ConnectionExt as _, Keycode, Keysym, ModMask},
    },
};

use super::{
    keymap::{self, Key, Keymap},
    keys,
    typing::{KEYMAP_UPDATE_TIMEOUT, REBIND_TIMEOUT},
};
use crate::screen::{ScreenError, application::barrier, connection::Display};

/// The XKB version that the X.Org server implements.
const VERSION: (u16, u16) = (1, 0);
/// The bits of `group_info` that contain the number of groups of a key.
const GROUP_COUNT: u8 = 0b1111;
/// The bits of `group_info` that select the group of a key if the active group is out of range.
const OUT_OF_RANGE_ACTION: u8 = 0b1100_0000;
/// The value of [`OUT_OF_RANGE_ACTION`] that selects the last group.
const CLAMP: u8 = 0b0100_0000;
const MAX_GROUPS: u8 = 4;
/// The predefined key type with two levels, which Shift selects.
const TWO_LEVEL: u8 = 1;
/// The predefined key type of letters with two levels, which Shift and Caps Lock select.
const ALPHABETIC: u8 = 2;

/// The rows of a US keyboard: the first keycode, the characters without Shift, and the characters with Shift.
const US_KEYS: [(Keycode, &str, &str); 6] = [
    (10, "1234567890-=", "!@#$%^&*()_+"),
    (24, "qwertyuiop[]", "QWERTYUIOP{}"),
    (38, "asdfghjkl;'", "ASDFGHJKL:\""),
    (49, "`", "~"),
    (51, "\\", "|"),
    (52, "zxcvbnm,./", "ZXCVBNM<>?"),
];

/// Returns the keycode of a character on a US keyboard.
fn us_key(keysym: Keysym) -> Option<Keycode> {
    let character = char::from_u32(keysym).filter(char::is_ascii_graphic)?;
    US_KEYS.iter().find_map(|&(first, plain, shifted)| {
        let offset = plain.find(character).or_else(|| shifted.find(character))?;
        u8::try_from(offset).ok().map(|offset| first + offset)
    })
}

/// A snapshot of the layout and of the group state.
#[derive(Debug)]
struct XkbLayout {
    first: Keycode,
    keys: Vec<KeySymMap>,
    group: u8,
    /// The sum of the base group and the latched group. The active group is the sum of this value and the locked group.
    base_and_latched: i32,
    locked_group: xkb::Group,
}

impl XkbLayout {
    /// Reads the layout. Returns `None` if the X server does not have the XKB extension.
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
            group: u8::from(state.group) % MAX_GROUPS,
            base_and_latched: i32::from(state.base_group) + i32::from(state.latched_group),
            locked_group: state.locked_group,
        }))
    }

    fn key(&self, code: Keycode) -> Option<&KeySymMap> {
        self.keys.get(usize::from(code.checked_sub(self.first)?))
    }

    fn groups(&self) -> u8 {
        self.keys.iter().map(group_count).max().unwrap_or(0).min(MAX_GROUPS)
    }

    /// Returns the keysyms that a key has if `group` is the active group, by level.
    fn keysyms(&self, code: Keycode, group: u8) -> &[Keysym] {
        let Some(key) = self.key(code) else { return &[] };
        let count = group_count(key);
        if count == 0 {
            return &[];
        }
        let group = match key.group_info & OUT_OF_RANGE_ACTION {
            _ if group < count => group,
            CLAMP => count - 1,
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

/// A guard for the active group during an action. `keys` contains the keys that the action can use. Dropping the guard
/// restores the previous group.
#[derive(Debug)]
pub(super) struct ActiveGroup<'a> {
    display: &'a Display,
    pub(super) keys: HashMap<Keysym, Key>,
    layout: Option<XkbLayout>,
    /// `true` if the group was switched.
    changed: bool,
}

impl<'a> ActiveGroup<'a> {
    /// Switches to the group with the most of the `wanted` keysyms. `fits` must return whether a key may be used for
    /// its keysym.
    pub(super) fn choose(
        display: &'a Display,
        keymap: &Keymap,
        wanted: &[Keysym],
        fits: impl Fn(Keysym, Key) -> bool,
    ) -> Result<Self, ScreenError> {
        let state = display.conn.query_pointer(display.root)?.reply()?.mask;
        let group = u16::from(state) >> 13 & 0b11;
        let num_lock = keymap.num_lock_mask().is_some_and(|lock| state.contains(lock));
        let usable = |mut keys: HashMap<Keysym, Key>| {
            keys.retain(|&keysym, &mut key| fits(keysym, key) && !(num_lock && keymap::is_keypad(keysym)));
            keys
        };
        let mut keys = usable(keymap.fixed_keys(|code| keymap.keysyms(code)));
        if group == 0 && wanted.iter().all(|keysym| us_key(*keysym).is_none() || keys.contains_key(keysym)) {
            return Ok(Self { display, keys, layout: None, changed: false });
        }
        let Some(layout) = XkbLayout::read(display)? else {
            if group != 0 {
                // The core protocol returns only the keysyms of the first group.
                keys.retain(|&keysym, _| !keys::is_character(keysym));
            }
            return Ok(Self { display, keys, layout: None, changed: false });
        };
        let groups = (0..layout.groups()).map(|group| {
            let keys = usable(keymap.fixed_keys(|code| layout.keysyms(code, group)));
            let found = wanted.iter().filter(|keysym| keys.contains_key(keysym)).count();
            ((found, group == layout.group), group, keys)
        });
        let Some((_, group, keys)) = groups.max_by_key(|&(found, ..)| found) else {
            return Ok(Self { display, keys, layout: None, changed: false });
        };
        let changed = group != layout.group;
        if changed {
            let locked = i32::from(group) - layout.base_and_latched;
            lock_group(display, locked.rem_euclid(i32::from(layout.groups())))?;
        }
        Ok(Self { display, keys, layout: Some(layout), changed })
    }

    /// Remaps keys temporarily for keysyms that are not in [`Self::keys`]. Each keysym is assigned to the key that has
    /// this keysym on a US keyboard, because programs such as Chromium also check the position of a key. Does not remap
    /// the keys in `taken`.
    pub(super) fn remap(
        &self,
        keysyms: &[Keysym],
        taken: &[Keycode],
    ) -> Result<RemappedKeys<'a>, ScreenError> {
        let mut remapped = RemappedKeys { display: self.display, original: Vec::new(), keys: HashMap::new() };
        let Some(layout) = &self.layout else { return Ok(remapped) };
        for &keysym in keysyms {
            let Some(code) = us_key(keysym).filter(|code| !taken.contains(code)) else { continue };
            let Some(before) = layout.key(code).filter(|_| !remapped.has(code)) else { continue };
            let lower = keys::lower_case(keysym);
            let upper = keys::upper_case(keysym);
            let levels = if lower == upper { [keysym; 2] } else { [lower, upper] };
            let key_type = if lower == upper { TWO_LEVEL } else { ALPHABETIC };
            let groups = group_count(before).max(1);
            let now = KeySymMap {
                kt_index: [key_type; 4],
                group_info: before.group_info & !GROUP_COUNT | groups,
                width: 2,
                syms: levels.repeat(groups.into()),
            };
            remapped.original.push((code, before.clone()));
            remapped.keys.insert(keysym, Key { code, shift: lower != upper && keysym == upper });
            set_key(self.display, code, now)?;
        }
        if !remapped.original.is_empty() {
            self.display.sync()?;
            barrier::wait(self.display, KEYMAP_UPDATE_TIMEOUT)?;
        }
        Ok(remapped)
    }
}

impl Drop for ActiveGroup<'_> {
    fn drop(&mut self) {
        // Errors are ignored, because they mean that the connection is lost. The next request of the caller reports
        // that.
        if let Some(layout) = self.layout.as_ref().filter(|_| self.changed) {
            let _ = lock_group(self.display, u8::from(layout.locked_group).into());
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

/// A guard for keys with temporary keysyms. Dropping the guard restores the original keysyms.
#[derive(Debug)]
pub(super) struct RemappedKeys<'a> {
    display: &'a Display,
    original: Vec<(Keycode, KeySymMap)>,
    pub(super) keys: HashMap<Keysym, Key>,
}

impl RemappedKeys<'_> {
    fn has(&self, code: Keycode) -> bool {
        self.original.iter().any(|&(remapped, _)| remapped == code)
    }

    /// Waits until the application has handled the keys, and restores the original keysyms.
    pub(super) fn restore_when_handled(mut self) -> Result<(), ScreenError> {
        if self.original.is_empty() {
            return Ok(());
        }
        barrier::note_keys_sent(self.display)?;
        barrier::wait(self.display, REBIND_TIMEOUT)?;
        self.restore()?;
        self.display.sync()?;
        barrier::wait(self.display, KEYMAP_UPDATE_TIMEOUT)?;
        Ok(())
    }

    fn restore(&mut self) -> Result<(), ScreenError> {
        while let Some((code, key)) = self.original.pop() {
            set_key(self.display, code, key)?;
        }
        Ok(())
    }
}

impl Drop for RemappedKeys<'_> {
    fn drop(&mut self) {
        // Errors are ignored, because the caller already returns an earlier error.
        if !self.original.is_empty() {
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
    use crate::screen::keyboard::keysyms;

    #[test]
    fn every_graphic_ascii_character_is_on_the_us_keyboard() {
        let codes: Vec<_> = ('!'..='~').map(|character| us_key(character.into()).unwrap()).collect();
        assert_eq!(codes.len(), 94);
        assert!(US_KEYS.iter().all(|(_, plain, shifted)| plain.len() == shifted.len()));
        for (character, code) in
            [('a', 38), ('A', 38), ('1', 10), ('!', 10), ('/', 61), ('`', 49), ('\\', 51)]
        {
            assert_eq!(us_key(character.into()), Some(code), "{character}");
        }
        for keysym in [0x20, 0xe9, 0xff0d, keysyms::of_char('ф')] {
            assert_eq!(us_key(keysym), None);
        }
    }

    #[test]
    fn a_key_with_fewer_groups_replaces_a_group_that_is_out_of_range() {
        let key = |group_info, syms: &[Keysym]| KeySymMap {
            kt_index: [1; 4],
            group_info,
            width: 2,
            syms: syms.to_vec(),
        };
        let keys = vec![
            key(2, &[1, 2, 3, 4]),
            key(1, &[5, 6]),
            key(CLAMP | 2, &[7, 8, 9, 10]),
            key(0, &[]),
            // Only a hostile server sends a key without levels.
            KeySymMap { width: 0, ..key(3, &[11]) },
        ];
        let layout =
            XkbLayout { first: 8, keys, group: 0, base_and_latched: 0, locked_group: xkb::Group::M1 };
        assert_eq!(layout.groups(), 3);
        assert_eq!(layout.keysyms(8, 1), [3, 4]);
        assert_eq!(layout.keysyms(9, 1), [5, 6]);
        assert_eq!(layout.keysyms(10, 3), [9, 10]);
        for (code, group) in [(11, 0), (12, 2), (7, 0), (13, 0)] {
            assert_eq!(layout.keysyms(code, group), [0; 0]);
        }
    }
}
