//! Reports when programs start and stop playing audio. Reads the notifications of `pactl subscribe`.

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

/// The maximum time until the audio server sends its first notification.
const READY_TIMEOUT: Duration = Duration::from_secs(5);
/// The time to wait for a notification after a client has exited.
const NOTICE_DELAY: Duration = Duration::from_millis(20);
/// The delay before each attempt to subscribe again after the audio server has ended.
const RETRY_DELAY: Duration = Duration::from_millis(100);

pub(super) async fn watch(machine: &Arc<Machine>, queue: Arc<Queue>) -> Result<JoinHandle<()>, String> {
    let mut listener = Listener::start(machine).await?;
    let machine = Arc::clone(machine);
    Ok(tokio::spawn(async move {
        loop {
            push_events(&mut listener.lines, &queue).await;
            // The audio server has ended. Its session restarts it.
            listener = loop {
                sleep(RETRY_DELAY).await;
                if let Ok(next) = Listener::start(&machine).await {
                    break next;
                }
            };
        }
    }))
}

/// A running `pactl subscribe` process in the computer. The process ends when its listener is dropped.
struct Listener {
    _process: Process,
    lines: Lines<pipe::Receiver>,
}

impl Listener {
    /// Starts `pactl subscribe` and waits until its subscription is active, so that no later notification is missed.
    async fn start(machine: &Machine) -> Result<Self, String> {
        let argv = vec!["pactl".into(), "subscribe".into()];
        let mut process = machine.spawn(argv, Stdio::Output).await.map_err(|error| error.to_string())?;
        let output = process.take_output().ok_or("the agent returned no pipe")?;
        let output = pipe::Receiver::from_owned_fd(output).map_err(|error| error.to_string())?;
        let mut lines = Lines::new(output);
        timeout(READY_TIMEOUT, wait_until_subscribed(machine, &mut lines))
            .await
            .map_err(|_| "the audio server does not respond")??;
        Ok(Self { _process: process, lines })
    }
}

/// Reads notifications until `lines` ends. Pushes an event for each playback stream that starts or stops.
pub(super) async fn push_events<R: AsyncRead + Unpin>(lines: &mut Lines<R>, queue: &Queue) {
    while let Ok(Some(line)) = lines.next().await {
        if let Some(kind) = parse(&line) {
            queue.push(Event::now(kind, json!({})));
        }
    }
}

/// Waits for the first notification. `pactl subscribe` does not report when its subscription is active, so this
/// function starts other clients until one of them causes a notification.
async fn wait_until_subscribed(machine: &Machine, lines: &mut Lines<pipe::Receiver>) -> Result<(), String> {
    loop {
        let mut client = machine
            .spawn(vec!["pactl".into(), "info".into()], Stdio::Output)
            .await
            .map_err(|error| error.to_string())?;
        let exit_and_delay = async {
            // Ignores the exit status. If the client caused no notification, the loop starts another client.
            let _ = client.exit().await;
            sleep(NOTICE_DELAY).await;
        };
        tokio::select! {
            line = lines.next() => {
                return match line {
                    Ok(Some(_)) => Ok(()),
                    _ => Err("the audio server closed the subscription".into()),
                };
            }
            () = exit_and_delay => {}
        }
    }
}

/// Returns the type of the event that a line of `pactl subscribe` reports, if any. A sink input is a playback stream of
/// a program.
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
    fn only_new_and_removed_sink_inputs_are_events() {
        assert_eq!(parse("Event 'new' on sink-input #3"), Some(EventType::AudioStreamStart));
        assert_eq!(parse("Event 'remove' on sink-input #3"), Some(EventType::AudioStreamStop));
        assert_eq!(parse("Event 'change' on sink-input #3"), None);
        assert_eq!(parse("Event 'new' on source-output #1"), None);
        assert_eq!(parse("Event 'new' on client #9"), None);
        assert_eq!(parse(""), None);
    }
}
