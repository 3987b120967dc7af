//! A jitter buffer for PCM audio.
//!
//! A network delivers audio in irregular packets, and a sound card takes samples at a constant pace. [`Playout`]
//! buffers between the two: it adapts its delay to the jitter of the network, follows the clock of the sender by
//! resampling, and fades in and out around gaps.
//!
//! The sound card is the only clock: time passes only when samples are pulled. The crate uses `core` and `alloc` only,
//! because it also runs in an audio worklet, where it has to be small.

#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod controller;
mod decay;
mod filter;
mod ring;

use alloc::vec;
use alloc::vec::Vec;

use controller::{DepthController, MAX_EXCESS, MAX_TARGET};
use filter::{Filter, LOOKAHEAD, LOOKBEHIND};
use ring::Ring;

/// How much audio to buffer, in milliseconds. Both values are clamped to 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Depth {
    /// The target at the start, while nothing is known about the network. Default: 60.
    pub initial: f64,
    /// The lower limit of the target. The target is also at least the duration of one packet plus 20 ms. Default: 0.
    pub min: f64,
}

impl Default for Depth {
    fn default() -> Self {
        Self { initial: 60.0, min: 0.0 }
    }
}

impl Depth {
    /// Returns a depth that starts at `target` milliseconds and never falls below it.
    #[must_use]
    pub fn at_least(target: f64) -> Self {
        Self { initial: target, min: target }
    }
}

/// The duration of a fade, in seconds. A sudden start, end or step would be heard as a click.
const FADE: f64 = 0.005;

/// The statistics of a [`Playout`]. A frame is one sample of every channel; counts are frames at the input rate.
/// `received = played + buffered + dropped` at all times.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    /// Frames that were pushed.
    pub received: u64,
    /// Frames that were played.
    pub played: u64,
    /// Frames in the buffer.
    pub buffered: u64,
    /// Frames that were dropped to limit the delay, the oldest first.
    pub dropped: u64,
    /// Frames that were inserted after playback started because none arrived in time: a fade, then silence.
    pub concealed: u64,
    /// The number of times that the buffer ran empty.
    pub underruns: u64,
    /// The target depth, in milliseconds.
    pub target: f64,
    /// The playback rate relative to the sender's nominal rate. It follows the sender's clock. It is 1 while nothing
    /// plays.
    pub rate: f64,
    /// Whether audio is playing now.
    pub playing: bool,
}

/// The loudness of the output.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Loudness {
    /// The largest absolute value of a sample. 1 is full scale; resampled audio may exceed it slightly.
    pub peak: f32,
    /// The mean square of the samples.
    pub power: f64,
}

/// A jitter buffer; see the [crate documentation](self).
#[derive(Debug)]
pub struct Playout {
    input_rate: f64,
    output_rate: f64,
    channels: usize,
    ring: Ring,
    filter: Filter,
    controller: DepthController,
    phase: Phase,
    /// The position that is played next.
    next: Position,
    /// The position during a fade-out, which plays the last milliseconds backwards.
    tail: Position,
    /// The first frame whose filter window contains only continuous audio. Silence or a discontinuity precedes this
    /// frame.
    origin: u64,
    /// The gain of the output, from 0 to 1. It rises when playback starts, and falls when playback ends.
    gain: f32,
    /// The largest change of the gain from one output frame to the next.
    ramp: f32,
    declick: Declick,
    /// The frame that does not continue the frames before it, until playback has passed this frame.
    discontinuity: Option<u64>,
    /// Frames that were dropped because they did not fit into the ring.
    skipped: u64,
    played: u64,
    dropped: u64,
    /// The number of concealed frames, at the output rate.
    concealed: u64,
    underruns: u64,
    meter: LoudnessMeter,
}

/// The current state of the buffer.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Fills until the target is reached for the first time.
    Buffering,
    /// Plays.
    Playing,
    /// Conceals an underrun. The value is the length of the gap so far, in output frames.
    Concealing(u64),
    /// Plays until the gain is zero.
    Stopping,
    /// Has ended; only the fade-out may remain.
    Stopped,
}

/// A position in the input.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    frame: u64,
    /// The distance beyond `frame`, in 2^-32 frames.
    fraction: u32,
}

/// Spreads a step in the signal over a fade: it adds a decaying offset to each channel.
#[derive(Debug)]
struct Declick {
    /// Whether the signal was cut. The next frame determines the size of the step.
    pending: bool,
    /// The step of each channel.
    offset: Vec<f32>,
    /// The part of the offset that remains, from 1 to 0.
    remaining: f32,
    /// The last output frame.
    last: Vec<f32>,
}

#[derive(Debug, Default)]
struct LoudnessMeter {
    peak: f32,
    squares: f64,
    samples: u64,
}

impl Playout {
    /// Creates a buffer for interleaved samples of `channels` channels. `input_rate` is the sender's sample rate and
    /// `output_rate` the sound card's, in frames per second.
    #[must_use]
    // Inlined, like the constructors that it calls: this makes the WebAssembly module 5 % smaller.
    #[inline]
    pub fn new(input_rate: u32, channels: u16, output_rate: u32, depth: Depth) -> Self {
        let (input_rate, output_rate) = (f64::from(input_rate.max(1)), f64::from(output_rate.max(1)));
        let channels = usize::from(channels.max(1));
        let controller = DepthController::new(depth);
        // The fade-out needs the last frames that were played.
        let capacity = controller.max_target() + MAX_EXCESS + 2.0 * FADE;
        let ramp = 1.0 / (FADE * output_rate);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds of frames")]
        Self {
            input_rate,
            output_rate,
            channels,
            ring: Ring::new(channels, (capacity * input_rate) as usize + 2 * filter::TAPS),
            filter: Filter::new(output_rate / input_rate),
            controller,
            phase: Phase::Buffering,
            next: Position::default(),
            tail: Position::default(),
            origin: LOOKBEHIND,
            gain: 0.0,
            ramp: ramp as f32,
            declick: Declick {
                pending: false,
                offset: vec![0.0; channels],
                remaining: 0.0,
                last: vec![0.0; channels],
            },
            discontinuity: None,
            skipped: 0,
            played: 0,
            dropped: 0,
            concealed: 0,
            underruns: 0,
            meter: LoudnessMeter::default(),
        }
    }

    /// Returns the maximum number of frames in the buffer.
    #[must_use]
    pub fn max_buffered(&self) -> u64 {
        self.frames(self.controller.max_target() + MAX_EXCESS)
    }

    /// Adds samples that arrived from the network. An incomplete frame at the end is ignored.
    pub fn push(&mut self, interleaved: &[f32]) {
        let frames = interleaved.len() / self.channels;
        if frames == 0 {
            return;
        }
        #[allow(clippy::cast_possible_truncation, reason = "half a second of frames")]
        let skipped = frames.saturating_sub(self.max_buffered() as usize);
        self.skipped += skipped as u64;
        self.dropped += skipped as u64;
        self.ring.write(&interleaved[skipped * self.channels..frames * self.channels]);
        self.controller.pushed((frames as f64 / self.input_rate).min(MAX_TARGET));
        if self.buffered() > self.max_buffered() {
            self.drop_oldest(self.buffered() - self.frames(self.controller.target()));
        }
    }

    /// Marks a discontinuity: samples between the last push and the next one were lost.
    pub fn splice(&mut self) {
        // Only one discontinuity is kept. If a second one comes before playback has passed the first, the audio before
        // the first is dropped.
        self.pass_discontinuity();
        if self.ring.written() > 0 {
            self.discontinuity = Some(self.ring.written());
        }
    }

    /// Fills a buffer of the sound card. `output` contains `channels` channels one after the other, each with the same
    /// number of frames. Mono audio is played on all channels. Input channels that the output does not have are not
    /// played.
    pub fn pull(&mut self, output: &mut [f32], channels: usize) {
        let frames = output.len() / channels.max(1);
        if frames == 0 {
            return;
        }
        self.adapt(frames);
        let speed = self.input_rate / self.output_rate * self.controller.rate();
        #[allow(clippy::cast_possible_truncation, reason = "a speed is small")]
        let advance = (speed * 4_294_967_296.0) as i64;
        for frame in 0..frames {
            if self.is_playing() && self.discontinuity.is_some_and(|at| self.next.frame + LOOKAHEAD >= at) {
                self.pass_discontinuity();
            }
            if self.is_playing() && self.buffered() <= LOOKAHEAD {
                self.run_out(advance);
            }
            self.update_gain();
            for channel in 0..self.channels {
                let sample = self.sample(channel);
                self.declick.last[channel] = sample;
            }
            self.declick.pending = false;
            self.declick.remaining = (self.declick.remaining - self.ramp).max(0.0);
            for channel in 0..channels {
                let sample = self.declick.last[channel.min(self.channels - 1)];
                output[channel * frames + frame] = sample;
                self.meter.add(sample);
            }
            self.advance(advance);
        }
    }

    /// Ends playback with a fade-out of a few milliseconds. Samples that are pushed later are dropped.
    pub fn stop(&mut self) {
        self.phase = if self.is_playing() { Phase::Stopping } else { Phase::Stopped };
    }

    /// Returns whether playback has ended: [`pull`](Self::pull) returns only silence from now on.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.phase == Phase::Stopped
            && self.gain == 0.0
            && self.declick.remaining == 0.0
            && !self.declick.pending
    }

    /// Returns the current statistics.
    #[must_use]
    pub fn stats(&self) -> Stats {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "no audio is 2^52 samples long"
        )]
        let concealed = (self.concealed as f64 * self.input_rate / self.output_rate + 0.5) as u64;
        Stats {
            received: self.ring.written() + self.skipped,
            played: self.played,
            buffered: self.buffered(),
            dropped: self.dropped,
            concealed,
            underruns: self.underruns,
            target: self.controller.target() * 1000.0,
            rate: if self.is_playing() { self.controller.rate() } else { 1.0 },
            playing: self.is_playing(),
        }
    }

    /// Returns the loudness of the output since the last call of this method.
    pub fn loudness(&mut self) -> Loudness {
        core::mem::take(&mut self.meter).loudness()
    }

    fn buffered(&self) -> u64 {
        self.ring.written() - self.next.frame
    }

    fn is_playing(&self) -> bool {
        matches!(self.phase, Phase::Playing | Phase::Stopping)
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds of frames")]
    fn frames(&self, seconds: f64) -> u64 {
        (seconds * self.input_rate + 0.5) as u64
    }

    fn drop_oldest(&mut self, frames: u64) {
        let frames = frames.min(self.buffered());
        self.next.frame += frames;
        self.dropped += frames;
        self.declick.pending = self.is_playing();
        self.controller.reset_measurements();
    }

    /// Moves to the first frame whose filter window starts after the discontinuity.
    fn pass_discontinuity(&mut self) {
        let Some(discontinuity) = self.discontinuity else { return };
        let origin = discontinuity + LOOKBEHIND;
        if origin > self.next.frame {
            self.drop_oldest(origin - self.next.frame);
        }
        if origin <= self.next.frame {
            self.discontinuity = None;
            self.origin = origin;
        }
    }

    /// Starts playback if the buffer is full enough, and updates the controller.
    #[allow(clippy::cast_precision_loss, reason = "no audio is 2^52 samples long")]
    fn adapt(&mut self, frames: usize) {
        let depth = self.buffered() as f64 / self.input_rate;
        let lookahead = LOOKAHEAD as f64 / self.input_rate;
        match self.phase {
            Phase::Buffering if depth >= self.controller.target() => {
                // Before the first audio, dropping the excess is not audible.
                self.drop_oldest(self.buffered() - self.frames(self.controller.target()));
                self.phase = Phase::Playing;
                self.controller.started(0.0);
            }
            Phase::Concealing(length) if depth >= self.controller.resume_depth() + lookahead => {
                self.phase = Phase::Playing;
                self.declick.pending = self.gain > 0.0;
                self.controller.started(length as f64 / self.output_rate);
            }
            Phase::Playing => {
                if let Some(excess) = self.controller.played(depth, frames as f64 / self.output_rate) {
                    self.drop_oldest(self.frames(excess));
                }
            }
            Phase::Stopped => self.drop_oldest(self.buffered()),
            Phase::Buffering | Phase::Concealing(_) | Phase::Stopping => {}
        }
    }

    /// Handles an empty buffer. The fade-out plays the last milliseconds backwards, because that continues the signal
    /// without a step. So the buffer needs no reserve for a fade.
    fn run_out(&mut self, advance: i64) {
        if self.declick.pending {
            // The buffer was cut in the same frame. The declicker spreads the step, so a fade-out is not needed.
            self.gain = 0.0;
        }
        self.tail = self.next;
        self.tail.advance(-advance);
        self.phase = if self.phase == Phase::Stopping {
            Phase::Stopped
        } else {
            self.underruns += 1;
            self.controller.underrun();
            Phase::Concealing(0)
        };
    }

    /// Sets the gain of the next frame.
    fn update_gain(&mut self) {
        let change = if self.phase == Phase::Playing { self.ramp } else { -self.ramp };
        self.gain = (self.gain + change).clamp(0.0, 1.0);
        match &mut self.phase {
            Phase::Concealing(length) => {
                *length += 1;
                self.concealed += 1;
            }
            Phase::Stopping if self.gain == 0.0 => self.phase = Phase::Stopped,
            _ => {}
        }
    }

    /// Returns the current sample of a channel.
    fn sample(&mut self, channel: usize) -> f32 {
        let position = if self.is_playing() { self.next } else { self.tail };
        let signal = if self.gain > 0.0 {
            let first = position.frame.cast_signed() - LOOKBEHIND.cast_signed();
            self.gain * self.filter.interpolate(self.ring.window(channel, first), position.fraction)
        } else {
            0.0
        };
        let declick = &mut self.declick;
        if declick.pending {
            declick.offset[channel] = declick.last[channel] - signal;
            if channel + 1 == declick.offset.len() {
                declick.remaining = 1.0;
            }
            return declick.last[channel];
        }
        signal + declick.offset[channel] * declick.remaining
    }

    fn advance(&mut self, by: i64) {
        if self.is_playing() {
            let before = self.next.frame;
            self.next.advance(by);
            self.next.frame = self.next.frame.min(self.ring.written());
            self.played += self.next.frame - before;
        } else {
            self.tail.advance(-by);
            if self.tail.frame < self.origin {
                self.tail = Position { frame: self.origin, fraction: 0 };
            }
        }
    }
}

impl Position {
    /// Moves by a signed number of 2^-32 frames.
    fn advance(&mut self, by: i64) {
        let position = i64::from(self.fraction) + by;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the low half is the fraction"
        )]
        let fraction = position as u32;
        self.fraction = fraction;
        self.frame = self.frame.saturating_add_signed(position >> u32::BITS);
    }
}

impl LoudnessMeter {
    fn add(&mut self, sample: f32) {
        self.peak = self.peak.max(sample.abs());
        self.squares += f64::from(sample) * f64::from(sample);
        self.samples += 1;
    }

    #[allow(clippy::cast_precision_loss, reason = "no audio is 2^52 samples long")]
    fn loudness(&self) -> Loudness {
        Loudness {
            peak: self.peak,
            power: if self.samples == 0 { 0.0 } else { self.squares / self.samples as f64 },
        }
    }
}
