//! Decodes UTF-8 that arrives in pieces.

/// A decoder that keeps an incomplete character until its remaining bytes arrive.
#[derive(Debug, Default)]
pub(super) struct Utf8Decoder {
    pending: Vec<u8>,
}

impl Utf8Decoder {
    /// Appends `bytes` to the input and returns all complete characters. Replaces invalid bytes with U+FFFD.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let complete = self.pending.len() - incomplete_tail(&self.pending);
        let text = String::from_utf8_lossy(&self.pending[..complete]).into_owned();
        self.pending.drain(..complete);
        text
    }

    /// Returns U+FFFD if the input ended with an incomplete character.
    pub(super) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.pending)).into_owned()
    }
}

/// Returns the length of the incomplete character at the end of `bytes`, or 0. Only up to 3 bytes can be incomplete,
/// because a character has at most 4 bytes.
fn incomplete_tail(bytes: &[u8]) -> usize {
    (1..=bytes.len().min(3))
        .find(|&length| {
            let tail = &bytes[bytes.len() - length..];
            std::str::from_utf8(tail)
                .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_split_at_any_byte_is_decoded_completely() {
        let text = "aé日🙂\u{10ffff}z";
        for cut in 0..=text.len() {
            let mut decoder = Utf8Decoder::default();
            let (head, tail) = text.as_bytes().split_at(cut);
            let joined = decoder.decode(head) + &decoder.decode(tail) + &decoder.finish();
            assert_eq!(joined, text, "cut at {cut}");
        }
    }

    #[test]
    fn text_that_arrives_byte_by_byte_is_decoded_completely() {
        let text = "日本🙂";
        let mut decoder = Utf8Decoder::default();
        let joined: String = text.bytes().map(|byte| decoder.decode(&[byte])).collect();
        assert_eq!(joined, text);
    }

    #[test]
    fn invalid_bytes_are_replaced_and_never_delayed() {
        let mut decoder = Utf8Decoder::default();
        assert_eq!(decoder.decode(b"a\xff\x80b"), "a\u{fffd}\u{fffd}b");
        assert_eq!(decoder.decode(b"\xe6\x97"), "");
        assert_eq!(decoder.decode(b"b"), "\u{fffd}b");
        assert_eq!(decoder.decode(b"\xf0\x9f"), "");
        assert_eq!(decoder.finish(), "\u{fffd}");
    }
}
