//! Text that was cut in the middle of a character.

use std::borrow::Cow;

/// Joins pieces of text, given as the bytes of JSON strings (see `json::Reader::string`): what a piece cuts off at its end is completed by the next one.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    tail: Vec<u8>,
}

impl Joiner {
    /// The text of a piece, as far as it is complete. What can never become text is U+FFFD.
    pub(super) fn join(&mut self, piece: Cow<'_, [u8]>) -> String {
        let mut bytes = std::mem::take(&mut self.tail);
        if bytes.is_empty() {
            bytes = piece.into_owned();
        } else {
            bytes.extend_from_slice(&piece);
        }
        let bytes = match String::from_utf8(bytes) {
            Ok(text) => return text,
            Err(error) => error.into_bytes(),
        };
        let mut text = String::with_capacity(bytes.len());
        let mut rest = bytes.as_slice();
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
                    if let Some((character, length)) = surrogates(rest) {
                        text.push(character);
                        rest = &rest[length..];
                    } else if error.error_len().is_none() || is_open_surrogate(rest) {
                        self.tail = rest.to_vec();
                        break;
                    } else {
                        text.push(char::REPLACEMENT_CHARACTER);
                        let wrong = if half(rest).is_some() { 3 } else { error.error_len().unwrap_or(1) };
                        rest = &rest[wrong..];
                    }
                }
            }
        }
        text
    }
}

/// A UTF-16 half at the start of bytes, encoded as three bytes like any other code point (WTF-8).
fn half(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, ..] => {
            Some(0xd000 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f))
        }
        _ => None,
    }
}

/// A high and a low half at the start of bytes: the character that they make, and their length.
fn surrogates(bytes: &[u8]) -> Option<(char, usize)> {
    let high = half(bytes).filter(|half| *half < 0xdc00)?;
    let low = half(&bytes[3..]).filter(|half| *half >= 0xdc00)?;
    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)).map(|character| (character, 6))
}

/// Half of a pair that is not whole yet, or a high half whose low half may still come.
fn is_open_surrogate(bytes: &[u8]) -> bool {
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
        let mut joiner = Joiner::default();
        pieces.iter().map(|piece| joiner.join(Cow::Borrowed(piece))).collect()
    }

    #[test]
    fn a_character_cut_anywhere_is_joined() {
        let text = "añ→🦀!";
        for cut in 0..=text.len() {
            let (first, second) = text.as_bytes().split_at(cut);
            assert_eq!(join(&[first, second]), text, "cut at {cut}");
        }
    }

    #[test]
    fn half_a_pair_is_replaced_the_same_way_wherever_it_is_cut() {
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
    fn a_surrogate_pair_cut_in_two_messages_is_joined() {
        let mut joiner = Joiner::default();
        let mut join = |json: &[u8]| {
            let mut text = String::new();
            members(json, &mut |_, value| {
                text = joiner.join(value.string()?);
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
    fn what_is_no_text_is_replaced_and_never_kept_for_ever() {
        assert_eq!(join(&[b"a\xffb"]), "a\u{fffd}b");
        assert_eq!(join(&[b"\xed\xa0\xbd", b"x"]), "\u{fffd}x");
        assert_eq!(join(&[b"\xe2\x82", b"x"]), "\u{fffd}x");
    }
}
