//! A timeout that excludes the time in which this process is suspended.

use std::time::{Duration, Instant};

/// The maximum time that is counted between two checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The remaining time of a wait.
///
/// The time during which this process is suspended does not count. If a container is paused or a machine has no free
/// memory, the processes that this process waits for may be suspended too.
#[derive(Debug)]
pub(in crate::screen) struct TimeBudget {
    remaining: Duration,
    last_check: Instant,
}

impl TimeBudget {
    pub(in crate::screen) fn new(limit: Duration) -> Self {
        Self { remaining: limit, last_check: Instant::now() }
    }

    /// Returns the time at which a waiting caller should call this method again, or `None` if the budget is used up.
    pub(in crate::screen) fn next_check(&mut self) -> Option<Instant> {
        let now = Instant::now();
        self.remaining = self.remaining.saturating_sub((now - self.last_check).min(CHECK_INTERVAL));
        self.last_check = now;
        (!self.remaining.is_zero()).then(|| now + self.remaining.min(CHECK_INTERVAL))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_budget_lasts_as_long_as_its_limit() {
        let began = Instant::now();
        let mut budget = TimeBudget::new(CHECK_INTERVAL * 3);
        while let Some(next_check) = budget.next_check() {
            thread::sleep(next_check.saturating_duration_since(Instant::now()));
        }
        assert!(began.elapsed() >= CHECK_INTERVAL * 3);
    }

    #[test]
    fn time_without_checks_counts_only_in_part() {
        let mut budget = TimeBudget::new(CHECK_INTERVAL * 3);
        thread::sleep(CHECK_INTERVAL * 10);
        assert!(budget.next_check().is_some());
    }
}
