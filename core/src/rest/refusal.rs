//! Extracts the reason of an error response as one line of text. The body can be JSON of this service or another one,
//! an HTML page of a proxy, XML of a file store, or plain text.

use crate::encoding::json::{self, Value};
use crate::encoding::text::{join, part};

/// The longest reason from a body that is not JSON, in characters.
const MAX_CHARACTERS: usize = 200;
/// The length of the part of a body that is searched for a title, in bytes.
const MAX_SEARCHED: usize = 64 << 10;
/// The length of the longest character reference in markup, such as `&#x1F600;`, in bytes.
const MAX_REFERENCE: usize = 10;
/// The largest number of list items in a reason.
const MAX_LIST_ITEMS: usize = 3;

/// The fields that name a problem, and the fields that explain a problem, in order of preference. These fields are used
/// by this service, RFC 9457, RFC 6749, FastAPI, JSON:API and AWS.
const NAMES: [&str; 2] = ["error", "title"];
const EXPLANATIONS: [&str; 8] =
    ["message", "Message", "error_description", "detail", "errors", "reason", "msg", "description"];

/// The reason for a redirect that is not followed.
pub const REDIRECTED: &str =
    "the server redirects this call; only reads follow redirects, on the same origin: check `baseUrl`";

/// Returns whether a status redirects a request.
pub(crate) fn redirects(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Extracts the reason from the body of an error response. `mask` masks the secrets in text. `mask` runs before the
/// text is shortened, because it does not recognize a part of a secret.
pub fn of(status: u16, body: &[u8], mask: impl Fn(&str) -> String) -> String {
    let redirects = redirects(status);
    let none = if redirects { REDIRECTED } else { "the server gave no reason" };
    if let Ok(value) = json::parse(body) {
        return match of_json(&value) {
            Some(text) => mask(&text),
            None => none.to_owned(),
        };
    }
    // The page of a redirect contains no reason.
    if redirects {
        return none.to_owned();
    }
    if body.starts_with(&[0x1f, 0x8b]) {
        return format!("{none} that can be read: its response is compressed (gzip)");
    }
    let body = &body[..body.len().min(MAX_SEARCHED)];
    let Some(text) = decode(body) else {
        return format!("{none} that can be read: its response is not text");
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).trim_ascii();
    let words = if begins(text, 0, "<") { of_markup(text) } else { joined(text.chars()) };
    let words = shortened(&mask(without_status(&words, status)));
    if words.is_empty() { none.to_owned() } else { words }
}

/// Returns the human-readable text in a JSON value, if there is any.
fn of_json(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim_ascii().is_empty() => Some(text.clone()),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().filter_map(of_json).take(MAX_LIST_ITEMS).collect();
            (!texts.is_empty()).then(|| join(&mut texts.iter().map(String::as_str), "; "))
        }
        Value::Object(_) => {
            let first = |names: &[&str]| names.iter().find_map(|name| of_field(value.get(name)?));
            match (first(&NAMES), first(&EXPLANATIONS)) {
                (Some(name), Some(explanation)) if name != explanation => {
                    Some(format!("{name}: {explanation}"))
                }
                (name, explanation) => name.or(explanation),
            }
        }
        _ => None,
    }
}

/// Returns the text in a field that contains a reason. If the value is an object, it can contain one reason per
/// parameter.
fn of_field(value: &Value) -> Option<String> {
    of_json(value).or_else(|| {
        let Value::Object(fields) = value else { return None };
        let named = fields.iter().filter_map(|(name, value)| Some(format!("{name}: {}", of_json(value)?)));
        let texts: Vec<String> = named.take(MAX_LIST_ITEMS).collect();
        (!texts.is_empty()).then(|| join(&mut texts.iter().map(String::as_str), "; "))
    })
}

/// Decodes bytes as UTF-8, or as Latin-1, which servers use without declaring it. Returns `None` for binary data.
fn decode(body: &[u8]) -> Option<String> {
    if body.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31)) {
        return None;
    }
    match std::str::from_utf8(body) {
        Ok(text) => Some(text.to_owned()),
        // The body was cut inside a character.
        Err(error) if error.error_len().is_none() => {
            Some(String::from_utf8_lossy(&body[..error.valid_up_to()]).into_owned())
        }
        Err(_) => Some(body.iter().map(|byte| char::from(*byte)).collect()),
    }
}

/// Returns the title of a page, the message of an XML error, or the first words.
fn of_markup(text: &str) -> String {
    let element = |name: &str| element(text, name).map(words).filter(|words| !words.is_empty());
    match element("title").or_else(|| element("message")) {
        // A single word such as "Error" is not enough.
        Some(title) if !title.as_bytes().contains(&b' ') => {
            let rest = words(text);
            if rest.is_empty() || rest == title { title } else { format!("{title}: {rest}") }
        }
        Some(title) => title,
        None => words(text),
    }
}

/// Returns the content of the first element with the name.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut from = 0;
    loop {
        let at = find(text, "<", from)?;
        from = at + 1;
        if is_tag(text, from, name) {
            let start = find(text, ">", from)? + 1;
            let mut end = start;
            loop {
                end = find(text, "</", end)?;
                if is_tag(text, end + 2, name) {
                    return Some(part(text, start..end));
                }
                end += 2;
            }
        }
    }
}

/// Returns the visible words of markup, without tags, comments and hidden elements.
fn words(markup: &str) -> String {
    const HIDDEN: [&str; 3] = ["script", "style", "title"];
    let mut plain = String::new();
    let mut rest = markup;
    while let Some(next) = rest.chars().next() {
        let skipped = match next {
            '<' => {
                plain.push(' ');
                let end = if begins(rest, 0, "<!--") {
                    find(rest, "-->", 4).map(|at| at + 3)
                } else if let Some(name) = HIDDEN.iter().find(|name| is_tag(rest, 1, name)) {
                    find(rest, &format!("</{name}"), 1).and_then(|at| find(rest, ">", at)).map(|at| at + 1)
                } else {
                    find(rest, ">", 1).map(|at| at + 1)
                };
                end.unwrap_or(rest.len())
            }
            '&' => match entity(rest) {
                Some((character, length)) => {
                    plain.push(character);
                    length
                }
                None => {
                    plain.push('&');
                    1
                }
            },
            other => {
                plain.push(other);
                other.len_utf8()
            }
        };
        rest = part(rest, skipped..);
    }
    joined(plain.chars())
}

/// Returns the character of a character reference at the start of a text, and the length of the reference.
fn entity(text: &str) -> Option<(char, usize)> {
    const NAMED: [(&str, char); 6] =
        [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("nbsp", ' ')];
    let end = text.bytes().take(MAX_REFERENCE).position(|byte| byte == b';')?;
    let name = part(text, 1..end);
    let character = match name.strip_prefix('#') {
        Some(number) => {
            let (radix, digits) = match number.strip_prefix('x').or_else(|| number.strip_prefix('X')) {
                Some(hex) => (16, hex),
                None => (10, number),
            };
            let code = digits.bytes().try_fold(0_u32, |code, digit| {
                code.checked_mul(radix)?.checked_add(char::from(digit).to_digit(radix)?)
            });
            char::from_u32(code?)?
        }
        None => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((character, end + 1))
}

/// Joins the words with single spaces.
fn joined(characters: impl Iterator<Item = char>) -> String {
    let mut words = String::new();
    let mut gap = false;
    for character in characters {
        if character.is_ascii_whitespace() || character == '\u{a0}' {
            gap = !words.is_empty();
        } else {
            if std::mem::take(&mut gap) {
                words.push(' ');
            }
            words.push(character);
        }
    }
    words
}

/// Removes a leading status code, because the error message already contains the status code.
fn without_status(words: &str, status: u16) -> &str {
    let separates = |byte: &u8| b" :-.|".contains(byte);
    let bytes = words.as_bytes();
    if !begins(words, 0, &u32::from(status).to_string()) || !bytes.get(3).is_some_and(separates) {
        return words;
    }
    let rest = bytes.iter().skip(3).position(|byte| !separates(byte));
    rest.map_or(words, |at| part(words, 3 + at..))
}

/// Returns the first words of the text, followed by an ellipsis if the text is longer.
pub(crate) fn shortened(words: &str) -> String {
    match words.char_indices().nth(MAX_CHARACTERS) {
        None => words.to_owned(),
        Some((end, _)) => {
            // A long text without spaces is shortened inside a word.
            let cut = part(words, ..end).bytes().rposition(|byte| byte == b' ').filter(|at| *at > end / 2);
            format!("{}…", part(words, ..cut.unwrap_or(end)))
        }
    }
}

fn is_tag(text: &str, at: usize, name: &str) -> bool {
    let next = text.as_bytes().get(at + name.len());
    begins(text, at, name)
        && next.is_some_and(|byte| matches!(byte, b'>' | b'/') || byte.is_ascii_whitespace())
}

fn begins(text: &str, at: usize, part: &str) -> bool {
    text.as_bytes().get(at..at + part.len()).is_some_and(|found| found.eq_ignore_ascii_case(part.as_bytes()))
}

/// Returns the first index, from `from` on, of the ASCII string `part` in the text, ignoring case.
fn find(text: &str, part: &str, from: usize) -> Option<usize> {
    (from..text.len()).find(|at| begins(text, *at, part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::mask::Mask;

    fn reason(status: u16, body: &[u8]) -> String {
        of(status, body, |text| Mask::of("sk_live_secret").text(text))
    }

    #[test]
    fn a_page_is_reduced_to_its_title_or_its_first_words() {
        let nginx = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway\
                     </h1></center>\r\n<hr><center>nginx</center></body></html>";
        let express = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Error</title></head>\
                       <body><pre>Cannot POST /api/click</pre></body></html>";
        for (status, body, expected) in [
            (502, nginx, "Bad Gateway"),
            (404, express, "Error: Cannot POST /api/click"),
            (
                520,
                "<!DOCTYPE html><!--[if lt IE 7]> <html class=\"no-js ie6\"> <![endif]--><head><title>orgo.ai | 520: \
                 Web server is returning an unknown error</title></head><body></body>",
                "orgo.ai | 520: Web server is returning an unknown error",
            ),
            (503, "<TITLE lang=en>\n Down &amp; out &#x2014;\n soon back </TITLE>", "Down & out — soon back"),
            (
                500,
                "<body><script>let a = '<b>';</script><style>b{}</style><p>It <b>broke</b></p>",
                "It broke",
            ),
            (500, "<html><head><title></title></head><body>Oops &lt;3 &bogus; &", "Oops <3 &bogus; &"),
            (403, "<html><body><h1>403 Forbidden</h1>", "Forbidden"),
            (302, "<html><head><title>302 Found</title></head></html>", REDIRECTED),
            (307, "", REDIRECTED),
            (308, r#"{"error":"moved to eu"}"#, "moved to eu"),
            (500, "<title>unfinished", "the server gave no reason"),
            (500, "<", "the server gave no reason"),
        ] {
            assert_eq!(reason(status, body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn reasons_of_xml_plain_text_and_empty_bodies() {
        let s3 = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied\
                  </Message><RequestId>8</RequestId></Error>";
        let cases: [(&[u8], &str); 11] = [
            (s3.as_bytes(), "Access Denied"),
            (b"Method Not Allowed", "Method Not Allowed"),
            (b"503 Service Unavailable\n", "Service Unavailable"),
            (b"error code: 1020", "error code: 1020"),
            (b"503", "the server gave no reason"),
            (b"  upstream\n\n\tconnect   error ", "upstream connect error"),
            (b"", "the server gave no reason"),
            (b" \n", "the server gave no reason"),
            (b"caf\xe9 ferm\xe9", "café fermé"),
            (
                b"\x1f\x8b\x08\0\0",
                "the server gave no reason that can be read: its response is compressed (gzip)",
            ),
            (
                b"\x89PNG\r\n\x1a\n\0\0",
                "the server gave no reason that can be read: its response is not text",
            ),
        ];
        for (body, expected) in cases {
            assert_eq!(reason(503, body), expected);
        }
    }

    #[test]
    fn reasons_of_known_json_shapes() {
        for (body, expected) in [
            (r#"{"error":"no such computer","code":"x"}"#, "no such computer"),
            (r#"{"error":{"message":"no credit","type":"billing"}}"#, "no credit"),
            (r#"{"message":"Forbidden"}"#, "Forbidden"),
            (r#"{"detail":"Not Found"}"#, "Not Found"),
            (
                r#"{"detail":[{"loc":["body","x"],"msg":"field required"},{"msg":"too old"}]}"#,
                "field required; too old",
            ),
            (r#"{"errors":[{"title":"Bad","detail":"no id"}]}"#, "Bad: no id"),
            (r#"{"errors":["a","b","c","d"]}"#, "a; b; c"),
            (
                r#"{"errors":{"x":["must be a number"],"y":["is missing","is low"]}}"#,
                "x: must be a number; y: is missing; is low",
            ),
            (r#"{"errors":{"x":5}}"#, "the server gave no reason"),
            (
                r#"{"type":"about:blank","title":"Out of credit","detail":"30 short","status":403}"#,
                "Out of credit: 30 short",
            ),
            (
                r#"{"statusCode":400,"message":["x is no number"],"error":"Bad Request"}"#,
                "Bad Request: x is no number",
            ),
            (r#"{"error":"invalid_grant","error_description":"expired"}"#, "invalid_grant: expired"),
            (r#"{"Message":"User is not authorized"}"#, "User is not authorized"),
            (r#""just text""#, "just text"),
            (r#"["one"]"#, "one"),
            (r#"{"success":false}"#, "the server gave no reason"),
            (r#"{"error":""}"#, "the server gave no reason"),
            (r#"{"error":null,"message":"m"}"#, "m"),
            ("null", "the server gave no reason"),
            ("[]", "the server gave no reason"),
        ] {
            assert_eq!(reason(403, body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn a_reason_is_short_and_masked() {
        let long = reason(502, "word ".repeat(100_000).as_bytes());
        assert!(long.ends_with("word…") && long.chars().count() <= MAX_CHARACTERS, "{long}");
        let cut = reason(502, "é".repeat(100_000).as_bytes());
        assert_eq!(cut.chars().count(), MAX_CHARACTERS + 1);
        let page = format!("<title>{} key sk_live_secret</title>", "x ".repeat(95));
        assert!(!reason(502, page.as_bytes()).contains("sk_l"), "the limit is inside the key");
        assert_eq!(reason(502, b"<p>key sk&#95;live&#x5f;secret</p>"), "key ***");
        assert_eq!(reason(502, b"<p>\x1b[31mred</p>"), "\\u001b[31mred");
        for part in ["<", "&", "<title>", "</title", "<!--", "<script>"] {
            assert!(
                reason(502, part.repeat(1 << 18).as_bytes()).chars().count() <= MAX_CHARACTERS + 1,
                "{part}"
            );
        }
    }
}
