//! Presses key combinations.

use x11rb::protocol::xproto::{Keycode, Keysym};

use super::{
    keycode_pool::KeycodePool,
    keymap::{Key, Keymap},
    keys,
    layout::ActiveGroup,
    modifiers::ReleasedModifiers,
    typing,
};
use crate::screen::{
    ScreenError,
    connection::Display,
    input::xtest::{HeldInputs, KeyOrButton},
};

/// Presses the keys of `combo`, with modifiers first, and releases them in reverse order.
///
/// Also presses Shift for a character that needs Shift, for example for `ctrl++` on a US keyboard. Letters and digits
/// in a command are an exception, because Shift would change the command.
pub(in crate::screen) fn press(
    display: &Display,
    pool: &mut KeycodePool,
    combo: &str,
) -> Result<(), ScreenError> {
    let mut keysyms = keys::parse(combo)?;
    display.discard_events()?;
    let mut keymap = Keymap::read(display)?;
    pool.refresh(&keymap);
    let has = |is: fn(Keysym) -> bool| keysyms.iter().any(|&keysym| is(keysym));
    let is_command_without_shift = has(keys::is_command_modifier) && !has(keys::is_shift);
    let group = ActiveGroup::choose(display, &keymap, &keysyms, |keysym, key| {
        !(is_command_without_shift && key.shift && keys::is_alphanumeric(keysym))
    })?;
    for keysym in &mut keysyms {
        if !group.keys.contains_key(keysym) {
            *keysym = keys::substitute_modifier(*keysym).unwrap_or(*keysym);
        }
    }
    let missing: Vec<Keysym> =
        keysyms.iter().copied().filter(|keysym| !group.keys.contains_key(keysym)).collect();
    let used: Vec<Keycode> =
        keysyms.iter().filter_map(|keysym| group.keys.get(keysym)).map(|key| key.code).collect();
    let remapped = group.remap(&missing, &used)?;
    let missing: Vec<Keysym> =
        missing.into_iter().filter(|keysym| !remapped.keys.contains_key(keysym)).collect();
    let bound = typing::bind(display, &mut keymap, pool, &missing)?;
    let key = |keysym| {
        let key = group.keys.get(keysym).or_else(|| remapped.keys.get(keysym)).or_else(|| bound.get(keysym));
        key.copied()
    };
    let keys: Option<Vec<Key>> = keysyms.iter().map(key).collect();
    let keys = keys.ok_or_else(|| ScreenError::bad_input("key", "names too many keys at once"))?;

    let released = ReleasedModifiers::release(display, &keymap)?;
    let mut held = HeldInputs::new(display);
    let mut shift = keymap.shift_key().filter(|_| !keysyms.iter().any(|&keysym| keys::is_shift(keysym)));
    for key in keys {
        if let Some(shift) = shift.take_if(|_| key.shift) {
            held.press(KeyOrButton::Key(shift))?;
        }
        held.press(KeyOrButton::Key(key.code))?;
    }
    held.release()?;
    released.restore()?;
    display.sync()?;
    remapped.restore_when_handled()?;
    drop(group);
    display.sync()
}
