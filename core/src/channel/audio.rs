//! The audio channel: the PCM samples that the computer plays.

use std::collections::VecDeque;

use super::any::{Batching, Command, Kind, Named};
use super::link::{Action, Counters, Target};
use super::session::{Incoming, Protocol, Received, Session, drop_oldest_error};
use crate::Millis;
use crate::audio::Format;
use crate::audio::pcm::Decoder;
use crate::client::address::SocketUrl;
use crate::client::credentials::Password;
use crate::client::fields::Fields;
use crate::diagnostics::mask::Mask;
use crate::encoding::json::{self, Value};
use crate::encoding::plain::{Payload, PlainObject};
use crate::error::Error;

/// At this duration of unread audio, in seconds, the server has to wait. If it does not wait, the oldest samples are
/// dropped.
const MAX_SECONDS: u32 = 10;
/// The same limit for the number of unread items. Samples of one format are joined, so only a server that keeps changing the
/// format reaches this limit.
const MAX_ITEMS: usize = 1024;

/// The largest memory that is kept for later samples, in samples.
const MAX_SPARE: usize = 16 << 10;

/// An item of an audio channel.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AudioItem {
    /// The format of the following samples. The item precedes the first samples of each connection, and is repeated
    /// after each change.
    Started(Format),
    /// Interleaved samples from -1 to 1, in complete frames.
    Samples(Vec<f32>),
    /// An error message from the server, with secrets masked.
    Error(String),
}

/// The protocol of the audio channel.
#[derive(Debug)]
pub struct Audio {
    requested: (Option<u32>, Option<u16>),
    format: Format,
    /// Whether a [`AudioItem::Started`] was queued for this socket.
    format_announced: bool,
    decoder: Decoder,
    /// The samples of an incomplete frame.
    partial: Vec<f32>,
    items: VecDeque<Queued>,
    /// Unused memory for the next samples.
    spare: Vec<f32>,
    /// The number of unread frames.
    waiting: usize,
}

/// An unread item with its number of channels, because the format can change later.
#[derive(Debug)]
struct Queued {
    item: AudioItem,
    channels: usize,
    /// The number of samples dropped from the start of the item.
    skipped: usize,
}

impl Queued {
    /// Drops the first `samples` samples. Moves the remaining samples only when more than half of the item is dropped,
    /// because moving them each time would be slow.
    fn skip(&mut self, samples: usize) {
        self.skipped += samples;
        if let AudioItem::Samples(all) = &self.item
            && self.skipped > all.len() / 2
        {
            self.remove_skipped();
        }
    }

    fn remove_skipped(&mut self) {
        if let AudioItem::Samples(samples) = &mut self.item {
            samples.drain(..std::mem::take(&mut self.skipped));
        }
    }

    /// Returns the number of frames of the item.
    fn frames(&self) -> usize {
        match &self.item {
            AudioItem::Samples(samples) => (samples.len() - self.skipped) / self.channels,
            AudioItem::Started(_) | AudioItem::Error(_) => 0,
        }
    }
}

impl Audio {
    fn start(&mut self, frame: &Value) -> Received {
        let default = Format::default();
        let number = |name: &str| frame.get(name).and_then(Value::as_f64);
        let rate = number("sample_rate").unwrap_or(f64::from(default.sample_rate));
        let channels = number("channels").unwrap_or(f64::from(default.channels));
        if !(1_000.0..=768_000.0).contains(&rate) || !(1.0..=8.0).contains(&channels) {
            return Received::Malformed;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the ranges were checked")]
        let format = Format { sample_rate: rate as u32, channels: channels as u16 };
        self.format = format;
        self.format_announced = true;
        self.reset_decoder();
        // Replaces a format that no samples follow.
        if let Some(Queued { item: AudioItem::Started(_), .. }) = self.items.back() {
            self.items.pop_back();
        }
        self.push(AudioItem::Started(format));
        Received::Handled
    }

    /// Discards a partial frame. The next bytes start a new frame.
    fn reset_decoder(&mut self) {
        self.decoder = Decoder::default();
        self.partial.clear();
    }

    fn push_samples(&mut self, bytes: &[u8], counters: &mut Counters) {
        let channels = usize::from(self.format.channels);
        // A single message can exceed the limit of a queue that was not full. Then nothing is dropped.
        let drops = self.is_full();
        let second = self.format.sample_rate as usize * channels;
        let count = self.partial.len() + bytes.len().div_ceil(2);
        let extends = self.format_announced
            && matches!(self.items.back(), Some(Queued { item: AudioItem::Samples(last), .. })
                if last.len() + count <= second);
        let mut new = if extends { Vec::new() } else { std::mem::take(&mut self.spare) };
        let samples = match self.items.back_mut() {
            Some(Queued { item: AudioItem::Samples(last), .. }) if extends => last,
            _ => &mut new,
        };
        let before = samples.len();
        samples.append(&mut self.partial);
        self.decoder.decode(bytes, samples);
        self.partial.extend(samples.drain(samples.len() - samples.len() % channels..));
        let frames = (samples.len() - before) / channels;
        if frames == 0 {
            if !extends {
                self.spare = new;
            }
            return;
        }
        if !std::mem::replace(&mut self.format_announced, true) {
            self.push(AudioItem::Started(self.format));
        }
        counters.received += frames as u64;
        self.waiting += frames;
        if !extends {
            self.push(AudioItem::Samples(new));
        }
        if drops {
            self.drop_oldest(counters);
        }
        counters.buffered = self.waiting as u64;
    }

    fn limit(&self) -> usize {
        (self.format.sample_rate * MAX_SECONDS) as usize
    }

    fn push(&mut self, item: AudioItem) {
        self.items.push_back(Queued { item, channels: usize::from(self.format.channels), skipped: 0 });
    }

    fn drop_oldest(&mut self, counters: &mut Counters) {
        let limit = self.limit();
        while self.waiting > limit || self.items.len() > MAX_ITEMS {
            let Some(at) = self.items.iter().position(|queued| queued.frames() > 0) else { break };
            let queued = &mut self.items[at];
            let excess = match self.waiting.saturating_sub(limit) {
                0 => queued.frames(),
                excess => excess.min(queued.frames()),
            };
            queued.skip(excess * queued.channels);
            if queued.frames() == 0 {
                self.items.remove(at);
                self.drop_empty_format(at);
            }
            self.waiting -= excess;
            counters.dropped += excess as u64;
        }
    }

    /// Removes the format before the index `at` if another format is at `at`, because all samples of the first format
    /// were dropped.
    fn drop_empty_format(&mut self, at: usize) {
        let is_format =
            |at: usize| self.items.get(at).is_some_and(|queued| matches!(queued.item, AudioItem::Started(_)));
        if let Some(before) = at.checked_sub(1)
            && is_format(before)
            && is_format(at)
        {
            self.items.remove(before);
        }
    }
}

impl Protocol for Audio {
    type Item = AudioItem;
    const CHANNEL: &'static str = "audio";
    const DROPS_OLDEST: bool = true;

    fn add_query(&self, mut url: SocketUrl) -> SocketUrl {
        if let Some(rate) = self.requested.0 {
            url = url.with("sample_rate", rate);
        }
        if let Some(channels) = self.requested.1 {
            url = url.with("channels", u32::from(channels));
        }
        url
    }

    fn on_open(&mut self, _: Option<&Password>) -> Vec<String> {
        // A frame that was incomplete when the previous socket closed does not continue on this socket.
        self.reset_decoder();
        self.format = Format::default();
        self.format_announced = false;
        Vec::new()
    }

    fn on_accepted(&mut self, _after_break: Option<u64>) {}

    fn receive(&mut self, message: Incoming<'_>, counters: &mut Counters, mask: &Mask) -> Received {
        if let Incoming::Binary(bytes) = message {
            self.push_samples(bytes, counters);
            return Received::Handled;
        }
        let Ok(frame) = json::parse(message.bytes()) else { return Received::Malformed };
        let text = |name: &str| frame.get(name).and_then(Value::as_str).unwrap_or_default();
        match text("type") {
            "started" => return self.start(&frame),
            "pong" => {}
            "error" => {
                let message = mask.text(text("message"));
                self.push(AudioItem::Error(message.clone()));
                drop_oldest_error(&mut self.items, |queued| matches!(queued.item, AudioItem::Error(_)));
                return Received::Problem(message);
            }
            _ => return Received::Malformed,
        }
        Received::Handled
    }

    fn poll_item(&mut self, counters: &mut Counters) -> Option<AudioItem> {
        let mut queued = self.items.pop_front()?;
        queued.remove_skipped();
        self.waiting -= queued.frames();
        counters.taken += queued.frames() as u64;
        counters.buffered = self.waiting as u64;
        Some(queued.item)
    }

    fn is_full(&self) -> bool {
        self.waiting >= self.limit() || self.items.len() >= MAX_ITEMS
    }

    fn overflows(&self) -> bool {
        false
    }

    fn closing_message(&mut self) -> Option<Action> {
        Some(Action::Send(r#"{"type":"stop"}"#.to_owned()))
    }
}

impl Named for Audio {
    fn open(target: Target, options: &Fields<'_>, seed: u64, now: Millis) -> Result<Session<Self>, Error> {
        let (sample_rate, channels) = (options.any_number("sample_rate"), options.any_number("channels"));
        Session::audio(target, sample_rate, channels, seed, now)
    }
}

impl Kind for Audio {
    /// The time is the duration of two audio messages from the server. Samples are always collected, because they arrive
    /// all the time.
    const BATCHING: Batching = Batching { time: 40, always: true, enough: u64::MAX };

    fn command(_: &mut Session<Self>, _: Command<'_>) -> Option<Result<Value, Error>> {
        None
    }

    fn recycle(&mut self, payload: Payload) {
        if let Payload::Samples(mut samples) = payload
            && (self.spare.capacity() + 1..=MAX_SPARE).contains(&samples.capacity())
        {
            samples.clear();
            self.spare = samples;
        }
    }

    fn export(item: AudioItem) -> PlainObject {
        match item {
            AudioItem::Started(Format { sample_rate, channels }) => PlainObject::from(Value::record([
                ("type", "started".into()),
                ("sample_rate", sample_rate.into()),
                ("channels", u32::from(channels).into()),
            ])),
            AudioItem::Samples(samples) => {
                PlainObject::of_type("samples", "samples", Payload::Samples(samples))
            }
            AudioItem::Error(message) => {
                PlainObject::from(Value::record([("type", "error".into()), ("message", message.into())]))
            }
        }
    }
}

impl Session<Audio> {
    /// Creates a session. `sample_rate` is in Hz, from 8,000 to 192,000; `channels` is 1 or 2. Default: the server's
    /// choice, which is 24 kHz mono.
    ///
    /// # Errors
    /// [`Error::Encode`] if a value is not a whole number within its range.
    pub fn audio(
        target: Target,
        sample_rate: Option<f64>,
        channels: Option<f64>,
        seed: u64,
        now: Millis,
    ) -> Result<Self, Error> {
        let whole = |field: &str, value: Option<f64>, min: u32, max: u32| match value {
            Some(value) if !(f64::from(min)..=f64::from(max)).contains(&value) || value.fract() != 0.0 => {
                Err(Error::encode(
                    "computers.audio",
                    field,
                    format!("must be a whole number from {min} to {max}"),
                ))
            }
            value => Ok(value),
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the ranges were checked")]
        let requested = (
            whole("sample_rate", sample_rate, 8_000, 192_000)?.map(|rate| rate as u32),
            whole("channels", channels, 1, 2)?.map(|channels| channels as u16),
        );
        let protocol = Audio {
            requested,
            format: Format::default(),
            format_announced: false,
            decoder: Decoder::default(),
            partial: Vec::new(),
            items: VecDeque::new(),
            spare: Vec::new(),
            waiting: 0,
        };
        Ok(Self::begin(protocol, target, seed, now))
    }

    /// Returns the current format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.protocol.format
    }
}
