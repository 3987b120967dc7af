//! Any bytes as the replies of an X server.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::{
    Button, Direction, ImageFormat, Screen, ScreenEvent, Sign, Watch,
    dial::Endpoint,
    fake_server::{Act, FakeServer, Request},
    limits::Limits,
};
use crate::fuzz::ignore_broken_pipes;

/// Short, since most inputs end in a reply that never comes.
const LIMITS: Limits = Limits {
    reply: Duration::from_millis(20),
    operation: Duration::from_millis(60),
    application: Duration::from_millis(60),
};
/// Upper limit for one input.
const LONGEST: Duration = Duration::from_secs(60);
/// Number of connections that the input controls. Others get the replies of a real X server.
const CONNECTIONS: usize = 6;

/// No reply of an X server causes a panic, or a call that does not end.
///
/// The first byte chooses the calls. The rest is divided among the connections.
pub(crate) fn display(data: &[u8]) {
    ignore_broken_pipes();
    let Some((&actions, data)) = data.split_first() else { return };
    let began = Instant::now();
    let parts = Mutex::new(parts(data));
    let fake = FakeServer::new(move |request| {
        let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
        match parts.get_mut(request.connection) {
            Some(part) => acts(request, part),
            None => request.answer(),
        }
    });
    use_screen(&fake, actions);
    fake.close();
    assert!(began.elapsed() < LONGEST, "it took {:?}", began.elapsed());
}

fn use_screen(fake: &Arc<FakeServer>, actions: u8) {
    let dialer = Arc::clone(fake);
    let Ok(screen) = Screen::open_within(dialer, LIMITS) else { return };
    let wanted = CancellationToken::new();
    if actions & 1 != 0 {
        let (send, events) = mpsc::channel::<ScreenEvent>();
        let endpoint = Endpoint { dialer: fake.clone(), limits: LIMITS };
        let watch = Watch::start(&endpoint, Duration::from_secs(1), move |event| {
            let _ = send.send(event);
        });
        let _ = events.recv_timeout(LIMITS.operation);
        drop(watch);
        // The sink is dropped when the thread ends.
        while events.recv_timeout(LONGEST) != Err(mpsc::RecvTimeoutError::Disconnected) {}
    }
    // Any result of these calls is fine.
    if actions & 2 != 0 {
        let _ = screen.screenshot(ImageFormat::Png, (actions & 4 != 0).then_some(0.5));
    }
    if actions & 8 != 0 {
        let _ = screen.click(1, 1, Button::Left, true);
        let _ = screen.drag((0, 0), (2, 2), Button::Right, Duration::from_millis(1), &wanted);
    }
    if actions & 16 != 0 {
        let _ = screen.key("ctrl+ж");
        let _ = screen.key("ctrl+a");
    }
    if actions & 32 != 0 {
        let _ = screen.type_text("aÄж", None, &wanted);
        let _ = screen.screenshot(ImageFormat::Jpeg, None);
    }
    if actions & 64 != 0 {
        let _ = screen.scroll(Direction::Down, 2, Some((1, 1)));
        let _ = screen.size();
    }
    if actions & 128 != 0 {
        let _ = screen.wait_for(Sign::Desktop, Instant::now() + LIMITS.reply);
    }
}

/// The bytes of each connection, each prefixed by its length in units of 4 bytes.
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

/// The bytes of one connection, followed by zeros.
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

fn acts(request: &Request, part: &mut Part) -> Vec<Act> {
    let mut reply = request.reply().unwrap_or_default();
    let one = |bytes| vec![Act::Send(bytes)];
    match part.byte() % 16 {
        // The reply with some bytes changed.
        1..=4 => {
            for _ in 0..part.byte() % 8 {
                let at = usize::from(u16::from_ne_bytes([part.byte(), part.byte()])) % reply.len().max(1);
                if let Some(byte) = reply.get_mut(at) {
                    *byte = part.byte();
                }
            }
            one(reply)
        }
        // A different length field, with or without that many bytes.
        5 if reply.len() >= 32 => {
            let words = u32::from_ne_bytes([part.byte(), part.byte(), part.byte(), part.byte()]);
            reply[4..8].copy_from_slice(&words.to_ne_bytes());
            reply.resize(32 + (words as usize % 4096) * 4, part.byte());
            one(reply)
        }
        // An event first.
        6 => vec![Act::Send(event(request, part)), Act::Send(reply)],
        // Many events first.
        7 => vec![Act::Send(event(request, part).repeat(usize::from(part.byte()) * 16)), Act::Send(reply)],
        8 => one(request_error(request, part)),
        9 => {
            let count = part.byte();
            one(part.bytes(count.into()))
        }
        10 => Vec::new(),
        11 => vec![Act::Close],
        // A part of the reply.
        12 => {
            reply.truncate(usize::from(part.byte()) % (reply.len() + 1));
            one(reply)
        }
        // A reply of any words, with their number.
        13 => {
            let count = usize::from(part.byte() % 64);
            let words: Vec<u32> = (0..count).map(|_| u32::from(part.byte()) << (part.byte() % 32)).collect();
            let head = [(8, u32::from(part.byte())), (12, part.byte().into()), (16, count as u32)];
            one(request.reply_with(part.byte(), &head, &words))
        }
        // The reply to another request.
        14 if reply.len() >= 32 => {
            reply[2] = reply[2].wrapping_add(part.byte());
            one(reply)
        }
        15 if !reply.is_empty() => match part.byte() % 4 {
            0 => vec![Act::Flood(reply)],
            1 => vec![Act::Flood(event(request, part))],
            2 => vec![Act::Drip(reply, Duration::from_millis(5))],
            _ => one(reply.repeat(2 + usize::from(part.byte()))),
        },
        _ => request.answer(),
    }
}

/// Any event.
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
