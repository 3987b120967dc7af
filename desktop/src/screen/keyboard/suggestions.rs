//! Suggestions for unknown key names.

use super::{
    keys::{self, normalized},
    keysyms,
};

/// The symbols of keys, with key names. A symbol is rejected as a key name, because it may mean the key or the
/// character.
const GLYPHS: &[(char, &str)] = &[
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

/// The variation selector that displays the preceding symbol as an emoji.
const EMOJI_STYLE: char = '\u{fe0f}';

/// The modifier letters of Emacs, with modifier names.
const EMACS: &[(&str, &str)] = &[("C", "ctrl"), ("M", "alt"), ("A", "alt"), ("S", "shift"), ("s", "super")];

/// The prefixes of key names in other programs. Comparisons ignore case.
const PREFIXES: [&str; 5] = ["key.", "keys.", "xk_", "vk_", "key_"];
/// The pairs of characters that enclose key names in other programs.
const QUOTES: [(char, char); 6] = [('<', '>'), ('{', '}'), ('[', ']'), ('"', '"'), ('\'', '\''), ('`', '`')];
/// The separators between keys in other programs.
const SEPARATORS: [char; 6] = ['-', ',', '&', '|', '_', '/'];

/// The escape sequences that remain in a string that was escaped twice, with key names.
const ESCAPES: &[(&str, &str)] = &[("\\n", "Enter"), ("\\r", "Enter"), ("\\t", "Tab"), ("\\b", "Backspace")];

/// Returns whether the name is a single symbol of a key.
pub(super) fn is_glyph(name: &str) -> bool {
    let mut characters = name.trim_end_matches(EMOJI_STYLE).chars();
    matches!((characters.next(), characters.next()), (Some(character), None) if glyph_name(character).is_some())
}

fn glyph_name(character: char) -> Option<&'static str> {
    GLYPHS.iter().find(|(glyph, _)| *glyph == character).map(|&(_, name)| name)
}

/// Returns a suggestion for a combination with an unknown name. The suggestion is appended to the error message, so it
/// starts with `;`.
pub(super) fn suggest(combo: &str, name: &str) -> String {
    if let Some(sequence) = sequence(combo) {
        return format!("; use one call for each combination: {sequence}");
    }
    if normalized(name) == "fn" {
        return "; keyboards do not send it: name the resulting key, such as F5 or AudioVolumeMute"
            .to_owned();
    }
    if let Some(right) = corrected(combo) {
        let addition = if combo.contains('⌘') && right.starts_with("super+") {
            format!(", or {:?}, the shortcut in most applications here", right.replacen("super", "ctrl", 1))
        } else if combo == name && is_glyph(name) {
            " Use the type call for the character itself".to_owned()
        } else {
            String::new()
        };
        return match addition.strip_prefix(' ') {
            Some(sentence) => format!("; did you mean {right:?}? {sentence}"),
            None => format!("; did you mean {right:?}{addition}?"),
        };
    }
    if name.chars().all(|character| character.is_ascii_digit()) {
        return "; a number must be a keysym in hexadecimal, such as 0xff0d for Enter".to_owned();
    }
    match &similar_names(name)[..] {
        [] => "; use names such as Enter, Page_Up, F5, ctrl+c, or one character; use the type call for text"
            .to_owned(),
        names => format!("; did you mean {}?", names.join(", ")),
    }
}

/// Parses a sequence of combinations such as `ctrl+k ctrl+c`. Returns the quoted combinations, joined by `, then `.
fn sequence(combo: &str) -> Option<String> {
    let words: Vec<&str> = combo.split_whitespace().collect();
    let steps = words.iter().map(|word| keys::resolve(word).ok()).collect::<Option<Vec<_>>>()?;
    let (_, before) = steps.split_last()?;
    let whole = |step: &Vec<_>| step.iter().any(|&keysym| !keys::is_modifier(keysym));
    (!before.is_empty() && before.iter().any(whole))
        .then(|| words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", then "))
}

/// Returns the first valid candidate that differs from the combination.
fn corrected(combo: &str) -> Option<String> {
    candidates(combo).into_iter().find(|right| right != combo && keys::resolve(right).is_ok())
}

/// Interprets a combination in all supported spellings of other programs. Returns the results as candidates.
fn candidates(combo: &str) -> Vec<String> {
    let unwrapped = unwrapped(combo);
    let mut candidates = Vec::new();
    if let Some((_, name)) = ESCAPES.iter().find(|(escape, _)| *escape == combo) {
        candidates.push((*name).to_owned());
    }
    // ⌘c, ⌘+c, Ctrl+⏎
    let spelled: String = combo.trim_end_matches(EMOJI_STYLE).chars().fold(
        String::new(),
        |spelled, character| match glyph_name(character) {
            Some(name) if spelled.is_empty() || spelled.ends_with('+') => spelled + name + "+",
            Some(name) => spelled + "+" + name + "+",
            None if character == '+' && spelled.ends_with('+') => spelled,
            None => spelled + &character.to_string(),
        },
    );
    candidates.push(spelled.strip_suffix('+').unwrap_or(&spelled).to_owned());
    // ^c, ^C
    if let Some(control) = combo.strip_prefix('^').filter(|rest| !rest.is_empty()) {
        candidates.push(format!("ctrl+{}", control.to_lowercase()));
    }
    // C-c, <C-c>, M-x. The case of the key is preserved.
    candidates.extend(emacs(&unwrapped));
    // <Control>c, <ctrl><shift>t
    if combo.contains('>') {
        candidates.push(combo.replace('<', "").replace('>', "+"));
    }
    // {ENTER}, "Enter", Key.enter, VK_RETURN, also as a part of a combination
    candidates.push(unwrapped.split('+').map(self::unwrapped).collect::<Vec<_>>().join("+"));
    // Copy, Power, Eject
    candidates.push(unwrapped.split('+').map(with_xf86_prefix).collect::<Vec<_>>().join("+"));
    // ctrl-c, ctrl c, CTRL, C
    let words = |separators: &dyn Fn(char) -> bool| {
        let words = unwrapped.split(|character| character == '+' || separators(character));
        words.map(str::trim).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("+")
    };
    candidates.push(words(&char::is_whitespace));
    candidates.push(words(&|character| character.is_whitespace() || SEPARATORS.contains(&character)));
    // ctrlc, altF4
    let modifiers = ["ctrl", "control", "alt", "shift", "super", "cmd", "win"];
    candidates.extend(modifiers.iter().filter_map(|modifier| {
        let start = unwrapped.get(..modifier.len()).filter(|start| start.eq_ignore_ascii_case(modifier))?;
        Some(format!("{}+{}", start.to_lowercase(), &unwrapped[modifier.len()..]))
    }));
    candidates
}

/// Returns the X11 name of a multimedia key, which has the prefix `XF86`. Returns other names unchanged.
fn with_xf86_prefix(name: &str) -> &str {
    let name_of =
        |known: &&str| known.strip_prefix("XF86").is_some_and(|rest| normalized(rest) == normalized(name));
    if keys::resolve(name).is_ok() { name } else { keysyms::names().find(name_of).unwrap_or(name) }
}

/// Converts a combination from the notation of Emacs.
fn emacs(unwrapped: &str) -> Option<String> {
    let mut rest = unwrapped;
    let mut right = String::new();
    while let Some((modifier, after)) = rest.split_once('-').filter(|(_, after)| !after.is_empty()) {
        let (_, name) = EMACS.iter().find(|(letter, _)| *letter == modifier)?;
        right = right + name + "+";
        rest = after;
    }
    (!right.is_empty()).then(|| right + rest)
}

/// Removes the enclosing characters and the prefixes that other programs use.
fn unwrapped(name: &str) -> String {
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

/// Returns at most three names with the smallest edit distance to `name`. Common names take precedence over other X11
/// names.
fn similar_names(name: &str) -> Vec<String> {
    let name = normalized(name);
    let length = name.chars().count();
    if length < 3 {
        return Vec::new();
    }
    let max_distance = if length < 6 { 1 } else { 2 };
    let nearest = |names: Vec<String>| {
        let measured = names.into_iter().map(|known| (edit_distance(&name, &normalized(&known)), known));
        measured.min_by_key(|&(distance, _)| distance)
    };
    let best = |found: Vec<(usize, String)>| {
        let least = found.iter().map(|&(distance, _)| distance).min();
        let names = found.into_iter().filter(|&(distance, _)| Some(distance) == least);
        names.map(|(_, name)| name).take(3).collect::<Vec<_>>()
    };
    let common = best(
        keys::all()
            .filter_map(|(_, names)| nearest(names))
            .filter(|&(distance, _)| distance <= max_distance)
            .collect(),
    );
    if !common.is_empty() || length < 5 {
        return common;
    }
    let mut rare: Vec<&str> =
        keysyms::names().filter(|known| edit_distance(&name, &normalized(known)) == 1).collect();
    rare.sort_unstable();
    rare.into_iter().take(3).map(str::to_owned).collect()
}

/// Returns the restricted Damerau–Levenshtein distance: the minimum number of insertions, deletions, replacements and
/// swaps of adjacent characters.
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
