//! Keystrokes reach the shell that they were typed into at most once, and no other one.

use std::collections::BTreeMap;

use orgo_core::channel::{Session, State, Terminal, TerminalItem};
use serde_json::{Value, json};

use crate::random::Random;
use crate::world::{Frame, Model, World};

#[derive(Default)]
pub(crate) struct Shell {
    /// The shell of a connection has this size.
    sizes: BTreeMap<u64, (u64, u64)>,
    /// Each input that was accepted, by its number, with the connection at that moment.
    accepted: BTreeMap<u64, u64>,
    /// How often each input arrived.
    arrived: BTreeMap<u64, u64>,
    next_input: u64,
    wanted: Option<(u64, u64)>,
    /// A size that is on its way would explain a difference.
    changed_at: u64,
    /// Text that was sent on a connection.
    sent: BTreeMap<u64, String>,
    /// How much came out since the last reconnection, and the connections that printed just that; `None` for all.
    seen: usize,
    printed: Option<Vec<u64>>,
    exited: bool,
}

impl Model for Shell {
    type Channel = Terminal;

    fn connected(&mut self, connection: u64) {
        self.sizes.insert(connection, (80, 24));
    }

    fn receive(&mut self, connection: u64, text: &str) -> Vec<Frame> {
        let message: Value = serde_json::from_str(text).expect("the client sends JSON");
        match message["type"].as_str() {
            Some("ping") => return vec![Frame::Text(r#"{"type":"pong"}"#.to_owned())],
            Some("resize") => {
                let size = (message["cols"].as_u64().unwrap(), message["rows"].as_u64().unwrap());
                self.sizes.insert(connection, size);
            }
            Some("input") => {
                let number = message["data"].as_str().unwrap().parse().unwrap();
                *self.arrived.entry(number).or_default() += 1;
                assert_eq!(self.arrived[&number], 1, "an input arrives at most once");
                assert_eq!(
                    self.accepted.get(&number),
                    Some(&connection),
                    "an input reaches the shell it was meant for"
                );
                return vec![self.output(connection, &format!("{number};"))];
            }
            other => panic!("the client sends {other:?}"),
        }
        Vec::new()
    }

    fn chatter(&mut self, connection: u64, random: &mut Random) -> Vec<Frame> {
        if random.once_in(200) {
            return vec![Frame::Text(json!({ "type": "exit", "code": 3 }).to_string()), Frame::Close(1000)];
        }
        let size = if random.once_in(200) { 100_000 } else { random.between(1, 40) };
        let text: String = (0..size).map(|_| random.pick(&['a', 'ü', '→', '🦀', '\r', '\u{1b}'])).collect();
        if !random.once_in(4) {
            return vec![self.output(connection, &text)];
        }
        // Cut in the middle of a character, in binary frames.
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

    fn act(world: &mut World<Self>, random: &mut Random) {
        if random.once_in(3) {
            let (cols, rows) = (random.between(1, 300), random.between(1, 100));
            world.model.wanted = Some((cols, rows));
            world.model.changed_at = world.now;
            #[allow(clippy::cast_precision_loss, reason = "small numbers")]
            world.session.resize(cols as f64, rows as f64).expect("the size is a size");
        } else if random.once_in(500) {
            world.session.close();
        } else {
            let number = world.model.next_input;
            world.model.next_input += 1;
            let open = matches!(world.session.state(), State::Open | State::Unstable);
            let accepted = world.session.input(&number.to_string());
            assert_eq!(accepted, open, "input is accepted when the channel is open, and only then");
            if accepted {
                world.model.accepted.insert(number, world.connection.expect("an open channel has a socket"));
            }
        }
    }

    /// What a terminal holds at most, in the smallest items.
    const MOST_ITEMS: usize = (8 << 20) / 32;

    fn item(&mut self, item: TerminalItem) -> u64 {
        assert!(!self.exited, "nothing follows the exit");
        match item {
            TerminalItem::Output { data } => {
                let mut printed = self.printed.take().unwrap_or_else(|| self.sent.keys().copied().collect());
                printed.retain(|connection| {
                    self.sent[connection].as_bytes()[self.seen.min(self.sent[connection].len())..]
                        .starts_with(data.as_bytes())
                });
                assert!(!printed.is_empty(), "what comes out is what one shell printed, in order");
                self.seen += data.len();
                self.printed = Some(printed);
                return data.len() as u64;
            }
            TerminalItem::Reconnected => {
                self.seen = 0;
                self.printed = None;
            }
            TerminalItem::Exit { code } => {
                assert_eq!(code, 3);
                self.exited = true;
            }
            TerminalItem::Error { .. } => {}
        }
        0
    }

    fn check(world: &World<Self>) {
        assert!(world.session.counters().buffered <= (8 << 20) + (2 << 20), "the queue is bounded");
        let settled = world.opened_for() > 10_000 && world.awake_since(world.model.changed_at) > 10_000;
        if let (State::Open, Some(connection), Some(wanted)) =
            (world.session.state(), world.connection, world.model.wanted)
            && settled
            && !world.lossy()
        {
            assert_eq!(
                world.model.sizes.get(&connection),
                Some(&wanted),
                "the shell has the size that is wanted"
            );
        }
    }
}

impl Shell {
    fn output(&mut self, connection: u64, text: &str) -> Frame {
        self.sent.entry(connection).or_default().push_str(text);
        Frame::Text(json!({ "type": "output", "data": text }).to_string())
    }
}

pub(crate) fn schedule(random: &mut Random) {
    World::run(
        Shell::default(),
        |target, seed| Session::terminal(target, None, None, seed, 0).expect("the default size"),
        random,
    );
}
