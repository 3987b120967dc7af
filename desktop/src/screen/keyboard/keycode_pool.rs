//! A pool of spare keycodes for characters that are not on the keyboard.

use x11rb::protocol::xproto::{Keycode, Keysym};

use super::keymap::{FIRST_SPARE, Keymap, NO_SYMBOL, UNTOUCHED};
use crate::screen::{ScreenError, connection::Display};

/// The keycodes of the pool. They have no fixed meaning in applications. For many other keycodes, Chromium ignores the
/// keysym: 181 reloads the page, 166 goes back, and 167 goes forward.
const POOL_KEYCODES: [std::ops::RangeInclusive<Keycode>; 17] = [
    138..=138,
    147..=147,
    149..=149,
    153..=162,
    165..=165,
    168..=168,
    170..=170,
    177..=178,
    182..=186,
    189..=202,
    208..=208,
    210..=214,
    217..=224,
    226..=231,
    234..=234,
    236..=238,
    242..=255,
];
/// The minimum number of usable keycodes. If fewer remain, the pool also uses keycodes that other clients have bound.
const MIN_CAPACITY: usize = 16;

/// Unbinds the spare keycodes, so that this program and remote viewers can bind them.
///
/// Call this before the window manager starts, because every running client rereads the keymap after a change.
pub(in crate::screen) fn reserve(display: &Display) -> Result<(), ScreenError> {
    let mut keymap = Keymap::read(display)?;
    let changes: Vec<_> = (FIRST_SPARE..=Keycode::MAX)
        .filter(|code| !UNTOUCHED.contains(code) && !keymap.is_modifier(*code))
        .map(|code| (code, NO_SYMBOL))
        .collect();
    keymap.rebind(display, &changes)
}

#[derive(Debug)]
struct Slot {
    code: Keycode,
    /// The keysym that this pool has bound to the keycode.
    keysym: Keysym,
    last_use: u64,
    /// `true` if the key was pressed since the last barrier. An application may not have looked up the keysym yet.
    pending: bool,
    /// `true` if the keycode is a modifier, or if another client has bound it.
    foreign: bool,
}

/// A pool of keycodes with their bindings. It replaces the least recently used binding first (LRU).
#[derive(Debug)]
pub(in crate::screen) struct KeycodePool {
    slots: Vec<Slot>,
    clock: u64,
}

/// The result of [`KeycodePool::bind`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Binding {
    /// The keycode of each requested keysym, in the order of the request.
    pub(super) codes: Vec<Keycode>,
    /// The keycodes to bind before typing, with their new keysyms.
    pub(super) changes: Vec<(Keycode, Keysym)>,
    /// `true` if an application may not have looked up the old keysym of a changed keycode yet.
    pub(super) reuses_pending: bool,
}

impl KeycodePool {
    pub(in crate::screen) fn new() -> Self {
        let slot = |code| Slot { code, keysym: NO_SYMBOL, last_use: 0, pending: false, foreign: false };
        Self { slots: POOL_KEYCODES.into_iter().flatten().map(slot).collect(), clock: 0 }
    }

    /// Updates the pool from the current keymap, which remote viewers and keyboard tools can also change.
    pub(super) fn refresh(&mut self, keymap: &Keymap) {
        for slot in &mut self.slots {
            let levels = keymap.keysyms(slot.code);
            let keysym = levels.first().copied().unwrap_or(NO_SYMBOL);
            let ours = keysym == slot.keysym && levels.get(1).is_none_or(|&second| second == keysym);
            if !ours {
                slot.keysym = NO_SYMBOL;
            }
            slot.foreign = keymap.is_modifier(slot.code) || (!ours && keysym != NO_SYMBOL);
        }
        if self.capacity() < MIN_CAPACITY {
            for slot in &mut self.slots {
                slot.foreign = keymap.is_modifier(slot.code);
            }
        }
    }

    /// Returns the maximum number of distinct keysyms in one batch.
    pub(super) fn capacity(&self) -> usize {
        self.slots.iter().filter(|slot| !slot.foreign).count()
    }

    /// Assigns a keycode to each keysym in `wanted`. The keysyms must be distinct, and at most [`Self::capacity`] in
    /// number.
    pub(super) fn bind(&mut self, wanted: &[Keysym]) -> Binding {
        self.clock += 1;
        for slot in self.slots.iter_mut().filter(|slot| !slot.foreign && wanted.contains(&slot.keysym)) {
            slot.last_use = self.clock;
        }
        let mut binding = Binding { codes: Vec::new(), changes: Vec::new(), reuses_pending: false };
        for &keysym in wanted {
            let usable = || self.slots.iter().enumerate().filter(|(_, slot)| !slot.foreign);
            let bound = usable().find(|(_, slot)| slot.keysym == keysym);
            let oldest = || {
                let free = usable().filter(|(_, slot)| slot.last_use < self.clock);
                free.min_by_key(|(_, slot)| slot.last_use)
            };
            let Some((index, _)) = bound.or_else(oldest) else { break };
            let slot = &mut self.slots[index];
            if slot.keysym != keysym {
                binding.reuses_pending |= slot.pending;
                binding.changes.push((slot.code, keysym));
                slot.keysym = keysym;
                slot.last_use = self.clock;
            }
            binding.codes.push(slot.code);
        }
        binding
    }

    /// Records that these keys were pressed.
    pub(super) fn mark_pending(&mut self, codes: &[Keycode]) {
        for slot in self.slots.iter_mut().filter(|slot| codes.contains(&slot.code)) {
            slot.pending = true;
        }
    }

    /// Records that applications have handled all earlier keys.
    pub(super) fn clear_pending(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.pending = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_has_no_keycode_with_a_fixed_meaning() {
        let pool = KeycodePool::new();
        assert_eq!(pool.capacity(), 75);
        for code in UNTOUCHED.into_iter().chain(203..=207) {
            assert!(pool.slots.iter().all(|slot| slot.code != code), "{code}");
        }
    }

    #[test]
    fn a_bound_keysym_keeps_its_keycode() {
        let mut pool = KeycodePool::new();
        let first = pool.bind(&[0x0100_0416, 0x0100_0417]);
        assert_eq!(first.changes.len(), 2);
        let again = pool.bind(&[0x0100_0417, 0x0100_0418]);
        assert_eq!(again.codes[0], first.codes[1]);
        assert_eq!(again.changes, [(again.codes[1], 0x0100_0418)]);
    }

    #[test]
    fn the_least_recently_used_keycode_is_rebound() {
        let mut pool = KeycodePool::new();
        let full: Vec<Keysym> = (0..75).map(|n| 0x0100_4e00 + n).collect();
        let all = pool.bind(&full);
        pool.bind(&full[..40]);
        let new = pool.bind(&[0x0100_9000]);
        assert!(all.codes[40..].contains(&new.codes[0]));
    }

    #[test]
    fn a_batch_never_evicts_its_own_keysyms() {
        let mut pool = KeycodePool::new();
        let old: Vec<Keysym> = (0..75).map(|n| 0x0100_4e00 + n).collect();
        pool.bind(&old);
        let mixed: Vec<Keysym> = (0..40).map(|n| 0x0100_5e00 + n).chain(old[..35].iter().copied()).collect();
        let mut codes = pool.bind(&mixed).codes;
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), 75);
    }

    #[test]
    fn reusing_a_keycode_before_a_barrier_is_reported() {
        let mut pool = KeycodePool::new();
        let full: Vec<Keysym> = (0..75).map(|n| 0x0100_4e00 + n).collect();
        let first = pool.bind(&full);
        assert!(!first.reuses_pending);
        pool.mark_pending(&first.codes);
        assert!(pool.bind(&[0x0100_9000]).reuses_pending);
        pool.clear_pending();
        assert!(!pool.bind(&[0x0100_9001]).reuses_pending);
    }
}
