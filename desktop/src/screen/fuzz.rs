//! Any bytes as what an X server answers.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::{
    Button, Direction, ImageFormat, Screen, ScreenEvent, Sign, Watch,
    dial::Endpoint,
    impostor::{Act, Impostor, Request},
    limits::Limits,
};
use crate::fuzz::ignore_broken_pipes;

/// Short, since an X server that answers nothing is most of what there is.
const LIMITS: Limits = Limits { reply: Duration::from_millis(20), operation: Duration::from_millis(60) };
/// Far more than any input may take.
const LONGEST: Duration = Duration::from_secs(60);
/// How many connections have bytes of their own. The others are answered as by an X server.
const CONNECTIONS: usize = 6;

/// Whatever the X server answers, nothing panics and everything ends.
///
/// The first byte says what is done with the screen, the next ones how the rest is shared among the connections.
pub(crate) fn display(data: &[u8]) {
    ignore_broken_pipes();
    let Some((&actions, data)) = data.split_first() else { return };
    let began = Instant::now();
    let parts = Mutex::new(parts(data));
    let impostor = Impostor::new(move |request| {
        let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
        match parts.get_mut(request.connection) {
            Some(part) => acts(request, part),
            None => request.answer(),
        }
    });
    use_screen(&impostor, actions);
    impostor.close();
    assert!(began.elapsed() < LONGEST, "it took {:?}", began.elapsed());
}

fn use_screen(impostor: &Arc<Impostor>, actions: u8) {
    let dialer = Arc::clone(impostor);
    let Ok(screen) = Screen::open_within(dialer, LIMITS) else { return };
    let wanted = CancellationToken::new();
    if actions & 1 != 0 {
        let (send, events) = mpsc::channel::<ScreenEvent>();
        let endpoint = Endpoint { dialer: impostor.clone(), limits: LIMITS };
        let watch = Watch::start(&endpoint, Duration::from_secs(1), move |event| {
            let _ = send.send(event);
        });
        let _ = events.recv_timeout(LIMITS.operation);
        drop(watch);
        // The sink is dropped when the thread ends.
        while events.recv_timeout(LONGEST) != Err(mpsc::RecvTimeoutError::Disconnected) {}
    }
    // What these give is for the caller of an honest X server.
    if actions & 2 != 0 {
        let _ = screen.screenshot(ImageFormat::Png, (actions & 4 != 0).then_some(0.5));
    }
    if actions & 8 != 0 {
        let _ = screen.click(1, 1, Button::Left, true);
        let _ = screen.drag((0, 0), (2, 2), Button::Right, Duration::from_millis(1), &wanted);
    }
    if actions & 16 != 0 {
        let _ = screen.key("ctrl+ж");
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

/// The bytes of each connection, of which the first of each says how many there are.
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

/// The bytes of one connection. Zeros follow.
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
        // Some bytes of the reply are others.
        1..=4 => {
            for _ in 0..part.byte() % 8 {
                let at = usize::from(u16::from_ne_bytes([part.byte(), part.byte()])) % reply.len().max(1);
                if let Some(byte) = reply.get_mut(at) {
                    *byte = part.byte();
                }
            }
            one(reply)
        }
        // Another length, with or without the bytes that it promises.
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
        // A reply that stops in the middle.
        12 => {
            reply.truncate(usize::from(part.byte()) % (reply.len() + 1));
            one(reply)
        }
        // A reply of as many words as it says.
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

/// Any event, most likely one of those that are waited for.
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
