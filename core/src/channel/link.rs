//! The connection of a channel: the credentials, the connection attempts, the heartbeat that detects dead connections,
//! and the backoff before a reconnect.

use std::collections::VecDeque;

use orgo_screen::Condition;

use super::close::{CloseCause, CloseReason, Recovery, classify_close};
use super::input::Input;
use crate::Millis;
use crate::client::address::{BaseUrl, ComputerAddress, SocketTemplate, SocketUrl};
use crate::client::config::{self, Config};
use crate::client::credentials::Password;
use crate::diagnostics::log::{LogEntry, LogEvent, LogLevel, LogQueue, LogThrottle};
use crate::diagnostics::mask::Mask;
use crate::encoding::json::{Value, serialize_as_json};
use crate::error::Error;
use crate::rest::refusal::shortened;
use crate::rest::retry::{Backoff, Jitter};

/// The message that the server answers with a pong.
pub(super) const PING: &str = r#"{"type":"ping"}"#;
/// The interval of the heartbeat pings. The documentation advises 30 s; known clients of the service use 10 s.
const PING_EVERY: Millis = 10_000;
/// After this time without a response to a ping, the connection counts as unstable. The time counts from the ping,
/// because timers can be late: in a hidden tab they fire once a minute.
const UNSTABLE_AFTER: Millis = 5_000;
/// After this time without a response to a ping, the connection counts as dead.
const DEAD_AFTER: Millis = 15_000;
/// The time limit for opening a socket.
const CONNECT_TIMEOUT: Millis = 15_000;
/// If a server sends nothing, the channel counts as accepted after this time. An open socket does not mean acceptance,
/// because the service refuses a channel by closing an open socket. The first message that is not an error means
/// acceptance.
const ACCEPTED_AFTER: Millis = 3_000;
/// An error message from the server counts as the reason for a close if it arrived at most this long before the close.
const REASON_WITHIN: Millis = 5_000;
/// The time after which an open connection resets the attempt counter.
const STABLE_AFTER: Millis = 10_000;
/// The default number of failed attempts in a row before the channel ends.
const MAX_RECONNECTS: u32 = 10;

/// The computer of a channel, and how to connect to it.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// The root of the REST calls. Its host also serves the channels of newer generations.
    pub base_url: BaseUrl,
    /// A template for the URL of the channel, which overrides every other address. Default: `None`.
    pub template: Option<SocketTemplate>,
    /// The address of the computer.
    pub address: ComputerAddress,
    /// The computer's password. With `None`, the session first requests the password with [`Action::Authorize`].
    pub password: Option<Password>,
    /// The number of failed attempts in a row before the channel ends. Default: 10.
    pub max_reconnects: Option<u32>,
    /// The least severe level that is logged; `None` logs nothing. Default: `None`.
    pub log_level: Option<LogLevel>,
}

impl Target {
    /// Creates the target of a computer for a client with this configuration.
    #[must_use]
    pub fn new(config: &Config, address: ComputerAddress, password: Option<Password>) -> Self {
        Self {
            base_url: config.base_url.clone(),
            template: config.realtime_url.clone(),
            address,
            password,
            max_reconnects: None,
            log_level: config.log_level,
        }
    }

    /// Sets [`max_reconnects`](Self::max_reconnects).
    ///
    /// # Errors
    /// [`Error::Encode`] if `count` is not a whole number from 0 to 100.
    pub fn limit_reconnects(&mut self, count: Option<f64>) -> Result<(), Error> {
        self.max_reconnects = config::count("channel", count)?;
        Ok(())
    }
}

/// An action for the caller to perform.
///
/// The enum is exhaustive on purpose: a caller must handle every action.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Fetch the computer's address and a new password, then call
    /// [`handle_credentials`](super::Session::handle_credentials).
    Authorize,
    /// Open a socket to this URL. An earlier socket is no longer used.
    Connect(SocketUrl),
    /// Send a text message.
    Send(String),
    /// Send a binary message.
    SendBinary(Vec<u8>),
    /// Close the socket with this code. Its further events are ignored.
    Close(u16),
}

/// The state of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Connecting for the first time.
    Connecting,
    /// Accepted by the server.
    Open,
    /// Open, but the server does not respond to a ping.
    Unstable,
    /// The connection broke, and the channel reconnects.
    Reconnecting {
        /// The number of the attempt, from 1.
        attempt: u32,
        /// When the attempt starts, on the caller's clock.
        at: Millis,
        /// The wait before the attempt, in milliseconds.
        delay: Millis,
        /// Why the last connection or attempt failed.
        cause: CloseCause,
    },
    /// Ended. The channel does not reconnect.
    Closed(CloseCause),
}

impl State {
    /// Returns the state as the JSON that the bindings pass to JavaScript.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let status = |status: &str| ("status", status.into());
        match self {
            Self::Connecting => Value::record([status("connecting")]),
            Self::Open => Value::record([status("open")]),
            Self::Unstable => Value::record([status("unstable")]),
            Self::Reconnecting { attempt, delay, cause, .. } => Value::record([
                status("reconnecting"),
                ("attempt", u64::from(*attempt).into()),
                ("delay", (*delay).into()),
                ("cause", cause.to_json()),
            ]),
            Self::Closed(cause) => Value::record([status("closed"), ("cause", cause.to_json())]),
        }
    }
}

/// The counters of a channel. `received = taken + buffered + dropped`. The unit depends on the kind of channel: bytes
/// of text (terminal), samples of one audio channel (audio), events, or updates (screen).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// The number of units that the server sent.
    pub received: u64,
    /// The number of units that the consumer read.
    pub taken: u64,
    /// The number of unread units.
    pub buffered: u64,
    /// The number of units that were dropped because the consumer did not read them.
    pub dropped: u64,
    /// The number of messages from the server.
    pub received_messages: u64,
    /// The total size of the messages from the server, in bytes.
    pub received_bytes: u64,
    /// The number of messages to the server.
    pub sent_messages: u64,
    /// The number of messages of an unknown shape, which are ignored.
    pub malformed: u64,
    /// The number of bytes of accepted input. `written = acknowledged + pending + unacknowledged`.
    pub written: u64,
    /// The number of bytes of input that the server has acknowledged.
    pub acknowledged: u64,
    /// The number of bytes of input that are unsent or unacknowledged.
    pub pending: u64,
    /// The number of bytes of input that may not have arrived, because the connection broke or the channel ended before
    /// they were acknowledged.
    pub unacknowledged: u64,
    /// The number of times that input was refused.
    pub refused: u64,
    /// The number of times that the channel reconnected after a break. Failed attempts do not count.
    pub reconnects: u64,
}

impl Counters {
    /// Returns the counters as the JSON that the bindings pass to JavaScript.
    #[must_use]
    pub fn to_json(&self) -> Value {
        Value::record([
            ("received", self.received.into()),
            ("taken", self.taken.into()),
            ("buffered", self.buffered.into()),
            ("dropped", self.dropped.into()),
            ("received_messages", self.received_messages.into()),
            ("received_bytes", self.received_bytes.into()),
            ("sent_messages", self.sent_messages.into()),
            ("malformed", self.malformed.into()),
            ("written", self.written.into()),
            ("acknowledged", self.acknowledged.into()),
            ("pending", self.pending.into()),
            ("unacknowledged", self.unacknowledged.into()),
            ("refused", self.refused.into()),
            ("reconnects", self.reconnects.into()),
        ])
    }
}

serialize_as_json!(State, Counters);

/// Why a socket could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectFailure {
    /// The status code, if the server refused the upgrade with a response. `None` in browsers, which do not report it.
    pub status: Option<u16>,
    /// A description of the cause, without secrets.
    pub message: String,
}

/// Whether the server has just accepted the channel, and whether for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acceptance {
    /// The acceptance has not changed.
    Unchanged,
    /// Accepted for the first time.
    First,
    /// Accepted after a break.
    AfterBreak {
        /// The number of bytes of input that may not have arrived before the break.
        unacknowledged: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Authorizing {
        /// The time at which this attempt started.
        started: Millis,
    },
    Connecting {
        started: Millis,
        since: Millis,
    },
    /// The socket is open, but the server has not accepted the channel yet.
    AwaitingAcceptance {
        started: Millis,
        since: Millis,
    },
    Open {
        since: Millis,
    },
    Backoff {
        at: Millis,
        delay: Millis,
    },
    Closed(CloseCause),
}

#[derive(Debug)]
pub(super) struct Link {
    channel: &'static str,
    /// The name of the channel in the URL.
    path: &'static str,
    /// Whether the protocol reports the acceptance, at the end of a handshake.
    handshake: bool,
    target: Target,
    /// The mask of the last known password.
    pub(super) mask: Mask,
    phase: Phase,
    actions: VecDeque<Action>,
    pub(super) input: Input,
    /// The number of bytes of input that may not have arrived, counted since the server last accepted the channel.
    unacknowledged: u64,
    jitter: Jitter,
    /// The number of failed attempts in a row.
    attempt: u32,
    /// Whether a new password was requested since the last acceptance.
    refreshed: bool,
    opened_before: bool,
    next_ping: Millis,
    /// The time of the first ping after the last received message.
    unanswered_since: Option<Millis>,
    /// Whether a ping was queued for which the time is not known yet.
    ping_unstamped: bool,
    unstable: bool,
    /// The last error message from the server on this socket, and the time at which it arrived.
    problem: Option<(Millis, String)>,
    /// Why the last connection or attempt failed.
    cause: CloseCause,
    pub(super) counters: Counters,
    dropped: LogThrottle,
    refused: LogThrottle,
    log: LogQueue,
}

impl Link {
    pub(super) fn new(
        channel: &'static str,
        path: &'static str,
        handshake: bool,
        target: Target,
        seed: u64,
    ) -> Self {
        Self {
            channel,
            path,
            handshake,
            log: LogQueue::new(target.log_level),
            mask: target.password.as_ref().map(|password| Mask::of(password.expose())).unwrap_or_default(),
            target,
            phase: Phase::Authorizing { started: 0 },
            actions: VecDeque::new(),
            input: Input::default(),
            unacknowledged: 0,
            jitter: Jitter::new(seed),
            attempt: 0,
            refreshed: false,
            opened_before: false,
            next_ping: 0,
            unanswered_since: None,
            ping_unstamped: false,
            unstable: false,
            problem: None,
            cause: CloseCause::new(CloseReason::Unreachable, ""),
            counters: Counters::default(),
            dropped: LogThrottle::default(),
            refused: LogThrottle::default(),
        }
    }

    pub(super) fn state(&self) -> State {
        match &self.phase {
            Phase::Open { .. } if self.unstable => State::Unstable,
            Phase::Open { .. } => State::Open,
            Phase::Backoff { at, delay } => State::Reconnecting {
                attempt: self.attempt,
                at: *at,
                delay: *delay,
                cause: self.last_cause(),
            },
            Phase::Closed(cause) => State::Closed(cause.clone()),
            // During an attempt the state stays `Reconnecting`. The attempt after a refused password does not follow a
            // failed attempt, so `attempt` can be 0.
            Phase::Authorizing { started }
            | Phase::Connecting { started, .. }
            | Phase::AwaitingAcceptance { started, .. }
                if self.opened_before || self.attempt > 0 =>
            {
                let cause = self.last_cause();
                State::Reconnecting { attempt: self.attempt.max(1), at: *started, delay: 0, cause }
            }
            Phase::Authorizing { .. } | Phase::Connecting { .. } | Phase::AwaitingAcceptance { .. } => {
                State::Connecting
            }
        }
    }

    fn last_cause(&self) -> CloseCause {
        CloseCause { unacknowledged: self.unacknowledged, ..self.cause.clone() }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    pub(super) fn condition(&self) -> Condition {
        match self.phase {
            Phase::Open { .. } if self.unstable => Condition::Unstable,
            Phase::Open { .. } => Condition::Open,
            _ => Condition::Disconnected,
        }
    }

    pub(super) fn has_socket(&self) -> bool {
        matches!(self.phase, Phase::Open { .. } | Phase::AwaitingAcceptance { .. })
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed(_))
    }

    /// Connects if the password is known. Otherwise requests the password.
    pub(super) fn start(&mut self, now: Millis, url: &dyn Fn(SocketUrl) -> SocketUrl) {
        if self.target.password.is_some() {
            self.connect(now, now, url);
        } else {
            self.authorize(now);
        }
    }

    fn authorize(&mut self, now: Millis) {
        self.actions.clear();
        self.phase = Phase::Authorizing { started: now };
        self.actions.push_back(Action::Authorize);
    }

    pub(super) fn address(&self) -> &ComputerAddress {
        &self.target.address
    }

    pub(super) fn password(&self) -> Option<&Password> {
        self.target.password.as_ref()
    }

    fn connect(&mut self, started: Millis, now: Millis, url: &dyn Fn(SocketUrl) -> SocketUrl) {
        let Target { base_url, template, address, password, .. } = &self.target;
        match address.channel_url(base_url, template.as_ref(), self.path) {
            Ok(plain) => {
                let plain = match password {
                    Some(password) => plain.with_token(password.clone()),
                    None => plain,
                };
                self.actions.clear();
                self.actions.push_back(Action::Connect(url(plain)));
                self.phase = Phase::Connecting { started, since: now };
            }
            Err(error) => {
                self.close(CloseCause::new(CloseReason::Refused, &format!("the address {error}")));
            }
        }
    }

    pub(super) fn credentials(
        &mut self,
        now: Millis,
        address: ComputerAddress,
        password: Password,
        url: &dyn Fn(SocketUrl) -> SocketUrl,
    ) {
        let Phase::Authorizing { started } = self.phase else { return };
        self.target.address = address;
        self.mask = Mask::of(password.expose());
        self.target.password = Some(password);
        self.connect(started, now, url);
    }

    /// Handles the error of a call that requested the password. `error` is the record of the error.
    pub(super) fn credentials_failed(&mut self, now: Millis, error: &Value) {
        if !matches!(self.phase, Phase::Authorizing { .. }) {
            return;
        }
        let text = |name| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let mut failure = ConnectFailure { status: None, message: text("message").to_owned() };
        match text("kind") {
            // A retry does not help if the request is invalid or the response is not understood.
            "encode" | "decode" | "too_large" => {
                return self.close(CloseCause::new(CloseReason::Unauthorized, &failure.message));
            }
            "server" => {
                let status = error.get("status").and_then(Value::as_f64);
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "the cast saturates"
                )]
                let status = status.map(|status| status as u16);
                failure.status = status;
                let id = text("request_id");
                if !id.is_empty() {
                    failure.message.push_str(", request id ");
                    failure.message.push_str(id);
                }
            }
            _ => {}
        }
        self.connect_failed(now, &failure);
    }

    /// Handles a failed request to the consumer for a password. The next attempt requests the password again.
    pub(super) fn no_credentials(&mut self, now: Millis, problem: &str) {
        if matches!(self.phase, Phase::Authorizing { .. }) {
            // The description of the reason would suggest that the computer is the problem.
            let message = self.mask.text(problem);
            let cause = CloseCause { message, ..CloseCause::new(CloseReason::Unreachable, "") };
            self.broken(now, cause, Recovery::Reconnect);
        }
    }

    pub(super) fn opened(&mut self, now: Millis) -> bool {
        let Phase::Connecting { started, .. } = self.phase else { return false };
        self.phase = Phase::AwaitingAcceptance { started, since: now };
        self.unanswered_since = None;
        self.ping_unstamped = false;
        self.problem = None;
        true
    }

    /// Handles the arrival of a message. An error as the first message does not mean acceptance: the next message or
    /// the close decides.
    pub(super) fn messages_received(
        &mut self,
        now: Millis,
        messages: usize,
        bytes: usize,
        is_error: impl FnOnce() -> bool,
    ) -> Acceptance {
        self.stamp_pings(now);
        self.unanswered_since = None;
        self.unstable = false;
        self.counters.received_messages += messages as u64;
        self.counters.received_bytes += bytes as u64;
        if matches!(self.phase, Phase::AwaitingAcceptance { .. }) && is_error() {
            return Acceptance::Unchanged;
        }
        self.accept(now)
    }

    /// Stores an error message from the server.
    pub(super) fn problem(&mut self, now: Millis, words: &str) {
        self.problem = Some((now, shortened(words)));
    }

    pub(super) fn accept(&mut self, now: Millis) -> Acceptance {
        if !matches!(self.phase, Phase::AwaitingAcceptance { .. }) {
            return Acceptance::Unchanged;
        }
        self.phase = Phase::Open { since: now };
        self.refreshed = false;
        self.log(|| LogEvent::Opened);
        if std::mem::replace(&mut self.opened_before, true) {
            self.counters.reconnects += 1;
            Acceptance::AfterBreak { unacknowledged: std::mem::take(&mut self.unacknowledged) }
        } else {
            Acceptance::First
        }
    }

    pub(super) fn connect_failed(&mut self, now: Millis, failure: &ConnectFailure) {
        // A late report of an abandoned attempt does not concern the current attempt.
        if !matches!(self.phase, Phase::Authorizing { .. } | Phase::Connecting { .. }) {
            return;
        }
        let (reason, recovery) = match failure.status {
            Some(401 | 403) => (CloseReason::Unauthorized, Recovery::Refresh),
            Some(404) => (CloseReason::NotFound, Recovery::ReconnectIfOpened),
            Some(status) if (400..500).contains(&status) && status != 408 && status != 429 => {
                (CloseReason::Refused, Recovery::End)
            }
            _ => (CloseReason::Unreachable, Recovery::Reconnect),
        };
        self.broken(now, CloseCause::new(reason, &self.mask.text(&failure.message)), recovery);
    }

    pub(super) fn socket_closed(&mut self, now: Millis, code: u16, reason: &str) {
        if !self.has_socket() && !matches!(self.phase, Phase::Connecting { .. }) {
            return;
        }
        let words = match self.problem.take() {
            Some((at, words)) if now.saturating_sub(at) <= REASON_WITHIN => words,
            _ => String::new(),
        };
        let (mut cause, recovery) = classify_close(code, &self.mask.text(reason), &words);
        // A server that closes properly before it has accepted the channel does not offer it.
        if cause.reason == CloseReason::Normal && !self.opened_before {
            let mut detail = format!("close code {code} before the channel opened");
            for text in [&*self.mask.text(reason), &words].into_iter().filter(|text| !text.is_empty()) {
                detail.push_str(", ");
                detail.push_str(text);
            }
            cause = CloseCause { code: cause.code, ..CloseCause::new(CloseReason::Refused, &detail) };
        }
        self.broken(now, cause, recovery);
    }

    fn broken(&mut self, now: Millis, cause: CloseCause, recovery: Recovery) {
        if let Phase::Open { since } = self.phase
            && now.saturating_sub(since) >= STABLE_AFTER
        {
            self.attempt = 0;
        }
        self.unstable = false;
        self.disconnect();
        let asking = matches!(self.phase, Phase::Authorizing { .. });
        match recovery {
            // The API key or the new password was refused.
            Recovery::Refresh if self.refreshed || asking => self.end(cause),
            Recovery::Refresh => {
                self.refreshed = true;
                self.log(|| LogEvent::PasswordRefused { cause: cause.message.clone() });
                self.cause = cause;
                self.target.password = None;
                self.authorize(now);
            }
            Recovery::End => self.end(cause),
            Recovery::ReconnectIfOpened if !self.opened_before => self.end(cause),
            Recovery::Reconnect | Recovery::ReconnectIfOpened
                if self.attempt >= self.target.max_reconnects.unwrap_or(MAX_RECONNECTS) =>
            {
                self.end(cause);
            }
            Recovery::Reconnect | Recovery::ReconnectIfOpened => {
                self.attempt += 1;
                self.actions.clear();
                let delay = Backoff::CHANNEL.delay(self.attempt, &mut self.jitter);
                let attempt = self.attempt;
                self.log(|| LogEvent::Reconnecting { cause: cause.message.clone(), attempt, delay });
                self.cause = cause;
                self.phase = Phase::Backoff { at: now.saturating_add(delay), delay };
            }
        }
    }

    /// Ends the channel from this side.
    pub(super) fn close(&mut self, cause: CloseCause) {
        if self.is_closed() {
            return;
        }
        if self.has_socket() || matches!(self.phase, Phase::Connecting { .. }) {
            self.actions.push_back(Action::Close(1000));
        }
        self.end(cause);
    }

    fn end(&mut self, cause: CloseCause) {
        self.unstable = false;
        self.disconnect();
        let cause = CloseCause { unacknowledged: self.unacknowledged, ..cause };
        self.log(|| LogEvent::Ended {
            cause: cause.message.clone(),
            proper: matches!(cause.reason, CloseReason::Normal | CloseReason::Exit),
        });
        self.phase = Phase::Closed(cause);
    }

    /// Handles the loss of the socket. Unacknowledged input may not have arrived, and must not reach the next shell.
    fn disconnect(&mut self) {
        let bytes = self.input.disconnect() as u64;
        self.unacknowledged += bytes;
        self.counters.unacknowledged += bytes;
        self.counters.pending = 0;
        if bytes > 0 {
            self.log(|| LogEvent::InputUnacknowledged { bytes });
        }
    }

    pub(super) fn accept_input(&mut self, text: &str) {
        self.input.accept(text);
        self.counters.written += text.len() as u64;
        self.counters.pending = self.input.pending() as u64;
    }

    /// Handles a pong.
    pub(super) fn pong_received(&mut self, now: Millis) {
        self.counters.acknowledged += self.input.pong_received(now) as u64;
        self.counters.pending = self.input.pending() as u64;
    }

    /// Counts refused input.
    pub(super) fn refuse(&mut self) {
        self.counters.refused += 1;
        self.log_refusals(self.counters.refused);
    }

    /// Logs refused input. `count` is how often input was refused so far.
    pub(super) fn log_refusals(&mut self, count: u64) {
        if self.refused.reached(count) {
            self.log(|| LogEvent::InputRefused { count });
        }
    }

    /// Logs dropped items after the protocol has handled a message.
    pub(super) fn log_drops(&mut self) {
        let count = self.counters.dropped;
        if self.dropped.reached(count) {
            self.log(|| LogEvent::Dropped { count });
        }
    }

    fn log(&mut self, event: impl FnOnce() -> LogEvent) {
        self.log.add(|| LogEntry {
            subject: format!("{} of {}", self.channel, self.mask.text(&self.target.address.computer_id)),
            event: event(),
        });
    }

    pub(super) fn poll_log(&mut self) -> Option<LogEntry> {
        self.log.pop()
    }

    /// Queues a message.
    pub(super) fn send(&mut self, message: String) {
        self.queue(Action::Send(message));
    }

    pub(super) fn queue(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    /// Queues a message, and removes the queued messages that the new message replaces.
    pub(super) fn send_latest(&mut self, message: String, is_older: impl Fn(&str) -> bool) {
        self.actions.retain(|output| !matches!(output, Action::Send(queued) if is_older(queued)));
        self.send(message);
    }

    /// Queues all input that the window allows.
    pub(super) fn send_input(&mut self) {
        while let Some(message) = self.input.next_message() {
            self.send(message);
        }
    }

    pub(super) fn ping(&mut self, now: Millis, ping: Action) {
        self.send_ping(Some(now), ping);
        self.stamp_pings(now);
    }

    /// Queues a ping. If `now` is `None`, [`stamp_pings`](Self::stamp_pings) sets the time later.
    fn send_ping(&mut self, now: Option<Millis>, ping: Action) {
        self.input.pinged(now);
        self.ping_unstamped = true;
        self.queue(ping);
    }

    /// Sets the time of the pings that were queued without a time.
    fn stamp_pings(&mut self, now: Millis) {
        if std::mem::take(&mut self.ping_unstamped) {
            self.next_ping = now.saturating_add(PING_EVERY);
            self.unanswered_since.get_or_insert(now);
            self.input.stamp_pings(now);
        }
    }

    /// Returns whether the socket is about to be closed, or was abandoned.
    pub(super) fn leaves_socket(&self) -> bool {
        !self.has_socket() && !self.actions.is_empty()
    }

    pub(super) fn poll_action(&mut self) -> Option<Action> {
        if self.actions.is_empty() && self.is_open() {
            if self.input.wants_ping() {
                self.send_ping(None, Action::Send(PING.to_owned()));
            } else if let Some(message) = self.input.next_message() {
                self.send(message);
            }
        }
        let output = self.actions.pop_front()?;
        if matches!(output, Action::Send(_) | Action::SendBinary(_)) {
            self.counters.sent_messages += 1;
        }
        Some(output)
    }

    /// Returns the next deadline. `reading` is false while the reader waits for the consumer. The server is not the
    /// cause of the silence then.
    pub(super) fn poll_timeout(&self, reading: bool) -> Option<Millis> {
        match &self.phase {
            Phase::Authorizing { .. } | Phase::Closed(_) => None,
            Phase::Connecting { since, .. } => Some(since + CONNECT_TIMEOUT),
            Phase::AwaitingAcceptance { since, .. } => Some(since + self.acceptance_limit()),
            Phase::Open { .. } if self.ping_unstamped => Some(0),
            Phase::Open { .. } => {
                let heartbeat = self.heartbeat(reading);
                Some(self.input.poll_timeout().map_or(heartbeat, |ping| ping.min(heartbeat)))
            }
            Phase::Backoff { at, .. } => Some(*at),
        }
    }

    fn heartbeat(&self, reading: bool) -> Millis {
        let patience = if self.unstable { DEAD_AFTER } else { UNSTABLE_AFTER };
        match self.unanswered_since.filter(|_| reading) {
            Some(asked) => self.next_ping.min(asked + patience),
            None => self.next_ping,
        }
    }

    /// Handles the deadlines that have expired. Returns whether to connect, and the acceptance.
    pub(super) fn timeout(
        &mut self,
        now: Millis,
        reading: bool,
        ping: impl FnOnce() -> Option<Action>,
    ) -> (bool, Acceptance) {
        match self.phase {
            Phase::Connecting { since, .. } if now >= since + CONNECT_TIMEOUT => {
                self.abandon_socket(now, &format!("no socket within {CONNECT_TIMEOUT} ms"));
            }
            Phase::AwaitingAcceptance { since, .. } if now >= since + self.acceptance_limit() => {
                if !self.handshake {
                    return (false, self.accept(now));
                }
                self.abandon_socket(now, &format!("no complete handshake within {CONNECT_TIMEOUT} ms"));
            }
            Phase::Open { .. } => {
                self.stamp_pings(now);
                if !reading {
                    self.unanswered_since = None;
                }
                let unanswered = self.unanswered_since.map_or(0, |asked| now.saturating_sub(asked));
                if unanswered >= DEAD_AFTER {
                    self.abandon_socket(now, &format!("no response for {unanswered} ms"));
                } else {
                    self.unstable = unanswered >= UNSTABLE_AFTER;
                    if (now >= self.next_ping || self.input.is_ping_due(now))
                        && let Some(ping) = ping()
                    {
                        self.ping(now, ping);
                    }
                }
            }
            Phase::Backoff { at, .. } if now >= at => return (true, Acceptance::Unchanged),
            _ => {}
        }
        (false, Acceptance::Unchanged)
    }

    /// Returns the longest time from the opening of the socket to the acceptance.
    fn acceptance_limit(&self) -> Millis {
        if self.handshake { CONNECT_TIMEOUT } else { ACCEPTED_AFTER }
    }

    /// Handles a refusal by the protocol: requests a new password after `Unauthorized`, otherwise connects again only if
    /// the server accepted the channel before.
    pub(super) fn refused(&mut self, now: Millis, reason: CloseReason, detail: &str) {
        let recovery = match reason {
            CloseReason::Unauthorized => Recovery::Refresh,
            _ => Recovery::ReconnectIfOpened,
        };
        self.broken(now, CloseCause::new(reason, &shortened(detail)), recovery);
        self.actions.push_front(Action::Close(1000));
    }

    fn abandon_socket(&mut self, now: Millis, detail: &str) {
        self.broken(now, CloseCause::new(CloseReason::Unreachable, detail), Recovery::Reconnect);
        self.actions.push_front(Action::Close(1000));
    }
}
