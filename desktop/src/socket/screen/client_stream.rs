//! Parses the messages of a viewer: removes input if the viewer may only view, and follows the buttons that it holds.

/// The message types without input: the pixel format, the encodings, requests, continuous updates, fences.
const WITHOUT_INPUT: [u8; 5] = [0, 2, 3, 150, 248];
const SET_ENCODINGS: u8 = 2;
const KEY: u8 = 4;
const POINTER: u8 = 5;
/// A key without an effect: no program uses this modifier.
const HYPER_R: u32 = 0xffee;
/// The pseudo-encoding that changes the length of pointer messages. It is removed, so that their length is known.
const EXTENDED_BUTTONS: [u8; 4] = (-316_i32).to_be_bytes();
/// An encoding that no server knows, in place of a removed encoding.
const NOTHING: [u8; 4] = [0x7f, 0xff, 0xff, 0xff];
/// The maximum number of encodings.
const MAX_ENCODINGS: usize = 1024;
/// The maximum length of a text for the clipboard, in bytes.
const MAX_TEXT: u32 = 4 << 20;

/// The messages of one viewer.
#[derive(Debug)]
pub(super) struct ClientStream {
    view_only: bool,
    /// The start of a message that is not complete yet.
    start: Vec<u8>,
    /// The number of further bytes of a removed message.
    skipped: usize,
    /// The last pointer message.
    pointer: Option<[u8; 6]>,
}

impl ClientStream {
    pub(super) fn new(view_only: bool) -> Self {
        Self { view_only, start: Vec::new(), skipped: 0, pointer: None }
    }

    /// Adds bytes of the viewer. Returns the complete messages for the X server, or `None` for a malformed message.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let skipped = self.skipped.min(bytes.len());
        self.skipped -= skipped;
        self.start.extend(&bytes[skipped..]);
        let mut passed = Vec::new();
        let mut pointer = self.pointer;
        let mut rest = &self.start[..];
        while let Some(length) = length(rest)? {
            let is_passed = !self.view_only || WITHOUT_INPUT.contains(&rest[0]);
            let Some((message, after)) = rest.split_at_checked(length) else {
                if !is_passed {
                    self.skipped = length - rest.len();
                    rest = &[];
                }
                break;
            };
            rest = after;
            if is_passed {
                match message[0] {
                    SET_ENCODINGS => passed.extend(without_extended_buttons(message)),
                    KEY if needs_keyboard(message) => {
                        passed.extend(key(HYPER_R, true));
                        passed.extend(key(HYPER_R, false));
                        passed.extend(message);
                    }
                    _ => passed.extend(message),
                }
                if message[0] == POINTER {
                    pointer = message.try_into().ok();
                }
            }
        }
        let handled = self.start.len() - rest.len();
        self.start.drain(..handled);
        // Not before a malformed message, because the X server then receives none of these messages.
        self.pointer = pointer;
        Some(passed)
    }

    /// Returns the message that releases the buttons that the viewer holds. At the end of a connection, the X server
    /// releases only the keys.
    pub(super) fn release(&self) -> Option<Vec<u8>> {
        match self.pointer {
            Some([kind, buttons, a, b, c, d]) if buttons != 0 => Some(vec![kind, 0, a, b, c, d]),
            _ => None,
        }
    }
}

/// Returns whether the X server may have to add the key of a message to its keymap. It changes only the keymap of the
/// viewers' keyboard, which programs do not see as long as an action of the API was the last to use a key: the first
/// press would be lost. A press of another key makes the viewers' keyboard the current one.
fn needs_keyboard(message: &[u8]) -> bool {
    match *message {
        [KEY, pressed, _, _, a, b, c, d] if pressed != 0 => {
            // Not ASCII, and not a key without a character.
            !matches!(u32::from_be_bytes([a, b, c, d]), 0..=0x7f | 0xfe00..=0xffff)
        }
        _ => false,
    }
}

fn key(keysym: u32, pressed: bool) -> [u8; 8] {
    let [a, b, c, d] = keysym.to_be_bytes();
    [KEY, u8::from(pressed), 0, 0, a, b, c, d]
}

fn without_extended_buttons(message: &[u8]) -> Vec<u8> {
    let (header, encodings) = message.split_at(4);
    let kept = encodings.as_chunks::<4>().0.iter();
    let kept = kept.flat_map(|encoding| if *encoding == EXTENDED_BUTTONS { NOTHING } else { *encoding });
    header.iter().copied().chain(kept).collect()
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
            let mut filter = ClientStream::new(true);
            let passed: Vec<u8> = stream
                .chunks(size)
                .flat_map(|piece| filter.pass(piece).expect("it is well-formed"))
                .collect();
            assert_eq!(passed, expected, "in pieces of {size} bytes");
        }
    }

    #[test]
    fn another_key_precedes_a_character_that_the_keymap_may_not_have() {
        let mut stream = ClientStream::new(false);
        for (keysym, needs) in [(0x61, false), (0xff0d, false), (0xe9, true), (0x0100_0416, true)] {
            let passed = stream.pass(&key(keysym, true)).expect("it is well-formed");
            let tap = [key(HYPER_R, true), key(HYPER_R, false)].concat();
            let before = if needs { &tap[..] } else { &[] };
            assert_eq!(passed, [before, &key(keysym, true)].concat(), "{keysym:x}");
            assert_eq!(stream.pass(&key(keysym, false)), Some(key(keysym, false).to_vec()));
        }
    }

    #[test]
    fn the_held_buttons_are_known() {
        let mut stream = ClientStream::new(false);
        assert_eq!(stream.release(), None);
        let down = [5, 4, 1, 2, 3, 4];
        for byte in down {
            stream.pass(&[byte]).expect("it is well-formed");
        }
        assert_eq!(stream.release(), Some(vec![5, 0, 1, 2, 3, 4]));
        assert_eq!(stream.pass(&[5, 0, 1, 2, 3, 4]).as_deref(), Some(&[5, 0, 1, 2, 3, 4][..]));
        assert_eq!(stream.release(), None);
        let mut viewer = ClientStream::new(true);
        viewer.pass(&down).expect("it is well-formed");
        assert_eq!(viewer.release(), None, "removed input holds nothing");

        stream.pass(&down).expect("it is well-formed");
        assert_eq!(stream.pass(&[5, 0, 1, 2, 3, 4, 99]), None);
        assert!(
            stream.release().is_some(),
            "the X server does not receive what comes before a malformed message"
        );
    }

    #[test]
    fn malformed_messages_are_refused() {
        for wrong in [&[1][..], &[99], &[255, 1], &[2, 0, 0xff, 0xff], &[6, 0, 0, 0, 0x80, 0, 0, 0]] {
            assert_eq!(ClientStream::new(true).pass(wrong), None, "{wrong:?}");
        }
    }
}
