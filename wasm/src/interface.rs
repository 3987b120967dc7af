//! The numbers that the module of the screen and the module of its connection exchange. The modules exchange only numbers,
//! texts and bytes, so that their memories stay separate.

use orgo_core::channel::{Condition, Outcome};

/// Returns the number of an outcome, and its text.
#[cfg(feature = "screen")]
pub(crate) fn outcome_to_number(outcome: Outcome) -> (u32, String) {
    match outcome {
        Outcome::Handled => (0, String::new()),
        Outcome::Accepted => (1, String::new()),
        Outcome::PasswordRefused(reason) => (2, reason),
        Outcome::Refused(reason) => (3, reason),
        Outcome::Invalid(problem) => (4, problem),
    }
}

/// Returns the outcome with this number. `text` returns its text.
#[cfg(feature = "channels")]
pub(crate) fn outcome_from_number(number: u32, text: impl FnOnce() -> String) -> Outcome {
    match number {
        0 => Outcome::Handled,
        1 => Outcome::Accepted,
        2 => Outcome::PasswordRefused(text()),
        3 => Outcome::Refused(text()),
        _ => Outcome::Invalid(text()),
    }
}

/// Returns the number of a condition.
#[cfg(feature = "channels")]
pub(crate) fn condition_to_number(condition: Condition) -> u32 {
    match condition {
        Condition::Disconnected => 0,
        Condition::Unstable => 1,
        Condition::Open => 2,
    }
}

/// Returns the condition with this number.
#[cfg(feature = "screen")]
pub(crate) fn condition_from_number(number: u32) -> Condition {
    match number {
        0 => Condition::Disconnected,
        1 => Condition::Unstable,
        _ => Condition::Open,
    }
}
