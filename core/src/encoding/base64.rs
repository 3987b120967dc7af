//! Base64 (RFC 4648) of images, which have a megabyte or more.

#[cfg(not(feature = "simd"))]
pub(crate) use small::decode;

/// Decodes the standard alphabet with padding. Returns `None` for other text.
#[cfg(feature = "simd")]
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    base64_simd::STANDARD.decode_to_vec(text).ok()
}

/// A decoder for pages. That of the crate `base64` would add a kilobyte, and is slower if it is optimized for size.
#[cfg(any(test, not(feature = "simd")))]
mod small {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    /// The value of each character; -1 for a character outside the alphabet.
    const VALUES: [i8; 256] = {
        let mut values = [-1; 256];
        let mut value = 0;
        while value < ALPHABET.len() {
            values[ALPHABET[value] as usize] = value as i8;
            value += 1;
        }
        values
    };

    /// Decodes the standard alphabet with padding. Returns `None` for other text.
    pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
        let (groups, []) = text.as_chunks() else { return None };
        let Some((last, others)) = groups.split_last() else { return Some(Vec::new()) };
        let mut bytes = vec![0; groups.len() * 3];
        let mut seen = 0;
        for (group, decoded) in others.iter().zip(bytes.as_chunks_mut().0) {
            let bits = bits(*group);
            seen |= bits;
            *decoded = to_bytes(bits);
        }
        let padding = last.iter().rev().take(2).take_while(|character| **character == b'=').count();
        let mut last = *last;
        for character in last.iter_mut().rev().take(padding) {
            *character = b'A';
        }
        let bits = bits(last);
        let decoded = to_bytes(bits);
        let (kept, unused) = decoded.split_at(decoded.len() - padding);
        bytes.truncate(others.len() * 3);
        bytes.extend_from_slice(kept);
        (seen | bits >= 0 && unused.iter().all(|byte| *byte == 0)).then_some(bytes)
    }

    /// Returns the 24 bits of a group, or a negative number if a character is not in the alphabet.
    #[inline(always)]
    fn bits([first, second, third, fourth]: [u8; 4]) -> i32 {
        let value = |character: u8| i32::from(VALUES[usize::from(character)]);
        value(first) << 18 | value(second) << 12 | value(third) << 6 | value(fourth)
    }

    #[inline(always)]
    fn to_bytes(bits: i32) -> [u8; 3] {
        let [_, bytes @ ..] = bits.to_be_bytes();
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes with the decoder of this build, and with the one of a page.
    fn decode(text: &[u8]) -> Option<Vec<u8>> {
        let decoded = super::decode(text);
        assert_eq!(decoded, small::decode(text), "{}", String::from_utf8_lossy(text));
        decoded
    }

    #[test]
    fn only_canonical_text_is_accepted() {
        assert_eq!(decode(b"").as_deref(), Some(&b""[..]));
        assert_eq!(decode(b"AQID").as_deref(), Some(&[1, 2, 3][..]));
        assert_eq!(decode(b"+/8=").as_deref(), Some(&[0xfb, 0xff][..]));
        // Missing padding, unused bits, the alphabet of URLs, a line break, a length that no bytes have.
        for wrong in [
            &b"+/8"[..],
            b"+/9=",
            b"AR==",
            b"-_8=",
            b"AQ\nID",
            b"A",
            b"AAAAA",
            b"=",
            b"====",
            b"A===",
            b"=AAA",
            b"A=AA",
            b"AQ==AQID",
            b"AQI\xc3",
            b"AQ==",
        ] {
            let accepted = decode(wrong).is_some();
            assert_eq!(accepted, wrong == b"AQ==", "{}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn every_length_is_decoded() {
        use base64::Engine as _;
        let bytes: Vec<u8> = (0..=255).cycle().take(700).collect();
        for length in 0..bytes.len() {
            let text = base64::engine::general_purpose::STANDARD.encode(&bytes[..length]);
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(&bytes[..length]), "{length} bytes");
        }
    }
}
