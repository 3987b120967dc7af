//! Tests a screen channel under any schedule, and each decoder with any data.

use orgo_core::channel::screen::{
    ImageFormat, KeyAction, PointerButton, Rect, Screen, ScreenItem, ScreenOptions,
};
use orgo_core::channel::{ScreenSession, Session, State, Target};

use super::input::Input;
use super::session::{self, Frame, Subject};

pub(crate) fn run(data: &[u8]) {
    session::run::<Viewer>(&mut Input::new(data));
}

/// The side of the largest screen of a documented frame. Other frames may have any size.
const SIDE: u16 = 80;

#[derive(Default)]
struct Viewer;

impl Subject for Viewer {
    type Channel = Screen;

    /// A cursor, the text of the clipboard, 64 errors and 64 small images; one item of every other kind.
    const LARGEST_QUEUE: (usize, usize) = (16 << 20, 64 + 64 + 8);

    fn begin(target: Target, input: &mut Input<'_>) -> Option<Session<Screen>> {
        let options = ScreenOptions { view_only: input.byte() == 1, ..ScreenOptions::default() };
        Some(Session::screen(target, options, 1, 0))
    }

    fn command(session: &mut Session<Screen>, input: &mut Input<'_>) {
        let mut number = || f64::from(input.byte());
        let (x, y) = (number(), number());
        let button = input.pick(&[PointerButton::Left, PointerButton::Right, PointerButton::Forward]);
        match input.byte() % 14 {
            0 | 1 => drop(session.move_pointer(x, y)),
            2 => drop(session.set_button(button, input.flag())),
            3 => drop(session.click(button, x, &[input.text()])),
            4 => drop(session.wheel(x - 128.0, y - 128.0)),
            5 => {
                let action = input.pick(&[KeyAction::Press, KeyAction::Down, KeyAction::Hold, KeyAction::Up]);
                drop(session.key(&input.text(), action));
            }
            6 => drop(session.set_key(input.number().into(), input.flag().then_some(30), input.flag())),
            7 => drop(session.resize(x, y)),
            8 => drop(session.set_clipboard(&input.text())),
            9 => drop(session.request_clipboard()),
            10 => session.set_paused(input.flag()),
            11 => session.release_all(),
            12 => drop(session.drag(button, &[(x, y), (y, x)])),
            _ => {
                let region = Rect { x: input.number(), y: 0, width: SIDE, height: input.byte().into() };
                let _ = session.request_image(1, Some(region), x / 100.0, ImageFormat::Rgba, false);
            }
        }
    }

    fn frame(input: &mut Input<'_>) -> Frame {
        Frame::Binary(match input.byte() % 12 {
            0 => b"RFB 003.008\n".to_vec(),
            1 => input.pick(&[&b"RFB 003.003\n"[..], b"RFB 003.007\n"]).to_vec(),
            2 => vec![1, input.pick(&[1, 2])],
            3 => vec![0, 0, 0, input.byte() % 3],
            4 => init(input.number() % SIDE, input.number() % SIDE),
            // A whole handshake.
            5 | 6 => handshake(input.number() % SIDE, input.number() % SIDE),
            7 => {
                let payload = input.bytes();
                let length = u8::try_from(payload.len() % 64).expect("a byte");
                let flags = [input.pick(&[0, 0x80]), 0, 0, input.byte()];
                [&[248, 0, 0, 0][..], &flags, &[length], &payload[..usize::from(length)]].concat()
            }
            8 => {
                let data = input.bytes();
                let length = i32::try_from(data.len()).expect("a short text");
                let length = if input.flag() { length } else { -length };
                [&[3, 0, 0, 0][..], &length.to_be_bytes(), data].concat()
            }
            9 => vec![input.pick(&[2, 150])],
            _ => {
                let count = u16::from(input.byte() % 4);
                let rects = (0..count).flat_map(|_| rect(input)).collect::<Vec<u8>>();
                [&[0, 0][..], &count.to_be_bytes(), &rects].concat()
            }
        })
    }

    fn item(&mut self, item: ScreenItem) -> (u64, usize) {
        match item {
            ScreenItem::Damage { rects, updates } => {
                assert!(updates > 0 && rects.len() <= 64);
                (updates, size_of_val(&*rects))
            }
            ScreenItem::Cursor(cursor) => {
                assert_eq!(cursor.pixels.len(), usize::from(cursor.width) * usize::from(cursor.height) * 4);
                (0, cursor.pixels.len())
            }
            ScreenItem::Image { image, .. } => {
                assert_eq!(image.data.len(), usize::from(image.width) * usize::from(image.height) * 4);
                (0, image.data.len())
            }
            ScreenItem::Clipboard { text } => (0, text.len()),
            ScreenItem::Error { message } => (0, message.len()),
            ScreenItem::Reconnected | ScreenItem::Resized { .. } | ScreenItem::Bell => (0, 0),
            _ => panic!("an item of an unknown kind"),
        }
    }
}

/// Compares the screen after the same rectangles in one message, and split at any point.
pub(crate) fn decoders(data: &[u8]) {
    let mut input = Input::new(data);
    let (width, height) = (u16::from(input.byte()) + 1, u16::from(input.byte()) + 1);
    let cut = usize::from(input.number());
    let mut stream = handshake(width, height);
    while !input.is_empty() {
        let count = u16::from(input.byte() % 3) + 1;
        stream.extend([0, 0]);
        stream.extend(count.to_be_bytes());
        for _ in 0..count {
            stream.extend(rect(&mut input));
        }
    }
    let (whole, split) = (shown(&[&stream]), {
        let (first, second) = stream.split_at(cut % (stream.len() + 1));
        shown(&[first, second])
    });
    // The limit of the drawn pixels is the only one that depends on the size of the messages.
    let too_much = |session: &ScreenSession| matches!(session.state(), State::Closed(cause) if cause.message.contains("too many pixels"));
    if !too_much(&whole) && !too_much(&split) {
        assert_eq!(whole.framebuffer(), split.framebuffer(), "the split does not change the screen");
        assert_eq!(matches!(whole.state(), State::Closed(_)), matches!(split.state(), State::Closed(_)));
    }
}

fn shown(pieces: &[&[u8]]) -> ScreenSession {
    let mut session = session::opened(|target| Ok(Session::screen(target, ScreenOptions::default(), 1, 0)));
    for piece in pieces {
        session.handle_binary(0, piece);
    }
    session
}

/// Returns a rectangle with data of the input. Compressed data is well-formed, so that the decoder behind it is tested.
fn rect(input: &mut Input<'_>) -> Vec<u8> {
    let encoding = input.byte();
    let mut rect: Vec<u8> = Vec::new();
    for _ in 0..2 {
        rect.extend([0, input.byte() % 8]);
    }
    for _ in 0..2 {
        rect.extend([0, input.byte()]);
    }
    let number = match encoding % 10 {
        0 => 0,
        1 => 1,
        2 | 3 => 5,
        4 | 5 => 16,
        6 | 7 => 7,
        8 => input.pick(&[-224, -239, -258, -308, -316, -312]),
        _ => i32::from(input.number().cast_signed()),
    };
    rect.extend(i32::to_be_bytes(number));
    let data = input.bytes();
    match encoding % 10 {
        4 => {
            let data = stored(data);
            rect.extend(u32::try_from(data.len()).unwrap_or_default().to_be_bytes());
            rect.extend(data);
        }
        6 => {
            // A control byte, the filter if it is explicit, and compressed data.
            let control = input.byte() % 0x80;
            rect.push(control);
            if control & 0x40 != 0 {
                let filter = input.byte() % 3;
                rect.push(filter);
                if filter == 1 {
                    let colors = input.byte();
                    rect.push(colors);
                    rect.extend(
                        (0..(usize::from(colors) + 1) * 3)
                            .map(|at| u8::try_from(at % 256).unwrap_or_default()),
                    );
                }
            }
            let data = stored(data);
            let length = data.len();
            rect.extend([
                u8::try_from(length & 127).unwrap_or_default() | 128,
                u8::try_from(length >> 7 & 127).unwrap_or_default() | 128,
                u8::try_from(length >> 14).unwrap_or_default(),
            ]);
            rect.extend(data);
        }
        _ => rect.extend(data),
    }
    rect
}

/// Returns a zlib stream with uncompressed data. The stream does not end.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    for block in data.chunks(usize::from(u16::MAX)) {
        let length = u16::try_from(block.len()).unwrap_or_default();
        stream.push(0);
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    stream
}

fn handshake(width: u16, height: u16) -> Vec<u8> {
    [b"RFB 003.008\n\x01\x01\x00\x00\x00\x00".to_vec(), init(width, height)].concat()
}

fn init(width: u16, height: u16) -> Vec<u8> {
    [&width.to_be_bytes()[..], &height.to_be_bytes(), &[0; 16], &[0, 0, 0, 1, b'x']].concat()
}
