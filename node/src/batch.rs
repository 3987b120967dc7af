//! Items on their way to JavaScript, many at once: a short JSON array, with long contents concatenated beside it.

use napi::bindgen_prelude::Float32Array;
use napi_derive::napi;
use orgo_core::channel::{AudioItem, EventItem, TerminalItem};
use serde_json::{Value, json};

/// Items in order, at least one.
#[napi(object, object_from_js = false)]
pub struct Batch {
    /// A JSON array of the items. An item of output or samples has the `length` of its content instead of it.
    pub json: String,
    /// The output of all items; lengths are in UTF-16 units.
    pub text: Option<String>,
    /// The samples of all items.
    pub samples: Option<Float32Array>,
}

/// A batch in a form that may leave the I/O thread.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct RawBatch {
    json: String,
    text: Option<String>,
    samples: Option<Vec<f32>>,
}

impl From<RawBatch> for Batch {
    fn from(RawBatch { json, text, samples }: RawBatch) -> Self {
        Self { json, text, samples: samples.map(Float32Array::new) }
    }
}

impl From<Vec<TerminalItem>> for RawBatch {
    fn from(items: Vec<TerminalItem>) -> Self {
        let mut text: Option<String> = None;
        let items = items.into_iter().map(|item| match item {
            TerminalItem::Output { data } => {
                let length = data.encode_utf16().count();
                match &mut text {
                    Some(text) => text.push_str(&data),
                    None => text = Some(data),
                }
                json!({ "type": "output", "length": length })
            }
            other => json!(other),
        });
        Self { json: items.collect::<Value>().to_string(), text, samples: None }
    }
}

impl From<Vec<AudioItem>> for RawBatch {
    fn from(items: Vec<AudioItem>) -> Self {
        let mut samples: Option<Vec<f32>> = None;
        let items = items.into_iter().map(|item| match item {
            AudioItem::Started(format) => json!({
                "type": "started",
                "sample_rate": format.sample_rate,
                "channels": format.channels,
            }),
            AudioItem::Samples(more) => {
                let length = more.len();
                match &mut samples {
                    Some(samples) => samples.extend(more),
                    None => samples = Some(more),
                }
                json!({ "type": "samples", "length": length })
            }
            AudioItem::Error(message) => json!({ "type": "error", "message": message }),
        });
        Self { json: items.collect::<Value>().to_string(), text: None, samples }
    }
}

impl From<Vec<EventItem>> for RawBatch {
    fn from(items: Vec<EventItem>) -> Self {
        Self { json: json!(items).to_string(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orgo_core::audio::Format;

    #[test]
    fn the_text_of_a_terminal_lies_beside_its_items() {
        let output = |data: &str| TerminalItem::Output { data: data.to_owned() };
        let batch = RawBatch::from(vec![output("a🦀"), output("→"), TerminalItem::Exit { code: 7 }]);
        assert_eq!(
            batch.json,
            r#"[{"length":3,"type":"output"},{"length":1,"type":"output"},{"code":7,"type":"exit"}]"#
        );
        assert_eq!(batch.text.as_deref(), Some("a🦀→"));
        assert_eq!(RawBatch::from(vec![TerminalItem::Reconnected]).text, None);
    }

    #[test]
    fn the_samples_of_a_sound_lie_beside_its_items() {
        let batch = RawBatch::from(vec![
            AudioItem::Started(Format { sample_rate: 24_000, channels: 1 }),
            AudioItem::Samples(vec![0.5, -0.5]),
            AudioItem::Samples(vec![0.25]),
        ]);
        assert_eq!(
            batch.json,
            r#"[{"channels":1,"sample_rate":24000,"type":"started"},{"length":2,"type":"samples"},{"length":1,"type":"samples"}]"#
        );
        assert_eq!(batch.samples, Some(vec![0.5, -0.5, 0.25]));
    }
}
