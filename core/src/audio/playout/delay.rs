//! How much should be buffered, and how fast to play to keep it so.
//!
//! The network's jitter and the difference of the two clocks are told apart by their speed. A slow change of the depth
//! is a clock, and is followed by playing a little faster or slower. A depth that runs empty is jitter, and raises the
//! target, which sinks slowly while the network is calm, also below what it began with. What stays far above the target
//! is the backlog of a stall, which would be heard as a delay for minutes if it were played off: it is cut.
//!
//! All times are in seconds.

use super::Depth;
use super::calm::Calm;

/// The highest target, unless more is asked for.
pub(super) const HIGHEST: f64 = 0.25;
/// More than this beyond the target is cut at once.
pub(super) const MOST_BEYOND: f64 = 0.25;
/// What the target keeps beyond one packet, however calm the network is: sound cards take 10 ms at once, and a browser that
/// has nothing else to do is up to 8 ms late once in a few minutes.
const BEYOND_A_PACKET: f64 = 0.020;
/// How much an underrun raises the target, at once and when it is known how much sound was missed.
const RAISE: f64 = 0.01;
const MOST_RAISE: f64 = 0.04;
/// A longer gap is an interruption, which says nothing about the jitter.
const INTERRUPTION: f64 = 1.0;
/// Over how much time the depth is averaged, since packets make it jump.
const SMOOTHING: f64 = 8.0;
/// How far the speed may leave the sender's: half a percent is not heard as a change of pitch.
const MOST_CORRECTION: f64 = 0.005;
/// How strongly the speed answers to the depth, per second. A stronger answer would follow the packets, and modulate the
/// pitch; with this one a tone stays a tone.
const CORRECTION: f64 = 0.04;
/// How fast the difference of the clocks is learned from what the depth deviates, per square second: over minutes, or the
/// two would swing. Unlearned, a clock that is 200 ppm off would cost 5 ms of delay, or of what is there for a late packet.
const LEARNING: f64 = 0.0004;
/// What the depth deviates beyond this comes of a stall and says no more about the clocks.
const MOST_TELLING: f64 = 0.005;
/// No two clocks differ by more; crystals do by 0.02 percent.
const MOST_SKEW: f64 = 0.001;
/// A backlog is what was beyond the target all through such a time. It is cut if it is more than this.
const WATCHED: f64 = 0.75;
const BACKLOG: f64 = 0.018;
/// What a cut leaves of the least depth.
const LEFT_BY_CUT: f64 = 0.015;

/// The controller of the depth.
#[derive(Debug)]
pub(super) struct Delay {
    least: f64,
    highest: f64,
    target: f64,
    /// How much usually comes at once.
    packet: f64,
    /// The depth, averaged.
    mean: f64,
    /// How much faster the sender's clock is.
    skew: f64,
    calm: Calm,
    watch: Watch,
}

/// What is seen of the depth while a backlog may be there.
#[derive(Debug, Default)]
struct Watch {
    time: f64,
    sum: f64,
    least: f64,
}

impl Delay {
    pub(super) fn new(Depth { first, least }: Depth) -> Self {
        let [first, least] = [first, least].map(|milliseconds| milliseconds.clamp(1.0, 10_000.0) / 1000.0);
        let highest = HIGHEST.max(first).max(least);
        let target = first.max(least);
        Self {
            least,
            highest,
            target,
            packet: 0.0,
            mean: 0.0,
            skew: 0.0,
            calm: Calm::new(),
            watch: Watch::default(),
        }
    }

    /// What the target never exceeds.
    pub(super) fn highest(&self) -> f64 {
        self.highest
    }

    /// How much should be there when sound begins.
    pub(super) fn target(&self) -> f64 {
        self.target.max(self.lowest())
    }

    /// How much should be there on average: packets are half played off, on average.
    fn aim(&self) -> f64 {
        self.target() - self.packet / 2.0
    }

    /// How much has to be there to go on after a gap. What was late comes in a burst, so there is no need to wait for
    /// all of it; but with nothing in reserve the next gap would follow.
    pub(super) fn resumes_at(&self) -> f64 {
        self.target() / 2.0
    }

    /// How fast to play: 1 is the sender's nominal speed.
    pub(super) fn rate(&self) -> f64 {
        let correction = self.skew + (self.mean - self.aim()) * CORRECTION + self.calm.speed();
        1.0 + correction.clamp(-MOST_CORRECTION, MOST_CORRECTION)
    }

    /// So much came at once.
    pub(super) fn pushed(&mut self, time: f64) {
        // A backlog comes at once too, and should not count for long.
        let weight = if time < self.packet { 0.5 } else { 0.125 };
        self.packet = if self.packet == 0.0 { time } else { self.packet + (time - self.packet) * weight };
    }

    fn lowest(&self) -> f64 {
        (self.packet + BEYOND_A_PACKET).clamp(self.least, self.highest)
    }

    /// Sound begins, or goes on after `gap`.
    pub(super) fn began(&mut self, gap: f64) {
        if gap < INTERRUPTION {
            self.raise((gap / 4.0).min(MOST_RAISE) - RAISE);
        }
        self.settle();
    }

    /// Nothing came in time.
    pub(super) fn ran_empty(&mut self) {
        self.raise(RAISE);
        self.calm.ran_empty();
    }

    fn raise(&mut self, by: f64) {
        self.target = (self.target() + by.max(0.0)).min(self.highest);
    }

    /// The depth was changed by other means than playing: what was seen of it does not count any more.
    pub(super) fn settle(&mut self) {
        self.mean = self.aim();
        self.watch = Watch::default();
    }

    /// `elapsed` was played, and `depth` was buffered before that. Returns how much of it is to be cut.
    pub(super) fn played(&mut self, depth: f64, elapsed: f64) -> Option<f64> {
        self.mean += (depth - self.mean) * (elapsed / SMOOTHING).min(1.0);
        let learned = (self.mean - self.aim()).clamp(-MOST_TELLING, MOST_TELLING) * LEARNING * elapsed;
        self.skew = (self.skew + learned).clamp(-MOST_SKEW, MOST_SKEW);
        self.calm.played(depth - elapsed, elapsed, self.target - self.lowest());
        let sunk = (self.calm.speed() * elapsed).min((self.target - self.lowest()).max(0.0));
        // What is played faster for this is expected, and no deviation.
        self.mean -= sunk;
        self.target -= sunk;
        if depth > self.target() + MOST_BEYOND {
            return Some(depth - self.target());
        }
        let watch = &mut self.watch;
        watch.least = if watch.time == 0.0 { depth } else { watch.least.min(depth) };
        watch.time += elapsed;
        watch.sum += depth * elapsed;
        if watch.time < WATCHED {
            return None;
        }
        let Watch { time, sum, least } = core::mem::take(watch);
        let backlog = sum / time - self.aim();
        let cut = backlog.min(least - LEFT_BY_CUT);
        (backlog > BACKLOG && cut > 0.0).then_some(cut)
    }
}
