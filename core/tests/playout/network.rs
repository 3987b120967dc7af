//! A sender, a network and a sound card in virtual time.

use std::collections::VecDeque;

use orgo_core::audio::playout::{Depth, Playout, Stats};

use crate::random::Random;

/// The sound card refreshable for this many frames at once, so often in a row that the time of its period is filled.
pub(crate) const BLOCK: usize = 128;
const PERIOD: f64 = 0.01;

/// What is sent, how it travels and how it is played. Times are in seconds.
pub(crate) struct Line {
    pub(crate) input_rate: u32,
    pub(crate) channels: u16,
    pub(crate) output_rate: u32,
    /// How much faster the sender's clock runs than the sound card's, in millionths.
    pub(crate) ppm: f64,
    pub(crate) depth: Depth,
    /// The length of a packet.
    pub(crate) packet: f64,
    /// When a packet arrives that was sent at a time; `None` if it is lost. Packets do not overtake each other.
    pub(crate) arrival: Arrival,
    pub(crate) signal: Signal,
}

pub(crate) type Arrival = Box<dyn FnMut(f64, &mut Random) -> Option<f64>>;

/// The sample of a channel at a time of the sender's clock.
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
            // No network is without some jitter; a millisecond also blurs the sound card's periods, as threads do.
            arrival: Box::new(|sent, random| Some(sent + random.part() * 0.001)),
            signal: |_, time| 0.5 * (std::f64::consts::TAU * 440.0 * time).sin(),
        }
    }
}

/// What was heard.
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
    /// How long ago was sent what sounds now, in milliseconds.
    pub(crate) latency: f64,
    pub(crate) stats: Stats,
}

/// The largest step between two samples next to each other.
pub(crate) fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

impl Heard {
    pub(crate) fn end(&self) -> Stats {
        self.moments.last().expect("something was heard").stats
    }

    /// The figures at a time.
    pub(crate) fn at(&self, time: f64) -> Moment {
        *self.moments.iter().rev().find(|moment| moment.time <= time).expect("a time that was lived through")
    }

    /// A quantile of the latency while it sounded, from a time to another, in milliseconds.
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

    /// The latency while it sounded, from a time to another, on average and in milliseconds.
    pub(crate) fn mean_latency(&self, from: f64, to: f64) -> f64 {
        let sounding = |moment: &&Moment| moment.stats.playing && (from..to).contains(&moment.time);
        let latencies: Vec<f64> = self.moments.iter().filter(sounding).map(|moment| moment.latency).collect();
        latencies.iter().sum::<f64>() / latencies.len() as f64
    }

    /// How much was concealed from a time to another, in milliseconds of the input.
    pub(crate) fn concealed(&self, line_rate: u32, from: f64, to: f64) -> f64 {
        let frames = self.at(to).stats.concealed - self.at(from).stats.concealed;
        frames as f64 / f64::from(line_rate) * 1000.0
    }

    /// The largest step in any channel.
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
    /// Lives through so many seconds. The accounting is checked at every moment.
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
        // Whether something was lost since the last packet that arrived.
        let mut lost = false;
        // When the frames were sent that arrived, by the number of their packet.
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
