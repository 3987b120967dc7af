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

/// Receives the name of a field of an object, and reads its value from the reader.
type Member<'f, 'a> = &'f mut dyn FnMut(&[u8], &mut Reader<'a>) -> Result<(), SyntaxError>;

/// Parses one object. For each field, `member` gets the name, and reads the value from the reader.
pub(crate) fn members<'a>(json: &'a [u8], member: Member<'_, 'a>) -> Result<(), SyntaxError> {
    let mut reader = Reader::new(json);
    reader.object(member)?;
    reader.end()
}

/// Returns the length of the text before the next quote, backslash or control character.
// Inlined, the loop shares the registers with its caller, and needs more instructions for each word.
#[inline(never)]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let (pairs, rest) = bytes.as_chunks::<{ 2 * WORD }>();
    for (index, pair) in pairs.iter().enumerate() {
        // Most strings are short, so the second word is tested only if the first one has no special byte.
        for (half, word) in words(pair).into_iter().enumerate() {
            let special = special_bytes(word);
            if special != 0 {
                return (2 * index + half) * WORD + first_byte(special);
            }
        }
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    bytes.len() - rest.len() + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Returns the words of a pair.
#[allow(clippy::cast_possible_truncation, reason = "each word is a half")]
fn words(pair: &[u8; 2 * WORD]) -> [u64; 2] {
    let pair = u128::from_le_bytes(*pair);
    [pair as u64, (pair >> 64) as u64]
}

/// The number of bytes of a `u64`.
const WORD: usize = 8;

/// Sets the highest bit of each byte that is a quote, a backslash or a control character. The other bits are zero. Tests all
/// bytes at once: the sum of 127 and the lower seven bits of a byte sets the highest bit unless they are zero.
// Optimized for size, the module of a page would call this function for each word.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = EACH * 0x7f;
    let is_not_zero = |word: u64| ((word & LOW) + LOW) | word;
    let quote = word ^ (EACH * u64::from(b'"'));
    let backslash = word ^ (EACH * u64::from(b'\\'));
    let printable = word & (EACH * 0xe0);
    !(is_not_zero(quote) & is_not_zero(backslash) & is_not_zero(printable)) & !LOW
}

/// Returns the index of the first byte that is marked by [`special_bytes`]; [`WORD`] if there is none.
fn first_byte(special: u64) -> usize {
    special.trailing_zeros() as usize / 8
}

/// The number of bytes that [`Reader::unescape`] tests at once: one bit of a `u64` for each.
const BLOCK: usize = 64;
/// The size of the pieces in which the text between two escapes is copied. Most pieces of terminal output are shorter.
const PIECE: usize = 32;
/// The bytes that are read for a block: the block, and the end of an escape or of a piece that starts in it.
const WINDOW: usize = BLOCK + PIECE;

/// Returns a bit for each byte of the block: whether it is a quote, a backslash or a control character.
fn special_mask(window: &[u8; WINDOW]) -> u64 {
    let mut mask = 0;
    for (index, word) in window.as_chunks().0.iter().take(BLOCK / WORD).enumerate() {
        let special = special_bytes(u64::from_le_bytes(*word));
        // The product moves the highest bit of each byte to the highest byte.
        mask |= (special >> 7).wrapping_mul(0x0102_0408_1020_4080) >> (BLOCK - WORD) << (index * WORD);
    }
    mask
}

/// Decodes one of the escapes that are frequent in terminal output: the start of an escape sequence, and those of two
/// characters. Returns the character and the length of the escape.
#[inline(always)]
fn frequent_escape(text: [u8; WORD]) -> Option<(u8, usize)> {
    const ESCAPE: u64 = u64::from_le_bytes(*b"\\u001b\0\0");
    if u64::from_le_bytes(text) << 16 == ESCAPE << 16 {
        return Some((0x1b, 6));
    }
    let [b'\\', byte, ..] = text else { return None };
    simple_escape(byte).map(|byte| (byte, 2))
}

/// Decodes an escape of two characters.
#[inline(always)]
fn simple_escape(byte: u8) -> Option<u8> {
    Some(match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b'"' | b'\\' | b'/' => byte,
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        _ => return None,
    })
}

/// Copies a piece. Both places exist. The constant size makes it a few instructions, even in code that is optimized for size.
#[inline(always)]
fn copy_piece(target: &mut [u8], to: usize, source: &[u8], from: usize) {
    let target = target.get_mut(to..).and_then(|target| target.first_chunk_mut::<PIECE>());
    let source = source.get(from..).and_then(|source| source.first_chunk::<PIECE>());
    if let Some((target, source)) = target.zip(source) {
        *target = *source;
    }
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
    /// Whether a [skipped](Self::skip) string contains an escaped surrogate.
    surrogates: bool,
}

impl<'a> Reader<'a> {
    fn new(json: &'a [u8]) -> Self {
        Self { json, at: 0, depth: 0, values_left: MAX_VALUES, surrogates: false }
    }

    /// Returns the text that is not read yet. Unlike an index operator, this contains no error message and no place of a panic.
    fn rest(&self) -> &'a [u8] {
        self.json.get(self.at..).unwrap_or_default()
    }

    /// Returns the text between an earlier position and the current one.
    fn since(&self, start: usize) -> &'a [u8] {
        self.json.get(start..self.at).unwrap_or_default()
    }

    /// Reads the next value.
    pub(crate) fn value(&mut self) -> Result<Value, SyntaxError> {
        match self.count_value()? {
            Some(b'"') => self.string().map(|bytes| Value::String(text(bytes))),
            Some(b'{') => {
                let mut fields = Map::new();
                self.object(&mut |name, reader| {
                    fields.0.push((text(name.into()).into(), reader.value()?));
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

    /// Returns the first byte of the next value, and counts the value.
    fn count_value(&mut self) -> Result<Option<u8>, SyntaxError> {
        let first = self.next();
        if self.values_left == 0 {
            return Err(SyntaxError { at: self.at, exceeded: Some(Limit::Values) });
        }
        self.values_left -= 1;
        Ok(first)
    }

    /// Checks the next value like [`value`](Self::value), but does not decode it. Returns its text.
    pub(crate) fn skip(&mut self) -> Result<&'a [u8], SyntaxError> {
        let first = self.count_value()?;
        let start = self.at;
        match first {
            Some(b'"') => self.skip_string()?,
            Some(b'{') => self.group(b'}', &mut |reader| {
                if reader.next() != Some(b'"') {
                    return Err(reader.error());
                }
                reader.skip_string()?;
                reader.expect(b':')?;
                reader.skip().map(drop)
            })?,
            Some(b'[') => self.group(b']', &mut |reader| reader.skip().map(drop))?,
            Some(b'n') => self.word("null", ())?,
            Some(b't') => self.word("true", ())?,
            Some(b'f') => self.word("false", ())?,
            _ => self.skip_number()?,
        }
        Ok(self.since(start))
    }

    /// Returns the text of the next value, whose members the closure reads.
    pub(crate) fn span(&mut self, member: Member<'_, 'a>) -> Result<&'a [u8], SyntaxError> {
        self.next();
        let start = self.at;
        self.object(member)?;
        Ok(self.since(start))
    }

    /// Returns whether a skipped string contains an escaped surrogate, which can be unpaired.
    pub(crate) fn has_surrogates(&self) -> bool {
        self.surrogates
    }

    /// Reads the next value, which must be a [`string`](Self::string) or `null`.
    pub(crate) fn string_or_null(&mut self) -> Result<Option<Cow<'a, [u8]>>, SyntaxError> {
        if self.null()? { Ok(None) } else { self.string().map(Some) }
    }

    /// Reads the next value if it is `null`, and returns whether it is.
    pub(crate) fn null(&mut self) -> Result<bool, SyntaxError> {
        if self.next() == Some(b'n') { self.word("null", true) } else { Ok(false) }
    }

    /// Reads the next value, which must be a string. The bytes are UTF-8, with two exceptions: invalid bytes are kept,
    /// and an unpaired surrogate (`"\ud83d"`) is three bytes (WTF-8).
    pub(crate) fn string(&mut self) -> Result<Cow<'a, [u8]>, SyntaxError> {
        self.expect(b'"')?;
        let (rest, start) = (self.rest(), self.at);
        let length = plain_length(rest);
        if rest.get(length) == Some(&b'"') {
            self.at += length;
            let text = self.since(start);
            self.at += 1;
            return Ok(Cow::Borrowed(text));
        }
        let mut text = Vec::new();
        self.unescape(&mut text)?;
        Ok(Cow::Owned(text))
    }

    /// Reads the next value, which must be a string, like [`string`](Self::string), and appends its bytes to `text`.
    pub(crate) fn string_into(&mut self, text: &mut Vec<u8>) -> Result<(), SyntaxError> {
        self.expect(b'"')?;
        self.unescape(text)
    }

    /// Reads a string after its opening quote. Terminal output has an escape every few words. So the text is collected in an
    /// array of a constant size, in pieces of a constant size, because appending each piece to `text` would take longer than
    /// decoding it. The special bytes of a block are found before its escapes are decoded, so that the processor need not wait
    /// for the length of an escape to find the next one.
    fn unescape(&mut self, text: &mut Vec<u8>) -> Result<(), SyntaxError> {
        let mut decoded = [0; 4 * BLOCK + PIECE];
        let mut length = 0;
        // The number of bytes of the first block that were read, such as the end of an escape in the block before.
        let mut skipped = 0;
        loop {
            let rest = self.rest();
            // The end of the input, padded with quotes, after which nothing is read.
            let mut padded;
            let window = if let Some(window) = rest.first_chunk() {
                window
            } else {
                padded = [b'"'; WINDOW];
                if let Some(target) = padded.get_mut(..rest.len()) {
                    target.copy_from_slice(rest);
                }
                &padded
            };
            let mut special = special_mask(window);
            while skipped < BLOCK {
                special &= u64::MAX << skipped;
                let end = special.trailing_zeros() as usize;
                // The bytes after the end are overwritten later.
                let mut copied = skipped;
                while copied < end {
                    copy_piece(&mut decoded, length + copied - skipped, window, copied);
                    copied += PIECE;
                }
                length += end - skipped;
                skipped = end;
                let Some((byte, size)) = window[end..].first_chunk().copied().and_then(frequent_escape)
                else {
                    break;
                };
                decoded[length] = byte;
                length += 1;
                skipped += size;
            }
            if skipped >= BLOCK {
                skipped -= BLOCK;
                self.at += BLOCK;
                if length + BLOCK + PIECE > decoded.len() {
                    text.extend_from_slice(&decoded[..length]);
                    length = 0;
                }
                continue;
            }
            text.extend_from_slice(&decoded[..length]);
            self.at += skipped.min(rest.len());
            if self.special(text)? {
                return Ok(());
            }
            (length, skipped) = (0, 0);
        }
    }

    /// Reads an escape or the closing quote of a string. Returns whether the string has ended.
    fn special(&mut self, text: &mut Vec<u8>) -> Result<bool, SyntaxError> {
        match self.peek() {
            Some(b'"') => self.at += 1,
            Some(b'\\') => return self.escape(text).map(|()| false),
            _ => return Err(self.error()),
        }
        Ok(true)
    }

    fn skip_string(&mut self) -> Result<(), SyntaxError> {
        self.at += 1;
        loop {
            let rest = self.rest();
            let length = plain_length(rest);
            self.at += length;
            match rest.get(length..) {
                Some([b'"', ..]) => {
                    self.at += 1;
                    return Ok(());
                }
                Some([b'\\', b'u', ..]) => {
                    self.at += 1;
                    self.surrogates |= (0xd800..0xe000).contains(&self.unit()?);
                }
                Some([b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..]) => self.at += 2,
                Some([b'\\', ..]) => return Err(SyntaxError::new(self.at + 1)),
                Some([_, ..]) => return Err(self.error()),
                _ => return Err(SyntaxError::new(self.json.len())),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), SyntaxError> {
        self.at += 1;
        if self.peek() != Some(b'u') {
            text.push(self.peek().and_then(simple_escape).ok_or_else(|| self.error())?);
            self.at += 1;
            return Ok(());
        }
        let mut code = self.unit()?;
        if (0xd800..0xdc00).contains(&code) && self.rest().starts_with(b"\\u") {
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
        Ok(())
    }

    /// Reads the `u` of an escape and its four digits.
    fn unit(&mut self) -> Result<u32, SyntaxError> {
        let mut unit = 0;
        let digits = self.json.get(self.at + 1..).unwrap_or_default();
        for digit in digits.iter().take(4) {
            self.at += 1;
            unit = unit << 4 | char::from(*digit).to_digit(16).ok_or(SyntaxError::new(self.at))?;
        }
        self.at += 1;
        if digits.len() < 4 { Err(self.error()) } else { Ok(unit) }
    }

    fn skip_number(&mut self) -> Result<(), SyntaxError> {
        self.accept(b"-");
        if !self.accept(b"0") {
            self.digits()?;
        }
        if self.accept(b".") {
            self.digits()?;
        }
        if self.accept(b"eE") {
            self.accept(b"+-");
            self.digits()?;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, SyntaxError> {
        let start = self.at;
        self.skip_number()?;
        let text = self.since(start).iter().copied().map(char::from).collect();
        Ok(Value::Number(Number(text)))
    }

    /// Reads at least one digit.
    fn digits(&mut self) -> Result<(), SyntaxError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.error()) } else { Ok(()) }
    }

    fn word<T>(&mut self, word: &str, value: T) -> Result<T, SyntaxError> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.error());
        }
        self.at += word.len();
        Ok(value)
    }

    fn object(&mut self, member: Member<'_, 'a>) -> Result<(), SyntaxError> {
        if self.next() != Some(b'{') {
            return Err(self.error());
        }
        self.group(b'}', &mut |reader| {
            let name = reader.string()?;
            reader.expect(b':')?;
            member(&name, reader)
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
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other,
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    /// Skips one byte if it is one of `bytes`.
    fn accept(&mut self, bytes: &[u8]) -> bool {
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
