//! The upload of a file: the multipart form and the progress.

use std::fmt;

use crate::encoding::json::Value;
use crate::encoding::text::{replace, split_once};
use crate::error::Error;
use crate::rest::http::{Body, Part};
use crate::rest::retry::Jitter;

/// The content of a file to upload.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// The name of the file.
    pub name: String,
    /// The MIME type.
    pub content_type: String,
    /// The bytes of the file, or how the platform reads them.
    pub data: Data,
}

/// The bytes of a file to upload.
#[derive(Clone, PartialEq, Eq)]
pub enum Data {
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// The platform reads the bytes while it sends them.
    External {
        /// The size in bytes, if it is known.
        size: Option<u64>,
        /// Whether the bytes can be read again for a retry.
        repeatable: bool,
    },
}

impl Data {
    /// Returns the size in bytes, if it is known.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::External { size, .. } => *size,
        }
    }

    /// Returns whether the bytes can be resent in a retry.
    pub(crate) fn is_repeatable(&self) -> bool {
        matches!(self, Self::Bytes(_) | Self::External { repeatable: true, .. })
    }
}

/// Shows only the size.
impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Data({:?} bytes)", self.size())
    }
}

impl From<Vec<u8>> for Data {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl Content {
    /// Creates the content from the fields that a binding received for `operation`.
    ///
    /// # Errors
    /// [`Error::Encode`] if a field is missing.
    pub fn read(
        operation: &str,
        name: Option<String>,
        content_type: Option<String>,
        data: Option<Data>,
    ) -> Result<Self, Error> {
        match (name, content_type, data) {
            (Some(name), Some(content_type), Some(data)) => Ok(Self { name, content_type, data }),
            _ => {
                let problem = "must have a name, a content_type and a Uint8Array as data, or a source";
                Err(Error::encode(operation, "file", problem))
            }
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("name", &self.name).field("bytes", &self.data.size()).finish()
    }
}

/// The progress of an upload, in bytes of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadProgress {
    /// The number of bytes that the network has accepted.
    pub loaded: u64,
    /// The size of the file. `None` if it is not known yet.
    pub total: Option<u64>,
}

impl UploadProgress {
    /// Returns the progress as the JSON that the bindings pass to JavaScript.
    #[must_use]
    pub fn to_json(self) -> Value {
        Value::record([("loaded", self.loaded.into()), ("total", self.total.into())])
    }
}

/// Tracks the progress of the file in the request's body, across retries.
#[derive(Debug)]
pub(crate) struct UploadTracker {
    /// The number of bytes before the file in the body.
    before: u64,
    /// The size of the file, if it is known.
    size: Option<u64>,
    /// The number of bytes after the file in the body.
    after: u64,
    /// The largest number of bytes of the file that a single request has sent.
    loaded: Option<u64>,
    pending: bool,
}

impl UploadTracker {
    /// Creates a tracker for a body with the given number of bytes before and after the file.
    pub(crate) fn new(before: u64, size: Option<u64>, after: u64) -> Self {
        Self { before, size, after, loaded: None, pending: false }
    }

    /// Records that the network has accepted the first `body` bytes of the body.
    pub(crate) fn reach(&mut self, body: u64) {
        let past = body.saturating_sub(self.before);
        // Without a size, the last bytes may already be those after the file.
        let loaded = Some(self.size.map_or(past.saturating_sub(self.after), |size| past.min(size)));
        if loaded > self.loaded {
            self.loaded = loaded;
            self.pending = true;
        }
    }

    /// Records that the server has received the file.
    pub(crate) fn complete(&mut self) {
        self.pending |= self.size.is_none();
        let size = *self.size.get_or_insert(self.loaded.unwrap_or_default());
        self.reach(self.before.saturating_add(size));
    }

    /// Returns the progress, if it has changed since the last call.
    pub(crate) fn poll(&mut self) -> Option<UploadProgress> {
        let loaded = self.loaded.filter(|_| std::mem::take(&mut self.pending))?;
        Some(UploadProgress { loaded, total: self.size })
    }
}

/// A `multipart/form-data` body (RFC 7578): the fields, then the file.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) content_type: String,
    pub(crate) body: Body,
    pub(crate) tracker: UploadTracker,
}

impl Form {
    /// Returns whether a form can encode the name without changing it. A header allows no control characters except
    /// tabs. A form escapes quotes and line breaks but not the percent sign, so names that contain an escape would be
    /// decoded to another name.
    pub(crate) fn can_encode_name(name: &str) -> bool {
        let is_plain = |byte: u8| !byte.is_ascii_control() || matches!(byte, b'\t' | b'\r' | b'\n');
        name.bytes().all(is_plain)
            && ["%22", "%0D", "%0A"].iter().all(|escape| split_once(name, escape).is_none())
    }

    pub(crate) fn new(fields: &[(&str, Value)], content: Content, jitter: &mut Jitter) -> Self {
        let boundary = boundary(jitter);
        // Escapes the characters that browsers escape (WHATWG HTML, multipart form data). A quote or a line break would
        // end the parameter.
        let escape = |text: &str| {
            let escapes = [("\"", "%22"), ("\r", "%0D"), ("\n", "%0A")];
            escapes
                .iter()
                .fold(text.to_owned(), |text, (character, escape)| replace(&text, character, escape))
        };
        let content_type = match content.content_type.as_str() {
            text if !text.is_empty() && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) => {
                text
            }
            _ => "application/octet-stream",
        };
        let mut head = String::new();
        for (name, value) in fields {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            head.push_str(&format!(
                "--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n"
            ));
        }
        head.push_str(&format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{}\"\r\ncontent-type: {content_type}\r\n\r\n",
            escape(&content.name)
        ));
        let tail = format!("\r\n--{boundary}--\r\n");
        let tracker = UploadTracker::new(head.len() as u64, content.data.size(), tail.len() as u64);
        let file = match content.data {
            Data::Bytes(bytes) => bytes.into(),
            Data::External { size, .. } => Part::File { size },
        };
        let body = Body::new([head.into_bytes().into(), file, tail.into_bytes().into()]);
        Self { content_type: format!("multipart/form-data; boundary={boundary}"), body, tracker }
    }
}

/// Returns a random boundary. The probability that a file contains it is negligible, so the file is not searched.
fn boundary(jitter: &mut Jitter) -> String {
    format!("orgo-{:016x}{:016x}", jitter.up_to(u64::MAX), jitter.up_to(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(upload: &mut UploadTracker, body: u64) -> Option<u64> {
        upload.reach(body);
        upload.poll().map(|uploaded| {
            assert_eq!(uploaded.total, Some(20));
            uploaded.loaded
        })
    }

    #[test]
    fn only_the_bytes_of_the_file_are_counted() {
        let mut upload = UploadTracker::new(10, Some(20), 7);
        let steps = [(4, Some(0)), (10, None), (11, Some(1)), (30, Some(20)), (37, None)];
        for (body, expected) in steps {
            assert_eq!(reported(&mut upload, body), expected, "{body} bytes of the body");
        }
    }

    #[test]
    fn a_retry_does_not_decrease_the_progress() {
        let mut upload = UploadTracker::new(10, Some(20), 7);
        assert_eq!(reported(&mut upload, 25), Some(15));
        assert_eq!(reported(&mut upload, 12), None);
        assert_eq!(reported(&mut upload, 26), Some(16));
    }

    #[test]
    fn the_complete_progress_is_reported_once() {
        for size in [20, 0] {
            let mut upload = UploadTracker::new(10, Some(size), 7);
            assert_eq!(upload.poll(), None);
            upload.complete();
            assert_eq!(upload.poll(), Some(UploadProgress { loaded: size, total: Some(size) }));
            upload.complete();
            assert_eq!(upload.poll(), None);
        }
    }

    #[test]
    fn an_unknown_size_is_known_at_the_end_and_never_exceeded_before() {
        let mut upload = UploadTracker::new(10, None, 7);
        // The file has 20 bytes, but at first the bytes after it could belong to the file.
        for (body, loaded) in [(10, Some(0)), (15, None), (30, Some(13)), (37, Some(20))] {
            upload.reach(body);
            assert_eq!(upload.poll(), loaded.map(|loaded| UploadProgress { loaded, total: None }), "{body}");
        }
        upload.complete();
        assert_eq!(upload.poll(), Some(UploadProgress { loaded: 20, total: Some(20) }));
        upload.complete();
        assert_eq!(upload.poll(), None);
    }

    #[test]
    fn names_that_a_form_would_change_are_refused() {
        for name in ["a.txt", "say \"hi\".txt", "a\r\nb\tc", "é 🙂", "100%", "%2", "%0a", "a\\b"] {
            assert!(Form::can_encode_name(name), "{name:?}");
        }
        for name in ["a%22b", "%0D", "x%0A", "a\0b", "\u{1b}[2J", "\u{7f}"] {
            assert!(!Form::can_encode_name(name), "{name:?}");
        }
    }

    #[test]
    fn the_range_of_the_file_is_correct() {
        let content = Content {
            name: "a\"b".to_owned(),
            content_type: String::new(),
            data: b"\r\n--x".to_vec().into(),
        };
        let form = Form::new(&[("projectId", "w".into())], content, &mut Jitter::new(1));
        let body = form.body.to_vec().unwrap();
        let (head, rest) = body.split_at(usize::try_from(form.tracker.before).unwrap());
        assert!(head.ends_with(b"application/octet-stream\r\n\r\n"));
        assert!(rest.starts_with(b"\r\n--x\r\n--orgo-"));
        assert_eq!((rest.len() - 5) as u64, form.tracker.after);
    }

    #[test]
    fn a_form_with_an_external_file_has_the_size_of_one_in_memory() {
        let form = |data| {
            let content = Content { name: "a".to_owned(), content_type: String::new(), data };
            Form::new(&[], content, &mut Jitter::new(1)).body.size()
        };
        let external = |size| form(Data::External { size, repeatable: false });
        assert_eq!(external(Some(5)), form(vec![0; 5].into()));
        assert_eq!(external(None), None);
    }
}
