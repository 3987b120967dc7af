//! Names of keys, and combinations of them such as `ctrl+shift+t`.

use x11rb::protocol::xproto::Keysym;

use super::{
    error::ScreenError,
    keysyms::{self, Meaning},
    spelling,
};

/// Most characters of a combination. The longest name of X has 33.
const LONGEST: usize = 100;
/// Keysyms from here to the end of 16 bits are keys with a function: modifiers, arrows, the keypad.
const FUNCTIONS: Keysym = 0xfe00;
/// Keysym of a character outside Latin-1: this bit and its code point.
const UNICODE: Keysym = 0x0100_0000;

pub(super) const RETURN: Keysym = 0xff0d;
pub(super) const TAB: Keysym = 0xff09;
pub(super) const NUM_LOCK: Keysym = 0xff7f;
pub(super) const SHIFT_L: Keysym = 0xffe1;
const SHIFT_R: Keysym = 0xffe2;
const F1: Keysym = 0xffbe;
const KP_0: Keysym = 0xffb0;

/// Modifiers with which a key is a command: Control, Meta, Alt, Super and Hyper, left and right.
const COMMANDING: [std::ops::RangeInclusive<Keysym>; 2] = [0xffe3..=0xffe4, 0xffe7..=0xffee];
/// Modifiers that choose another symbol of a key: Shift, AltGr and Mode_switch.
const CHOOSING: [Keysym; 4] = [SHIFT_L, SHIFT_R, 0xfe03, 0xff7e];

/// Each key with its names: first the one shown to people, then those of xdotool (X), browsers (`key` and
/// `code`) and everyday use. Compared without regard to case, `_` and `-`.
const NAMED: &[(Keysym, &[&str])] = &[
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
    Family { first: F1, count: 35, names: |member| vec![format!("F{}", member + 1)] },
    Family {
        first: 'a' as u32,
        count: 26,
        names: |member| vec![format!("Key{}", char::from(b'A' + member))],
    },
    Family { first: '0' as u32, count: 10, names: |member| vec![format!("Digit{member}")] },
    Family {
        first: KP_0,
        count: 10,
        names: |member| ["KP_", "Numpad", "Num"].map(|prefix| format!("{prefix}{member}")).into(),
    },
];

/// Every key that has a name, with its names as in [`NAMED`].
pub(super) fn all() -> impl Iterator<Item = (Keysym, Vec<String>)> {
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

/// Whether the symbol is a modifier that is held down, and not a toggle.
pub(super) fn is_modifier(symbol: Keysym) -> bool {
    is_commanding(symbol) || CHOOSING.contains(&symbol)
}

/// Whether a key that is pressed with this modifier is a command, and not text.
pub(super) fn is_commanding(symbol: Keysym) -> bool {
    COMMANDING.iter().any(|modifiers| modifiers.contains(&symbol))
}

pub(super) fn is_shift(symbol: Keysym) -> bool {
    [SHIFT_L, SHIFT_R].contains(&symbol)
}

/// Keysym that types `character`.
pub(super) fn of_char(character: char) -> Keysym {
    match character {
        '\n' | '\r' => RETURN,
        '\t' => TAB,
        _ => keysyms::of_char(character),
    }
}

/// The keys of a combination in the order in which they go down, modifiers first.
///
/// Keys are joined by `+`; the plus key itself is `+` or `plus` (`ctrl++`). A single character stands for
/// itself and is case sensitive, unless it is a letter in a command: `ctrl+C` is `ctrl+c`.
pub(super) fn parse(combo: &str) -> Result<Vec<Keysym>, ScreenError> {
    if combo.chars().nth(LONGEST).is_some() {
        return Err(refused(format!(
            "is longer than {LONGEST} characters; text is written with the type call"
        )));
    }
    resolve(combo).map_err(|fault| match fault {
        Fault::Said(message) => refused(message),
        Fault::Unknown(name) => {
            refused(format!("{name:?} is not a known key{}", spelling::hint(combo, &name)))
        }
    })
}

/// Why a combination is not pressed.
#[derive(Debug)]
pub(super) enum Fault {
    Said(String),
    /// A name that is not known, which may be another program's spelling.
    Unknown(String),
}

/// As [`parse`], without hints.
pub(super) fn resolve(combo: &str) -> Result<Vec<Keysym>, Fault> {
    if combo.is_empty() {
        return Err(Fault::Said("must name a key, such as \"Enter\" or \"ctrl+c\"".to_owned()));
    }
    let names = split(combo);
    let mut symbols = Vec::with_capacity(names.len());
    for name in &names {
        let symbol = keysym(name, combo)?;
        if !symbols.contains(&symbol) {
            symbols.push(symbol);
        } else if !is_modifier(symbol) {
            let message = format!("{combo:?} names {name:?} twice; press it with a call for each time");
            return Err(Fault::Said(message));
        }
    }
    if symbols.iter().any(|&symbol| is_commanding(symbol)) {
        symbols.iter_mut().for_each(|symbol| *symbol = lower_case(*symbol));
    }
    symbols.sort_by_key(|&symbol| !is_modifier(symbol));
    Ok(symbols)
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

/// Whether these are the digits of a code point as Unicode writes one.
fn is_code_point(digits: &str) -> bool {
    (4..=6).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn keysym(name: &str, combo: &str) -> Result<Keysym, Fault> {
    if spelling::is_sign(name) {
        return Err(Fault::Unknown(name.to_owned()));
    }
    let mut characters = name.chars();
    match (characters.next(), characters.next()) {
        (None, _) => Err(Fault::Said(format!(
            "{combo:?} lacks a key beside a \"+\"; the plus key itself is written \"plus\""
        ))),
        (Some(character), None) if !character.is_control() || matches!(character, '\n' | '\r' | '\t') => {
            Ok(of_char(character))
        }
        _ => numbered(name).unwrap_or_else(|| named(name)),
    }
}

/// The keysym of `U+20AC`, `U20AC` or `0x20ac`, if the name has that form.
fn numbered(name: &str) -> Option<Result<Keysym, Fault>> {
    let (kind, digits) = name.split_at_checked(1)?;
    let symbol = if kind.eq_ignore_ascii_case("u") && is_code_point(digits) {
        keysyms::by_code_point(u32::from_str_radix(digits, 16).ok()?)
    } else {
        let digits = name.strip_prefix("0x").or_else(|| name.strip_prefix("0X"))?;
        u32::from_str_radix(digits, 16).ok().and_then(keysyms::by_number)
    };
    Some(symbol.ok_or_else(|| {
        let message = "is not a character or keysym that a key types; write it like U+20AC or 0xff0d";
        Fault::Said(format!("{name:?} {message}"))
    }))
}

fn named(name: &str) -> Result<Keysym, Fault> {
    let folded_name = folded(name);
    let everyday = all().find(|(_, names)| names.iter().any(|known| folded(known) == folded_name));
    if let Some((symbol, _)) = everyday {
        return Ok(symbol);
    }
    match keysyms::by_name(name) {
        Meaning::One(symbol) => Ok(symbol),
        Meaning::Several(names) => {
            let names = names.join(" or ");
            Err(Fault::Said(format!("{name:?} could be several keys, which differ in case: write {names}")))
        }
        Meaning::Unknown => Err(Fault::Unknown(name.to_owned())),
    }
}

/// The symbol of a letter in lower case, and any other symbol as it is.
pub(super) fn lower_case(symbol: Keysym) -> Keysym {
    in_case(symbol, char::to_lowercase)
}

/// The symbol of a letter in upper case, and any other symbol as it is.
pub(super) fn upper_case(symbol: Keysym) -> Keysym {
    in_case(symbol, char::to_uppercase)
}

fn in_case<C: Iterator<Item = char>>(symbol: Keysym, case: impl Fn(char) -> C) -> Keysym {
    let Some(character) = keysyms::character(symbol) else { return symbol };
    let mut changed = case(character);
    match (changed.next(), changed.next()) {
        (Some(changed), None) => of_char(changed),
        _ => symbol,
    }
}

/// Whether the symbol is a letter or a digit.
pub(super) fn is_alphanumeric(symbol: Keysym) -> bool {
    keysyms::character(symbol).is_some_and(char::is_alphanumeric)
}

/// A modifier that does the same, for a keyboard without this one.
pub(super) fn twin(symbol: Keysym) -> Option<Keysym> {
    match symbol {
        // Right Alt is AltGr in many layouts.
        0xffe7 | 0xffe8 | 0xffea => Some(0xffe9),
        SHIFT_R => Some(SHIFT_L),
        0xffe4 => Some(0xffe3),
        0xffec..=0xffee => Some(0xffeb),
        _ => None,
    }
}

fn refused(message: impl Into<String>) -> ScreenError {
    ScreenError::bad_input("key", message)
}

/// A name without what does not count: case, `_`, `-` and spaces.
pub(super) fn folded(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
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
    fn the_table_has_a_row_for_each_key_and_tells_families_by_their_ends() {
        let table = table();
        assert_eq!(table.lines().count(), 2 + NAMED.len() + FAMILIES.len());
        for row in [
            "| `Enter` | `Return`, `Linefeed` |",
            "| `F1` to `F35` | – |",
            "| `KP_0` to `KP_9` | `Numpad0` to `Numpad9`, `Num0` to `Num9` |",
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
            ("F36", "did you mean F3, F6, F16?"),
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
