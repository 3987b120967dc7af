//! Text that came from outside (answers, close reasons, failures of a platform) as an error or a log may hold it:
//! without the secrets that a server or a platform echoes.

use std::ops::Range;

use crate::address::{percent_decode, percent_encode};

/// What stands for a secret.
pub(crate) const MASK: &str = "***";

/// The longest part of a raw body that an error keeps, in bytes.
const KEPT_BODY: usize = 4096;

/// What is shorter, in bytes, is no secret: to look for it would only garble the text.
const SHORTEST: usize = 4;

/// What is shorter, in bytes, in a header field or in a query is a scheme or a flag.
const SHORTEST_PART: usize = 8;

/// The longest form of a byte: `\u00e9`.
const LONGEST_ESCAPE: usize = 6;

/// What the name of a field with a secret holds.
const SECRET_FIELDS: [&str; 5] = ["password", "secret", "token", "authorization", "api_key"];

/// What the name of a header field with a secret holds.
const SECRET_HEADERS: [&str; 7] = ["auth", "cookie", "key", "password", "secret", "session", "token"];

/// The secrets that are known where a text comes in.
///
/// They are found in every form that a server may echo them in: each character as it is, or escaped by a URL or by
/// JSON. Secrets that are not known are told by their place: the value of a field whose name says so, and the query of
/// a URL.
#[derive(Clone, Default)]
pub struct Mask(Vec<String>);

impl Mask {
    /// The mask of one secret. See [`add`](Self::add).
    #[must_use]
    pub fn of(secret: &str) -> Self {
        let mut mask = Self::default();
        mask.add(secret);
        mask
    }

    /// Adds a secret. One of less than 4 bytes is not looked for.
    pub fn add(&mut self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.push(secret.to_owned());
        }
    }

    /// Adds the parts of a header field's value, if its name says that it holds credentials.
    pub fn add_header(&mut self, name: &str, value: &str) {
        let secret = |word: &&str| (0..name.len()).any(|at| begins(&name.as_bytes()[at..], word));
        if SECRET_HEADERS.iter().any(secret) {
            self.add_parts(value.split([' ', ',', ';', '=']));
        }
    }

    /// Adds the values in the query of a URL: whoever has a signed link can open it.
    pub fn add_query(&mut self, url: &str) {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        self.add_parts(query.split('&').filter_map(|field| Some(field.split_once('=')?.1)));
    }

    fn add_parts<'a>(&mut self, parts: impl Iterator<Item = &'a str>) {
        for part in parts.filter(|part| part.len() >= SHORTEST_PART) {
            self.add(&percent_decode(part));
        }
    }

    /// The text without secrets, at most 4 KiB of it.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.body(text.as_bytes())
    }

    /// A raw body as an error may keep it: at most 4 KiB, without secrets.
    #[must_use]
    pub fn body(&self, body: &[u8]) -> String {
        let read = body.len().min(4 * KEPT_BODY);
        let mut text = self.whole(&String::from_utf8_lossy(&body[..read]));
        let mut kept = text.len().min(KEPT_BODY);
        if read < body.len() {
            // The cut may have gone through a secret, whose beginning is then at the end.
            let longest = self.0.iter().map(String::len).max().unwrap_or_default() * LONGEST_ESCAPE;
            kept = kept.min(text.len().saturating_sub(longest));
        }
        if kept < text.len() {
            text.truncate(text.floor_char_boundary(kept));
            text.push('…');
        }
        text
    }

    fn whole(&self, text: &str) -> String {
        let echoes: Vec<Echo> = self.0.iter().map(|secret| Echo::of(secret)).collect();
        let echo = |text: &str, at: usize| {
            let length = echoes.iter().filter_map(|echo| echo.length(&text.as_bytes()[at..])).max()?;
            Some(at..at + length)
        };
        [&echo, &field_at as &dyn Fn(&str, usize) -> _, &query_at]
            .into_iter()
            .fold(text.to_owned(), |text, secret_at| masked(&text, secret_at))
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({} secrets)", self.0.len())
    }
}

/// The text with a mask for each secret; `secret_at` says what of the text is a secret that shows itself at a place.
fn masked(text: &str, secret_at: impl Fn(&str, usize) -> Option<Range<usize>>) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.char_indices() {
        if at >= from
            && let Some(secret) = secret_at(text, at)
        {
            shown.push_str(&text[from..secret.start]);
            shown.push_str(MASK);
            from = secret.end;
        }
    }
    shown.push_str(&text[from..]);
    shown
}

/// Every form of each character of a secret.
struct Echo(Vec<Vec<String>>);

impl Echo {
    fn of(secret: &str) -> Self {
        Self(secret.chars().map(forms).collect())
    }

    /// How long the secret is at the start of a text, in whatever mixture of its forms.
    fn length(&self, text: &[u8]) -> Option<usize> {
        let mut ends = vec![0];
        for forms in &self.0 {
            // One form may be the beginning of another, as `%` of `%25`; and JSON in JSON has more backslashes.
            let mut next = Vec::new();
            for end in ends {
                let escapes = text[end..].iter().take_while(|byte| **byte == b'\\').count();
                for start in end..=end + escapes {
                    next.extend(
                        forms
                            .iter()
                            .filter(|form| begins(&text[start..], form))
                            .map(|form| start + form.len()),
                    );
                }
            }
            next.sort_unstable();
            next.dedup();
            ends = next;
            if ends.is_empty() {
                return None;
            }
        }
        ends.into_iter().max()
    }
}

/// A character as it is, in a URL, in a form, and in JSON, without the backslashes.
fn forms(c: char) -> Vec<String> {
    let plain = c.to_string();
    let in_url = match c {
        c if c.is_ascii() => format!("%{:02X}", u32::from(c)),
        _ => percent_encode(&plain),
    };
    let in_json = c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("u{unit:04x}")).collect();
    let mut forms = vec![plain, in_url, in_json];
    if c == ' ' {
        forms.push("+".to_owned());
    }
    forms
}

fn begins(text: &[u8], word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

/// The value of a field whose name has a word for secrets at this place: of JSON, also where that is a string in
/// JSON, and of a form. It goes by the text and not by what JSON's rules make of it, because a body that an error
/// keeps is often one that did not parse.
fn field_at(text: &str, at: usize) -> Option<Range<usize>> {
    let word = SECRET_FIELDS.iter().find(|word| begins(&text.as_bytes()[at..], word))?;
    let rest = text[at + word.len()..].trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if let Some(value) = rest.strip_prefix('=') {
        let start = text.len() - value.len();
        return Some(start..start + value.find(['&', ' ', '"', '\'', '<', '\n']).unwrap_or(value.len()));
    }
    let (_, rest) = quoted(rest)?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start();
    let (start, length) = match quoted(value) {
        Some((escapes, text)) => (text, end_of_string(text, escapes)),
        None => (value, value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len())),
    };
    let start = text.len() - start.len();
    (length > 0).then_some(start..start + length)
}

/// What follows a quote, and by how many backslashes the quote is escaped.
fn quoted(text: &str) -> Option<(usize, &str)> {
    let quote = text.trim_start_matches('\\');
    Some((text.len() - quote.len(), quote.strip_prefix(['"', '\''])?))
}

/// Where a string ends whose first quote is escaped by so many backslashes.
fn end_of_string(text: &str, escapes: usize) -> usize {
    let mut run = 0;
    for (at, c) in text.char_indices() {
        match c {
            '\\' => run += 1,
            '"' | '\'' if run == escapes || escapes == 0 && run % 2 == 0 => return at - run.min(escapes),
            _ => run = 0,
        }
    }
    text.len()
}

/// The query of a URL whose question mark is at this place.
fn query_at(text: &str, at: usize) -> Option<Range<usize>> {
    let query = text[at..].strip_prefix('?')?;
    let name = query.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_.~%[]".contains(c));
    (name.len() < query.len() && name.starts_with('=')).then(|| {
        let end = query.find(|c: char| c.is_whitespace() || "\"'<>`".contains(c)).unwrap_or(query.len());
        at + 1..at + 1 + end
    })
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
    fn a_known_secret_is_found_in_every_form() {
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
    fn a_secret_that_looks_encoded_is_found_as_it_is() {
        assert_eq!(mask(&["a%2525b"]).text("a%2525b, a%252525b"), "***, ***");
    }

    #[test]
    fn what_is_too_short_for_a_secret_garbles_nothing() {
        assert_eq!(mask(&["p", ""]).text("the password p"), "the password p");
    }

    #[test]
    fn fields_for_secrets_lose_their_values() {
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
    fn a_query_is_not_shown() {
        let text = r#"{"url":"https://store/x.png?expires=1&sig=abc\u0026k=d","next":"/y?z"} ok? a=b"#;
        let shown = r#"{"url":"https://store/x.png?***","next":"/y?z"} ok? a=b"#;
        assert_eq!(Mask::default().text(text), shown);
    }

    #[test]
    fn parts_of_headers_and_links_are_secrets() {
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
    fn a_kept_body_is_bounded_also_where_the_cut_goes_through_a_secret() {
        let secret = "0123456789".repeat(4);
        assert!(mask(&[&secret]).body(&vec![b'x'; 1 << 20]).len() < KEPT_BODY + 8);
        let fields = format!(r#""password":"{}""#, "y".repeat(4 * KEPT_BODY - 60));
        let body = format!("{fields}, key {secret}{}", "z".repeat(100));
        let kept = mask(&[&secret]).body(body.as_bytes());
        assert!(!kept.contains("01234"), "{kept}");
    }

    #[test]
    fn any_text_is_taken() {
        for text in ["", "?", "password", "password\"", "\"token\":", "é?é=é", "secret=é&", r#"token":"\"#]
        {
            let _ = mask(&["é?é=é é"]).body(text.as_bytes());
        }
    }
}
