//! Model of an audio channel: every sample is counted, and the samples of one connection are in order.

use orgo_core::audio::Format;
use orgo_core::channel::{Audio, AudioItem, Session};
use serde_json::{Value, json};

use crate::environment::{Environment, Frame, Model};
use crate::random::Random;

#[derive(Default)]
pub(crate) struct Speaker {
    /// The number of the current connection.
    connection: u64,
    /// The value of the last generated frame; 0 before the first frame of a connection.
    next: u16,
    format: Format,
    /// The bytes that are held back for the next message. They may start in the middle of a sample.
    tail: Vec<u8>,
    /// The number of channels in the format of the items.
    channels: u64,
    /// The value of the last received frame. All channels of a frame have the same value.
    last_frame: Option<u16>,
    dropped_before: bool,
    /// The bytes of a partial frame, the bytes of a frame in the announced format, and the number of frames
    /// that have arrived.
    begun: usize,
    frame_size: usize,
    arrived: u64,
}

impl Model for Speaker {
    type Channel = Audio;

    fn connected(&mut self, connection: u64) {
        self.connection = connection;
        self.next = 0;
        self.tail.clear();
        self.format = Format::default();
        self.begun = 0;
        self.frame_size = 2;
    }

    fn receive(&mut self, connection: u64, text: &str) -> Vec<Frame> {
        let message: Value = serde_json::from_str(text).expect("the client sends JSON");
        match message["type"].as_str() {
            Some("ping") => vec![Frame::Text(r#"{"type":"pong"}"#.to_owned())],
            Some("stop") => vec![Frame::Close(1000)],
            other => panic!("connection {connection}: the client sends {other:?}"),
        }
    }

    fn chatter(&mut self, connection: u64, random: &mut Random) -> Vec<Frame> {
        if connection != self.connection {
            return Vec::new();
        }
        let mut frames = Vec::new();
        if self.next == 0 || random.once_in(50) {
            self.next = 0;
            self.tail.clear();
            self.format = Format {
                sample_rate: u32::try_from(random.pick(&[8_000, 24_000, 48_000])).unwrap(),
                channels: u16::try_from(random.between(1, 2)).unwrap(),
            };
            let Format { sample_rate, channels } = self.format;
            let started = json!({ "type": "started", "sample_rate": sample_rate, "channels": channels });
            frames.push(Frame::Text(started.to_string()));
        }
        let mut bytes = std::mem::take(&mut self.tail);
        let most = if random.once_in(20) { 24_000 } else { 500 };
        for _ in 0..random.between(1, most) {
            self.next = (self.next + 1) & 0x7fff;
            for _ in 0..self.format.channels {
                bytes.extend_from_slice(&self.next.to_le_bytes());
            }
        }
        let kept = usize::try_from(random.below(5)).unwrap();
        self.tail = bytes.split_off(bytes.len().saturating_sub(kept));
        frames.push(Frame::Binary(bytes));
        frames
    }

    fn act(environment: &mut Environment<Self>, random: &mut Random) {
        if random.once_in(500) {
            environment.session.close();
        }
    }

    fn delivered(&mut self, frame: &Frame) {
        match frame {
            Frame::Text(text) => {
                let started =
                    serde_json::from_str::<Value>(text).ok().filter(|text| text["type"] == "started");
                // A hostile message has an invalid format.
                if let Some(channels) = started.and_then(|text| text["channels"].as_u64()) {
                    self.begun = 0;
                    self.frame_size = 2 * usize::try_from(channels).unwrap();
                }
            }
            Frame::Binary(bytes) => {
                let bytes = self.begun + bytes.len();
                self.begun = bytes % self.frame_size;
                self.arrived += (bytes / self.frame_size) as u64;
            }
            Frame::Close(_) => {}
        }
    }

    /// Ten seconds in items of one second or one format, with a format before each, and the errors.
    const MOST_ITEMS: usize = 1_024 + 130;

    fn item(&mut self, item: AudioItem) -> u64 {
        match item {
            AudioItem::Started(format) => {
                assert!((1..=2).contains(&format.channels));
                self.channels = u64::from(format.channels);
                self.last_frame = None;
                self.dropped_before = true;
            }
            AudioItem::Samples(samples) => {
                let frames = samples.len() as u64 / self.channels;
                for sample in samples {
                    #[allow(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "the samples are 15-bit counts"
                    )]
                    let value = (sample * 32_768.0) as u16;
                    if let Some(last) = self.last_frame {
                        let next = (last + 1) & 0x7fff;
                        assert!(
                            value == last || value == next || self.dropped_before,
                            "samples are in order: {value} after {last}"
                        );
                    }
                    self.dropped_before = false;
                    self.last_frame = Some(value);
                }
                // The oldest samples between two items may have been dropped.
                self.dropped_before = true;
                return frames;
            }
            AudioItem::Error(_) => {}
            _ => panic!("an item of an unknown kind"),
        }
        0
    }

    fn check(environment: &Environment<Self>) {
        assert_eq!(
            environment.session.counters().received,
            environment.model.arrived,
            "every sample that arrived is counted"
        );
        let limit = 10 * 48_000;
        assert!(environment.session.counters().buffered <= limit, "the queue is limited");
    }
}

pub(crate) fn schedule(random: &mut Random) {
    Environment::run(
        Speaker::default(),
        |target, seed| Session::audio(target, None, None, seed, 0).expect("the default format is valid"),
        random,
    );
}
