//! Waiting no longer than a limit.

use std::time::{Duration, Instant};

/// As much as counts at most of the time between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// How long somebody may be waited for. The time in which this process is held up itself does not count: what
/// holds it up, be it a paused container or a machine without memory, holds up those that it waits for too.
#[derive(Debug)]
pub(super) struct Patience {
    left: Duration,
    looked: Instant,
}

impl Patience {
    pub(super) fn new(limit: Duration) -> Self {
        Self { left: limit, looked: Instant::now() }
    }

    /// Until when to wait before the next look; `None` when it is over.
    pub(super) fn next_look(&mut self) -> Option<Instant> {
        let now = Instant::now();
        self.left = self.left.saturating_sub((now - self.looked).min(LOOK));
        self.looked = now;
        (!self.left.is_zero()).then(|| now + self.left.min(LOOK))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn it_lasts_as_long_as_its_limit() {
        let began = Instant::now();
        let mut patience = Patience::new(LOOK * 3);
        while let Some(look) = patience.next_look() {
            thread::sleep(look.saturating_duration_since(Instant::now()));
        }
        assert!(began.elapsed() >= LOOK * 3);
    }

    #[test]
    fn what_passes_while_nobody_can_look_counts_little() {
        let mut patience = Patience::new(LOOK * 3);
        thread::sleep(LOOK * 10);
        assert!(patience.next_look().is_some());
    }
}
