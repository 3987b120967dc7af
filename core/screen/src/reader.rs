//! Reads the fields of bytes that may be incomplete.

use crate::prelude::*;

/// Why the bytes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The rest of the bytes has not arrived yet.
    Incomplete,
    /// The bytes violate the protocol.
    Invalid(&'static str),
}

pub(super) type Read<T> = Result<T, Stop>;

/// Reads big-endian fields from the start of `rest`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Stop::Incomplete)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(Stop::Incomplete)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Read<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Read<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Read<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Reads a length, which must not exceed `limit`.
    pub(super) fn length(&mut self, limit: usize, problem: &'static str) -> Read<usize> {
        match usize::try_from(self.u32()?) {
            Ok(length) if length <= limit => Ok(length),
            _ => Err(Stop::Invalid(problem)),
        }
    }
}

/// Returns a text in UTF-8, in which a replacement character replaces invalid bytes. `String::from_utf8_lossy` needs more code.
pub(super) fn lossy(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}
