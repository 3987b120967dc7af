//! Searches for a short string in text, and parts of text. The search functions of `str` are optimized for long texts,
//! and its index operators contain long error messages. Both would add 9 kB of code to a page.

use std::slice::SliceIndex;

/// Returns a part of the text. A range outside the text, or with an end inside a character, is an error in this crate:
/// the part is then empty.
pub(crate) fn part(text: &str, range: impl SliceIndex<str, Output = str>) -> &str {
    let part = text.get(range);
    debug_assert!(part.is_some(), "the range is not a part of {text:?}");
    part.unwrap_or_default()
}

/// Splits text at the first `separator`.
pub(crate) fn split_once<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let at = text.as_bytes().windows(separator.len()).position(|window| window == separator.as_bytes())?;
    Some((part(text, ..at), part(text, at + separator.len()..)))
}

/// Replaces every occurrence of `old` in the text.
pub(crate) fn replace(mut text: &str, old: &str, new: &str) -> String {
    let mut replaced = String::new();
    while let Some((before, after)) = split_once(text, old) {
        replaced.push_str(before);
        replaced.push_str(new);
        text = after;
    }
    replaced.push_str(text);
    replaced
}

/// Joins texts. Unlike `join` of the standard library, its code exists once for all types.
pub(crate) fn join(texts: &mut dyn Iterator<Item = &str>, separator: &str) -> String {
    let mut joined = String::new();
    for (index, text) in texts.enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_joins_match_the_standard_library() {
        let text = "aé😀b";
        for (start, _) in text.char_indices() {
            assert_eq!(part(text, start..), &text[start..]);
            assert_eq!(part(text, ..start), &text[..start]);
        }
        for texts in [&[][..], &["a"], &["a", "", "é"]] {
            assert_eq!(join(&mut texts.iter().copied(), ", "), texts.join(", "));
        }
    }

    #[test]
    fn the_search_matches_the_standard_library() {
        for text in ["", "a", "://", "a://b://c", "é://", ":/:/://é", "a:/", "://://"] {
            assert_eq!(split_once(text, "://"), text.split_once("://"), "{text}");
            assert_eq!(replace(text, "://", "é"), text.replace("://", "é"), "{text}");
        }
    }
}
