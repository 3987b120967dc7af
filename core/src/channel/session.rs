//! One channel through all its sockets: the link below, a protocol on it.

use std::collections::VecDeque;

use super::close::{CloseCause, CloseReason};
use super::link::{Acceptance, Action, ConnectFailure, Counters, Link, State, Target};
use crate::Millis;
use crate::client::address::{ComputerAddress, SocketUrl};
use crate::client::credentials::Password;
use crate::diagnostics::log::LogEntry;
use crate::diagnostics::mask::Mask;
use crate::encoding::json::{self, Value};
use crate::error::Error;

/// So many reports of problems wait for a consumer; then the oldest is forgotten.
pub(super) const MAX_ERRORS: usize = 64;

/// Forgets the oldest report of a problem if too many wait.
pub(super) fn drop_oldest_error<T>(items: &mut VecDeque<T>, is_error: impl Fn(&T) -> bool) {
    let mut errors = items.iter().enumerate().filter(|(_, item)| is_error(item)).map(|(at, _)| at);
    if let Some(oldest) = errors.next()
        && errors.count() >= MAX_ERRORS
    {
        items.remove(oldest);
    }
}

/// What travels on a channel.
pub trait Protocol {
    /// What the consumer gets.
    type Item;
    /// The name of the channel in its address.
    const CHANNEL: &'static str;

    /// Adds the channel's own parameters to its URL.
    fn add_query(&self, url: SocketUrl) -> SocketUrl;
    /// The socket opened: these messages go out at once.
    fn on_open(&mut self) -> Vec<String>;
    /// The server accepted. After a break: the bytes of input that may not have arrived before it.
    fn on_accepted(&mut self, after_break: Option<u64>);
    /// A message came. Text and binary frames hold the same JSON to a tolerant reader, except for sound. The mask is for
    /// what the server says of an error.
    fn receive(&mut self, message: Incoming<'_>, counters: &mut Counters, mask: &Mask) -> Received;
    /// The next item for the consumer.
    fn poll_item(&mut self, counters: &mut Counters) -> Option<Self::Item>;
    /// Whether so much waits for the consumer that the reader should wait too.
    fn is_full(&self) -> bool;
    /// Whether more waits than may be kept where the reader cannot be made to wait.
    fn overflows(&self) -> bool;
    /// What to send before this side hangs up.
    fn closing_message(&self) -> Option<String> {
        None
    }
}

/// A message as it came.
#[derive(Debug, Clone, Copy)]
pub enum Incoming<'a> {
    /// In a text frame.
    Text(&'a [u8]),
    /// In a binary frame.
    Binary(&'a [u8]),
}

impl<'a> Incoming<'a> {
    /// The payload, whatever the frame.
    pub(super) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes,
        }
    }
}

/// What a message was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Taken in.
    Handled,
    /// Taken in: the server's words of a problem, masked. If it closes the socket now, they say why.
    Problem(String),
    /// The answer to a ping.
    Pong,
    /// Not of the documented shape, or of a kind that this version does not know.
    Malformed,
    /// The end of the channel.
    End(CloseCause),
}

/// Whether the server reports a problem. As the first message on a socket it often comes just before the close.
fn is_error(message: Incoming<'_>) -> bool {
    let Incoming::Text(text) = message else { return false };
    let frame = json::parse(text).unwrap_or_default();
    frame.get("type").and_then(Value::as_str) == Some("error")
}

/// A channel as a state machine. See the [module documentation](super) for how to drive it.
#[derive(Debug)]
pub struct Session<P> {
    pub(super) link: Link,
    pub(super) protocol: P,
}

impl<P: Protocol> Session<P> {
    pub(super) fn begin(protocol: P, target: Target, seed: u64, now: Millis) -> Self {
        let mut link = Link::new(P::CHANNEL, target, seed);
        link.start(now, |url| protocol.add_query(url));
        Self { link, protocol }
    }

    /// What is known of the computer's address, for whoever carries out [`Action::Authorize`].
    #[must_use]
    pub fn address(&self) -> &ComputerAddress {
        self.link.address()
    }

    /// The computer's address and a fresh password were found, or could not be.
    pub fn handle_credentials(&mut self, now: Millis, found: Result<(ComputerAddress, Password), Error>) {
        self.link.credentials(now, found, |url| self.protocol.add_query(url));
    }

    /// The socket opened.
    pub fn handle_open(&mut self, now: Millis) {
        if self.link.opened(now) {
            for message in self.protocol.on_open() {
                self.link.send(message);
            }
            // Last, so that its answer says that what was asked for before is at work: an open channel of events
            // misses nothing.
            self.link.ping(now);
        }
    }

    /// The socket could not be opened.
    pub fn handle_failure(&mut self, now: Millis, failure: &ConnectFailure) {
        self.link.connect_failed(now, failure);
    }

    /// A text message came.
    pub fn handle_text(&mut self, now: Millis, text: &str) {
        self.handle_message(now, Incoming::Text(text.as_bytes()));
    }

    /// A binary message came.
    pub fn handle_binary(&mut self, now: Millis, bytes: &[u8]) {
        self.handle_message(now, Incoming::Binary(bytes));
    }

    fn handle_message(&mut self, now: Millis, message: Incoming<'_>) {
        if !self.link.has_socket() {
            return;
        }
        let change = self.link.message_received(now, message.bytes().len(), || is_error(message));
        self.report_acceptance(change);
        match self.protocol.receive(message, &mut self.link.counters, &self.link.mask) {
            Received::Handled => {}
            Received::Problem(words) => self.link.problem(now, &words),
            Received::Pong => self.link.pong_received(now),
            Received::Malformed => self.link.counters.malformed += 1,
            Received::End(cause) => self.link.close(cause),
        }
        self.link.log_drops();
        if self.protocol.overflows() {
            self.link.close(CloseCause::new(CloseReason::Overflow, ""));
        }
    }

    /// The socket closed: the code and the reason of the close frame, 1006 where there was none.
    pub fn handle_close(&mut self, now: Millis, code: u16, reason: &str) {
        self.link.socket_closed(now, code, reason);
    }

    /// The moment of [`poll_timeout`](Self::poll_timeout) has come. Too early or too late does no harm.
    pub fn handle_timeout(&mut self, now: Millis) {
        let (dial, change) = self.link.timeout(now, self.wants_read());
        if dial {
            self.link.start(now, |url| self.protocol.add_query(url));
        }
        self.report_acceptance(change);
    }

    fn report_acceptance(&mut self, change: Acceptance) {
        match change {
            Acceptance::Unchanged => {}
            Acceptance::First => self.protocol.on_accepted(None),
            Acceptance::AfterBreak { unacknowledged } => self.protocol.on_accepted(Some(unacknowledged)),
        }
    }

    /// What is to be done next in the world.
    #[must_use]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.link.poll_action()
    }

    /// What a log may be told, in order.
    #[must_use]
    pub fn poll_log(&mut self) -> Option<LogEntry> {
        self.link.poll_log()
    }

    /// What the server sent, in order.
    #[must_use]
    pub fn poll_item(&mut self) -> Option<P::Item> {
        self.protocol.poll_item(&mut self.link.counters)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, on the caller's clock.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Millis> {
        self.link.poll_timeout(self.wants_read())
    }

    /// Whether the caller should read on from the socket. While it does not, the server has to wait.
    #[must_use]
    pub fn wants_read(&self) -> bool {
        !self.protocol.is_full()
    }

    /// The state now.
    #[must_use]
    pub fn state(&self) -> State {
        self.link.state()
    }

    /// The counters now.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.link.counters
    }

    /// Whether a message that is on its way out is to be given up: the socket is to be closed, or is gone. What then comes
    /// out of [`poll_action`](Self::poll_action) must not wait behind it.
    #[must_use]
    pub fn leaves_socket(&self) -> bool {
        self.link.leaves_socket()
    }

    /// Ends the channel. Items that came before can still be polled. Input is sent first as far as the window allows.
    pub fn close(&mut self) {
        if self.link.is_open() {
            self.link.send_input();
        }
        if self.link.has_socket()
            && let Some(message) = self.protocol.closing_message()
        {
            self.link.send(message);
        }
        self.link.close(CloseCause::new(CloseReason::Normal, ""));
    }

    /// Sends a message if there is a socket. Without one the protocol says the same when it greets.
    pub(super) fn send_if_connected(&mut self, message: String) {
        if self.link.has_socket() {
            self.link.send(message);
        }
    }
}
