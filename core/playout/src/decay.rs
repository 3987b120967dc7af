//! Lowers the target depth while the network is calm.
//!
//! The algorithm tracks the minimum of the depth over two consecutive windows. The part of that minimum that is not
//! needed is removed by a proportional controller whose output is limited in size and in slew rate.
//!
//! All times are in seconds, all speeds in seconds per second.

/// The depth that always stays buffered on top of the observed need.
const MARGIN: f64 = 0.013;
/// The length of one window of the minimum. Depth counts as spare after one to two windows.
const WINDOW: f64 = 2.0;
/// The fraction by which each recent underrun lengthens the window.
const WINDOW_PER_UNDERRUN: f64 = 0.5;
/// The time constant with which the count of recent underruns decays.
const UNDERRUN_DECAY: f64 = 30.0;
/// The value of the decayed count below which no underrun is recent.
const NO_UNDERRUN: f64 = 0.1;
/// The proportional gain: the part of the spare depth that is removed per second.
const GAIN: f64 = 0.15;
/// The highest speed at which the target sinks.
const MAX_SPEED: f64 = 0.003;
/// The slew rate of the speed, per second. A faster change would reduce the signal-to-noise ratio of a steady tone to
/// less than 60 dB.
const SLEW_RATE: f64 = 0.0001;
/// The slew rate after an underrun: the listener has already heard a fault, and the target is high.
const SLEW_RATE_AFTER_UNDERRUN: f64 = 0.0005;

/// Measures the spare depth, and decides how fast the target sinks.
#[derive(Debug)]
pub(super) struct TargetDecay {
    /// The minimum depth in the current window.
    minimum: f64,
    /// The minimum depth in the previous window.
    previous_minimum: f64,
    /// The elapsed part of the current window.
    elapsed: f64,
    /// The number of underruns, decaying over time.
    underruns: f64,
    speed: f64,
}

impl TargetDecay {
    pub(super) fn new() -> Self {
        Self { minimum: f64::INFINITY, previous_minimum: 0.0, elapsed: 0.0, underruns: 0.0, speed: 0.0 }
    }

    /// Reports that `depth` is still buffered after `elapsed` was played. The target may sink by at most `room`.
    pub(super) fn played(&mut self, depth: f64, elapsed: f64, room: f64) {
        self.underruns -= self.underruns * (elapsed / UNDERRUN_DECAY).min(1.0);
        self.minimum = self.minimum.min(depth);
        self.elapsed += elapsed;
        let spare = (self.minimum.min(self.previous_minimum) - MARGIN).min(room);
        let desired = (spare * GAIN).clamp(0.0, MAX_SPEED);
        let slew_rate = if self.underruns > NO_UNDERRUN { SLEW_RATE_AFTER_UNDERRUN } else { SLEW_RATE };
        let change = elapsed * slew_rate;
        self.speed += (desired - self.speed).clamp(-change, change);
        if self.elapsed >= WINDOW * (1.0 + WINDOW_PER_UNDERRUN * self.underruns) {
            self.previous_minimum = self.minimum;
            self.minimum = f64::INFINITY;
            self.elapsed = 0.0;
        }
    }

    /// Reports an underrun: the target stops sinking, and the windows start again.
    pub(super) fn underrun(&mut self) {
        *self = Self { underruns: self.underruns + 1.0, ..Self::new() };
    }

    /// Returns the speed at which the target sinks.
    pub(super) fn speed(&self) -> f64 {
        self.speed
    }
}
