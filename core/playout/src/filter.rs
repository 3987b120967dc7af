//! A resampling filter: a windowed sinc (Kaiser window), as a table of phases.

use alloc::vec::Vec;

/// The number of samples in the window. More samples make the filter steeper: with 32, the band up to 0.43 of the
/// sample rate is flat.
pub(super) const TAPS: usize = 32;
/// The number of samples from the start of the window to the position.
pub(super) const LOOKBEHIND: u64 = 15;
/// The number of samples from the position to the end of the window.
pub(super) const LOOKAHEAD: u64 = 16;
/// The number of phases between two samples. The filter interpolates between phases, with an error below -90 dB.
const PHASES: usize = 128;
/// The shape parameter of the Kaiser window, for a stop-band attenuation of 80 dB.
const BETA: f64 = 8.0;

/// The samples of one window, or their weights.
pub(super) type Taps = [f32; TAPS];

/// An interpolator that passes frequencies below half of the lower of two rates.
#[derive(Debug)]
pub(super) struct Filter {
    /// The weights of every phase, then those of the first phase one sample later.
    phases: Vec<Taps>,
}

impl Filter {
    /// Creates a filter. `ratio` is the output rate divided by the input rate.
    #[inline]
    pub(super) fn new(ratio: f64) -> Self {
        // Frequencies above half of a lower output rate would alias. The factor leaves room for the transition band.
        let cutoff = if ratio < 1.0 { ratio * 0.92 } else { 1.0 };
        Self { phases: (0..=PHASES).map(|phase| weights(phase, cutoff)).collect() }
    }

    /// Returns the signal `fraction / 2^32` samples after the position of the window.
    pub(super) fn interpolate(&self, window: &Taps, fraction: u32) -> f32 {
        const SHIFT: u32 = u32::BITS - PHASES.ilog2();
        let phase = (fraction >> SHIFT) as usize;
        #[allow(clippy::cast_precision_loss, reason = "a 25-bit part is exact enough")]
        let between = (fraction << (u32::BITS - SHIFT)) as f32 / 4_294_967_296.0;
        let here = dot(window, &self.phases[phase]);
        let next = dot(window, &self.phases[phase + 1]);
        here + between * (next - here)
    }
}

fn dot(samples: &Taps, weights: &Taps) -> f32 {
    samples.iter().zip(weights).map(|(sample, weight)| sample * weight).sum()
}

/// Returns the weights of the samples for one phase. Their sum is 1, so the filter does not change a constant signal.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small numbers")]
fn weights(phase: usize, cutoff: f64) -> Taps {
    let mut exact = [0.0; TAPS];
    for (tap, weight) in exact.iter_mut().enumerate() {
        let distance = tap as f64 - LOOKBEHIND as f64 - phase as f64 / PHASES as f64;
        *weight = sinc(distance * cutoff) * kaiser(distance / LOOKAHEAD as f64);
    }
    let sum: f64 = exact.iter().sum();
    exact.map(|weight| (weight / sum) as f32)
}

/// Returns `sin(pi x) / (pi x)`.
fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { sin_pi(x) / (core::f64::consts::PI * x) }
}

/// Returns `sin(pi x)` for a small `x`, without the standard library.
fn sin_pi(x: f64) -> f64 {
    #[allow(clippy::cast_possible_truncation, reason = "the filter is a few samples long")]
    let half_turns = (x + if x < 0.0 { -0.5 } else { 0.5 }) as i32;
    let angle = core::f64::consts::PI * (x - f64::from(half_turns));
    let (mut term, mut sum) = (angle, angle);
    for power in 1..10 {
        term *= -angle * angle / f64::from(2 * power * (2 * power + 1));
        sum += term;
    }
    if half_turns % 2 == 0 { sum } else { -sum }
}

/// Returns the Kaiser window at `x` from -1 to 1, without normalization.
fn kaiser(x: f64) -> f64 {
    // The modified Bessel function I0 as its series, in the square of its argument.
    let square = BETA * BETA * (1.0 - x * x).max(0.0) / 4.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for order in 1..40 {
        term *= square / f64::from(order * order);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_position_returns_the_sample() {
        let mut window = [0.0; TAPS];
        for (at, sample) in window.iter_mut().enumerate() {
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            let value = (at as f32 * 0.37).sin();
            *sample = value;
        }
        let here = Filter::new(1.0).interpolate(&window, 0);
        assert!((here - window[LOOKBEHIND as usize]).abs() < 1e-6);
    }

    #[test]
    fn the_sine_matches_the_standard_library() {
        for step in -1600..=1600 {
            let x = f64::from(step) / 100.0;
            assert!((sin_pi(x) - (core::f64::consts::PI * x).sin()).abs() < 1e-9, "sin(pi {x})");
        }
    }

    #[test]
    fn frequencies_above_the_lower_rate_are_removed() {
        // 23.9 kHz at 48 kHz, resampled to 44.1 kHz: without a filter it would alias.
        let filter = Filter::new(44_100.0 / 48_000.0);
        let mut window = [0.0; TAPS];
        for (at, sample) in window.iter_mut().enumerate() {
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            let angle = core::f32::consts::TAU * 23_900.0 / 48_000.0 * at as f32;
            *sample = angle.cos();
        }
        assert!(filter.interpolate(&window, 0).abs() < 0.02);
    }
}
