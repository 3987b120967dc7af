//! The environment of one session: a network and a server on a virtual clock.

use std::collections::BTreeMap;

use orgo_core::Millis;
use orgo_core::channel::{Action, ConnectFailure, Protocol, Session, State, Target};
use orgo_core::client::address::ComputerAddress;
use orgo_core::client::credentials::Password;
use orgo_core::error::{Error, ServerError};

use crate::hostile;
use crate::random::Random;

/// The model of one channel.
pub(crate) trait Model: Sized {
    type Channel: Protocol;

    /// Called when the server has accepted a socket.
    fn connected(&mut self, connection: u64);
    /// Handles a message of the client at the server. Returns the responses.
    fn receive(&mut self, connection: u64, text: &str) -> Vec<Frame>;
    /// Returns messages that the server sends without a request.
    fn chatter(&mut self, connection: u64, random: &mut Random) -> Vec<Frame>;
    /// Performs a random action of the program.
    fn act(environment: &mut Environment<Self>, random: &mut Random);
    /// Called when the channel has opened on this connection.
    fn opened(&mut self, _connection: u64) {}
    /// Called when a frame has reached the client while it has a socket.
    fn delivered(&mut self, _frame: &Frame) {}
    /// Handles an item. Returns its size in the unit of the channel.
    fn item(&mut self, item: <Self::Channel as Protocol>::Item) -> u64;
    /// The largest number of unread items.
    const MOST_ITEMS: usize;
    /// Checks the invariants whenever the session is idle.
    fn check(environment: &Environment<Self>);
    /// Checks the invariants at the end.
    fn finish(_environment: &Environment<Self>) {}
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    Text(String),
    Binary(Vec<u8>),
    Close(u16),
}

#[derive(Debug)]
enum Occurrence {
    /// A connection attempt succeeds or fails.
    Connected(u64),
    /// A frame reaches the client on a connection.
    ToClient(u64, Frame),
    /// A message reaches the server on a connection.
    ToServer(u64, String),
    /// The client receives the response to its request for credentials.
    Authorized,
    /// The server sends a message without a request.
    Chatter,
    /// The program acts.
    Act,
    /// The network or the server changes.
    NetworkChange,
}

/// The longest silence before a connection counts as dead, in milliseconds: the ping interval and the time limit of the
/// pong.
const DEAD: Millis = 25_000;

pub(crate) struct Environment<M: Model> {
    pub(crate) session: Session<M::Channel>,
    pub(crate) model: M,
    pub(crate) now: Millis,
    occurrences: BTreeMap<(Millis, u64), Occurrence>,
    order: u64,
    /// The current connection of the client.
    pub(crate) connection: Option<u64>,
    next_connection: u64,
    connecting: Option<u64>,
    authorizing: bool,
    /// Whether messages to the client, or from it, are lost silently.
    drops_to_client: bool,
    drops_to_server: bool,
    /// The connections on which a message to the client, or to the server, was lost. As with TCP, no later
    /// message arrives.
    lossy_to_client: Option<u64>,
    lossy_to_server: Option<u64>,
    /// The program is suspended until this time: its timers and messages are late.
    suspended_until: Millis,
    refusing: bool,
    running: bool,
    password: u64,
    key_works: bool,
    /// The time of the last message to the client, or of the connection's start.
    last_activity: Millis,
    /// Whether the consumer reads.
    pub(crate) reads_items: bool,
    delay: Millis,
    /// Frames that arrived while the reader waited.
    unread: Vec<(u64, Frame)>,
    /// The password of the last connection attempt.
    presented: u64,
    /// The arrival times of the last frame to the client, and of the last message to the server.
    arrival: Millis,
    departure: Millis,
    /// The start time of the current connection, and whether it has lost a message.
    opened: Millis,
    lossy: bool,
    /// The number of consecutive deadlines that were due at once.
    repeated_deadlines: u32,
    /// The total size of the items that the consumer has read, in the unit of the channel.
    taken: u64,
}

impl<M: Model> Environment<M> {
    pub(crate) fn run(model: M, begin: impl FnOnce(Target, u64) -> Session<M::Channel>, random: &mut Random) {
        let target = Target {
            address: ComputerAddress { computer_id: "c".to_owned(), ..ComputerAddress::default() },
            password: random.once_in(2).then(|| Password::new("0")),
            ..Target::default()
        };
        let mut environment = Self {
            session: begin(target, random.below(u64::MAX)),
            model,
            now: 0,
            occurrences: BTreeMap::new(),
            order: 0,
            connection: None,
            next_connection: 0,
            connecting: None,
            authorizing: false,
            drops_to_client: false,
            drops_to_server: false,
            lossy_to_client: None,
            lossy_to_server: None,
            suspended_until: 0,
            taken: 0,
            refusing: false,
            running: true,
            password: 0,
            key_works: true,
            last_activity: 0,
            reads_items: true,
            delay: 20,
            unread: Vec::new(),
            presented: 0,
            arrival: 0,
            departure: 0,
            opened: 0,
            lossy: false,
            repeated_deadlines: 0,
        };
        environment.plan(0, Occurrence::Chatter);
        environment.plan(0, Occurrence::Act);
        let first = random.between(0, 20_000);
        environment.plan(first, Occurrence::NetworkChange);
        let end = random.between(10_000, 400_000);
        environment.settle(random);
        while environment.now < end && environment.step(end, random) {}
        environment.finish();
    }

    fn plan(&mut self, after: Millis, occurrence: Occurrence) {
        self.order += 1;
        self.occurrences.insert((self.now + after, self.order), occurrence);
    }

    /// Simulates the next occurrence. Returns `false` if there is none.
    fn step(&mut self, end: Millis, random: &mut Random) -> bool {
        let deadline = self.session.poll_timeout();
        let next = self.occurrences.first_key_value().map(|((at, _), _)| (*at).max(self.suspended_until));
        let closed = matches!(self.session.state(), State::Closed(_));
        if closed {
            assert_eq!(deadline, None, "a closed session has no deadline");
            return false;
        }
        assert!(
            deadline.is_some() || self.authorizing,
            "no deadlock: {:?} waits for nothing",
            self.session.state()
        );
        // A timer can be late, and sometimes fires too early.
        let timer = deadline.map(|deadline| {
            let late = if random.once_in(4) { random.below(200) } else { 0 };
            let early = if random.once_in(20) { random.below(500) } else { 0 };
            (deadline + late).saturating_sub(early).max(self.now).max(self.suspended_until)
        });
        match (timer, next) {
            (Some(timer), next) if next.is_none_or(|next| timer <= next) => {
                self.now = timer;
                self.session.handle_timeout(self.now);
                // A wait can be zero, but time has to advance.
                let due = self.session.poll_timeout().is_some_and(|deadline| deadline <= self.now);
                self.repeated_deadlines = if due && deadline.is_some_and(|deadline| deadline <= self.now) {
                    self.repeated_deadlines + 1
                } else {
                    0
                };
                assert!(self.repeated_deadlines < 3, "a deadline that was handled is over");
            }
            (_, Some(next)) if next <= end => {
                self.now = next;
                if let Some((_, occurrence)) = self.occurrences.pop_first() {
                    self.happen(occurrence, random);
                }
            }
            _ => return false,
        }
        self.settle(random);
        true
    }

    fn happen(&mut self, occurrence: Occurrence, random: &mut Random) {
        match occurrence {
            Occurrence::Connected(connection) => self.dialled(connection, random),
            Occurrence::ToClient(connection, frame) if self.connection == Some(connection) => {
                if self.session.wants_read() && self.unread.is_empty() {
                    self.deliver(frame);
                } else {
                    self.unread.push((connection, frame));
                }
            }
            Occurrence::ToServer(connection, _) if self.drops_to_server => {
                self.lossy_to_server = Some(connection);
            }
            // Messages in flight arrive even after the client has left.
            Occurrence::ToServer(connection, text) if self.lossy_to_server != Some(connection) => {
                for frame in self.model.receive(connection, &text) {
                    self.send_back(connection, frame, random);
                }
            }
            Occurrence::ToClient(..) | Occurrence::ToServer(..) => {}
            Occurrence::Authorized => self.authorized(random),
            Occurrence::Chatter => {
                if let Some(connection) =
                    self.connection.filter(|it| !self.drops_to_client && self.lossy_to_client != Some(*it))
                {
                    for frame in self.model.chatter(connection, random) {
                        self.send_back(connection, frame, random);
                    }
                    if random.once_in(40) {
                        for frame in hostile::frames(random) {
                            self.send_back(connection, frame, random);
                        }
                    }
                }
                let pause = random.between(1, 4_000);
                self.plan(pause, Occurrence::Chatter);
            }
            Occurrence::Act => {
                if random.once_in(10) {
                    self.reads_items = !self.reads_items;
                }
                if matches!(self.session.state(), State::Reconnecting { at, .. } if at > self.now) {
                    hostile::report_late(&mut self.session, self.now, random);
                }
                M::act(self, random);
                let pause = random.between(1, 6_000);
                self.plan(pause, Occurrence::Act);
            }
            Occurrence::NetworkChange => {
                self.network_change(random);
                let pause = random.between(1, 60_000);
                self.plan(pause, Occurrence::NetworkChange);
            }
        }
    }

    fn network_change(&mut self, random: &mut Random) {
        self.delay = random.between(0, 2_000);
        match random.below(14) {
            0 | 1 => {
                // Messages are lost in both directions, or in one of them.
                self.drops_to_client = !random.once_in(4);
                self.drops_to_server = !self.drops_to_client || random.once_in(2);
                self.lossy = true;
            }
            2 => self.refusing = true,
            3 => self.running = !self.running,
            4 => self.password += 1,
            5 | 6 => {
                let code = random.pick(&[1001, 1005, 1006, 1011, 1012, 4003, 4404, 4401, 4502, 4503]);
                self.lose(code);
            }
            7 if random.once_in(8) => self.lose(random.pick(&[1000, 1008, 4004, 4008, 4011, 4500])),
            8 if random.once_in(8) => self.key_works = !self.key_works,
            10 => {
                // The connection stalls without loss.
                let until = self.now + random.below(30_000);
                self.arrival = self.arrival.max(until);
                self.departure = self.departure.max(until);
                self.lossy = true;
            }
            9 if random.once_in(4) => self.suspended_until = self.now + random.below(120_000),
            _ => {
                self.drops_to_client = false;
                self.drops_to_server = false;
                self.refusing = false;
                self.running = true;
            }
        }
    }

    fn lose(&mut self, code: u16) {
        if self.connection.take().is_some() {
            self.unread.clear();
            self.session.handle_close(self.now, code, "");
        }
    }

    fn send_back(&mut self, connection: u64, frame: Frame, random: &mut Random) {
        if self.drops_to_client {
            self.lossy_to_client = Some(connection);
        }
        if self.lossy_to_client != Some(connection) {
            // A connection keeps the order of its messages.
            self.arrival = self.arrival.max(self.now + random.between(0, self.delay));
            self.plan(self.arrival - self.now, Occurrence::ToClient(connection, frame));
        }
    }

    /// Returns the time since the current connection opened or the last suspension ended, whichever is later.
    pub(crate) fn opened_for(&self) -> Millis {
        self.awake_since(self.opened)
    }

    /// Returns the time since `moment` or the end of the last suspension, whichever is later.
    pub(crate) fn awake_since(&self, moment: Millis) -> Millis {
        self.now.saturating_sub(moment.max(self.suspended_until))
    }

    /// Returns whether the current connection may have lost messages.
    pub(crate) fn lossy(&self) -> bool {
        self.lossy
    }

    fn deliver(&mut self, frame: Frame) {
        self.last_activity = self.now;
        self.model.delivered(&frame);
        match frame {
            Frame::Text(text) => self.session.handle_text(self.now, &text),
            Frame::Binary(bytes) => self.session.handle_binary(self.now, &bytes),
            Frame::Close(code) => self.lose(code),
        }
        self.notice_open();
    }

    fn notice_open(&mut self) {
        if let (State::Open | State::Unstable, Some(connection)) = (self.session.state(), self.connection) {
            self.model.opened(connection);
        }
    }

    fn dialled(&mut self, connection: u64, random: &mut Random) {
        if self.connecting != Some(connection) || self.drops_to_client || self.drops_to_server {
            return;
        }
        self.connecting = None;
        if self.refusing {
            let status = random.pick(&[None, None, Some(502), Some(404), Some(401), Some(429)]);
            self.session.handle_failure(self.now, &ConnectFailure { status, message: "refused".to_owned() });
            return;
        }
        self.connection = Some(connection);
        self.last_activity = self.now;
        self.opened = self.now;
        self.departure = self.now;
        self.lossy = false;
        self.session.handle_open(self.now);
        if !self.running {
            self.send_back(connection, Frame::Close(random.pick(&[4003, 4404])), random);
        } else if self.presented != self.password {
            self.send_back(connection, Frame::Close(random.pick(&[4401, 4001])), random);
        } else {
            self.model.connected(connection);
        }
    }

    fn authorized(&mut self, random: &mut Random) {
        if !std::mem::take(&mut self.authorizing) {
            return;
        }
        let refused = |status| {
            Err(Error::Server(Box::new(ServerError {
                operation: "environment".to_owned(),
                status,
                ..ServerError::default()
            })))
        };
        let found = if !self.key_works {
            refused(401)
        } else if self.refusing || random.once_in(20) {
            refused(503)
        } else {
            let address = ComputerAddress { computer_id: "c".to_owned(), ..ComputerAddress::default() };
            Ok((address, Password::new(self.password.to_string())))
        };
        self.session.handle_credentials(self.now, found);
    }

    /// Performs the actions of the session.
    fn perform(&mut self, random: &mut Random) {
        while let Some(output) = self.session.poll_action() {
            match output {
                Action::Authorize => {
                    self.connection = None;
                    self.connecting = None;
                    self.authorizing = true;
                    let after = random.between(0, 3_000);
                    self.plan(after, Occurrence::Authorized);
                }
                Action::Connect(url) => {
                    self.connection = None;
                    self.unread.clear();
                    self.arrival = self.now;
                    let url = url.expose();
                    let token =
                        url.split_once("token=").map(|(_, rest)| rest.split('&').next().unwrap_or_default());
                    self.presented =
                        token.and_then(|token| token.parse().ok()).expect("every URL has a token");
                    self.next_connection += 1;
                    self.connecting = Some(self.next_connection);
                    let after = random.between(0, self.delay);
                    self.plan(after, Occurrence::Connected(self.next_connection));
                }
                Action::Send(text) => {
                    let connection = self.connection.expect("nothing is sent without a socket");
                    self.departure = self.departure.max(self.now + random.between(0, self.delay));
                    self.plan(self.departure - self.now, Occurrence::ToServer(connection, text));
                }
                Action::SendBinary(bytes) => panic!("these channels send only text: {bytes:?}"),
                Action::Close(_) => {
                    self.connection = None;
                    self.connecting = None;
                    self.unread.clear();
                }
            }
        }
    }

    /// Performs the actions of the session, reads items, and checks the invariants.
    pub(crate) fn settle(&mut self, random: &mut Random) {
        self.notice_open();
        self.perform(random);
        if self.reads_items {
            self.take_all();
        }
        // The session reads on if its consumer has read, and also if its consumer has stopped.
        while self.session.wants_read() && !self.unread.is_empty() {
            let (connection, frame) = self.unread.remove(0);
            if self.connection == Some(connection) {
                self.deliver(frame);
                self.perform(random);
                if self.reads_items {
                    self.take_all();
                }
            }
        }
        if !self.session.wants_read() {
            self.last_activity = self.now;
        }
        let counters = self.session.counters();
        assert_eq!(
            counters.received,
            counters.taken + counters.buffered + counters.dropped,
            "what was received is accounted for: {counters:?}"
        );
        if matches!(self.session.state(), State::Open | State::Unstable) {
            // The timers of the ping and of the pong are at most 200 ms late each, unless the program is suspended.
            assert!(
                self.awake_since(self.last_activity) <= DEAD + 2 * 200,
                "a dead link is noticed: silent for {}",
                self.now - self.last_activity
            );
        }
        M::check(self);
    }

    /// Reads all items. Returns their number.
    fn take_all(&mut self) -> usize {
        let mut items = 0;
        while let Some(item) = self.session.poll_item() {
            self.taken += self.model.item(item);
            items += 1;
        }
        assert_eq!(self.session.counters().taken, self.taken, "items are counted");
        items
    }

    /// Reads the remaining items, and checks the final counters.
    fn finish(&mut self) {
        let items = self.take_all();
        assert!(items <= M::MOST_ITEMS, "the queue is limited: {items} items");
        let counters = self.session.counters();
        assert_eq!(counters.buffered, 0);
        assert_eq!(counters.received, counters.taken + counters.dropped);
        M::finish(self);
    }
}
