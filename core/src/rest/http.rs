//! Requests and responses as plain data.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::encoding::text::{digits, split_before};

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// Returns the name of the method.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A complete request. Its `Debug` form shows neither the credentials nor the body.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub url: String,
    /// The header fields, with names in lower case. Each value is printable ASCII.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body; `None` sends none.
    pub body: Option<Body>,
    /// The largest response body to accept, in bytes. See [`ResponseBody`].
    pub max_response_bytes: u64,
    /// Whether the platform keeps the body of a successful response (2xx) for its reader, instead of reading the body into
    /// [`Response::body`].
    pub streams_response: bool,
    /// Whether the request must not arrive twice. A platform does not send such a request on an idle connection that
    /// the server may be about to close, because the request would not be retried.
    pub once: bool,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| &**name).collect();
        let (url, _) = split_before(&self.url, b"?");
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &url)
            .field("headers", &names)
            .field("body", &self.body)
            .finish()
    }
}

/// The body of a request. Clones share its bytes, so that a retry does not copy them.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(Vec<Part>);

/// A part of the body of a request.
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// Bytes in memory.
    Bytes(Arc<Vec<u8>>),
    /// The content of the file to upload, which the platform reads while it sends the request. A body has at most one such
    /// part.
    File {
        /// The size in bytes, if it is known. Otherwise the length of the request is unknown too.
        size: Option<u64>,
    },
}

impl From<Vec<u8>> for Part {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Arc::new(bytes))
    }
}

impl Part {
    /// Returns the size in bytes, if it is known.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::File { size } => *size,
        }
    }
}

impl Body {
    /// Creates a body from its parts.
    #[must_use]
    pub fn new<P: Into<Part>>(parts: impl IntoIterator<Item = P>) -> Self {
        Self(parts.into_iter().map(Into::into).collect())
    }

    /// Returns the parts in their order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Returns the size in bytes, if it is known.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.0.iter().map(Part::size).sum()
    }

    /// Returns the number of bytes of the body that contain the first `loaded` bytes of its file. While the size of the file
    /// is unknown, the last bytes count as those after the file, so the number includes them.
    #[must_use]
    pub fn size_with_file(&self, loaded: u64) -> u64 {
        let (mut size, mut unknown) = (loaded, None);
        for part in &self.0 {
            match part {
                Part::File { size } => unknown = Some(size.is_none()),
                Part::Bytes(bytes) if unknown.unwrap_or(true) => size += bytes.len() as u64,
                Part::Bytes(_) => {}
            }
        }
        size
    }

    /// Returns a copy of the body. Returns `None` if the platform has to read a part of it.
    #[must_use]
    pub fn to_vec(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for part in &self.0 {
            match part {
                Part::Bytes(part) => bytes.extend_from_slice(part),
                Part::File { .. } => return None,
            }
        }
        Some(bytes)
    }
}

/// Shows only the size.
impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({:?} bytes)", self.size())
    }
}

/// Shows only the size.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.size() {
            Some(size) => write!(f, "Body({size} bytes)"),
            None => f.write_str("Body(unknown size)"),
        }
    }
}

/// A complete response. Its `Debug` form does not show the body.
#[derive(Clone, Default, PartialEq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: Vec<(String, String)>,
    /// The body, with transfer and content coding removed.
    pub body: Vec<u8>,
    /// Whether the body exceeded [`Request::max_response_bytes`]. The rest of the body was not read, and `body` is
    /// empty.
    pub too_large: bool,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("body", &self.body.len()).finish()
    }
}

/// The header fields of a response that a [call](crate::rest::call::Call) reads, in lower case. A platform may leave out the other
/// ones.
pub const RESPONSE_FIELDS: &[&str] = &[
    "content-length",
    "content-type",
    "content-encoding",
    "x-request-id",
    "date",
    "location",
    "retry-after",
];

impl Response {
    /// Returns the value of the first header field with this name, ignoring case. The name is one of [`RESPONSE_FIELDS`].
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        debug_assert!(RESPONSE_FIELDS.contains(&name), "a platform may leave out the field {name}");
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The largest memory that is reserved for an announced body, in bytes. The server may announce more than it sends.
const MAX_RESERVED: u64 = 4 << 20;

/// Collects the body of a response as it arrives, up to the limit of its request.
#[derive(Debug)]
pub struct ResponseBody {
    bytes: Vec<u8>,
    limit: u64,
}

impl ResponseBody {
    /// Creates an empty body. Returns `None` if the value of the `Content-Length` field already exceeds the limit.
    #[must_use]
    pub fn new(limit: u64, content_length: Option<&str>) -> Option<Self> {
        let announced = content_length.and_then(|length| digits(length.trim_ascii())).unwrap_or(0);
        #[allow(clippy::cast_possible_truncation, reason = "the value is at most `MAX_RESERVED`")]
        let reserved = announced.min(MAX_RESERVED) as usize;
        (announced <= limit).then(|| Self { bytes: Vec::with_capacity(reserved), limit })
    }

    /// Appends a piece. Returns whether the body is within the limit. Otherwise the caller stops reading, and reports
    /// the response as [too large](Response::too_large).
    #[must_use]
    pub fn push(&mut self, piece: &[u8]) -> bool {
        let fits = (self.bytes.len() as u64).saturating_add(piece.len() as u64) <= self.limit;
        if fits {
            self.bytes.extend_from_slice(piece);
        }
        fits
    }

    /// Returns space for the next `length` bytes, which the caller fills, for a host whose bytes are not in the memory
    /// of this program. Returns `None` if the body would exceed the limit, like [`push`](Self::push).
    pub fn room(&mut self, length: usize) -> Option<&mut [u8]> {
        let start = self.bytes.len();
        let end = start.checked_add(length).filter(|end| *end as u64 <= self.limit)?;
        self.bytes.resize(end, 0);
        Some(&mut self.bytes[start..])
    }

    /// Returns the collected bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns the number of bytes that were collected and not [taken](Self::take).
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns whether there are no such bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Removes and returns the bytes that were collected since the last call. They still count for the limit.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        self.limit -= self.bytes.len() as u64;
        std::mem::take(&mut self.bytes)
    }
}

/// Why a request failed without a complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendFailure {
    /// Whether any byte of the request may have reached the server.
    pub reached: Reached,
    /// The platform's description of the cause, without secrets.
    pub message: String,
    /// The error code of Node for the cause, such as `ECONNREFUSED`. `None` if the platform reports no cause.
    pub code: Option<String>,
    /// Whether the cause is that a [file](Part::File) could not be read, so that the body of the request was never
    /// complete.
    pub unreadable: bool,
}

impl SendFailure {
    /// Creates the failure of a request that was not sent.
    #[must_use]
    pub fn never(message: impl Into<String>) -> Self {
        Self { reached: Reached::Never, message: message.into(), code: None, unreadable: false }
    }

    /// Creates the failure of a request that may have been sent.
    #[must_use]
    pub fn maybe(message: impl Into<String>) -> Self {
        Self { reached: Reached::Maybe, ..Self::never(message) }
    }

    /// Creates the failure of a request whose file could not be read.
    #[must_use]
    pub fn unreadable(message: impl Into<String>) -> Self {
        Self { unreadable: true, ..Self::never(message) }
    }

    /// Adds the error code of the cause.
    #[must_use]
    pub fn with_code(self, code: Option<impl Into<String>>) -> Self {
        Self { code: code.map(Into::into), ..self }
    }
}

/// The redirects that a request follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// None, because the request has an effect.
    None,
    /// Redirects on the origin of the request, because the request has credentials or header fields of the caller.
    SameOrigin,
    /// Redirects to any origin, except from `https` to `http`.
    AnyOrigin,
}

impl Request {
    /// Returns the redirects that this request follows. The [call](crate::rest::call::Call) follows them, so a platform
    /// returns the response of a redirect like any other response. A platform that hides such a response follows the
    /// same rule itself.
    #[must_use]
    pub fn redirects(&self) -> Redirects {
        if self.method != Method::Get || self.once {
            Redirects::None
        } else if self.headers.iter().all(|(name, _)| name == "accept") {
            Redirects::AnyOrigin
        } else {
            Redirects::SameOrigin
        }
    }
}

/// Whether a request may have reached the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// The request was not sent: the name was not resolved, the connection was refused, or the TLS handshake failed.
    Never,
    /// The server may have received and executed the request.
    Maybe,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(body: &mut ResponseBody, piece: &[u8]) -> bool {
        let fits = body.push(piece);
        // Both methods have the same limit. `room` changes the body, so only the refusal is compared.
        assert!(fits || body.room(piece.len()).is_none());
        fits
    }

    #[test]
    fn space_is_filled_up_to_the_limit() {
        let mut body = ResponseBody::new(5, Some("5")).unwrap();
        body.room(3).unwrap().copy_from_slice(b"abc");
        assert!(body.room(3).is_none());
        body.room(2).unwrap().copy_from_slice(b"de");
        assert_eq!(body.into_bytes(), b"abcde");
    }

    #[test]
    fn bytes_that_were_taken_count_for_the_limit() {
        let mut body = ResponseBody::new(5, None).unwrap();
        assert!(push(&mut body, b"abc"));
        assert_eq!(body.take(), b"abc");
        assert!(!push(&mut body, b"def"));
        assert!(push(&mut body, b"de"));
        assert_eq!(body.take(), b"de");
        assert!(!push(&mut body, b"f"));
        assert_eq!(body.take(), b"");
    }

    #[test]
    fn the_size_of_a_body_is_known_if_those_of_all_its_parts_are() {
        let body = |size| Body::new([vec![1].into(), Part::File { size }, vec![2, 3].into()]);
        assert_eq!((body(Some(7)).size(), body(None).size()), (Some(10), None));
        assert_eq!(body(Some(0)).to_vec(), None);
        assert_eq!(Body::new([vec![1], vec![2, 3]]).to_vec(), Some(vec![1, 2, 3]));
    }

    #[test]
    fn a_body_is_collected_up_to_its_limit() {
        let mut body = ResponseBody::new(5, None).unwrap();
        assert!(push(&mut body, b"abc") && push(&mut body, b"") && push(&mut body, b"de"));
        assert!(!push(&mut body, b"f"));
        assert_eq!(body.into_bytes(), b"abcde");
    }

    #[test]
    fn the_content_length_is_checked_before_the_body_arrives() {
        assert!(ResponseBody::new(5, Some("5")).is_some());
        assert!(ResponseBody::new(5, Some("6")).is_none());
        assert!(ResponseBody::new(5, Some("18446744073709551615")).is_none());
        // An invalid length is ignored; the bytes are still counted.
        for invalid in ["", "-1", "six", "18446744073709551616"] {
            let mut body = ResponseBody::new(5, Some(invalid)).unwrap();
            assert!(!push(&mut body, b"abcdef"), "{invalid}");
        }
    }
}
