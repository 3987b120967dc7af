//! Finds the boundaries of X11 packets in a byte stream.

use super::limits::MAX_PACKET_BYTES;

/// The number of bytes at the start of a packet up to the end of its length field.
const HEADER: usize = 8;
/// The length in bytes of the shortest packet after the setup.
const MIN_PACKET: u64 = 32;
const ERROR: u8 = 0;
const REPLY: u8 = 1;
const GENERIC_EVENT: u8 = 35;
/// The bit that is set in the type of events from the SendEvent request.
const SEND_EVENT_FLAG: u8 = 0x80;

/// Tracks packet boundaries while bytes are read.
///
/// x11rb allocates the memory for a packet according to its length field, up to 16 GiB. This type checks the field
/// before x11rb reads it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Framing {
    header: [u8; HEADER],
    filled: usize,
    /// The number of remaining bytes of the current packet.
    remaining: u64,
    /// `true` after the header of the setup was read. The setup is the first packet and has a different header.
    is_set_up: bool,
}

/// The error for a packet that is longer than [`MAX_PACKET_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it sent a packet of {0} bytes, must be at most {MAX_PACKET_BYTES}")]
pub(super) struct PacketTooLong(u64);

impl Framing {
    /// Processes the next bytes of the stream. Returns the number of replies and errors whose header these bytes
    /// complete.
    pub(super) fn advance(&mut self, mut bytes: &[u8]) -> Result<u64, PacketTooLong> {
        let mut replies = 0;
        while !bytes.is_empty() {
            if self.remaining > 0 {
                let skipped = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(bytes.len());
                self.remaining -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            let (part, rest) = bytes.split_at(bytes.len().min(HEADER - self.filled));
            self.header[self.filled..self.filled + part.len()].copy_from_slice(part);
            self.filled += part.len();
            bytes = rest;
            if self.filled == HEADER {
                self.filled = 0;
                replies += u64::from(self.is_set_up && matches!(self.header[0], ERROR | REPLY));
                let length = self.length();
                if length > MAX_PACKET_BYTES {
                    return Err(PacketTooLong(length));
                }
                self.remaining = length - HEADER as u64;
                self.is_set_up = true;
            }
        }
        Ok(replies)
    }

    /// Returns the length in bytes of the packet with the current header.
    fn length(&self) -> u64 {
        let [kind, _, _, _, words @ ..] = self.header;
        if !self.is_set_up {
            return HEADER as u64 + 4 * u64::from(u16::from_ne_bytes([words[2], words[3]]));
        }
        let words = match kind {
            REPLY => u32::from_ne_bytes(words),
            _ if kind & !SEND_EVENT_FLAG == GENERIC_EVENT => u32::from_ne_bytes(words),
            _ => 0,
        };
        MIN_PACKET + 4 * u64::from(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(words: u16) -> Vec<u8> {
        let mut bytes = vec![1, 0, 11, 0, 0, 0];
        bytes.extend(words.to_ne_bytes());
        bytes.resize(HEADER + usize::from(words) * 4, 0xff);
        bytes
    }

    fn packet(kind: u8, words: u32, extra: usize) -> Vec<u8> {
        let mut bytes = vec![kind, 0, 0, 0];
        bytes.extend(words.to_ne_bytes());
        bytes.resize(32 + extra, 0xff);
        bytes
    }

    #[test]
    fn packet_boundaries_are_found_for_any_chunk_size() {
        let stream = [
            setup(5),
            packet(REPLY, 3, 12),
            packet(12, u32::MAX, 0),
            packet(ERROR, u32::MAX, 0),
            packet(GENERIC_EVENT | SEND_EVENT_FLAG, 2, 8),
            packet(REPLY, 0, 0),
        ]
        .concat();
        for chunk_size in 1..=stream.len() {
            let mut framing = Framing::default();
            let replies: u64 = stream.chunks(chunk_size).map(|chunk| framing.advance(chunk).unwrap()).sum();
            assert_eq!(replies, 3, "chunks of {chunk_size} bytes");
            assert_eq!((framing.remaining, framing.filled), (0, 0), "chunks of {chunk_size} bytes");
        }
    }

    #[test]
    fn a_packet_above_the_limit_is_rejected_at_its_header() {
        let most = u32::try_from((MAX_PACKET_BYTES - MIN_PACKET) / 4).unwrap();
        for kind in [REPLY, GENERIC_EVENT, GENERIC_EVENT | SEND_EVENT_FLAG] {
            let mut framing = Framing::default();
            framing.advance(&setup(0)).unwrap();
            framing.advance(&packet(kind, most, 0)[..HEADER]).unwrap();
            let mut framing = Framing::default();
            framing.advance(&setup(0)).unwrap();
            let refused = framing.advance(&packet(kind, most + 1, 0)[..HEADER]);
            assert_eq!(refused, Err(PacketTooLong(MAX_PACKET_BYTES + 4)));
        }
    }
}
