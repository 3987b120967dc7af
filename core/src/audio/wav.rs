//! The header of WAV files.

use super::Format;

/// Returns the header of a WAV file with 16-bit PCM. `data_bytes` is the size of the samples, in bytes. `None` is for a
/// stream of unknown length: the header then contains the largest size, and players read the complete file.
#[must_use]
pub fn header(format: Format, data_bytes: Option<u32>) -> [u8; 44] {
    const BYTES_PER_SAMPLE: u16 = 2;
    const REST_OF_HEADER: u32 = 36;
    let frame = format.channels.saturating_mul(BYTES_PER_SAMPLE);
    let data = data_bytes.unwrap_or(u32::MAX);
    let mut header = [0; 44];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        header[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    put(b"RIFF");
    put(&data.saturating_add(REST_OF_HEADER).to_le_bytes());
    put(b"WAVEfmt ");
    put(&16_u32.to_le_bytes());
    put(&1_u16.to_le_bytes());
    put(&format.channels.to_le_bytes());
    put(&format.sample_rate.to_le_bytes());
    put(&format.sample_rate.saturating_mul(u32::from(frame)).to_le_bytes());
    put(&frame.to_le_bytes());
    put(&(8 * BYTES_PER_SAMPLE).to_le_bytes());
    put(b"data");
    put(&data.to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_matches_a_known_header() {
        let header = header(Format::default(), Some(960));
        let known = b"RIFF\xe4\x03\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\xc0\x5d\0\0\x80\xbb\0\0\x02\0\x10\0data\xc0\x03\0\0";
        assert_eq!(&header, known);
    }
}
