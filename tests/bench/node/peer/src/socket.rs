//! The channels: prepared messages, sent at a rate or as fast as the client reads them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::frames::{BINARY, CLOSE, PING, PONG, TEXT, frame, take};

/// The size of one write of a flood.
const WRITE: usize = 256 << 10;

struct Flood {
    message: Vec<u8>,
    count: usize,
    /// Messages per second; 0 means no limit.
    rate: u32,
}

pub(crate) async fn serve(stream: TcpStream, mut buffer: Vec<u8>, path: &str) -> io::Result<()> {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let ["ws", count, size, rate, _, kind] = parts[..] else { return Ok(()) };
    let number = |text: &str| text.parse().unwrap_or(0);
    let size = number(size);
    let message = match kind {
        "terminal" => frame(TEXT, terminal_output(size).as_bytes()),
        "audio" => frame(BINARY, &vec![3; size]),
        _ => frame(TEXT, event(size).as_bytes()),
    };
    let mut flood = Some(Flood { message, count: number(count), rate: rate.parse().unwrap_or(0) });
    let (mut reading, writing) = stream.into_split();
    let writing = Arc::new(Mutex::new(writing));
    if kind == "audio" {
        let started = frame(TEXT, br#"{"type":"started","sample_rate":24000,"channels":1}"#);
        writing.lock().await.write_all(&started).await?;
    }
    let mut sending = None;
    loop {
        while let Some((opcode, payload)) = take(&mut buffer) {
            let contains = |word: &[u8]| payload.windows(word.len()).any(|part| part == word);
            let reply = match opcode {
                CLOSE => {
                    writing.lock().await.write_all(&frame(CLOSE, &payload)).await?;
                    return Ok(());
                }
                PING => frame(PONG, &payload),
                TEXT if contains(b"\"ping\"") => frame(TEXT, br#"{"type":"pong"}"#),
                _ => Vec::new(),
            };
            let starts = kind == "audio" || contains(b"\"input\"") || contains(b"\"subscribe\"");
            if starts && let Some(flood) = flood.take() {
                sending = Some(tokio::spawn(send(flood, Arc::clone(&writing))));
            }
            writing.lock().await.write_all(&reply).await?;
        }
        if reading.read_buf(&mut buffer).await? == 0 {
            if let Some(sending) = sending {
                sending.abort();
            }
            return Ok(());
        }
    }
}

async fn send(flood: Flood, writing: Arc<Mutex<OwnedWriteHalf>>) -> io::Result<()> {
    let Flood { message, count, rate } = flood;
    if rate == 0 {
        let at_once = (WRITE / message.len()).max(1);
        let block = message.repeat(at_once);
        let mut left = count;
        while left > 0 {
            let messages = left.min(at_once);
            writing.lock().await.write_all(&block[..messages * message.len()]).await?;
            left -= messages;
        }
        return Ok(());
    }
    let start = Instant::now();
    // Above 1,000 messages per second, several messages are sent per millisecond.
    let step = (rate / 1000).max(1) as usize;
    let block = message.repeat(step);
    let mut sent = 0;
    while sent < count {
        sleep_until(start + Duration::from_secs(1) * u32::try_from(sent).unwrap_or(u32::MAX) / rate).await;
        let messages = step.min(count - sent);
        writing.lock().await.write_all(&block[..messages * message.len()]).await?;
        sent += messages;
    }
    Ok(())
}

/// Returns a message with output whose text has `size` bytes: lines of `ls --color`.
fn terminal_output(size: usize) -> String {
    let line = "\u{1b}[01;34mdocuments\u{1b}[0m  report-2026-11.txt  \u{1b}[01;32mrun.sh\u{1b}[0m  notes.md  4096 Nov 24\r\n";
    let text: String = line.chars().cycle().take(size).collect();
    let escaped = text.replace('\u{1b}', "\\u001b").replace('\r', "\\r").replace('\n', "\\n");
    format!(r#"{{"type":"output","data":"{escaped}"}}"#)
}

/// Returns an event whose title has `size` bytes.
fn event(size: usize) -> String {
    let title = "t".repeat(size);
    format!(
        r#"{{"type":"event","event":{{"type":"window_focus","timestamp":"2026-11-24T10:00:00.000Z","data":{{"window_id":"0x2a0000c","title":"{title}"}}}}}}"#
    )
}
