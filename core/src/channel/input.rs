//! Flow control for the input of a terminal: unsent and unacknowledged text.
//!
//! A WebSocket keeps the order of messages, so a pong acknowledges all input before its ping. At most one window of
//! input is sent ahead of the last acknowledgment. So pings and control messages never wait behind more than one window
//! in the buffers of the system, and a server slows the writer down by delaying its pongs. The size of the window
//! follows the delay of the pongs, as in delay-based congestion control.

use std::collections::VecDeque;

use crate::Millis;
use crate::encoding::json::quote;
use crate::encoding::text::part;

/// Input is accepted while fewer bytes than this are pending.
const HIGH_WATER: usize = 1 << 20;
/// The longest text that one call accepts, in bytes.
pub(super) const MAX_INPUT: usize = 16 << 20;
/// The longest text of one message, in bytes. Some servers limit messages to 32 KiB.
const MAX_MESSAGE: usize = 16 << 10;
/// The smallest window, in bytes. The window is so small that even on a slow connection, a ping queued behind one
/// window arrives before the connection counts as unstable.
const MIN_WINDOW: usize = 4 << 10;
const INITIAL_WINDOW: usize = 16 << 10;
const MAX_WINDOW: usize = 256 << 10;
/// The window grows if a pong takes less than `FAST_PONG`, and shrinks if it takes more than `SLOW_PONG`.
const FAST_PONG: Millis = 1_000;
const SLOW_PONG: Millis = 3_000;
/// The delay of the ping after a small amount of input, so that one ping acknowledges several keystrokes.
const PING_DELAY: Millis = 200;
/// The largest number of unanswered pings. A server that leaves more pings unanswered counts as a server without pings.
const MAX_PINGS: usize = 64;

/// A ping without a pong.
#[derive(Debug)]
struct Ping {
    /// The time at which the ping was sent; `None` until it is known.
    at: Option<Millis>,
    /// The number of bytes of input between the previous ping and this ping.
    bytes: usize,
}

#[derive(Debug)]
pub(super) struct Input {
    /// The accepted text. Its unsent part starts at the index `start`.
    text: String,
    start: usize,
    /// The number of unacknowledged bytes that were sent on this socket, and the number of those that no ping follows
    /// yet.
    in_flight: usize,
    unpinged: usize,
    pings: VecDeque<Ping>,
    /// The time of the ping that follows a small amount of input; `None` until it is known.
    ping_at: Option<Millis>,
    window: usize,
    /// Whether the server has sent a pong on this socket. Without pongs there is no window and no acknowledgment.
    answers_pings: bool,
    /// Whether the server left too many pings unanswered.
    ignores_pings: bool,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            text: String::new(),
            start: 0,
            in_flight: 0,
            unpinged: 0,
            pings: VecDeque::new(),
            ping_at: None,
            window: INITIAL_WINDOW,
            answers_pings: false,
            ignores_pings: false,
        }
    }
}

impl Input {
    fn unsent(&self) -> usize {
        self.text.len() - self.start
    }

    /// Returns the number of bytes of input that are accepted but not acknowledged.
    pub(super) fn pending(&self) -> usize {
        self.unsent() + self.in_flight
    }

    pub(super) fn is_full(&self) -> bool {
        self.pending() >= HIGH_WATER
    }

    pub(super) fn accept(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Returns the next message, if the window allows one.
    pub(super) fn next_message(&mut self) -> Option<String> {
        let blocked = self.answers_pings && !self.ignores_pings && self.in_flight >= self.window;
        if blocked || self.unsent() == 0 {
            return None;
        }
        let mut end = (self.start + MAX_MESSAGE.min(self.window)).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let piece = part(&self.text, self.start..end);
        let message = format!(r#"{{"type":"input","data":{}}}"#, quote(piece));
        self.in_flight += piece.len();
        self.unpinged += piece.len();
        self.start = end;
        if self.unsent() == 0 {
            // Frees the memory of a large text.
            self.text = String::new();
            self.start = 0;
        } else if self.start >= self.text.len() / 2 {
            self.text.drain(..self.start);
            self.start = 0;
        }
        Some(message)
    }

    /// Returns whether to send a ping at once.
    pub(super) fn wants_ping(&self) -> bool {
        self.awaits_ping() && self.unpinged >= self.window / 2
    }

    /// Returns whether to send a ping now or later.
    fn awaits_ping(&self) -> bool {
        // A ping for input is sent only if no ping is unanswered, because a late pong must not be matched to another
        // ping.
        self.unpinged > 0 && self.pings.is_empty() && !self.ignores_pings
    }

    /// Returns when to call [`is_ping_due`](Self::is_ping_due).
    pub(super) fn poll_timeout(&self) -> Option<Millis> {
        self.awaits_ping().then(|| self.ping_at.unwrap_or(0))
    }

    /// Returns whether to send the delayed ping now.
    pub(super) fn is_ping_due(&mut self, now: Millis) -> bool {
        self.awaits_ping() && now >= *self.ping_at.get_or_insert(now.saturating_add(PING_DELAY))
    }

    /// Records that a ping was queued after all earlier messages.
    pub(super) fn pinged(&mut self, now: Option<Millis>) {
        self.ping_at = None;
        if self.ignores_pings {
            return;
        }
        self.pings.push_back(Ping { at: now, bytes: std::mem::take(&mut self.unpinged) });
        if self.pings.len() > MAX_PINGS {
            self.ignores_pings = true;
            self.pings.clear();
        }
    }

    /// Sets the time of the last pings whose time is not known yet.
    pub(super) fn stamp_pings(&mut self, now: Millis) {
        for ping in self.pings.iter_mut().rev().take_while(|ping| ping.at.is_none()) {
            ping.at = Some(now);
        }
    }

    /// Handles the pong of the oldest ping. Returns the number of acknowledged bytes.
    pub(super) fn pong_received(&mut self, now: Millis) -> usize {
        let Some(Ping { at, bytes }) = self.pings.pop_front() else { return 0 };
        self.answers_pings = true;
        self.in_flight -= bytes;
        if bytes > 0 {
            let took = at.map_or(0, |at| now.saturating_sub(at));
            if took < FAST_PONG {
                self.window = (self.window * 2).min(MAX_WINDOW);
            } else if took > SLOW_PONG {
                self.window = (self.window / 2).max(MIN_WINDOW);
            }
        }
        bytes
    }

    /// Handles the loss of the socket. Returns the number of bytes that may not have arrived; they are not resent.
    pub(super) fn disconnect(&mut self) -> usize {
        std::mem::take(self).pending()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(input: &mut Input) -> Vec<String> {
        std::iter::from_fn(|| input.next_message())
            .map(|message| {
                let value: serde_json::Value = serde_json::from_str(&message).unwrap();
                value["data"].as_str().unwrap().to_owned()
            })
            .collect()
    }

    fn answering() -> Input {
        let mut input = Input::default();
        input.pinged(Some(0));
        assert_eq!(input.pong_received(0), 0);
        input
    }

    #[test]
    fn large_text_is_split_between_characters() {
        let mut input = Input::default();
        let text = "x🦀é".repeat(10_000);
        input.accept(&text);
        let pieces = sent(&mut input);
        assert!(pieces.len() > 4 && pieces.iter().all(|piece| piece.len() <= MAX_MESSAGE));
        assert_eq!(pieces.concat(), text);
        assert_eq!((input.pending(), input.unsent()), (text.len(), 0));
    }

    #[test]
    fn at_most_one_window_is_unacknowledged() {
        let mut input = answering();
        let text = "0123456789".repeat(100_000);
        input.accept(&text);
        let (mut arrived, mut turns) = (String::new(), 0);
        while input.pending() > 0 {
            arrived.push_str(&sent(&mut input).concat());
            assert!(input.in_flight < input.window + MAX_MESSAGE);
            assert!(input.wants_ping() || input.unsent() == 0);
            input.pinged(Some(0));
            assert!(!input.wants_ping() && input.next_message().is_none());
            assert!(input.pong_received(10) > 0);
            turns += 1;
        }
        assert_eq!(arrived, text);
        assert!((6..12).contains(&turns), "{turns}");
    }

    #[test]
    fn the_window_shrinks_while_pongs_are_slow() {
        let mut input = answering();
        for turn in 0..4 {
            input.accept(&"x".repeat(MAX_WINDOW));
            while input.next_message().is_some() {}
            input.pinged(Some(turn * 10_000));
            input.pong_received(turn * 10_000 + SLOW_PONG + 1);
        }
        assert_eq!(input.window, MIN_WINDOW);
    }

    #[test]
    fn without_pongs_all_input_is_sent_and_none_acknowledged() {
        let mut input = Input::default();
        input.pinged(Some(0));
        input.accept(&"x".repeat(1_000_000));
        assert_eq!(sent(&mut input).concat().len(), 1_000_000);
        for _ in 0..MAX_PINGS {
            input.pinged(Some(0));
        }
        assert!(input.ignores_pings && input.pings.is_empty());
        assert_eq!((input.pong_received(1), input.pending()), (0, 1_000_000));
        assert_eq!(input.disconnect(), 1_000_000);
    }

    #[test]
    fn one_ping_acknowledges_several_keystrokes() {
        let mut input = answering();
        input.accept("a");
        assert_eq!(sent(&mut input), ["a"]);
        assert_eq!(input.poll_timeout(), Some(0));
        assert!(!input.is_ping_due(1_000));
        input.accept("b");
        assert_eq!(sent(&mut input), ["b"]);
        assert_eq!(input.poll_timeout(), Some(1_000 + PING_DELAY));
        assert!(input.is_ping_due(1_000 + PING_DELAY));
        input.pinged(Some(1_000 + PING_DELAY));
        assert_eq!(input.poll_timeout(), None);
        assert_eq!((input.pong_received(1_300), input.pending()), (2, 0));
    }
}
