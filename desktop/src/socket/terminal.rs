//! The terminal channel: a shell of its own for each connection.

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
/// A terminal gives at most 4 KiB at a time; bytes that come within this time share a frame.
const COALESCE: Duration = Duration::from_millis(5);
const LARGEST_FRAME: usize = 64 * 1024;
/// Frames on their way to the client. When they are not taken the terminal is not read, so its programs wait.
const QUEUED_FRAMES: usize = 4;
/// Bytes of input on their way to the shell. A program that does not read its input fills this after the kernel's buffer.
/// Beyond it the socket is not read, so the client waits.
const QUEUED_INPUT: usize = 1024 * 1024;
/// Beyond this many pings are answered only when the shell has taken the input before them. A client that sends at most
/// some input ahead of an answer is so held back while its other messages are still read.
const ANSWERED_INPUT: usize = 256 * 1024;
/// How often a client that gets no answers is shown that the channel is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

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
        Ok((shell, terminal)) => converse(socket, shell, terminal, machine.stopping()).await,
        Err(message) => {
            tracing::warn!("a shell did not start: {message}");
            close::not_opened(socket, machine.stopping(), &message).await;
        }
    }
}

async fn start(machine: &Machine, cols: u16, rows: u16) -> Result<(Process, Arc<Descriptor>), String> {
    let mut shell = machine.spawn_shell(cols, rows).await.map_err(|error| error.to_string())?;
    let terminal = shell.take_output().ok_or("the agent gave no terminal")?;
    let terminal = Descriptor::new(terminal).map_err(|error| error.to_string())?;
    Ok((shell, Arc::new(terminal)))
}

async fn converse(
    socket: WebSocket,
    mut shell: Process,
    terminal: Arc<Descriptor>,
    stopping: &CancellationToken,
) {
    let (outgoing, mut incoming) = socket.split();
    let outbox = Outbox::start(outgoing, QUEUED_FRAMES);
    let exited = CancellationToken::new();
    let mut display = tokio::spawn(show(Arc::clone(&terminal), outbox.frames(), exited.clone()));

    let last = {
        let ending = async {
            let end = shell.exit().await;
            exited.cancel();
            // What the shell printed last comes before its exit.
            outbox.while_taken(&mut display).await;
            end
        };
        tokio::pin!(ending);
        let mut keyboard = Keyboard::default();
        let mut signs = interval(SIGN_OF_LIFE);
        signs.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                // First: a computer that stops ends the shell too.
                biased;
                () = stopping.cancelled() => break vec![CloseCode::GoingAway.message()],
                end = &mut ending => break match end {
                    Ok(end) => vec![exit(end.code), CloseCode::Normal.message()],
                    Err(_) => vec![CloseCode::GoingAway.message()],
                },
                permit = outbox.room(), if keyboard.owes_pong() => match permit {
                    Some(permit) => {
                        permit.send(frames::pong());
                        keyboard.pongs -= 1;
                    }
                    None => break Vec::new(),
                },
                message = incoming.next(), if !keyboard.is_full() => match frames::read(message) {
                    Incoming::Closed => break Vec::new(),
                    Incoming::Control => {}
                    Incoming::Malformed(reply) => outbox.reply(reply),
                    Incoming::Frame(frame) => {
                        if let Some(reply) = handle(frame, &terminal, &mut keyboard) {
                            outbox.reply(reply);
                        }
                    }
                },
                () = keyboard.type_in(&terminal), if keyboard.has_input() => {}
                _ = signs.tick(), if keyboard.is_silent() => outbox.sign_of_life(output("")),
                // A socket that is not read does not report its end.
                () = outbox.gone(), if keyboard.is_full() => break Vec::new(),
            }
        }
    };
    // With these goes the terminal, and the shell hangs up.
    display.abort();
    drop(terminal);
    outbox.finish(last, &mut incoming).await;
}

/// Input on its way to the shell, and the answers that wait for it.
#[derive(Debug, Default)]
struct Keyboard {
    input: VecDeque<u8>,
    /// Pings that are not answered yet.
    pongs: usize,
    /// Nothing can be typed any more.
    hung_up: bool,
}

impl Keyboard {
    fn push(&mut self, text: &str) {
        if !self.hung_up {
            self.input.extend(text.as_bytes());
        }
    }

    fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    fn is_full(&self) -> bool {
        self.input.len() >= QUEUED_INPUT
    }

    fn owes_pong(&self) -> bool {
        self.pongs > 0 && self.input.len() <= ANSWERED_INPUT
    }

    /// The client waits for an answer that is held back, or for its messages to be read.
    fn is_silent(&self) -> bool {
        self.input.len() > ANSWERED_INPUT
    }

    /// Gives the terminal some of the input, once it takes some.
    async fn type_in(&mut self, terminal: &Descriptor) {
        match terminal.write(self.input.as_slices().0).await {
            Ok(written) => drop(self.input.drain(..written)),
            Err(_) => {
                self.input.clear();
                self.hung_up = true;
            }
        }
    }
}

fn handle(frame: ClientFrame, terminal: &Descriptor, keyboard: &mut Keyboard) -> Option<Message> {
    match frame {
        ClientFrame::Input { data } => {
            keyboard.push(&data);
            None
        }
        ClientFrame::Resize { cols: 0, .. } | ClientFrame::Resize { rows: 0, .. } => {
            Some(frames::error("A terminal has at least one column and one row"))
        }
        ClientFrame::Resize { cols, rows } => {
            let size = Winsize { ws_col: cols, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
            // Fails only once the shell has gone, of which the client is told anyway.
            let _ = tcsetwinsize(terminal, size);
            None
        }
        ClientFrame::Ping => {
            keyboard.pongs += 1;
            None
        }
    }
}

/// Sends what the terminal shows until its end, or until nothing is left after the shell's exit.
async fn show(terminal: Arc<Descriptor>, frames: mpsc::Sender<Message>, exited: CancellationToken) {
    let mut decoder = Utf8Decoder::default();
    let mut buffer = vec![0; LARGEST_FRAME];
    loop {
        let first = tokio::select! {
            biased;
            read = terminal.read(&mut buffer) => read.unwrap_or(0),
            // A program in the background may keep the terminal open after the shell has gone.
            () = exited.cancelled() => terminal.read_available(&mut buffer).ok().flatten().unwrap_or(0),
        };
        if first == 0 {
            break;
        }
        let filled = fill(&terminal, &mut buffer, first, &exited).await;
        let text = decoder.decode(&buffer[..filled]);
        if !text.is_empty() && frames.send(output(&text)).await.is_err() {
            return;
        }
    }
    let rest = decoder.finish();
    if !rest.is_empty() {
        // An error means that the writer has found the peer gone.
        let _ = frames.send(output(&rest)).await;
    }
}

/// Adds what comes right after the first bytes.
async fn fill(
    terminal: &Descriptor,
    buffer: &mut [u8],
    mut filled: usize,
    exited: &CancellationToken,
) -> usize {
    let deadline = Instant::now() + COALESCE;
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
