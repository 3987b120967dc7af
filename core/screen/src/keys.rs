//! The names of keys, and their X11 keysyms.

use crate::input::Key;
use crate::prelude::*;

/// The names of keys, in lower case and without separators.
const NAMED: [(&str, u32); 35] = [
    ("enter return", 0xff0d),
    ("tab", 0xff09),
    ("escape esc", 0xff1b),
    ("backspace", 0xff08),
    ("delete del", 0xffff),
    ("insert", 0xff63),
    ("home", 0xff50),
    ("end", 0xff57),
    ("left arrowleft", 0xff51),
    ("up arrowup", 0xff52),
    ("right arrowright", 0xff53),
    ("down arrowdown", 0xff54),
    ("pageup prior", 0xff55),
    ("pagedown next", 0xff56),
    ("space", 0x20),
    ("plus", 0x2b),
    ("minus", 0x2d),
    ("shift shiftl", 0xffe1),
    ("shiftr", 0xffe2),
    ("ctrl control ctrll controll", 0xffe3),
    ("controlr", 0xffe4),
    ("capslock", 0xffe5),
    ("alt altl option", 0xffe9),
    ("altr", 0xffea),
    ("altgr altgraph isolevel3shift", 0xfe03),
    ("super superl meta win cmd", 0xffeb),
    ("superr", 0xffec),
    ("menu contextmenu", 0xff67),
    ("print printscreen", 0xff61),
    ("pause", 0xff13),
    ("scrolllock", 0xff14),
    ("numlock", 0xff7f),
    ("kpenter", 0xff8d),
    ("find", 0xff68),
    ("help", 0xff6a),
];

/// The largest number of keys in a combination.
const MAX_KEYS: usize = 8;

/// Returns the keysyms of a combination such as `ctrl+shift+t`, in the order in which they are pressed. Returns the part
/// that is not the name of a key as the error.
pub(super) fn combination(text: &str) -> Result<Vec<u32>, &str> {
    // A plus sign at the end, or alone, is the key itself.
    let (names, last) = match text.strip_suffix('+') {
        Some("") => ("", Some("+")),
        Some(rest) if rest.ends_with('+') => (rest.get(..rest.len() - 1).unwrap_or_default(), Some("+")),
        _ => (text, None),
    };
    let mut keys = Vec::new();
    if !names.is_empty() {
        for name in split(names, '+') {
            keys.push(keysym(name).ok_or(name)?);
        }
    }
    if let Some(name) = last {
        keys.push(keysym(name).ok_or(name)?);
    }
    if keys.is_empty() || keys.len() > MAX_KEYS { Err(text) } else { Ok(keys) }
}

/// Splits a text. The search for a character needs more code than that for a condition.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let separates = move |one: char| one == separator;
    text.split(separates)
}

const SHIFT: [u32; 2] = [0xffe1, 0xffe2];

/// The symbols of the US keyboard: each symbol that needs no Shift, followed by that of the same key with Shift.
const US_SYMBOLS: &[u8] = b"1!2@3#4$5%6^7&8*9(0)-_=+[{]}\\|;:'\",<.>/?`~";

/// Makes the keys consistent with the Shift key: capitals and the upper symbols of the US keyboard while Shift is held or
/// part of the combination, and Shift in front of other capitals. TigerVNC would turn on Caps Lock to press a letter whose
/// case does not match Shift, and leave it on; for a symbol it would release Shift. Each key contains whether
/// it was added.
pub(super) fn with_shift(keysyms: &[u32], is_shift_held: bool) -> Vec<Key> {
    let shifts = is_shift_held || keysyms.iter().any(|&keysym| is_shift(keysym));
    let mut keys = Vec::with_capacity(keysyms.len() + 1);
    let mut is_shift_added = false;
    for &keysym in keysyms {
        let keysym = match other_case(keysym) {
            Some(capital) if shifts && capital < keysym => capital,
            Some(small) if !shifts && small > keysym => {
                if !is_shift_added {
                    is_shift_added = true;
                    keys.push(Key { keysym: SHIFT[0], code: None, added: true });
                }
                keysym
            }
            None if shifts => with_us_shift(keysym).unwrap_or(keysym),
            _ => keysym,
        };
        keys.push(Key { keysym, code: None, added: false });
    }
    keys
}

fn with_us_shift(keysym: u32) -> Option<u32> {
    let pair = US_SYMBOLS.chunks_exact(2).find(|pair| u32::from(pair[0]) == keysym)?;
    Some(u32::from(pair[1]))
}

/// Returns the keysym that the same key has with or without Shift, if this is known.
pub(super) fn other_level(keysym: u32) -> Option<u32> {
    let without_shift = || {
        let pair = US_SYMBOLS.chunks_exact(2).find(|pair| u32::from(pair[1]) == keysym)?;
        Some(u32::from(pair[0]))
    };
    other_case(keysym).or_else(|| with_us_shift(keysym)).or_else(without_shift)
}

/// Returns whether a key is a Shift key.
pub(super) fn is_shift(keysym: u32) -> bool {
    SHIFT.contains(&keysym)
}

/// Returns the keysym of the same letter in the other case, if both are in Latin-1.
fn other_case(keysym: u32) -> Option<u32> {
    match keysym {
        0x41..=0x5a | 0xc0..=0xd6 | 0xd8..=0xde => Some(keysym + 0x20),
        0x61..=0x7a | 0xe0..=0xf6 | 0xf8..=0xfe => Some(keysym - 0x20),
        _ => None,
    }
}

/// Returns the keysym of a name. A character of Latin-1 is its own name. Other characters have no key that every server
/// can press.
pub(super) fn keysym(name: &str) -> Option<u32> {
    let mut characters = name.chars();
    if let (Some(character), None) = (characters.next(), characters.next()) {
        let code = u32::from(character);
        return matches!(code, 0x20..=0x7e | 0xa0..=0xff).then_some(code);
    }
    let mut plain = String::new();
    for character in name.chars() {
        if !matches!(character, '_' | '-' | ' ') {
            plain.push(character.to_ascii_lowercase());
        }
    }
    if let Some(number) = plain.strip_prefix('f').and_then(|digits| digits.parse::<u32>().ok()) {
        return (1..=24).contains(&number).then(|| 0xffbd + number);
    }
    let has_name = |names| split(names, ' ').any(|known| known == plain);
    NAMED.iter().find(|(names, _)| has_name(names)).map(|&(_, keysym)| keysym)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_are_read_as_their_keys() {
        assert_eq!(combination("ctrl+c"), Ok(vec![0xffe3, 0x63]));
        assert_eq!(combination("Page_Up"), Ok(vec![0xff55]));
        assert_eq!(combination("+"), Ok(vec![0x2b]));
        assert_eq!(combination("ctrl++"), Ok(vec![0xffe3, 0x2b]));
        assert_eq!(combination("F12"), Ok(vec![0xffc9]));
        assert_eq!(combination("é"), Ok(vec![0xe9]));
        assert_eq!(combination("f"), Ok(vec![0x66]));
    }

    #[test]
    fn letters_have_the_case_that_shift_gives_them() {
        let keys = |text, held| {
            let keys = with_shift(&combination(text).unwrap(), held).into_iter();
            keys.map(|key| key.keysym).collect::<Vec<_>>()
        };
        assert_eq!(keys("a", false), [0x61]);
        assert_eq!(keys("A", false), [0xffe1, 0x41]);
        assert_eq!(keys("shift+a", false), [0xffe1, 0x41]);
        assert_eq!(keys("ctrl+shift+t", false), [0xffe3, 0xffe1, 0x54]);
        assert_eq!(keys("ctrl+T", false), [0xffe3, 0xffe1, 0x54]);
        assert_eq!(keys("A+B", false), [0xffe1, 0x41, 0x42]);
        assert_eq!(keys("a", true), [0x41]);
        assert_eq!(keys("Ä", false), [0xffe1, 0xc4]);
        assert_eq!(keys("shiftr+ä", false), [0xffe2, 0xc4]);
        assert_eq!(keys("shift+ß", false), [0xffe1, 0xdf]);
        assert_eq!(keys("shift+÷", false), [0xffe1, 0xf7]);
        assert_eq!(keys("!", false), [0x21]);
        assert_eq!(keys("ctrl+shift+1", false), [0xffe3, 0xffe1, 0x21]);
        assert_eq!(keys("shift+\\", false), [0xffe1, 0x7c]);
        assert_eq!(keys("shift+/", false), [0xffe1, 0x3f]);
        assert_eq!(keys("shift+!", false), [0xffe1, 0x21]);
        assert_eq!(keys("=", true), [0x2b]);
        assert_eq!(keys("shift+Enter", false), [0xffe1, 0xff0d]);
    }

    #[test]
    fn each_symbol_of_the_us_keyboard_has_one_other() {
        for symbol in US_SYMBOLS.iter().map(|&symbol| u32::from(symbol)) {
            assert_eq!(other_level(other_level(symbol).unwrap()), Some(symbol));
        }
        assert_eq!(other_level(0xff0d), None);
    }

    #[test]
    fn unknown_keys_are_refused_by_name() {
        assert_eq!(combination("ctrl+nokey"), Err("nokey"));
        assert_eq!(combination("日"), Err("日"));
        assert_eq!(combination("\n"), Err("\n"));
        assert_eq!(combination("F25"), Err("F25"));
        assert_eq!(combination(""), Err(""));
        assert_eq!(combination("ctrl+"), Err(""));
    }
}
