//! The events channel, which sends the desktop's events of the subscribed types.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use crate::computer::Machine;
use crate::events::{Event, EventType, Feed};

use super::close::{self, CloseCode};
use super::frames::{self, Incoming};

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientFrame {
    Subscribe { event_types: Vec<String> },
    Unsubscribe { event_types: Vec<String> },
    Ping,
}

pub(super) async fn run(socket: WebSocket, machine: Arc<Machine>) {
    let (mut outgoing, mut incoming) = socket.split();
    let stopping = machine.stopping().clone();
    let mut feed = Feed::new(machine);
    let code = loop {
        // While sending waits for a slow client, the feed's queue stores new events.
        let message = tokio::select! {
            () = stopping.cancelled() => break CloseCode::GoingAway,
            event = feed.next() => encode(&event),
            message = incoming.next() => match frames::read(message) {
                Incoming::Closed => return,
                Incoming::Control => continue,
                Incoming::Malformed(reply) => reply,
                Incoming::Frame(frame) => handle(&mut feed, frame).await,
            },
        };
        let sent = tokio::select! {
            sent = outgoing.send(message) => sent.is_ok(),
            () = stopping.cancelled() => break CloseCode::GoingAway,
        };
        if !sent {
            return;
        }
    };
    let _ = timeout(close::CLOSE_TIMEOUT, async {
        // Sending fails only if the peer has already closed the socket.
        let _ = outgoing.send(code.message()).await;
        close::wait_for_close(&mut incoming).await;
    })
    .await;
}

async fn handle(feed: &mut Feed, frame: ClientFrame) -> Message {
    match frame {
        ClientFrame::Ping => frames::pong(),
        ClientFrame::Subscribe { event_types } => match parse(&event_types) {
            Err(unknown) => unknown,
            Ok(types) => match feed.subscribe(&types).await {
                Ok(()) => frames::frame(&json!({ "type": "subscribed", "message": "ok" })),
                Err(problem) => frames::error(&problem),
            },
        },
        ClientFrame::Unsubscribe { event_types } => match parse(&event_types) {
            Err(unknown) => unknown,
            Ok(types) => {
                feed.unsubscribe(&types);
                frames::frame(&json!({ "type": "unsubscribed", "message": "ok" }))
            }
        },
    }
}

/// Returns the event types with these names, or an error frame if a name is unknown.
fn parse(names: &[String]) -> Result<Vec<EventType>, Message> {
    names
        .iter()
        .map(|name| {
            EventType::from_name(name).ok_or_else(|| frames::error(&format!("Unknown event type: {name}")))
        })
        .collect()
}

fn encode(event: &Event) -> Message {
    frames::frame(&json!({
        "type": "event",
        "event": { "type": event.kind.name(), "timestamp": event.timestamp, "data": event.data },
    }))
}
