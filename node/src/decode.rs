//! Decodes the body of a response. The addon does not ask for a compressed response, but a server may compress it anyway
//! (RFC 9110 section 12.5.3).

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use http::HeaderValue;
use orgo_core::rest::http::ResponseBody;

use crate::error::BoxError;

/// Collects a body, and decompresses it if its `Content-Encoding` is `gzip`. Another coding is left to the core, which
/// names it in an error.
pub(crate) enum Decoder {
    Plain(Limited),
    Gzip(Box<MultiGzDecoder<Limited>>),
}

/// A body that refuses bytes beyond its limit.
pub(crate) struct Limited {
    body: ResponseBody,
    exceeded: bool,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.body.push(bytes) {
            self.exceeded = true;
            return Err(io::Error::other("the body is too large"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Decoder {
    pub(crate) fn new(body: ResponseBody, coding: Option<&HeaderValue>) -> Self {
        let body = Limited { body, exceeded: false };
        let is_gzip = coding.and_then(|coding| coding.to_str().ok()).is_some_and(|coding| {
            coding.trim().eq_ignore_ascii_case("gzip") || coding.trim().eq_ignore_ascii_case("x-gzip")
        });
        if is_gzip { Self::Gzip(Box::new(MultiGzDecoder::new(body))) } else { Self::Plain(body) }
    }

    /// Returns whether the collected body is decoded.
    pub(crate) fn decodes(&self) -> bool {
        matches!(self, Self::Gzip(_))
    }

    /// Adds the next bytes. Returns `false` if the body exceeds its limit.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<bool, BoxError> {
        let (written, limited) = match self {
            Self::Plain(body) => (body.write_all(piece), &*body),
            Self::Gzip(decoder) => (decoder.write_all(piece), decoder.get_ref()),
        };
        if limited.exceeded {
            return Ok(false);
        }
        written?;
        Ok(true)
    }

    /// Returns the number of decoded bytes that were not [taken](Self::take).
    pub(crate) fn collected(&self) -> usize {
        match self {
            Self::Plain(body) => body.body.len(),
            Self::Gzip(decoder) => decoder.get_ref().body.len(),
        }
    }

    /// Removes and returns the decoded bytes.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        match self {
            Self::Plain(body) => body.body.take(),
            Self::Gzip(decoder) => decoder.get_mut().body.take(),
        }
    }

    /// Returns the complete body, or `None` if the body exceeds its limit.
    pub(crate) fn finish(self) -> Result<Option<Vec<u8>>, BoxError> {
        let limited = match self {
            Self::Plain(body) => body,
            Self::Gzip(mut decoder) => match decoder.try_finish() {
                Ok(()) => decoder.finish()?,
                Err(_) if decoder.get_ref().exceeded => return Ok(None),
                Err(error) => return Err(error.into()),
            },
        };
        Ok((!limited.exceeded).then(|| limited.body.into_bytes()))
    }
}
