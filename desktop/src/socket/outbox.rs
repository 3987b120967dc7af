//! The outgoing half of a socket: frames in their order, answers to the client ahead of them.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::SinkExt as _;
use futures_util::stream::{SplitSink, SplitStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::close;

/// Answers that wait. A client that asks without reading gets no more than these.
const REPLIES: usize = 64;
/// A peer that takes no message for so long, once its channel is to end, does not read any more. Generous, so that one
/// which is merely slow still hears how the channel ended.
const LAST_PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Outbox {
    replies: mpsc::Sender<Message>,
    frames: mpsc::Sender<Message>,
    writer: JoinHandle<()>,
    /// Changes with each message that the peer's connection takes.
    taken: watch::Receiver<()>,
}

impl Outbox {
    /// At most `capacity` frames wait.
    pub(super) fn start(mut outgoing: SplitSink<WebSocket, Message>, capacity: usize) -> Self {
        let (replies, mut next_reply) = mpsc::channel(REPLIES);
        let (frames, mut next_frame) = mpsc::channel(capacity);
        let (progress, taken) = watch::channel(());
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
                progress.send_replace(());
            }
        });
        Self { replies, frames, writer, taken }
    }

    pub(super) fn frames(&self) -> mpsc::Sender<Message> {
        self.frames.clone()
    }

    /// Sends an answer as soon as the frame on its way is out.
    pub(super) fn reply(&self, message: Message) {
        // Full only for a client that asks and does not read.
        let _ = self.replies.try_send(message);
    }

    /// Waits for room for an answer.
    pub(super) async fn room(&self) -> Option<mpsc::Permit<'_, Message>> {
        self.replies.reserve().await.ok()
    }

    /// Shows a client that sees nothing else that the channel is alive. It is no answer, and needs no place among the
    /// frames if some are on their way.
    pub(super) fn sign_of_life(&self, frame: Message) {
        // Full only if the client has frames to take.
        let _ = self.frames.try_send(frame);
    }

    /// Waits until the peer's connection takes no more messages.
    pub(super) async fn gone(&self) {
        self.replies.closed().await;
    }

    /// Awaits what depends on the peer's reading, but not for a peer that has stopped reading.
    pub(super) fn while_taken<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
        while_taken(self.taken.clone(), work)
    }

    /// Sends the last messages after the frames that wait, and takes leave.
    pub(super) async fn finish(self, last: Vec<Message>, incoming: &mut SplitStream<WebSocket>) {
        let Self { replies, frames, mut writer, taken } = self;
        let sending = async {
            for message in last {
                // An error means that the writer has found the peer gone.
                let _ = frames.send(message).await;
            }
            drop((replies, frames));
            let _ = (&mut writer).await;
        };
        let sent = while_taken(taken, sending).await;
        // Otherwise it would keep the connection for as long as the peer does.
        writer.abort();
        if sent.is_some() {
            close::answered(incoming).await;
        }
    }
}

async fn while_taken<T>(mut taken: watch::Receiver<()>, work: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(work);
    loop {
        let next = async {
            tokio::select! {
                biased;
                done = &mut work => Some(done),
                Ok(()) = taken.changed() => None,
            }
        };
        match timeout(LAST_PATIENCE, next).await {
            Ok(Some(done)) => return Some(done),
            Ok(None) => {}
            Err(_) => return None,
        }
    }
}
