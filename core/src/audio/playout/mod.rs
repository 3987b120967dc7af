//! A jitter buffer: samples go in as the network brings them, and come out as a sound card refreshable for them, resampled to
//! its rate.
//!
//! There is one clock in it, the sound card's: time is what was pulled. It uses only what `core` and `alloc` have, for
//! it runs in an audio worklet too, where it has to be small.

mod calm;
mod delay;
mod filter;
mod ring;

use alloc::vec;
use alloc::vec::Vec;

use delay::{Delay, HIGHEST, MOST_BEYOND};
use filter::{AHEAD, BEHIND, Filter};
use ring::Ring;

/// How much to buffer, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Depth {
    /// The target at first, while nothing is known of the network.
    pub first: f64,
    /// The least target, however calm the network is. A packet and a little more are always kept.
    pub least: f64,
}

impl Default for Depth {
    fn default() -> Self {
        Self { first: 60.0, least: 0.0 }
    }
}

impl Depth {
    /// So much at first, and never less.
    #[must_use]
    pub fn at_least(target: f64) -> Self {
        Self { first: target, least: target }
    }
}

/// Beginnings, ends and steps in the signal are spread over so many seconds, or they would be heard as clicks.
const FADE: f64 = 0.005;

/// What became of the samples. Counts are in frames (samples of one channel) of the input, and
/// `received = played + buffered + dropped` at all times.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    /// Frames that were pushed.
    pub received: u64,
    /// Frames that sounded.
    pub played: u64,
    /// Frames that wait.
    pub buffered: u64,
    /// Frames that were thrown away, the oldest first, because they would have made the delay too long.
    pub dropped: u64,
    /// Frames that were put in where nothing had come in time, after the first sound: a fade, and silence.
    pub concealed: u64,
    /// How often nothing had come in time.
    pub underruns: u64,
    /// How much should be buffered, in milliseconds.
    pub target: f64,
    /// How much faster than it came it is played, to follow the sender's clock.
    pub rate: f64,
    /// Whether it sounds now.
    pub playing: bool,
}

/// How loud the output was.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Loudness {
    /// The largest sample, from 0 to 1.
    pub peak: f32,
    /// The mean of the squares.
    pub power: f64,
}

/// See the [module documentation](self).
#[derive(Debug)]
pub struct Playout {
    input_rate: f64,
    output_rate: f64,
    channels: usize,
    ring: Ring,
    filter: Filter,
    delay: Delay,
    phase: Phase,
    /// What is played next.
    next: Place,
    /// What is heard while the sound fades that had to end: its last milliseconds, backwards.
    tail: Place,
    /// From here on the signal is made of samples of the same sound alone: what was before it is silence, or something was
    /// lost between.
    origin: u64,
    /// From 0 to 1: rises when sound begins, falls when it ends.
    gain: f32,
    /// By how much the gain may change from frame to frame of the output.
    ramp: f32,
    step: Step,
    /// A frame that does not continue those before it, until it was reached.
    joint: Option<u64>,
    /// What does not fit into the ring.
    skipped: u64,
    played: u64,
    dropped: u64,
    /// In frames of the output.
    concealed: u64,
    underruns: u64,
    progress_sender: ProgressSender,
}

/// What happens at the moment.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// There was no sound yet.
    Waiting,
    /// It sounds.
    Playing,
    /// Nothing came in time; for so many frames of the output.
    Gap(u64),
    /// It ends: it sounds until the gain is zero.
    Stopping,
    /// It ended, but for the tail.
    Stopped,
}

/// A place in the sound.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    frame: u64,
    /// How far beyond it, in 2^-32 frames.
    fraction: u32,
}

/// A step in the signal that is spread: what to add to each channel, less from frame to frame.
#[derive(Debug)]
struct Step {
    /// The signal was cut: how large the step is shows with the next frame.
    cut: bool,
    height: Vec<f32>,
    /// From 1 to 0.
    part: f32,
    /// What sounded last.
    last: Vec<f32>,
}

#[derive(Debug, Default)]
struct ProgressSender {
    peak: f32,
    squares: f64,
    samples: u64,
}

impl Playout {
    /// A buffer for interleaved samples of `channels` channels, at `input_rate` frames per second, which are asked for at
    /// `output_rate`.
    #[must_use]
    pub fn new(input_rate: u32, channels: u16, output_rate: u32, depth: Depth) -> Self {
        let (input_rate, output_rate) = (f64::from(input_rate.max(1)), f64::from(output_rate.max(1)));
        let channels = usize::from(channels.max(1));
        let delay = Delay::new(depth);
        // What was heard last is needed for the tail.
        let most = delay.highest() + MOST_BEYOND + 2.0 * FADE;
        let ramp = 1.0 / (FADE * output_rate);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds of frames")]
        Self {
            input_rate,
            output_rate,
            channels,
            ring: Ring::new(channels, (most * input_rate) as usize + 2 * filter::TAPS),
            filter: Filter::new(output_rate / input_rate),
            delay,
            phase: Phase::Waiting,
            next: Place::default(),
            tail: Place::default(),
            origin: BEHIND,
            gain: 0.0,
            ramp: ramp as f32,
            step: Step { cut: false, height: vec![0.0; channels], part: 0.0, last: vec![0.0; channels] },
            joint: None,
            skipped: 0,
            played: 0,
            dropped: 0,
            concealed: 0,
            underruns: 0,
            progress_sender: ProgressSender::default(),
        }
    }

    /// The most frames that are ever buffered.
    #[must_use]
    pub fn bound(&self) -> u64 {
        self.frames(self.delay.highest() + MOST_BEYOND)
    }

    /// Takes what the network brought. An incomplete frame at the end is passed over.
    pub fn push(&mut self, interleaved: &[f32]) {
        let frames = interleaved.len() / self.channels;
        if frames == 0 {
            return;
        }
        #[allow(clippy::cast_possible_truncation, reason = "half a second of frames")]
        let skipped = frames.saturating_sub(self.bound() as usize);
        self.skipped += skipped as u64;
        self.dropped += skipped as u64;
        self.ring.write(&interleaved[skipped * self.channels..frames * self.channels]);
        self.delay.pushed((frames as f64 / self.input_rate).min(HIGHEST));
        if self.buffered() > self.bound() {
            self.cut(self.buffered() - self.frames(self.delay.target()));
        }
    }

    /// What is pushed next does not continue what was pushed before: something between them was lost.
    pub fn splice(&mut self) {
        // One joint is kept. Where another comes before it was reached, the line is so bad that what is older is let go.
        self.pass_joint();
        if self.ring.written() > 0 {
            self.joint = Some(self.ring.written());
        }
    }

    /// Fills what the sound card refreshable for: one stretch of `output` for each of `channels` channels, the same number of
    /// frames in each. A mono sound goes to all of them; channels that the output does not have are not heard.
    pub fn pull(&mut self, output: &mut [f32], channels: usize) {
        let frames = output.len() / channels.max(1);
        if frames == 0 {
            return;
        }
        self.adapt(frames);
        let speed = self.input_rate / self.output_rate * self.delay.rate();
        #[allow(clippy::cast_possible_truncation, reason = "a speed is small")]
        let advance = (speed * 4_294_967_296.0) as i64;
        for frame in 0..frames {
            if self.sounds() && self.joint.is_some_and(|joint| self.next.frame + AHEAD >= joint) {
                self.pass_joint();
            }
            if self.sounds() && self.buffered() <= AHEAD {
                self.end(advance);
            }
            self.fade();
            for channel in 0..self.channels {
                let sample = self.sample(channel);
                self.step.last[channel] = sample;
            }
            self.step.cut = false;
            self.step.part = (self.step.part - self.ramp).max(0.0);
            for channel in 0..channels {
                let sample = self.step.last[channel.min(self.channels - 1)];
                output[channel * frames + frame] = sample;
                self.progress_sender.add(sample);
            }
            self.advance(advance);
        }
    }

    /// Lets the sound end, in a few milliseconds of what is asked for. What comes after is dropped.
    pub fn stop(&mut self) {
        self.phase = if self.sounds() { Phase::Stopping } else { Phase::Stopped };
    }

    /// Whether it has ended: there will be nothing but silence.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.phase == Phase::Stopped && self.gain == 0.0 && self.step.part == 0.0 && !self.step.cut
    }

    /// The figures now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "no sound is 2^52 samples long"
        )]
        let concealed = (self.concealed as f64 * self.input_rate / self.output_rate + 0.5) as u64;
        Stats {
            received: self.ring.written() + self.skipped,
            played: self.played,
            buffered: self.buffered(),
            dropped: self.dropped,
            concealed,
            underruns: self.underruns,
            target: self.delay.target() * 1000.0,
            rate: if self.sounds() { self.delay.rate() } else { 1.0 },
            playing: self.sounds(),
        }
    }

    /// How loud the output was since this was asked last.
    pub fn loudness(&mut self) -> Loudness {
        core::mem::take(&mut self.progress_sender).loudness()
    }

    fn buffered(&self) -> u64 {
        self.ring.written() - self.next.frame
    }

    fn sounds(&self) -> bool {
        matches!(self.phase, Phase::Playing | Phase::Stopping)
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds of frames")]
    fn frames(&self, seconds: f64) -> u64 {
        (seconds * self.input_rate + 0.5) as u64
    }

    /// Drops the oldest frames.
    fn cut(&mut self, frames: u64) {
        let frames = frames.min(self.buffered());
        self.next.frame += frames;
        self.dropped += frames;
        self.step.cut = self.sounds();
        self.delay.settle();
    }

    /// Goes to where the signal is made of samples from behind the joint alone.
    fn pass_joint(&mut self) {
        let Some(joint) = self.joint else { return };
        let origin = joint + BEHIND;
        if origin > self.next.frame {
            self.cut(origin - self.next.frame);
        }
        if origin <= self.next.frame {
            self.joint = None;
            self.origin = origin;
        }
    }

    /// Begins to play if it is time, and looks at the depth.
    #[allow(clippy::cast_precision_loss, reason = "no sound is 2^52 samples long")]
    fn adapt(&mut self, frames: usize) {
        let depth = self.buffered() as f64 / self.input_rate;
        let lookahead = AHEAD as f64 / self.input_rate;
        match self.phase {
            Phase::Waiting if depth >= self.delay.target() => {
                // What came before the first sound can be dropped unheard.
                self.cut(self.buffered() - self.frames(self.delay.target()));
                self.phase = Phase::Playing;
                self.delay.began(0.0);
            }
            Phase::Gap(length) if depth >= self.delay.resumes_at() + lookahead => {
                self.phase = Phase::Playing;
                self.step.cut = self.gain > 0.0;
                self.delay.began(length as f64 / self.output_rate);
            }
            Phase::Playing => {
                if let Some(excess) = self.delay.played(depth, frames as f64 / self.output_rate) {
                    self.cut(self.frames(excess));
                }
            }
            Phase::Stopped => self.cut(self.buffered()),
            Phase::Waiting | Phase::Gap(_) | Phase::Stopping => {}
        }
    }

    /// There is nothing left to play. What was heard last is heard again while it fades, backwards, since that goes on
    /// without a step: so nothing has to be kept in reserve for a fade.
    fn end(&mut self, advance: i64) {
        if self.step.cut {
            // It is not what was heard last that ends here, and the step is spread anyway.
            self.gain = 0.0;
        }
        self.tail = self.next;
        self.tail.step(-advance);
        self.phase = if self.phase == Phase::Stopping {
            Phase::Stopped
        } else {
            self.underruns += 1;
            self.delay.ran_empty();
            Phase::Gap(0)
        };
    }

    /// Moves the gain towards what the next frame should have.
    fn fade(&mut self) {
        let change = if self.phase == Phase::Playing { self.ramp } else { -self.ramp };
        self.gain = (self.gain + change).clamp(0.0, 1.0);
        match &mut self.phase {
            Phase::Gap(length) => {
                *length += 1;
                self.concealed += 1;
            }
            Phase::Stopping if self.gain == 0.0 => self.phase = Phase::Stopped,
            _ => {}
        }
    }

    /// What sounds now.
    fn sample(&mut self, channel: usize) -> f32 {
        let place = if self.sounds() { self.next } else { self.tail };
        let signal = if self.gain > 0.0 {
            let first = place.frame.cast_signed() - BEHIND.cast_signed();
            self.gain * self.filter.at(self.ring.window(channel, first), place.fraction)
        } else {
            0.0
        };
        let step = &mut self.step;
        if step.cut {
            step.height[channel] = step.last[channel] - signal;
            if channel + 1 == step.height.len() {
                step.part = 1.0;
            }
            return step.last[channel];
        }
        signal + step.height[channel] * step.part
    }

    fn advance(&mut self, by: i64) {
        if self.sounds() {
            let before = self.next.frame;
            self.next.step(by);
            self.next.frame = self.next.frame.min(self.ring.written());
            self.played += self.next.frame - before;
        } else {
            self.tail.step(-by);
            if self.tail.frame < self.origin {
                self.tail = Place { frame: self.origin, fraction: 0 };
            }
        }
    }
}

impl Place {
    /// Goes on, or back, by so many 2^-32 frames.
    fn step(&mut self, by: i64) {
        let place = i64::from(self.fraction) + by;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the low half is the fraction"
        )]
        let fraction = place as u32;
        self.fraction = fraction;
        self.frame = self.frame.saturating_add_signed(place >> u32::BITS);
    }
}

impl ProgressSender {
    fn add(&mut self, sample: f32) {
        self.peak = self.peak.max(sample.abs());
        self.squares += f64::from(sample) * f64::from(sample);
        self.samples += 1;
    }

    #[allow(clippy::cast_precision_loss, reason = "no sound is 2^52 samples long")]
    fn loudness(&self) -> Loudness {
        Loudness {
            peak: self.peak,
            power: if self.samples == 0 { 0.0 } else { self.squares / self.samples as f64 },
        }
    }
}
