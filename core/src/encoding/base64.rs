//! Base64 (RFC 4648) of images, which have a megabyte or more.

/// Decodes the standard alphabet with padding. Returns `None` for other text.
#[cfg(feature = "simd")]
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    base64_simd::STANDARD.decode_to_vec(text).ok()
}

/// Decodes the standard alphabet with padding. Returns `None` for other text.
#[cfg(not(feature = "simd"))]
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_text_is_accepted() {
        assert_eq!(decode(b"").as_deref(), Some(&b""[..]));
        assert_eq!(decode(b"AQID").as_deref(), Some(&[1, 2, 3][..]));
        assert_eq!(decode(b"+/8=").as_deref(), Some(&[0xfb, 0xff][..]));
        // Missing padding, unused bits, the alphabet of URLs, a line break, a length that no bytes have.
        for wrong in [&b"+/8"[..], b"+/9=", b"-_8=", b"AQ\nID", b"A", b"AAAAA", b"=", b"AQ=="] {
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
