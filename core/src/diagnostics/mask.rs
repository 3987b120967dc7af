//! Makes external text safe for errors and logs.
//!
//! External text is text of responses, close reasons and platform failures. [`Mask`] masks the secrets in this text,
//! and escapes the characters that a terminal or a log viewer would interpret or hide.

use std::ops::Range;

use crate::encoding::json::{quote, write_escape};
use crate::encoding::percent::percent_decode;
use crate::encoding::text::{part, take_field};

/// The replacement of a secret.
pub(crate) const MASK: &str = "***";

/// The maximum length of masked text, in bytes. An ellipsis can follow.
const MAX_TEXT: usize = 4096;

/// The shortest masked secret, in bytes. Masking shorter secrets would make the text unreadable.
const MIN_SECRET: usize = 4;

/// The shortest masked part of a header field or a query, in bytes. A shorter part is taken for a scheme or a flag.
const MIN_PART: usize = 8;

/// The largest number of backslashes before an escaped character. JSON in JSON in JSON has seven.
const MAX_BACKSLASHES: usize = 7;

/// The length of the longest form of a byte: `\u00e9`, with the backslashes of nested JSON.
const MAX_ESCAPED_BYTE: usize = 5 + MAX_BACKSLASHES;

/// A field whose name contains one of these words is a secret.
const SECRET_FIELDS: [&str; 5] = ["password", "secret", "token", "authorization", "api_key"];

/// A header field whose name contains one of these words is a secret.
const SECRET_HEADERS: [&str; 7] = ["auth", "cookie", "key", "password", "secret", "session", "token"];

/// Masks the secrets in external text.
///
/// Known secrets are found in every form in which a server may echo them: each character plain, percent-encoded, or
/// escaped in JSON. Unknown secrets are found by their position: the value of a field whose name suggests a secret, and
/// the query of a URL.
#[derive(Clone, Default, PartialEq)]
pub struct Mask(Vec<String>);

impl Mask {
    /// Creates a mask for one known secret. See [`add`](Self::add).
    #[must_use]
    pub fn of(secret: &str) -> Self {
        let mut mask = Self::default();
        mask.add(secret);
        mask
    }

    /// Adds a known secret. A secret of fewer than 4 bytes is ignored.
    pub fn add(&mut self, secret: &str) {
        if secret.len() >= MIN_SECRET {
            self.0.push(secret.to_owned());
        }
    }

    /// Adds the parts of the value of a header field, if the name of the field suggests credentials.
    pub fn add_header(&mut self, name: &str, value: &str) {
        let secret = |word: &&str| (0..name.len()).any(|at| begins(&name.as_bytes()[at..], word));
        if SECRET_HEADERS.iter().any(secret) {
            let mut rest = value;
            while !rest.is_empty() {
                self.add_part(take_field(&mut rest, b" ,;="));
            }
        }
    }

    /// Adds the query values of a URL, because a signed URL contains its own credentials.
    pub fn add_query(&mut self, url: &str) {
        let mut rest = url;
        take_field(&mut rest, b"?");
        while !rest.is_empty() {
            let mut value = take_field(&mut rest, b"&");
            take_field(&mut value, b"=");
            self.add_part(value);
        }
    }

    fn add_part(&mut self, part: &str) {
        if part.len() >= MIN_PART {
            self.add(&percent_decode(part));
        }
    }

    /// Returns the text as one line, with masked secrets and escaped control characters. Text beyond 4 KiB is replaced
    /// by an ellipsis.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.make_safe(text.as_bytes(), false)
    }

    /// Returns the body of a response, with masked secrets and escaped control characters. Line breaks and tabs are
    /// kept. Text beyond 4 KiB is replaced by an ellipsis. The escapes are those of JSON, so a complete JSON body keeps
    /// its value.
    #[must_use]
    pub fn body(&self, body: &[u8]) -> String {
        self.make_safe(body, true)
    }

    fn make_safe(&self, body: &[u8], keeps_lines: bool) -> String {
        let read = &body[..body.len().min(4 * MAX_TEXT)];
        let known = masked(read, &|text, at| {
            let end = self.0.iter().filter_map(|secret| end_of_echo(text, at, secret)).max()?;
            Some(at..end)
        });
        let shown = masked(&known, &|text, at| field_at(text, at).or_else(|| query_at(text, at)));
        let text = String::from_utf8_lossy(&shown);
        let mut whole = text.len();
        if read.len() < body.len() {
            // The end may contain a part of a secret.
            let longest = self.0.iter().map(String::len).max().unwrap_or_default() * MAX_ESCAPED_BYTE;
            whole = text.floor_char_boundary(whole.saturating_sub(longest));
        }
        let mut kept = escaped(part(&text, ..whole), keeps_lines);
        if kept.len() > MAX_TEXT || read.len() < body.len() {
            kept.truncate(kept.floor_char_boundary(MAX_TEXT));
            kept.push('…');
        }
        kept
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({} secrets)", self.0.len())
    }
}

/// Ranges of characters that move the cursor, change the text direction, or are invisible. The joiners U+200C and
/// U+200D are not included, because some scripts need them.
const CONTROLS: [(char, char); 11] = [
    // C0, DEL and C1.
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    // Soft hyphen.
    ('\u{ad}', '\u{ad}'),
    // Arabic letter mark; left-to-right and right-to-left mark.
    ('\u{61c}', '\u{61c}'),
    ('\u{200e}', '\u{200f}'),
    // Zero-width space.
    ('\u{200b}', '\u{200b}'),
    // Line and paragraph separators, embeddings and overrides of the bidirectional algorithm.
    ('\u{2028}', '\u{202e}'),
    // Word joiner, invisible operators, isolates.
    ('\u{2060}', '\u{206f}'),
    // Byte order mark.
    ('\u{feff}', '\u{feff}'),
    // Interlinear annotations.
    ('\u{fff9}', '\u{fffb}'),
    // Tags: invisible ASCII.
    ('\u{e0000}', '\u{e007f}'),
];

/// Returns the text with [`CONTROLS`] escaped as in JSON. With `keeps_lines`, line breaks and tabs are kept.
fn escaped(text: &str, keeps_lines: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        let kept = keeps_lines && matches!(character, '\n' | '\r' | '\t');
        if !kept && CONTROLS.iter().any(|(first, last)| (*first..=*last).contains(&character)) {
            write_escape(character, &mut escaped);
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Returns text of the caller in quotation marks, with escaped control characters. `{:?}` would add 5 kB of tables to a
/// page.
pub(crate) fn in_quotes(text: &str) -> String {
    escaped(&quote(text), false)
}

/// Returns the range of a secret that is recognized at an index of a text.
type Finder<'a> = &'a dyn Fn(&[u8], usize) -> Option<Range<usize>>;

/// Returns the text with each secret masked.
fn masked(text: &[u8], secret_at: Finder<'_>) -> Vec<u8> {
    let mut shown = Vec::with_capacity(text.len());
    let mut from = 0;
    for at in 0..text.len() {
        if at >= from
            && let Some(secret) = secret_at(text, at)
        {
            shown.extend_from_slice(&text[from..secret.start]);
            shown.extend_from_slice(MASK.as_bytes());
            from = secret.end;
        }
    }
    shown.extend_from_slice(&text[from..]);
    shown
}

/// Returns the end of an occurrence of `secret` that starts at the index `at`. Each character can have a different
/// form.
fn end_of_echo(text: &[u8], at: usize, secret: &str) -> Option<usize> {
    let mut ends = vec![at];
    for c in secret.chars() {
        // There can be several ends, because one form can be the start of another form, such as `%` of `%25`.
        let mut next = Vec::new();
        for end in ends {
            // JSON escapes a character with a backslash. Nested JSON uses several backslashes.
            for start in end..=end + MAX_BACKSLASHES {
                for length in lengths_of_forms(text.get(start..).unwrap_or_default(), c) {
                    if length > 0 && !next.contains(&(start + length)) {
                        next.push(start + length);
                    }
                }
                if text.get(start) != Some(&b'\\') {
                    break;
                }
            }
        }
        if next.is_empty() {
            return None;
        }
        ends = next;
    }
    ends.into_iter().max()
}

/// Returns the lengths of the forms of `c` at the start of `text`: plain, as `+` in an HTML form, percent-encoded,
/// escaped in JSON. A length of 0 means that the text does not start with this form.
fn lengths_of_forms(text: &[u8], c: char) -> [usize; 4] {
    let mut buffer = [0; 4];
    let plain = c.encode_utf8(&mut buffer).as_bytes();
    let if_so = |so: bool, length: usize| if so { length } else { 0 };
    let in_url = plain.iter().enumerate().all(|(index, byte)| {
        text.get(3 * index) == Some(&b'%') && hex(text, 3 * index + 1, 2) == Some(u32::from(*byte))
    });
    let mut end = 0;
    let in_json = c.encode_utf16(&mut [0; 2]).iter().all(|unit| {
        end = skip(text, end, |byte| byte == b'\\');
        let fits = text.get(end) == Some(&b'u') && hex(text, end + 1, 4) == Some(u32::from(*unit));
        end += 5;
        fits
    });
    [
        if_so(text.starts_with(plain), plain.len()),
        if_so(c == ' ' && text.first() == Some(&b'+'), 1),
        if_so(in_url, 3 * plain.len()),
        if_so(in_json, end),
    ]
}

fn hex(text: &[u8], at: usize, digits: usize) -> Option<u32> {
    let digits = text.get(at..at + digits)?;
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
}

fn begins(text: &[u8], word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

/// Returns the first index, from `at` on, whose byte does not match.
fn skip(text: &[u8], mut at: usize, those: fn(u8) -> bool) -> usize {
    while text.get(at).is_some_and(|byte| those(*byte)) {
        at += 1;
    }
    at
}

/// Returns the range of the value of a field whose name contains a word of [`SECRET_FIELDS`] at the index `at`. The
/// field can be in JSON, in nested JSON or in a form. The function does not parse the JSON, because an error often
/// contains a body that is not valid JSON.
fn field_at(text: &[u8], at: usize) -> Option<Range<usize>> {
    let word = SECRET_FIELDS.iter().find(|word| begins(&text[at..], word))?;
    let after = skip(text, at + word.len(), |byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if text.get(after) == Some(&b'=') {
        return Some(after + 1..skip(text, after + 1, |byte| !b"& \"'<\n".contains(&byte)));
    }
    let (after, _) = quoted(text, after)?;
    let colon = skip(text, after, |byte| byte.is_ascii_whitespace());
    if text.get(colon) != Some(&b':') {
        return None;
    }
    let start = skip(text, colon + 1, |byte| byte.is_ascii_whitespace());
    let value = match quoted(text, start) {
        Some((start, escapes)) => start..end_of_string(text, start, escapes),
        None => start..skip(text, start, |byte| byte.is_ascii_digit()),
    };
    (!value.is_empty()).then_some(value)
}

/// Returns the index after a quote at the index `at`, and the number of backslashes that escape the quote.
fn quoted(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let quote = skip(text, at, |byte| byte == b'\\');
    matches!(text.get(quote), Some(b'"' | b'\'')).then_some((quote + 1, quote - at))
}

/// Returns the end of a string whose opening quote is escaped by `escapes` backslashes.
fn end_of_string(text: &[u8], mut at: usize, escapes: usize) -> usize {
    loop {
        let end = skip(text, at, |byte| !b"\\\"'".contains(&byte));
        let quote = skip(text, end, |byte| byte == b'\\');
        let run = quote - end;
        match text.get(quote) {
            None => return text.len(),
            Some(b'"' | b'\'') if run == escapes || escapes == 0 && run.is_multiple_of(2) => {
                return quote - run.min(escapes);
            }
            Some(_) => at = quote + 1,
        }
    }
}

/// Returns the range of the query of a URL whose question mark is at the index `at`.
fn query_at(text: &[u8], at: usize) -> Option<Range<usize>> {
    if text[at] != b'?' {
        return None;
    }
    let name = skip(text, at + 1, |byte| byte.is_ascii_alphanumeric() || b"-_.~%[]".contains(&byte));
    let end = skip(text, name, |byte| !byte.is_ascii_whitespace() && !b"\"'<>`".contains(&byte));
    (name > at + 1 && text.get(name) == Some(&b'=')).then_some(at + 1..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(secrets: &[&str]) -> Mask {
        let mut mask = Mask::default();
        secrets.iter().for_each(|secret| mask.add(secret));
        mask
    }

    #[test]
    fn text_in_quotes_is_one_visible_line() {
        let invisible = "a \"b\" \\ \n\u{1b} \u{202e}\u{feff} é😀";
        assert_eq!(in_quotes(invisible), r#""a \"b\" \\ \n\u001b \u202e\ufeff é😀""#);
    }

    #[test]
    fn known_secrets_are_masked_in_every_form() {
        let mask = mask(&["p@ss w/ord%+\"é"]);
        for echo in [
            "p@ss w/ord%+\"é",
            "p%40ss%20w%2Ford%25%2B%22%C3%A9",
            "p%40ss%20w%2ford%25%2b%22%c3%a9",
            "p@ss+w/ord%25%2B%22%C3%A9",
            r#"p@ss w\/ord%+\"\u00e9"#,
            r"p@ss w/ord%+\u0022\u00E9",
            r#"p@ss w\\\/ord%+\\\"\\u00e9"#,
        ] {
            assert_eq!(mask.text(&format!("<{echo}> twice {echo}")), "<***> twice ***", "{echo}");
        }
        assert_eq!(mask.text("p@ss w/ord%+\"e"), "p@ss w/ord%+\"e");
    }

    #[test]
    fn a_secret_that_looks_encoded_is_masked() {
        assert_eq!(mask(&["a%2525b"]).text("a%2525b, a%252525b"), "***, ***");
    }

    #[test]
    fn short_secrets_are_ignored() {
        assert_eq!(mask(&["p", ""]).text("the password p"), "the password p");
    }

    #[test]
    fn the_values_of_secret_fields_are_masked() {
        let cases = [
            (
                r#"{"id":"c1","vnc_password" : "hu\"nter2","ram":4}"#,
                r#"{"id":"c1","vnc_password" : "***","ram":4}"#,
            ),
            (r#"{"password":"hunt"#, r#"{"password":"***"#),
            (r#"{"password":12345678}"#, r#"{"password":***}"#),
            (r#"{"desktop_api_token":"x\\","n":"y"}"#, r#"{"desktop_api_token":"***","n":"y"}"#),
            (
                r#"{"said":"{\"password\":\"hunter2\",\"a\":1}"}"#,
                r#"{"said":"{\"password\":\"***\",\"a\":1}"}"#,
            ),
            ("{'Authorization': 'Bearer x'}", "{'Authorization': '***'}"),
            ("cols=80&token=abc%20d&rows=24", "cols=80&token=***&rows=24"),
            (r#"{"password":null,"passwords":{"a":1}}"#, r#"{"password":null,"passwords":{"a":1}}"#),
            ("the password was refused", "the password was refused"),
        ];
        for (text, shown) in cases {
            assert_eq!(Mask::default().text(text), shown);
        }
    }

    #[test]
    fn queries_are_masked() {
        let text = r#"{"url":"https://store/x.png?expires=1&sig=abc\u0026k=d","next":"/y?z"} ok? a=b"#;
        let shown = r#"{"url":"https://store/x.png?***","next":"/y?z"} ok? a=b"#;
        assert_eq!(Mask::default().text(text), shown);
    }

    #[test]
    fn parts_of_headers_and_links_are_masked() {
        let mut mask = Mask::default();
        mask.add_header("x-api-key", "sk_live_abc");
        mask.add_header("authorization", "Bearer abcdefgh");
        mask.add_header("cookie", "session=01234567; theme=dark");
        mask.add_header("x-trace", "trace-0123");
        mask.add_query("https://store/x?signature=abc%2Bdefgh%3D&expires=1");
        assert_eq!(
            mask.text("sk_live_abc abcdefgh 01234567 trace-0123 abc+defgh= abc%2bdefgh%3d dark"),
            "*** *** *** trace-0123 *** *** dark"
        );
    }

    #[test]
    fn a_shortened_body_contains_no_part_of_a_secret() {
        let secret = "0123456789".repeat(4);
        assert!(mask(&[&secret]).body(&vec![b'x'; 1 << 20]).len() < MAX_TEXT + 8);
        let fields = format!(r#""password":"{}""#, "y".repeat(4 * MAX_TEXT - 60));
        let body = format!("{fields}, key {secret}{}", "z".repeat(100));
        let kept = mask(&[&secret]).body(body.as_bytes());
        assert!(!kept.contains("01234"), "{kept}");
    }

    #[test]
    fn only_control_characters_are_escaped() {
        let mask = mask(&["hunter2\u{1b}x"]);
        assert_eq!(mask.text("a\u{1b}[2J\u{7}b\0\u{7f}\u{9b}31m"), r"a\u001b[2J\u0007b\u0000\u007f\u009b31m");
        assert_eq!(mask.text("\n\r\t"), r"\n\r\t");
        assert_eq!(mask.text("\u{202e}\u{2066}\u{2028}\u{2029}"), r"\u202e\u2066\u2028\u2029");
        assert_eq!(mask.text("\u{200b}\u{feff}\u{e0041}"), r"\u200b\ufeff\udb40\udc41");
        for plain in ["naïve → 日本語 👩\u{200d}💻 می\u{200c}خواهم", r"back\slash", " \u{a0}~"]
        {
            assert_eq!(mask.text(plain), plain);
            assert_eq!(mask.body(plain.as_bytes()), plain);
        }
        // Secrets are masked before control characters are escaped.
        assert_eq!(mask.text("<hunter2\u{1b}x>"), "<***>");
    }

    #[test]
    fn a_json_body_keeps_its_lines_and_its_value() {
        let body = "{\r\n\t\"error\": \"a\u{202e}b\u{9b}c\"\n}";
        let kept = Mask::default().body(body.as_bytes());
        assert_eq!(kept, "{\r\n\t\"error\": \"a\\u202eb\\u009bc\"\n}");
        let parse = |text: &str| crate::encoding::json::parse(text.as_bytes()).unwrap();
        assert_eq!(parse(&kept), parse(body));
    }

    #[test]
    fn the_length_of_escaped_text_is_limited() {
        let text = Mask::default().text(&"\u{1b}".repeat(1 << 20));
        assert!(text.len() <= MAX_TEXT + 3 && text.starts_with(r"\u001b\u001b") && text.ends_with('…'));
    }

    #[test]
    fn any_text_is_accepted() {
        for text in ["", "?", "password", "password\"", "\"token\":", "é?é=é", "secret=é&", r#"token":"\"#]
        {
            let _ = mask(&["é?é=é é"]).body(text.as_bytes());
        }
    }
}
