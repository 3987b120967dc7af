//! Tests a session under any schedule of frames, closes, failures and times, including wrong reports of a platform.

use orgo_core::Millis;
use orgo_core::channel::{Action, ConnectFailure, Counters, Protocol, Session, State, Target};
use orgo_core::client::address::ComputerAddress;
use orgo_core::client::credentials::Password;
use orgo_core::diagnostics::log::LogLevel;
use orgo_core::error::{Error, ServerError};

use super::input::Input;
use super::responses::check_line;

const PASSWORD: &str = "hunter2fuzz";

/// The maximum number of unsent bytes, plus the bytes of the first messages on a socket.
const LARGEST_OUTPUT: usize = (1 << 20) + (1 << 10);

/// The largest total size of a repeated frame.
const LARGEST_FLOOD: usize = 1 << 20;

/// The parts of a fuzz target that depend on the kind of channel.
pub(super) trait Subject: Default {
    type Channel: Protocol;

    fn begin(target: Target, input: &mut Input<'_>) -> Option<Session<Self::Channel>>;
    /// Calls a method, as the program does.
    fn command(session: &mut Session<Self::Channel>, input: &mut Input<'_>);
    /// Returns a documented frame of the channel, with data of the input.
    fn frame(input: &mut Input<'_>) -> Frame;
    /// Handles an item. Returns its size in the unit of the channel, and in bytes of memory.
    fn item(&mut self, item: <Self::Channel as Protocol>::Item) -> (u64, usize);
    /// The largest number of unread bytes, and of unread items.
    const LARGEST_QUEUE: (usize, usize);
}

#[derive(Clone)]
pub(super) enum Frame {
    Text(String),
    Binary(Vec<u8>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Socket {
    None,
    Connected,
    Open,
}

struct World<S: Subject> {
    session: Session<S::Channel>,
    subject: S,
    now: Millis,
    socket: Socket,
    asked: bool,
    taken: u64,
    before: Counters,
    /// Whether the session has ended.
    over: bool,
}

pub(super) fn run<S: Subject>(input: &mut Input<'_>) {
    let target = Target {
        address: ComputerAddress { computer_id: "c".to_owned(), ..ComputerAddress::default() },
        password: input.flag().then(|| Password::new(PASSWORD)),
        max_reconnects: input.flag().then(|| u32::from(input.byte() % 4)),
        log_level: Some(LogLevel::Debug),
        ..Target::default()
    };
    let Some(session) = S::begin(target, input) else { return };
    let mut world = World {
        before: session.counters(),
        session,
        subject: S::default(),
        now: 0,
        socket: Socket::None,
        asked: false,
        taken: 0,
        over: false,
    };
    world.settle();
    let mut last = Frame::Text(String::new());
    while !input.is_empty() {
        world.step(input, &mut last);
        world.settle();
    }
    world.finish();
}

impl<S: Subject> World<S> {
    fn step(&mut self, input: &mut Input<'_>, last: &mut Frame) {
        match input.byte() % 16 {
            0 => {
                *last = Frame::Text(input.text());
                self.deliver(last);
            }
            1 => {
                *last = Frame::Binary(input.bytes().to_vec());
                self.deliver(last);
            }
            2 | 3 => {
                *last = S::frame(input);
                self.deliver(last);
            }
            4 => {
                let size = match last {
                    Frame::Text(text) => text.len(),
                    Frame::Binary(bytes) => bytes.len(),
                };
                // Many small frames or a few large frames are rare, so that an input does not take long.
                let most = (LARGEST_FLOOD / (size + 1)).clamp(1, 1 << 12);
                let count = match input.byte() {
                    byte @ 0..0xf0 => 1 << (byte % 5),
                    byte => 1 << (byte % 13),
                };
                for _ in 0..most.min(count) {
                    self.deliver(last);
                }
            }
            5 => {
                self.socket = Socket::None;
                let code = input.pick(&[1000, 1001, 1006, 1008, 1011, 4003, 4401, 4404, 4500, 0]);
                let code = if code == 0 { input.number() } else { code };
                self.session.handle_close(self.now, code, &input.text());
            }
            6 => {
                // Platforms report a connect failure only before the socket is open.
                if self.socket == Socket::Connected {
                    self.socket = Socket::None;
                }
                let status = input.flag().then(|| input.number());
                self.session.handle_failure(self.now, &ConnectFailure { status, message: input.text() });
            }
            7 => self.open(),
            8 => self.provide_credentials(input),
            // The normal order of events.
            9 => match self.socket {
                Socket::Connected => self.open(),
                Socket::None if self.asked => self.session.handle_credentials(self.now, found()),
                Socket::None | Socket::Open => self.time_out(),
            },
            10 => {
                self.now += u64::from(input.number());
                self.session.handle_timeout(self.now);
            }
            11 => self.session.handle_timeout(self.now),
            12 => {
                for _ in 0..=input.byte() {
                    self.take();
                }
            }
            13 => {
                for _ in 0..=input.byte() % 8 {
                    S::command(&mut self.session, input);
                }
            }
            14 => self.time_out(),
            _ if input.byte() == 0xff => self.session.close(),
            _ => while self.take().is_some() {},
        }
    }

    fn deliver(&mut self, frame: &Frame) {
        match frame {
            Frame::Text(text) => self.session.handle_text(self.now, text),
            Frame::Binary(bytes) => self.session.handle_binary(self.now, bytes),
        }
        self.account();
    }

    fn open(&mut self) {
        if self.socket == Socket::Connected {
            self.socket = Socket::Open;
        }
        self.session.handle_open(self.now);
    }

    fn provide_credentials(&mut self, input: &mut Input<'_>) {
        let found = match input.number() {
            0 => found(),
            status => Err(Error::Server(Box::new(ServerError { status, ..ServerError::default() }))),
        };
        self.session.handle_credentials(self.now, found);
    }

    /// Advances to the next deadline, and handles the timeout.
    fn time_out(&mut self) {
        for _ in 0..3 {
            let Some(deadline) = self.session.poll_timeout() else { return };
            if deadline > self.now {
                self.now = deadline;
                self.session.handle_timeout(self.now);
                return;
            }
            self.session.handle_timeout(self.now);
        }
        let deadline = self.session.poll_timeout();
        assert!(deadline.is_none_or(|deadline| deadline > self.now), "a deadline that was handled is over");
    }

    fn take(&mut self) -> Option<usize> {
        let (count, bytes) = self.subject.item(self.session.poll_item()?);
        self.taken += count;
        Some(bytes)
    }

    /// Performs the actions of the session, and checks the invariants.
    fn settle(&mut self) {
        let mut waiting = 0;
        while let Some(output) = self.session.poll_action() {
            assert!(!self.over, "no action after the end: {output:?}");
            match output {
                Action::Authorize => {
                    self.socket = Socket::None;
                    self.asked = true;
                }
                Action::Connect(url) => {
                    assert!(!url.to_string().contains(PASSWORD) && !format!("{url:?}").contains(PASSWORD));
                    assert!(url.expose().contains("token="), "every URL has a token");
                    self.socket = Socket::Connected;
                    self.asked = false;
                }
                Action::Send(text) => {
                    assert!(self.socket == Socket::Open, "nothing is sent without a socket: {text}");
                    let message: serde_json::Value = serde_json::from_str(&text).expect("JSON is sent");
                    assert!(message["type"].is_string(), "a message has a type: {text}");
                    waiting += text.len();
                }
                Action::SendBinary(bytes) => {
                    assert!(self.socket == Socket::Open, "nothing is sent without a socket: {bytes:?}");
                    waiting += bytes.len();
                }
                Action::Close(_) => self.socket = Socket::None,
            }
        }
        assert!(waiting <= LARGEST_OUTPUT, "the number of unsent bytes is limited: {waiting}");
        while let Some(note) = self.session.poll_log() {
            assert!(!format!("{note:?}").contains(PASSWORD), "no log entry contains the password");
        }
        let state = self.session.state();
        self.over |= matches!(state, State::Closed(_));
        let deadline = self.session.poll_timeout();
        if self.over {
            assert!(matches!(state, State::Closed(_)), "the end is final");
            assert_eq!(deadline, None, "a closed session has no deadline");
        } else {
            assert!(deadline.is_some() || self.asked, "no deadlock: {state:?} has no deadline");
        }
        if matches!(state, State::Open | State::Unstable) {
            assert!(self.socket == Socket::Open, "an open channel has a socket");
        }
        self.account();
    }

    /// Checks that the counters are exact, and never decrease.
    fn account(&mut self) {
        let now = self.session.counters();
        let sum = now.taken + now.buffered + now.dropped;
        assert_eq!(now.received, sum, "all received units are accounted for: {now:?}");
        assert_eq!(now.taken, self.taken, "all read units are counted");
        let sum = now.acknowledged + now.pending + now.unacknowledged;
        assert_eq!(now.written, sum, "all accepted input is accounted for: {now:?}");
        let totals = |counters: &Counters| {
            [
                counters.received,
                counters.taken,
                counters.dropped,
                counters.received_messages,
                counters.received_bytes,
                counters.sent_messages,
                counters.malformed,
                counters.written,
                counters.acknowledged,
                counters.unacknowledged,
                counters.refused,
                counters.reconnects,
            ]
        };
        let grows = totals(&self.before).into_iter().zip(totals(&now)).all(|(before, now)| before <= now);
        assert!(grows, "totals only grow: {:?}, then {now:?}", self.before);
        assert!(now.malformed <= now.received_messages);
        if let State::Reconnecting { cause, .. } | State::Closed(cause) = self.session.state() {
            check_line(&cause.message);
        }
        self.before = now;
    }

    /// Checks the limits of the unread items, and the final counters.
    fn finish(&mut self) {
        let (mut bytes, mut items) = (0, 0);
        while let Some(size) = self.take() {
            bytes += size;
            items += 1;
        }
        let (most_bytes, most_items) = S::LARGEST_QUEUE;
        assert!(
            bytes <= most_bytes && items <= most_items,
            "the queue is limited: {bytes} bytes, {items} items"
        );
        self.account();
        assert_eq!(self.session.counters().buffered, 0);
    }
}

/// Returns a session with an open socket and no pending action.
pub(super) fn opened<P: Protocol>(begin: impl FnOnce(Target) -> Result<Session<P>, Error>) -> Session<P> {
    let target = Target {
        address: ComputerAddress { computer_id: "c".to_owned(), ..ComputerAddress::default() },
        password: Some(Password::new(PASSWORD)),
        ..Target::default()
    };
    let mut session = begin(target).expect("the options are valid");
    session.handle_open(0);
    while session.poll_action().is_some() {}
    session
}

fn found() -> Result<(ComputerAddress, Password), Error> {
    let address = ComputerAddress { computer_id: "c".to_owned(), ..ComputerAddress::default() };
    Ok((address, Password::new(PASSWORD)))
}
