//! Key combinations.

use x11rb::protocol::xproto::{Keycode, Keysym};

use super::{
    connection::Display,
    error::ScreenError,
    hold::{Hold, Switch},
    keymap::{Key, Keymap},
    keymap_pool::KeycodePool,
    keys,
    layout::Keyboard,
    neutral::LiftedModifiers,
    typing,
};

/// Presses the keys of `combo`, modifiers first, and releases them in reverse.
///
/// A character that needs Shift brings Shift with it, as `ctrl++` does on a US keyboard. A letter or a digit of a command
/// does not: with Ctrl and Shift it is another command.
pub(super) fn press(display: &Display, pool: &mut KeycodePool, combo: &str) -> Result<(), ScreenError> {
    let mut symbols = keys::parse(combo)?;
    display.discard_events()?;
    let mut keymap = Keymap::read(display)?;
    pool.refresh(&keymap);
    let has = |is: fn(Keysym) -> bool| symbols.iter().any(|&symbol| is(symbol));
    let plain = has(keys::is_commanding) && !has(keys::is_shift);
    let keyboard = Keyboard::choose(display, &keymap, &symbols, |symbol, key| {
        !(plain && key.shift && keys::is_alphanumeric(symbol))
    })?;
    for symbol in &mut symbols {
        if !keyboard.base.contains_key(symbol) {
            *symbol = keys::twin(*symbol).unwrap_or(*symbol);
        }
    }
    let missing: Vec<Keysym> =
        symbols.iter().copied().filter(|symbol| !keyboard.base.contains_key(symbol)).collect();
    let used: Vec<Keycode> =
        symbols.iter().filter_map(|symbol| keyboard.base.get(symbol)).map(|key| key.code).collect();
    let borrowed = keyboard.borrow(&missing, &used)?;
    let missing: Vec<Keysym> =
        missing.into_iter().filter(|symbol| !borrowed.keys.contains_key(symbol)).collect();
    let bound = typing::bind(display, &mut keymap, pool, &missing)?;
    let key = |symbol| {
        let key =
            keyboard.base.get(symbol).or_else(|| borrowed.keys.get(symbol)).or_else(|| bound.get(symbol));
        key.copied()
    };
    let keys: Option<Vec<Key>> = symbols.iter().map(key).collect();
    let keys = keys.ok_or_else(|| ScreenError::bad_input("key", "names too many keys at once"))?;

    let lifted = LiftedModifiers::lift(display, &keymap)?;
    let mut hold = Hold::new(display);
    let mut shift = keymap.shift_key().filter(|_| !symbols.iter().any(|&symbol| keys::is_shift(symbol)));
    for key in keys {
        if let Some(shift) = shift.take_if(|_| key.shift) {
            hold.press(Switch::Key(shift))?;
        }
        hold.press(Switch::Key(key.code))?;
    }
    hold.release()?;
    lifted.restore()?;
    display.sync()?;
    borrowed.give_back()?;
    drop(keyboard);
    display.sync()
}
