//! The JSON reader (RFC 8259).

use std::borrow::Cow;
use std::fmt;

use super::value::{Map, Number, Value};

/// The largest nesting depth of lists and objects.
const MAX_DEPTH: usize = 128;
/// The maximum number of values in a text: scalars, lists and objects. A value takes far more memory than its text
/// (`0,` takes 60 bytes, and more once a binding has converted it), so a limit in bytes does not limit memory. Real
/// responses have a few thousand values.
pub const MAX_VALUES: usize = 1 << 18;

/// Why text is not accepted as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntaxError {
    /// The offset of the first invalid byte.
    pub at: usize,
    /// The limit that the text exceeds; `None` if the text is not JSON. `at` is then the offset of the first value beyond
    /// the limit.
    pub exceeded: Option<Limit>,
}

/// A limit of JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`MAX_VALUES`].
    Values,
    /// 128 levels of nested lists and objects.
    Depth,
}

impl SyntaxError {
    fn new(at: usize) -> Self {
        Self { at, exceeded: None }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exceeded {
            Some(Limit::Values) => write!(f, "holds more than {MAX_VALUES} values"),
            Some(Limit::Depth) => write!(f, "is nested more than {MAX_DEPTH} levels deep"),
            None => write!(f, "not JSON from byte {} on", self.at),
        }
    }
}

impl std::error::Error for SyntaxError {}

/// Parses one value. Invalid text in a string (invalid UTF-8, an unpaired surrogate) becomes U+FFFD.
///
/// # Errors
/// [`SyntaxError`] if the text is not JSON, is nested more than 128 levels deep, or contains more than [`MAX_VALUES`]
/// values.
pub fn parse(json: &[u8]) -> Result<Value, SyntaxError> {
    // RFC 8259 section 8.1 lets a parser ignore a byte order mark, and `Response.json` of a browser ignores it.
    let mut reader = Reader::new(json);
    if json.starts_with(&[0xef, 0xbb, 0xbf]) {
        reader.at = 3;
    }
    let value = reader.value()?;
    reader.end()?;
    Ok(value)
}

/// Parses one object. For each field, `member` gets the name, and reads the value from the reader.
pub(crate) fn members<'a>(
    json: &'a [u8],
    member: &mut dyn FnMut(&str, &mut Reader<'a>) -> Result<(), SyntaxError>,
) -> Result<(), SyntaxError> {
    let mut reader = Reader::new(json);
    reader.object(&mut |name, reader| member(&name, reader))?;
    reader.end()
}

/// Decodes the bytes of a string. Invalid bytes become U+FFFD.
pub(crate) fn text(bytes: Cow<'_, [u8]>) -> String {
    String::from_utf8(bytes.into_owned())
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A position in JSON text.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    json: &'a [u8],
    at: usize,
    depth: usize,
    /// The number of values that may still follow.
    values_left: usize,
}

impl<'a> Reader<'a> {
    fn new(json: &'a [u8]) -> Self {
        Self { json, at: 0, depth: 0, values_left: MAX_VALUES }
    }

    /// Reads the next value.
    pub(crate) fn value(&mut self) -> Result<Value, SyntaxError> {
        let first = self.next();
        if self.values_left == 0 {
            return Err(SyntaxError { at: self.at, exceeded: Some(Limit::Values) });
        }
        self.values_left -= 1;
        match first {
            Some(b'"') => self.string().map(|bytes| Value::String(text(bytes))),
            Some(b'{') => {
                let mut fields = Map::new();
                self.object(&mut |name, reader| {
                    fields.0.push((name, reader.value()?));
                    Ok(())
                })?;
                Ok(Value::Object(fields))
            }
            Some(b'[') => {
                let mut items = Vec::new();
                self.group(b']', &mut |reader| {
                    items.push(reader.value()?);
                    Ok(())
                })?;
                Ok(Value::Array(items))
            }
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            _ => self.number(),
        }
    }

    /// Reads the next value, which must be a [`string`](Self::string) or `null`.
    pub(crate) fn string_or_null(&mut self) -> Result<Option<Cow<'a, [u8]>>, SyntaxError> {
        if self.next() == Some(b'n') { self.word("null", None) } else { self.string().map(Some) }
    }

    /// Reads the next value, which must be a string. The bytes are UTF-8, with two exceptions: invalid bytes are kept,
    /// and an unpaired surrogate (`"\ud83d"`) is three bytes (WTF-8).
    pub(crate) fn string(&mut self) -> Result<Cow<'a, [u8]>, SyntaxError> {
        self.expect(b'"')?;
        let mut unescaped: Option<Vec<u8>> = None;
        loop {
            let rest = &self.json[self.at..];
            let length = rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
                .ok_or(SyntaxError::new(self.json.len()))?;
            let plain = &rest[..length];
            self.at += length;
            match (rest[length], unescaped.as_mut()) {
                (b'"', None) => {
                    self.at += 1;
                    return Ok(Cow::Borrowed(plain));
                }
                (b'"', Some(text)) => {
                    self.at += 1;
                    text.extend_from_slice(plain);
                    return Ok(Cow::Owned(std::mem::take(text)));
                }
                (b'\\', _) => {
                    let text = unescaped.get_or_insert_default();
                    text.extend_from_slice(plain);
                    self.escape(text)?;
                }
                _ => return Err(self.error()),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), SyntaxError> {
        self.at += 1;
        let byte = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 8,
            Some(b'f') => 12,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                let mut code = self.unit()?;
                if (0xd800..0xdc00).contains(&code) && self.json[self.at..].starts_with(b"\\u") {
                    let after = self.at;
                    self.at += 1;
                    let low = self.unit()?;
                    if (0xdc00..0xe000).contains(&low) {
                        code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                    } else {
                        self.at = after;
                    }
                }
                push(text, code);
                return Ok(());
            }
            _ => return Err(self.error()),
        };
        self.at += 1;
        text.push(byte);
        Ok(())
    }

    /// Reads the `u` of an escape and its four digits.
    fn unit(&mut self) -> Result<u32, SyntaxError> {
        let mut unit = 0;
        for _ in 0..4 {
            self.at += 1;
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit << 4 | digit.ok_or(self.error())?;
        }
        self.at += 1;
        Ok(unit)
    }

    fn number(&mut self) -> Result<Value, SyntaxError> {
        let start = self.at;
        self.skip(b"-");
        if !self.skip(b"0") {
            self.digits()?;
        }
        if self.skip(b".") {
            self.digits()?;
        }
        if self.skip(b"eE") {
            self.skip(b"+-");
            self.digits()?;
        }
        let text = self.json[start..self.at].iter().copied().map(char::from).collect();
        Ok(Value::Number(Number(text)))
    }

    /// Reads at least one digit.
    fn digits(&mut self) -> Result<(), SyntaxError> {
        if !self.skip(b"0123456789") {
            return Err(self.error());
        }
        while self.skip(b"0123456789") {}
        Ok(())
    }

    fn word<T>(&mut self, word: &str, value: T) -> Result<T, SyntaxError> {
        if !self.json[self.at..].starts_with(word.as_bytes()) {
            return Err(self.error());
        }
        self.at += word.len();
        Ok(value)
    }

    fn object(
        &mut self,
        member: &mut dyn FnMut(String, &mut Self) -> Result<(), SyntaxError>,
    ) -> Result<(), SyntaxError> {
        if self.next() != Some(b'{') {
            return Err(self.error());
        }
        self.group(b'}', &mut |reader| {
            let name = text(reader.string()?);
            reader.expect(b':')?;
            member(name, reader)
        })
    }

    /// Reads items that are separated by commas, from the opening bracket to the closing one.
    fn group(
        &mut self,
        close: u8,
        item: &mut dyn FnMut(&mut Self) -> Result<(), SyntaxError>,
    ) -> Result<(), SyntaxError> {
        if self.depth == MAX_DEPTH {
            return Err(SyntaxError { at: self.at, exceeded: Some(Limit::Depth) });
        }
        self.depth += 1;
        self.at += 1;
        if self.next() != Some(close) {
            item(self)?;
            while self.next() == Some(b',') {
                self.at += 1;
                item(self)?;
            }
        }
        self.depth -= 1;
        self.expect(close)
    }

    fn expect(&mut self, byte: u8) -> Result<(), SyntaxError> {
        if self.next() != Some(byte) {
            return Err(self.error());
        }
        self.at += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), SyntaxError> {
        if self.next().is_some() { Err(self.error()) } else { Ok(()) }
    }

    /// Skips whitespace. Returns the next byte without skipping it.
    fn next(&mut self) -> Option<u8> {
        while self.skip(b" \t\n\r") {}
        self.peek()
    }

    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    /// Skips one byte if it is one of `bytes`.
    fn skip(&mut self, bytes: &[u8]) -> bool {
        let found = self.peek().is_some_and(|byte| bytes.contains(&byte));
        self.at += usize::from(found);
        found
    }

    fn error(&self) -> SyntaxError {
        SyntaxError::new(self.at)
    }
}

/// Appends a code point in UTF-8, or an unpaired surrogate in WTF-8.
fn push(text: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(character) => text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        #[allow(clippy::cast_possible_truncation, reason = "six bits each")]
        None => text.extend([0xed, 0x80 | (code >> 6 & 0x3f) as u8, 0x80 | (code & 0x3f) as u8]),
    }
}
