//! Runs the transcripts of `tests/vectors/channels` through the sessions, and tests that are too large for a
//! transcript.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use orgo_core::Millis;
use orgo_core::channel::{
    Action, AnySession, AudioItem, AudioSession, CloseReason, ConnectFailure, EventItem, EventsSession,
    HostOutput, Incoming, InputRefusal, Protocol, Session, State, Target, TerminalItem, TerminalSession,
};
use orgo_core::client::address::ComputerAddress;
use orgo_core::client::credentials::Password;
use orgo_core::encoding::json::MAX_VALUES;
use orgo_core::encoding::plain::{HostText, Payload};
use orgo_core::error::{Error, ServerError};
use serde_json::{Value, json};

mod vectors;

/// The parts of a session that depend on the channel.
trait Scripted: Protocol + Sized {
    fn begin(target: Target, options: &Value) -> Session<Self>;
    fn command(session: &mut Session<Self>, step: &Value) -> Option<bool>;
    fn item(item: Self::Item) -> Value;
}

fn names(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
}

impl Scripted for orgo_core::channel::Terminal {
    fn begin(target: Target, options: &Value) -> Session<Self> {
        Session::terminal(target, options["cols"].as_f64(), options["rows"].as_f64(), 1, 0).unwrap()
    }

    fn command(session: &mut Session<Self>, step: &Value) -> Option<bool> {
        if let Some(size) = step.get("resize") {
            session.resize(size[0].as_f64().unwrap(), size[1].as_f64().unwrap()).unwrap();
        }
        step.get("input").map(|data| session.input(data.as_str().unwrap()).unwrap().is_none())
    }

    fn item(item: TerminalItem) -> Value {
        serde_json::to_value(item).unwrap()
    }
}

impl Scripted for orgo_core::channel::Audio {
    fn begin(target: Target, options: &Value) -> Session<Self> {
        Session::audio(target, options["sample_rate"].as_f64(), options["channels"].as_f64(), 1, 0).unwrap()
    }

    fn command(_: &mut Session<Self>, _: &Value) -> Option<bool> {
        None
    }

    fn item(item: AudioItem) -> Value {
        match item {
            AudioItem::Started(format) => {
                json!({ "type": "started", "sample_rate": format.sample_rate, "channels": format.channels })
            }
            AudioItem::Samples(samples) => json!({ "type": "samples", "samples": samples }),
            AudioItem::Error(message) => json!({ "type": "error", "message": message }),
            _ => panic!("an item of an unknown kind"),
        }
    }
}

impl Scripted for orgo_core::channel::Events {
    fn begin(target: Target, options: &Value) -> Session<Self> {
        Session::events(target, &names(&options["types"]), 1, 0).unwrap()
    }

    fn command(session: &mut Session<Self>, step: &Value) -> Option<bool> {
        if let Some(types) = step.get("subscribe") {
            session.subscribe(&names(types)).unwrap();
        }
        if let Some(types) = step.get("unsubscribe") {
            session.unsubscribe(&names(types)).unwrap();
        }
        None
    }

    fn item(item: EventItem) -> Value {
        serde_json::to_value(item).unwrap()
    }
}

fn render(action: Action) -> Value {
    match action {
        Action::Authorize => json!("authorize"),
        Action::Connect(url) => json!({ "connect": url.expose() }),
        Action::Send(text) => json!({ "send": serde_json::from_str::<Value>(&text).unwrap() }),
        Action::SendBinary(bytes) => panic!("these channels send only text: {bytes:?}"),
        Action::Close(code) => json!({ "close": code }),
    }
}

fn input<P: Scripted>(session: &mut Session<P>, now: Millis, step: &Value) -> Option<bool> {
    if step.get("open").is_some() {
        session.handle_open(now);
    }
    if let Some(text) = step.get("text") {
        session.handle_text(now, &text.as_str().map_or_else(|| text.to_string(), str::to_owned));
    }
    if let Some(binary) = step.get("binary") {
        session.handle_binary(now, &STANDARD.decode(binary.as_str().unwrap()).unwrap());
    }
    if let Some(close) = step.get("server_close") {
        session.handle_close(now, close[0].as_u64().unwrap().try_into().unwrap(), close[1].as_str().unwrap());
    }
    if let Some(failure) = step.get("failure") {
        let status = failure["status"].as_u64().map(|status| status.try_into().unwrap());
        let message = failure["message"].as_str().unwrap().to_owned();
        session.handle_failure(now, &ConnectFailure { status, message });
    }
    if let Some(found) = step.get("credentials") {
        let credentials = match found.get("error") {
            Some(error) => Err(Error::Server(Box::new(ServerError {
                operation: error["operation"].as_str().unwrap_or("computers.vncPassword").into(),
                status: error["status"].as_u64().unwrap().try_into().unwrap(),
                message: error["message"].as_str().unwrap().to_owned(),
                ..ServerError::default()
            }))),
            None => Ok((
                serde_json::from_value(found["address"].clone()).unwrap(),
                Password::new(found["password"].as_str().unwrap()),
            )),
        };
        session.handle_credentials(now, credentials);
    }
    if step.get("timeout").is_some() {
        session.handle_timeout(now);
    }
    if step.get("close").is_some() {
        session.close();
    }
    P::command(session, step)
}

/// Returns the fields of a value that `expected` contains, at any depth.
fn part(value: &Value, expected: &Value) -> Value {
    match expected.as_object() {
        None => value.clone(),
        Some(fields) => {
            fields.iter().map(|(name, inner)| (name.clone(), part(&value[name], inner))).collect()
        }
    }
}

fn play<P: Scripted>(file: &str, script: &Value) {
    let target = Target {
        address: serde_json::from_value(script["target"].clone()).unwrap(),
        password: script["target"]["password"].as_str().map(Password::new),
        max_reconnects: script["target"]["max_reconnects"].as_u64().map(|count| count.try_into().unwrap()),
        ..Target::default()
    };
    let mut session = P::begin(target, &script["options"]);
    let mut now = 0;
    for (index, step) in script["steps"].as_array().unwrap().iter().enumerate() {
        let place = format!("{file}, step {index}: {step}");
        now = step["at"].as_u64().unwrap_or(now);
        let accepted = input(&mut session, now, step);
        if let Some(expected) = step.get("accepted") {
            assert_eq!(accepted, expected.as_bool(), "{place}: accepted");
        }
        let outputs: Vec<Value> = std::iter::from_fn(|| session.poll_action()).map(render).collect();
        assert_eq!(&json!(outputs), step.get("outputs").unwrap_or(&json!([])), "{place}: outputs");
        if let Some(expected) = step.get("items") {
            let items: Vec<Value> = std::iter::from_fn(|| session.poll_item()).map(P::item).collect();
            assert_eq!(&json!(items), expected, "{place}: items");
        }
        if let Some(expected) = step.get("state") {
            let state = serde_json::to_value(session.state()).unwrap();
            let expected = if expected.is_string() { &json!({ "status": expected }) } else { expected };
            assert_eq!(&part(&state, expected), expected, "{place}: state");
        }
        if let Some(expected) = step.get("counters") {
            let counters = serde_json::to_value(session.counters()).unwrap();
            assert_eq!(&part(&counters, expected), expected, "{place}: counters");
        }
        if let Some(expected) = step.get("deadline") {
            assert_eq!(json!(session.poll_timeout()), *expected, "{place}: deadline");
        }
    }
}

#[test]
fn all_channel_vectors_pass() {
    for (file, content) in vectors::read("channels") {
        for script in content.as_array().unwrap_or(&vec![content.clone()]) {
            let name = format!("{file}: {}", script["name"].as_str().unwrap());
            match script["channel"].as_str().unwrap() {
                "terminal" => play::<orgo_core::channel::Terminal>(&name, script),
                "audio" => play::<orgo_core::channel::Audio>(&name, script),
                "events" => play::<orgo_core::channel::Events>(&name, script),
                other => panic!("{name}: there is no channel {other}"),
            }
        }
    }
}

fn target() -> Target {
    Target {
        address: ComputerAddress { computer_id: "c".into(), ..ComputerAddress::default() },
        password: Some(Password::new("p")),
        ..Target::default()
    }
}

fn drain<P: Protocol>(session: &mut Session<P>) {
    while session.poll_action().is_some() {}
}

fn opened<P: Protocol>(mut session: Session<P>) -> Session<P> {
    session.handle_open(0);
    session.handle_text(0, r#"{"type":"pong"}"#);
    drain(&mut session);
    assert_eq!(session.state(), State::Open);
    session
}

fn reason(state: State) -> Option<CloseReason> {
    match state {
        State::Closed(cause) => Some(cause.reason),
        _ => None,
    }
}

#[test]
fn a_channel_ends_after_ten_failed_reconnects() {
    let mut session = opened(TerminalSession::terminal(target(), None, None, 1, 0).unwrap());
    let mut now = 0;
    session.handle_close(now, 1006, "");
    let mut connects = 0;
    while let Some(deadline) = session.poll_timeout() {
        assert!(deadline <= now + 30_000);
        now = deadline;
        session.handle_timeout(now);
        while let Some(output) = session.poll_action() {
            assert!(matches!(output, Action::Connect(_)), "{output:?}");
            connects += 1;
            session.handle_failure(now, &ConnectFailure { status: None, message: "refused".into() });
        }
    }
    assert_eq!((connects, reason(session.state())), (10, Some(CloseReason::Unreachable)));
}

#[test]
fn the_reader_waits_for_a_slow_consumer() {
    let mut session = opened(TerminalSession::terminal(target(), None, None, 1, 0).unwrap());
    let message = json!({ "type": "output", "data": "x".repeat(10_000) }).to_string();
    while session.wants_read() {
        session.handle_text(0, &message);
    }
    assert!((1 << 20..(1 << 20) + 10_000).contains(&session.counters().buffered));
    // The reader waits, so the connection does not count as dead.
    session.handle_timeout(60_000);
    assert_eq!(session.state(), State::Open);
    let text: usize = std::iter::from_fn(|| session.poll_item())
        .map(|item| match item {
            TerminalItem::Output { data } => data.len(),
            other => panic!("{other:?}"),
        })
        .sum();
    let counters = session.counters();
    assert_eq!((text as u64, counters.buffered, counters.dropped), (counters.received, 0, 0));
    assert!(session.wants_read());
}

#[test]
fn too_much_unread_output_ends_the_terminal() {
    let mut session = opened(TerminalSession::terminal(target(), None, None, 1, 0).unwrap());
    let message = json!({ "type": "output", "data": "x".repeat(100_000) }).to_string();
    for _ in 0..600 {
        session.handle_text(0, &message);
    }
    assert_eq!(reason(session.state()), None, "60 MB wait for the consumer");
    for _ in 0..100 {
        session.handle_text(0, &message);
    }
    assert_eq!(reason(session.state()), Some(CloseReason::Overflow));
    assert!(session.counters().buffered <= (64 << 20) + 100_000);
}

#[test]
fn output_that_the_host_has_decoded_is_counted_and_returned_in_order() {
    let mut session = opened(TerminalSession::terminal(target(), None, None, 1, 0).unwrap());
    let before = session.counters();
    // The first half of a character, which the next message does not complete.
    let half = r#"{"type":"output","data":"a\ud83e"}"#;
    let last = r#"{"type":"output","data":"c"}"#;
    session.handle_text(0, half);
    let host = HostOutput { text: HostText::new("é b"), bytes: 4, messages: 2, message_bytes: 60 };
    AnySession::handle_message(&mut session, 0, Incoming::Output(&host));
    session.handle_text(0, last);

    let counters = session.counters();
    assert_eq!((counters.received, counters.buffered), (9, 9));
    assert_eq!(counters.received_messages - before.received_messages, 4);
    let bytes = half.len() + host.message_bytes + last.len();
    assert_eq!(counters.received_bytes - before.received_bytes, bytes as u64);
    let items = AnySession::poll_items(&mut session);
    let texts: Vec<&str> = items
        .iter()
        .map(|item| match &item.payload {
            Some(("data", Payload::Text(text))) => text.as_str(),
            Some(("data", Payload::Host(text))) => text.get::<&str>().unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts, ["a\u{fffd}", "é b", "c"]);
    assert_eq!((session.counters().taken, session.counters().buffered), (9, 0));
}

#[test]
fn other_channels_do_not_accept_decoded_output() {
    let mut session = opened(EventsSession::events(target(), &[], 1, 0).unwrap());
    let host = HostOutput { text: HostText::new(""), bytes: 0, messages: 1, message_bytes: 2 };
    AnySession::handle_message(&mut session, 0, Incoming::Output(&host));
    assert_eq!((session.counters().malformed, session.counters().received), (1, 0));
    assert!(!AnySession::accepts_output(&session));
}

#[test]
fn the_memory_of_output_is_used_again() {
    let mut session = opened(TerminalSession::terminal(target(), None, None, 1, 0).unwrap());
    let read = |session: &mut TerminalSession, text: &str| {
        session.handle_text(0, &json!({ "type": "output", "data": text }).to_string());
        let mut items = AnySession::poll_items(session);
        let Some((_, Payload::Text(output))) = items.pop().and_then(|item| item.payload) else {
            panic!("{items:?}")
        };
        assert_eq!(output, text, "nothing remains of earlier output");
        let (memory, capacity) = (output.as_ptr(), output.capacity());
        AnySession::recycle(session, Payload::Text(output));
        (memory, capacity)
    };
    let (first, _) = read(&mut session, &"a".repeat(20_000));
    let (second, capacity) = read(&mut session, "b");
    assert_eq!(second, first);
    assert!(capacity >= 20_000);

    session.handle_timeout(10_000);
    assert!(read(&mut session, "c").1 < 20_000, "the memory is released at the next heartbeat");
    assert!(read(&mut session, &"d".repeat(1 << 20)).1 >= 1 << 20);
    assert!(read(&mut session, "e").1 < 20_000, "a large memory is released at once");
}

#[test]
fn the_memory_of_samples_is_used_again() {
    let mut session = opened(AudioSession::audio(target(), None, None, 1, 0).unwrap());
    let mut read = |bytes: &[u8]| {
        session.handle_binary(0, bytes);
        let mut items = AnySession::poll_items(&mut session);
        let Some((_, Payload::Samples(samples))) = items.pop().and_then(|item| item.payload) else {
            panic!("{items:?}")
        };
        let (content, memory, capacity) = (samples.clone(), samples.as_ptr(), samples.capacity());
        AnySession::recycle(&mut session, Payload::Samples(samples));
        (content, memory, capacity)
    };
    let (content, first, _) = read(&[0, 64, 0, 32, 0, 16]);
    assert_eq!(content, [0.5, 0.25, 0.125]);
    let (content, second, _) = read(&[0, 192, 0]);
    assert_eq!(content, [-0.5], "nothing remains of earlier samples");
    assert_eq!(second, first);
    let (content, ..) = read(&[64]);
    assert_eq!(content, [0.5], "an incomplete sample is kept");

    let (_, _, large) = read(&vec![0; 1 << 20]);
    assert!(large >= 1 << 19);
    let (_, _, capacity) = read(&[0, 0]);
    assert!(capacity < 1 << 19, "a large memory is released");
}

#[test]
fn unread_audio_is_dropped_and_counted() {
    let mut session = opened(AudioSession::audio(target(), None, None, 1, 0).unwrap());
    session.handle_text(0, r#"{"type":"started","sample_rate":24000,"channels":2}"#);
    for _ in 0..1000 {
        session.handle_binary(0, &[0; 1921]);
    }
    let counters = session.counters();
    assert_eq!(counters.received, 480_250);
    assert_eq!(counters.buffered, 240_000);
    assert_eq!(counters.received, counters.taken + counters.buffered + counters.dropped);
    let taken: usize = std::iter::from_fn(|| session.poll_item())
        .map(|item| match item {
            AudioItem::Samples(samples) => samples.len() / 2,
            _ => 0,
        })
        .sum();
    assert_eq!(taken, 240_000);
    assert_eq!(session.counters().buffered, 0);
}

#[test]
fn dropped_events_leave_a_gap_with_their_number() {
    let mut session = opened(EventsSession::events(target(), &[], 1, 0).unwrap());
    for index in 0..3000 {
        let event = json!({ "type": "event", "event": { "type": "idle", "timestamp": "", "data": { "idle_seconds": index } } });
        session.handle_text(0, &event.to_string());
    }
    let items: Vec<EventItem> = std::iter::from_fn(|| session.poll_item()).collect();
    assert_eq!(items[0], EventItem::Gap { missed: Some(3000 - 1024) });
    assert_eq!(items.len(), 1025);
    let counters = session.counters();
    assert_eq!((counters.received, counters.taken, counters.dropped), (3000, 1024, 3000 - 1024));
}

#[test]
fn error_messages_stop_the_reader_of_a_terminal_and_are_dropped_on_other_channels() {
    let report = json!({ "type": "error", "message": "x".repeat(8_000) }).to_string();
    let mut terminal = opened(TerminalSession::terminal(target(), None, None, 1, 0).unwrap());
    let mut reports = 0;
    while terminal.wants_read() {
        terminal.handle_text(0, &report);
        reports += 1;
    }
    assert!((200..400).contains(&reports), "4 KiB of each are counted: {reports}");
    while reason(terminal.state()).is_none() {
        terminal.handle_text(0, &report);
    }
    assert_eq!(reason(terminal.state()), Some(CloseReason::Overflow));

    let mut audio = opened(AudioSession::audio(target(), None, None, 1, 0).unwrap());
    let mut events = opened(EventsSession::events(target(), &[], 1, 0).unwrap());
    for _ in 0..1000 {
        audio.handle_text(0, &report);
        events.handle_text(0, &report);
    }
    assert_eq!(std::iter::from_fn(|| audio.poll_item()).count(), 64);
    assert_eq!(std::iter::from_fn(|| events.poll_item()).count(), 64);
}

#[test]
fn messages_with_too_many_values_are_malformed_on_every_channel() {
    fn malformed<P: Protocol>(mut session: Session<P>, message: &str) -> u64 {
        session = opened(session);
        session.handle_text(0, message);
        assert_eq!(session.state(), State::Open);
        session.counters().malformed
    }
    let message = |values: usize| format!(r#"{{"type":"pong","x":[{}]}}"#, vec!["0"; values].join(","));
    // The object, the text of `type` and the list are values too, but a terminal does not build the first two.
    for (values, expected) in [(MAX_VALUES - 3, 0), (MAX_VALUES, 1)] {
        let message = message(values);
        let terminal = Session::terminal(target(), None, None, 1, 0).unwrap();
        assert_eq!(malformed(terminal, &message), expected, "{values}");
        assert_eq!(malformed(Session::audio(target(), None, None, 1, 0).unwrap(), &message), expected);
        assert_eq!(malformed(Session::events(target(), &[], 1, 0).unwrap(), &message), expected);
    }
}

#[test]
fn repeated_formats_are_limited_together_with_their_audio() {
    let mut session = opened(AudioSession::audio(target(), None, None, 1, 0).unwrap());
    for index in 0..5000 {
        let channels = index % 2 + 1;
        session.handle_text(0, r#"{"type":"started","channels":8}"#);
        session.handle_text(0, &json!({ "type": "started", "channels": channels }).to_string());
        session.handle_binary(0, &[0; 4]);
    }
    let counters = session.counters();
    assert_eq!(counters.received, 7500);
    assert_eq!(counters.received, counters.buffered + counters.dropped);
    let items: Vec<AudioItem> = std::iter::from_fn(|| session.poll_item()).collect();
    assert!(items.len() <= 1024 && items.len() >= 1000, "{}", items.len());
    for pair in items.chunks_exact(2) {
        let [AudioItem::Started(format), AudioItem::Samples(samples)] = pair else { panic!("{pair:?}") };
        assert!(format.channels <= 2 && samples.len() == 2, "{pair:?}");
    }
}

#[test]
fn a_partial_sample_is_discarded_after_a_reconnect() {
    let mut session = opened(AudioSession::audio(target(), None, None, 1, 0).unwrap());
    session.handle_binary(0, &[0, 64, 7]);
    session.handle_close(0, 1006, "");
    session.handle_timeout(session.poll_timeout().unwrap());
    session.handle_open(1_000);
    session.handle_binary(1_000, &[0, 32]);
    let samples: Vec<f32> = std::iter::from_fn(|| session.poll_item())
        .flat_map(|item| match item {
            AudioItem::Samples(samples) => samples,
            _ => Vec::new(),
        })
        .collect();
    assert_eq!(samples, [0.5, 0.25]);
}

#[test]
fn unread_events_are_limited_by_their_size() {
    let mut session = opened(EventsSession::events(target(), &[], 1, 0).unwrap());
    let event = |size: usize| {
        let data = json!({ "text": "x".repeat(size) });
        json!({ "type": "event", "event": { "type": "idle", "timestamp": "", "data": data } }).to_string()
    };
    for _ in 0..20 {
        session.handle_text(0, &event(1 << 20));
    }
    assert_eq!((session.counters().buffered, session.counters().dropped), (7, 13));
    session.handle_text(0, &event(20 << 20));
    assert_eq!((session.counters().buffered, session.counters().dropped), (1, 20));
    assert_eq!(session.poll_item(), Some(EventItem::Gap { missed: Some(20) }));
    assert!(matches!(session.poll_item(), Some(EventItem::Event { .. })));
}

#[test]
fn audio_is_dropped_only_if_the_consumer_has_stopped() {
    let mut session = opened(AudioSession::audio(target(), None, None, 1, 0).unwrap());
    let second = vec![0; 48_000];
    let mut now = 0;
    let mut seconds = 0;
    // The consumer reads after each wait, and is far slower than the server.
    for _ in 0..20 {
        while session.wants_read() {
            session.handle_binary(now, &second);
            seconds += 1;
        }
        assert!(session.poll_timeout().is_some_and(|deadline| deadline <= now + 5_000));
        now += 4_900;
        session.handle_timeout(now);
        assert!(!session.wants_read());
        while session.poll_item().is_some() {}
    }
    assert!(seconds >= 200);
    assert_eq!((session.counters().taken, session.counters().dropped), (seconds * 24_000, 0));

    while session.wants_read() {
        session.handle_binary(now, &second);
    }
    now += 5_000;
    session.handle_timeout(now);
    assert!(session.wants_read(), "the consumer counts as stopped");
    for _ in 0..5 {
        session.handle_binary(now, &second);
        assert!(session.wants_read());
    }
    assert_eq!((session.counters().buffered, session.counters().dropped), (10 * 24_000, 5 * 24_000));
    assert!(session.poll_item().is_some());
    session.handle_binary(now, &second);
    assert!(!session.wants_read() || session.counters().buffered < 10 * 24_000);
}

#[test]
fn the_text_of_an_event_is_passed_on_only_if_javascript_parses_it_to_the_same_item() {
    use orgo_core::channel::open;
    use orgo_core::encoding::json::Map;
    let event = |text: &str| format!(r#"{{"type":"event","event":{text}}}"#);
    for text in [
        r#"{"type":"idle","timestamp":"t","data":{"a":[1.50,-2e3,null,true,{"b":"\u00e9\n \"é🦀"}]}}"#,
        r#" { "data" : { } , "type" : "idle" , "timestamp" : "t" } "#,
        // A missing or additional field, a wrong type, a repeated field, a surrogate.
        r#"{"type":"idle"}"#,
        r#"{"type":"idle","timestamp":"t","data":{},"more":1}"#,
        r#"{"type":"idle","timestamp":5,"data":[1]}"#,
        r#"{"type":"idle","timestamp":"t","data":{},"type":"active"}"#,
        r#"{"type":"idle","timestamp":"\ud83e\udd80","data":{"a":"\ud83e"}}"#,
    ] {
        let mut typed = opened(EventsSession::events(target(), &[], 1, 0).unwrap());
        typed.handle_text(0, &event(text));
        let (mut plain, _) = open("events", target(), &Map::new(), 1, 0).unwrap();
        plain.handle_open(0);
        plain.handle_message(0, Incoming::Text(event(text).as_bytes()));
        let items: Vec<Value> = plain
            .poll_items()
            .into_iter()
            .map(|item| serde_json::from_str(&item.fields.into_json()).unwrap())
            .collect();
        let expected = serde_json::to_value(typed.poll_item().expect(text)).unwrap();
        let expected = serde_json::json!({ "type": "events", "events": [expected["event"]] });
        assert_eq!(items, [expected], "{text}");
    }
    for wrong in
        [r#"{"type":5}"#, r#"{"type":"idle","data":{"a":"\x"}}"#, r#"{"type":"idle","data":{"a":01}}"#, "7"]
    {
        let mut session = opened(EventsSession::events(target(), &[], 1, 0).unwrap());
        session.handle_text(0, &event(wrong));
        assert_eq!((session.poll_item(), session.counters().malformed), (None, 1), "{wrong}");
    }
}

#[test]
fn adjacent_gaps_of_reconnects_are_merged() {
    let mut session = opened(EventsSession::events(target(), &[], 1, 0).unwrap());
    let event = r#"{"type":"event","event":{"type":"idle","timestamp":"","data":{}}}"#;
    let mut now = 0;
    for _ in 0..50 {
        for _ in 0..40 {
            session.handle_text(now, event);
        }
        // A connection that stayed open for this long resets the attempt counter.
        session.handle_close(now + 10_000, 1006, "");
        now = session.poll_timeout().unwrap();
        session.handle_timeout(now);
        session.handle_open(now);
        session.handle_text(now, r#"{"type":"pong"}"#);
    }
    let counters = session.counters();
    assert_eq!((counters.buffered, counters.dropped), (1024, 976));
    let items: Vec<EventItem> = std::iter::from_fn(|| session.poll_item()).collect();
    let first_event = items.iter().position(|item| matches!(item, EventItem::Event { .. })).unwrap();
    let missed: u64 = items[..first_event]
        .iter()
        .map(|item| match item {
            EventItem::Gap { missed } => missed.unwrap_or_default(),
            other => panic!("{other:?}"),
        })
        .sum();
    assert!(first_event <= 3 && missed == 976, "{first_event} gaps, {missed} missed");
}

#[test]
fn late_reports_of_an_old_socket_are_ignored() {
    let mut session = opened(EventsSession::events(target(), &[], 1, 0).unwrap());
    session.handle_close(0, 1006, "");
    let waiting = (session.state(), session.poll_timeout(), session.counters());
    session.handle_close(0, 4008, "");
    session.handle_failure(0, &ConnectFailure { status: Some(400), message: "late".into() });
    assert_eq!((session.state(), session.poll_timeout(), session.counters()), waiting);
}

/// Returns the input that a session sends now, and the number of pings.
fn typed(session: &mut TerminalSession) -> (String, usize) {
    let (mut text, mut pings) = (String::new(), 0);
    while let Some(output) = session.poll_action() {
        let Action::Send(message) = output else { panic!("{output:?}") };
        let message: Value = serde_json::from_str(&message).unwrap();
        match message["type"].as_str().unwrap() {
            "ping" => pings += 1,
            _ => text.push_str(message["data"].as_str().unwrap()),
        }
    }
    (text, pings)
}

#[test]
fn a_large_paste_arrives_complete_and_more_input_is_refused_meanwhile() {
    let mut session = opened(TerminalSession::terminal(target(), None, None, 1, 0).unwrap());
    let paste = "0123456789é".repeat(110_000);
    assert_eq!(session.input(&paste), Ok(None));
    assert_eq!(session.input("x"), Ok(Some(InputRefusal::Full)));
    let mut arrived = String::new();
    while arrived.len() < paste.len() {
        let (text, pings) = typed(&mut session);
        assert!(!text.is_empty() && text.len() <= (256 + 16) << 10, "{} bytes at once", text.len());
        arrived.push_str(&text);
        let now = 1;
        session.handle_timeout(now);
        for _ in 0..pings {
            session.handle_text(now, r#"{"type":"pong"}"#);
        }
    }
    assert_eq!(arrived, paste);
    assert_eq!(session.input("x"), Ok(None));
    assert_eq!(typed(&mut session).0, "x");
    let counters = session.counters();
    assert_eq!((counters.written, counters.unacknowledged), (paste.len() as u64 + 1, 0));
}

#[test]
fn the_error_of_text_that_is_too_large_contains_the_field_and_the_remedy() {
    let mut session = opened(TerminalSession::terminal(target(), None, None, 1, 0).unwrap());
    let error = session.input(&"x".repeat((16 << 20) + 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "terminal.write: `text` has 16777217 bytes, and at most 16777216 are accepted at once: write it in pieces, or to \
         `writable`"
    );
    assert_eq!(session.input(&"x".repeat(16 << 20)), Ok(None));
}

#[test]
fn control_messages_overtake_pending_input() {
    let mut session = opened(TerminalSession::terminal(target(), None, None, 1, 0).unwrap());
    assert_eq!(session.input(&"x".repeat(900_000)), Ok(None));
    let (text, pings) = typed(&mut session);
    assert!(text.len() < 900_000 && pings == 1);
    for cols in 1..=1000 {
        session.resize(f64::from(cols), 24.0).unwrap();
    }
    let sends: Vec<Value> = std::iter::from_fn(|| session.poll_action()).map(render).collect();
    assert_eq!(json!(sends), json!([{ "send": { "type": "resize", "cols": 1000, "rows": 24 } }]));
}

#[test]
fn input_accepted_before_a_close_is_sent_before_it() {
    let mut session = opened(TerminalSession::terminal(target(), None, None, 1, 0).unwrap());
    assert_eq!(session.input("exit\r"), Ok(None));
    session.close();
    let outputs: Vec<Value> = std::iter::from_fn(|| session.poll_action()).map(render).collect();
    assert_eq!(json!(outputs), json!([{ "send": { "type": "input", "data": "exit\r" } }, { "close": 1000 }]));
    let State::Closed(cause) = session.state() else { panic!("{:?}", session.state()) };
    assert_eq!(cause.unacknowledged, 5);
}

#[test]
fn invalid_options_are_named_in_the_error() {
    let field = |error: Error| serde_json::to_value(error.record()).unwrap()["field"].clone();
    assert_eq!(field(TerminalSession::terminal(target(), Some(0.0), Some(24.0), 1, 0).unwrap_err()), "cols");
    assert_eq!(field(TerminalSession::terminal(target(), None, Some(2.5), 1, 0).unwrap_err()), "rows");
    assert_eq!(field(AudioSession::audio(target(), Some(1.0), None, 1, 0).unwrap_err()), "sample_rate");
    assert_eq!(field(AudioSession::audio(target(), None, Some(3.0), 1, 0).unwrap_err()), "channels");
    assert_eq!(field(EventsSession::events(target(), &["window".into()], 1, 0).unwrap_err()), "types");
}

#[test]
fn the_debug_form_of_a_session_hides_the_password() {
    let mut session = TerminalSession::terminal(
        Target { password: Some(Password::new("hunter2")), ..target() },
        None,
        None,
        1,
        0,
    )
    .unwrap();
    let output = session.poll_action().unwrap();
    assert!(!format!("{session:?} {output:?}").contains("hunter2"));
}
