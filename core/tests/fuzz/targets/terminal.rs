//! Tests a terminal under any schedule. The output must not depend on how it is split into frames.

use orgo_core::channel::{Session, Target, Terminal, TerminalItem};

use super::input::Input;
use super::session::{self, Frame, Subject};

pub(crate) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    if input.byte().is_multiple_of(4) {
        cut(&mut input);
    } else {
        session::run::<Shell>(&mut input);
    }
}

#[derive(Default)]
struct Shell {
    exited: bool,
}

impl Subject for Shell {
    type Channel = Terminal;

    /// The limit of unread output plus one message, and a small item for each 64 bytes.
    const LARGEST_QUEUE: (usize, usize) = ((64 << 20) + (1 << 17), (64 << 20) / 32);

    fn begin(target: Target, input: &mut Input<'_>) -> Option<Session<Terminal>> {
        let mut side = || input.flag().then(|| f64::from(input.number()));
        let (cols, rows) = (side(), side());
        Session::terminal(target, cols, rows, 1, 0).ok()
    }

    fn command(session: &mut Session<Terminal>, input: &mut Input<'_>) {
        if input.flag() {
            let _ = session.resize(f64::from(input.number()), f64::from(input.number()));
        } else {
            let _ = session.input(&input.text());
        }
    }

    fn frame(input: &mut Input<'_>) -> Frame {
        match input.byte() % 8 {
            0 => Frame::Text(r#"{"type":"exit","code":0}"#.to_owned()),
            1 => Frame::Text(serde_json::json!({ "type": "error", "message": input.text() }).to_string()),
            2 => Frame::Text(r#"{"type":"pong"}"#.to_owned()),
            3 | 4 => Frame::Text(serde_json::json!({ "type": "output", "data": input.text() }).to_string()),
            _ => Frame::Binary(output(input.bytes())),
        }
    }

    fn item(&mut self, item: TerminalItem) -> (u64, usize) {
        assert!(!self.exited, "nothing follows the exit");
        match item {
            TerminalItem::Output { data } => {
                assert!(!data.is_empty());
                (data.len() as u64, data.len())
            }
            TerminalItem::Error { message } => (0, message.len()),
            TerminalItem::Reconnected { .. } => (0, 0),
            TerminalItem::Exit { .. } => {
                self.exited = true;
                (0, 0)
            }
            _ => panic!("an item of an unknown kind"),
        }
    }
}

/// Returns a message with raw output, except for bytes that JSON does not allow in a string.
fn output(bytes: &[u8]) -> Vec<u8> {
    let mut frame = br#"{"type":"output","data":""#.to_vec();
    for byte in bytes {
        match byte {
            0..=0x1f | b'"' | b'\\' => frame.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            byte => frame.push(*byte),
        }
    }
    frame.extend_from_slice(br#""}"#);
    frame
}

/// Compares the output of the same bytes in one frame and in several.
fn cut(input: &mut Input<'_>) {
    let mut pieces = Vec::new();
    while !input.is_empty() {
        pieces.push(input.bytes());
    }
    let whole = pieces.concat();
    let (whole, cut) = (printed(&[&whole]), printed(&pieces));
    assert_eq!(whole, cut, "the split does not change the text");
}

fn printed(pieces: &[&[u8]]) -> String {
    let mut session = session::opened(|target| Session::terminal(target, None, None, 1, 0));
    // A final complete character flushes an incomplete one.
    for piece in pieces.iter().copied().chain([&b"."[..]]) {
        session.handle_binary(0, &output(piece));
    }
    let mut text = String::new();
    while let Some(item) = session.poll_item() {
        let TerminalItem::Output { data } = item else { panic!("output comes out: {item:?}") };
        text.push_str(&data);
    }
    text
}
