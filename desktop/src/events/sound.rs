//! Programs that begin and end to play sound, from the sound server.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncRead;
use tokio::net::unix::pipe;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::agent::{Process, Stdio};
use crate::computer::Machine;
use crate::untrusted::Lines;

use super::queue::Queue;
use super::{Event, EventType};

pub(super) const TYPES: &[EventType] = &[EventType::AudioStreamStart, EventType::AudioStreamStop];

const READY_LIMIT: Duration = Duration::from_secs(5);
const NOTICE_DELAY: Duration = Duration::from_millis(20);
/// How soon a sound server that ended is tried again.
const RETRY_DELAY: Duration = Duration::from_millis(100);

pub(super) async fn watch(machine: &Arc<Machine>, queue: Arc<Queue>) -> Result<JoinHandle<()>, String> {
    let mut listener = Listener::start(machine).await?;
    let machine = Arc::clone(machine);
    Ok(tokio::spawn(async move {
        loop {
            follow(&mut listener.lines, &queue).await;
            // The sound server has ended, and comes back.
            listener = loop {
                sleep(RETRY_DELAY).await;
                if let Ok(again) = Listener::start(&machine).await {
                    break again;
                }
            };
        }
    }))
}

/// A program inside the computer that tells what the sound server does. It ends when this is dropped.
struct Listener {
    _process: Process,
    lines: Lines<pipe::Receiver>,
}

impl Listener {
    /// Once this returns nothing is missed.
    async fn start(machine: &Machine) -> Result<Self, String> {
        let argv = vec!["pactl".into(), "subscribe".into()];
        let mut process = machine.spawn(argv, Stdio::Output).await.map_err(|error| error.to_string())?;
        let output = process.take_output().ok_or("the agent gave no pipe")?;
        let output = pipe::Receiver::from_owned_fd(output).map_err(|error| error.to_string())?;
        let mut lines = Lines::new(output);
        timeout(READY_LIMIT, provoke(machine, &mut lines))
            .await
            .map_err(|_| "the sound server does not answer")??;
        Ok(Self { _process: process, lines })
    }
}

/// Returns when the subscriber ends.
pub(super) async fn follow<R: AsyncRead + Unpin>(lines: &mut Lines<R>, queue: &Queue) {
    while let Ok(Some(line)) = lines.next().await {
        if let Some(kind) = parse(&line) {
            queue.push(Event::now(kind, json!({})));
        }
    }
}

/// The subscriber does not say when it has begun to listen, so another client comes and goes until it is noticed.
async fn provoke(machine: &Machine, lines: &mut Lines<pipe::Receiver>) -> Result<(), String> {
    loop {
        let mut visitor = machine
            .spawn(vec!["pactl".into(), "info".into()], Stdio::Output)
            .await
            .map_err(|error| error.to_string())?;
        let noticed = async {
            // Whatever way it ends, it has been a client.
            let _ = visitor.exit().await;
            sleep(NOTICE_DELAY).await;
        };
        tokio::select! {
            line = lines.next() => {
                return match line {
                    Ok(Some(_)) => Ok(()),
                    _ => Err("the sound server's subscriber ended".into()),
                };
            }
            () = noticed => {}
        }
    }
}

/// A sink input is a program's stream to the speakers.
pub(super) fn parse(line: &str) -> Option<EventType> {
    let (event, subject) = line.strip_prefix("Event '")?.split_once("' on ")?;
    match event {
        _ if !subject.starts_with("sink-input ") => None,
        "new" => Some(EventType::AudioStreamStart),
        "remove" => Some(EventType::AudioStreamStop),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_streams_that_come_and_go_count() {
        assert_eq!(parse("Event 'new' on sink-input #3"), Some(EventType::AudioStreamStart));
        assert_eq!(parse("Event 'remove' on sink-input #3"), Some(EventType::AudioStreamStop));
        assert_eq!(parse("Event 'change' on sink-input #3"), None);
        assert_eq!(parse("Event 'new' on source-output #1"), None);
        assert_eq!(parse("Event 'new' on client #9"), None);
        assert_eq!(parse(""), None);
    }
}
