//! Cancels input actions whose callers no longer wait.

use std::{
    thread,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use crate::screen::ScreenError;

/// The time between two checks for cancellation.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Sleeps until `end`. Checks for cancellation every [`CHECK_INTERVAL`], and fails if the action is canceled.
pub(in crate::screen) fn sleep_until(end: Instant, canceled: &CancellationToken) -> Result<(), ScreenError> {
    loop {
        check(canceled)?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(CHECK_INTERVAL));
    }
}

pub(in crate::screen) fn check(canceled: &CancellationToken) -> Result<(), ScreenError> {
    if canceled.is_cancelled() { Err(ScreenError::Canceled) } else { Ok(()) }
}
