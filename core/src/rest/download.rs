//! The content of a file that arrives as a stream, after its call has ended.

use std::fmt;

use crate::Millis;
use crate::diagnostics::mask::Mask;
use crate::encoding::text::digits;
use crate::error::{
    AbortedError, Delivered, Error, TimeoutError, TimeoutKind, TooLargeError, TransportError,
};
use crate::rest::http::{Response, SendFailure};

/// A response whose body is still arriving: its limits, and the errors that can end it.
#[derive(Clone, PartialEq)]
pub struct Download {
    operation: String,
    mask: Mask,
    idle: Millis,
    limit: u64,
    status: u16,
    size: Option<u64>,
    received: u64,
}

/// Shows only the numbers of bytes.
impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("size", &self.size).field("received", &self.received).finish()
    }
}

impl Download {
    pub(crate) fn new(operation: &str, mask: Mask, idle: Millis, limit: u64, response: &Response) -> Self {
        // The announced length is that of the compressed content.
        let size = match response.header("content-encoding") {
            Some(coding) if !coding.eq_ignore_ascii_case("identity") => None,
            _ => response.header("content-length").and_then(|length| digits(length.trim_ascii())),
        };
        Self {
            operation: operation.to_owned(),
            mask,
            idle,
            limit,
            status: response.status,
            size,
            received: 0,
        }
    }

    /// Returns the size that the server announced, in bytes.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Returns the largest number of bytes to accept.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Returns the longest wait for the next piece, in milliseconds.
    #[must_use]
    pub fn idle_limit(&self) -> Millis {
        self.idle
    }

    pub(crate) fn announces_too_much(&self) -> bool {
        self.size.is_some_and(|size| size > self.limit)
    }

    /// Counts a piece of the content.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the content exceeds its limit.
    pub fn receive(&mut self, bytes: u64) -> Result<(), Error> {
        self.received = self.received.saturating_add(bytes);
        if self.received > self.limit { Err(self.too_large()) } else { Ok(()) }
    }

    /// Returns the error of content that exceeds its limit.
    #[must_use]
    pub fn too_large(&self) -> Error {
        let Self { operation, status, limit, .. } = self;
        Error::TooLarge(Box::new(TooLargeError {
            operation: operation.clone(),
            status: *status,
            limit: *limit,
        }))
    }

    /// Returns the error of a stream that the network ended too early.
    #[must_use]
    pub fn failed(&self, failure: SendFailure) -> Error {
        Error::Transport(Box::new(TransportError {
            operation: self.operation.clone(),
            message: self.mask.text(&failure.message),
            code: failure.code,
            delivered: Delivered::Yes,
        }))
    }

    /// Returns the error of a stream whose next piece did not arrive within the [limit](Self::idle_limit).
    #[must_use]
    pub fn stalled(&self) -> Error {
        Error::Timeout(Box::new(TimeoutError {
            operation: self.operation.clone(),
            kind: TimeoutKind::Idle,
            limit: self.idle,
            delivered: Delivered::Yes,
        }))
    }

    /// Returns the error of a stream that its reader aborted.
    #[must_use]
    pub fn aborted(&self) -> Error {
        Error::Aborted(Box::new(AbortedError {
            operation: self.operation.clone(),
            delivered: Delivered::Yes,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn download(limit: u64, headers: &[(&str, &str)]) -> Download {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let response = Response { status: 200, headers, ..Response::default() };
        Download::new("files.stream", Mask::default(), 7, limit, &response)
    }

    #[test]
    fn the_size_is_that_of_content_without_compression() {
        let length = ("content-length", "12");
        assert_eq!(download(9, &[length]).size(), Some(12));
        assert_eq!(download(9, &[length, ("Content-Encoding", "identity")]).size(), Some(12));
        assert_eq!(download(9, &[length, ("Content-Encoding", "gzip")]).size(), None);
        assert_eq!(download(9, &[("content-length", "-1")]).size(), None);
        assert!(download(9, &[length]).announces_too_much());
        assert!(!download(12, &[length]).announces_too_much() && !download(9, &[]).announces_too_much());
    }

    #[test]
    fn the_limit_applies_to_the_received_bytes() {
        let mut download = download(9, &[]);
        assert_eq!(download.receive(9), Ok(()));
        let error = download.receive(1).unwrap_err();
        assert!(matches!(&error, Error::TooLarge(error) if error.limit == 9), "{error}");
        assert_eq!(error.delivered(), Delivered::Yes);
    }
}
