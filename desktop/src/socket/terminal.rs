//! The terminal channel. Each connection has its own shell.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt as _;
use rustix::termios::{Winsize, tcsetwinsize};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::agent::{Descriptor, Process};
use crate::computer::Machine;

use super::close::{self, CloseCode};
use super::frames::{self, Incoming};
use super::outbox::Outbox;
use super::utf8::Utf8Decoder;

const DEFAULT_COLS: u16 = 80;
const DEFAULT_ROWS: u16 = 24;
/// The time during which output is collected into one frame. A PTY returns at most 4 KiB per read.
const COALESCE_TIME: Duration = Duration::from_millis(5);
/// The maximum size of a frame's output in bytes.
const MAX_FRAME_SIZE: usize = 64 * 1024;
/// The maximum number of queued frames. While the queue is full, the server does not read from the PTY, so programs
/// that write to the PTY block.
const MAX_QUEUED_FRAMES: usize = 4;
/// The number of queued input bytes at which the server stops reading from the socket, which blocks the client. Input
/// is queued if a program does not read its input and the kernel's buffer is full.
const MAX_QUEUED_INPUT: usize = 1024 * 1024;
/// The number of queued input bytes above which pongs are delayed. A
/// client that limits its unacknowledged input then stops sending input, but the server still reads its other messages.
const PONG_THRESHOLD: usize = 256 * 1024;
/// The interval of the empty frames that a client receives while its pongs are delayed.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(2);

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientFrame {
    Input { data: String },
    Resize { cols: u16, rows: u16 },
    Ping,
}

pub(super) async fn run(socket: WebSocket, machine: &Machine, cols: Option<u16>, rows: Option<u16>) {
    let cols = cols.filter(|&cols| cols > 0).unwrap_or(DEFAULT_COLS);
    let rows = rows.filter(|&rows| rows > 0).unwrap_or(DEFAULT_ROWS);
    match start(machine, cols, rows).await {
        Ok((shell, terminal)) => serve(socket, shell, terminal, machine.stopping()).await,
        Err(message) => {
            tracing::warn!("a shell did not start: {message}");
            close::fail(socket, machine.stopping(), &message).await;
        }
    }
}

async fn start(machine: &Machine, cols: u16, rows: u16) -> Result<(Process, Arc<Descriptor>), String> {
    let mut shell = machine.spawn_shell(cols, rows).await.map_err(|error| error.to_string())?;
    let terminal = shell.take_output().ok_or("the agent returned no terminal")?;
    let terminal = Descriptor::new(terminal).map_err(|error| error.to_string())?;
    Ok((shell, Arc::new(terminal)))
}

async fn serve(
    socket: WebSocket,
    mut shell: Process,
    terminal: Arc<Descriptor>,
    stopping: &CancellationToken,
) {
    let (outgoing, mut incoming) = socket.split();
    let outbox = Outbox::start(outgoing, MAX_QUEUED_FRAMES);
    let exited = CancellationToken::new();
    let mut forwarding = tokio::spawn(forward_output(Arc::clone(&terminal), outbox.frames(), exited.clone()));

    let last = {
        let ending = async {
            let end = shell.exit().await;
            exited.cancel();
            // Sends the remaining output before the exit frame.
            outbox.unless_stalled(&mut forwarding).await;
            end
        };
        tokio::pin!(ending);
        let mut input = InputQueue::default();
        let mut keep_alive = interval(KEEP_ALIVE_INTERVAL);
        keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // `stopping` is checked first, because stopping the computer also ends the shell.
                biased;
                () = stopping.cancelled() => break vec![CloseCode::GoingAway.message()],
                end = &mut ending => break match end {
                    Ok(end) => vec![exit(end.code), CloseCode::Normal.message()],
                    Err(_) => vec![CloseCode::GoingAway.message()],
                },
                permit = outbox.reserve_reply(), if input.can_send_pong() => match permit {
                    Some(permit) => {
                        permit.send(frames::pong());
                        input.pending_pongs -= 1;
                    }
                    None => break Vec::new(),
                },
                message = incoming.next(), if !input.is_full() => match frames::read(message) {
                    Incoming::Closed => break Vec::new(),
                    Incoming::Control => {}
                    Incoming::Malformed(reply) => outbox.reply(reply),
                    Incoming::Frame(frame) => {
                        if let Some(reply) = handle(frame, &terminal, &mut input) {
                            outbox.reply(reply);
                        }
                    }
                },
                () = input.write_some(&terminal), if !input.is_empty() => {}
                _ = keep_alive.tick(), if input.delays_pongs() => outbox.keep_alive(output("")),
                // The socket is not read while the input queue is full. In that state, only the writer can detect that
                // the connection is closed.
                () = outbox.closed(), if input.is_full() => break Vec::new(),
            }
        }
    };
    // Closing the last descriptor of the PTY's master sends SIGHUP to the shell.
    forwarding.abort();
    drop(terminal);
    outbox.finish(last, &mut incoming).await;
}

/// Queued input for the shell, and the number of pongs that are delayed by it.
#[derive(Debug, Default)]
struct InputQueue {
    bytes: VecDeque<u8>,
    /// The number of pings that the server has not replied to yet.
    pending_pongs: usize,
    /// `true` if the PTY no longer accepts input.
    hung_up: bool,
}

impl InputQueue {
    fn push(&mut self, text: &str) {
        if !self.hung_up {
            self.bytes.extend(text.as_bytes());
        }
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= MAX_QUEUED_INPUT
    }

    fn can_send_pong(&self) -> bool {
        self.pending_pongs > 0 && !self.delays_pongs()
    }

    /// Returns whether pongs are delayed. If so, the client receives empty frames to see that the channel is alive.
    fn delays_pongs(&self) -> bool {
        self.bytes.len() > PONG_THRESHOLD
    }

    /// Waits until the PTY accepts input, and writes as many bytes as the PTY accepts.
    async fn write_some(&mut self, terminal: &Descriptor) {
        match terminal.write(self.bytes.as_slices().0).await {
            Ok(written) => drop(self.bytes.drain(..written)),
            Err(_) => {
                self.bytes.clear();
                self.hung_up = true;
            }
        }
    }
}

fn handle(frame: ClientFrame, terminal: &Descriptor, input: &mut InputQueue) -> Option<Message> {
    match frame {
        ClientFrame::Input { data } => {
            input.push(&data);
            None
        }
        ClientFrame::Resize { cols: 0, .. } | ClientFrame::Resize { rows: 0, .. } => {
            Some(frames::error("resize: cols and rows must be at least 1"))
        }
        ClientFrame::Resize { cols, rows } => {
            let size = Winsize { ws_col: cols, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
            // Resizing fails only after the shell has exited. An exit frame reports that.
            let _ = tcsetwinsize(terminal, size);
            None
        }
        ClientFrame::Ping => {
            input.pending_pongs += 1;
            None
        }
    }
}

/// Sends the PTY's output until the PTY is closed, or until the shell has exited and all available output is sent.
async fn forward_output(terminal: Arc<Descriptor>, frames: mpsc::Sender<Message>, exited: CancellationToken) {
    let mut decoder = Utf8Decoder::default();
    let mut buffer = vec![0; MAX_FRAME_SIZE];
    loop {
        let first = tokio::select! {
            biased;
            read = terminal.read(&mut buffer) => read.unwrap_or(0),
            // A background program may keep the PTY open after the shell has exited.
            () = exited.cancelled() => terminal.read_available(&mut buffer).ok().flatten().unwrap_or(0),
        };
        if first == 0 {
            break;
        }
        let filled = read_more(&terminal, &mut buffer, first, &exited).await;
        let text = decoder.decode(&buffer[..filled]);
        if !text.is_empty() && frames.send(output(&text)).await.is_err() {
            return;
        }
    }
    let rest = decoder.finish();
    if !rest.is_empty() {
        // Sending fails only if the writer has ended because the connection is closed.
        let _ = frames.send(output(&rest)).await;
    }
}

/// Appends output that arrives within `COALESCE_TIME` to the first `filled` bytes of `buffer`. Returns the number of
/// filled bytes.
async fn read_more(
    terminal: &Descriptor,
    buffer: &mut [u8],
    mut filled: usize,
    exited: &CancellationToken,
) -> usize {
    let deadline = Instant::now() + COALESCE_TIME;
    while filled < buffer.len() {
        let read = tokio::select! {
            biased;
            read = terminal.read(&mut buffer[filled..]) => read.unwrap_or(0),
            () = sleep_until(deadline) => 0,
            () = exited.cancelled() => 0,
        };
        if read == 0 {
            break;
        }
        filled += read;
    }
    filled
}

fn exit(code: i32) -> Message {
    frames::frame(&json!({ "type": "exit", "code": code }))
}

fn output(text: &str) -> Message {
    frames::frame(&json!({ "type": "output", "data": text }))
}
