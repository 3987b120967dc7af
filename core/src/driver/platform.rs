//! The interface that a binding implements for the loops.

use std::future::{Future, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use super::signal::Signal;
use crate::Millis;
use crate::channel::{ConnectFailure, HostOutput, MAX_MESSAGE_BYTES};
use crate::client::address::SocketUrl;
use crate::diagnostics::log::LogEntry;
use crate::rest::http::{Request, Response, SendFailure};

/// The host: a clock, randomness, a timer and WebSockets.
pub trait Platform: 'static {
    /// The reading half of a socket.
    type Reader: SocketReader;
    /// The writing half of a socket.
    type Writer: SocketWriter;

    /// Returns the time of a monotonic clock, in milliseconds.
    fn now(&self) -> Millis;

    /// Returns a random number.
    fn seed(&self) -> u64;

    /// Waits for at least this time.
    fn sleep(&self, time: Millis) -> impl Future<Output = ()> + 'static;

    /// Lets the other tasks of the thread run, and the host process its events. A host that delivers each message as a
    /// separate event does not need an implementation.
    fn yield_now(&self) -> impl Future<Output = ()> {
        ready(())
    }

    /// Opens a socket. Dropping the future cancels the attempt. If `accepts_output` is set, the reader may decode output of the
    /// terminal, see [`Message::Output`].
    fn connect(
        &self,
        url: SocketUrl,
        accepts_output: bool,
    ) -> impl Future<Output = Result<(Self::Reader, Self::Writer), ConnectFailure>> + 'static;

    /// Writes an entry to the log.
    fn log(&self, entry: &LogEntry);
}

/// A host whose requests are futures.
pub trait HttpPlatform: Platform {
    /// Sends a request and reads the whole response, with its body in a
    /// [`ResponseBody`](crate::rest::http::ResponseBody). A body that ends before its announced end is a failure.
    ///
    /// For a request with a [file](crate::rest::http::Part::File), and for one that
    /// [streams its response](Request::streams_response), a binding creates a platform value that owns the file and the open
    /// response of this one call. The platform reads the file only after the request has a connection, and reports this by
    /// [`Progress::opens_file`].
    ///
    /// Reports the time of each piece of the response, including the header, by
    /// [`Progress::received`]. Also reports how much of the request was sent, if this is known and the caller
    /// [wants](Progress::wants_sent) it. Dropping the future frees the connection.
    fn send(
        &self,
        request: Arc<Request>,
        progress: Progress,
    ) -> impl Future<Output = Result<Response, SendFailure>> + 'static;
}

/// Receives the progress of a request and its response from a platform.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Shared>);

impl Default for Progress {
    fn default() -> Self {
        Self::new(false)
    }
}

/// The time of the last piece before the first one.
const NOTHING: Millis = Millis::MAX;

#[derive(Debug)]
struct Shared {
    /// The time of the last piece of the response, or [`NOTHING`].
    received: AtomicU64,
    unsent: AtomicBool,
    file_opened: AtomicBool,
    wants_sent: bool,
    bytes: AtomicU64,
    sent: Signal,
}

impl Progress {
    pub(super) fn new(wants_sent: bool) -> Self {
        Self(Arc::new(Shared {
            received: AtomicU64::new(NOTHING),
            unsent: AtomicBool::default(),
            file_opened: AtomicBool::default(),
            wants_sent,
            bytes: AtomicU64::default(),
            sent: Signal::default(),
        }))
    }

    /// Reports whether the request waits for its connection, so that no byte of it was sent. A platform that does not know
    /// this never calls this method: the request then counts as sent.
    pub fn waits_for_connection(&self, waits: bool) {
        self.0.unsent.store(waits, Ordering::Release);
    }

    pub(super) fn is_unsent(&self) -> bool {
        self.0.unsent.load(Ordering::Acquire)
    }

    /// Reports that the platform starts to read the file of the request.
    pub fn opens_file(&self) {
        self.0.file_opened.store(true, Ordering::Release);
    }

    pub(super) fn has_opened_file(&self) -> bool {
        self.0.file_opened.load(Ordering::Acquire)
    }

    /// Reports that a piece of the response arrived at this time. It does not wake the loop, which reads the time when its timer
    /// fires.
    pub fn received(&self, now: Millis) {
        self.0.received.store(now, Ordering::Release);
    }

    /// Returns the time of the last piece of the response.
    pub(super) fn last_received(&self) -> Option<Millis> {
        Some(self.0.received.load(Ordering::Acquire)).filter(|time| *time != NOTHING)
    }

    /// Returns whether the caller wants the number of sent bytes.
    #[must_use]
    pub fn wants_sent(&self) -> bool {
        self.0.wants_sent
    }

    /// Reports how many bytes of the request's body were sent so far.
    pub fn sent(&self, bytes: u64) {
        if self.0.wants_sent {
            self.0.bytes.store(bytes, Ordering::Release);
            self.0.sent.raise();
        }
    }

    /// Returns how many bytes were reported last, if the caller wants to know.
    pub(super) fn last_sent(&self) -> Option<u64> {
        self.0.wants_sent.then(|| self.0.bytes.load(Ordering::Acquire)).filter(|bytes| *bytes > 0)
    }

    pub(super) fn poll_sent(&self, context: &mut Context<'_>) -> Poll<u64> {
        self.0.sent.poll(context).map(|()| self.0.bytes.load(Ordering::Acquire))
    }
}

/// A message from a socket, or the end of the socket. The platform chooses the types of the payloads, so that it need
/// not copy them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<Text = String, Binary = Vec<u8>> {
    /// A text message.
    Text(Text),
    /// A binary message.
    Binary(Binary),
    /// Messages that contain only output of a terminal, which the platform has decoded.
    Output(HostOutput),
    /// The end of the socket. Without a close frame, the code is 1006.
    Closed {
        /// The close code.
        code: u16,
        /// The reason in the close frame, or the text of the failure.
        reason: String,
    },
}

impl<Text, Binary> Message<Text, Binary> {
    /// Returns the end of a socket that received a message of more than [`MAX_MESSAGE_BYTES`]. The caller does not read
    /// from the socket again.
    #[must_use]
    pub fn too_large() -> Self {
        // RFC 6455 section 7.4.1.
        Self::Closed { code: 1009, reason: format!("a message is larger than {MAX_MESSAGE_BYTES} bytes") }
    }
}

/// The reading half of a socket. Dropping this half frees its resources.
pub trait SocketReader: 'static {
    /// The payload of a text message, in UTF-8.
    type Text: AsRef<[u8]>;
    /// The payload of a binary message.
    type Binary: AsRef<[u8]>;

    /// Returns whether the server has to wait while this side does not read (backpressure). If the platform buffers the
    /// messages instead, the loop keeps reading, so that the session can bound the queue.
    fn holds_sender_back(&self) -> bool {
        true
    }

    /// Sets whether messages may wait in the system until there are many of them, so that they wake the loop once. After
    /// `false`, [`poll_receive`](Self::poll_receive) also returns the messages that have not woken the loop. A platform
    /// without this function reports each message.
    fn defer(&mut self, _deferred: bool) {}

    /// Receives the next message, of at most [`MAX_MESSAGE_BYTES`]. The loop does not call this method again after
    /// `Closed`.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Message<Self::Text, Self::Binary>>;
}

/// A message to a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
}

/// The writing half of a socket.
pub trait SocketWriter: 'static {
    /// Sends a message. Returns when there is room for the next message. Does not report a failure, because the reader
    /// reports the end.
    fn send(&mut self, message: Outgoing) -> impl Future<Output = ()>;

    /// Closes the socket with a code, after the messages that were sent before.
    fn close(self, code: u16) -> impl Future<Output = ()> + 'static;
}
