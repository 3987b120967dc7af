//! Reads lines of limited length that come from inside a computer.

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// The maximum length of a line, in bytes. Messages of the agent and notifications of the audio server are far shorter.
pub(crate) const LINE_LIMIT: usize = 16 * 1024;

/// The maximum length of a string that is quoted in an error or in the log, in characters.
const QUOTE_LIMIT: usize = 1024;

/// Returns the first [`QUOTE_LIMIT`] characters of a string, without control characters, which could change the output
/// of a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(QUOTE_LIMIT).collect()
}

/// Reads lines. Fails at the first line that is too long. Cancel-safe: when a read is canceled, the partial line is
/// kept.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    partial: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader: BufReader::new(reader), partial: Vec::new() }
    }

    /// Returns the reader. Bytes that are already in the buffer can no longer be read from it.
    pub(crate) fn get_mut(&mut self) -> &mut R {
        self.reader.get_mut()
    }

    /// Returns the next line without its line break, or `None` at the end of the stream. Invalid UTF-8 is replaced.
    pub(crate) async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            let read = self.reader.fill_buf().await?;
            if read.is_empty() {
                return Ok((!self.partial.is_empty()).then(|| self.take()));
            }
            let end = read.iter().position(|&byte| byte == b'\n');
            let length = end.unwrap_or(read.len());
            if self.partial.len() + length > LINE_LIMIT {
                let message = format!("a line is longer than {LINE_LIMIT} bytes");
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            self.partial.extend_from_slice(&read[..length]);
            self.reader.consume(length + usize::from(end.is_some()));
            if end.is_some() {
                return Ok(Some(self.take()));
            }
        }
    }

    fn take(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.partial)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn lines_are_split_and_the_last_needs_no_line_break() {
        let mut lines = Lines::new(&b"a\n\nb\xff\nc"[..]);
        for expected in ["a", "", "b\u{fffd}", "c"] {
            assert_eq!(lines.next().await.expect("the line is short enough").as_deref(), Some(expected));
        }
        assert_eq!(lines.next().await.expect("the line is short enough"), None);
    }

    #[test]
    fn a_quoted_text_is_short_and_has_no_control_characters() {
        assert_eq!(printable("\u{1b}[2Jno\r\n\u{9b}1m é"), "[2Jno1m é");
        assert_eq!(printable(&"x".repeat(1 << 20)).len(), QUOTE_LIMIT);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_an_error_and_is_not_buffered() {
        let mut lines = Lines::new(tokio::io::repeat(b'x').take(1 << 40));
        let error = lines.next().await.expect_err("the line is too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(lines.partial.capacity() <= 2 * LINE_LIMIT);
    }
}
