//! Key combinations.

use x11rb::protocol::xproto::Keysym;

use super::{
    connection::Display,
    error::ScreenError,
    hold::{Hold, Switch},
    keymap::{Key, Keymap},
    keymap_pool::KeycodePool,
    keys,
    neutral::LiftedModifiers,
    typing,
};

/// Presses the keys of `combo` in order and releases them in reverse.
///
/// A character that needs Shift brings Shift with it, so `ctrl+A` is Ctrl, Shift and A, as for xdotool.
pub(super) fn press(display: &Display, pool: &mut KeycodePool, combo: &str) -> Result<(), ScreenError> {
    let symbols = keys::parse(combo)?;
    display.discard_events()?;
    let mut keymap = Keymap::read(display)?;
    pool.refresh(&keymap);
    let keys = locate(display, &mut keymap, pool, &symbols)?;
    let shift = keymap.shift_key();

    let lifted = LiftedModifiers::lift(display, &keymap)?;
    let mut hold = Hold::new(display);
    for key in keys {
        if let Some(shift) = shift.filter(|_| key.shift) {
            hold.press(Switch::Key(shift))?;
        }
        hold.press(Switch::Key(key.code))?;
    }
    hold.release()?;
    lifted.restore()?;
    display.sync()
}

/// A key for each symbol; one that the keyboard lacks comes from the pool.
fn locate(
    display: &Display,
    keymap: &mut Keymap,
    pool: &mut KeycodePool,
    symbols: &[Keysym],
) -> Result<Vec<Key>, ScreenError> {
    let base = typing::base_keys(display, keymap)?;
    let missing: Vec<Keysym> = symbols.iter().copied().filter(|symbol| !base.contains_key(symbol)).collect();
    let bound = typing::bind(display, keymap, pool, &missing)?;
    let key = |symbol| base.get(symbol).or_else(|| bound.get(symbol)).copied();
    let keys: Option<Vec<Key>> = symbols.iter().map(key).collect();
    keys.ok_or_else(|| ScreenError::bad_input("key", "names too many keys at once"))
}
