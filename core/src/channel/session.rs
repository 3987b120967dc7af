//! One channel across all of its sockets: a connection, and a protocol on top of it.

use std::collections::VecDeque;

use orgo_screen::Condition;

use super::close::{CloseCause, CloseReason};
use super::link::{Acceptance, Action, ConnectFailure, Counters, Link, PING, State, Target};
use crate::Millis;
use crate::client::address::{ComputerAddress, SocketUrl};
use crate::client::credentials::Password;
use crate::diagnostics::log::LogEntry;
use crate::diagnostics::mask::Mask;
use crate::encoding::json::{self, Value};
use crate::encoding::plain::HostText;
use crate::error::Error;

/// The largest number of unread error messages. Above it, the oldest message is dropped.
pub(super) const MAX_ERRORS: usize = 64;

/// After this time with a full queue and without a read, the consumer counts as stopped, in milliseconds. It is longer
/// than a pause of a program that processes items, so that such a program loses nothing.
pub(super) const STOPPED_AFTER: Millis = 5_000;

/// Drops the oldest error message if there are more than [`MAX_ERRORS`].
pub(super) fn drop_oldest_error<T>(items: &mut VecDeque<T>, is_error: impl Fn(&T) -> bool) {
    let mut errors = items.iter().enumerate().filter(|(_, item)| is_error(item)).map(|(at, _)| at);
    if let Some(oldest) = errors.next()
        && errors.count() >= MAX_ERRORS
    {
        items.remove(oldest);
    }
}

/// The protocol of a kind of channel. It encodes the messages to the server, and decodes the messages from the server.
pub trait Protocol {
    /// The type of the items for the consumer.
    type Item;
    /// The name of the channel.
    const CHANNEL: &'static str;
    /// The name of the channel in the URL.
    const PATH: &'static str = Self::CHANNEL;
    /// Whether the server accepts the channel with `Received::Accepted`, after a handshake. Otherwise the first
    /// message that is not an error means acceptance.
    const HANDSHAKE: bool = false;

    /// Adds the query parameters of the channel to the URL.
    fn add_query(&self, url: SocketUrl) -> SocketUrl;
    /// Handles an opened socket. Returns the messages to send first. `password` is the computer's password.
    fn on_open(&mut self, password: Option<&Password>) -> Vec<String>;
    /// Handles the acceptance by the server. After a break, `after_break` is the number of bytes of input that may not
    /// have arrived.
    fn on_accepted(&mut self, after_break: Option<u64>);
    /// Handles a message. JSON is accepted in text and binary frames, except that binary frames of the audio channel
    /// contain samples. `mask` masks the error messages from the server.
    fn receive(&mut self, message: Incoming<'_>, counters: &mut Counters, mask: &Mask) -> Received;
    /// Removes and returns the next item for the consumer.
    fn poll_item(&mut self, counters: &mut Counters) -> Option<Self::Item>;
    /// Whether [`receive`](Self::receive) accepts [`Incoming::Output`].
    const ACCEPTS_OUTPUT: bool = false;
    /// Whether [`receive`](Self::receive) drops the oldest items if the queue is already full. The server then has to
    /// wait only for a consumer that is slow, not for one that has stopped.
    const DROPS_OLDEST: bool = false;

    /// Returns whether the reader should wait, because too much data is unread.
    fn is_full(&self) -> bool;
    /// Returns whether the channel should end, because too much data is unread and the reader did not wait.
    fn overflows(&self) -> bool;
    /// Returns the message that asks the server for a response, for the heartbeat. Returns `None` before the end of the
    /// handshake.
    fn ping(&self) -> Option<Action> {
        Some(Action::Send(PING.to_owned()))
    }
    /// Learns the time before a message is handled.
    fn set_now(&mut self, _now: Millis) {}
    /// Learns the condition of the link after each change, for the commands.
    fn set_condition(&mut self, _condition: Condition) {}
    /// Sets the counters that the protocol keeps instead of the link.
    fn count(&self, _counters: &mut Counters) {}
    /// Returns when to call [`handle_timeout`](Self::handle_timeout) while the channel is open. Zero means immediately.
    fn poll_timeout(&self) -> Option<Millis> {
        None
    }
    /// Handles the time of [`poll_timeout`](Self::poll_timeout), or an earlier time.
    fn handle_timeout(&mut self, _now: Millis) {}
    /// Returns the next binary message, when the socket has room for it.
    fn poll_output(&mut self) -> Option<Vec<u8>> {
        None
    }
    /// Returns whether the next output continues the last output, so that no other message may be between them.
    fn continues_output(&self) -> bool {
        false
    }
    /// Returns the message to send before this side closes the socket, if there is one.
    fn closing_message(&mut self) -> Option<Action> {
        None
    }
}

/// A message from the server.
#[derive(Debug, Clone, Copy)]
pub enum Incoming<'a> {
    /// A message in a text frame.
    Text(&'a [u8]),
    /// A message in a binary frame.
    Binary(&'a [u8]),
    /// Output of a terminal that the host has decoded.
    Output(&'a HostOutput),
}

/// Output of a terminal that the host has decoded, from one message or from several in a row. The text is well-formed Unicode and
/// not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostOutput {
    /// The text.
    pub text: HostText,
    /// The size of the text in UTF-8, in bytes.
    pub bytes: usize,
    /// The number of messages.
    pub messages: usize,
    /// The total size of the messages, in bytes.
    pub message_bytes: usize,
}

impl<'a> Incoming<'a> {
    /// Returns the payload of both kinds of frames. It is empty if the host has decoded the message.
    pub(super) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes,
            Self::Output(_) => &[],
        }
    }

    /// Returns the number of messages.
    fn count(self) -> usize {
        if let Self::Output(output) = self { output.messages } else { 1 }
    }

    /// Returns the total size of the messages, in bytes.
    pub(crate) fn size(self) -> usize {
        if let Self::Output(output) = self { output.message_bytes } else { self.bytes().len() }
    }
}

/// The result of handling a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The message was handled.
    Handled,
    /// The message was an error message from the server. The value is the text with masked secrets. If the server
    /// closes the socket soon afterwards, the text is the reason.
    Problem(String),
    /// The message was a pong.
    Pong,
    /// The message is malformed or of an unknown type, and is ignored.
    Malformed,
    /// The server of a protocol with [`Protocol::HANDSHAKE`] has accepted the channel.
    Accepted,
    /// The server refused the password. The value is its reason, with secrets masked.
    PasswordRefused(String),
    /// The server refused the connection. The value is its reason, with secrets masked.
    Refused(String),
    /// The message ends the channel.
    End(CloseCause),
}

/// Returns whether a message is an error. An error as the first message is usually followed by a close.
fn is_error(message: Incoming<'_>) -> bool {
    matches!(message, Incoming::Text(text) if error_message(text).is_some())
}

/// Returns the text of an error message, without masking. Returns `None` for a message of another type.
pub(super) fn error_message(text: &[u8]) -> Option<String> {
    let frame = json::parse(text).unwrap_or_default();
    let text = |name| frame.get(name).and_then(Value::as_str);
    (text("type") == Some("error")).then(|| text("message").unwrap_or_default().to_owned())
}

/// Distinguishes a consumer that is slower than the server from one that has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consumer {
    /// The consumer has read an item since the queue was last found full, or the queue was never full.
    Reading,
    /// The queue is full, and the consumer has read nothing since this time.
    Behind(Millis),
    /// The consumer has read nothing for [`STOPPED_AFTER`].
    Stopped,
}

/// A channel as a state machine. The [module documentation](super) describes how to drive it.
#[derive(Debug)]
pub struct Session<P> {
    pub(super) link: Link,
    pub(super) protocol: P,
    consumer: Consumer,
}

impl<P: Protocol> Session<P> {
    pub(crate) fn begin(protocol: P, target: Target, seed: u64, now: Millis) -> Self {
        let mut link = Link::new(P::CHANNEL, P::PATH, P::HANDSHAKE, target, seed);
        link.start(now, &|url| protocol.add_query(url));
        Self { link, protocol, consumer: Consumer::Reading }
    }

    /// Returns the known address of the computer, for [`Action::Authorize`].
    #[must_use]
    pub fn address(&self) -> &ComputerAddress {
        self.link.address()
    }

    /// Reports the result of [`Action::Authorize`]: the computer's address and a new password, or the error.
    pub fn handle_credentials(&mut self, now: Millis, found: Result<(ComputerAddress, Password), Error>) {
        match found {
            Ok((address, password)) => {
                self.link.credentials(now, address, password, &|url| self.protocol.add_query(url));
            }
            Err(error) => self.link.credentials_failed(now, &error.record()),
        }
    }

    /// Reports that the consumer has no password for [`Action::Authorize`] at the moment, with the reason.
    pub fn handle_no_credentials(&mut self, now: Millis, problem: &str) {
        self.link.no_credentials(now, problem);
    }

    /// Reports that the socket has opened.
    pub fn handle_open(&mut self, now: Millis) {
        if self.link.opened(now) {
            self.protocol.set_now(now);
            for message in self.protocol.on_open(self.link.password()) {
                self.link.send(message);
            }
            // The ping is last, so that its pong confirms the messages before it, such as the subscriptions of an event
            // channel.
            if let Some(ping) = self.protocol.ping() {
                self.link.ping(now, ping);
            }
        }
    }

    /// Reports that the socket could not be opened.
    pub fn handle_failure(&mut self, now: Millis, failure: &ConnectFailure) {
        self.link.connect_failed(now, failure);
    }

    /// Reports a text message.
    pub fn handle_text(&mut self, now: Millis, text: &str) {
        self.handle_message(now, Incoming::Text(text.as_bytes()));
    }

    /// Reports a binary message.
    pub fn handle_binary(&mut self, now: Millis, bytes: &[u8]) {
        self.handle_message(now, Incoming::Binary(bytes));
    }

    pub(super) fn handle_message(&mut self, now: Millis, message: Incoming<'_>) {
        if !self.link.has_socket() {
            return;
        }
        self.protocol.set_now(now);
        let undecided = || P::HANDSHAKE || is_error(message);
        let acceptance = self.link.messages_received(now, message.count(), message.size(), undecided);
        self.report_acceptance(acceptance);
        match self.protocol.receive(message, &mut self.link.counters, &self.link.mask) {
            Received::Handled => {}
            Received::Problem(message) => self.link.problem(now, &message),
            Received::Pong => self.link.pong_received(now),
            Received::Malformed => self.link.counters.malformed += 1,
            Received::Accepted => {
                let acceptance = self.link.accept(now);
                self.report_acceptance(acceptance);
            }
            Received::PasswordRefused(reason) => self.link.refused(now, CloseReason::Unauthorized, &reason),
            Received::Refused(reason) => self.link.refused(now, CloseReason::Refused, &reason),
            Received::End(cause) => self.link.close(cause),
        }
        self.link.log_drops();
        if self.protocol.overflows() {
            self.link.close(CloseCause::new(CloseReason::Overflow, ""));
        }
        self.watch_consumer(now);
        self.report_condition();
    }

    /// Reports the condition of the link to the protocol after an event that may have changed it.
    fn report_condition(&mut self) {
        self.protocol.set_condition(self.link.condition());
    }

    fn watch_consumer(&mut self, now: Millis) {
        if P::DROPS_OLDEST && self.protocol.is_full() {
            self.consumer = match self.consumer {
                Consumer::Reading => Consumer::Behind(now),
                Consumer::Behind(since) if now.saturating_sub(since) >= STOPPED_AFTER => Consumer::Stopped,
                unchanged => unchanged,
            };
        }
    }

    /// Reports that the socket has closed, with the code and the reason of the close frame. Without a close frame, the
    /// code is 1006.
    pub fn handle_close(&mut self, now: Millis, code: u16, reason: &str) {
        self.link.socket_closed(now, code, reason);
        self.report_condition();
    }

    /// Reports that the deadline of [`poll_timeout`](Self::poll_timeout) has passed. A call that is too early or too
    /// late is harmless.
    pub fn handle_timeout(&mut self, now: Millis) {
        self.watch_consumer(now);
        let (connect, acceptance) = self.link.timeout(now, self.wants_read(), || self.protocol.ping());
        if connect {
            self.link.start(now, &|url| self.protocol.add_query(url));
        }
        self.report_acceptance(acceptance);
        self.report_condition();
        if self.link.is_open() {
            self.protocol.handle_timeout(now);
        }
    }

    fn report_acceptance(&mut self, acceptance: Acceptance) {
        match acceptance {
            Acceptance::Unchanged => {}
            Acceptance::First => self.protocol.on_accepted(None),
            Acceptance::AfterBreak { unacknowledged } => self.protocol.on_accepted(Some(unacknowledged)),
        }
    }

    /// Returns the next action for the caller to perform.
    #[must_use]
    pub fn poll_action(&mut self) -> Option<Action> {
        if !(self.link.has_socket() && self.protocol.continues_output())
            && let Some(action) = self.link.poll_action()
        {
            return Some(action);
        }
        let bytes = self.link.has_socket().then(|| self.protocol.poll_output()).flatten()?;
        self.link.counters.sent_messages += 1;
        Some(Action::SendBinary(bytes))
    }

    /// Returns the next log entry, in order.
    #[must_use]
    pub fn poll_log(&mut self) -> Option<LogEntry> {
        // The protocol of a screen counts refusals itself.
        self.link.log_refusals(self.counters().refused);
        self.link.poll_log()
    }

    /// Returns the next item from the server, in order.
    #[must_use]
    pub fn poll_item(&mut self) -> Option<P::Item> {
        self.read(P::poll_item)
    }

    pub(super) fn read<T>(&mut self, poll: impl FnOnce(&mut P, &mut Counters) -> Option<T>) -> Option<T> {
        let item = poll(&mut self.protocol, &mut self.link.counters)?;
        self.consumer = Consumer::Reading;
        Some(item)
    }

    /// Returns when to call [`handle_timeout`](Self::handle_timeout), on the caller's clock. Returns `None` for no
    /// timer.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Millis> {
        let deadline = self.link.poll_timeout(self.wants_read())?;
        let timer = if self.link.is_open() { self.protocol.poll_timeout() } else { None };
        let deadline = timer.map_or(deadline, |timer| timer.min(deadline));
        Some(match self.consumer {
            _ if !P::DROPS_OLDEST || !self.link.has_socket() || !self.protocol.is_full() => deadline,
            // The time is not known here: `handle_timeout` sets it.
            Consumer::Reading => 0,
            Consumer::Behind(since) => deadline.min(since + STOPPED_AFTER),
            Consumer::Stopped => deadline,
        })
    }

    /// Returns whether the caller should read from the socket. While the caller does not read, the server has to wait.
    /// A terminal waits for its consumer without a time limit. The other channels wait for at most 5 s for the next
    /// read, and then drop the oldest items.
    #[must_use]
    pub fn wants_read(&self) -> bool {
        !self.protocol.is_full() || P::DROPS_OLDEST && self.consumer == Consumer::Stopped
    }

    /// Returns the current state.
    #[must_use]
    pub fn state(&self) -> State {
        self.link.state()
    }

    /// Returns the current counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut counters = self.link.counters;
        self.protocol.count(&mut counters);
        counters
    }

    /// Returns whether to abort a message that is being sent, because the socket is about to be closed or is no longer
    /// used. The actions of [`poll_action`](Self::poll_action) must not wait for that message.
    #[must_use]
    pub fn leaves_socket(&self) -> bool {
        self.link.leaves_socket()
    }

    /// Ends the channel. Input is sent first, as far as the window allows. Items that were received before can still be
    /// read.
    pub fn close(&mut self) {
        if self.link.is_open() {
            self.link.send_input();
        }
        if self.link.has_socket()
            && let Some(message) = self.protocol.closing_message()
        {
            self.link.queue(message);
        }
        self.link.close(CloseCause::new(CloseReason::Normal, ""));
        self.report_condition();
    }

    /// Sends a message if there is a socket. Otherwise `on_open` sends the same content on the next socket.
    pub(super) fn send_if_connected(&mut self, message: String) {
        if self.link.has_socket() {
            self.link.send(message);
        }
    }
}
