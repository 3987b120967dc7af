//! Keycodes that belong to typing, to carry the characters which the keyboard lacks.

use x11rb::protocol::xproto::{Keycode, Keysym};

use super::{
    connection::Display,
    error::ScreenError,
    keymap::{FIRST_SPARE, KEPT, Keymap, NO_SYMBOL},
};

/// Codes that no application gives a meaning of its own. Chromium acts on the code and not the symbol for
/// many of the others: 181 reloads the page, 166 goes back, 167 forward.
const POOL: [std::ops::RangeInclusive<Keycode>; 17] = [
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
/// With fewer codes than this left by other clients, typing takes theirs back.
const ENOUGH: usize = 16;

/// Empties the spare keycodes, so that typing and remote viewers find room for their symbols.
///
/// To be called before the window manager starts: a change costs every running client a new look at the map.
pub(super) fn reserve(display: &Display) -> Result<(), ScreenError> {
    let mut keymap = Keymap::read(display)?;
    let changes: Vec<_> = (FIRST_SPARE..=Keycode::MAX)
        .filter(|code| !KEPT.contains(code) && !keymap.is_modifier(*code))
        .map(|code| (code, NO_SYMBOL))
        .collect();
    keymap.rebind(display, &changes)
}

#[derive(Debug)]
struct Slot {
    code: Keycode,
    /// What this pool bound to the code.
    symbol: Keysym,
    last_use: u64,
    /// Sent as a key since the last barrier, so an application may yet have to look the symbol up.
    pending: bool,
    /// Bound to something else by another client.
    foreign: bool,
}

/// The pool with its bindings, least recently used first to be given away.
#[derive(Debug)]
pub(super) struct KeycodePool {
    slots: Vec<Slot>,
    clock: u64,
}

/// What must happen before the symbols of one batch can be typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Binding {
    /// The code of each wanted symbol, in the order asked for.
    pub(super) codes: Vec<Keycode>,
    /// The codes that change, with their new symbol.
    pub(super) changes: Vec<(Keycode, Keysym)>,
    /// Some of the changed codes carry keys that applications may not have looked up yet.
    pub(super) reuses_pending: bool,
}

impl KeycodePool {
    pub(super) fn new() -> Self {
        let slot = |code| Slot { code, symbol: NO_SYMBOL, last_use: 0, pending: false, foreign: false };
        Self { slots: POOL.into_iter().flatten().map(slot).collect(), clock: 0 }
    }

    /// Compares the bindings with the map as it is: remote viewers and keyboard tools change it too.
    pub(super) fn refresh(&mut self, keymap: &Keymap) {
        for slot in &mut self.slots {
            let levels = keymap.symbols(slot.code);
            let symbol = levels.first().copied().unwrap_or(NO_SYMBOL);
            let ours = symbol == slot.symbol && levels.get(1).is_none_or(|&second| second == symbol);
            if !ours {
                slot.symbol = NO_SYMBOL;
            }
            slot.foreign = keymap.is_modifier(slot.code) || (!ours && symbol != NO_SYMBOL);
        }
        if self.capacity() < ENOUGH {
            for slot in &mut self.slots {
                slot.foreign = keymap.is_modifier(slot.code);
            }
        }
    }

    /// How many distinct symbols one batch may hold.
    pub(super) fn capacity(&self) -> usize {
        self.slots.iter().filter(|slot| !slot.foreign).count()
    }

    /// Finds a code for each of the distinct symbols, for at most [`Self::capacity`] of them.
    pub(super) fn bind(&mut self, wanted: &[Keysym]) -> Binding {
        self.clock += 1;
        for slot in self.slots.iter_mut().filter(|slot| !slot.foreign && wanted.contains(&slot.symbol)) {
            slot.last_use = self.clock;
        }
        let mut binding = Binding { codes: Vec::new(), changes: Vec::new(), reuses_pending: false };
        for &symbol in wanted {
            let usable = || self.slots.iter().enumerate().filter(|(_, slot)| !slot.foreign);
            let bound = usable().find(|(_, slot)| slot.symbol == symbol);
            let oldest = || {
                let free = usable().filter(|(_, slot)| slot.last_use < self.clock);
                free.min_by_key(|(_, slot)| slot.last_use)
            };
            let Some((index, _)) = bound.or_else(oldest) else { break };
            let slot = &mut self.slots[index];
            if slot.symbol != symbol {
                binding.reuses_pending |= slot.pending;
                binding.changes.push((slot.code, symbol));
                slot.symbol = symbol;
                slot.last_use = self.clock;
            }
            binding.codes.push(slot.code);
        }
        binding
    }

    /// The keys of the last batch were sent.
    pub(super) fn mark_pending(&mut self, codes: &[Keycode]) {
        for slot in self.slots.iter_mut().filter(|slot| codes.contains(&slot.code)) {
            slot.pending = true;
        }
    }

    /// Applications have dealt with every key sent so far.
    pub(super) fn settled(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.pending = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_keeps_clear_of_codes_with_a_meaning() {
        let pool = KeycodePool::new();
        assert_eq!(pool.capacity(), 75);
        for code in KEPT.into_iter().chain(203..=207) {
            assert!(pool.slots.iter().all(|slot| slot.code != code), "{code}");
        }
    }

    #[test]
    fn a_bound_symbol_keeps_its_code() {
        let mut pool = KeycodePool::new();
        let first = pool.bind(&[0x0100_0416, 0x0100_0417]);
        assert_eq!(first.changes.len(), 2);
        let again = pool.bind(&[0x0100_0417, 0x0100_0418]);
        assert_eq!(again.codes[0], first.codes[1]);
        assert_eq!(again.changes, [(again.codes[1], 0x0100_0418)]);
    }

    #[test]
    fn the_longest_unused_code_is_given_away() {
        let mut pool = KeycodePool::new();
        let full: Vec<Keysym> = (0..75).map(|n| 0x0100_4e00 + n).collect();
        let all = pool.bind(&full);
        pool.bind(&full[..40]);
        let new = pool.bind(&[0x0100_9000]);
        assert!(all.codes[40..].contains(&new.codes[0]));
    }

    #[test]
    fn a_batch_never_evicts_its_own_symbols() {
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
    fn reusing_a_code_before_a_barrier_is_reported() {
        let mut pool = KeycodePool::new();
        let full: Vec<Keysym> = (0..75).map(|n| 0x0100_4e00 + n).collect();
        let first = pool.bind(&full);
        assert!(!first.reuses_pending);
        pool.mark_pending(&first.codes);
        assert!(pool.bind(&[0x0100_9000]).reuses_pending);
        pool.settled();
        assert!(!pool.bind(&[0x0100_9001]).reuses_pending);
    }
}
