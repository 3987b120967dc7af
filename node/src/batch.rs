//! Items on their way to JavaScript, many at once: a short JSON array, with long contents concatenated beside it.

use napi_derive::napi;
use orgo_core::channel::{AudioItem, EventItem, TerminalItem};
use serde_json::{Value, json};

use crate::owned::Samples;

/// Items in order, at least one.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct Batch {
    /// A JSON array of the items. An item of output or samples has the `length` of its content instead of it.
    pub json: String,
    /// The output of all items; lengths are in UTF-16 units.
    pub text: Option<String>,
    /// The samples of all items.
    pub samples: Option<Samples>,
}

impl From<Vec<TerminalItem>> for Batch {
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

impl From<Vec<AudioItem>> for Batch {
    fn from(items: Vec<AudioItem>) -> Self {
        let mut samples: Option<Samples> = None;
        let items = items.into_iter().map(|item| match item {
            AudioItem::Started(format) => json!({
                "type": "started",
                "sample_rate": format.sample_rate,
                "channels": format.channels,
            }),
            AudioItem::Samples(more) => {
                let length = more.len();
                match &mut samples {
                    Some(Samples(samples)) => samples.extend(more),
                    None => samples = Some(Samples(more)),
                }
                json!({ "type": "samples", "length": length })
            }
            AudioItem::Error(message) => json!({ "type": "error", "message": message }),
        });
        Self { json: items.collect::<Value>().to_string(), text: None, samples }
    }
}

impl From<Vec<EventItem>> for Batch {
    fn from(items: Vec<EventItem>) -> Self {
        Self { json: json!(items).to_string(), text: None, samples: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orgo_core::audio::Format;

    #[test]
    fn the_text_of_a_terminal_lies_beside_its_items() {
        let output = |data: &str| TerminalItem::Output { data: data.to_owned() };
        let batch = Batch::from(vec![output("a🦀"), output("→"), TerminalItem::Exit { code: 7 }]);
        assert_eq!(
            batch.json,
            r#"[{"length":3,"type":"output"},{"length":1,"type":"output"},{"code":7,"type":"exit"}]"#
        );
        assert_eq!(batch.text.as_deref(), Some("a🦀→"));
        assert_eq!(Batch::from(vec![TerminalItem::Reconnected { unacknowledged: 0 }]).text, None);
    }

    #[test]
    fn the_samples_of_a_sound_lie_beside_its_items() {
        let batch = Batch::from(vec![
            AudioItem::Started(Format { sample_rate: 24_000, channels: 1 }),
            AudioItem::Samples(vec![0.5, -0.5]),
            AudioItem::Samples(vec![0.25]),
        ]);
        assert_eq!(
            batch.json,
            r#"[{"channels":1,"sample_rate":24000,"type":"started"},{"length":2,"type":"samples"},{"length":1,"type":"samples"}]"#
        );
        assert_eq!(batch.samples, Some(Samples(vec![0.5, -0.5, 0.25])));
    }
}
