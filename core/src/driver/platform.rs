//! What a binding has to bring.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use super::signal::Signal;
use crate::Millis;
use crate::channel::{ConnectFailure, MAX_MESSAGE_BYTES};
use crate::client::address::SocketUrl;
use crate::diagnostics::log::LogEntry;
use crate::rest::http::{Request, Response, SendFailure};

/// The world: a clock, randomness, a timer, HTTP and WebSockets.
pub trait Platform: 'static {
    /// The half of a socket that reads.
    type Reader: SocketReader;
    /// The half of a socket that writes.
    type Writer: SocketWriter;

    /// Whether messages that nobody receives wait with the server. Where they pile up on this side instead, the loop
    /// goes on receiving, so that the session can bound what waits.
    const HOLDS_SENDER_BACK: bool = true;

    /// Milliseconds on a clock that never goes back.
    fn now(&self) -> Millis;

    /// A random number.
    fn seed(&self) -> u64;

    /// Lets at least this much time pass.
    fn sleep(&self, time: Millis) -> impl Future<Output = ()> + 'static;

    /// Sends a request and reads the whole answer, its body into a [`ResponseBody`](crate::rest::http::ResponseBody); tells of the header and of each piece of the body as it comes, and
    /// if that is [wanted](Progress::wants_sent) and can be known, how much of the request is on its way. Dropping the future
    /// frees the connection.
    fn send(
        &self,
        request: Request,
        progress: Progress,
    ) -> impl Future<Output = Result<Response, SendFailure>> + 'static;

    /// Opens a socket. Dropping the future gives it up.
    fn connect(
        &self,
        url: SocketUrl,
    ) -> impl Future<Output = Result<(Self::Reader, Self::Writer), ConnectFailure>> + 'static;

    /// Hands a line to the log.
    fn log(&self, note: &LogEntry);
}

/// How a platform tells that a request and its answer are on their way.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    heard: Signal,
    wants_sent: bool,
    bytes: AtomicUsize,
    sent: Signal,
}

impl Progress {
    pub(super) fn new(wants_sent: bool) -> Self {
        Self(Arc::new(Told { wants_sent, ..Told::default() }))
    }

    /// A piece of the answer came.
    pub fn heard(&self) {
        self.0.heard.raise();
    }

    /// Whether anybody wants to know how much of the request's body is sent.
    #[must_use]
    pub fn wants_sent(&self) -> bool {
        self.0.wants_sent
    }

    /// So many bytes of the request's body are on their way by now.
    pub fn sent(&self, bytes: usize) {
        if self.0.wants_sent {
            self.0.bytes.store(bytes, Ordering::Release);
            self.0.sent.raise();
        }
    }

    pub(super) fn poll_heard(&self, context: &mut Context<'_>) -> Poll<()> {
        self.0.heard.poll(context)
    }

    pub(super) fn poll_sent(&self, context: &mut Context<'_>) -> Poll<usize> {
        self.0.sent.poll(context).map(|()| self.0.bytes.load(Ordering::Acquire))
    }
}

/// A message of a socket, or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// The end: the code and reason of the close frame, 1006 where there was none.
    Closed {
        /// The close code.
        code: u16,
        /// The reason in the frame, or the failure in words.
        reason: String,
    },
}

impl Message {
    /// The end of a socket whose message exceeds [`MAX_MESSAGE_BYTES`]: nothing more is read from it.
    #[must_use]
    pub fn too_large() -> Self {
        // The code for it (RFC 6455 section 7.4.1).
        Self::Closed { code: 1009, reason: format!("a message is larger than {MAX_MESSAGE_BYTES} bytes") }
    }
}

/// Reads from a socket. Dropping it frees what it holds.
pub trait SocketReader: 'static {
    /// The next message, of at most [`MAX_MESSAGE_BYTES`]. After `Closed` it is not called again.
    fn receive(&mut self) -> impl Future<Output = Message>;
}

/// Writes to a socket.
pub trait SocketWriter: 'static {
    /// Hands a text message over; returns when there is room for the next one. A failure is not reported here: the
    /// reader sees the end.
    fn send(&mut self, text: String) -> impl Future<Output = ()>;

    /// Closes the socket with a code and lets what was sent before get out.
    fn close(self, code: u16) -> impl Future<Output = ()> + 'static;
}
