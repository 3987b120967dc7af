//! Finds the boundaries of X11 packets in a byte stream.

use super::limits::MAX_PACKET_BYTES;

/// Length of the part of a packet that contains its length field.
const HEAD: usize = 8;
/// Length of the shortest packet after the setup.
const MIN_PACKET: u64 = 32;
const ERROR: u8 = 0;
const REPLY: u8 = 1;
const GENERIC_EVENT: u8 = 35;
/// This bit is set in events from SendEvent.
const SENT: u8 = 0x80;

/// Tracks packet boundaries as bytes are read.
///
/// x11rb allocates as many bytes as the length field says, up to 16 GiB. This checks the field before x11rb sees it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Framing {
    head: [u8; HEAD],
    filled: usize,
    /// Remaining bytes of the current packet.
    rest: u64,
    /// Whether the setup has begun. It comes first and has a different head.
    is_set_up: bool,
}

/// A packet is longer than [`MAX_PACKET_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it sent a packet of {0} bytes, at most {MAX_PACKET_BYTES} are accepted")]
pub(super) struct PacketTooLong(u64);

impl Framing {
    /// Takes the next bytes of the stream. Returns the number of replies and errors that begin in them.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) -> Result<u64, PacketTooLong> {
        let mut replies = 0;
        while !bytes.is_empty() {
            if self.rest > 0 {
                let skipped = usize::try_from(self.rest).unwrap_or(usize::MAX).min(bytes.len());
                self.rest -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(HEAD - self.filled));
            self.head[self.filled..self.filled + now.len()].copy_from_slice(now);
            self.filled += now.len();
            bytes = later;
            if self.filled == HEAD {
                self.filled = 0;
                replies += u64::from(self.is_set_up && matches!(self.head[0], ERROR | REPLY));
                let length = self.length();
                if length > MAX_PACKET_BYTES {
                    return Err(PacketTooLong(length));
                }
                self.rest = length - HEAD as u64;
                self.is_set_up = true;
            }
        }
        Ok(replies)
    }

    /// Length of the packet with the current head.
    fn length(&self) -> u64 {
        let [kind, _, _, _, words @ ..] = self.head;
        if !self.is_set_up {
            return HEAD as u64 + 4 * u64::from(u16::from_ne_bytes([words[2], words[3]]));
        }
        let words = match kind {
            REPLY => u32::from_ne_bytes(words),
            _ if kind & !SENT == GENERIC_EVENT => u32::from_ne_bytes(words),
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
        bytes.resize(HEAD + usize::from(words) * 4, 0xff);
        bytes
    }

    fn packet(kind: u8, words: u32, carried: usize) -> Vec<u8> {
        let mut bytes = vec![kind, 0, 0, 0];
        bytes.extend(words.to_ne_bytes());
        bytes.resize(32 + carried, 0xff);
        bytes
    }

    #[test]
    fn packets_are_told_apart_however_they_are_cut() {
        let stream = [
            setup(5),
            packet(REPLY, 3, 12),
            packet(12, u32::MAX, 0),
            packet(ERROR, u32::MAX, 0),
            packet(GENERIC_EVENT | SENT, 2, 8),
            packet(REPLY, 0, 0),
        ]
        .concat();
        for cut in 1..=stream.len() {
            let mut framing = Framing::default();
            let replies: u64 = stream.chunks(cut).map(|piece| framing.follow(piece).unwrap()).sum();
            assert_eq!(replies, 3, "cut into {cut} bytes");
            assert_eq!((framing.rest, framing.filled), (0, 0), "cut into {cut} bytes");
        }
    }

    #[test]
    fn a_packet_above_the_limit_is_refused_at_its_head() {
        let most = u32::try_from((MAX_PACKET_BYTES - MIN_PACKET) / 4).unwrap();
        for kind in [REPLY, GENERIC_EVENT, GENERIC_EVENT | SENT] {
            let mut framing = Framing::default();
            framing.follow(&setup(0)).unwrap();
            framing.follow(&packet(kind, most, 0)[..HEAD]).unwrap();
            let mut framing = Framing::default();
            framing.follow(&setup(0)).unwrap();
            let refused = framing.follow(&packet(kind, most + 1, 0)[..HEAD]);
            assert_eq!(refused, Err(PacketTooLong(MAX_PACKET_BYTES + 4)));
        }
    }
}
