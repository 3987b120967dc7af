//! Closes WebSocket connections with the close codes of the protocol.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{Stream, StreamExt as _};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::frames;

/// How long the peer may take to reply to a close frame.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The close codes of the protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CloseCode {
    Normal,
    /// The computer or the server is stopping.
    GoingAway,
    /// The token is missing or wrong.
    Unauthorized,
    /// The computer does not exist or is not running.
    NotFound,
    /// The shell or the recorder did not start, or the X server does not respond.
    Failed,
    /// The computer does not run, or is stopping. Only the screen channel uses this code.
    NotRunning,
    /// Too many viewers.
    Busy,
    /// Too many wrong passwords.
    Refused,
    /// The client violated the protocol.
    Malformed,
}

impl CloseCode {
    pub(super) fn message(self) -> Message {
        let (code, reason) = match self {
            Self::Normal => (1000, ""),
            Self::GoingAway => (1001, "the computer is stopping"),
            Self::Unauthorized => (4401, "token missing or wrong"),
            Self::NotFound => (4404, "computer not found or not running"),
            Self::Failed => (4500, "the channel could not be opened"),
            Self::NotRunning => (4003, "the computer is not running"),
            Self::Busy => (1013, "too many viewers"),
            Self::Refused => (1008, "too many wrong passwords"),
            Self::Malformed => (1002, "not a valid RFB message"),
        };
        Message::Close(Some(CloseFrame { code, reason: reason.into() }))
    }
}

/// Closes a socket and waits for the peer's close frame.
pub(super) async fn close(mut socket: WebSocket, code: CloseCode) {
    // Sending fails only if the peer has already closed the socket.
    let _ = socket.send(code.message()).await;
    wait_for_close(&mut socket).await;
}

/// Closes the socket of a channel that failed to open. Sends `reason` first, unless the computer is stopping.
pub(super) async fn fail(mut socket: WebSocket, stopping: &CancellationToken, reason: &str) {
    if stopping.is_cancelled() {
        return close(socket, CloseCode::GoingAway).await;
    }
    // Sending fails only if the peer has already closed the socket.
    let _ = socket.send(frames::error(reason)).await;
    close(socket, CloseCode::Failed).await;
}

/// Waits for the peer's close frame. If this server dropped a connection with unread data, the connection would be
/// reset, and the peer could lose the server's close frame.
pub(super) async fn wait_for_close(
    incoming: &mut (impl Stream<Item = Result<Message, axum::Error>> + Unpin),
) {
    let _ = timeout(CLOSE_TIMEOUT, async { while let Some(Ok(_)) = incoming.next().await {} }).await;
}
