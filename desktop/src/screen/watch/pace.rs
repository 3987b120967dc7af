use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A watch may use one part in this many of a CPU core on average.
const SHARE: u32 = 5;
/// Most CPU time that it may use at once.
const BURST: Duration = Duration::from_secs(1);

/// Limits the CPU time of the calling thread: a token bucket.
#[derive(Debug)]
pub(super) struct Pace {
    bucket: Bucket,
    looked: Instant,
    used: Duration,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { bucket: Bucket(BURST), looked: Instant::now(), used: processor_time() }
    }

    /// The time at which the thread may continue.
    pub(super) fn next_round(&mut self) -> Instant {
        let (now, used) = (Instant::now(), processor_time());
        let wait = self.bucket.pass(now - self.looked, used.saturating_sub(self.used));
        (self.looked, self.used) = (now, used);
        now + wait
    }
}

/// CPU time that may be used without a wait.
#[derive(Debug)]
struct Bucket(Duration);

impl Bucket {
    /// Accounts for `used` CPU time in `time`. Returns how long to wait.
    fn pass(&mut self, time: Duration, used: Duration) -> Duration {
        let credit = self.0.saturating_add(time / SHARE).min(BURST);
        match credit.checked_sub(used) {
            Some(left) => {
                self.0 = left;
                Duration::ZERO
            }
            None => {
                self.0 = Duration::ZERO;
                (used - credit).saturating_mul(SHARE)
            }
        }
    }
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_what_is_beyond_it_waits_for_its_share() {
        let mut bucket = Bucket(BURST);
        assert_eq!(bucket.pass(BURST, BURST), Duration::ZERO);
        assert_eq!(bucket.pass(Duration::ZERO, BURST), BURST * SHARE);
    }

    #[test]
    fn a_share_is_always_free() {
        let mut bucket = Bucket(Duration::ZERO);
        for _ in 0..100 {
            assert_eq!(bucket.pass(BURST, BURST / SHARE), Duration::ZERO);
        }
    }

    #[test]
    fn a_thread_that_never_rests_is_held_up() {
        let mut pace = Pace::new();
        while pace.next_round() <= Instant::now() {}
    }
}
