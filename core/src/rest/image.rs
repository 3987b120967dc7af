//! The type and the size of an image, from its first bytes.

/// The header of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageInfo {
    /// `image/png` or `image/jpeg`.
    pub mime_type: &'static str,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
}

/// Reads a PNG or JPEG header. Returns `None` for other data or an incomplete header.
#[must_use]
pub fn inspect(bytes: &[u8]) -> Option<ImageInfo> {
    png(bytes).or_else(|| jpeg(bytes))
}

/// Reads a PNG header (ISO/IEC 15948): the signature, then the chunk IHDR, which starts with the width and the height.
fn png(bytes: &[u8]) -> Option<ImageInfo> {
    let header = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?.get(4..)?.strip_prefix(b"IHDR")?;
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    Some(ImageInfo { mime_type: "image/png", width: number(0)?, height: number(4)? })
}

/// Reads a JPEG header (ITU-T T.81 annex B): segments with markers and lengths, up to the frame header, which is any
/// SOFn.
fn jpeg(bytes: &[u8]) -> Option<ImageInfo> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    loop {
        let [0xff, marker, after @ ..] = rest else { return None };
        match marker {
            // Any number of fill bytes may precede a marker.
            0xff => rest = &rest[1..],
            0x01 | 0xd0..=0xd7 => rest = after,
            _ => {
                let length = usize::from(u16::from_be_bytes([*after.first()?, *after.get(1)?]));
                if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
                    let side = |at: usize| {
                        Some(u32::from(u16::from_be_bytes([*after.get(at)?, *after.get(at + 1)?])))
                    };
                    return Some(ImageInfo { mime_type: "image/jpeg", width: side(5)?, height: side(3)? });
                }
                rest = after.get(length.max(2)..)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_png_header() {
        let bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x05\0\0\0\x02\xd0\x08\x06";
        assert_eq!(inspect(bytes), Some(ImageInfo { mime_type: "image/png", width: 1280, height: 720 }));
    }

    #[test]
    fn reads_a_jpeg_frame_header_after_other_segments() {
        let bytes = b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc0\0\x11\x08\x02\xd0\x05\0\x03";
        assert_eq!(inspect(bytes), Some(ImageInfo { mime_type: "image/jpeg", width: 1280, height: 720 }));
    }

    #[test]
    fn incomplete_and_unknown_headers_are_not_images() {
        let whole = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x05\0\0\0\x02\xd0";
        for end in 0..whole.len() {
            assert_eq!(inspect(&whole[..end]), None);
        }
        assert_eq!(inspect(b"\xff\xd8\xff\xc0\0"), None);
        assert_eq!(inspect(b"\xff\xd8\xff\xe0\0\0\xff\xe0\0\0"), None);
    }
}
