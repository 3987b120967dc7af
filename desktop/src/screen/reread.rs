//! Whether a window that answers no ping has dealt with its events, told by the maps it reads again.
//!
//! A program that keeps copies of the keyboard's maps reads them again when it comes to a notice of a change, in
//! order with its other events. xterm does so at a notice of any kind, also where only the buttons of the pointer are said to
//! have changed, for which the libraries below it read nothing. So it answers such a notice, which is sent to it
//! alone and changes nothing, by a pair of requests that nothing else makes it send twice in a row; the RECORD extension shows
//! them.

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

use super::{bounded::BoundedConnection, connection::Display, error::ScreenError};

const KEYBOARD_EXTENSION: &str = "XKEYBOARD";
/// By which Xlib reads the map of keys. At a real change it comes between the requests of an answer.
const GET_MAP_REQUEST: u16 = 8;
/// The answer to two notices.
const ANSWER: [u8; 4] = [
    GET_MODIFIER_MAPPING_REQUEST,
    GET_KEYBOARD_MAPPING_REQUEST,
    GET_MODIFIER_MAPPING_REQUEST,
    GET_KEYBOARD_MAPPING_REQUEST,
];
/// Categories of what RECORD tells.
const FROM_CLIENT: u8 = 1;
const CLIENT_DIED: u8 = 3;
const START_OF_DATA: u8 = 4;

/// Waits until the owner of `window` has come to everything sent to it before; `false` if it has not by `deadline`, as when it
/// is none that can be asked so.
pub(super) fn ask(display: &Display, window: Window, deadline: Instant) -> Result<bool, ScreenError> {
    let Some(keyboard) = display.conn.extension_information(KEYBOARD_EXTENSION)? else { return Ok(false) };
    // Errors on this connection say nothing about the other one: a server without RECORD, a window that closed, the deadline.
    Ok(watch(display, window, keyboard.major_opcode, deadline).unwrap_or(false))
}

fn watch(display: &Display, window: Window, keyboard: u8, deadline: Instant) -> Result<bool, ScreenError> {
    // RECORD wants a connection to itself.
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

    let mut answer = Answer::default();
    for told in observer.record_enable_context(context)? {
        let told = told?;
        match told.category {
            START_OF_DATA => notify(display, window)?,
            FROM_CLIENT if !told.client_swapped && answer.is_complete_with(&told.data) => return Ok(true),
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
    let notice = MappingNotifyEvent {
        response_type: MAPPING_NOTIFY_EVENT,
        request: Mapping::POINTER,
        ..MappingNotifyEvent::default()
    };
    for _ in 0..2 {
        display.conn.send_event(false, window, EventMask::NO_EVENT, notice)?.ignore_error();
    }
    display.conn.flush()?;
    Ok(())
}

/// How much of [`ANSWER`] was seen at the end of what a client sent.
#[derive(Debug, Default)]
struct Answer {
    seen: usize,
}

impl Answer {
    /// Takes whole requests of a client with our byte order.
    fn is_complete_with(&mut self, mut requests: &[u8]) -> bool {
        while let [request, _, length @ ..] = requests
            && let Some(&length) = length.first_chunk()
        {
            self.seen = match *request {
                request if request == ANSWER[self.seen] => self.seen + 1,
                request if request == ANSWER[0] => 1,
                _ => 0,
            };
            if self.seen == ANSWER.len() {
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
    fn what_xterm_reads_at_changes_of_the_keys_is_no_answer() {
        let change = [101, 119, KEYBOARD, KEYBOARD, 119, 101, KEYBOARD, KEYBOARD, 119, 101, KEYBOARD];
        let mut answer = Answer::default();
        assert!(!answer.is_complete_with(&requests(&change)));
        assert!(!answer.is_complete_with(&requests(&change)));
        assert!(!answer.is_complete_with(&requests(&[119, 101, 101, 119, 119, 101, KEYBOARD])));
        assert!(answer.is_complete_with(&requests(&[119, 101, 119, 101])));
    }

    #[test]
    fn an_answer_may_come_in_pieces() {
        let mut answer = Answer::default();
        assert!(!answer.is_complete_with(&requests(&[KEYBOARD, 119])));
        assert!(!answer.is_complete_with(&requests(&[119, 101])));
        assert!(!answer.is_complete_with(&requests(&[])));
        assert!(answer.is_complete_with(&requests(&[119, 101, KEYBOARD])));
    }
}
