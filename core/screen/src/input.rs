//! The input to a screen: the pointer and the keys.
//!
//! Input is sent at most once. While earlier input waits for the socket, a pointer move replaces the move before it. All
//! buttons and keys that are held are known, so that they can be released.

use core::mem;

use super::keys::{is_shift, other_level};
use crate::prelude::*;

/// Input is accepted while fewer bytes than this are unsent.
const MAX_UNSENT: usize = 64 << 10;
/// The largest number of keys that are held at the same time.
const MAX_HELD: usize = 64;
/// How long a key is held before it repeats, and the interval of the repeats, in milliseconds. These are common settings of
/// a desktop.
const REPEAT_DELAY: u64 = 500;
const REPEAT_INTERVAL: u64 = 33;
/// The time between the points of a drag, in milliseconds. Xvnc handles the messages of one read together, and reports only
/// the last of successive moves.
const DRAG_INTERVAL: u64 = 4;
/// The marker of a pointer message with more than seven buttons.
const EXTENDED: u8 = 0x80;

#[derive(Debug, Default)]
pub(super) struct Input {
    unsent: Vec<u8>,
    /// The index of the last message in `unsent`, if it is a move that the next move replaces.
    movable: Option<usize>,
    /// The indices in `unsent` at which the input pauses.
    pauses: Vec<usize>,
    /// The current pause, and the time of its end. The time is `None` until the next call of `handle_time`.
    pausing: Option<Option<u64>>,
    position: (u16, u16),
    /// The held buttons, as a bit mask.
    buttons: u16,
    /// The held keys, in the order in which they were pressed.
    keys: Vec<Key>,
    /// The key that repeats, and the time of its next repeat. The time is `None` until the next call of `handle_time`, because
    /// a command does not know the time.
    repeating: Option<(Key, Option<u64>)>,
    /// Whether the program has placed the pointer.
    placed: bool,
    /// Whether the server knows more than seven buttons.
    pub(super) extended_buttons: bool,
    /// Whether the server knows key codes.
    pub(super) qemu_keys: bool,
}

/// A key: its keysym, and its code in the XT scan code set if the code is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) keysym: u32,
    pub(super) code: Option<u32>,
    /// Whether the program has not named the key: a Shift for a capital.
    pub(super) added: bool,
}

impl Input {
    pub(super) fn is_full(&self) -> bool {
        self.unsent.len() >= MAX_UNSENT
    }

    /// Returns where the program has moved the pointer.
    pub(super) fn position(&self) -> Option<(u16, u16)> {
        self.placed.then_some(self.position)
    }

    /// Moves the pointer. If `replaceable` is set, the next move replaces this one unless it has been sent.
    pub(super) fn move_to(&mut self, position: (u16, u16), replaceable: bool) {
        (self.position, self.placed) = (position, true);
        if let Some(start) = self.movable {
            self.unsent.truncate(start);
        }
        let start = self.unsent.len();
        self.push_pointer();
        self.movable = replaceable.then_some(start);
    }

    /// Presses or releases a button, counted from 1.
    pub(super) fn button(&mut self, button: u16, pressed: bool) {
        let bit = 1 << (button - 1);
        self.buttons = if pressed { self.buttons | bit } else { self.buttons & !bit };
        self.movable = None;
        self.push_pointer();
    }

    pub(super) fn click(&mut self, button: u16) {
        self.button(button, true);
        self.button(button, false);
    }

    /// Presses a button at the first point of a path, and releases it at the last point. Later input waits for the end.
    pub(super) fn drag(&mut self, button: u16, path: &[(u16, u16)]) {
        for (index, &point) in path.iter().enumerate() {
            self.move_to(point, false);
            if index == 0 {
                self.button(button, true);
            }
            self.pauses.push(self.unsent.len());
        }
        self.button(button, false);
    }

    /// Presses or releases a key. Returns `false` if too many keys are held.
    pub(super) fn key(&mut self, key: Key, pressed: bool) -> bool {
        self.repeating = None;
        let held = self.keys.iter().position(|held| held.keysym == key.keysym);
        match (pressed, held) {
            (true, None) if self.keys.len() >= MAX_HELD => return false,
            (true, None) => self.keys.push(key),
            (true, Some(at)) if !key.added && self.keys[at].added => self.keys[at].added = false,
            (false, Some(at)) => drop(self.keys.remove(at)),
            // A held key that is pressed again repeats.
            (true, Some(_)) | (false, None) => {}
        }
        self.push_key(key, pressed);
        true
    }

    /// Returns whether a Shift key is held.
    pub(super) fn holds_shift(&self) -> bool {
        self.keys.iter().any(|key| is_shift(key.keysym))
    }

    /// Returns whether a Shift key is held that the program has not named.
    pub(super) fn has_added_shift(&self) -> bool {
        self.keys.iter().any(|key| key.added)
    }

    /// Presses the keys of a combination.
    pub(super) fn press(&mut self, keys: &[Key]) {
        for &key in keys {
            self.key(key, true);
        }
    }

    /// Releases the keys of a combination. A key can be held with its other keysym, because Shift was used since.
    pub(super) fn release(&mut self, keys: &[Key]) {
        let is_held = |input: &Self, keysym| input.keys.iter().any(|held| held.keysym == keysym);
        for &key in keys.iter().rev() {
            let other =
                other_level(key.keysym).filter(|&other| !is_held(self, key.keysym) && is_held(self, other));
            self.key(Key { keysym: other.unwrap_or(key.keysym), ..key }, false);
        }
    }

    /// Presses the keys of a combination, and repeats the last one until any key is used.
    pub(super) fn hold(&mut self, keys: &[Key]) {
        self.press(keys);
        self.repeating = keys.last().filter(|key| self.keys.contains(key)).map(|&key| (key, None));
    }

    /// Returns the time of the next repeat or of the end of a pause. Zero means immediately.
    pub(super) fn next_time(&self) -> Option<u64> {
        let repeat = self.repeating.map(|(_, next)| next.unwrap_or_default());
        let end = self.pausing.map(Option::unwrap_or_default);
        repeat.into_iter().chain(end).min()
    }

    /// Ends a pause, and repeats the held key, if the time has come. Repeats that are late or not accepted are omitted.
    pub(super) fn handle_time(&mut self, now: u64, accepts: bool) {
        match &mut self.pausing {
            Some(end @ None) => *end = Some(now + DRAG_INTERVAL),
            Some(Some(end)) if now >= *end => self.pausing = None,
            _ => {}
        }
        let Some((key, next)) = &mut self.repeating else { return };
        let key = *key;
        match *next {
            None => *next = Some(now + REPEAT_DELAY),
            Some(time) if now >= time => {
                *next = Some(now + REPEAT_INTERVAL);
                if accepts && !self.is_full() {
                    self.push_key(key, true);
                }
            }
            Some(_) => {}
        }
    }

    /// Releases everything that is held, without a pause.
    pub(super) fn release_all(&mut self) {
        self.repeating = None;
        self.end_pauses();
        while let Some(&last) = self.keys.last() {
            self.key(last, false);
        }
        if self.buttons != 0 {
            self.buttons = 0;
            self.movable = None;
            self.push_pointer();
        }
    }

    /// Handles a new socket: drops the unsent input, because the previous socket is lost.
    pub(super) fn on_open(&mut self) {
        self.discard();
        self.repeating = None;
        (self.extended_buttons, self.qemu_keys) = (false, false);
    }

    /// Drops the unsent input.
    pub(super) fn discard(&mut self) {
        self.unsent.clear();
        self.movable = None;
        self.end_pauses();
    }

    fn end_pauses(&mut self) {
        self.pauses.clear();
        self.pausing = None;
    }

    /// Returns the unsent input up to the next pause, which then begins.
    pub(super) fn take(&mut self) -> Vec<u8> {
        if self.pausing.is_some() {
            return Vec::new();
        }
        let end = (!self.pauses.is_empty()).then(|| self.pauses.remove(0));
        self.pausing = end.map(|_| None);
        let rest = self.unsent.split_off(end.unwrap_or(self.unsent.len()));
        let sent = self.unsent.len();
        self.pauses.iter_mut().for_each(|pause| *pause -= sent);
        self.movable = self.movable.and_then(|start| start.checked_sub(sent));
        mem::replace(&mut self.unsent, rest)
    }

    fn push_pointer(&mut self) {
        let [low, high] = self.buttons.to_le_bytes();
        let extended = self.extended_buttons && self.buttons > 0x7f;
        self.unsent.push(5);
        self.unsent.push(if extended { low & 0x7f | EXTENDED } else { low & 0x7f });
        self.unsent.extend_from_slice(&self.position.0.to_be_bytes());
        self.unsent.extend_from_slice(&self.position.1.to_be_bytes());
        if extended {
            self.unsent.push(low >> 7 | high << 1);
        }
    }

    fn push_key(&mut self, Key { keysym, code, .. }: Key, pressed: bool) {
        self.movable = None;
        match code.filter(|_| self.qemu_keys) {
            Some(code) => {
                self.unsent.extend_from_slice(&[255, 0, 0, u8::from(pressed)]);
                self.unsent.extend_from_slice(&keysym.to_be_bytes());
                self.unsent.extend_from_slice(&code.to_be_bytes());
            }
            None => {
                self.unsent.extend_from_slice(&[4, u8::from(pressed), 0, 0]);
                self.unsent.extend_from_slice(&keysym.to_be_bytes());
            }
        }
    }
}
