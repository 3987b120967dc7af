//! The sending half of a socket. It sends replies before queued frames.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::SinkExt as _;
use futures_util::stream::{SplitSink, SplitStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::close;

/// The maximum number of queued replies. While the queue is full, new replies are dropped. The queue is full only if a
/// client sends requests without reading the replies.
const MAX_QUEUED_REPLIES: usize = 64;
/// How long a client may take to read each message after the channel has ended. A slow client can still receive the
/// last messages, which contain the reason for the end.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Outbox {
    replies: mpsc::Sender<Message>,
    frames: mpsc::Sender<Message>,
    writer: JoinHandle<()>,
    /// Reports a change after each message that is written to the connection.
    written: watch::Receiver<()>,
}

impl Outbox {
    /// Starts the writer task, with a queue of at most `capacity` frames.
    pub(super) fn start(mut outgoing: SplitSink<WebSocket, Message>, capacity: usize) -> Self {
        let (replies, mut next_reply) = mpsc::channel(MAX_QUEUED_REPLIES);
        let (frames, mut next_frame) = mpsc::channel(capacity);
        let (progress, written) = watch::channel(());
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
        Self { replies, frames, writer, written }
    }

    /// Returns the sender of the frame queue.
    pub(super) fn frames(&self) -> mpsc::Sender<Message> {
        self.frames.clone()
    }

    /// Queues a reply, which is sent before all queued frames.
    pub(super) fn reply(&self, message: Message) {
        // If the queue is full, the reply is dropped.
        let _ = self.replies.try_send(message);
    }

    /// Waits until the reply queue has room for one reply. Returns `None` if the connection is closed.
    pub(super) async fn reserve_reply(&self) -> Option<mpsc::Permit<'_, Message>> {
        self.replies.reserve().await.ok()
    }

    /// Queues a frame whose only purpose is to show the client that the channel is alive. Drops the frame if the queue
    /// is full.
    pub(super) fn keep_alive(&self, frame: Message) {
        let _ = self.frames.try_send(frame);
    }

    /// Waits until the connection is closed.
    pub(super) async fn closed(&self) {
        self.replies.closed().await;
    }

    /// Runs `work`, which makes progress only while the client reads messages. Returns `None` if the client stops
    /// reading for `STALL_TIMEOUT`.
    pub(super) fn unless_stalled<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
        unless_stalled(self.written.clone(), work)
    }

    /// Sends the queued frames and then the `last` messages, and waits for the peer's close frame.
    pub(super) async fn finish(self, last: Vec<Message>, incoming: &mut SplitStream<WebSocket>) {
        let Self { replies, frames, mut writer, written } = self;
        let sending = async {
            for message in last {
                // Sending fails only if the writer has ended because the connection is closed.
                let _ = frames.send(message).await;
            }
            drop((replies, frames));
            let _ = (&mut writer).await;
        };
        let sent = unless_stalled(written, sending).await;
        // A stalled writer would keep the connection open until the peer closes it.
        writer.abort();
        if sent.is_some() {
            close::wait_for_close(incoming).await;
        }
    }
}

async fn unless_stalled<T>(mut written: watch::Receiver<()>, work: impl Future<Output = T>) -> Option<T> {
    tokio::pin!(work);
    loop {
        let next = async {
            tokio::select! {
                biased;
                done = &mut work => Some(done),
                Ok(()) = written.changed() => None,
            }
        };
        match timeout(STALL_TIMEOUT, next).await {
            Ok(Some(done)) => return Some(done),
            Ok(None) => {}
            Err(_) => return None,
        }
    }
}
