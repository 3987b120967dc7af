//! The audio channel, which streams the computer's audio output as raw PCM.

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::agent::{Descriptor, Process, Stdio};
use crate::computer::Machine;

use super::close::{self, CloseCode};
use super::frames::{self, Incoming};
use super::outbox::Outbox;

const DEFAULT_SAMPLE_RATE: u32 = 24_000;
const DEFAULT_CHANNELS: u16 = 1;
const FRAMES_PER_SECOND: u32 = 50;
/// The maximum number of queued frames: half a second of audio. While the queue is full, new frames are dropped.
pub(super) const MAX_QUEUED_FRAMES: usize = 25;

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientFrame {
    Stop,
    Ping,
}

/// The format of the audio. Samples are signed 16-bit little-endian integers, and channels are interleaved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Format {
    sample_rate: u32,
    channels: u16,
}

impl Format {
    pub(super) fn new(sample_rate: Option<u32>, channels: Option<u16>) -> Result<Self, &'static str> {
        let sample_rate = sample_rate.unwrap_or(DEFAULT_SAMPLE_RATE);
        let channels = channels.unwrap_or(DEFAULT_CHANNELS);
        // A frame of 20 ms must contain a whole number of samples.
        if !(8_000..=192_000).contains(&sample_rate) || !sample_rate.is_multiple_of(FRAMES_PER_SECOND) {
            return Err("sample_rate: must be 8000 to 192000 and a multiple of 50");
        }
        if !(1..=2).contains(&channels) {
            return Err("channels: must be 1 or 2");
        }
        Ok(Self { sample_rate, channels })
    }

    /// Returns the size of a frame, which is 20 ms of audio, in bytes.
    pub(super) fn frame_length(self) -> usize {
        (self.sample_rate / FRAMES_PER_SECOND) as usize * usize::from(self.channels) * 2
    }
}

pub(super) async fn run(
    socket: WebSocket,
    machine: &Machine,
    sample_rate: Option<u32>,
    channels: Option<u16>,
) {
    let capture = match Format::new(sample_rate, channels) {
        Ok(format) => Capture::start(machine, format).await,
        Err(problem) => Err(problem.to_owned()),
    };
    match capture {
        Ok(capture) => serve(socket, capture, machine.stopping()).await,
        Err(message) => close::fail(socket, machine.stopping(), &message).await,
    }
}

/// A recorder process in the computer, and its output. The process ends when `recorder` is dropped.
struct Capture {
    recorder: Process,
    samples: Samples,
}

/// Reads the output of a recorder in frames of 20 ms.
pub(super) struct Samples {
    output: Descriptor,
    format: Format,
    frame: Vec<u8>,
}

impl Capture {
    async fn start(machine: &Machine, format: Format) -> Result<Self, String> {
        let argv = vec![
            "parec".to_owned(),
            "--raw".into(),
            "--device=out.monitor".into(),
            "--format=s16le".into(),
            format!("--rate={}", format.sample_rate),
            format!("--channels={}", format.channels),
            "--latency-msec=20".into(),
        ];
        let mut recorder = machine.spawn(argv, Stdio::Output).await.map_err(|error| error.to_string())?;
        let output = recorder.take_output().ok_or("the agent returned no pipe")?;
        let output = Descriptor::new(output).map_err(|error| error.to_string())?;
        Ok(Self { recorder, samples: Samples::new(output, format) })
    }
}

impl Samples {
    pub(super) fn new(output: Descriptor, format: Format) -> Self {
        Self { output, format, frame: vec![0; format.frame_length()] }
    }

    /// Reads the next frame. Returns `None` if the recorder has ended.
    async fn next(&mut self) -> Option<Vec<u8>> {
        let mut filled = 0;
        while filled < self.frame.len() {
            match self.output.read(&mut self.frame[filled..]).await {
                Ok(0) | Err(_) => return None,
                Ok(length) => filled += length,
            }
        }
        Some(self.frame.clone())
    }
}

async fn serve(socket: WebSocket, capture: Capture, stopping: &CancellationToken) {
    let (outgoing, mut incoming) = socket.split();
    let outbox = Outbox::start(outgoing, MAX_QUEUED_FRAMES);
    let Capture { recorder, samples } = capture;
    let frames = outbox.frames();
    let mut recording = tokio::spawn(async move {
        let _recorder = recorder;
        record(samples, frames).await;
    });
    let last = loop {
        tokio::select! {
            // `stopping` is checked first, because stopping the computer also ends the recorder.
            biased;
            () = stopping.cancelled() => break vec![CloseCode::GoingAway.message()],
            _ = &mut recording => break vec![frames::error("The recorder ended"), CloseCode::Failed.message()],
            message = incoming.next() => match frames::read(message) {
                Incoming::Closed => break Vec::new(),
                Incoming::Control => {}
                Incoming::Malformed(reply) => outbox.reply(reply),
                Incoming::Frame(ClientFrame::Stop) => break vec![CloseCode::Normal.message()],
                Incoming::Frame(ClientFrame::Ping) => outbox.reply(frames::pong()),
            },
        }
    };
    recording.abort();
    outbox.finish(last, &mut incoming).await;
}

/// Sends frames until the recorder ends or the client disconnects. Sends `started` when the first frame is available,
/// because the recorder is then certainly running.
pub(super) async fn record(mut recorded: Samples, frames: mpsc::Sender<Message>) {
    let mut started = false;
    let mut dropped = 0_u64;
    while let Some(samples) = recorded.next().await {
        if !started {
            let Format { sample_rate, channels } = recorded.format;
            let message = json!({ "type": "started", "sample_rate": sample_rate, "channels": channels });
            if frames.send(frames::frame(&message)).await.is_err() {
                return;
            }
            started = true;
        }
        match frames.try_send(Message::binary(samples)) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => dropped += 1,
            Err(mpsc::error::TrySendError::Closed(_)) => break,
        }
    }
    if dropped > 0 {
        tracing::debug!("an audio client read too slowly: {dropped} frames were dropped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_twenty_milliseconds() {
        let length = |rate, channels| Format::new(rate, channels).map(Format::frame_length);
        assert_eq!(length(None, None), Ok(960));
        assert_eq!(length(Some(48_000), Some(2)), Ok(3840));
        assert_eq!(length(Some(44_100), Some(1)), Ok(1764));
    }

    #[test]
    fn an_error_names_the_invalid_parameter() {
        assert!(Format::new(Some(11_025), None).is_err_and(|problem| problem.starts_with("sample_rate")));
        assert!(Format::new(Some(0), None).is_err_and(|problem| problem.starts_with("sample_rate")));
        assert!(Format::new(None, Some(3)).is_err_and(|problem| problem.starts_with("channels")));
    }
}
