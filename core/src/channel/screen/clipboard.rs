//! The clipboard: plain Latin-1 text, or UTF-8 text on request with the extension of the protocol.

use super::inflate::Stream;
use super::reader::{Read, Reader, Stop};

/// The longest text that is accepted, in bytes.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// The bits of the extended messages.
const TEXT: u32 = 1;
const CAPS: u32 = 1 << 24;
const REQUEST: u32 = 1 << 25;
const PEEK: u32 = 1 << 26;
const NOTIFY: u32 = 1 << 27;
const PROVIDE: u32 = 1 << 28;

#[derive(Debug, Default)]
pub(super) struct Clipboard {
    /// The actions of the server; 0 for a server without the extension.
    actions: u32,
    /// The text that this side offers to the server.
    offered: Option<String>,
    /// The last text of a server without the extension.
    received: Option<String>,
    /// Whether the program wants the text of the server.
    wanted: bool,
}

impl Clipboard {
    /// Forgets the previous socket.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Handles the text message of the server. Returns the text that the program asked for.
    pub(super) fn handle(&mut self, reader: &mut Reader<'_>, output: &mut Vec<u8>) -> Read<Option<String>> {
        reader.take(3)?;
        let length = reader.u32()?.cast_signed();
        // A negative length means the extended form.
        let size = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
        if size > MAX_TEXT * 2 {
            return Err(Stop::Invalid("the text of the clipboard is too long"));
        }
        let bytes = reader.take(size)?;
        if length < 0 {
            return self.extended(Reader::new(bytes), output).map_err(|stop| match stop {
                Stop::Incomplete => Stop::Invalid("a message of the clipboard ends early"),
                invalid => invalid,
            });
        }
        let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
        if std::mem::take(&mut self.wanted) {
            return Ok(Some(text));
        }
        self.received = Some(text);
        Ok(None)
    }

    fn extended(&mut self, mut reader: Reader<'_>, output: &mut Vec<u8>) -> Read<Option<String>> {
        let flags = reader.u32()?;
        if flags & CAPS != 0 {
            self.actions = flags & (REQUEST | PEEK | NOTIFY | PROVIDE);
            // The zero is the size up to which the server may send text without a request.
            message(output, CAPS | REQUEST | PEEK | NOTIFY | PROVIDE | TEXT, &0_u32.to_be_bytes());
        } else if flags & REQUEST != 0 {
            if let Some(text) = self.offered.as_deref().filter(|_| flags & TEXT != 0) {
                message(output, PROVIDE | TEXT, &provided(text));
            }
        } else if flags & PEEK != 0 {
            message(output, NOTIFY | if self.offered.is_some() { TEXT } else { 0 }, &[]);
        } else if flags & NOTIFY != 0 {
            // The other side has a new clipboard.
            self.offered = None;
        } else if flags & PROVIDE != 0 && flags & TEXT != 0 && std::mem::take(&mut self.wanted) {
            let mut buffer = Vec::new();
            let compressed = reader.take(reader.len())?;
            let data = Stream::default().inflate(compressed, &mut buffer, MAX_TEXT + 4)?;
            let mut data = Reader::new(data);
            let length = data.length(MAX_TEXT, "the text of the clipboard is too long")?;
            let text = String::from_utf8_lossy(data.take(length)?);
            return Ok(Some(text.trim_end_matches('\0').replace("\r\n", "\n")));
        }
        Ok(None)
    }

    /// Asks the server for its text. Returns the text of a server without the extension.
    pub(super) fn request(&mut self) -> (Option<String>, Vec<u8>) {
        if self.actions & REQUEST == 0 {
            self.wanted = false;
            return (Some(self.received.clone().unwrap_or_default()), Vec::new());
        }
        self.wanted = true;
        let mut output = Vec::new();
        message(&mut output, REQUEST | TEXT, &[]);
        (None, output)
    }

    /// Offers a text to the server. Returns the message. Returns `None` if the server does not know the extension, and
    /// the text has characters beyond Latin-1.
    pub(super) fn offer(&mut self, text: &str) -> Option<Vec<u8>> {
        let mut output = Vec::new();
        if self.actions & NOTIFY != 0 {
            self.offered = Some(text.to_owned());
            message(&mut output, NOTIFY | TEXT, &[]);
        } else {
            let latin: Vec<u8> =
                text.chars().map(|one| u8::try_from(u32::from(one)).ok()).collect::<Option<_>>()?;
            output.extend([6, 0, 0, 0]);
            output.extend(u32::try_from(latin.len()).unwrap_or(u32::MAX).to_be_bytes());
            output.extend(latin);
        }
        Some(output)
    }
}

/// Writes an extended message, whose length is negative.
fn message(output: &mut Vec<u8>, flags: u32, data: &[u8]) {
    let length = i32::try_from(data.len() + 4).unwrap_or(i32::MAX);
    output.extend([6, 0, 0, 0]);
    output.extend((-length).to_be_bytes());
    output.extend(flags.to_be_bytes());
    output.extend(data);
}

/// Returns the text as a zlib stream: with a length, line ends as CR LF, and a zero byte at the end. The stream is not
/// compressed, so that pages do not download a compressor.
fn provided(text: &str) -> Vec<u8> {
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    let mut data = u32::try_from(text.len() + 1).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    data.extend(text.as_bytes());
    data.push(0);
    let mut stream = vec![0x78, 0x01];
    let mut blocks = data.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    // Adler-32.
    let (a, b) = data.iter().fold((1_u32, 0_u32), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65_521;
        (a, (a + b) % 65_521)
    });
    stream.extend((b << 16 | a).to_be_bytes());
    stream
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a message of the server in the extended form.
    fn from_server(flags: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        message(&mut bytes, flags, data);
        bytes[1..].to_vec()
    }

    fn handle(clipboard: &mut Clipboard, bytes: &[u8]) -> (Option<String>, Vec<u8>) {
        let mut output = Vec::new();
        let found = clipboard.handle(&mut Reader::new(bytes), &mut output).unwrap();
        (found, output)
    }

    #[test]
    fn text_is_only_received_on_request() {
        let mut clipboard = Clipboard::default();
        handle(&mut clipboard, &from_server(CAPS | REQUEST | NOTIFY | PROVIDE | TEXT, &[0; 4]));
        let provide = from_server(PROVIDE | TEXT, &provided("über\nzwei 😀"));
        assert_eq!(handle(&mut clipboard, &provide).0, None);
        assert_eq!(clipboard.request().0, None);
        assert_eq!(handle(&mut clipboard, &provide).0.as_deref(), Some("über\nzwei 😀"));
        assert_eq!(handle(&mut clipboard, &provide).0, None);
    }

    #[test]
    fn text_is_provided_when_the_server_requests_it() {
        let mut clipboard = Clipboard::default();
        handle(&mut clipboard, &from_server(CAPS | REQUEST | NOTIFY | PROVIDE | TEXT, &[0; 4]));
        let long = "a\n😀".repeat(40_000);
        assert!(clipboard.offer(&long).is_some());
        let (_, output) = handle(&mut clipboard, &from_server(REQUEST | TEXT, &[]));
        let data = &output[12..];
        let plain = miniz_oxide::inflate::decompress_to_vec_zlib(data).unwrap();
        assert_eq!(&plain[4..plain.len() - 1], long.replace('\n', "\r\n").as_bytes());
        assert_eq!(
            plain.len() - 4,
            usize::try_from(u32::from_be_bytes(plain[..4].try_into().unwrap())).unwrap()
        );
    }

    #[test]
    fn a_server_without_the_extension_gets_latin_1() {
        let mut clipboard = Clipboard::default();
        assert_eq!(clipboard.offer("é"), Some(vec![6, 0, 0, 0, 0, 0, 0, 1, 0xe9]));
        assert_eq!(clipboard.offer("😀"), None);
        handle(&mut clipboard, &[0, 0, 0, 0, 0, 0, 1, 0xe9]);
        assert_eq!(clipboard.request().0.as_deref(), Some("é"));
    }
}
