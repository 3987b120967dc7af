//! Limits the viewers of a computer's live screen.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The maximum number of viewers of one computer.
pub(crate) const MAX_VIEWERS: usize = 16;
/// After this number of wrong passwords in a row, further attempts are refused for [`LOCKOUT`].
const MAX_FAILURES: u32 = 5;
const LOCKOUT: Duration = Duration::from_secs(10);

/// The viewers of one computer, and their failed attempts to authenticate. The X server's own limit would count all
/// viewers as one client, and lock out all of them.
#[derive(Debug)]
pub(crate) struct Viewers {
    slots: Arc<Semaphore>,
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Failures {
    count: u32,
    last: Option<Instant>,
}

impl Default for Viewers {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(MAX_VIEWERS)), failures: Mutex::default() }
    }
}

impl Viewers {
    /// Admits a viewer until the permit is dropped. Returns `None` if there are too many viewers.
    pub(crate) fn admit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).try_acquire_owned().ok()
    }

    /// Returns whether a viewer may try a password at the time `now`.
    pub(crate) fn may_authenticate(&self, now: Instant) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = failures.last.is_some_and(|last| now.saturating_duration_since(last) < LOCKOUT);
        failures.count < MAX_FAILURES || !recent
    }

    /// Records whether a password was correct.
    pub(crate) fn record(&self, correct: bool, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        *failures = if correct {
            Failures::default()
        } else {
            Failures { count: failures.count.saturating_add(1), last: Some(now) }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_viewers_is_limited() {
        let viewers = Viewers::default();
        let mut admitted: Vec<_> =
            (0..MAX_VIEWERS).map(|_| viewers.admit().expect("there is room")).collect();
        assert!(viewers.admit().is_none());
        admitted.pop();
        assert!(viewers.admit().is_some());
    }

    #[test]
    fn wrong_passwords_in_a_row_lock_viewers_out_for_a_while() {
        let viewers = Viewers::default();
        let now = Instant::now();
        for _ in 0..MAX_FAILURES {
            assert!(viewers.may_authenticate(now));
            viewers.record(false, now);
        }
        assert!(!viewers.may_authenticate(now));
        assert!(viewers.may_authenticate(now + LOCKOUT));
        viewers.record(true, now + LOCKOUT);
        viewers.record(false, now + LOCKOUT);
        assert!(viewers.may_authenticate(now + LOCKOUT));
    }
}
