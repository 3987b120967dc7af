//! Base64 (RFC 4648 section 4), as pictures come in JSON.

const SPACE: u8 = 64;
const WRONG: u8 = 65;

/// What each byte stands for: six bits, [`SPACE`] or [`WRONG`].
const MEANING: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut meaning = [WRONG; 256];
    let mut bits = 0;
    while bits < 64 {
        meaning[alphabet[bits as usize] as usize] = bits;
        bits += 1;
    }
    let spaces = b" \t\r\n";
    let mut at = 0;
    while at < spaces.len() {
        meaning[spaces[at] as usize] = SPACE;
        at += 1;
    }
    meaning
};

/// The bytes that a text stands for, wherever its lines break and whether or not it is padded; `None` if it is no
/// base64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_ascii_end();
    let text = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut group, mut length) = (0_u32, 0);
    for byte in text.bytes() {
        match MEANING[usize::from(byte)] {
            SPACE => {}
            WRONG => return None,
            bits => {
                group = group << 6 | u32::from(bits);
                length += 1;
                if length == 4 {
                    let [_, three @ ..] = group.to_be_bytes();
                    bytes.extend(three);
                    (group, length) = (0, 0);
                }
            }
        }
    }
    let [_, first, second, _] = (group << (6 * (4 - length))).to_be_bytes();
    match length {
        0 => {}
        2 => bytes.push(first),
        3 => bytes.extend([first, second]),
        _ => return None,
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

    use super::decode;

    #[test]
    fn bytes_of_every_length_and_value_come_back() {
        for length in 0..600 {
            let bytes: Vec<u8> = (0..length).map(|at: usize| (at * 7 + length) as u8).collect();
            let padded = STANDARD.encode(&bytes);
            let lines: Vec<&str> =
                padded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
            for text in [&padded, &STANDARD_NO_PAD.encode(&bytes), &(lines.join("\r\n") + "\n")] {
                assert_eq!(decode(text).as_ref(), Some(&bytes), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        for text in ["A", "AAAAA", "AA-_", "AAé=", "====", "A===", "AA=A", "https://x"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
