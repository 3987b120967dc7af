//! Text out of bytes that arrive in pieces.

/// Holds back a character whose end has not come yet.
#[derive(Debug, Default)]
pub(super) struct Utf8Decoder {
    carry: Vec<u8>,
}

impl Utf8Decoder {
    /// The text that is whole now. Bytes that can never become a character are replaced by U+FFFD.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> String {
        self.carry.extend_from_slice(bytes);
        let whole = self.carry.len() - incomplete_tail(&self.carry);
        let text = String::from_utf8_lossy(&self.carry[..whole]).into_owned();
        self.carry.drain(..whole);
        text
    }

    /// What is left at the end of the input.
    pub(super) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.carry)).into_owned()
    }
}

/// How many bytes at the end begin a character that more bytes could complete. A character has at most four.
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
    fn a_text_cut_anywhere_comes_out_whole() {
        let text = "aé日🙂\u{10ffff}z";
        for cut in 0..=text.len() {
            let mut decoder = Utf8Decoder::default();
            let (head, tail) = text.as_bytes().split_at(cut);
            let joined = decoder.decode(head) + &decoder.decode(tail) + &decoder.finish();
            assert_eq!(joined, text, "cut at {cut}");
        }
    }

    #[test]
    fn one_byte_at_a_time_too() {
        let text = "日本🙂";
        let mut decoder = Utf8Decoder::default();
        let joined: String = text.bytes().map(|byte| decoder.decode(&[byte])).collect();
        assert_eq!(joined, text);
    }

    #[test]
    fn what_is_no_text_is_replaced_and_never_held_back() {
        let mut decoder = Utf8Decoder::default();
        assert_eq!(decoder.decode(b"a\xff\x80b"), "a\u{fffd}\u{fffd}b");
        assert_eq!(decoder.decode(b"\xe6\x97"), "");
        assert_eq!(decoder.decode(b"b"), "\u{fffd}b");
        assert_eq!(decoder.decode(b"\xf0\x9f"), "");
        assert_eq!(decoder.finish(), "\u{fffd}");
    }
}
