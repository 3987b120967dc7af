//! Fuzz target: feeds arbitrary bytes to the parser of the audio server's notifications.

use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe;
use tokio::runtime;

use super::audio::{self, TYPES};
use super::queue::{CAPACITY, Queue};
use crate::fuzz::ignore_broken_pipes;
use crate::untrusted::{LINE_LIMIT, Lines};

/// Checks that every notification before the first overlong line becomes an event, no matter how the input is split.
/// Each piece of `data` starts with its length in bytes. The length 0 stands for a piece of `LINE_LIMIT` bytes.
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
    queue.subscribe(TYPES);
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let (mut writer, reader) = pipe::pipe().expect("descriptors are available");
        let mut lines = Lines::new(reader);
        let writing = async move {
            for piece in pieces {
                // Writing fails after the reader has stopped.
                if writer.write_all(&piece).await.is_err() {
                    break;
                }
            }
        };
        let reading = async {
            audio::push_events(&mut lines, &queue).await;
            drop(lines);
        };
        tokio::join!(writing, reading);
        let mut expected = expected(&whole);
        let dropped = expected.len().saturating_sub(CAPACITY);
        assert_eq!(queue.dropped(), dropped as u64, "events beyond the capacity are dropped and counted");
        expected.truncate(CAPACITY);
        for kind in expected {
            assert_eq!(queue.pop().await.kind, kind, "the events arrive in order");
        }
        assert!(queue.is_empty(), "no other events are reported");
    });
}

/// Returns the types of the events that the complete text must produce.
fn expected(text: &[u8]) -> Vec<super::EventType> {
    text.split(|&byte| byte == b'\n')
        .take_while(|line| line.len() <= LINE_LIMIT)
        .filter_map(|line| audio::parse(&String::from_utf8_lossy(line)))
        .collect()
}
