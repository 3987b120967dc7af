//! Types Unicode text.
//!
//! A character on the keyboard is typed with its own key. For each other character, a keycode of the pool is bound
//! first. One request binds as many keycodes as possible. Keys are pressed after the application has had time to read
//! the new keymap. A keycode is rebound after the application has had time to read the keys.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use x11rb::{
    connection::Connection,
    protocol::xproto::{Keycode, Keysym},
};

use super::{
    keycode_pool::KeycodePool,
    keymap::{Key, Keymap},
    keys,
    layout::ActiveGroup,
    modifiers::{DisabledCapsLock, ReleasedModifiers},
};
use crate::screen::{
    ScreenError,
    application::{barrier, redraw::PendingRedraw},
    connection::Display,
    input::{
        cancellation,
        xtest::{HeldInputs, KeyOrButton},
    },
};

/// The maximum time to wait until an application has read a new keymap.
pub(super) const KEYMAP_UPDATE_TIMEOUT: Duration = Duration::from_millis(1500);
/// The maximum time to wait until an application has read its keys, before their keycodes are rebound. After the
/// timeout, wrong characters may appear. The timeout is long, because Qt can take seconds to lay out a screen of
/// Chinese text.
pub(super) const REBIND_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum time to wait until an application has read all its keys, after the last key.
const HANDLING_TIMEOUT: Duration = Duration::from_millis(1500);
/// The maximum average time per character. Qt can take 50 ms for a Chinese character on a busy machine.
const MAX_TIME_PER_CHARACTER: Duration = Duration::from_millis(50);

/// Returns the maximum duration of typing `text`.
pub(in crate::screen) fn max_duration(text: &str, delay: Option<Duration>) -> Duration {
    let characters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let each = MAX_TIME_PER_CHARACTER + delay.unwrap_or_default();
    each.saturating_mul(characters)
}

/// The result of [`type_text`].
#[derive(Debug)]
pub(in crate::screen) struct Typed {
    /// The pending redraw of the focused window, if the typed text may not be visible yet.
    pub(in crate::screen) pending_redraw: Option<PendingRedraw>,
    /// The skipped control characters, in the same order as in the text.
    pub(in crate::screen) left_out: Vec<char>,
}

/// Types text, but skips control characters other than line ends and tabs. For example, the control character Escape is
/// also a key, which could close a dialog.
pub(in crate::screen) fn type_text(
    display: &Display,
    pool: &mut KeycodePool,
    text: &str,
    delay: Option<Duration>,
    canceled: &CancellationToken,
) -> Result<Typed, ScreenError> {
    cancellation::check(canceled)?;
    let (keysyms, left_out) = keysyms(text);
    if keysyms.is_empty() {
        return Ok(Typed { pending_redraw: None, left_out });
    }
    display.discard_events()?;
    let mut keymap = Keymap::read(display)?;
    pool.refresh(&keymap);
    let group = ActiveGroup::choose(display, &keymap, &keysyms, |_, _| true)?;
    let keys_by_keysym = &group.keys;

    let modifiers = ReleasedModifiers::release(display, &keymap)?;
    let caps_lock = DisabledCapsLock::disable(display, &keymap)?;
    for batch in batches(&keysyms, |keysym| keys_by_keysym.contains_key(&keysym), pool.capacity()) {
        let bound = bind(display, &mut keymap, pool, &batch.missing)?;
        let shift = keymap.shift_key();
        for keysym in batch.keysyms {
            let Some(&key) = keys_by_keysym.get(keysym).or_else(|| bound.get(keysym)) else {
                return Err(ScreenError::XError(format!("the keymap has no room for keysym {keysym:#x}")));
            };
            press_and_release(display, key, shift)?;
            if delay.is_some() {
                display.conn.flush()?;
            }
            cancellation::sleep_until(Instant::now() + delay.unwrap_or_default(), canceled)?;
        }
        display.sync()?;
        barrier::note_keys_sent(display)?;
        let codes: Vec<Keycode> = bound.values().map(|key| key.code).collect();
        pool.mark_pending(&codes);
    }
    drop(caps_lock);
    modifiers.restore()?;
    drop(group);
    display.sync()?;
    let sent_at = Instant::now();
    if barrier::wait_for_pong(display, HANDLING_TIMEOUT)? {
        pool.clear_pending();
    }
    let pending_redraw =
        PendingRedraw::of_focused_window(display, if delay.is_none() { keysyms.len() } else { 1 }, sent_at)?;
    Ok(Typed { pending_redraw, left_out })
}

fn press_and_release(display: &Display, key: Key, shift: Option<Keycode>) -> Result<(), ScreenError> {
    let mut held = HeldInputs::new(display);
    if let Some(shift) = shift.filter(|_| key.shift) {
        held.press(KeyOrButton::Key(shift))?;
    }
    held.press(KeyOrButton::Key(key.code))?;
    held.release()
}

/// Binds each of the `wanted` keysyms, which must be distinct, to a key of the pool. Waits until the focused
/// application has read the new keymap. The result does not contain keysyms beyond the capacity of the pool.
pub(super) fn bind(
    display: &Display,
    keymap: &mut Keymap,
    pool: &mut KeycodePool,
    wanted: &[Keysym],
) -> Result<HashMap<Keysym, Key>, ScreenError> {
    let binding = pool.bind(wanted);
    if binding.reuses_pending && barrier::wait(display, REBIND_TIMEOUT)? {
        pool.clear_pending();
    }
    if !binding.changes.is_empty() {
        keymap.rebind(display, &binding.changes)?;
        if barrier::wait(display, KEYMAP_UPDATE_TIMEOUT)? {
            pool.clear_pending();
        }
    }
    let key = |code| Key { code, shift: false };
    Ok(wanted.iter().copied().zip(binding.codes.into_iter().map(key)).collect())
}

/// Consecutive keysyms of a text. `missing` contains the distinct keysyms that are not on the keyboard.
#[derive(Debug, PartialEq, Eq)]
struct Batch<'a> {
    keysyms: &'a [Keysym],
    missing: Vec<Keysym>,
}

/// Splits the keysyms of a text into batches. Each batch needs at most `capacity` keys of the pool.
fn batches(keysyms: &[Keysym], on_keyboard: impl Fn(Keysym) -> bool, capacity: usize) -> Vec<Batch<'_>> {
    let capacity = capacity.max(1);
    let mut batches = Vec::new();
    let mut start = 0;
    let mut seen = HashSet::new();
    let mut missing = Vec::new();
    for (index, &keysym) in keysyms.iter().enumerate() {
        if on_keyboard(keysym) || seen.contains(&keysym) {
            continue;
        }
        if missing.len() == capacity {
            batches.push(Batch { keysyms: &keysyms[start..index], missing: std::mem::take(&mut missing) });
            start = index;
            seen.clear();
        }
        seen.insert(keysym);
        missing.push(keysym);
    }
    batches.push(Batch { keysyms: &keysyms[start..], missing });
    batches
}

/// Returns the keysyms of the characters, and the control characters that have no keysym. Every line end becomes one
/// Enter key.
fn keysyms(text: &str) -> (Vec<Keysym>, Vec<char>) {
    let mut keysyms = Vec::with_capacity(text.len());
    let mut left_out = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                keysyms.push(keys::RETURN);
            }
            '\n' | '\t' => keysyms.push(keys::of_char(character)),
            _ if character.is_control() => left_out.push(character),
            _ => keysyms.push(keys::of_char(character)),
        }
    }
    (keysyms, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ascii(keysym: Keysym) -> bool {
        keysym < 0x80 || keysym == keys::RETURN
    }

    #[test]
    fn line_ends_of_every_kind_become_one_enter() {
        let enter = keys::RETURN;
        assert_eq!(keysyms("a\r\nb\rc\n\n").0, [0x61, enter, 0x62, enter, 0x63, enter, enter]);
        assert_eq!(keysyms("\t\u{e9}\u{416}\u{1f600}").0, [keys::TAB, 0xe9, 0x0100_0416, 0x0101_f600]);
    }

    #[test]
    fn control_characters_are_skipped_and_returned() {
        let (typed, left_out) = keysyms("a\u{1b}[1m\u{c}b\u{7f}\u{85}\r\n");
        assert_eq!(typed, [0x61, 0x5b, 0x31, 0x6d, 0x62, keys::RETURN]);
        assert_eq!(left_out, ['\u{1b}', '\u{c}', '\u{7f}', '\u{85}']);
    }

    #[test]
    fn text_on_the_keyboard_is_one_batch() {
        let text = keysyms("hello\nworld").0;
        assert_eq!(batches(&text, ascii, 3), [Batch { keysyms: &text, missing: vec![] }]);
    }

    #[test]
    fn a_batch_ends_at_the_capacity_of_the_pool() {
        let text = keysyms("xабвaбгд").0;
        let cut = batches(&text, ascii, 3);
        assert_eq!(cut.len(), 2);
        assert_eq!(cut[0].keysyms, &text[..6]);
        assert_eq!(cut[1].missing, &text[6..]);
        let joined: Vec<Keysym> = cut.iter().flat_map(|batch| batch.keysyms).copied().collect();
        assert_eq!(joined, text);
    }
}
