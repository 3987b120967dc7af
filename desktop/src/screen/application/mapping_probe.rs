//! Detects that a window without `_NET_WM_PING` has handled its events, by observing that it rereads the keyboard maps.
//!
//! A client that caches the keyboard maps rereads them when it handles a MappingNotify event. It handles this event in
//! order with its other events. If the notification is about the pointer mapping, Xlib and the toolkits read nothing,
//! but xterm rereads the maps. This module sends such notifications to only one window, although no mapping has
//! changed. The client then sends a sequence of requests that it never sends otherwise. The RECORD extension reports
//! these requests.

use std::time::Instant;

use x11rb::{
    connection::{Connection, RequestConnection as _},
    protocol::{
        record::{ConnectionExt as _, ExtRange, Range, Range8, Range16},
        xproto::{
            ConnectionExt as _, EventMask, GET_KEYBOARD_MAPPING_REQUEST, GET_MODIFIER_MAPPING_REQUEST,
            MAPPING_NOTIFY_EVENT, Mapping, MappingNotifyEvent, Window,
        },
    },
};

use crate::screen::{
    ScreenError,
    connection::{Display, bounded::BoundedConnection},
};

const KEYBOARD_EXTENSION: &str = "XKEYBOARD";
/// The XKB request GetMap. After a real change of the map, Xlib sends it between the requests of the expected sequence.
const GET_MAP_REQUEST: u16 = 8;
/// The requests that a client sends after two notifications.
const EXPECTED_REQUESTS: [u8; 4] = [
    GET_MODIFIER_MAPPING_REQUEST,
    GET_KEYBOARD_MAPPING_REQUEST,
    GET_MODIFIER_MAPPING_REQUEST,
    GET_KEYBOARD_MAPPING_REQUEST,
];
/// The category of a RECORD reply with a request of the client.
const FROM_CLIENT: u8 = 1;
const CLIENT_DIED: u8 = 3;
const START_OF_DATA: u8 = 4;

/// Waits until the owner of `window` has handled all events that were sent before this call. Returns `false` if the
/// owner does not respond by `deadline`, for example because it does not cache the maps.
pub(super) fn probe(display: &Display, window: Window, deadline: Instant) -> Result<bool, ScreenError> {
    let Some(keyboard) = display.conn.extension_information(KEYBOARD_EXTENSION)? else { return Ok(false) };
    // Ignores errors, such as a missing RECORD extension, a closed window or a timeout. They do not affect `display`,
    // because the probe has its own connection.
    Ok(observe(display, window, keyboard.major_opcode, deadline).unwrap_or(false))
}

fn observe(display: &Display, window: Window, keyboard: u8, deadline: Instant) -> Result<bool, ScreenError> {
    // Opens a separate connection, because a connection with an enabled RECORD context cannot send other requests.
    let limit = deadline.saturating_duration_since(Instant::now());
    let observer = BoundedConnection::open(&display.endpoint, limit)?;
    observer.record_query_version(1, 13)?.reply()?;
    let context = observer.generate_id()?;
    let reads =
        |request| Range { core_requests: Range8 { first: request, last: request }, ..Range::default() };
    let ranges = [
        reads(GET_MODIFIER_MAPPING_REQUEST),
        reads(GET_KEYBOARD_MAPPING_REQUEST),
        Range {
            ext_requests: ExtRange {
                major: Range8 { first: keyboard, last: keyboard },
                minor: Range16 { first: GET_MAP_REQUEST, last: GET_MAP_REQUEST },
            },
            client_died: true,
            ..Range::default()
        },
    ];
    observer.record_create_context(context, 0, &[window], &ranges)?.check()?;

    let mut progress = SequenceMatch::default();
    for reply in observer.record_enable_context(context)? {
        let reply = reply?;
        match reply.category {
            START_OF_DATA => notify(display, window)?,
            FROM_CLIENT if !reply.client_swapped && progress.is_complete_with(&reply.data) => {
                return Ok(true);
            }
            CLIENT_DIED => return Ok(true),
            _ => {}
        }
        if Instant::now() >= deadline {
            break;
        }
    }
    Ok(false)
}

fn notify(display: &Display, window: Window) -> Result<(), ScreenError> {
    let notification = MappingNotifyEvent {
        response_type: MAPPING_NOTIFY_EVENT,
        request: Mapping::POINTER,
        ..MappingNotifyEvent::default()
    };
    for _ in 0..2 {
        display.conn.send_event(false, window, EventMask::NO_EVENT, notification)?.ignore_error();
    }
    display.conn.flush()?;
    Ok(())
}

/// Finds the sequence [`EXPECTED_REQUESTS`] in the recorded requests. `matched` is the number of expected requests that
/// the latest recorded requests match.
#[derive(Debug, Default)]
struct SequenceMatch {
    matched: usize,
}

impl SequenceMatch {
    /// Processes complete requests of a client that uses the native byte order. Returns whether the sequence is
    /// complete.
    fn is_complete_with(&mut self, mut requests: &[u8]) -> bool {
        while let [request, _, length @ ..] = requests
            && let Some(&length) = length.first_chunk()
        {
            self.matched = match *request {
                request if request == EXPECTED_REQUESTS[self.matched] => self.matched + 1,
                request if request == EXPECTED_REQUESTS[0] => 1,
                _ => 0,
            };
            if self.matched == EXPECTED_REQUESTS.len() {
                return true;
            }
            let words = usize::from(u16::from_ne_bytes(length));
            requests = requests.get(words.max(1) * 4..).unwrap_or_default();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYBOARD: u8 = 136;

    fn requests(kinds: &[u8]) -> Vec<u8> {
        let request = |&kind: &u8| {
            let words: u16 = match kind {
                GET_MODIFIER_MAPPING_REQUEST => 1,
                GET_KEYBOARD_MAPPING_REQUEST => 2,
                _ => 7,
            };
            let mut bytes = vec![0; usize::from(words) * 4];
            bytes[0] = kind;
            bytes[2..4].copy_from_slice(&words.to_ne_bytes());
            bytes
        };
        kinds.iter().flat_map(request).collect()
    }

    #[test]
    fn requests_of_xterm_after_keymap_changes_are_not_a_response() {
        let change = [101, 119, KEYBOARD, KEYBOARD, 119, 101, KEYBOARD, KEYBOARD, 119, 101, KEYBOARD];
        let mut progress = SequenceMatch::default();
        assert!(!progress.is_complete_with(&requests(&change)));
        assert!(!progress.is_complete_with(&requests(&change)));
        assert!(!progress.is_complete_with(&requests(&[119, 101, 101, 119, 119, 101, KEYBOARD])));
        assert!(progress.is_complete_with(&requests(&[119, 101, 119, 101])));
    }

    #[test]
    fn a_response_may_arrive_in_several_replies() {
        let mut progress = SequenceMatch::default();
        assert!(!progress.is_complete_with(&requests(&[KEYBOARD, 119])));
        assert!(!progress.is_complete_with(&requests(&[119, 101])));
        assert!(!progress.is_complete_with(&requests(&[])));
        assert!(progress.is_complete_with(&requests(&[119, 101, KEYBOARD])));
    }
}
