//! The zlib streams of a connection. A stream continues from rectangle to rectangle.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush};

use super::reader::{Read, Stop};
use crate::prelude::*;

/// One zlib stream, created with its first data.
#[derive(Default)]
pub(super) struct Stream(Option<Box<InflateState>>);

impl core::fmt::Debug for Stream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(if self.0.is_some() { "Stream(used)" } else { "Stream(unused)" })
    }
}

impl Stream {
    /// Starts a new stream.
    pub(super) fn reset(&mut self) {
        self.0 = None;
    }

    /// Decompresses all of `input` into `buffer`, whose memory is reused. Returns the data, of at most `limit` bytes.
    pub(super) fn inflate<'a>(
        &mut self,
        mut input: &[u8],
        buffer: &'a mut Vec<u8>,
        limit: usize,
    ) -> Read<&'a [u8]> {
        let state = self.0.get_or_insert_with(|| {
            // The end of a stream, with its checksum, never arrives.
            InflateState::new_boxed(DataFormat::ZLibIgnoreChecksum)
        });
        let mut end = 0;
        loop {
            if end == buffer.len() && end < limit {
                let wanted = (end * 2).max(input.len().saturating_mul(4)).max(1 << 12);
                buffer.resize(wanted.min(limit), 0);
            }
            let mut beyond = [0];
            let full = end >= limit;
            let room = buffer.len().min(limit);
            let output = if full { &mut beyond[..] } else { &mut buffer[end..room] };
            let result = inflate(state, input, output, MZFlush::None);
            // `Buf` means that no progress was possible, which is the end of the data here.
            if !matches!(result.status, Ok(_) | Err(miniz_oxide::MZError::Buf)) {
                return Err(Stop::Invalid("the compressed data is malformed"));
            }
            if full && result.bytes_written > 0 {
                return Err(Stop::Invalid("the compressed data is longer than its rectangle"));
            }
            input = &input[result.bytes_consumed..];
            end += result.bytes_written;
            if result.bytes_consumed == 0 && result.bytes_written == 0 {
                break;
            }
        }
        if !input.is_empty() {
            return Err(Stop::Invalid("the compressed data continues after its end"));
        }
        Ok(&buffer[..end])
    }
}
