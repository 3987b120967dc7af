//! Conversion between signed 16-bit little-endian PCM and samples from -1 to 1.

/// The factor between a 16-bit sample and a sample from -1 to 1. It is a power of two, so encoding a decoded sample is
/// lossless.
const SCALE: f32 = 32_768.0;

/// Decodes PCM bytes that arrive in blocks of any size.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    odd: Option<u8>,
}

impl Decoder {
    /// Appends the samples of `bytes` to `samples`. An incomplete sample is kept for the next call.
    pub fn decode<S: Sample>(&mut self, mut bytes: &[u8], samples: &mut Vec<S>) {
        if let (Some(low), Some((high, rest))) = (self.odd, bytes.split_first()) {
            samples.push(S::from_pcm(i16::from_le_bytes([low, *high])));
            self.odd = None;
            bytes = rest;
        }
        let pairs = bytes.chunks_exact(2);
        if let [odd] = pairs.remainder() {
            self.odd = Some(*odd);
        }
        samples.extend(pairs.map(|pair| S::from_pcm(i16::from_le_bytes([pair[0], pair[1]]))));
    }
}

/// The type of a decoded sample.
pub trait Sample {
    /// Converts a 16-bit sample.
    fn from_pcm(value: i16) -> Self;
}

/// Keeps the 16-bit value.
impl Sample for i16 {
    fn from_pcm(value: i16) -> Self {
        value
    }
}

/// Scales the 16-bit value to the range from -1 to 1.
impl Sample for f32 {
    fn from_pcm(value: i16) -> Self {
        Self::from(value) / SCALE
    }
}

/// Encodes samples. Values outside -1 to 1 are clipped; NaN becomes 0.
#[must_use]
pub fn encode(samples: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(2 * samples.len());
    for sample in samples {
        #[allow(clippy::cast_possible_truncation, reason = "the cast saturates, as clipping should")]
        let sample = (sample * SCALE).round() as i16;
        bytes.extend_from_slice(&sample.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_and_encoding_are_exact() {
        let bytes: Vec<u8> = (i16::MIN..=i16::MAX).flat_map(i16::to_le_bytes).collect();
        let mut samples: Vec<f32> = Vec::new();
        Decoder::default().decode(&bytes, &mut samples);
        assert_eq!(encode(&samples), bytes);
        let mut values: Vec<i16> = Vec::new();
        Decoder::default().decode(&bytes, &mut values);
        assert!(values.into_iter().eq(i16::MIN..=i16::MAX));
        assert!(samples.iter().all(|sample| (-1.0..1.0).contains(sample)));
    }

    #[test]
    fn the_block_size_does_not_change_the_samples() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1001).collect();
        let mut whole: Vec<f32> = Vec::new();
        Decoder::default().decode(&bytes, &mut whole);
        for size in 1..20 {
            let (mut decoder, mut samples) = (Decoder::default(), Vec::<f32>::new());
            bytes.chunks(size).for_each(|piece| decoder.decode(piece, &mut samples));
            assert_eq!(samples, whole, "pieces of {size} bytes");
        }
        assert_eq!(whole.len(), 500);
    }

    #[test]
    fn samples_out_of_range_are_clipped() {
        assert_eq!(encode(&[2.0, -2.0, f32::NAN]), [0xff, 0x7f, 0x00, 0x80, 0, 0]);
    }
}
