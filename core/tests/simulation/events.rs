//! Model of an event channel: no subscription is lost, and every break leaves a gap. Whenever the connection is quiet,
//! both sides have the same subscriptions.

use std::collections::{BTreeMap, BTreeSet};

use orgo_core::channel::{EVENTS, EventItem, Events, Session, State};
use serde_json::{Value, json};

use crate::environment::{Environment, Frame, Model};
use crate::random::Random;

#[derive(Default)]
pub(crate) struct Desk {
    /// The subscriptions of the program.
    wanted: BTreeSet<String>,
    /// The subscriptions of a connection on the server.
    subscribed: BTreeMap<u64, BTreeSet<String>>,
    /// The time of the last change of the subscriptions. Shortly after a change, both sides may differ.
    changed_at: u64,
    next_event: u64,
    /// The last event, and whether a gap followed it.
    last: Option<(u64, u64)>,
    gap: bool,
    /// The number of events that arrived.
    arrived: u64,
}

impl Model for Desk {
    type Channel = Events;

    fn connected(&mut self, connection: u64) {
        self.subscribed.insert(connection, BTreeSet::new());
    }

    fn receive(&mut self, connection: u64, text: &str) -> Vec<Frame> {
        let message: Value = serde_json::from_str(text).expect("the client sends JSON");
        let names = || {
            message["event_types"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned())
        };
        let set = self.subscribed.entry(connection).or_default();
        let reply = match message["type"].as_str() {
            Some("ping") => json!({ "type": "pong" }),
            Some("subscribe") => {
                set.extend(names());
                json!({ "type": "subscribed", "message": "ok" })
            }
            Some("unsubscribe") => {
                names().for_each(|name| _ = set.remove(&name));
                json!({ "type": "unsubscribed", "message": "ok" })
            }
            other => panic!("the client sends {other:?}"),
        };
        vec![Frame::Text(reply.to_string())]
    }

    fn chatter(&mut self, connection: u64, random: &mut Random) -> Vec<Frame> {
        let burst = if random.once_in(1_000) { 1_500 } else { 1 };
        let Some(name) = self.subscribed.get(&connection).and_then(|set| set.first().cloned()) else {
            return Vec::new();
        };
        (0..burst)
            .map(|_| {
                self.next_event += 1;
                let data = json!({ "number": self.next_event, "connection": connection });
                let event = json!({ "type": name, "timestamp": "2026-05-04T09:12:33.123Z", "data": data });
                Frame::Text(json!({ "type": "event", "event": event }).to_string())
            })
            .collect()
    }

    fn act(environment: &mut Environment<Self>, random: &mut Random) {
        // The pauses between the changes are long enough to compare both sides.
        if !random.once_in(6) {
            return;
        }
        let names: Vec<String> = (0..random.between(1, 3)).map(|_| random.pick(EVENTS_BY_NAME)()).collect();
        if random.once_in(2) {
            environment.session.subscribe(&names).expect("the types are known");
            environment.model.wanted.extend(names);
        } else {
            environment.session.unsubscribe(&names).expect("the types are known");
            for name in names {
                environment.model.wanted.remove(&name);
            }
        }
        environment.model.changed_at = environment.now;
    }

    fn delivered(&mut self, frame: &Frame) {
        // Only the events of the model have numbers.
        self.arrived += u64::from(matches!(frame, Frame::Text(text) if text.contains(r#""number":"#)));
    }

    /// Events with a gap before each, and errors.
    const MOST_ITEMS: usize = 2 * 1_024 + 256;

    fn item(&mut self, item: EventItem) -> u64 {
        match item {
            EventItem::Gap { .. } => self.gap = true,
            EventItem::Event { event } => {
                let data = json!(event.data);
                let field = |name: &str| data[name].as_u64().expect("the model sent the event");
                let (number, connection) = (field("number"), field("connection"));
                if let Some((last, before)) = self.last {
                    assert!(number > last, "events keep their order");
                    assert!(connection == before || self.gap, "a broken connection leaves a gap");
                }
                self.last = Some((number, connection));
                self.gap = false;
                return 1;
            }
            EventItem::Error { .. } => {}
            _ => panic!("an item of an unknown kind"),
        }
        0
    }

    fn check(environment: &Environment<Self>) {
        assert_eq!(
            environment.session.counters().received,
            environment.model.arrived,
            "every event that arrived is counted"
        );
        assert!(environment.session.counters().buffered <= 1_024, "the queue is limited");
        let settled = environment.opened_for() > 10_000
            && environment.awake_since(environment.model.changed_at) > 10_000;
        if let (State::Open, Some(connection), true) =
            (environment.session.state(), environment.connection, settled)
        {
            let server = environment.model.subscribed.get(&connection);
            assert!(
                environment.lossy() || server == Some(&environment.model.wanted),
                "no subscription is lost: the server has {server:?}, the program expects {:?}",
                environment.model.wanted
            );
        }
    }
}

const EVENTS_BY_NAME: &[fn() -> String] = &[
    || EVENTS[0].name.to_owned(),
    || EVENTS[3].name.to_owned(),
    || EVENTS[10].name.to_owned(),
    || EVENTS[11].name.to_owned(),
];

pub(crate) fn schedule(random: &mut Random) {
    Environment::run(
        Desk::default(),
        |target, seed| Session::events(target, &[], seed, 0).expect("no types"),
        random,
    );
}
