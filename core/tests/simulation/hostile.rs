//! Messages of a hostile server, and wrong reports of a platform.

use orgo_core::Millis;
use orgo_core::channel::{ConnectFailure, Protocol, Session};

use crate::environment::Frame;
use crate::random::Random;

/// Returns one frame, or many copies of it.
pub(crate) fn frames(random: &mut Random) -> Vec<Frame> {
    let count = if random.once_in(100) { random.between(100, 3_000) } else { 1 };
    let frame = frame(random, count > 1);
    vec![frame; usize::try_from(count).expect("a count is small")]
}

fn frame(random: &mut Random, small: bool) -> Frame {
    match random.below(11) {
        0 => {
            let length = random.below(300);
            Frame::Text(String::from_utf8_lossy(&random.bytes(length)).into_owned())
        }
        1 if !small => Frame::Text("[".repeat(10_000)),
        2 => Frame::Text(r#"{"type":5}"#.to_owned()),
        3 => Frame::Text(r#"{"type":"output"}"#.to_owned()),
        4 => Frame::Text(r#"{"type":"event","event":{"type":null}}"#.to_owned()),
        5 => Frame::Text(r#"{"type":"started","sample_rate":-1,"channels":1e300}"#.to_owned()),
        6 => Frame::Text(r#"{"type":"error","message":{"a":1}}"#.to_owned()),
        7 => Frame::Text(r#"{"type":"nobody knows","data":[1,2,3]}"#.to_owned()),
        8 => Frame::Text(String::new()),
        9 => Frame::Text(format!(r#"{{"type":"error","message":"{}"}}"#, "no ".repeat(30))),
        // Not a pong: a pong without a ping would falsely acknowledge input.
        _ => Frame::Text(r#"{"type":"pong","type":"pang"}"#.to_owned()),
    }
}

/// Reports events of an old socket while there is no current socket. Checks that nothing changes.
pub(crate) fn report_late<P: Protocol>(session: &mut Session<P>, now: Millis, random: &mut Random) {
    let before = (session.state(), session.poll_timeout(), session.counters());
    match random.below(5) {
        0 => session.handle_open(now),
        1 => session.handle_close(now, random.pick(&[1000, 1006, 4008, 4401]), "late"),
        2 => session.handle_text(now, r#"{"type":"exit","code":0}"#),
        3 => session.handle_binary(now, &[1, 2, 3]),
        _ => {
            let failure = ConnectFailure { status: Some(403), message: "late".to_owned() };
            session.handle_failure(now, &failure);
        }
    }
    assert_eq!(
        (session.state(), session.poll_timeout(), session.counters()),
        before,
        "late reports change nothing"
    );
    assert_eq!(session.poll_action(), None, "late reports cause no action");
}
