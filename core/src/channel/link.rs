//! The life of a channel's socket: credentials, dialling, heartbeat, silence, and the wait before the next try.

use std::collections::VecDeque;

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

/// Both real clients that are known ping every 10 s (MCP, OS1); the documentation advises 30 s (G3).
const PING_EVERY: Millis = 10_000;
/// How long a ping may go unanswered before the link counts as unstable. It is the ping that counts and not the
/// silence: where timers come late (a hidden tab has one a minute) the silence is our own.
const UNSTABLE_AFTER: Millis = 5_000;
/// How long a ping may go unanswered before the link counts as dead.
const DEAD_AFTER: Millis = 15_000;
/// How long a socket may take to open.
const CONNECT_TIMEOUT: Millis = 15_000;
/// A refusal comes as a close after the socket opened, so an open socket is no acceptance yet. The first frame is,
/// or this much time, in case a server answers neither the ping nor the protocol's own first message.
const ACCEPTED_AFTER: Millis = 3_000;
/// How long before a close the server's last words of a problem are its reason.
const REASON_WITHIN: Millis = 5_000;
/// A link that held this long starts counting its tries anew.
const STABLE_AFTER: Millis = 10_000;
/// How many dials may fail in a row, unless the target says so.
const MAX_RECONNECTS: u32 = 10;

/// Where a channel is and how it is reached.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// The root of the REST calls, whose host serves the newer channels too.
    pub base_url: BaseUrl,
    /// Overrides every other way to the channel.
    pub template: Option<SocketTemplate>,
    /// What is known of the computer.
    pub address: ComputerAddress,
    /// The computer's password; `None` refreshable for it first.
    pub password: Option<Password>,
    /// How many dials may fail in a row; `None` is 10.
    pub max_reconnects: Option<u32>,
    /// What a log is told; `None` is nothing.
    pub log_level: Option<LogLevel>,
}

impl Target {
    /// The target of a computer for a client with this configuration.
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

    /// Limits how many dials may fail in a row.
    ///
    /// # Errors
    /// [`Error::Encode`] for what is no count.
    pub fn limit_reconnects(&mut self, count: Option<f64>) -> Result<(), Error> {
        self.max_reconnects = config::count("channel", count)?;
        Ok(())
    }
}

/// What is to be done in the world.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Find out the computer's address and a fresh password, then call `handle_credentials`.
    Authorize,
    /// Open a socket. Any older one is gone.
    Connect(SocketUrl),
    /// Send a text message.
    Send(String),
    /// Close the socket with this code. Nothing more is expected of it.
    Close(u16),
}

/// The state of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// On the way to its first opening.
    Connecting,
    /// Accepted by the server.
    Open,
    /// Open, but silent for too long.
    Unstable,
    /// Broken; the next try comes.
    Reconnecting {
        /// The number of the next try, from 1.
        attempt: u32,
        /// When it comes, on the caller's clock.
        at: Millis,
        /// The wait before it.
        delay: Millis,
        /// Why the last one came to its end.
        cause: CloseCause,
    },
    /// Ended for good.
    Closed(CloseCause),
}

impl State {
    /// The state as the bindings hand it to JavaScript.
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

/// What passed through a channel. `received = taken + buffered + dropped`, counted in the channel's own unit: bytes
/// of text (terminal), samples of one channel (audio), events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// What the server sent.
    pub received: u64,
    /// What the consumer took.
    pub taken: u64,
    /// What waits for the consumer.
    pub buffered: u64,
    /// What was dropped because the consumer did not take it.
    pub dropped: u64,
    /// Messages from the server.
    pub received_messages: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Messages to the server.
    pub sent_messages: u64,
    /// Messages that are not of the documented shape; they are passed over.
    pub malformed: u64,
    /// Bytes of input that were accepted. `written = acknowledged + pending + unacknowledged`.
    pub written: u64,
    /// Bytes of input that the server is known to have received.
    pub acknowledged: u64,
    /// Bytes of input that wait to be sent or to be acknowledged.
    pub pending: u64,
    /// Bytes of input that may not have arrived, since the link broke or the channel ended before they were acknowledged.
    pub unacknowledged: u64,
    /// How often input was refused.
    pub refused: u64,
    /// How often the channel was dialled again.
    pub reconnects: u64,
}

impl Counters {
    /// The counters as the bindings hand them to JavaScript.
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
    /// The status of the answer, where the server answered the upgrade with a refusal. Browsers do not tell.
    pub status: Option<u16>,
    /// The cause in words, without secrets.
    pub message: String,
}

/// What a link needs to know of the channel on it when it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acceptance {
    /// Nothing that the channel has to know.
    Unchanged,
    /// Accepted for the first time.
    First,
    /// Accepted again after a break.
    AfterBreak {
        /// The bytes of input that may not have arrived before it.
        unacknowledged: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Authorizing {
        /// When this try started.
        started: Millis,
    },
    Connecting {
        started: Millis,
        since: Millis,
    },
    /// The socket is open; the server has not accepted yet.
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
    target: Target,
    /// Of the password that was known last.
    pub(super) mask: Mask,
    phase: Phase,
    actions: VecDeque<Action>,
    pub(super) input: Input,
    /// Bytes of input that may not have arrived, since the channel was last open.
    unacknowledged: u64,
    jitter: Jitter,
    /// Failed dials in a row.
    attempt: u32,
    /// A fresh password was asked for since the last acceptance.
    refreshed: bool,
    opened_before: bool,
    next_ping: Millis,
    /// When the first ping went out that nothing came after.
    unanswered_since: Option<Millis>,
    /// A ping went out, and the time is not known yet.
    ping_unstamped: bool,
    unstable: bool,
    /// What the server last said of a problem on this socket, and when.
    problem: Option<(Millis, String)>,
    /// Why the last socket, or the last try to open one, came to its end.
    cause: CloseCause,
    pub(super) counters: Counters,
    dropped: LogThrottle,
    refused: LogThrottle,
    log: LogQueue,
}

impl Link {
    pub(super) fn new(channel: &'static str, target: Target, seed: u64) -> Self {
        Self {
            channel,
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
            // Between two tries it stays "reconnecting", with the try that is under way. The one after a refused password
            // follows no failed one.
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

    pub(super) fn is_unstable(&self) -> bool {
        self.unstable
    }

    pub(super) fn has_socket(&self) -> bool {
        matches!(self.phase, Phase::Open { .. } | Phase::AwaitingAcceptance { .. })
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed(_))
    }

    /// Begins, or begins again: with the password at hand it dials, without it refreshable.
    pub(super) fn start(&mut self, now: Millis, url: impl FnOnce(SocketUrl) -> SocketUrl) {
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

    fn connect(&mut self, started: Millis, now: Millis, url: impl FnOnce(SocketUrl) -> SocketUrl) {
        let Target { base_url, template, address, password, .. } = &self.target;
        match address.channel_url(base_url, template.as_ref(), self.channel) {
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
        found: Result<(ComputerAddress, Password), Error>,
        url: impl FnOnce(SocketUrl) -> SocketUrl,
    ) {
        let Phase::Authorizing { started } = self.phase else { return };
        match found {
            Ok((address, password)) => {
                self.target.address = address;
                self.mask = Mask::of(password.expose());
                self.target.password = Some(password);
                self.connect(started, now, url);
            }
            // What cannot even be asked, or makes no sense, does not get better.
            Err(error @ (Error::Encode(_) | Error::Decode(_) | Error::TooLarge(_))) => {
                self.close(CloseCause::new(CloseReason::Unauthorized, &error.to_string()));
            }
            Err(error) => {
                let mut failure = ConnectFailure { status: None, message: error.to_string() };
                if let Error::Server(error) = &error {
                    failure.status = Some(error.status);
                    if let Some(id) = &error.request_id {
                        failure.message.push_str(", request id ");
                        failure.message.push_str(id);
                    }
                }
                self.connect_failed(now, &failure);
            }
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

    /// Something came from the server. A problem as the first thing is no acceptance: what follows decides.
    pub(super) fn message_received(
        &mut self,
        now: Millis,
        bytes: usize,
        is_error: impl FnOnce() -> bool,
    ) -> Acceptance {
        self.stamp_pings(now);
        self.unanswered_since = None;
        self.unstable = false;
        self.counters.received_messages += 1;
        self.counters.received_bytes += bytes as u64;
        if matches!(self.phase, Phase::AwaitingAcceptance { .. }) && is_error() {
            return Acceptance::Unchanged;
        }
        self.accept(now)
    }

    /// The server reported a problem, in these words.
    pub(super) fn problem(&mut self, now: Millis, words: &str) {
        self.problem = Some((now, shortened(words)));
    }

    fn accept(&mut self, now: Millis) -> Acceptance {
        if !matches!(self.phase, Phase::AwaitingAcceptance { .. }) {
            return Acceptance::Unchanged;
        }
        self.phase = Phase::Open { since: now };
        self.refreshed = false;
        self.log(|| LogEvent::Opened);
        if std::mem::replace(&mut self.opened_before, true) {
            Acceptance::AfterBreak { unacknowledged: std::mem::take(&mut self.unacknowledged) }
        } else {
            Acceptance::First
        }
    }

    pub(super) fn connect_failed(&mut self, now: Millis, failure: &ConnectFailure) {
        // A late report of what was given up says nothing of what is tried now.
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
        let (cause, recovery) = classify_close(code, &self.mask.text(reason), &words);
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
            // The key itself was refused, or the fresh password was.
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
                self.counters.reconnects += 1;
                self.actions.clear();
                let delay = Backoff::CHANNEL.delay(self.attempt, &mut self.jitter);
                let attempt = self.attempt;
                self.log(|| LogEvent::Reconnecting { cause: cause.message.clone(), attempt, delay });
                self.cause = cause;
                self.phase = Phase::Backoff { at: now.saturating_add(delay), delay };
            }
        }
    }

    /// Ends for good, from this side.
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

    /// The socket is gone. What was not acknowledged may not have arrived, and must not reach the next one.
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

    /// A ping was answered.
    pub(super) fn pong_received(&mut self, now: Millis) {
        self.counters.acknowledged += self.input.pong_received(now) as u64;
        self.counters.pending = self.input.pending() as u64;
    }

    /// Input was refused.
    pub(super) fn refuse(&mut self) {
        self.counters.refused += 1;
        let count = self.counters.refused;
        if self.refused.reached(count) {
            self.log(|| LogEvent::InputRefused { count });
        }
    }

    /// The protocol took something in, and may have dropped something for it.
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
        self.actions.push_back(Action::Send(message));
    }

    /// Queues a message in the place of one that it makes superfluous, if that one still waits.
    pub(super) fn send_latest(&mut self, message: String, is_older: impl Fn(&str) -> bool) {
        self.actions.retain(|output| !matches!(output, Action::Send(queued) if is_older(queued)));
        self.send(message);
    }

    /// Queues the input that may be sent by now.
    pub(super) fn send_input(&mut self) {
        while let Some(message) = self.input.next_message() {
            self.send(message);
        }
    }

    pub(super) fn ping(&mut self, now: Millis) {
        self.send_ping(Some(now));
        self.stamp_pings(now);
    }

    /// Without the time: [`stamp`](Self::stamp) brings it.
    fn send_ping(&mut self, now: Option<Millis>) {
        self.input.pinged(now);
        self.ping_unstamped = true;
        self.send(r#"{"type":"ping"}"#.to_owned());
    }

    /// It is now that the last ping goes out.
    fn stamp_pings(&mut self, now: Millis) {
        if std::mem::take(&mut self.ping_unstamped) {
            self.next_ping = now.saturating_add(PING_EVERY);
            self.unanswered_since.get_or_insert(now);
            self.input.stamp_pings(now);
        }
    }

    /// Whether the socket is to be closed or was given up.
    pub(super) fn leaves_socket(&self) -> bool {
        !self.has_socket() && !self.actions.is_empty()
    }

    pub(super) fn poll_action(&mut self) -> Option<Action> {
        if self.actions.is_empty() && self.is_open() {
            if self.input.wants_ping() {
                self.send_ping(None);
            } else if let Some(message) = self.input.next_message() {
                self.send(message);
            }
        }
        let output = self.actions.pop_front()?;
        if matches!(output, Action::Send(_)) {
            self.counters.sent_messages += 1;
        }
        Some(output)
    }

    /// The next moment at which something is due. `reading` is false while the consumer holds the reader back: the
    /// silence is then our own.
    pub(super) fn poll_timeout(&self, reading: bool) -> Option<Millis> {
        match &self.phase {
            Phase::Authorizing { .. } | Phase::Closed(_) => None,
            Phase::Connecting { since, .. } => Some(since + CONNECT_TIMEOUT),
            Phase::AwaitingAcceptance { since, .. } => Some(since + ACCEPTED_AFTER),
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

    /// Time passed. Says whether to dial, and what the channel has to know.
    pub(super) fn timeout(&mut self, now: Millis, reading: bool) -> (bool, Acceptance) {
        match self.phase {
            Phase::Connecting { since, .. } if now >= since + CONNECT_TIMEOUT => {
                self.abandon_socket(now, &format!("no socket within {CONNECT_TIMEOUT} ms"));
            }
            Phase::AwaitingAcceptance { since, .. } if now >= since + ACCEPTED_AFTER => {
                return (false, self.accept(now));
            }
            Phase::Open { .. } => {
                self.stamp_pings(now);
                if !reading {
                    self.unanswered_since = None;
                }
                let unanswered = self.unanswered_since.map_or(0, |asked| now.saturating_sub(asked));
                if unanswered >= DEAD_AFTER {
                    self.abandon_socket(now, &format!("no answer for {unanswered} ms"));
                } else {
                    self.unstable = unanswered >= UNSTABLE_AFTER;
                    if now >= self.next_ping || self.input.is_ping_due(now) {
                        self.ping(now);
                    }
                }
            }
            Phase::Backoff { at, .. } if now >= at => return (true, Acceptance::Unchanged),
            _ => {}
        }
        (false, Acceptance::Unchanged)
    }

    fn abandon_socket(&mut self, now: Millis, detail: &str) {
        self.broken(now, CloseCause::new(CloseReason::Unreachable, detail), Recovery::Reconnect);
        self.actions.push_front(Action::Close(1000));
    }
}
