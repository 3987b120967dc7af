//! Tests an event channel under any schedule.

use orgo_core::channel::{EVENTS, EventItem, Events, Session, Target};

use super::input::Input;
use super::session::{self, Frame, Subject};

pub(crate) fn run(data: &[u8]) {
    session::run::<Desk>(&mut Input::new(data));
}

#[derive(Default)]
struct Desk;

impl Subject for Desk {
    type Channel = Events;

    /// At most 8 MiB of events plus the newest of any size, 1 MiB of errors, and a gap before each event.
    const LARGEST_QUEUE: (usize, usize) = ((9 << 20) + (1 << 18), 2_048 + 256);

    fn begin(target: Target, input: &mut Input<'_>) -> Option<Session<Events>> {
        let types: Vec<String> = (0..input.byte() % 4).map(|_| name(input)).collect();
        Session::events(target, &types, 1, 0).ok()
    }

    fn command(session: &mut Session<Events>, input: &mut Input<'_>) {
        let types: Vec<String> = (0..input.byte() % 4).map(|_| name(input)).collect();
        let _ = if input.flag() { session.subscribe(&types) } else { session.unsubscribe(&types) };
    }

    fn frame(input: &mut Input<'_>) -> Frame {
        let frame = match input.byte() % 8 {
            0 => serde_json::json!({ "type": "error", "message": input.text() }),
            1 => serde_json::json!({ "type": "pong" }),
            2 => serde_json::json!({ "type": "subscribed", "message": input.text() }),
            _ => {
                let data = serde_json::json!({ "text": input.text().repeat(usize::from(input.byte() % 16)) });
                let event =
                    serde_json::json!({ "type": name(input), "timestamp": input.text(), "data": data });
                serde_json::json!({ "type": "event", "event": event })
            }
        };
        Frame::Text(frame.to_string())
    }

    fn item(&mut self, item: EventItem) -> (u64, usize) {
        let json = item.to_json().to_string();
        serde_json::from_str::<serde_json::Value>(&json).map_or_else(
            // Only the JSON reader of the core accepts such a number.
            |error| assert!(error.to_string().contains("out of range"), "{error}: {json}"),
            drop,
        );
        match item {
            EventItem::Event { .. } => (1, json.len()),
            EventItem::Gap { missed } => {
                assert_ne!(missed, Some(0), "a gap contains at least one event");
                (0, 0)
            }
            EventItem::Error { message } => (0, message.len()),
            _ => panic!("an item of an unknown kind"),
        }
    }
}

fn name(input: &mut Input<'_>) -> String {
    match usize::from(input.byte()) {
        index if index < EVENTS.len() => EVENTS[index].name.to_owned(),
        255 => input.text(),
        index => EVENTS[index % EVENTS.len()].name.to_owned(),
    }
}
