//! Converts the errors of libraries to one type, and to one line of text.

use std::error::Error;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// Describes an error with its causes on one line, because the outermost message of a network library has few details.
pub(crate) fn describe(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
