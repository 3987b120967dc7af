//! Any messages of a client on each channel, and any output of a shell in any pieces.

use axum::extract::ws::Message;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::frames::{self, Incoming};
use super::utf8::Utf8Decoder;
use super::{audio, events, terminal};

/// Any message is understood or answered by an error that is JSON.
pub(crate) fn message(data: &[u8]) {
    let Some((kind, payload)) = data.split_first() else { return };
    let message = match (kind & 1, std::str::from_utf8(payload)) {
        (0, Ok(text)) => Message::text(text),
        _ => Message::binary(payload.to_vec()),
    };
    match kind >> 1 & 3 {
        0 => hear::<terminal::ClientFrame>(message),
        1 => hear::<audio::ClientFrame>(message),
        _ => hear::<events::ClientFrame>(message),
    }
}

fn hear<T: DeserializeOwned>(message: Message) {
    match frames::read::<T>(Some(Ok(message))) {
        Incoming::Frame(_) => {}
        Incoming::Malformed(Message::Text(reply)) => {
            let reply: Value = serde_json::from_str(&reply).expect("a reply is JSON");
            assert!(reply["type"] == "error" && reply["message"].is_string(), "{reply}");
        }
        Incoming::Malformed(reply) => panic!("a reply is text: {reply:?}"),
        Incoming::Control | Incoming::Closed => panic!("it was a message"),
    }
}

/// Output is the same text however it is cut; each piece begins with its length.
pub(crate) fn output(mut data: &[u8]) {
    let mut decoder = Utf8Decoder::default();
    let (mut whole, mut joined) = (Vec::new(), String::new());
    while let Some((length, rest)) = data.split_first() {
        let (piece, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        joined.push_str(&decoder.decode(piece));
        whole.extend_from_slice(piece);
        data = rest;
    }
    joined.push_str(&decoder.finish());
    assert_eq!(joined, String::from_utf8_lossy(&whole), "the same text, however it is cut");
}
