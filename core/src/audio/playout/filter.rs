//! The signal between the samples: a windowed sinc, as a table of phases.

use alloc::vec::Vec;

/// How many samples are looked at. More are steeper: with 32 the band up to 0.43 of the sample rate stays flat.
pub(super) const TAPS: usize = 32;
/// The window begins so many samples before the place.
pub(super) const BEHIND: u64 = 15;
/// The window ends so many samples after the place.
pub(super) const AHEAD: u64 = 16;
/// Places between two samples that are tabled. What is between those is interpolated, with an error below -90 dB.
const PHASES: usize = 128;
/// The shape of the Kaiser window: what is not wanted stays 80 dB below.
const BETA: f64 = 8.0;

/// As many samples as the filter looks at.
pub(super) type Taps = [f32; TAPS];

/// An interpolator that passes what is below half of the lower of two rates.
#[derive(Debug)]
pub(super) struct Filter {
    /// The weights at every phase, and at the first one a sample later.
    phases: Vec<Taps>,
}

impl Filter {
    /// `ratio` is the output's rate divided by the input's.
    pub(super) fn new(ratio: f64) -> Self {
        // Beyond half of a lower output rate everything would come back as a false tone, also in the filter's slope.
        let cutoff = if ratio < 1.0 { ratio * 0.92 } else { 1.0 };
        Self { phases: (0..=PHASES).map(|phase| weights(phase, cutoff)).collect() }
    }

    /// The signal `fraction / 2^32` samples after the place of the window.
    pub(super) fn at(&self, window: &Taps, fraction: u32) -> f32 {
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

/// The weights of the samples for a place between two of them; their sum is 1, so that a constant stays what it is.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small numbers")]
fn weights(phase: usize, cutoff: f64) -> Taps {
    let mut exact = [0.0; TAPS];
    for (tap, weight) in exact.iter_mut().enumerate() {
        let distance = tap as f64 - BEHIND as f64 - phase as f64 / PHASES as f64;
        *weight = sinc(distance * cutoff) * kaiser(distance / AHEAD as f64);
    }
    let sum: f64 = exact.iter().sum();
    exact.map(|weight| (weight / sum) as f32)
}

/// `sin(pi x) / (pi x)`.
fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { sine_of_turns(x) / (core::f64::consts::PI * x) }
}

/// `sin(pi x)` for a moderate `x`, without the standard library.
fn sine_of_turns(x: f64) -> f64 {
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

/// The Kaiser window from -1 to 1, but for a factor.
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
    fn a_place_on_a_sample_is_the_sample() {
        let mut window = [0.0; TAPS];
        for (at, sample) in window.iter_mut().enumerate() {
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            let value = (at as f32 * 0.37).sin();
            *sample = value;
        }
        let here = Filter::new(1.0).at(&window, 0);
        assert!((here - window[BEHIND as usize]).abs() < 1e-6);
    }

    #[test]
    fn the_sine_is_that_of_the_standard_library() {
        for step in -1600..=1600 {
            let x = f64::from(step) / 100.0;
            assert!((sine_of_turns(x) - (core::f64::consts::PI * x).sin()).abs() < 1e-9, "sin(pi {x})");
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_is_taken_away() {
        // 23 kHz at 48 kHz, on the way to 44.1 kHz: it would come back as 21.1 kHz.
        let filter = Filter::new(44_100.0 / 48_000.0);
        let mut window = [0.0; TAPS];
        for (at, sample) in window.iter_mut().enumerate() {
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            let angle = core::f32::consts::TAU * 23_900.0 / 48_000.0 * at as f32;
            *sample = angle.cos();
        }
        assert!(filter.at(&window, 0).abs() < 0.02);
    }
}
