//! Replies with a count that is checked before x11rb parses them.
//!
//! x11rb allocates memory for the claimed number of elements before it checks that the reply contains them: up to 16 GiB for
//! a cursor image. The counts of all other replies in use are 16 bits at most, or derived from the length of the packet.

use x11rb::{
    errors::ReplyError,
    protocol::{
        ErrorKind,
        sync::{ConnectionExt as _, ListSystemCountersReply},
        xfixes::{ConnectionExt as _, GetCursorImageReply},
    },
    x11_utils::TryParse as _,
};

use super::{connection::Display, error::ScreenError};

/// Length of a reply before its list.
const HEAD: usize = 32;
/// Length of a pixel of a cursor image.
const PIXEL: u64 = 4;
/// Length of the shortest system counter: an id, a resolution and an empty name.
const COUNTER: u64 = 14;

pub(super) fn cursor_image(display: &Display) -> Result<GetCursorImageReply, ScreenError> {
    let reply = match display.conn.xfixes_get_cursor_image()?.raw_reply() {
        // The pointer has no image as long as no window manager gives it one.
        Err(ReplyError::X11Error(error)) if error.error_kind == ErrorKind::Access => {
            return Ok(GetCursorImageReply::default());
        }
        reply => reply?,
    };
    let side = |at| u64::from(u16::from_ne_bytes(bytes_at(&reply, at)));
    check(&reply, side(12) * side(14), PIXEL)?;
    Ok(GetCursorImageReply::try_parse(&reply)?.0)
}

pub(super) fn system_counters(display: &Display) -> Result<ListSystemCountersReply, ScreenError> {
    let reply = display.conn.sync_list_system_counters()?.raw_reply()?;
    check(&reply, u32::from_ne_bytes(bytes_at(&reply, 8)).into(), COUNTER)?;
    Ok(ListSystemCountersReply::try_parse(&reply)?.0)
}

/// Zeros if the reply is too short; the parser then fails.
fn bytes_at<const N: usize>(reply: &[u8], at: usize) -> [u8; N] {
    reply.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

/// Fails if `count` elements of at least `size` bytes do not fit into the reply.
fn check(reply: &[u8], count: u64, size: u64) -> Result<(), ScreenError> {
    if count * size > reply.len().saturating_sub(HEAD) as u64 {
        return Err(ScreenError::Lost(format!("it sent a list of {count} elements without all of them")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_to_be_there() {
        check(&[0; HEAD + 8], 2, PIXEL).unwrap();
        check(&[0; HEAD], 0, PIXEL).unwrap();
        for (length, count) in [(HEAD + 8, 3), (HEAD, 1), (0, 1), (HEAD, u64::from(u32::MAX))] {
            assert!(check(&vec![0; length], count, PIXEL).is_err(), "{count} in {length}");
        }
    }
}
