//! Any bytes as what the audio server reports.

use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe;
use tokio::runtime;

use super::queue::{CAPACITY, Queue};
use super::sound::{self, TYPES};
use crate::fuzz::ignore_broken_pipes;
use crate::untrusted::{LINE_LIMIT, Lines};

/// The notices of all lines become events, however the lines are cut, up to the first line that is too long; each piece
/// begins with its length. An empty piece is a long one.
pub(crate) fn notices(mut data: &[u8]) {
    ignore_broken_pipes();
    let mut pieces = Vec::new();
    while let Some((&length, rest)) = data.split_first() {
        let (piece, rest) = rest.split_at(usize::from(length).min(rest.len()));
        let long = || vec![rest.first().copied().unwrap_or(b'x'); LINE_LIMIT];
        pieces.push(if length == 0 { long() } else { piece.to_vec() });
        data = rest;
    }
    let whole = pieces.concat();
    let queue = Queue::default();
    queue.want(TYPES);
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let (mut writer, reader) = pipe::pipe().expect("there is room");
        let mut lines = Lines::new(reader);
        let writing = async move {
            for piece in pieces {
                // Fails once the reader has given up.
                if writer.write_all(&piece).await.is_err() {
                    break;
                }
            }
        };
        let following = async {
            sound::follow(&mut lines, &queue).await;
            drop(lines);
        };
        tokio::join!(writing, following);
        let mut expected = expected(&whole);
        let dropped = expected.len().saturating_sub(CAPACITY);
        assert_eq!(queue.dropped(), dropped as u64, "what has no room is dropped and counted");
        expected.truncate(CAPACITY);
        for kind in expected {
            assert_eq!(queue.pop().await.kind, kind, "in their order");
        }
        assert!(queue.is_empty(), "nothing else is reported");
    });
}

/// The events of a text that is held whole.
fn expected(text: &[u8]) -> Vec<super::EventType> {
    text.split(|&byte| byte == b'\n')
        .take_while(|line| line.len() <= LINE_LIMIT)
        .filter_map(|line| sound::parse(&String::from_utf8_lossy(line)))
        .collect()
}
