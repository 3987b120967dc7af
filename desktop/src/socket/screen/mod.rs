//! The screen channel: RFB in binary messages, bridged to the socket of the computer's X server.
//!
//! The bridge ends the security handshake itself. It requires VNC authentication with the computer's password, as the
//! service does, and then speaks to the X server without a password, because only the bridge reaches the X server.

mod client_stream;
mod handshake;

use std::io;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::time::{interval, timeout};

use self::client_stream::ClientStream;
use self::handshake::Failure;
use super::close::{self, CloseCode};
use crate::computer::Machine;
use crate::untrusted::Connection;

/// The size of the buffer for each direction, in bytes. The bridge reads the next bytes only after it has written the
/// previous bytes, so a slow viewer slows down the X server's updates, and nothing accumulates here.
const BUFFER: usize = 64 * 1024;
/// How long the handshake with a viewer may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a computer may take to notice that its X server has ended.
const END_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a viewer may leave one message unread. A viewer that disappeared must not keep its place.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// The interval of the pings, and how long a viewer may be silent. Without this limit, a viewer whose connection broke
/// silently would hold its buttons and its place forever.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);

/// The reason for a viewer that is refused. A viewer that cannot show it sees only the close code.
const TOO_MANY: &str = "Too many viewers: at most 16 can be connected at the same time";

/// The sending half of a viewer's socket.
type Outgoing = SplitSink<WebSocket, Message>;

/// The receiving half of a viewer's socket, as a stream of bytes.
struct Incoming {
    messages: SplitStream<WebSocket>,
    /// The bytes of the last message that are not read yet.
    rest: Vec<u8>,
}

/// Why a channel ends.
enum End {
    /// The viewer has disconnected.
    Disconnected,
    Close(CloseCode),
}

impl Incoming {
    /// Returns the next bytes, at least one.
    async fn next(&mut self) -> Result<Vec<u8>, End> {
        while self.rest.is_empty() {
            let Ok(message) = timeout(SILENCE_TIMEOUT, self.messages.next()).await else {
                return Err(End::Disconnected);
            };
            match message {
                Some(Ok(Message::Binary(bytes))) => self.rest = bytes.to_vec(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(_))) => return Err(End::Close(CloseCode::Malformed)),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(End::Disconnected),
            }
        }
        Ok(std::mem::take(&mut self.rest))
    }

    async fn array<const N: usize>(&mut self) -> Result<[u8; N], End> {
        let mut bytes = self.next().await?;
        while bytes.len() < N {
            bytes.extend(self.next().await?);
        }
        self.rest = bytes.split_off(N);
        bytes.try_into().map_err(|_| End::Close(CloseCode::Malformed))
    }
}

/// Bridges a viewer. `is_shutting_down` returns whether the computer stops because the server stops.
pub(super) async fn run(
    socket: WebSocket,
    machine: &Machine,
    view_only: bool,
    is_shutting_down: impl Fn() -> bool,
) {
    let place = machine.viewers().admit();
    let (mut outgoing, messages) = socket.split();
    let mut incoming = Incoming { messages, rest: Vec::new() };
    let (end, last_input) = if place.is_some() {
        bridge(&mut outgoing, &mut incoming, machine, view_only).await
    } else {
        let refusal = handshake::refuse(&mut outgoing, &mut incoming, TOO_MANY);
        let refusal = machine.stopping().run_until_cancelled(timeout(HANDSHAKE_TIMEOUT, refusal));
        // The close code is the same for a viewer that did not wait for the reason.
        let _ = refusal.await;
        (End::Close(CloseCode::Busy), None)
    };
    let close = async move {
        let End::Close(mut code) = end else { return };
        if code == CloseCode::Failed {
            wait_for_the_end(machine).await;
        }
        if machine.stopping().is_cancelled() {
            code = if is_shutting_down() { CloseCode::GoingAway } else { CloseCode::NotRunning };
        }
        let _ = timeout(close::CLOSE_TIMEOUT, async {
            // Sending fails only if the peer has already closed the socket.
            let _ = outgoing.send(code.message()).await;
            close::wait_for_close(&mut incoming.messages).await;
        })
        .await;
    };
    let finish = async {
        if let Some(last_input) = last_input {
            // A hung X server can take any time to read the input, and would otherwise hold the buttons when it continues.
            let _ = machine.stopping().run_until_cancelled(last_input.deliver()).await;
        }
    };
    tokio::join!(close, finish);
}

/// Waits until the computer stops if its X server has ended, because the computer notices that after the connections of the
/// viewers have broken.
async fn wait_for_the_end(machine: &Machine) {
    let responds = timeout(HANDSHAKE_TIMEOUT, async {
        let mut server = machine.connect_to_screen().await.map_err(Failure::from)?;
        handshake::with_server(&mut server).await
    });
    let responds = machine.stopping().run_until_cancelled(responds).await;
    if matches!(responds, Some(Ok(Err(_)))) {
        // A connection that fails can have another reason, so the wait has a limit.
        let _ = timeout(END_TIMEOUT, machine.stopping().cancelled()).await;
    }
}

/// The input that the X server must receive after a viewer has disconnected: the rest of an incomplete message, and the
/// release of the buttons.
struct LastInput {
    from_server: ReadHalf<Connection>,
    to_server: WriteHalf<Connection>,
    bytes: Vec<u8>,
}

impl LastInput {
    /// Waits until the X server has handled all input. If the connection closed earlier, the X server could fail to send an
    /// update, and then drop the input that it has not read, such as the release of a button.
    async fn deliver(mut self) -> io::Result<()> {
        self.to_server.write_all(&self.bytes).await?;
        self.to_server.shutdown().await?;
        // The X server closes the connection after the end of the input.
        let mut updates = [0; 4096];
        while self.from_server.read(&mut updates).await? > 0 {}
        Ok(())
    }
}

async fn bridge(
    outgoing: &mut Outgoing,
    incoming: &mut Incoming,
    machine: &Machine,
    view_only: bool,
) -> (End, Option<LastInput>) {
    let handshake = async {
        handshake::with_viewer(outgoing, incoming, machine).await?;
        let mut server = machine.connect_to_screen().await.map_err(Failure::from)?;
        handshake::with_server(&mut server).await?;
        Ok::<_, End>(server)
    };
    let shaken = tokio::select! {
        biased;
        () = machine.stopping().cancelled() => return (End::Close(CloseCode::NotRunning), None),
        shaken = timeout(HANDSHAKE_TIMEOUT, handshake) => shaken,
    };
    let server = match shaken {
        Ok(Ok(server)) => server,
        Ok(Err(end)) => return (end, None),
        Err(_) => return (End::Close(CloseCode::Malformed), None),
    };
    let (mut from_server, mut to_server) = split(server);
    let mut stream = ClientStream::new(view_only);
    // The start of `unwritten` can be the rest of a message whose start the X server has received.
    let mut unwritten = Bytes::new();
    let down = async {
        let mut buffer = vec![0; BUFFER];
        let mut pings = interval(PING_INTERVAL);
        loop {
            let message = tokio::select! {
                _ = pings.tick() => Message::Ping(Bytes::new()),
                read = from_server.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => return End::Close(CloseCode::Failed),
                    Ok(length) => Message::binary(buffer[..length].to_vec()),
                },
            };
            if !matches!(timeout(STALL_TIMEOUT, outgoing.send(message)).await, Ok(Ok(()))) {
                return End::Disconnected;
            }
        }
    };
    let up = async {
        loop {
            let bytes = match incoming.next().await {
                Ok(bytes) => bytes,
                Err(end) => return end,
            };
            let Some(passed) = stream.pass(&bytes) else { return End::Close(CloseCode::Malformed) };
            unwritten = passed.into();
            while !unwritten.is_empty() {
                if !matches!(to_server.write_buf(&mut unwritten).await, Ok(1..)) {
                    return End::Close(CloseCode::Failed);
                }
            }
        }
    };
    let end = tokio::select! {
        biased;
        () = machine.stopping().cancelled() => End::Close(CloseCode::NotRunning),
        end = down => end,
        end = up => end,
    };
    let bytes = [&unwritten[..], &stream.release().unwrap_or_default()].concat();
    (end, Some(LastInput { from_server, to_server, bytes }))
}
