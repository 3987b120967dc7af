//! How sockets end.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{Stream, StreamExt as _};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::frames;

/// How long the peer gets to answer a close frame.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// The codes of the specification's generation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CloseCode {
    Normal,
    /// The computer stops, or the server does.
    GoingAway,
    /// No token, or a wrong one.
    Unauthorized,
    /// No such computer, or it is not running.
    NotFound,
    /// The shell or the recorder could not be started.
    Failed,
}

impl CloseCode {
    pub(super) fn message(self) -> Message {
        let (code, reason) = match self {
            Self::Normal => (1000, ""),
            Self::GoingAway => (1001, "the computer is stopping"),
            Self::Unauthorized => (4401, "token missing or wrong"),
            Self::NotFound => (4404, "computer not found or not running"),
            Self::Failed => (4500, "the channel could not be opened"),
        };
        Message::Close(Some(CloseFrame { code, reason: reason.into() }))
    }
}

/// Closes a socket that nothing else was said on.
pub(super) async fn close(mut socket: WebSocket, code: CloseCode) {
    // An error means that the peer has gone, which is what was wanted.
    let _ = socket.send(code.message()).await;
    answered(&mut socket).await;
}

/// Ends a channel that could not be opened: says why, unless that is because the computer stops.
pub(super) async fn not_opened(mut socket: WebSocket, stopping: &CancellationToken, why: &str) {
    if stopping.is_cancelled() {
        return close(socket, CloseCode::GoingAway).await;
    }
    // An error means that the peer has gone already.
    let _ = socket.send(frames::error(why)).await;
    close(socket, CloseCode::Failed).await;
}

/// Waits for the peer's close frame: dropping the connection with unread data in it could destroy ours on its way.
pub(super) async fn answered(incoming: &mut (impl Stream<Item = Result<Message, axum::Error>> + Unpin)) {
    let _ = timeout(PATIENCE, async { while let Some(Ok(_)) = incoming.next().await {} }).await;
}
