//! Text, character by character and exactly.
//!
//! A character on the keyboard is typed with its own key. For any other one a keycode of the pool is bound
//! first, as many as the text needs in one request, and the application is given time to read the new map
//! before a key is sent, and to read its keys before a code changes its meaning again.

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
    barrier,
    connection::Display,
    error::ScreenError,
    hold::{Hold, Switch},
    keymap::{Key, Keymap},
    keymap_pool::KeycodePool,
    keys,
    layout::Keyboard,
    neutral::{LiftedCapsLock, LiftedModifiers},
    paint::Unseen,
    pause,
};

/// For an application to read a new keymap.
pub(super) const ADOPTION_LIMIT: Duration = Duration::from_millis(1500);
/// For an application to read its keys before their codes are bound anew. Generous, since giving up early
/// types wrong characters: laying out a screenful of Chinese has kept Qt busy for seconds.
pub(super) const REUSE_LIMIT: Duration = Duration::from_secs(10);
/// For an application to read all its keys.
const HANDLING_LIMIT: Duration = Duration::from_millis(1500);
/// Longest average time per character: Qt has needed 50 ms for a Chinese one on a busy machine.
const LONGEST_CHARACTER: Duration = Duration::from_millis(50);
/// Longest pause between characters; all other input of the screen waits for it.
const MAX_DELAY: Duration = Duration::from_secs(1);

/// Longest duration of typing the characters of a text.
pub(super) fn longest(text: &str, delay: Option<Duration>) -> Duration {
    let characters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let each = LONGEST_CHARACTER + delay.unwrap_or_default().min(MAX_DELAY);
    each.saturating_mul(characters)
}

/// What typing a text did.
#[derive(Debug)]
pub(super) struct Typed {
    /// What the focused window may not show yet.
    pub(super) unseen: Option<Unseen>,
    /// The control characters that no key types, in their order.
    pub(super) left_out: Vec<char>,
}

/// Types the characters that keys can type. Control characters other than line ends and tabs are left out: pressing the keys
/// that terminals make of some (Escape, Backspace) would let a pasted text close dialogs.
pub(super) fn type_text(
    display: &Display,
    pool: &mut KeycodePool,
    text: &str,
    delay: Option<Duration>,
    abandoned: &CancellationToken,
) -> Result<Typed, ScreenError> {
    pause::still_wanted(abandoned)?;
    let (symbols, left_out) = symbols(text);
    if delay.is_some_and(|delay| delay > MAX_DELAY) {
        let message = format!("must be at most {} milliseconds", MAX_DELAY.as_millis());
        return Err(ScreenError::bad_input("delay_ms", message));
    }
    if symbols.is_empty() {
        return Ok(Typed { unseen: None, left_out });
    }
    display.discard_events()?;
    let mut keymap = Keymap::read(display)?;
    pool.refresh(&keymap);
    let keyboard = Keyboard::choose(display, &keymap, &symbols, |_, _| true)?;
    let base = &keyboard.base;

    let modifiers = LiftedModifiers::lift(display, &keymap)?;
    let caps_lock = LiftedCapsLock::lift(display, &keymap)?;
    for batch in batches(&symbols, |symbol| base.contains_key(&symbol), pool.capacity()) {
        let bound = bind(display, &mut keymap, pool, &batch.missing)?;
        let shift = keymap.shift_key();
        for symbol in batch.symbols {
            let Some(&key) = base.get(symbol).or_else(|| bound.get(symbol)) else {
                return Err(ScreenError::Refused(format!("the keymap has no room for keysym {symbol:#x}")));
            };
            stroke(display, key, shift)?;
            if delay.is_some() {
                display.conn.flush()?;
            }
            pause::until(Instant::now() + delay.unwrap_or_default(), abandoned)?;
        }
        display.sync()?;
        barrier::keys_sent(display)?;
        let codes: Vec<Keycode> = bound.values().map(|key| key.code).collect();
        pool.mark_pending(&codes);
    }
    drop(caps_lock);
    modifiers.restore()?;
    drop(keyboard);
    display.sync()?;
    let sent = Instant::now();
    if barrier::wait_for_answer(display, HANDLING_LIMIT)? {
        pool.settled();
    }
    let unseen = Unseen::in_focus(display, if delay.is_none() { symbols.len() } else { 1 }, sent)?;
    Ok(Typed { unseen, left_out })
}

fn stroke(display: &Display, key: Key, shift: Option<Keycode>) -> Result<(), ScreenError> {
    let mut hold = Hold::new(display);
    if let Some(shift) = shift.filter(|_| key.shift) {
        hold.press(Switch::Key(shift))?;
    }
    hold.press(Switch::Key(key.code))?;
    hold.release()
}

/// Sees to it that each of the distinct `wanted` symbols has a key of the pool that the focused application
/// knows about. Symbols beyond the pool's capacity are left out.
pub(super) fn bind(
    display: &Display,
    keymap: &mut Keymap,
    pool: &mut KeycodePool,
    wanted: &[Keysym],
) -> Result<HashMap<Keysym, Key>, ScreenError> {
    let binding = pool.bind(wanted);
    if binding.reuses_pending && barrier::wait(display, REUSE_LIMIT)? {
        pool.settled();
    }
    if !binding.changes.is_empty() {
        keymap.rebind(display, &binding.changes)?;
        if barrier::wait(display, ADOPTION_LIMIT)? {
            pool.settled();
        }
    }
    let key = |code| Key { code, shift: false };
    Ok(wanted.iter().copied().zip(binding.codes.into_iter().map(key)).collect())
}

/// A run of symbols and the distinct ones among them that the keyboard lacks.
#[derive(Debug, PartialEq, Eq)]
struct Batch<'a> {
    symbols: &'a [Keysym],
    missing: Vec<Keysym>,
}

/// Splits a text so that no part needs more than `capacity` keys of the pool.
fn batches(symbols: &[Keysym], on_keyboard: impl Fn(Keysym) -> bool, capacity: usize) -> Vec<Batch<'_>> {
    let capacity = capacity.max(1);
    let mut batches = Vec::new();
    let mut start = 0;
    let mut seen = HashSet::new();
    let mut missing = Vec::new();
    for (index, &symbol) in symbols.iter().enumerate() {
        if on_keyboard(symbol) || seen.contains(&symbol) {
            continue;
        }
        if missing.len() == capacity {
            batches.push(Batch { symbols: &symbols[start..index], missing: std::mem::take(&mut missing) });
            start = index;
            seen.clear();
        }
        seen.insert(symbol);
        missing.push(symbol);
    }
    batches.push(Batch { symbols: &symbols[start..], missing });
    batches
}

/// The keysym of each character, and the characters that have none. Every kind of line end is one Enter.
fn symbols(text: &str) -> (Vec<Keysym>, Vec<char>) {
    let mut symbols = Vec::with_capacity(text.len());
    let mut left_out = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                symbols.push(keys::RETURN);
            }
            '\n' | '\t' => symbols.push(keys::of_char(character)),
            _ if character.is_control() => left_out.push(character),
            _ => symbols.push(keys::of_char(character)),
        }
    }
    (symbols, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ascii(symbol: Keysym) -> bool {
        symbol < 0x80 || symbol == keys::RETURN
    }

    #[test]
    fn line_ends_of_every_kind_are_one_enter() {
        let enter = keys::RETURN;
        assert_eq!(symbols("a\r\nb\rc\n\n").0, [0x61, enter, 0x62, enter, 0x63, enter, enter]);
        assert_eq!(symbols("\t\u{e9}\u{416}\u{1f600}").0, [keys::TAB, 0xe9, 0x0100_0416, 0x0101_f600]);
    }

    #[test]
    fn control_characters_are_left_out_and_named() {
        let (typed, left_out) = symbols("a\u{1b}[1m\u{c}b\u{7f}\u{85}\r\n");
        assert_eq!(typed, [0x61, 0x5b, 0x31, 0x6d, 0x62, keys::RETURN]);
        assert_eq!(left_out, ['\u{1b}', '\u{c}', '\u{7f}', '\u{85}']);
    }

    #[test]
    fn a_text_of_the_keyboard_is_one_batch() {
        let text = symbols("hello\nworld").0;
        assert_eq!(batches(&text, ascii, 3), [Batch { symbols: &text, missing: vec![] }]);
    }

    #[test]
    fn a_batch_ends_where_the_pool_does() {
        let text = symbols("xабвaбгд").0;
        let cut = batches(&text, ascii, 3);
        assert_eq!(cut.len(), 2);
        assert_eq!(cut[0].symbols, &text[..6]);
        assert_eq!(cut[1].missing, &text[6..]);
        let joined: Vec<Keysym> = cut.iter().flat_map(|batch| batch.symbols).copied().collect();
        assert_eq!(joined, text);
    }
}
