//! A simulated sender, network and sound card.

use std::collections::VecDeque;

use orgo_core::audio::playout::{Depth, Playout, Stats};

use crate::random::Random;

/// The number of frames that the sound card pulls at once. It pulls several blocks in a row to fill one period.
pub(crate) const BLOCK: usize = 128;
const PERIOD: f64 = 0.01;

/// The settings of a simulation. Times are in seconds.
pub(crate) struct Line {
    pub(crate) input_rate: u32,
    pub(crate) channels: u16,
    pub(crate) output_rate: u32,
    /// The drift of the sender's clock relative to the sound card's, in ppm.
    pub(crate) ppm: f64,
    pub(crate) depth: Depth,
    /// The length of a packet.
    pub(crate) packet: f64,
    /// Maps the send time of a packet to its arrival time, or to `None` for a lost packet. Packets keep their order.
    pub(crate) arrival: Arrival,
    pub(crate) signal: Signal,
}

pub(crate) type Arrival = Box<dyn FnMut(f64, &mut Random) -> Option<f64>>;

/// Returns the sample of a channel at a time of the sender's clock.
pub(crate) type Signal = fn(usize, f64) -> f64;

impl Default for Line {
    fn default() -> Self {
        Self {
            input_rate: 24_000,
            channels: 1,
            output_rate: 24_000,
            ppm: 0.0,
            depth: Depth::default(),
            packet: 0.02,
            // Every network has some jitter. One millisecond also varies the phase of the sound card's periods, as the
            // scheduling of threads does.
            arrival: Box::new(|sent, random| Some(sent + random.part() * 0.001)),
            signal: |_, time| 0.5 * (std::f64::consts::TAU * 440.0 * time).sin(),
        }
    }
}

/// The output of a simulation.
pub(crate) struct Heard {
    /// The samples of each channel of the output.
    pub(crate) output: Vec<Vec<f32>>,
    pub(crate) moments: Vec<Moment>,
    pub(crate) output_rate: f64,
}

/// One period of the sound card.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) time: f64,
    /// The time since the current audio was sent, in milliseconds.
    pub(crate) latency: f64,
    pub(crate) stats: Stats,
}

/// Returns the largest step between two adjacent samples.
pub(crate) fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

impl Heard {
    pub(crate) fn end(&self) -> Stats {
        self.moments.last().expect("the simulation has run").stats
    }

    /// Returns the latest period that is not after `time`.
    pub(crate) fn at(&self, time: f64) -> Moment {
        *self.moments.iter().rev().find(|moment| moment.time <= time).expect("a time within the simulation")
    }

    /// Returns a quantile of the latency during playback between two times, in milliseconds.
    pub(crate) fn latency(&self, part: f64, from: f64, to: f64) -> f64 {
        let sounding = |moment: &&Moment| moment.stats.playing && (from..to).contains(&moment.time);
        let mut latencies: Vec<f64> =
            self.moments.iter().filter(sounding).map(|moment| moment.latency).collect();
        latencies.sort_by(f64::total_cmp);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index into a list"
        )]
        latencies[((latencies.len() - 1) as f64 * part) as usize]
    }

    /// Returns the mean latency during playback between two times, in milliseconds.
    pub(crate) fn mean_latency(&self, from: f64, to: f64) -> f64 {
        let sounding = |moment: &&Moment| moment.stats.playing && (from..to).contains(&moment.time);
        let latencies: Vec<f64> = self.moments.iter().filter(sounding).map(|moment| moment.latency).collect();
        latencies.iter().sum::<f64>() / latencies.len() as f64
    }

    /// Returns the duration of the concealed audio between two times, in milliseconds.
    pub(crate) fn concealed(&self, line_rate: u32, from: f64, to: f64) -> f64 {
        let frames = self.at(to).stats.concealed - self.at(from).stats.concealed;
        frames as f64 / f64::from(line_rate) * 1000.0
    }

    /// Returns the largest step in any channel.
    pub(crate) fn largest_step(&self) -> f32 {
        self.output.iter().map(|channel| largest_step(channel)).fold(0.0, f32::max)
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "frames and packets of some minutes"
)]
impl Line {
    /// Simulates the given number of seconds, and checks the counters at every step.
    pub(crate) fn live(mut self, seconds: f64, seed: u64) -> Heard {
        let mut random = Random::new(seed);
        let mut playout = Playout::new(self.input_rate, self.channels, self.output_rate, self.depth);
        let (input_rate, output_rate) = (f64::from(self.input_rate), f64::from(self.output_rate));
        let packet_frames = (self.packet * input_rate).round();
        let pace = packet_frames / input_rate / (1.0 + self.ppm / 1e6);
        let mut heard = Heard { output: vec![Vec::new(); 2], moments: Vec::new(), output_rate };
        let mut block = [0.0; 2 * BLOCK];
        let (mut packets, mut latest, mut pulled) = (0_u64, 0.0_f64, 0_u64);
        let mut travelling = VecDeque::new();
        // Whether a packet was lost since the last arrival.
        let mut lost = false;
        // The send times of the packets that arrived, in order.
        let mut sent_at = Vec::new();
        for period in 0..(seconds / PERIOD) as u64 {
            let now = period as f64 * PERIOD;
            while (packets + 1) as f64 * pace <= now {
                packets += 1;
                let sent = packets as f64 * pace;
                let arrival = (self.arrival)(sent, &mut random);
                if let Some(arrival) = arrival {
                    latest = latest.max(arrival);
                    travelling.push_back((packets - 1, sent, latest, lost));
                }
                lost = arrival.is_none();
            }
            while let Some((number, sent, _, spliced)) =
                travelling.pop_front_if(|(_, _, arrival, _)| *arrival <= now)
            {
                if spliced {
                    playout.splice();
                }
                let first = number as f64 * packet_frames;
                let samples = (0..packet_frames as usize * usize::from(self.channels)).map(|at| {
                    let (frame, channel) = (at / usize::from(self.channels), at % usize::from(self.channels));
                    (self.signal)(channel, (first + frame as f64) / input_rate) as f32
                });
                playout.push(&samples.collect::<Vec<_>>());
                sent_at.push(sent);
            }
            let stats = playout.stats();
            check(&stats, &playout);
            let frame = (stats.received - stats.buffered) as usize;
            let sent = sent_at.get(frame / packet_frames as usize).copied().unwrap_or(now);
            heard.moments.push(Moment { time: now, latency: (now - sent) * 1000.0, stats });
            while (pulled as f64) < (now + PERIOD) * output_rate {
                playout.pull(&mut block, 2);
                heard.output[0].extend_from_slice(&block[..BLOCK]);
                heard.output[1].extend_from_slice(&block[BLOCK..]);
                pulled += BLOCK as u64;
                check(&playout.stats(), &playout);
            }
        }
        heard
    }
}

pub(crate) fn check(stats: &Stats, playout: &Playout) {
    assert_eq!(stats.received, stats.played + stats.buffered + stats.dropped, "{stats:?}");
    assert!(stats.buffered <= playout.max_buffered(), "{stats:?} is within {}", playout.max_buffered());
    assert!((stats.rate - 1.0).abs() <= 0.005_000_1, "{stats:?}");
}
