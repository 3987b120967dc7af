//! The zlib streams of a connection. A stream continues from rectangle to rectangle.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

use super::reader::{Read, Stop};
use crate::prelude::*;

/// The end of a stream, with its checksum, never arrives.
const FLAGS: u32 = inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER
    | inflate_flags::TINFL_FLAG_IGNORE_ADLER32
    | inflate_flags::TINFL_FLAG_HAS_MORE_INPUT
    | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;

/// How far data can refer back.
const HISTORY: usize = 1 << 15;

/// One zlib stream, created with its first data.
#[derive(Default)]
pub(super) struct Stream {
    state: Option<Box<DecompressorOxide>>,
    /// The history, and then the last data. The memory is reused.
    output: Vec<u8>,
    /// The end of the last data.
    end: usize,
}

impl core::fmt::Debug for Stream {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(if self.state.is_some() { "Stream(used)" } else { "Stream(unused)" })
    }
}

impl Stream {
    /// Starts a new stream.
    pub(super) fn reset(&mut self) {
        self.state = None;
        self.end = 0;
    }

    /// Decompresses all of `input`. Returns the data, of at most `limit` bytes.
    pub(super) fn inflate(&mut self, mut input: &[u8], limit: usize) -> Read<&[u8]> {
        let state = self.state.get_or_insert_default();
        if self.end > HISTORY * 2 {
            self.output.copy_within(self.end - HISTORY..self.end, 0);
            self.end = HISTORY;
        }
        let start = self.end;
        // One more byte shows that the data is too long.
        let most = start + limit + 1;
        let mut wanted = start + input.len().saturating_mul(4).max(1 << 12);
        loop {
            let room = wanted.min(most);
            if self.output.len() < room {
                self.output.resize(room, 0);
            }
            let output = self.output.get_mut(..room).unwrap_or_default();
            let (status, read, written) = decompress(state, input, output, self.end, FLAGS);
            input = input.get(read..).unwrap_or_default();
            self.end += written;
            if self.end == most {
                return Err(Stop::Invalid("the compressed data is longer than its rectangle"));
            }
            match status {
                TINFLStatus::HasMoreOutput => wanted = room * 2,
                TINFLStatus::NeedsMoreInput | TINFLStatus::Done => break,
                _ => return Err(Stop::Invalid("the compressed data is malformed")),
            }
        }
        if !input.is_empty() {
            return Err(Stop::Invalid("the compressed data continues after its end"));
        }
        Ok(&self.output[start..self.end])
    }

    /// Returns the data of a new stream, even if all of it does not fit.
    pub(super) fn start(&self) -> &[u8] {
        &self.output[..self.end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The compressed data and the data, which refers far back.
    fn stream() -> (Vec<u8>, Vec<u8>) {
        // The generator of `minstd`.
        let mut state = 1_u64;
        let mut data = Vec::new();
        for at in 0..300_000 {
            state = state * 48_271 % 0x7fff_ffff;
            let is_new = at < 30_000 || state.is_multiple_of(50);
            data.push(if is_new { state.to_le_bytes()[1] } else { data[at - 30_000] });
        }
        (miniz_oxide::deflate::compress_to_vec_zlib(&data, 6), data)
    }

    #[test]
    fn pieces_of_a_stream_refer_to_the_data_before_them() {
        let (compressed, data) = stream();
        for size in [1, 700, 30_000, compressed.len()] {
            let mut stream = Stream::default();
            let mut unpacked = Vec::new();
            for piece in compressed.chunks(size) {
                unpacked.extend_from_slice(stream.inflate(piece, data.len()).unwrap());
            }
            assert!(unpacked == data, "{size}");
        }
    }

    #[test]
    fn the_limit_is_exact() {
        let (compressed, data) = stream();
        assert_eq!(Stream::default().inflate(&compressed, data.len()).unwrap().len(), data.len());
        assert!(Stream::default().inflate(&compressed, data.len() - 1).is_err());
    }
}
