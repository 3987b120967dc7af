//! Keyboard input: key names, keysyms, the keymap of the X server, key combinations, and typing of text.

pub(super) mod combination;
pub(super) mod keycode_pool;
mod keymap;
pub(super) mod keys;
pub(super) mod keysyms;
mod layout;
mod modifiers;
mod suggestions;
pub(super) mod typing;
