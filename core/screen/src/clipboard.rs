//! The clipboard: plain Latin-1 text, or UTF-8 text on request with the extension of the protocol.

use super::inflate::Stream;
use super::reader::{Read, Reader, Stop, lossy};
use crate::prelude::*;

/// The longest text that is accepted, in bytes.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// The most bytes of text that are unpacked: line ends have two bytes during the transfer, and a zero byte follows.
const MAX_UNPACKED: usize = MAX_TEXT * 2 + 1;

/// The longest message that is received. A longer text is received and dropped, because the channel goes on after it.
const MAX_MESSAGE: usize = 16 << 20;

/// The text of the computer, or `TooLong`.
pub(super) type Answer = Result<String, TooLong>;

/// The text is longer than [`MAX_TEXT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

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
    /// The text that this side offers to the server, while it owns the clipboard.
    offered: Option<String>,
    /// The last text of a server without the extension.
    received: Option<Answer>,
    wanted: Wanted,
}

/// How far a request of the program is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// The program waits for nothing: a text that arrives is too late.
    #[default]
    Nothing,
    /// The server was asked whether it has a text. A text that arrives before the response belongs to an old request.
    Peeked,
    /// The server was asked for the text.
    Requested,
}

impl Clipboard {
    /// Forgets the previous socket.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Returns whether the server accepts every character.
    pub(super) fn is_unicode(&self) -> bool {
        self.actions & NOTIFY != 0
    }

    /// Sets whether the server accepts every character, in a mirror.
    pub(super) fn set_unicode(&mut self, unicode: bool) {
        self.actions = if unicode { NOTIFY } else { 0 };
    }

    /// Forgets the texts, in a mirror.
    pub(super) fn forget(&mut self) {
        (self.offered, self.received, self.wanted) = (None, None, Wanted::Nothing);
    }

    /// Handles the text message of the server. Returns the text that the program asked for.
    pub(super) fn handle(&mut self, reader: &mut Reader<'_>, output: &mut Vec<u8>) -> Read<Option<Answer>> {
        reader.take(3)?;
        let length = reader.u32()?.cast_signed();
        // A negative length means the extended form.
        let size = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
        if size > MAX_MESSAGE {
            return Err(Stop::Invalid("the text of the clipboard is too long"));
        }
        let bytes = reader.take(size)?;
        if length < 0 {
            return self.extended(Reader::new(bytes), output).map_err(|stop| match stop {
                Stop::Incomplete => Stop::Invalid("a message of the clipboard ends early"),
                invalid => invalid,
            });
        }
        let mut text = String::new();
        for &byte in bytes {
            text.push(char::from(byte));
        }
        self.received = Some(checked(text));
        self.offered = None;
        Ok(None)
    }

    fn extended(&mut self, mut reader: Reader<'_>, output: &mut Vec<u8>) -> Read<Option<Answer>> {
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
            return Ok(self.notified(flags & TEXT != 0, output));
        } else if flags & PROVIDE != 0 && flags & TEXT != 0 && self.wanted == Wanted::Requested {
            self.wanted = Wanted::Nothing;
            return unpacked(reader.take(reader.len())?).map(Some);
        }
        Ok(None)
    }

    /// Handles the news whether the server has a text.
    fn notified(&mut self, has_text: bool, output: &mut Vec<u8>) -> Option<Answer> {
        if has_text {
            // A program of the computer has taken the clipboard. Without a text, the server only says that no program
            // has it, which is also so while this side offers a text.
            self.offered = None;
            if self.wanted != Wanted::Nothing {
                // A server forgets the requests for the previous text.
                self.wanted = Wanted::Requested;
                message(output, REQUEST | TEXT, &[]);
            }
            return None;
        }
        (core::mem::take(&mut self.wanted) != Wanted::Nothing).then(|| Ok(String::new()))
    }

    /// Asks for the text. Returns it if it is known already, and the message to the server.
    pub(super) fn request(&mut self) -> (Option<Answer>, Vec<u8>) {
        if let Some(text) = &self.offered {
            // The server does not send a text back to the side that offers it.
            return (Some(Ok(text.clone())), Vec::new());
        }
        if self.actions & REQUEST == 0 {
            return (Some(self.received.clone().unwrap_or_else(|| Ok(String::new()))), Vec::new());
        }
        let mut output = Vec::new();
        // Servers ignore a request while they have announced no text, but they respond to a peek.
        if self.actions & PEEK != 0 {
            self.wanted = Wanted::Peeked;
            message(&mut output, PEEK, &[]);
        } else {
            self.wanted = Wanted::Requested;
            message(&mut output, REQUEST | TEXT, &[]);
        }
        (None, output)
    }

    /// Returns the answer to a request that waits while this side offers a new text.
    pub(super) fn answer_with_offer(&mut self) -> Option<Answer> {
        let text = self.offered.as_ref().filter(|_| self.wanted != Wanted::Nothing)?;
        self.wanted = Wanted::Nothing;
        Some(Ok(text.clone()))
    }

    /// Offers a text to the server. Returns the message. Returns `None` if the server does not know the extension, and
    /// the text has characters beyond Latin-1.
    pub(super) fn offer(&mut self, text: &str) -> Option<Vec<u8>> {
        let mut output = Vec::new();
        if self.is_unicode() {
            message(&mut output, NOTIFY | TEXT, &[]);
        } else {
            output.extend_from_slice(&[6, 0, 0, 0, 0, 0, 0, 0]);
            for one in text.chars() {
                output.push(u8::try_from(u32::from(one)).ok()?);
            }
            let length = u32::try_from(output.len() - 8).unwrap_or(u32::MAX);
            output[4..8].copy_from_slice(&length.to_be_bytes());
        }
        self.offered = Some(text.to_owned());
        Some(output)
    }
}

fn checked(text: String) -> Answer {
    if text.len() > MAX_TEXT { Err(TooLong) } else { Ok(text) }
}

/// Unpacks the text of the server.
fn unpacked(compressed: &[u8]) -> Read<Answer> {
    const LENGTH: usize = 4;
    let mut stream = Stream::default();
    let result = stream.inflate(compressed, MAX_UNPACKED + LENGTH).map(|_| ());
    // The length is unpacked, even if the text does not fit.
    let mut data = Reader::new(stream.start());
    let length = data.length(MAX_UNPACKED, "the text is too long");
    if length.is_err() && (result.is_ok() || data.len() > 0) {
        return Ok(Err(TooLong));
    }
    result?;
    let mut text = with_lf(data.take(length?)?);
    while text.last() == Some(&0) {
        text.pop();
    }
    Ok(checked(lossy(&text)))
}

/// Returns the text with line ends as LF instead of CR LF.
fn with_lf(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    for (at, &byte) in text.iter().enumerate() {
        if byte != b'\r' || text.get(at + 1) != Some(&b'\n') {
            result.push(byte);
        }
    }
    result
}

/// Writes an extended message, whose length is negative.
fn message(output: &mut Vec<u8>, flags: u32, data: &[u8]) {
    let length = i32::try_from(data.len() + 4).unwrap_or(i32::MAX);
    output.extend_from_slice(&[6, 0, 0, 0]);
    output.extend_from_slice(&(-length).to_be_bytes());
    output.extend_from_slice(&flags.to_be_bytes());
    output.extend_from_slice(data);
}

/// Returns the text as a zlib stream: with a length, line ends as CR LF, and a zero byte at the end. The stream is not
/// compressed, so that pages do not download a compressor.
fn provided(text: &str) -> Vec<u8> {
    let mut data = vec![0; 4];
    for byte in with_lf(text.as_bytes()) {
        if byte == b'\n' {
            data.push(b'\r');
        }
        data.push(byte);
    }
    data.push(0);
    let length = u32::try_from(data.len() - 4).unwrap_or(u32::MAX);
    data[..4].copy_from_slice(&length.to_be_bytes());
    let mut stream = vec![0x78, 0x01];
    let mut rest = data.as_slice();
    while !rest.is_empty() {
        let (block, later) = rest.split_at(rest.len().min(u16::MAX.into()));
        rest = later;
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.push(u8::from(rest.is_empty()));
        stream.extend_from_slice(&length.to_le_bytes());
        stream.extend_from_slice(&(!length).to_le_bytes());
        stream.extend_from_slice(block);
    }
    // Adler-32.
    let (mut a, mut b) = (1_u32, 0_u32);
    for &byte in &data {
        a = (a + u32::from(byte)) % 65_521;
        b = (a + b) % 65_521;
    }
    stream.extend_from_slice(&(b << 16 | a).to_be_bytes());
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

    fn handle(clipboard: &mut Clipboard, bytes: &[u8]) -> (Option<Answer>, Vec<u8>) {
        let mut output = Vec::new();
        let found = clipboard.handle(&mut Reader::new(bytes), &mut output).unwrap();
        (found, output)
    }

    /// Returns a message to the server without data.
    fn sent(flags: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        message(&mut bytes, flags, &[]);
        bytes
    }

    fn extended() -> Clipboard {
        let mut clipboard = Clipboard::default();
        handle(&mut clipboard, &from_server(CAPS | REQUEST | PEEK | NOTIFY | PROVIDE | TEXT, &[0; 4]));
        clipboard
    }

    #[test]
    fn text_is_only_received_on_request() {
        let mut clipboard = extended();
        let provide = from_server(PROVIDE | TEXT, &provided("über\nzwei 😀"));
        assert_eq!(handle(&mut clipboard, &provide).0, None);
        let (answer, output) = clipboard.request();
        assert_eq!((answer, &output[..]), (None, &sent(PEEK)[..]));
        // The text of an old request is not the answer.
        assert_eq!(handle(&mut clipboard, &from_server(PROVIDE | TEXT, &provided("old"))).0, None);
        assert_eq!(handle(&mut clipboard, &from_server(NOTIFY | TEXT, &[])), (None, sent(REQUEST | TEXT)));
        assert_eq!(handle(&mut clipboard, &provide).0, Some(Ok("über\nzwei 😀".to_owned())));
        assert_eq!(handle(&mut clipboard, &provide).0, None);
    }

    #[test]
    fn without_an_announced_text_the_answer_is_empty() {
        let mut clipboard = extended();
        clipboard.request();
        assert_eq!(handle(&mut clipboard, &from_server(NOTIFY, &[])).0, Some(Ok(String::new())));
        assert_eq!(handle(&mut clipboard, &from_server(NOTIFY, &[])).0, None);
    }

    #[test]
    fn the_own_text_is_the_answer_until_a_program_takes_the_clipboard() {
        let mut clipboard = extended();
        clipboard.request();
        assert_eq!(clipboard.answer_with_offer(), None);
        clipboard.offer("two");
        assert_eq!(clipboard.answer_with_offer(), Some(Ok("two".to_owned())));
        // The server says that the program that had the clipboard has lost it.
        handle(&mut clipboard, &from_server(NOTIFY, &[]));
        assert_eq!(clipboard.request(), (Some(Ok("two".to_owned())), Vec::new()));
        assert!(!handle(&mut clipboard, &from_server(REQUEST | TEXT, &[])).1.is_empty());
        handle(&mut clipboard, &from_server(NOTIFY | TEXT, &[]));
        assert_eq!(clipboard.request().0, None);
    }

    #[test]
    fn a_text_over_the_limit_is_an_answer_of_its_own() {
        for size in [MAX_TEXT + 1, MAX_TEXT * 2 + 2, MAX_TEXT * 4] {
            let mut clipboard = extended();
            clipboard.request();
            handle(&mut clipboard, &from_server(NOTIFY | TEXT, &[]));
            let provide = from_server(PROVIDE | TEXT, &provided(&"x".repeat(size)));
            assert_eq!(handle(&mut clipboard, &provide).0, Some(Err(TooLong)), "{size}");
        }
        let mut clipboard = extended();
        clipboard.request();
        handle(&mut clipboard, &from_server(NOTIFY | TEXT, &[]));
        let text = "\n".repeat(MAX_TEXT);
        let provide = from_server(PROVIDE | TEXT, &provided(&text));
        assert_eq!(handle(&mut clipboard, &provide).0, Some(Ok(text)));
    }

    #[test]
    fn text_is_provided_when_the_server_requests_it() {
        let mut clipboard = extended();
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
        assert_eq!(clipboard.request().0, Some(Ok("é".to_owned())));
    }
}
