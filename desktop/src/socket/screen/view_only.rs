//! Removes the input from the messages of a viewer that may only view.

/// The message types that a viewer may send: the pixel format, the encodings, requests, continuous updates, fences.
const PASSED: [u8; 5] = [0, 2, 3, 150, 248];
/// The pseudo-encoding that changes the length of pointer messages. It is removed, so that their length is known.
const EXTENDED_BUTTONS: [u8; 4] = (-316_i32).to_be_bytes();
/// An encoding that no server knows, in place of a removed encoding.
const NOTHING: [u8; 4] = [0x7f, 0xff, 0xff, 0xff];
/// The maximum number of encodings.
const MAX_ENCODINGS: usize = 1024;
/// The maximum length of a text for the clipboard, in bytes.
const MAX_TEXT: u32 = 16 << 20;

/// The state of the filter between two pieces of the stream.
#[derive(Debug, Default)]
pub(super) struct ViewOnly {
    /// The start of a message that is not complete yet.
    start: Vec<u8>,
    /// The number of further bytes of a removed message.
    skipped: usize,
}

impl ViewOnly {
    /// Returns the bytes that pass. Returns `None` for a malformed message.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let skipped = self.skipped.min(bytes.len());
        self.skipped -= skipped;
        self.start.extend(&bytes[skipped..]);
        let mut passed = Vec::new();
        loop {
            let Some(length) = length(&self.start)? else { return Some(passed) };
            let is_passed = PASSED.contains(&self.start[0]);
            if self.start.len() < length {
                if !is_passed {
                    self.skipped = length - self.start.len();
                    self.start.clear();
                }
                return Some(passed);
            }
            let message: Vec<u8> = self.start.drain(..length).collect();
            if !is_passed {
                continue;
            }
            if message[0] == 2 {
                let (header, encodings) = message.split_at(4);
                passed.extend(header);
                for encoding in encodings.as_chunks::<4>().0 {
                    passed.extend(if *encoding == EXTENDED_BUTTONS { NOTHING } else { *encoding });
                }
            } else {
                passed.extend(message);
            }
        }
    }
}

/// Returns the length of the first message, or `Some(None)` if it is not known yet. Returns `None` for a malformed
/// message.
fn length(bytes: &[u8]) -> Option<Option<usize>> {
    let u16_at =
        |at: usize| bytes.get(at..at + 2).map(|pair| usize::from(u16::from_be_bytes([pair[0], pair[1]])));
    let Some(kind) = bytes.first() else { return Some(None) };
    Some(match kind {
        0 => Some(20),
        2 => match u16_at(2) {
            Some(count) if count > MAX_ENCODINGS => return None,
            count => count.map(|count| 4 + 4 * count),
        },
        3 | 150 => Some(10),
        4 => Some(8),
        5 => Some(6),
        6 => match bytes.get(4..8) {
            Some(&[a, b, c, d]) => {
                // A negative length is that of an extended message.
                let length = i32::from_be_bytes([a, b, c, d]).unsigned_abs();
                if length > MAX_TEXT {
                    return None;
                }
                Some(8 + length as usize)
            }
            _ => None,
        },
        248 => bytes.get(8).map(|&length| 9 + usize::from(length)),
        251 => bytes.get(6).map(|&screens| 8 + 16 * usize::from(screens)),
        255 => match bytes.get(1) {
            Some(0) => Some(12),
            Some(_) => return None,
            None => None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_without_input_pass() {
        let format = [&[0; 4][..], &[7; 16]].concat();
        let encodings = [&[2, 0, 0, 2][..], &[0, 0, 0, 7], &EXTENDED_BUTTONS].concat();
        let request = [3, 1, 0, 0, 0, 0, 0, 9, 0, 9];
        let fence = [248, 0, 0, 0, 0, 0, 0, 0, 2, 8, 9];
        let continuous = [150, 1, 0, 0, 0, 0, 0, 9, 0, 9];
        let text = [&[6, 0, 0, 0, 0, 0, 0, 5][..], b"hello"].concat();
        let extended_text = [&[6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc][..], &[1, 2, 3, 4]].concat();
        let resize = [&[251, 0, 0, 9, 0, 9, 1, 0][..], &[1; 16]].concat();
        let stream = [
            &format[..],
            &[4, 1, 0, 0, 0, 0, 0, 0x61],
            &encodings,
            &[5, 0xff, 0, 1, 0, 1],
            &request,
            &text,
            &fence,
            &extended_text,
            &resize,
            &[255, 0, 0, 1, 0, 0, 0, 0x61, 0, 0, 0, 30],
            &continuous,
        ]
        .concat();
        let without = [&[2, 0, 0, 2][..], &[0, 0, 0, 7], &NOTHING].concat();
        let expected = [&format[..], &without, &request, &fence, &continuous].concat();
        for size in 1..=stream.len() {
            let mut filter = ViewOnly::default();
            let passed: Vec<u8> = stream
                .chunks(size)
                .flat_map(|piece| filter.pass(piece).expect("it is well-formed"))
                .collect();
            assert_eq!(passed, expected, "in pieces of {size} bytes");
        }
    }

    #[test]
    fn malformed_messages_are_refused() {
        for wrong in [&[1][..], &[99], &[255, 1], &[2, 0, 0xff, 0xff], &[6, 0, 0, 0, 0x80, 0, 0, 0]] {
            assert_eq!(ViewOnly::default().pass(wrong), None, "{wrong:?}");
        }
    }
}
