//! Failures of any library below, in one type and in one line.

use std::error::Error;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// An error with its causes in one line: the outermost text of a network library alone says nothing.
pub(crate) fn explain(error: &(dyn Error + 'static)) -> String {
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
