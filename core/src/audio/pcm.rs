//! Signed 16-bit little-endian PCM and samples from -1 to 1.

/// One step of a 16-bit sample. A power of two, so that the way there and back is exact.
const SCALE: f32 = 32_768.0;

/// Joins bytes that arrive in pieces of any size to samples.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    odd: Option<u8>,
}

impl Decoder {
    /// Appends the samples of `bytes` to `samples`. A byte that is half a sample is kept for the next call.
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

/// What a sample of PCM can be read as.
pub trait Sample {
    /// The sample of a 16-bit value.
    fn from_pcm(value: i16) -> Self;
}

/// The value itself.
impl Sample for i16 {
    fn from_pcm(value: i16) -> Self {
        value
    }
}

/// From -1 to 1.
impl Sample for f32 {
    fn from_pcm(value: i16) -> Self {
        Self::from(value) / SCALE
    }
}

/// The samples as bytes. What is beyond -1 and 1 is clipped, what is not a number is silence.
#[must_use]
pub fn encode(samples: &[f32]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|sample| {
            #[allow(clippy::cast_possible_truncation, reason = "the cast saturates, as clipping should")]
            let sample = (sample * SCALE).round() as i16;
            sample.to_le_bytes()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_survives_the_way_there_and_back() {
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
    fn pieces_of_any_size_give_the_same_samples() {
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
    fn encoding_clips() {
        assert_eq!(encode(&[2.0, -2.0, f32::NAN]), [0xff, 0x7f, 0x00, 0x80, 0, 0]);
    }
}
