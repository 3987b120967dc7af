//! The level of samples.

/// The level of a block of samples. Full scale is 1; samples beyond it give higher values.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Level {
    /// The largest absolute sample.
    pub peak: f32,
    /// The root mean square.
    pub rms: f32,
}

/// Measures the level of samples. Without samples, the level is 0.
#[must_use]
pub fn measure(samples: &[f32]) -> Level {
    if samples.is_empty() {
        return Level::default();
    }
    let (peak, sum) = samples.iter().fold((0.0_f32, 0.0_f64), |(peak, sum), sample| {
        (peak.max(sample.abs()), sum + f64::from(*sample) * f64::from(*sample))
    });
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "precise enough")]
    Level { peak, rms: (sum / samples.len() as f64).sqrt() as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rms_of_a_square_wave_is_its_peak() {
        let level = measure(&[0.5, -0.5, 0.5, -0.5]);
        assert!((level.peak - 0.5).abs() < 1e-6 && (level.rms - 0.5).abs() < 1e-6);
        assert_eq!(measure(&[]), Level::default());
    }
}
