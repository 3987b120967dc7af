//! Tests an audio channel under any schedule. The samples must not depend on how their bytes are split into frames.

use orgo_core::audio::Format;
use orgo_core::channel::{Audio, AudioItem, Session, Target};

use super::input::Input;
use super::session::{self, Frame, Subject};

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    if input.byte().is_multiple_of(4) {
        cut(&mut input);
    } else {
        session::run::<Speaker>(&mut input);
    }
}

#[derive(Default)]
struct Speaker {
    format: Format,
}

impl Subject for Speaker {
    type Channel = Audio;

    /// The bytes of ten seconds at the highest rate, and the number of items.
    const LARGEST_QUEUE: (usize, usize) = (10 * 768_000 * 8 * size_of::<f32>(), 2_048);

    fn begin(target: Target, input: &mut Input<'_>) -> Option<Session<Audio>> {
        let mut number = || input.flag().then(|| f64::from(input.number()));
        let (rate, channels) = (number(), number());
        Session::audio(target, rate, channels, 1, 0).ok()
    }

    fn command(_: &mut Session<Audio>, _: &mut Input<'_>) {}

    fn frame(input: &mut Input<'_>) -> Frame {
        match input.byte() % 8 {
            0 => Frame::Text(serde_json::json!({ "type": "error", "message": input.text() }).to_string()),
            1 => Frame::Text(r#"{"type":"pong"}"#.to_owned()),
            2 => {
                let (rate, channels) = (u32::from(input.number()) * 12, input.byte() % 10);
                let started =
                    serde_json::json!({ "type": "started", "sample_rate": rate, "channels": channels });
                Frame::Text(started.to_string())
            }
            // More bytes than any input has.
            3 => Frame::Binary(input.bytes().repeat(usize::from(input.byte()))),
            _ => Frame::Binary(input.bytes().to_vec()),
        }
    }

    fn item(&mut self, item: AudioItem) -> (u64, usize) {
        match item {
            AudioItem::Started(format) => {
                assert!(
                    (1..=8).contains(&format.channels) && (1_000..=768_000).contains(&format.sample_rate)
                );
                self.format = format;
                (0, 0)
            }
            AudioItem::Samples(samples) => {
                let channels = usize::from(self.format.channels);
                assert!(!samples.is_empty() && samples.len() % channels == 0, "samples are complete frames");
                assert!(
                    samples.iter().all(|sample| (-1.0..=1.0).contains(sample)),
                    "samples are in their range"
                );
                ((samples.len() / channels) as u64, size_of_val(&*samples))
            }
            AudioItem::Error(message) => (0, message.len()),
            _ => panic!("an item of an unknown kind"),
        }
    }
}

/// Compares the samples of the same bytes in one frame and in several.
fn cut(input: &mut Input<'_>) {
    let channels = input.byte() % 8 + 1;
    let mut pieces = Vec::new();
    while !input.is_empty() {
        pieces.push(input.bytes());
    }
    let whole = pieces.concat();
    let (whole_samples, cut_samples) = (heard(channels, &[&whole]), heard(channels, &pieces));
    assert_eq!(whole_samples, cut_samples, "the split does not change the samples");
    let frames = whole.len() / 2 / usize::from(channels);
    assert_eq!(whole_samples.len(), frames * usize::from(channels), "the number of samples is exact");
}

fn heard(channels: u8, pieces: &[&[u8]]) -> Vec<f32> {
    let mut session = session::opened(|target| Session::audio(target, None, None, 1, 0));
    session.handle_text(0, &format!(r#"{{"type":"started","sample_rate":48000,"channels":{channels}}}"#));
    for piece in pieces {
        session.handle_binary(0, piece);
    }
    let mut heard = Vec::new();
    while let Some(item) = session.poll_item() {
        if let AudioItem::Samples(samples) = item {
            heard.extend(samples);
        }
    }
    heard
}
