//! The protocol of the screen channel without its connection.
//!
//! In a page, one WebAssembly module decodes the screen, and another one, which the page also uses for the other channels,
//! runs the connection. [`ScreenProtocol`] is the interface between the two. Elsewhere, both are in one program.

use std::fmt;

use orgo_screen::{Condition, Outcome};

use super::close::{CloseCause, CloseReason};
use super::link::{Action, Counters};
use super::session::{Incoming, Protocol, Received, error_message};
use crate::Millis;
use crate::client::address::SocketUrl;
use crate::client::credentials::Password;
use crate::diagnostics::mask::Mask;

/// A screen as the session needs it. The methods with the name of a method of [`Protocol`] have the same meaning.
pub trait ScreenProtocol: fmt::Debug {
    /// The type of the items for the consumer.
    type Item;

    /// Returns whether the server has to refuse input.
    fn is_view_only(&self) -> bool;
    /// Starts the handshake on a new socket.
    fn open(&mut self, password: Option<&Password>);
    /// Handles the acceptance by the server, for the first time or after a break.
    fn accepted(&mut self, after_break: bool);
    /// Learns the time before a message is handled.
    fn set_now(&mut self, now: Millis);
    /// Learns the condition of the link.
    fn set_condition(&mut self, condition: Condition);
    /// Handles a binary message.
    fn receive(&mut self, bytes: &[u8]) -> Outcome;
    /// Adds an error message for the consumer.
    fn push_error(&mut self, message: String);
    /// Removes and returns the next item for the consumer.
    fn poll_item(&mut self) -> Option<Self::Item>;
    /// Returns the counters.
    fn counters(&self) -> orgo_screen::Counters;
    /// Returns a message that the server responds to, or `None` before the end of the handshake.
    fn ping(&self) -> Option<Vec<u8>>;
    /// See [`Protocol::poll_timeout`].
    fn poll_timeout(&self) -> Option<Millis>;
    /// See [`Protocol::handle_timeout`].
    fn handle_timeout(&mut self, now: Millis);
    /// See [`Protocol::poll_output`].
    fn poll_output(&mut self) -> Option<Vec<u8>>;
    /// See [`Protocol::continues_output`].
    fn continues_output(&self) -> bool;
    /// Returns the message that releases everything that is held, if anything is.
    fn closing_message(&mut self) -> Option<Vec<u8>>;
}

impl<S: ScreenProtocol> Protocol for S {
    type Item = S::Item;
    const CHANNEL: &'static str = "screen";
    const PATH: &'static str = "websockify";
    const HANDSHAKE: bool = true;

    fn add_query(&self, url: SocketUrl) -> SocketUrl {
        if self.is_view_only() { url.with("view_only", 1) } else { url }
    }

    fn on_open(&mut self, password: Option<&Password>) -> Vec<String> {
        self.open(password);
        Vec::new()
    }

    fn on_accepted(&mut self, after_break: Option<u64>) {
        self.accepted(after_break.is_some());
    }

    fn receive(&mut self, message: Incoming<'_>, _counters: &mut Counters, mask: &Mask) -> Received {
        match message {
            Incoming::Binary(bytes) => match ScreenProtocol::receive(self, bytes) {
                Outcome::Handled => Received::Handled,
                Outcome::Accepted => Received::Accepted,
                Outcome::PasswordRefused(reason) => Received::PasswordRefused(mask.text(&reason)),
                Outcome::Refused(reason) => Received::Refused(mask.text(&reason)),
                Outcome::Invalid(problem) => {
                    Received::End(CloseCause::new(CloseReason::Protocol, &mask.text(&problem)))
                }
            },
            // A proxy can report an error in the form of the other channels before it closes the socket.
            Incoming::Text(text) => match error_message(text) {
                Some(message) => {
                    let message = mask.text(&message);
                    self.push_error(message.clone());
                    Received::Problem(message)
                }
                None => Received::Malformed,
            },
            Incoming::Output(_) => Received::Malformed,
        }
    }

    fn poll_item(&mut self, _counters: &mut Counters) -> Option<S::Item> {
        ScreenProtocol::poll_item(self)
    }

    fn count(&self, counters: &mut Counters) {
        let orgo_screen::Counters { received, taken, refused } = ScreenProtocol::counters(self);
        (counters.received, counters.taken, counters.refused) = (received, taken, refused);
        counters.buffered = received.saturating_sub(taken);
    }

    fn is_full(&self) -> bool {
        false
    }

    fn overflows(&self) -> bool {
        false
    }

    fn ping(&self) -> Option<Action> {
        ScreenProtocol::ping(self).map(Action::SendBinary)
    }

    fn set_now(&mut self, now: Millis) {
        ScreenProtocol::set_now(self, now);
    }

    fn set_condition(&mut self, condition: Condition) {
        ScreenProtocol::set_condition(self, condition);
    }

    fn poll_timeout(&self) -> Option<Millis> {
        ScreenProtocol::poll_timeout(self)
    }

    fn handle_timeout(&mut self, now: Millis) {
        ScreenProtocol::handle_timeout(self, now);
    }

    fn poll_output(&mut self) -> Option<Vec<u8>> {
        ScreenProtocol::poll_output(self)
    }

    fn continues_output(&self) -> bool {
        ScreenProtocol::continues_output(self)
    }

    fn closing_message(&mut self) -> Option<Action> {
        ScreenProtocol::closing_message(self).map(Action::SendBinary)
    }
}
