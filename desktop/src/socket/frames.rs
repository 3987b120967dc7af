//! Parses and builds JSON frames. Clients may send frames in text messages or in binary messages.

use axum::extract::ws::Message;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A parsed message of a client.
#[derive(Debug)]
pub(super) enum Incoming<T> {
    Frame(T),
    /// An invalid frame. Contains the error reply for the client.
    Malformed(Message),
    /// A ping or pong control frame of the WebSocket protocol.
    Control,
    Closed,
}

pub(super) fn read<T: DeserializeOwned>(message: Option<Result<Message, axum::Error>>) -> Incoming<T> {
    let parsed = match message {
        Some(Ok(Message::Text(text))) => serde_json::from_str(text.as_str()),
        Some(Ok(Message::Binary(bytes))) => serde_json::from_slice(&bytes),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Incoming::Control,
        Some(Ok(Message::Close(_)) | Err(_)) | None => return Incoming::Closed,
    };
    match parsed {
        Ok(frame) => Incoming::Frame(frame),
        Err(problem) => Incoming::Malformed(error(&format!("Invalid frame: {problem}"))),
    }
}

pub(super) fn frame(value: &Value) -> Message {
    Message::text(value.to_string())
}

pub(super) fn pong() -> Message {
    frame(&json!({ "type": "pong" }))
}

pub(super) fn error(message: &str) -> Message {
    frame(&json!({ "type": "error", "message": message }))
}
