//! Names of keys, and combinations of them such as `ctrl+shift+t`.

use x11rb::protocol::xproto::Keysym;

use super::error::ScreenError;

/// Keysyms below this value are the Latin-1 characters themselves.
const LATIN_1_END: u32 = 0x100;
/// Keysym of a character outside Latin-1: this bit and its code point.
const UNICODE: Keysym = 0x0100_0000;

/// Keysyms from here to the end of 16 bits are keys with a function: modifiers, arrows, the keypad.
const FUNCTIONS: Keysym = 0xfe00;

pub(super) const RETURN: Keysym = 0xff0d;
pub(super) const TAB: Keysym = 0xff09;
pub(super) const SHIFT_L: Keysym = 0xffe1;
const F1: Keysym = 0xffbe;

/// Each key with its names: first the one shown to people, then those of xdotool (X), browsers (`key` and
/// `code`) and everyday use. Compared without regard to case, `_` and `-`.
const NAMED: &[(Keysym, &[&str])] = &[
    (RETURN, &["Enter", "Return", "Linefeed"]),
    (TAB, &["Tab"]),
    (0xff1b, &["Escape", "Esc"]),
    (0xff08, &["Backspace"]),
    (0xffff, &["Delete", "Del"]),
    (0xff63, &["Insert", "Ins"]),
    (0x20, &["Space", "Spacebar"]),
    (0xff52, &["Up", "ArrowUp", "UpArrow"]),
    (0xff54, &["Down", "ArrowDown", "DownArrow"]),
    (0xff51, &["Left", "ArrowLeft", "LeftArrow"]),
    (0xff53, &["Right", "ArrowRight", "RightArrow"]),
    (0xff50, &["Home"]),
    (0xff57, &["End"]),
    (0xff55, &["Page_Up", "PgUp", "Prior"]),
    (0xff56, &["Page_Down", "PgDn", "Next"]),
    (0xffe3, &["ctrl", "Control", "Control_L", "ControlLeft", "LeftCtrl", "Ctl"]),
    (0xffe4, &["Control_R", "ControlRight", "RightCtrl"]),
    (SHIFT_L, &["shift", "Shift_L", "ShiftLeft", "LeftShift"]),
    (0xffe2, &["Shift_R", "ShiftRight", "RightShift"]),
    (0xffe9, &["alt", "Alt_L", "AltLeft", "LeftAlt", "Option"]),
    (0xffea, &["Alt_R", "AltRight", "RightAlt"]),
    (0xfe03, &["AltGr", "AltGraph", "ISO_Level3_Shift"]),
    (0xffeb, &["super", "Super_L", "Meta", "MetaLeft", "Win", "Windows", "OSLeft", "Cmd", "Command"]),
    (0xffec, &["Super_R", "MetaRight", "OSRight"]),
    (0xffe5, &["Caps_Lock"]),
    (0xff7f, &["Num_Lock"]),
    (0xff14, &["Scroll_Lock"]),
    (0xff61, &["Print", "PrintScreen", "PrtSc", "Sys_Req"]),
    (0xff13, &["Pause", "Break"]),
    (0xff67, &["Menu", "ContextMenu", "Apps"]),
    (0xff6a, &["Help"]),
    (0xffaa, &["KP_Multiply", "NumpadMultiply", "Multiply"]),
    (0xffab, &["KP_Add", "NumpadAdd", "Add"]),
    (0xffad, &["KP_Subtract", "NumpadSubtract", "Subtract"]),
    (0xffae, &["KP_Decimal", "NumpadDecimal", "Decimal"]),
    (0xffaf, &["KP_Divide", "NumpadDivide", "Divide"]),
    (0xff8d, &["KP_Enter", "NumpadEnter"]),
    (0x1008_ff11, &["AudioVolumeDown", "XF86AudioLowerVolume", "VolumeDown"]),
    (0x1008_ff12, &["AudioVolumeMute", "XF86AudioMute", "VolumeMute"]),
    (0x1008_ff13, &["AudioVolumeUp", "XF86AudioRaiseVolume", "VolumeUp"]),
    (0x1008_ff14, &["MediaPlayPause", "XF86AudioPlay"]),
    (0x1008_ff15, &["MediaStop", "XF86AudioStop"]),
    (0x1008_ff16, &["MediaTrackPrevious", "XF86AudioPrev"]),
    (0x1008_ff17, &["MediaTrackNext", "XF86AudioNext"]),
    (0x1008_ff26, &["BrowserBack", "XF86Back"]),
    (0x1008_ff27, &["BrowserForward", "XF86Forward"]),
    (0x1008_ff29, &["BrowserRefresh", "XF86Reload"]),
    ('!' as u32, &["exclam"]),
    ('"' as u32, &["quotedbl"]),
    ('#' as u32, &["numbersign", "hash"]),
    ('$' as u32, &["dollar"]),
    ('%' as u32, &["percent"]),
    ('&' as u32, &["ampersand"]),
    ('\'' as u32, &["apostrophe", "Quote", "quoteright"]),
    ('(' as u32, &["parenleft"]),
    (')' as u32, &["parenright"]),
    ('*' as u32, &["asterisk"]),
    ('+' as u32, &["plus"]),
    (',' as u32, &["comma"]),
    ('-' as u32, &["minus", "hyphen", "dash"]),
    ('.' as u32, &["period", "dot"]),
    ('/' as u32, &["slash"]),
    (':' as u32, &["colon"]),
    (';' as u32, &["semicolon"]),
    ('<' as u32, &["less"]),
    ('=' as u32, &["equal", "equals"]),
    ('>' as u32, &["greater"]),
    ('?' as u32, &["question"]),
    ('@' as u32, &["at"]),
    ('[' as u32, &["bracketleft"]),
    ('\\' as u32, &["backslash"]),
    (']' as u32, &["bracketright"]),
    ('^' as u32, &["asciicircum", "caret"]),
    ('_' as u32, &["underscore"]),
    ('`' as u32, &["grave", "backquote", "backtick"]),
    ('{' as u32, &["braceleft"]),
    ('|' as u32, &["bar", "pipe"]),
    ('}' as u32, &["braceright"]),
    ('~' as u32, &["asciitilde", "tilde"]),
];

/// Keys that are counted through.
struct Family {
    /// Symbol of the first; those of the others follow.
    first: Keysym,
    count: u8,
    /// The names of a member, counted from 0.
    names: fn(u8) -> Vec<String>,
}

/// As X and browsers call them. A letter or digit alone is a character, and needs no entry.
const FAMILIES: &[Family] = &[
    Family { first: F1, count: 24, names: |member| vec![format!("F{}", member + 1)] },
    Family {
        first: 'a' as u32,
        count: 26,
        names: |member| vec![format!("Key{}", char::from(b'A' + member))],
    },
    Family {
        first: '0' as u32,
        count: 10,
        names: |member| ["Digit", "Numpad", "KP_"].map(|prefix| format!("{prefix}{member}")).into(),
    },
];

/// Every key that has a name, with its names as in [`NAMED`].
fn all() -> impl Iterator<Item = (Keysym, Vec<String>)> {
    let named =
        NAMED.iter().map(|&(symbol, names)| (symbol, names.iter().map(ToString::to_string).collect()));
    let counted = FAMILIES.iter().flat_map(|family| {
        (0..family.count).map(|member| (family.first + u32::from(member), (family.names)(member)))
    });
    named.chain(counted)
}

/// All names as a table in Markdown, one row a key.
pub(crate) fn table() -> String {
    let row = |names: &[String]| {
        let (shown, others) = names.split_first().expect("every key has a name");
        format!("| {shown} | {} |\n", if others.is_empty() { "–".to_owned() } else { others.join(", ") })
    };
    let named =
        NAMED.iter().map(|(_, names)| row(&names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>()));
    let counted = FAMILIES.iter().map(|family| {
        let (first, last) = ((family.names)(0), (family.names)(family.count - 1));
        row(&first
            .iter()
            .zip(&last)
            .map(|(first, last)| format!("`{first}` to `{last}`"))
            .collect::<Vec<_>>())
    });
    let rows: String = named.chain(counted).collect();
    format!("| key | other names |\n|---|---|\n{rows}")
}

/// Whether the symbol is a character, and not a key with a function.
pub(super) fn is_character(symbol: Keysym) -> bool {
    symbol < FUNCTIONS || symbol & UNICODE != 0
}

/// Keysym that types `character`.
pub(super) fn of_char(character: char) -> Keysym {
    match character {
        '\n' => RETURN,
        '\t' => TAB,
        _ if u32::from(character) < LATIN_1_END => character.into(),
        _ => UNICODE | u32::from(character),
    }
}

/// The keys of a combination in the order in which they go down.
///
/// Keys are joined by `+`; the plus key itself is `+` or `plus` (`ctrl++`). A single character stands for
/// itself and is case sensitive; a name is not.
pub(super) fn parse(combo: &str) -> Result<Vec<Keysym>, ScreenError> {
    if combo.is_empty() {
        return Err(ScreenError::bad_input("key", "must name a key, such as \"Enter\" or \"ctrl+c\""));
    }
    split(combo).into_iter().map(|name| keysym(name, combo)).collect()
}

fn split(combo: &str) -> Vec<&str> {
    if combo.chars().count() == 1 {
        return vec![combo];
    }
    match combo.strip_suffix("++") {
        Some("") => vec!["+", "+"],
        Some(others) => others.split('+').map(str::trim).chain(["+"]).collect(),
        None => combo.split('+').map(str::trim).collect(),
    }
}

fn keysym(name: &str, combo: &str) -> Result<Keysym, ScreenError> {
    let mut characters = name.chars();
    match (characters.next(), characters.next()) {
        (None, _) => {
            let message =
                format!("{combo:?} lacks a key beside a \"+\"; the plus key itself is written \"plus\"");
            Err(ScreenError::bad_input("key", message))
        }
        (Some(character), None) if !character.is_control() || matches!(character, '\n' | '\t') => {
            Ok(of_char(character))
        }
        _ => named(&folded(name)).ok_or_else(|| ScreenError::bad_input("key", unknown(name))),
    }
}

fn named(folded_name: &str) -> Option<Keysym> {
    all().find(|(_, names)| names.iter().any(|known| folded(known) == folded_name)).map(|(symbol, _)| symbol)
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

fn unknown(name: &str) -> String {
    let near = near(name);
    if near.is_empty() {
        format!("{name:?} is not a known key; use names such as Enter, Page_Up, F5, ctrl+c, or one character")
    } else {
        format!("{name:?} is not a known key; did you mean {}?", near.join(", "))
    }
}

/// At most three names that differ from `name` by a slip, those that are as near as any.
fn near(name: &str) -> Vec<String> {
    let name = folded(name);
    let tolerated = (name.chars().count() / 2).clamp(1, 3);
    let nearest = |names: Vec<String>| {
        let measured = names.into_iter().map(|known| (edit_distance(&name, &folded(&known)), known));
        measured.min_by_key(|&(distance, _)| distance)
    };
    let found: Vec<(usize, String)> = all()
        .filter_map(|(_, names)| nearest(names))
        .filter(|&(distance, _)| distance <= tolerated)
        .collect();
    let least = found.iter().map(|&(distance, _)| distance).min();
    found.into_iter().filter(|&(distance, _)| Some(distance) == least).map(|(_, name)| name).take(3).collect()
}

/// Levenshtein distance.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_unique() {
        let mut names: Vec<String> = all().flat_map(|(_, names)| names).map(|name| folded(&name)).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn names_of_xdotool_browsers_and_people_agree() {
        for (names, keysym) in [
            (&["Enter", "Return", "enter", "RETURN"][..], 0xff0d),
            (&["Page_Up", "PageUp", "pgup", "page-up", "Prior"][..], 0xff55),
            (&["BackSpace", "backspace"][..], 0xff08),
            (&["Left", "ArrowLeft"][..], 0xff51),
            (&["super", "Meta", "cmd", "win"][..], 0xffeb),
            (&["a", "KeyA"][..], 0x61),
            (&["7", "Digit7", "Numpad7", "KP_7"][..], 0x37),
            (&["+", "plus"][..], 0x2b),
            (&[" ", "space"][..], 0x20),
            (&["F5", "f5"][..], 0xffc2),
            (&["F24"][..], 0xffd5),
            (&["é"][..], 0xe9),
            (&["€"][..], 0x0100_20ac),
        ] {
            for name in names {
                assert_eq!(parse(name).unwrap(), [keysym], "{name}");
            }
        }
    }

    #[test]
    fn the_table_has_a_row_for_each_key_and_tells_families_by_their_ends() {
        let table = table();
        assert_eq!(table.lines().count(), 2 + NAMED.len() + FAMILIES.len());
        for row in [
            "| `Enter` | `Return`, `Linefeed` |",
            "| `F1` to `F24` | – |",
            "| `Digit0` to `Digit9` | `Numpad0` to `Numpad9`, `KP_0` to `KP_9` |",
        ] {
            assert!(table.contains(row), "{table}");
        }
        let page = include_str!("../../../docs/keys.md");
        assert!(page.ends_with(&table), "the table of docs/keys.md is what `orgo-desktop keys` prints");
    }

    #[test]
    fn combinations_keep_their_order() {
        assert_eq!(parse("ctrl+shift+t").unwrap(), [0xffe3, 0xffe1, 0x74]);
        assert_eq!(parse("ctrl++").unwrap(), [0xffe3, 0x2b]);
        assert_eq!(parse("ctrl + plus").unwrap(), [0xffe3, 0x2b]);
        assert_eq!(parse("alt+-").unwrap(), [0xffe9, 0x2d]);
        assert_eq!(parse("shift+A").unwrap(), [0xffe1, 0x41]);
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_nearest_names() {
        for (combo, hint) in [
            ("Entr", "did you mean Enter?"),
            ("Retrun", "did you mean Return?"),
            ("PageUpp", "Page_Up"),
            ("ctrl+Delte", "Delete"),
            ("cntrl+c", "ctrl"),
            ("F25", "did you mean F2, F5, F15?"),
            ("KeyÄ", "did you mean Key"),
            ("nosuchkey", "not a known key"),
            ("ctrl+", "beside a \"+\""),
            ("+c", "beside a \"+\""),
            ("", "must name a key"),
        ] {
            let error = parse(combo).unwrap_err();
            assert!(matches!(error, ScreenError::BadInput { field: "key", .. }), "{combo}");
            assert!(error.to_string().contains(hint), "{combo}: {error}");
        }
    }
}
