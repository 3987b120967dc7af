//! Reads replies whose element count must be checked before x11rb parses them.
//!
//! x11rb allocates memory for the claimed number of elements before it checks that the reply contains them. For a
//! cursor image, the allocation can be up to 16 GiB. In all other replies that this program uses, counts have at most
//! 16 bits, or are derived from the packet length.

use x11rb::{
    errors::ReplyError,
    protocol::{
        ErrorKind,
        sync::{ConnectionExt as _, ListSystemCountersReply},
        xfixes::{ConnectionExt as _, GetCursorImageReply},
    },
    x11_utils::TryParse as _,
};

use super::Display;
use crate::screen::ScreenError;

/// The number of bytes before the list in a reply.
const HEADER: usize = 32;
/// The number of bytes of a pixel in a cursor image.
const PIXEL: u64 = 4;
/// The number of bytes of the shortest system counter: an id, a resolution and an empty name.
const COUNTER: u64 = 14;

pub(in crate::screen) fn cursor_image(display: &Display) -> Result<GetCursorImageReply, ScreenError> {
    let reply = match display.conn.xfixes_get_cursor_image()?.raw_reply() {
        // The pointer has no image until a client sets an image. That client is usually the window manager.
        Err(ReplyError::X11Error(error)) if error.error_kind == ErrorKind::Access => {
            return Ok(GetCursorImageReply::default());
        }
        reply => reply?,
    };
    let side = |at| u64::from(u16::from_ne_bytes(bytes_at(&reply, at)));
    check(&reply, side(12) * side(14), PIXEL)?;
    Ok(GetCursorImageReply::try_parse(&reply)?.0)
}

pub(in crate::screen) fn system_counters(display: &Display) -> Result<ListSystemCountersReply, ScreenError> {
    let reply = display.conn.sync_list_system_counters()?.raw_reply()?;
    check(&reply, u32::from_ne_bytes(bytes_at(&reply, 8)).into(), COUNTER)?;
    Ok(ListSystemCountersReply::try_parse(&reply)?.0)
}

/// Returns the bytes at offset `at`, or zeros if the reply is too short. The parser then rejects the reply.
fn bytes_at<const N: usize>(reply: &[u8], at: usize) -> [u8; N] {
    reply.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

/// Checks that the reply has room for `count` elements of at least `size` bytes.
fn check(reply: &[u8], count: u64, size: u64) -> Result<(), ScreenError> {
    if count * size > reply.len().saturating_sub(HEADER) as u64 {
        return Err(ScreenError::Lost(format!("it sent a list of {count} elements that is too short")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_must_contain_all_its_elements() {
        check(&[0; HEADER + 8], 2, PIXEL).unwrap();
        check(&[0; HEADER], 0, PIXEL).unwrap();
        for (length, count) in [(HEADER + 8, 3), (HEADER, 1), (0, 1), (HEADER, u64::from(u32::MAX))] {
            assert!(check(&vec![0; length], count, PIXEL).is_err(), "{count} in {length}");
        }
    }
}
