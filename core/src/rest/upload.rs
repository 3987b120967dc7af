//! The upload of a file: the multipart form and the progress.

use std::fmt;
use std::ops::Range;

use crate::encoding::json::Value;
use crate::encoding::text::split_once;
use crate::error::Error;
use crate::rest::http::Body;
use crate::rest::retry::Jitter;

/// The content of a file to upload.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// The name of the file.
    pub name: String,
    /// The MIME type.
    pub content_type: String,
    /// The bytes of the file.
    pub data: Vec<u8>,
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
        data: Option<Vec<u8>>,
    ) -> Result<Self, Error> {
        match (name, content_type, data) {
            (Some(name), Some(content_type), Some(data)) => Ok(Self { name, content_type, data }),
            _ => {
                let problem = "must have a name, a content_type and a Uint8Array as data";
                Err(Error::encode(operation, "file", problem))
            }
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("name", &self.name).field("bytes", &self.data.len()).finish()
    }
}

/// The progress of an upload, in bytes of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadProgress {
    /// The number of bytes that the network has accepted.
    pub loaded: usize,
    /// The size of the file.
    pub total: usize,
}

impl UploadProgress {
    /// Returns the progress as the JSON that the bindings pass to JavaScript.
    #[must_use]
    pub fn to_json(self) -> Value {
        Value::record([("loaded", (self.loaded as u64).into()), ("total", (self.total as u64).into())])
    }
}

/// Tracks the progress of the file in the request's body, across retries.
#[derive(Debug)]
pub(crate) struct UploadTracker {
    /// The range of the file in the body.
    file: Range<usize>,
    /// The largest number of bytes of the file that a single request has sent.
    loaded: Option<usize>,
    pending: bool,
}

impl UploadTracker {
    pub(crate) fn new(file: Range<usize>) -> Self {
        Self { file, loaded: None, pending: false }
    }

    /// Records that the network has accepted the first `body` bytes of the body.
    pub(crate) fn reach(&mut self, body: usize) {
        let loaded = Some(body.clamp(self.file.start, self.file.end) - self.file.start);
        if loaded > self.loaded {
            self.loaded = loaded;
            self.pending = true;
        }
    }

    /// Records that the server has received the file.
    pub(crate) fn complete(&mut self) {
        self.reach(self.file.end);
    }

    /// Returns the progress, if it has changed since the last call.
    pub(crate) fn poll(&mut self) -> Option<UploadProgress> {
        let loaded = self.loaded.filter(|_| std::mem::take(&mut self.pending))?;
        Some(UploadProgress { loaded, total: self.file.len() })
    }
}

/// A `multipart/form-data` body (RFC 7578): the fields, then the file.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) content_type: String,
    pub(crate) body: Body,
    /// The range of the file in the body.
    pub(crate) file: Range<usize>,
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
        let escape = |text: &str| text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
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
        let file = head.len()..head.len() + content.data.len();
        let tail = format!("\r\n--{boundary}--\r\n");
        let body = Body::new([head.into_bytes(), content.data, tail.into_bytes()]);
        Self { content_type: format!("multipart/form-data; boundary={boundary}"), body, file }
    }
}

/// Returns a random boundary. The probability that a file contains it is negligible, so the file is not searched.
fn boundary(jitter: &mut Jitter) -> String {
    format!("orgo-{:016x}{:016x}", jitter.up_to(u64::MAX), jitter.up_to(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(upload: &mut UploadTracker, body: usize) -> Option<usize> {
        upload.reach(body);
        upload.poll().map(|uploaded| {
            assert_eq!(uploaded.total, 20);
            uploaded.loaded
        })
    }

    #[test]
    fn only_the_bytes_of_the_file_are_counted() {
        let mut upload = UploadTracker::new(10..30);
        let steps = [(4, Some(0)), (10, None), (11, Some(1)), (30, Some(20)), (37, None)];
        for (body, expected) in steps {
            assert_eq!(reported(&mut upload, body), expected, "{body} bytes of the body");
        }
    }

    #[test]
    fn a_retry_does_not_decrease_the_progress() {
        let mut upload = UploadTracker::new(10..30);
        assert_eq!(reported(&mut upload, 25), Some(15));
        assert_eq!(reported(&mut upload, 12), None);
        assert_eq!(reported(&mut upload, 26), Some(16));
    }

    #[test]
    fn the_complete_progress_is_reported_once() {
        for file in [10..30, 10..10] {
            let mut upload = UploadTracker::new(file.clone());
            assert_eq!(upload.poll(), None);
            upload.complete();
            assert_eq!(upload.poll(), Some(UploadProgress { loaded: file.len(), total: file.len() }));
            upload.complete();
            assert_eq!(upload.poll(), None);
        }
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
        let content =
            Content { name: "a\"b".to_owned(), content_type: String::new(), data: b"\r\n--x".to_vec() };
        let form = Form::new(&[("projectId", "w".into())], content.clone(), &mut Jitter::new(1));
        let body = form.body.to_vec();
        assert_eq!(body[form.file.clone()], content.data);
        assert!(body[..form.file.start].ends_with(b"application/octet-stream\r\n\r\n"));
    }
}
