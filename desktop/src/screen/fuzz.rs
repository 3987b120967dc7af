//! Fuzz target: uses arbitrary bytes as the behavior of an X server.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use crate::fuzz::ignore_broken_pipes;
use crate::screen::{
    ActionDuration, Button, DesktopPart, Direction, ImageFormat, Screen, ScreenEvent, Watch, WheelClicks,
    connection::{endpoint::Endpoint, limits::Limits},
    fake_server::{FakeServer, Request, ServerAction},
};

/// The time limits of the screen. They are short, because most inputs cause a missing reply.
const LIMITS: Limits = Limits {
    reply: Duration::from_millis(20),
    operation: Duration::from_millis(60),
    application: Duration::from_millis(60),
};
/// The maximum duration of a run with one input.
const MAX_DURATION: Duration = Duration::from_secs(60);
/// The maximum number of connections that the input controls. On further connections, the server replies like a real X
/// server.
const CONNECTIONS: usize = 6;

/// Checks that no reply of an X server causes a panic or a call that never returns.
///
/// The first byte selects the calls. The other bytes are divided among the connections.
pub(crate) fn display(data: &[u8]) {
    ignore_broken_pipes();
    let Some((&actions, data)) = data.split_first() else { return };
    let began = Instant::now();
    let parts = Mutex::new(parts(data));
    let fake = FakeServer::new(move |request| {
        let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
        match parts.get_mut(request.connection) {
            Some(part) => actions_for(request, part),
            None => request.default_actions(),
        }
    });
    use_screen(&fake, actions);
    fake.close();
    assert!(began.elapsed() < MAX_DURATION, "the input took {:?}", began.elapsed());
}

fn use_screen(fake: &Arc<FakeServer>, actions: u8) {
    let connector = Arc::clone(fake);
    let Ok(screen) = Screen::open_with_limits(connector, LIMITS) else { return };
    let not_canceled = CancellationToken::new();
    let duration = ActionDuration::from_seconds("duration", 0.001).expect("a valid duration");
    let clicks = WheelClicks::new(2).expect("a valid number");
    if actions & 1 != 0 {
        let (send, events) = mpsc::channel::<ScreenEvent>();
        let endpoint = Endpoint { connector: fake.clone(), limits: LIMITS };
        let watch = Watch::start(&endpoint, Duration::from_secs(1), move |event| {
            let _ = send.send(event);
        });
        let _ = events.recv_timeout(LIMITS.operation);
        drop(watch);
        drop(screen.watch_for_frozen_pointer());
        // The thread of the watch drops the sink when it ends.
        while events.recv_timeout(MAX_DURATION) != Err(mpsc::RecvTimeoutError::Disconnected) {}
    }
    // These calls may return any result.
    if actions & 2 != 0 {
        let _ = screen.screenshot(ImageFormat::Png, (actions & 4 != 0).then_some(0.5));
    }
    if actions & 8 != 0 {
        let _ = screen.click(1, 1, Button::Left, true);
        let _ = screen.drag((0, 0), (2, 2), Button::Right, duration, &not_canceled);
    }
    if actions & 16 != 0 {
        let _ = screen.key("ctrl+ж");
        let _ = screen.key("ctrl+a");
    }
    if actions & 32 != 0 {
        let _ = screen.type_text("aÄж", None, &not_canceled);
        let _ = screen.screenshot(ImageFormat::Jpeg, None);
    }
    if actions & 64 != 0 {
        let _ = screen.scroll(Direction::Down, clicks, Some((1, 1)));
        let _ = screen.size();
    }
    if actions & 128 != 0 {
        let _ = screen.wait_until_ready(DesktopPart::WallpaperAndPanel, Instant::now() + LIMITS.reply);
    }
}

/// Splits the input into one part for each connection. Each part starts with a byte that contains its length in units
/// of 4 bytes.
fn parts(mut data: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    for _ in 0..CONNECTIONS {
        let Some((&length, rest)) = data.split_first() else { break };
        let (part, rest) = rest.split_at((usize::from(length) * 4).min(rest.len()));
        parts.push(Part { data: part.to_vec(), at: 0 });
        data = rest;
    }
    parts
}

/// The input bytes for one connection. After the last byte, it returns zeros.
struct Part {
    data: Vec<u8>,
    at: usize,
}

impl Part {
    fn byte(&mut self) -> u8 {
        self.at += 1;
        self.data.get(self.at - 1).copied().unwrap_or_default()
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }
}

fn actions_for(request: &Request, part: &mut Part) -> Vec<ServerAction> {
    let mut reply = request.reply().unwrap_or_default();
    let one = |bytes| vec![ServerAction::Send(bytes)];
    match part.byte() % 16 {
        // A reply with some changed bytes.
        1..=4 => {
            for _ in 0..part.byte() % 8 {
                let at = usize::from(u16::from_ne_bytes([part.byte(), part.byte()])) % reply.len().max(1);
                if let Some(byte) = reply.get_mut(at) {
                    *byte = part.byte();
                }
            }
            one(reply)
        }
        // A reply with a changed length field, with or without the matching number of bytes.
        5 if reply.len() >= 32 => {
            let words = u32::from_ne_bytes([part.byte(), part.byte(), part.byte(), part.byte()]);
            reply[4..8].copy_from_slice(&words.to_ne_bytes());
            reply.resize(32 + (words as usize % 4096) * 4, part.byte());
            one(reply)
        }
        // An event before the reply.
        6 => vec![ServerAction::Send(event(request, part)), ServerAction::Send(reply)],
        // Many events before the reply.
        7 => vec![
            ServerAction::Send(event(request, part).repeat(usize::from(part.byte()) * 16)),
            ServerAction::Send(reply),
        ],
        8 => one(request_error(request, part)),
        9 => {
            let count = part.byte();
            one(part.bytes(count.into()))
        }
        10 => Vec::new(),
        11 => vec![ServerAction::Close],
        // A part of the reply.
        12 => {
            reply.truncate(usize::from(part.byte()) % (reply.len() + 1));
            one(reply)
        }
        // A reply with random words and a matching length.
        13 => {
            let count = usize::from(part.byte() % 64);
            let words: Vec<u32> = (0..count).map(|_| u32::from(part.byte()) << (part.byte() % 32)).collect();
            let head = [(8, u32::from(part.byte())), (12, part.byte().into()), (16, count as u32)];
            one(request.reply_with(part.byte(), &head, &words))
        }
        // A reply with the sequence number of a different request.
        14 if reply.len() >= 32 => {
            reply[2] = reply[2].wrapping_add(part.byte());
            one(reply)
        }
        15 if !reply.is_empty() => match part.byte() % 4 {
            0 => vec![ServerAction::Flood(reply)],
            1 => vec![ServerAction::Flood(event(request, part))],
            2 => vec![ServerAction::Trickle(reply, Duration::from_millis(5))],
            _ => one(reply.repeat(2 + usize::from(part.byte()))),
        },
        _ => request.default_actions(),
    }
}

/// Builds an event from input bytes.
fn event(request: &Request, part: &mut Part) -> Vec<u8> {
    let mut bytes = vec![part.byte().max(2)];
    bytes.push(part.byte());
    bytes.extend(request.sequence.to_ne_bytes());
    let count = part.byte() % 29;
    bytes.extend(part.bytes(count.into()));
    bytes.resize(32, 0);
    bytes
}

fn request_error(request: &Request, part: &mut Part) -> Vec<u8> {
    let mut bytes = vec![0, part.byte()];
    bytes.extend(request.sequence.to_ne_bytes());
    bytes.resize(32, 0);
    bytes
}
