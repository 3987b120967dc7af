//! Hints for names of keys that are not known: the right spelling of what was probably meant.

use super::keys::{self, folded};
use super::keysyms;

/// Signs that people write for keys. As text they can be typed, so as keys they are refused: either could be meant.
const SIGNS: &[(char, &str)] = &[
    ('⌘', "super"),
    ('⌃', "ctrl"),
    ('⎈', "ctrl"),
    ('⌥', "alt"),
    ('⎇', "alt"),
    ('⇧', "shift"),
    ('❖', "super"),
    ('⊞', "super"),
    ('⇪', "Caps_Lock"),
    ('⏎', "Enter"),
    ('↵', "Enter"),
    ('↩', "Enter"),
    ('⌤', "KP_Enter"),
    ('⎋', "Escape"),
    ('⇥', "Tab"),
    ('↹', "Tab"),
    ('⌫', "Backspace"),
    ('⌦', "Delete"),
    ('␣', "Space"),
    ('←', "Left"),
    ('→', "Right"),
    ('↑', "Up"),
    ('↓', "Down"),
    ('⇞', "Page_Up"),
    ('⇟', "Page_Down"),
    ('↖', "Home"),
    ('↘', "End"),
];

/// Follows a sign to show it as an emoji.
const EMOJI_STYLE: char = '\u{fe0f}';

/// Emacs' modifiers.
const EMACS: &[(&str, &str)] = &[("C", "ctrl"), ("M", "alt"), ("A", "alt"), ("S", "shift"), ("s", "super")];

/// What other programs put before the name of a key. Compared without regard to case.
const PREFIXES: [&str; 5] = ["key.", "keys.", "xk_", "vk_", "key_"];
/// What they put around one.
const QUOTES: [(char, char); 6] = [('<', '>'), ('{', '}'), ('[', ']'), ('"', '"'), ('\'', '\''), ('`', '`')];
/// What stands between keys instead of `+`.
const SEPARATORS: [char; 6] = ['-', ',', '&', '|', '_', '/'];

/// Escapes in a string that was escaped twice.
const ESCAPES: &[(&str, &str)] = &[("\\n", "Enter"), ("\\r", "Enter"), ("\\t", "Tab"), ("\\b", "Backspace")];

/// Whether people write this single character for a key.
pub(super) fn is_sign(name: &str) -> bool {
    let mut characters = name.trim_end_matches(EMOJI_STYLE).chars();
    matches!((characters.next(), characters.next()), (Some(character), None) if sign(character).is_some())
}

fn sign(character: char) -> Option<&'static str> {
    SIGNS.iter().find(|(sign, _)| *sign == character).map(|&(_, name)| name)
}

/// What to do about a combination with a name that is not known, as the rest of a sentence: the right spelling of what was
/// probably meant.
pub(super) fn hint(combo: &str, name: &str) -> String {
    if let Some(sequence) = sequence(combo) {
        return format!("; press one after the other, each with a call of its own: {sequence}");
    }
    if folded(name) == "fn" {
        return "; no keyboard sends it: name the key that it makes, such as F5 or AudioVolumeMute"
            .to_owned();
    }
    if let Some(right) = respelled(combo) {
        let or = if combo.contains('⌘') && right.starts_with("super+") {
            format!(", or {:?}, the shortcut of most applications here", right.replacen("super", "ctrl", 1))
        } else if combo == name && is_sign(name) {
            " The character itself is written with the type call".to_owned()
        } else {
            String::new()
        };
        return match or.strip_prefix(' ') {
            Some(sentence) => format!("; did you mean {right:?}? {sentence}"),
            None => format!("; did you mean {right:?}{or}?"),
        };
    }
    if name.chars().all(|character| character.is_ascii_digit()) {
        return "; a number must be a keysym in hexadecimal, such as 0xff0d for Enter".to_owned();
    }
    match &near(name)[..] {
        [] => {
            "; use names such as Enter, Page_Up, F5, ctrl+c, or one character; text is written with the type call"
                .to_owned()
        }
        near => format!("; did you mean {}?", near.join(", ")),
    }
}

/// The steps of several combinations in a row, such as `ctrl+k ctrl+c`.
fn sequence(combo: &str) -> Option<String> {
    let words: Vec<&str> = combo.split_whitespace().collect();
    let steps = words.iter().map(|word| keys::resolve(word).ok()).collect::<Option<Vec<_>>>()?;
    let (_, before) = steps.split_last()?;
    let whole = |step: &Vec<_>| step.iter().any(|&symbol| !keys::is_modifier(symbol));
    (!before.is_empty() && before.iter().any(whole))
        .then(|| words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", then "))
}

/// The combination in the spelling of this server, if there is one that is certain.
fn respelled(combo: &str) -> Option<String> {
    candidates(combo).into_iter().find(|right| right != combo && keys::resolve(right).is_ok())
}

fn candidates(combo: &str) -> Vec<String> {
    let bare = bare(combo);
    let mut candidates = Vec::new();
    if let Some((_, name)) = ESCAPES.iter().find(|(escape, _)| *escape == combo) {
        candidates.push((*name).to_owned());
    }
    // ⌘c, ⌘+c, Ctrl+⏎
    let spelled: String =
        combo.trim_end_matches(EMOJI_STYLE).chars().fold(String::new(), |spelled, character| {
            match sign(character) {
                Some(name) if spelled.is_empty() || spelled.ends_with('+') => spelled + name + "+",
                Some(name) => spelled + "+" + name + "+",
                None if character == '+' && spelled.ends_with('+') => spelled,
                None => spelled + &character.to_string(),
            }
        });
    candidates.push(spelled.strip_suffix('+').unwrap_or(&spelled).to_owned());
    // ^c, ^C
    if let Some(control) = combo.strip_prefix('^').filter(|rest| !rest.is_empty()) {
        candidates.push(format!("ctrl+{}", control.to_lowercase()));
    }
    // C-c, <C-c>, M-x; a capital after it is meant.
    candidates.extend(emacs(&bare));
    // <Control>c, <ctrl><shift>t
    if combo.contains('>') {
        candidates.push(combo.replace('<', "").replace('>', "+"));
    }
    // {ENTER}, "Enter", Key.enter, VK_RETURN, also within a combination
    candidates.push(bare.split('+').map(self::bare).collect::<Vec<_>>().join("+"));
    // Copy, Power, Eject
    candidates.push(bare.split('+').map(whole_name).collect::<Vec<_>>().join("+"));
    // ctrl-c, ctrl c, CTRL, C
    let words = |separators: &dyn Fn(char) -> bool| {
        let words = bare.split(|character| character == '+' || separators(character));
        words.map(str::trim).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("+")
    };
    candidates.push(words(&char::is_whitespace));
    candidates.push(words(&|character| character.is_whitespace() || SEPARATORS.contains(&character)));
    // ctrlc, altF4
    let modifiers = ["ctrl", "control", "alt", "shift", "super", "cmd", "win"];
    candidates.extend(modifiers.iter().filter_map(|modifier| {
        let start = bare.get(..modifier.len()).filter(|start| start.eq_ignore_ascii_case(modifier))?;
        Some(format!("{}+{}", start.to_lowercase(), &bare[modifier.len()..]))
    }));
    candidates
}

/// The name of a multimedia key with its prefix, if it was left out.
fn whole_name(name: &str) -> &str {
    let name_of = |known: &&str| known.strip_prefix("XF86").is_some_and(|rest| folded(rest) == folded(name));
    if keys::resolve(name).is_ok() { name } else { keysyms::names().find(name_of).unwrap_or(name) }
}

fn emacs(bare: &str) -> Option<String> {
    let mut rest = bare;
    let mut right = String::new();
    while let Some((modifier, after)) = rest.split_once('-').filter(|(_, after)| !after.is_empty()) {
        let (_, name) = EMACS.iter().find(|(letter, _)| *letter == modifier)?;
        right = right + name + "+";
        rest = after;
    }
    (!right.is_empty()).then(|| right + rest)
}

/// The name without what other programs put around and before it.
fn bare(name: &str) -> String {
    let mut name = name.trim();
    for (open, close) in QUOTES {
        if let Some(inner) = name.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
            name = inner.trim();
        }
    }
    let prefixed = PREFIXES.iter().find(|prefix| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            && name.len() > prefix.len()
    });
    prefixed.map_or(name, |prefix| &name[prefix.len()..]).to_owned()
}

/// At most three names that differ from `name` by a slip, those that are as near as any.
fn near(name: &str) -> Vec<String> {
    let name = folded(name);
    let length = name.chars().count();
    if length < 3 {
        return Vec::new();
    }
    let tolerated = if length < 6 { 1 } else { 2 };
    let nearest = |names: Vec<String>| {
        let measured = names.into_iter().map(|known| (edit_distance(&name, &folded(&known)), known));
        measured.min_by_key(|&(distance, _)| distance)
    };
    let best = |found: Vec<(usize, String)>| {
        let least = found.iter().map(|&(distance, _)| distance).min();
        let names = found.into_iter().filter(|&(distance, _)| Some(distance) == least);
        names.map(|(_, name)| name).take(3).collect::<Vec<_>>()
    };
    let everyday = best(
        keys::all()
            .filter_map(|(_, names)| nearest(names))
            .filter(|&(distance, _)| distance <= tolerated)
            .collect(),
    );
    if !everyday.is_empty() || length < 5 {
        return everyday;
    }
    let mut rare: Vec<&str> =
        keysyms::names().filter(|known| edit_distance(&name, &folded(known)) == 1).collect();
    rare.sort_unstable();
    rare.into_iter().take(3).map(str::to_owned).collect()
}

/// Number of slips between two names: a character too many, too few or wrong, or two neighbors exchanged (the restricted
/// Damerau–Levenshtein distance).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}
