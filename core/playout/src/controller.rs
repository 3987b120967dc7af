//! Controls the depth of the buffer: an adaptive target, and a PI controller of the playback rate that keeps the depth
//! at the target.
//!
//! The controller distinguishes three kinds of deviation:
//!
//! - **Drift.** A slow change of the depth comes from the difference of the two clocks. A PI controller corrects it:
//!   the proportional term acts on the smoothed depth error, and the integral term learns the clock skew.
//! - **Jitter.** An underrun raises the target. [`TargetDecay`] lowers it slowly while the network is calm, even below
//!   its initial value.
//! - **Backlog.** A depth that stays far above the target is left over from a stall. Playing it faster would keep the
//!   delay audible for minutes, so the controller drops it.
//!
//! All times are in seconds.

use super::Depth;
use super::decay::TargetDecay;

/// The default upper limit of the target. A larger requested depth replaces it.
pub(super) const MAX_TARGET: f64 = 0.25;
/// The maximum excess above the target. A larger excess is dropped at once.
pub(super) const MAX_EXCESS: f64 = 0.25;
/// The lower limit of the target is the duration of one packet plus this time. Sound cards pull 10 ms at once, and an
/// idle browser can be up to 8 ms late once in a few minutes.
const MIN_TARGET_BEYOND_PACKET: f64 = 0.020;
/// How much an underrun raises the target at once.
const RAISE: f64 = 0.01;
/// The maximum by which one underrun raises the target in total, once the length of the gap is known.
const MAX_RAISE: f64 = 0.04;
/// The length from which a gap counts as an interruption of the connection, which contains no information about jitter.
const INTERRUPTION: f64 = 1.0;
/// The time constant of the average depth, which smooths the jump of the depth at each packet.
const SMOOTHING: f64 = 8.0;
/// The largest change of the playback rate. Listeners do not hear a pitch change of half a percent.
const MAX_CORRECTION: f64 = 0.005;
/// The proportional gain, per second. A higher gain would follow single packets and modulate the pitch.
const PROPORTIONAL_GAIN: f64 = 0.04;
/// The integral gain, per square second. It acts over minutes, because a faster one makes the loop oscillate. Without
/// an integral term, a clock skew of 200 ppm would cost 5 ms of delay or of reserve for late packets.
const INTEGRAL_GAIN: f64 = 0.0004;
/// The limit of the error that the integral term receives (anti-windup). A larger error comes from a stall, not from
/// the clocks.
const MAX_INTEGRATED_ERROR: f64 = 0.005;
/// The maximum of the learned clock skew. Crystals differ by about 0.02 percent.
const MAX_SKEW: f64 = 0.001;
/// The length of the window in which a backlog is measured.
const BACKLOG_WINDOW: f64 = 0.75;
/// The minimum backlog. A smaller backlog is not dropped.
const MIN_BACKLOG: f64 = 0.018;
/// The depth that remains, at the minimum of the window, after a backlog is dropped.
const DEPTH_AFTER_DROP: f64 = 0.015;

/// Decides the target depth, the playback rate, and when to drop a backlog.
#[derive(Debug)]
pub(super) struct DepthController {
    min_target: f64,
    max_target: f64,
    target: f64,
    /// The usual duration of a packet.
    packet: f64,
    /// The average depth.
    mean: f64,
    /// The integral term: how much faster the sender's clock runs than the sound card's.
    skew: f64,
    decay: TargetDecay,
    backlog: BacklogWindow,
}

/// The average and the minimum of the depth over one window.
#[derive(Debug, Default)]
struct BacklogWindow {
    time: f64,
    sum: f64,
    minimum: f64,
}

impl DepthController {
    pub(super) fn new(depth: Depth) -> Self {
        let [initial, min_target] =
            [depth.initial, depth.min].map(|milliseconds| milliseconds.clamp(1.0, 10_000.0) / 1000.0);
        let max_target = MAX_TARGET.max(initial).max(min_target);
        let target = initial.max(min_target);
        Self {
            min_target,
            max_target,
            target,
            packet: 0.0,
            mean: 0.0,
            skew: 0.0,
            decay: TargetDecay::new(),
            backlog: BacklogWindow::default(),
        }
    }

    /// Returns the upper limit of the target.
    pub(super) fn max_target(&self) -> f64 {
        self.max_target
    }

    /// Returns the target: the depth at which playback starts.
    pub(super) fn target(&self) -> f64 {
        self.target.max(self.lower_limit())
    }

    /// Returns the set point of the average depth. On average, half of a packet has already been played.
    fn set_point(&self) -> f64 {
        self.target() - self.packet / 2.0
    }

    /// Returns the depth at which playback resumes after a gap. Late packets arrive in a burst, so playback need not
    /// wait for all of them. But without any reserve, the next gap would follow immediately.
    pub(super) fn resume_depth(&self) -> f64 {
        self.target() / 2.0
    }

    /// Returns the playback rate; 1 is the sender's nominal rate.
    pub(super) fn rate(&self) -> f64 {
        let proportional = (self.mean - self.set_point()) * PROPORTIONAL_GAIN;
        let correction = self.skew + proportional + self.decay.speed();
        1.0 + correction.clamp(-MAX_CORRECTION, MAX_CORRECTION)
    }

    /// Reports a packet of `duration`.
    pub(super) fn pushed(&mut self, duration: f64) {
        // A backlog also arrives in one piece. Shorter packets have a higher weight, so that its effect is short.
        let weight = if duration < self.packet { 0.5 } else { 0.125 };
        self.packet =
            if self.packet == 0.0 { duration } else { self.packet + (duration - self.packet) * weight };
    }

    fn lower_limit(&self) -> f64 {
        (self.packet + MIN_TARGET_BEYOND_PACKET).clamp(self.min_target, self.max_target)
    }

    /// Reports that playback starts, or resumes after `gap`.
    pub(super) fn started(&mut self, gap: f64) {
        if gap < INTERRUPTION {
            self.raise_target((gap / 4.0).min(MAX_RAISE) - RAISE);
        }
        self.reset_measurements();
    }

    /// Reports an underrun.
    pub(super) fn underrun(&mut self) {
        self.raise_target(RAISE);
        self.decay.underrun();
    }

    fn raise_target(&mut self, by: f64) {
        self.target = (self.target() + by.max(0.0)).min(self.max_target);
    }

    /// Discards the measured depth, because something other than playback changed it.
    pub(super) fn reset_measurements(&mut self) {
        self.mean = self.set_point();
        self.backlog = BacklogWindow::default();
    }

    /// Reports that `elapsed` is played from a buffer of `depth`. Returns the duration to drop.
    pub(super) fn played(&mut self, depth: f64, elapsed: f64) -> Option<f64> {
        self.mean += (depth - self.mean) * (elapsed / SMOOTHING).min(1.0);
        let error = (self.mean - self.set_point()).clamp(-MAX_INTEGRATED_ERROR, MAX_INTEGRATED_ERROR);
        self.skew = (self.skew + error * INTEGRAL_GAIN * elapsed).clamp(-MAX_SKEW, MAX_SKEW);
        self.decay.played(depth - elapsed, elapsed, self.target - self.lower_limit());
        let lowered = (self.decay.speed() * elapsed).min((self.target - self.lower_limit()).max(0.0));
        // The faster playback for a lower target is intended, so it is not part of the error.
        self.mean -= lowered;
        self.target -= lowered;
        if depth > self.target() + MAX_EXCESS {
            return Some(depth - self.target());
        }
        let window = &mut self.backlog;
        window.minimum = if window.time == 0.0 { depth } else { window.minimum.min(depth) };
        window.time += elapsed;
        window.sum += depth * elapsed;
        if window.time < BACKLOG_WINDOW {
            return None;
        }
        let BacklogWindow { time, sum, minimum } = core::mem::take(window);
        let backlog = sum / time - self.set_point();
        let excess = backlog.min(minimum - DEPTH_AFTER_DROP);
        (backlog > MIN_BACKLOG && excess > 0.0).then_some(excess)
    }
}
