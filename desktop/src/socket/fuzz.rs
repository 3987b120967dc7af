//! Fuzz targets: feed arbitrary messages to the parser of each channel, and arbitrarily split shell output and recorder
//! output to their readers.

use axum::extract::ws::Message;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe;
use tokio::runtime;
use tokio::sync::mpsc;

use super::frames::{self, Incoming};
use super::utf8::Utf8Decoder;
use super::{audio, events, terminal};
use crate::agent::Descriptor;
use crate::fuzz::ignore_broken_pipes;

/// Checks that each message is either a valid frame or causes an error reply in JSON.
pub(crate) fn message(data: &[u8]) {
    let Some((kind, payload)) = data.split_first() else { return };
    let message = match (kind & 1, std::str::from_utf8(payload)) {
        (0, Ok(text)) => Message::text(text),
        _ => Message::binary(payload.to_vec()),
    };
    match kind >> 1 & 3 {
        0 => check_reply::<terminal::ClientFrame>(message),
        1 => check_reply::<audio::ClientFrame>(message),
        _ => check_reply::<events::ClientFrame>(message),
    }
}

fn check_reply<T: DeserializeOwned>(message: Message) {
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

/// Checks that the decoded text does not depend on how the output is split. Each piece of `data` starts with its length
/// in bytes.
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
    assert_eq!(joined, String::from_utf8_lossy(&whole), "the text does not depend on how it is split");
}

/// Checks that samples become complete frames in order, no matter how the recorder's output is split, and that the
/// queue of frames is bounded. The first three bytes of `data` contain the sample rate, the channels and the number of
/// messages that the client reads. The pieces of the output follow. Each piece starts with its length in units of 4
/// bytes.
pub(crate) fn samples(data: &[u8]) {
    ignore_broken_pipes();
    let &[rate, channels, reads, ref rest @ ..] = data else { return };
    let Ok(format) = audio::Format::new(Some(u32::from(rate) * 1000), Some(u16::from(channels % 4))) else {
        return;
    };
    let (mut data, mut pieces) = (rest, Vec::new());
    while let Some((&length, rest)) = data.split_first() {
        let (piece, rest) = rest.split_at((usize::from(length) * 4).min(rest.len()));
        // Repeats pieces, so that a short input results in many frames.
        pieces.push(piece.repeat(1 + usize::from(length & 0x1f)));
        data = rest;
    }
    let whole = pieces.concat();
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let messages = runtime.block_on(async {
        let (writer, reader) = pipe::pipe().expect("descriptors are available");
        let output =
            Descriptor::new(reader.into_nonblocking_fd().expect("it is open")).expect("it is a pipe");
        let (frames, mut received) = mpsc::channel(audio::MAX_QUEUED_FRAMES);
        let recording = audio::record(audio::Samples::new(output, format), frames);
        let writing = write(writer, pieces);
        let reading = async {
            let mut messages = Vec::new();
            for _ in 0..reads {
                match received.recv().await {
                    Some(message) => messages.push(message),
                    None => break,
                }
            }
            (messages, received)
        };
        let ((), (), (mut messages, mut received)) = tokio::join!(writing, recording, reading);
        let queued = received.len();
        assert!(queued <= audio::MAX_QUEUED_FRAMES, "{queued} frames are queued");
        while let Some(message) = received.recv().await {
            messages.push(message);
        }
        messages
    });
    let length = format.frame_length();
    let mut messages = messages.into_iter();
    match messages.next() {
        Some(Message::Text(started)) => {
            let started: Value = serde_json::from_str(&started).expect("it is JSON");
            assert_eq!(started["type"], "started", "the format comes first");
            assert_eq!(started["sample_rate"], u32::from(rate) * 1000);
        }
        Some(message) => panic!("the format comes first, not {message:?}"),
        None => assert!(whole.len() < length, "a complete frame is sent"),
    }
    // Frames may be missing, because new frames are dropped while the queue is full.
    let mut frames = whole.chunks_exact(length);
    for message in messages {
        let Message::Binary(frame) = message else { panic!("only frames follow the format") };
        assert!(frames.any(|sent| sent == &frame[..]), "frames are the recorded samples, in order");
    }
}

async fn write(mut writer: pipe::Sender, pieces: Vec<Vec<u8>>) {
    for piece in pieces {
        // Writing fails after the reader has ended.
        if writer.write_all(&piece).await.is_err() {
            break;
        }
    }
}
