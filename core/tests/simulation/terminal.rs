//! Model of a terminal: input reaches the shell to which it was written, in order and once, and reaches no other shell.
//! Input that may be lost is counted.

use std::collections::BTreeMap;

use orgo_core::channel::{InputRefusal, Session, State, Terminal, TerminalItem};
use serde_json::{Value, json};

use crate::environment::{Environment, Frame, Model};
use crate::random::Random;

#[derive(Default)]
pub(crate) struct Shell {
    /// The size of the shell of a connection.
    sizes: BTreeMap<u64, (u64, u64)>,
    /// The accepted input for the shell of a connection, and the part that arrived.
    accepted: BTreeMap<u64, String>,
    arrived: BTreeMap<u64, usize>,
    next_input: u64,
    /// The connections of the client's shells, in order.
    shells: Vec<u64>,
    /// The number of reported breaks.
    breaks: usize,
    /// The connection of the current shell, and whether its program does not read. If it does not, the server delays
    /// the pongs.
    serving: u64,
    busy: bool,
    owed: usize,
    wanted: Option<(u64, u64)>,
    /// The time of the last resize. Shortly after a resize, the sizes may differ.
    changed_at: u64,
    /// The text that was sent on a connection.
    sent: BTreeMap<u64, String>,
    /// The length of the output since the last reconnect, and the connections that may have printed it; `None` means
    /// all.
    seen: usize,
    printed: Option<Vec<u64>>,
    exited: bool,
}

impl Model for Shell {
    type Channel = Terminal;

    fn connected(&mut self, connection: u64) {
        self.sizes.insert(connection, (80, 24));
        // A new connection has a new process.
        (self.serving, self.busy, self.owed) = (connection, false, 0);
    }

    fn opened(&mut self, connection: u64) {
        if self.shells.last() != Some(&connection) {
            self.shells.push(connection);
        }
    }

    fn receive(&mut self, connection: u64, text: &str) -> Vec<Frame> {
        let message: Value = serde_json::from_str(text).expect("the client sends JSON");
        match message["type"].as_str() {
            Some("ping") if self.busy && self.serving == connection => self.owed += 1,
            Some("ping") => return vec![pong()],
            Some("resize") => {
                let size = (message["cols"].as_u64().unwrap(), message["rows"].as_u64().unwrap());
                self.sizes.insert(connection, size);
            }
            Some("input") => {
                let data = message["data"].as_str().unwrap();
                assert!(data.len() <= 16 << 10, "the size of messages is limited");
                let arrived = self.arrived.entry(connection).or_default();
                assert!(
                    self.accepted[&connection][*arrived..].starts_with(data),
                    "input arrives in order, once, and in the shell to which it was written"
                );
                *arrived += data.len();
                let start: String = data.chars().take(20).collect();
                return vec![self.output(connection, &start)];
            }
            other => panic!("the client sends {other:?}"),
        }
        Vec::new()
    }

    fn chatter(&mut self, connection: u64, random: &mut Random) -> Vec<Frame> {
        if random.once_in(20) {
            self.busy = true;
        } else if self.busy && random.once_in(4) {
            self.busy = false;
            return (0..std::mem::take(&mut self.owed)).map(|_| pong()).collect();
        } else if self.busy {
            return vec![self.output(connection, "")];
        }
        if random.once_in(200) {
            return vec![Frame::Text(json!({ "type": "exit", "code": 3 }).to_string()), Frame::Close(1000)];
        }
        let size = if random.once_in(200) { 100_000 } else { random.between(1, 40) };
        let text: String = (0..size).map(|_| random.pick(&['a', 'ü', '→', '🦀', '\r', '\u{1b}'])).collect();
        if !random.once_in(4) {
            return vec![self.output(connection, &text)];
        }
        // Split inside a character, in binary frames.
        self.sent.entry(connection).or_default().push_str(&text);
        let cut = usize::try_from(random.below(text.len() as u64)).unwrap();
        let frame = |bytes: &[u8]| {
            let mut frame = br#"{"type":"output","data":""#.to_vec();
            for byte in bytes {
                match byte {
                    b'\r' => frame.extend_from_slice(br"\r"),
                    0x1b => frame.extend_from_slice(br"\u001b"),
                    byte => frame.push(*byte),
                }
            }
            frame.extend_from_slice(br#""}"#);
            Frame::Binary(frame)
        };
        vec![frame(&text.as_bytes()[..cut]), frame(&text.as_bytes()[cut..])]
    }

    fn act(environment: &mut Environment<Self>, random: &mut Random) {
        if random.once_in(3) {
            let (cols, rows) = (random.between(1, 300), random.between(1, 100));
            environment.model.wanted = Some((cols, rows));
            environment.model.changed_at = environment.now;
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            environment.session.resize(cols as f64, rows as f64).expect("the size is valid");
        } else if random.once_in(500) {
            environment.session.close();
        } else {
            let number = environment.model.next_input;
            environment.model.next_input += 1;
            let full = environment.session.counters().pending >= 1 << 20;
            let expected = match environment.session.state() {
                State::Open if full => Some(InputRefusal::Full),
                State::Open => None,
                State::Unstable => Some(InputRefusal::Unstable),
                _ => Some(InputRefusal::Disconnected),
            };
            let size = if random.once_in(40) { random.below(1 << 19) } else { random.below(40) };
            let text = format!("{number}{};", "→".repeat(usize::try_from(size / 3).unwrap()));
            assert_eq!(
                environment.session.input(&text),
                Ok(expected),
                "input is accepted when the channel is open"
            );
            if expected.is_none() {
                let connection = environment.connection.expect("an open channel has a socket");
                environment.model.accepted.entry(connection).or_default().push_str(&text);
            }
        }
    }

    /// The largest number of items, if all are as small as possible.
    const MOST_ITEMS: usize = (64 << 20) / 32;

    fn item(&mut self, item: TerminalItem) -> u64 {
        assert!(!self.exited, "nothing follows the exit");
        match item {
            TerminalItem::Output { data } => {
                let mut printed = self.printed.take().unwrap_or_else(|| self.sent.keys().copied().collect());
                printed.retain(|connection| {
                    self.sent[connection].as_bytes()[self.seen.min(self.sent[connection].len())..]
                        .starts_with(data.as_bytes())
                });
                assert!(!printed.is_empty(), "the output is that of one shell, in order");
                self.seen += data.len();
                self.printed = Some(printed);
                return data.len() as u64;
            }
            TerminalItem::Reconnected { unacknowledged } => {
                self.check_reported(self.breaks, unacknowledged);
                self.breaks += 1;
                self.seen = 0;
                self.printed = None;
            }
            TerminalItem::Exit { code } => {
                assert_eq!(code, 3);
                self.exited = true;
            }
            TerminalItem::Error { .. } => {}
            _ => panic!("an item of an unknown kind"),
        }
        0
    }

    fn finish(environment: &Environment<Self>) {
        let State::Closed(cause) = environment.session.state() else { return };
        // The end includes the breaks after the last opening.
        if environment.model.shells.len() > environment.model.breaks {
            environment.model.check_reported(environment.model.breaks, cause.unacknowledged);
        }
    }

    fn check(environment: &Environment<Self>) {
        let counters = environment.session.counters();
        assert!(counters.buffered <= (64 << 20) + (2 << 20), "the queue is limited");
        assert_eq!(counters.written, counters.acknowledged + counters.pending + counters.unacknowledged);
        let arrived: usize = environment.model.arrived.values().sum();
        assert!(counters.acknowledged <= arrived as u64, "acknowledged input has arrived");
        assert!(counters.pending <= 2 << 20, "pending input is limited");
        let settled = environment.opened_for() > 10_000
            && environment.awake_since(environment.model.changed_at) > 10_000;
        if let (State::Open, Some(connection), Some(wanted)) =
            (environment.session.state(), environment.connection, environment.model.wanted)
            && settled
            && !environment.lossy()
        {
            assert_eq!(
                environment.model.sizes.get(&connection),
                Some(&wanted),
                "the shell has the requested size"
            );
        }
    }
}

impl Shell {
    /// Checks a report of unacknowledged input: all input before it has arrived.
    fn check_reported(&self, shell: usize, unacknowledged: u64) {
        let connection = self.shells[shell];
        let accepted = self.accepted.get(&connection).map_or(0, String::len) as u64;
        let arrived = self.arrived.get(&connection).copied().unwrap_or_default() as u64;
        assert!(unacknowledged <= accepted, "at most the accepted input is reported as lost");
        assert!(accepted - unacknowledged <= arrived, "all lost input is reported");
    }

    fn output(&mut self, connection: u64, text: &str) -> Frame {
        self.sent.entry(connection).or_default().push_str(text);
        Frame::Text(json!({ "type": "output", "data": text }).to_string())
    }
}

fn pong() -> Frame {
    Frame::Text(r#"{"type":"pong"}"#.to_owned())
}

pub(crate) fn schedule(random: &mut Random) {
    Environment::run(
        Shell::default(),
        |target, seed| Session::terminal(target, None, None, seed, 0).expect("the default size"),
        random,
    );
}
