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

/// Splits text before the first of the ASCII bytes `marks`. Without one, the second part is empty.
pub(crate) fn split_before<'a>(text: &'a str, marks: &[u8]) -> (&'a str, &'a str) {
    let at = text.bytes().position(|byte| marks.contains(&byte)).unwrap_or(text.len());
    (part(text, ..at), part(text, at..))
}

/// Removes and returns the text before the first of the ASCII bytes `separators`, and removes the separator.
pub fn take_field<'a>(text: &mut &'a str, separators: &[u8]) -> &'a str {
    let (field, rest) = split_before(text, separators);
    *text = rest.get(1..).unwrap_or_default();
    field
}

/// Returns the text without the ASCII bytes `byte` at its end.
pub(crate) fn trim_end(text: &str, byte: u8) -> &str {
    part(text, ..text.bytes().rposition(|other| other != byte).map_or(0, |last| last + 1))
}

/// Parses a whole number. Unlike `parse` of the standard library, its code exists once for all types.
#[must_use]
pub fn digits(text: &str) -> Option<u64> {
    let digit = |number: u64, digit: u8| {
        let digit = digit.wrapping_sub(b'0');
        if digit < 10 { number.checked_mul(10)?.checked_add(digit.into()) } else { None }
    };
    if text.is_empty() { None } else { text.bytes().try_fold(0, digit) }
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
    fn splits_and_numbers_match_the_standard_library() {
        for text in ["", "/", "a", "a/b", "é/?", "a?b/c//", "//"] {
            let (before, after) = split_before(text, b"/?");
            assert_eq!(
                (before, format!("{before}{after}").as_str()),
                (text.split(['/', '?']).next().unwrap(), text)
            );
            assert_eq!(trim_end(text, b'/'), text.trim_end_matches('/'), "{text}");
            let mut rest = text;
            for field in text.split(['/', '?']) {
                assert_eq!(take_field(&mut rest, b"/?"), field, "{text}");
            }
            assert_eq!(rest, "");
        }
        for text in [
            "",
            "0",
            "007",
            "18446744073709551615",
            "18446744073709551616",
            "99999999999999999999",
            "-1",
            "1 ",
            "é",
        ] {
            assert_eq!(digits(text), text.parse().ok(), "{text}");
        }
        assert_eq!(digits("+1"), None);
    }

    #[test]
    fn the_search_matches_the_standard_library() {
        for text in ["", "a", "://", "a://b://c", "é://", ":/:/://é", "a:/", "://://"] {
            assert_eq!(split_once(text, "://"), text.split_once("://"), "{text}");
            assert_eq!(replace(text, "://", "é"), text.replace("://", "é"), "{text}");
        }
    }
}
