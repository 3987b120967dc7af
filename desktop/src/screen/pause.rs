//! Letting time pass as long as somebody waits for the outcome.

use std::{
    thread,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::error::ScreenError;

/// How often a pause looks whether it has become pointless.
const LOOK: Duration = Duration::from_millis(20);

/// Returns at `end`, or soon after `abandoned`.
pub(super) fn until(end: Instant, abandoned: &CancellationToken) -> Result<(), ScreenError> {
    loop {
        still_wanted(abandoned)?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(LOOK));
    }
}

pub(super) fn still_wanted(abandoned: &CancellationToken) -> Result<(), ScreenError> {
    if abandoned.is_cancelled() { Err(ScreenError::Abandoned) } else { Ok(()) }
}
