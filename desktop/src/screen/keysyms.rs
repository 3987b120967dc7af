//! X11's own names of keysyms, and the characters that keysyms stand for.
//!
//! `keysyms.txt` has a line for each name of X.Org's keysymdef.h and XF86keysym.h: the name, the keysym and the code
//! point of its character if it has exactly one, both in hexadecimal. `scripts/keysyms.mjs` writes it.

use std::{collections::HashMap, sync::LazyLock};

use x11rb::protocol::xproto::Keysym;

use super::keys::{self, folded};

/// A keysym of a character outside Latin-1 is this bit and its code point.
const UNICODE: Keysym = 0x0100_0000;
const LAST_UNICODE: Keysym = UNICODE + char::MAX as Keysym;
/// Keysyms below this value are the Latin-1 characters themselves.
const LATIN_1_END: Keysym = 0x100;
/// The largest keysym: the three highest bits are always zero.
const LAST: Keysym = 0x1fff_ffff;
/// Keysyms that no key types.
const NOTHING: [Keysym; 2] = [0, 0x00ff_ffff];

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("keysyms.txt")));

struct Table {
    names: HashMap<&'static str, Keysym>,
    /// The names that differ only in case, `_` and `-`, in the order of the headers.
    folded: HashMap<String, Vec<&'static str>>,
    characters: HashMap<Keysym, char>,
}

impl Table {
    fn read(text: &'static str) -> Self {
        let mut table = Self { names: HashMap::new(), folded: HashMap::new(), characters: HashMap::new() };
        let hex = |digits| u32::from_str_radix(digits, 16).expect("scripts/keysyms.mjs writes hexadecimal");
        for line in text.lines() {
            let mut fields = line.split(' ');
            let (Some(name), Some(keysym)) = (fields.next(), fields.next().map(hex)) else { continue };
            if NOTHING.contains(&keysym) {
                continue;
            }
            table.names.entry(name).or_insert(keysym);
            table.folded.entry(folded(name)).or_default().push(name);
            if let Some(character) = fields.next().map(hex).and_then(char::from_u32) {
                table.characters.entry(keysym).or_insert(character);
            }
        }
        table
    }
}

/// What a name means to X.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Unknown,
    One(Keysym),
    /// Names that differ from the given one in case alone, and from each other in meaning: `Eacute`, `eacute`.
    Several(Vec<&'static str>),
}

/// The keysym that X calls `name`. Case, `_` and `-` count only if they make a difference.
pub(super) fn by_name(name: &str) -> Meaning {
    if let Some(&keysym) = TABLE.names.get(name) {
        return Meaning::One(canonical(keysym));
    }
    let Some(names) = TABLE.folded.get(&folded(name)) else { return Meaning::Unknown };
    let mut distinct: Vec<(Keysym, &'static str)> = Vec::new();
    for &name in names {
        let keysym = canonical(TABLE.names[name]);
        if !distinct.iter().any(|&(known, _)| known == keysym) {
            distinct.push((keysym, name));
        }
    }
    match distinct[..] {
        [(keysym, _)] => Meaning::One(keysym),
        _ => Meaning::Several(distinct.into_iter().map(|(_, name)| name).collect()),
    }
}

/// All names, for hints.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.names.keys().copied()
}

/// The keysym of that number, if there can be one and a key can type it.
pub(super) fn by_number(number: u32) -> Option<Keysym> {
    if NOTHING.contains(&number) || number > LAST {
        return None;
    }
    match number {
        UNICODE..=LAST_UNICODE => by_code_point(number - UNICODE),
        ..0x20 | 0x7f..0xa0 => None,
        _ => Some(canonical(number)),
    }
}

/// The keysym of the character with that code point, if a key can type it.
pub(super) fn by_code_point(code_point: u32) -> Option<Keysym> {
    let character = char::from_u32(code_point)?;
    (!character.is_control() || matches!(character, '\n' | '\t')).then(|| keys::of_char(character))
}

/// The keysym of a character, without regard to keys that have a name too.
pub(super) fn of_char(character: char) -> Keysym {
    let code_point = u32::from(character);
    if code_point < LATIN_1_END { code_point } else { UNICODE | code_point }
}

/// The one keysym by which this module knows a character: many have an older one too, which keyboard layouts use
/// (`Cyrillic_a`, `EuroSign`).
pub(super) fn canonical(keysym: Keysym) -> Keysym {
    TABLE.characters.get(&keysym).map_or(keysym, |&character| of_char(character))
}

/// The character that the keysym types, if it is one.
pub(super) fn character(keysym: Keysym) -> Option<char> {
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
    fn every_name_of_x_is_known_as_it_is_written() {
        let mut count = 0;
        for line in include_str!("keysyms.txt").lines() {
            let [name, keysym] = line.split(' ').take(2).collect::<Vec<_>>()[..] else { panic!("{line}") };
            let keysym = Keysym::from_str_radix(keysym, 16).unwrap();
            if !NOTHING.contains(&keysym) {
                assert_eq!(by_name(name), Meaning::One(canonical(keysym)), "{name}");
                assert_eq!(by_number(keysym), Some(canonical(keysym)), "{name}");
                count += 1;
            }
        }
        assert!(count > 2400, "{count}");
    }

    #[test]
    fn case_counts_only_where_it_makes_a_difference() {
        assert_eq!(by_name("kp_home"), Meaning::One(0xff95));
        assert_eq!(by_name("xf86audiomute"), Meaning::One(0x1008_ff12));
        assert_eq!(by_name("EACUTE"), Meaning::Several(vec!["Eacute", "eacute"]));
        assert_eq!(by_name("nothing of the kind"), Meaning::Unknown);
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
    fn a_number_that_is_no_keysym_is_refused() {
        for number in [0, 0x1b, 0x7f, 0x00ff_ffff, 0x0100_0000, 0x0100_d83d, 0x2000_0000, u32::MAX] {
            assert_eq!(by_number(number), None, "{number:#x}");
        }
    }
}
