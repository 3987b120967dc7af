//! The names of keys, and a parser for combinations such as `ctrl+shift+t`.

use x11rb::protocol::xproto::Keysym;

use super::{
    keysyms::{self, Lookup},
    suggestions,
};
use crate::screen::ScreenError;

/// The maximum number of characters of a combination. The longest X11 name has 33 characters.
const MAX_LENGTH: usize = 100;
/// The first keysym of the function keys, which end at 0xffff. They include modifiers, arrow keys and the keypad.
const FIRST_FUNCTION_KEYSYM: Keysym = 0xfe00;

pub(super) const RETURN: Keysym = 0xff0d;
pub(super) const TAB: Keysym = 0xff09;
pub(super) const NUM_LOCK: Keysym = 0xff7f;
pub(super) const SHIFT_L: Keysym = 0xffe1;
const SHIFT_R: Keysym = 0xffe2;
const F1: Keysym = 0xffbe;
const KP_0: Keysym = 0xffb0;

/// The modifiers that turn a key into a command: Control, Meta, Alt, Super and Hyper, each left and right.
const COMMAND_MODIFIERS: [std::ops::RangeInclusive<Keysym>; 2] = [0xffe3..=0xffe4, 0xffe7..=0xffee];
/// The modifiers that select another level of a key: Shift, AltGr and Mode_switch.
const LEVEL_MODIFIERS: [Keysym; 4] = [SHIFT_L, SHIFT_R, 0xfe03, 0xff7e];

/// The keys with their names. Users see the first name. The other names come from X11, from the properties `key` and
/// `code` of keyboard events in browsers, and from common use. Comparisons ignore case, `_`, `-` and spaces.
const NAMED_KEYS: &[(Keysym, &[&str])] = &[
    (RETURN, &["Enter", "Return", "Linefeed"]),
    (TAB, &["Tab"]),
    (0xff1b, &["Escape", "Esc"]),
    (0xff08, &["Backspace", "Bksp"]),
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
    (0xff56, &["Page_Down", "PgDn", "PgDown", "Next"]),
    (
        0xffe3,
        &[
            "ctrl",
            "Control",
            "Control_L",
            "ControlLeft",
            "CtrlLeft",
            "LeftControl",
            "LeftCtrl",
            "LCtrl",
            "Ctl",
        ],
    ),
    (0xffe4, &["Control_R", "ControlRight", "CtrlRight", "RightControl", "RightCtrl", "RCtrl"]),
    (SHIFT_L, &["shift", "Shift_L", "ShiftLeft", "LeftShift", "LShift"]),
    (SHIFT_R, &["Shift_R", "ShiftRight", "RightShift", "RShift"]),
    (0xffe9, &["alt", "Alt_L", "AltLeft", "LeftAlt", "LAlt", "Option", "Opt"]),
    (0xffea, &["Alt_R", "AltRight", "RightAlt", "RAlt"]),
    (0xfe03, &["AltGr", "AltGraph", "ISO_Level3_Shift"]),
    (
        0xffeb,
        &["super", "Super_L", "Meta", "MetaLeft", "Win", "WinLeft", "Windows", "OSLeft", "Cmd", "Command"],
    ),
    (0xffec, &["Super_R", "MetaRight", "WinRight", "OSRight"]),
    (0xffe5, &["Caps_Lock"]),
    (NUM_LOCK, &["Num_Lock"]),
    (0xff14, &["Scroll_Lock"]),
    (0xff61, &["Print", "PrintScreen", "PrtSc", "PrtScr", "PrintScr", "Sys_Req"]),
    (0xff13, &["Pause", "Break"]),
    (0xff67, &["Menu", "ContextMenu", "Apps"]),
    (0xff6a, &["Help"]),
    (0xff20, &["Compose", "Multi_key"]),
    (0xffaa, &["KP_Multiply", "NumpadMultiply", "Multiply"]),
    (0xffab, &["KP_Add", "NumpadAdd", "Add"]),
    (0xffad, &["KP_Subtract", "NumpadSubtract", "Subtract"]),
    (0xffae, &["KP_Decimal", "NumpadDecimal", "Decimal"]),
    (0xffaf, &["KP_Divide", "NumpadDivide", "Divide"]),
    (0xff8d, &["KP_Enter", "NumpadEnter"]),
    (0x1008_ff11, &["AudioVolumeDown", "XF86AudioLowerVolume", "VolumeDown"]),
    (0x1008_ff12, &["AudioVolumeMute", "XF86AudioMute", "VolumeMute", "Mute"]),
    (0x1008_ff13, &["AudioVolumeUp", "XF86AudioRaiseVolume", "VolumeUp"]),
    (0x1008_ff14, &["MediaPlayPause", "XF86AudioPlay", "PlayPause"]),
    (0x1008_ff15, &["MediaStop", "XF86AudioStop"]),
    (0x1008_ff16, &["MediaTrackPrevious", "XF86AudioPrev", "PrevTrack"]),
    (0x1008_ff17, &["MediaTrackNext", "XF86AudioNext", "NextTrack"]),
    (0x1008_ff26, &["BrowserBack", "XF86Back"]),
    (0x1008_ff27, &["BrowserForward", "XF86Forward"]),
    (0x1008_ff73, &["BrowserRefresh", "XF86Reload"]),
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

/// Consecutive keysyms whose names end with a number or a letter.
struct KeyRange {
    /// The first keysym.
    first: Keysym,
    count: u8,
    /// Returns the names of the key with an index, which starts at 0.
    names: fn(u8) -> Vec<String>,
}

/// The ranges of keys with their X11 and browser names. Single letters and digits need no entry, because every
/// character is a valid name.
const KEY_RANGES: &[KeyRange] = &[
    KeyRange { first: F1, count: 35, names: |index| vec![format!("F{}", index + 1)] },
    KeyRange {
        first: 'a' as u32,
        count: 26,
        names: |index| vec![format!("Key{}", char::from(b'A' + index))],
    },
    KeyRange { first: '0' as u32, count: 10, names: |index| vec![format!("Digit{index}")] },
    KeyRange {
        first: KP_0,
        count: 10,
        names: |index| ["KP_", "Numpad", "Num"].map(|prefix| format!("{prefix}{index}")).into(),
    },
];

/// Returns all keys of [`NAMED_KEYS`] and [`KEY_RANGES`] with their names.
pub(super) fn all() -> impl Iterator<Item = (Keysym, Vec<String>)> {
    let named =
        NAMED_KEYS.iter().map(|&(keysym, names)| (keysym, names.iter().map(ToString::to_string).collect()));
    let in_ranges = KEY_RANGES.iter().flat_map(|range| {
        (0..range.count).map(|index| (range.first + u32::from(index), (range.names)(index)))
    });
    named.chain(in_ranges)
}

/// Returns all names as a Markdown table with one row for each key or range.
pub(crate) fn table() -> String {
    let row = |names: &[String]| {
        let (shown, others) = names.split_first().expect("every key has a name");
        format!("| {shown} | {} |\n", if others.is_empty() { "–".to_owned() } else { others.join(", ") })
    };
    let named = NAMED_KEYS
        .iter()
        .map(|(_, names)| row(&names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>()));
    let in_ranges = KEY_RANGES.iter().map(|range| {
        let (first, last) = ((range.names)(0), (range.names)(range.count - 1));
        row(&first
            .iter()
            .zip(&last)
            .map(|(first, last)| format!("`{first}` to `{last}`"))
            .collect::<Vec<_>>())
    });
    let rows: String = named.chain(in_ranges).collect();
    format!("| key | other names |\n|---|---|\n{rows}")
}

/// Returns whether the keysym is a character and not a function key.
pub(super) fn is_character(keysym: Keysym) -> bool {
    keysym < FIRST_FUNCTION_KEYSYM || keysym & keysyms::UNICODE != 0
}

/// Returns whether the keysym is a modifier. Toggles such as Caps Lock are not included.
pub(super) fn is_modifier(keysym: Keysym) -> bool {
    is_command_modifier(keysym) || LEVEL_MODIFIERS.contains(&keysym)
}

/// Returns whether the keysym is a modifier that turns a key into a command.
pub(super) fn is_command_modifier(keysym: Keysym) -> bool {
    COMMAND_MODIFIERS.iter().any(|modifiers| modifiers.contains(&keysym))
}

pub(super) fn is_shift(keysym: Keysym) -> bool {
    [SHIFT_L, SHIFT_R].contains(&keysym)
}

/// Returns the keysym that types `character`.
pub(in crate::screen) fn of_char(character: char) -> Keysym {
    match character {
        '\n' | '\r' => RETURN,
        '\t' => TAB,
        _ => keysyms::of_char(character),
    }
}

/// Returns the keysyms of a combination in the order of their presses, modifiers first.
///
/// `+` joins the keys. The name of the plus key is `+` or `plus`, for example in `ctrl++`. A single character is a key
/// name. It is case-sensitive, except for letters in a command: `ctrl+C` is the same as `ctrl+c`.
pub(in crate::screen) fn parse(combo: &str) -> Result<Vec<Keysym>, ScreenError> {
    if combo.chars().nth(MAX_LENGTH).is_some() {
        return Err(invalid_key(format!(
            "must be at most {MAX_LENGTH} characters; use the type call for text"
        )));
    }
    resolve(combo).map_err(|error| match error {
        ComboError::Invalid(message) => invalid_key(message),
        ComboError::Unknown(name) => {
            invalid_key(format!("{name:?} is not a known key{}", suggestions::suggest(combo, &name)))
        }
    })
}

/// The reason why a combination is invalid.
#[derive(Debug)]
pub(super) enum ComboError {
    /// The combination is invalid for the reason in the message.
    Invalid(String),
    /// The name is unknown. It may be the spelling that another program uses.
    Unknown(String),
}

/// Parses a combination like [`parse`], but without suggestions in errors.
pub(super) fn resolve(combo: &str) -> Result<Vec<Keysym>, ComboError> {
    if combo.is_empty() {
        return Err(ComboError::Invalid("must name a key, such as \"Enter\" or \"ctrl+c\"".to_owned()));
    }
    let names = split(combo);
    let mut keysyms = Vec::with_capacity(names.len());
    for name in &names {
        let keysym = keysym(name, combo)?;
        if !keysyms.contains(&keysym) {
            keysyms.push(keysym);
        } else if !is_modifier(keysym) {
            let message = format!("{combo:?} names {name:?} twice; use one call for each press");
            return Err(ComboError::Invalid(message));
        }
    }
    if keysyms.iter().any(|&keysym| is_command_modifier(keysym)) {
        keysyms.iter_mut().for_each(|keysym| *keysym = lower_case(*keysym));
    }
    keysyms.sort_by_key(|&keysym| !is_modifier(keysym));
    Ok(keysyms)
}

fn split(combo: &str) -> Vec<String> {
    if combo.chars().count() == 1 {
        return vec![combo.to_owned()];
    }
    let (rest, plus) = match combo.strip_suffix("++") {
        Some(rest) => (rest, Some("+".to_owned())),
        None => (combo, None),
    };
    let mut names: Vec<String> = Vec::new();
    for part in rest.split('+').map(str::trim) {
        match names.last_mut() {
            // U+20AC is one name.
            Some(last) if last.eq_ignore_ascii_case("u") && is_code_point(part) => {
                last.push_str(part);
            }
            _ => names.push(part.to_owned()),
        }
    }
    names.extend(plus);
    names
}

/// Returns whether the string consists of 4 to 6 hexadecimal digits, like a Unicode code point.
fn is_code_point(digits: &str) -> bool {
    (4..=6).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn keysym(name: &str, combo: &str) -> Result<Keysym, ComboError> {
    if suggestions::is_glyph(name) {
        return Err(ComboError::Unknown(name.to_owned()));
    }
    let mut characters = name.chars();
    match (characters.next(), characters.next()) {
        (None, _) => Err(ComboError::Invalid(format!(
            "{combo:?} has no key name next to a \"+\"; write the plus key as \"plus\""
        ))),
        (Some(character), None) if !character.is_control() || matches!(character, '\n' | '\r' | '\t') => {
            Ok(of_char(character))
        }
        _ => numbered(name).unwrap_or_else(|| named(name)),
    }
}

/// Parses names such as `U+20AC`, `U20AC` and `0x20ac`. Returns `None` for other forms.
fn numbered(name: &str) -> Option<Result<Keysym, ComboError>> {
    let (kind, digits) = name.split_at_checked(1)?;
    let keysym = if kind.eq_ignore_ascii_case("u") && is_code_point(digits) {
        keysyms::by_code_point(u32::from_str_radix(digits, 16).ok()?)
    } else {
        let digits = name.strip_prefix("0x").or_else(|| name.strip_prefix("0X"))?;
        u32::from_str_radix(digits, 16).ok().and_then(keysyms::by_number)
    };
    Some(keysym.ok_or_else(|| {
        let message = "is not a character or keysym that a key can type; use a form such as U+20AC or 0xff0d";
        ComboError::Invalid(format!("{name:?} {message}"))
    }))
}

fn named(name: &str) -> Result<Keysym, ComboError> {
    let normalized_name = normalized(name);
    let common = all().find(|(_, names)| names.iter().any(|known| normalized(known) == normalized_name));
    if let Some((keysym, _)) = common {
        return Ok(keysym);
    }
    match keysyms::by_name(name) {
        Lookup::One(keysym) => Ok(keysym),
        Lookup::Several(names) => {
            let names = names.join(" or ");
            Err(ComboError::Invalid(format!(
                "{name:?} matches several keys that differ in case; use {names}"
            )))
        }
        Lookup::Unknown => Err(ComboError::Unknown(name.to_owned())),
    }
}

/// Converts the keysym of a letter to lower case. Returns other keysyms unchanged.
pub(super) fn lower_case(keysym: Keysym) -> Keysym {
    in_case(keysym, char::to_lowercase)
}

/// Converts the keysym of a letter to upper case. Returns other keysyms unchanged.
pub(super) fn upper_case(keysym: Keysym) -> Keysym {
    in_case(keysym, char::to_uppercase)
}

fn in_case<C: Iterator<Item = char>>(keysym: Keysym, case: impl Fn(char) -> C) -> Keysym {
    let Some(character) = keysyms::character(keysym) else { return keysym };
    let mut changed = case(character);
    match (changed.next(), changed.next()) {
        (Some(changed), None) => of_char(changed),
        _ => keysym,
    }
}

/// Returns whether the keysym is a letter or a digit.
pub(super) fn is_alphanumeric(keysym: Keysym) -> bool {
    keysyms::character(keysym).is_some_and(char::is_alphanumeric)
}

/// Returns a modifier with the same effect, for keyboards without the given modifier.
pub(super) fn substitute_modifier(keysym: Keysym) -> Option<Keysym> {
    match keysym {
        // Right Alt is AltGr in many layouts.
        0xffe7 | 0xffe8 | 0xffea => Some(0xffe9),
        SHIFT_R => Some(SHIFT_L),
        0xffe4 => Some(0xffe3),
        0xffec..=0xffee => Some(0xffeb),
        _ => None,
    }
}

fn invalid_key(message: impl Into<String>) -> ScreenError {
    ScreenError::bad_input("key", message)
}

/// Removes differences that comparisons ignore: case, `_`, `-` and spaces.
pub(super) fn normalized(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_unique() {
        let mut names: Vec<String> =
            all().flat_map(|(_, names)| names).map(|name| normalized(&name)).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn names_from_x11_browsers_and_common_use_are_equivalent() {
        for (names, keysym) in [
            (&["Enter", "Return", "enter", "RETURN"][..], 0xff0d),
            (&["Page_Up", "PageUp", "pgup", "page-up", "Prior"][..], 0xff55),
            (&["BackSpace", "backspace"][..], 0xff08),
            (&["Left", "ArrowLeft"][..], 0xff51),
            (&["super", "Meta", "cmd", "win"][..], 0xffeb),
            (&["a", "KeyA"][..], 0x61),
            (&["7", "Digit7"][..], 0x37),
            (&["KP_7", "Numpad7", "num7"][..], 0xffb7),
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
    fn the_table_has_a_row_for_each_key_and_for_each_range() {
        let table = table();
        assert_eq!(table.lines().count(), 2 + NAMED_KEYS.len() + KEY_RANGES.len());
        for row in [
            "| `Enter` | `Return`, `Linefeed` |",
            "| `F1` to `F35` | – |",
            "| `KP_0` to `KP_9` | `Numpad0` to `Numpad9`, `Num0` to `Num9` |",
        ] {
            assert!(table.contains(row), "{table}");
        }
        let page = include_str!("../../../../docs/keys.md");
        assert!(page.ends_with(&table), "docs/keys.md ends with the output of `orgo-desktop keys`");
    }

    #[test]
    fn keys_of_a_combination_keep_their_order() {
        assert_eq!(parse("ctrl+shift+t").unwrap(), [0xffe3, 0xffe1, 0x74]);
        assert_eq!(parse("ctrl++").unwrap(), [0xffe3, 0x2b]);
        assert_eq!(parse("ctrl + plus").unwrap(), [0xffe3, 0x2b]);
        assert_eq!(parse("alt+-").unwrap(), [0xffe9, 0x2d]);
        assert_eq!(parse("shift+A").unwrap(), [0xffe1, 0x41]);
    }

    #[test]
    fn unknown_keys_are_rejected_with_similar_names() {
        for (combo, hint) in [
            ("Entr", "did you mean Enter?"),
            ("Retrun", "did you mean Return?"),
            ("PageUpp", "Page_Up"),
            ("ctrl+Delte", "Delete"),
            ("cntrl+c", "ctrl"),
            ("F36", "did you mean F3, F6, F16?"),
            ("KeyÄ", "did you mean Key"),
            ("nosuchkey", "not a known key"),
            ("ctrl+", "next to a \"+\""),
            ("+c", "next to a \"+\""),
            ("", "must name a key"),
        ] {
            let error = parse(combo).unwrap_err();
            assert!(matches!(error, ScreenError::BadInput { field: "key", .. }), "{combo}");
            assert!(error.to_string().contains(hint), "{combo}: {error}");
        }
    }
}
