//! Searches for a short string in text. The search functions of `str` are optimized for long texts, and would add 3 kB
//! of code to a page.

/// Splits text at the first `separator`.
pub(crate) fn split_once<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let at = text.as_bytes().windows(separator.len()).position(|part| part == separator.as_bytes())?;
    Some((&text[..at], &text[at + separator.len()..]))
}

/// Replaces every occurrence of `part` in the text.
pub(crate) fn replace(mut text: &str, part: &str, with: &str) -> String {
    let mut replaced = String::new();
    while let Some((before, after)) = split_once(text, part) {
        replaced.push_str(before);
        replaced.push_str(with);
        text = after;
    }
    replaced.push_str(text);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_matches_the_standard_library() {
        for text in ["", "a", "://", "a://b://c", "é://", ":/:/://é", "a:/", "://://"] {
            assert_eq!(split_once(text, "://"), text.split_once("://"), "{text}");
            assert_eq!(replace(text, "://", "é"), text.replace("://", "é"), "{text}");
        }
    }
}
