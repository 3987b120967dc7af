//! What a binding has to bring.

use std::future::Future;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::signal::Signal;
use crate::Millis;
use crate::address::SocketUrl;
use crate::channel::DialFailure;
use crate::http::{Request, Response, SendFailure};
use crate::note::Note;

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

    /// Sends a request and reads the whole answer; tells of the header and of each piece of the body as it comes.
    /// Dropping the future frees the connection.
    fn send(
        &self,
        request: Request,
        progress: Progress,
    ) -> impl Future<Output = Result<Response, SendFailure>> + 'static;

    /// Opens a socket. Dropping the future gives it up.
    fn connect(
        &self,
        url: SocketUrl,
    ) -> impl Future<Output = Result<(Self::Reader, Self::Writer), DialFailure>> + 'static;

    /// Hands a line to the log.
    fn log(&self, note: &Note);
}

/// How a platform tells that an answer is on its way.
#[derive(Debug, Clone, Default)]
pub struct Progress(Rc<Signal>);

impl Progress {
    /// A piece of the answer came.
    pub fn heard(&self) {
        self.0.raise();
    }

    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        self.0.poll(context)
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

/// Reads from a socket. Dropping it frees what it holds.
pub trait SocketReader: 'static {
    /// The next message. After `Closed` it is not called again.
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
