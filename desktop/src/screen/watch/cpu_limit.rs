//! Limits the CPU time of a watch, which handles events from untrusted programs.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The reciprocal of the average share of a CPU core that a watch may use.
const SHARE: u32 = 5;
/// The maximum CPU time that the thread may use without a wait.
const BURST: Duration = Duration::from_secs(1);

/// A token bucket that limits the CPU time of the calling thread.
#[derive(Debug)]
pub(super) struct CpuLimit {
    bucket: Bucket,
    last_check: Instant,
    used: Duration,
}

impl CpuLimit {
    pub(super) fn new() -> Self {
        Self { bucket: Bucket(BURST), last_check: Instant::now(), used: thread_cpu_time() }
    }

    /// Returns the time at which the thread may continue.
    pub(super) fn resume_time(&mut self) -> Instant {
        let (now, used) = (Instant::now(), thread_cpu_time());
        let wait = self.bucket.charge(now - self.last_check, used.saturating_sub(self.used));
        (self.last_check, self.used) = (now, used);
        now + wait
    }
}

/// The CPU time that the thread may currently use without a wait.
#[derive(Debug)]
struct Bucket(Duration);

impl Bucket {
    /// Adds the credit for the elapsed `time`, and subtracts the CPU time `used`. Returns the required wait.
    fn charge(&mut self, time: Duration, used: Duration) -> Duration {
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

fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_beyond_a_burst_requires_a_wait() {
        let mut bucket = Bucket(BURST);
        assert_eq!(bucket.charge(BURST, BURST), Duration::ZERO);
        assert_eq!(bucket.charge(Duration::ZERO, BURST), BURST * SHARE);
    }

    #[test]
    fn the_average_share_requires_no_wait() {
        let mut bucket = Bucket(Duration::ZERO);
        for _ in 0..100 {
            assert_eq!(bucket.charge(BURST, BURST / SHARE), Duration::ZERO);
        }
    }

    #[test]
    fn a_busy_thread_has_to_wait() {
        let mut cpu_limit = CpuLimit::new();
        let used = thread_cpu_time();
        // The credit is at most a burst, however long a busy machine takes for this.
        while thread_cpu_time() < used + BURST * 11 / 10 {}
        assert!(cpu_limit.resume_time() > cpu_limit.last_check);
    }
}
