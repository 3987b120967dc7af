//! Base64 (RFC 4648) of images, which have a megabyte or more.

#[cfg(not(feature = "simd"))]
pub(crate) use small::decode;

/// Decodes the standard alphabet with padding. Returns `None` for other text.
#[cfg(feature = "simd")]
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    base64_simd::STANDARD.decode_to_vec(text).ok()
}

/// A decoder for pages. That of the crate `base64` would add a kilobyte.
#[cfg(any(test, not(feature = "simd")))]
mod small {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    /// The value of a character outside the alphabet.
    const INVALID: u8 = 0x80;
    /// The value of each character.
    const VALUES: [u8; 256] = {
        let mut values = [INVALID; 256];
        let mut value = 0;
        while value < ALPHABET.len() {
            values[ALPHABET[value] as usize] = value as u8;
            value += 1;
        }
        values
    };

    /// Decodes the standard alphabet with padding. Returns `None` for other text.
    pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
        let (groups, []) = text.as_chunks() else { return None };
        let Some((last, others)) = groups.split_last() else { return Some(Vec::new()) };
        let mut bytes = Vec::with_capacity(groups.len() * 3);
        let mut seen = 0;
        for group in others {
            let [invalid, decoded @ ..] = decode_group(*group);
            seen |= invalid;
            bytes.extend_from_slice(&decoded);
        }
        let padding = last.iter().rev().take(2).take_while(|character| **character == b'=').count();
        let mut last = *last;
        for character in last.iter_mut().rev().take(padding) {
            *character = b'A';
        }
        let [invalid, decoded @ ..] = decode_group(last);
        let (kept, unused) = decoded.split_at(decoded.len() - padding);
        bytes.extend_from_slice(kept);
        (seen | invalid == 0 && unused.iter().all(|byte| *byte == 0)).then_some(bytes)
    }

    /// Returns the bytes of a group after a byte that is 0 if all characters are in the alphabet.
    fn decode_group(group: [u8; 4]) -> [u8; 4] {
        let [first, second, third, fourth] = group.map(|character| VALUES[usize::from(character)]);
        let invalid = (first | second | third | fourth) & INVALID;
        let bits = u32::from(first) << 18 | u32::from(second) << 12 | u32::from(third) << 6 | u32::from(fourth);
        (bits & 0xff_ffff | u32::from(invalid) << 24).to_be_bytes()
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
