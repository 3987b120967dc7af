//! The X11 names and the characters of keysyms.
//!
//! `keysyms.txt` has one line for each name in X.Org's headers keysymdef.h and XF86keysym.h. A line contains the name,
//! the keysym in hexadecimal, and the code point in hexadecimal if the keysym is exactly one character.
//! `scripts/keysyms.mjs` generates the file.

use std::{collections::HashMap, sync::LazyLock};

use x11rb::protocol::xproto::Keysym;

use super::keys::{self, normalized};

/// The bit that is set in the keysym of a character outside Latin-1. The other bits are the code point.
pub(super) const UNICODE: Keysym = 0x0100_0000;
const LAST_UNICODE: Keysym = UNICODE + char::MAX as Keysym;
/// The end of the Latin-1 keysyms. Keysyms below this value are equal to the code points of Latin-1 characters.
const LATIN_1_END: Keysym = 0x100;
/// The largest keysym. Its three highest bits are always zero.
const LAST: Keysym = 0x1fff_ffff;
/// The keysyms NoSymbol and VoidSymbol, which no key can type.
const UNTYPABLE: [Keysym; 2] = [0, 0x00ff_ffff];

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("keysyms.txt")));

struct Table {
    names: HashMap<&'static str, Keysym>,
    /// The names that have the same [`normalized`] form, in the order of the headers.
    by_normalized_name: HashMap<String, Vec<&'static str>>,
    characters: HashMap<Keysym, char>,
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut table =
            Self { names: HashMap::new(), by_normalized_name: HashMap::new(), characters: HashMap::new() };
        let hex = |digits| u32::from_str_radix(digits, 16).expect("scripts/keysyms.mjs writes hexadecimal");
        for line in text.lines() {
            let mut fields = line.split(' ');
            let (Some(name), Some(keysym)) = (fields.next(), fields.next().map(hex)) else { continue };
            if UNTYPABLE.contains(&keysym) {
                continue;
            }
            table.names.entry(name).or_insert(keysym);
            table.by_normalized_name.entry(normalized(name)).or_default().push(name);
            if let Some(character) = fields.next().map(hex).and_then(char::from_u32) {
                table.characters.entry(keysym).or_insert(character);
            }
        }
        table
    }
}

/// The result of [`by_name`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    Unknown,
    One(Keysym),
    /// Names that match the given name only without regard to case, and that have different keysyms, such as `Eacute`
    /// and `eacute`.
    Several(Vec<&'static str>),
}

/// Looks up an X11 name. If there is no exact match, ignores case, `_`, `-` and spaces.
pub(super) fn by_name(name: &str) -> Lookup {
    if let Some(&keysym) = TABLE.names.get(name) {
        return Lookup::One(canonical(keysym));
    }
    let Some(names) = TABLE.by_normalized_name.get(&normalized(name)) else { return Lookup::Unknown };
    let mut distinct: Vec<(Keysym, &'static str)> = Vec::new();
    for &name in names {
        let keysym = canonical(TABLE.names[name]);
        if !distinct.iter().any(|&(known, _)| known == keysym) {
            distinct.push((keysym, name));
        }
    }
    match distinct[..] {
        [(keysym, _)] => Lookup::One(keysym),
        _ => Lookup::Several(distinct.into_iter().map(|(_, name)| name).collect()),
    }
}

/// Returns all X11 names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.names.keys().copied()
}

/// Returns the keysym with this number, if the keysym is valid and a key can type it.
pub(super) fn by_number(number: u32) -> Option<Keysym> {
    if UNTYPABLE.contains(&number) || number > LAST {
        return None;
    }
    match number {
        UNICODE..=LAST_UNICODE => by_code_point(number - UNICODE),
        ..0x20 | 0x7f..0xa0 => None,
        _ => Some(canonical(number)),
    }
}

/// Returns the keysym of the character with this code point, if a key can type the character.
pub(super) fn by_code_point(code_point: u32) -> Option<Keysym> {
    let character = char::from_u32(code_point)?;
    (!character.is_control() || matches!(character, '\n' | '\t')).then(|| keys::of_char(character))
}

/// Returns the keysym of a character according to the general rule, without exceptions for function keys such as
/// Return.
pub(super) fn of_char(character: char) -> Keysym {
    let code_point = u32::from(character);
    if code_point < LATIN_1_END { code_point } else { UNICODE | code_point }
}

/// Maps all keysyms of a character to a single keysym. Keyboard layouts use a second keysym for many characters, such
/// as `Cyrillic_a` and `EuroSign`.
pub(super) fn canonical(keysym: Keysym) -> Keysym {
    TABLE.characters.get(&keysym).map_or(keysym, |&character| of_char(character))
}

/// Returns the character of the keysym, if the keysym is a character.
pub(in crate::screen) fn character(keysym: Keysym) -> Option<char> {
    match keysym {
        ..LATIN_1_END => char::from_u32(keysym),
        UNICODE..=LAST_UNICODE => char::from_u32(keysym - UNICODE),
        _ => TABLE.characters.get(&keysym).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_x11_name_is_known() {
        let mut count = 0;
        for line in include_str!("keysyms.txt").lines() {
            let [name, keysym] = line.split(' ').take(2).collect::<Vec<_>>()[..] else { panic!("{line}") };
            let keysym = Keysym::from_str_radix(keysym, 16).unwrap();
            if !UNTYPABLE.contains(&keysym) {
                assert_eq!(by_name(name), Lookup::One(canonical(keysym)), "{name}");
                assert_eq!(by_number(keysym), Some(canonical(keysym)), "{name}");
                count += 1;
            }
        }
        assert!(count > 2400, "{count}");
    }

    #[test]
    fn case_matters_only_if_names_differ_only_in_case() {
        assert_eq!(by_name("kp_home"), Lookup::One(0xff95));
        assert_eq!(by_name("xf86audiomute"), Lookup::One(0x1008_ff12));
        assert_eq!(by_name("EACUTE"), Lookup::Several(vec!["Eacute", "eacute"]));
        assert_eq!(by_name("nothing of the kind"), Lookup::Unknown);
    }

    #[test]
    fn a_character_has_one_keysym() {
        assert_eq!(canonical(0x06c6), 0x0100_0444);
        assert_eq!(canonical(0x20ac), 0x0100_20ac);
        assert_eq!(canonical(0x0100_00e9), 0x0100_00e9);
        assert_eq!(by_number(0x0100_00e9), Some(0xe9));
        assert_eq!(canonical(0xff0d), 0xff0d);
        assert_eq!(character(0x06c6), Some('ф'));
        assert_eq!(character(0xff0d), None);
    }

    #[test]
    fn numbers_that_are_not_keysyms_are_rejected() {
        for number in [0, 0x1b, 0x7f, 0x00ff_ffff, 0x0100_0000, 0x0100_d83d, 0x2000_0000, u32::MAX] {
            assert_eq!(by_number(number), None, "{number:#x}");
        }
    }
}
