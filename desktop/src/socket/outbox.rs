//! The outgoing half of a socket: frames in their order, answers to the client ahead of them.

use axum::extract::ws::{Message, WebSocket};
use futures_util::SinkExt as _;
use futures_util::stream::{SplitSink, SplitStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::close;

/// Answers that wait. A client that asks without reading gets no more than these.
const REPLIES: usize = 64;

#[derive(Debug)]
pub(super) struct Outbox {
    replies: mpsc::Sender<Message>,
    frames: mpsc::Sender<Message>,
    writer: JoinHandle<()>,
}

impl Outbox {
    /// At most `capacity` frames wait.
    pub(super) fn start(mut outgoing: SplitSink<WebSocket, Message>, capacity: usize) -> Self {
        let (replies, mut next_reply) = mpsc::channel(REPLIES);
        let (frames, mut next_frame) = mpsc::channel(capacity);
        let writer = tokio::spawn(async move {
            loop {
                let message = tokio::select! {
                    biased;
                    Some(reply) = next_reply.recv() => reply,
                    Some(frame) = next_frame.recv() => frame,
                    else => break,
                };
                if outgoing.send(message).await.is_err() {
                    break;
                }
            }
        });
        Self { replies, frames, writer }
    }

    pub(super) fn frames(&self) -> mpsc::Sender<Message> {
        self.frames.clone()
    }

    /// Sends an answer as soon as the frame on its way is out.
    pub(super) fn reply(&self, message: Message) {
        // Full only for a client that asks and does not read.
        let _ = self.replies.try_send(message);
    }

    /// Sends the last messages after the frames that wait, and takes leave. A peer that no longer reads is not waited for.
    pub(super) async fn finish(self, last: Vec<Message>, incoming: &mut SplitStream<WebSocket>) {
        let Self { replies, frames, writer } = self;
        let _ = timeout(close::PATIENCE, async {
            for message in last {
                // An error means that the writer has found the peer gone.
                let _ = frames.send(message).await;
            }
            drop((replies, frames));
            let _ = writer.await;
            close::answered(incoming).await;
        })
        .await;
    }
}
