//! Decodes text whose characters can be split between messages.

use std::borrow::Cow;

/// An incremental UTF-8 decoder for the bytes of JSON strings (see `json::Reader::string`). The next piece completes an
/// incomplete character at the end of a piece.
#[derive(Debug, Default)]
pub(super) struct Utf8Decoder {
    tail: Vec<u8>,
}

impl Utf8Decoder {
    /// Returns the complete characters of a piece. Invalid bytes become U+FFFD.
    pub(super) fn decode<'a>(&mut self, piece: &'a [u8]) -> Cow<'a, str> {
        let mut bytes = Cow::Borrowed(piece);
        if self.tail.is_empty() {
            if let Ok(text) = std::str::from_utf8(piece) {
                return Cow::Borrowed(text);
            }
        } else {
            let mut joined = std::mem::take(&mut self.tail);
            joined.extend_from_slice(piece);
            bytes = Cow::Owned(joined);
        }
        let mut text = String::with_capacity(bytes.len());
        let mut rest = &*bytes;
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    break;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                    rest = after;
                    if let Some((character, length)) = surrogate_pair(rest) {
                        text.push(character);
                        rest = &rest[length..];
                    } else if error.error_len().is_none() || may_be_incomplete(rest) {
                        self.tail = rest.to_vec();
                        break;
                    } else {
                        text.push(char::REPLACEMENT_CHARACTER);
                        let wrong =
                            if surrogate(rest).is_some() { 3 } else { error.error_len().unwrap_or(1) };
                        rest = &rest[wrong..];
                    }
                }
            }
        }
        Cow::Owned(text)
    }

    /// Returns what replaces an incomplete character if the next piece does not complete it.
    pub(super) fn finish(&mut self) -> &'static str {
        if std::mem::take(&mut self.tail).is_empty() { "" } else { "\u{fffd}" }
    }
}

/// Returns the surrogate at the start of the bytes, if there is one. In WTF-8, a surrogate takes three bytes.
fn surrogate(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, ..] => {
            Some(0xd000 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f))
        }
        _ => None,
    }
}

/// Returns the character of a surrogate pair at the start of the bytes, and the length of the pair in bytes.
fn surrogate_pair(bytes: &[u8]) -> Option<(char, usize)> {
    let high = surrogate(bytes).filter(|unit| *unit < 0xdc00)?;
    let low = surrogate(&bytes[3..]).filter(|unit| *unit >= 0xdc00)?;
    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)).map(|character| (character, 6))
}

/// Returns whether the bytes are an incomplete surrogate, or a high surrogate whose low surrogate may follow.
fn may_be_incomplete(bytes: &[u8]) -> bool {
    match bytes {
        [0xed] | [0xed, 0xa0..=0xbf] => true,
        [0xed, 0xa0..=0xaf, 0x80..=0xbf, rest @ ..] => {
            rest.len() < 3 && matches!(rest, [] | [0xed] | [0xed, 0xb0..=0xbf])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::json::members;

    fn join(pieces: &[&[u8]]) -> String {
        let mut decoder = Utf8Decoder::default();
        pieces.iter().map(|piece| decoder.decode(piece).into_owned()).collect()
    }

    #[test]
    fn split_characters_are_joined() {
        let text = "añ→🦀!";
        for cut in 0..=text.len() {
            let (first, second) = text.as_bytes().split_at(cut);
            assert_eq!(join(&[first, second]), text, "cut at {cut}");
        }
    }

    #[test]
    fn unpaired_surrogates_are_replaced_independent_of_the_split() {
        for text in [
            &b"a\xed\xa0\xbeb"[..],
            b"\xed\xb6\x80.",
            b"\xed\xa0\xbe\xed\xa0\xbe\xed\xb6\x80\xed\xb6\x80\x04",
        ] {
            let whole = join(&[text]);
            for cut in 0..=text.len() {
                let (first, second) = text.split_at(cut);
                assert_eq!(join(&[first, second]), whole, "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_surrogate_pair_in_two_messages_is_joined() {
        let mut decoder = Utf8Decoder::default();
        let mut join = |json: &[u8]| {
            let mut text = String::new();
            members(json, &mut |_, value| {
                text = decoder.decode(&value.string()?).into_owned();
                Ok(())
            })
            .unwrap();
            text
        };
        let first = join(br#"{"data":"a\ud83e"}"#);
        let second = join(br#"{"data":"\udd80b"}"#);
        assert_eq!(first + &second, "a🦀b");
    }

    #[test]
    fn invalid_bytes_are_replaced_without_delay() {
        assert_eq!(join(&[b"a\xffb"]), "a\u{fffd}b");
        assert_eq!(join(&[b"\xed\xa0\xbd", b"x"]), "\u{fffd}x");
        assert_eq!(join(&[b"\xe2\x82", b"x"]), "\u{fffd}x");
    }
}
