//! How calm the network is, and how fast the target may sink for it.
//!
//! All times are in seconds, speeds in seconds per second.

/// What has to stay buffered beyond what was ever needed lately.
const SPARE: f64 = 0.013;
/// What is spare has to have been so for one such time, or two at most.
const WATCHED: f64 = 2.0;
/// Each time that it ran empty makes that time longer by this part of it, and is forgotten in such a time.
const CAUTION: f64 = 0.5;
const FORGETTING: f64 = 30.0;
/// So little of it counts as forgotten.
const FORGOTTEN: f64 = 0.1;
/// How much of what is spare is given up in a second, and at most.
const SHARE: f64 = 0.15;
const FASTEST: f64 = 0.003;
/// How fast the speed changes, per second. A tone that nothing was lost of would stay less than 60 dB above what a faster
/// change makes of it.
const CHANGE: f64 = 0.0001;
/// The same after a loss, which was heard anyway, and where the target is high.
const CHANGE_AFTER_LOSS: f64 = 0.0005;

/// Watches the least of what is buffered.
#[derive(Debug)]
pub(super) struct Calm {
    /// How much was buffered at least, while it is watched now and the time before.
    least: f64,
    least_before: f64,
    watched: f64,
    /// How often it ran empty lately.
    unrest: f64,
    speed: f64,
}

impl Calm {
    pub(super) fn new() -> Self {
        Self { least: f64::INFINITY, least_before: 0.0, watched: 0.0, unrest: 0.0, speed: 0.0 }
    }

    /// `left` was buffered after `elapsed` had been played. The target can sink by `room` more.
    pub(super) fn played(&mut self, left: f64, elapsed: f64, room: f64) {
        self.unrest -= self.unrest * (elapsed / FORGETTING).min(1.0);
        self.least = self.least.min(left);
        self.watched += elapsed;
        let spare = (self.least.min(self.least_before) - SPARE).min(room);
        let wanted = (spare * SHARE).clamp(0.0, FASTEST);
        let change = elapsed * if self.unrest > FORGOTTEN { CHANGE_AFTER_LOSS } else { CHANGE };
        self.speed += (wanted - self.speed).clamp(-change, change);
        if self.watched >= WATCHED * (1.0 + CAUTION * self.unrest) {
            self.least_before = self.least;
            self.least = f64::INFINITY;
            self.watched = 0.0;
        }
    }

    /// Nothing came in time.
    pub(super) fn ran_empty(&mut self) {
        *self = Self { unrest: self.unrest + 1.0, ..Self::new() };
    }

    /// How fast the target sinks.
    pub(super) fn speed(&self) -> f64 {
        self.speed
    }
}
