//! How far an upload is, on its way from the loop to whoever waits for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::signal::Signal;
use crate::rest::upload::Uploaded;

#[derive(Debug, Default)]
struct Shared {
    untold: Mutex<Option<Uploaded>>,
    ended: AtomicBool,
    changed: Signal,
}

/// The end that a call writes to. The other end comes to its end when this one is dropped, however the call ended.
#[derive(Debug)]
pub struct Meter(Arc<Shared>);

/// The end that is read, by one reader, also from another thread. What was not read in time is replaced by what is newer.
#[derive(Debug, Clone)]
pub struct Gauge(Arc<Shared>);

impl Meter {
    /// Both ends.
    #[must_use]
    pub fn new() -> (Self, Gauge) {
        let shared = Arc::<Shared>::default();
        (Self(Arc::clone(&shared)), Gauge(shared))
    }

    pub(super) fn tell(&self, uploaded: Uploaded) {
        *self.0.untold.lock().unwrap_or_else(PoisonError::into_inner) = Some(uploaded);
        self.0.changed.raise();
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
        self.0.changed.raise();
    }
}

impl Gauge {
    /// How far the upload is, as soon as that has changed; `None` after the end.
    pub async fn next(&self) -> Option<Uploaded> {
        loop {
            // In this order: what is told last is told before the end.
            let ended = self.0.ended.load(Ordering::Acquire);
            let untold = self.0.untold.lock().unwrap_or_else(PoisonError::into_inner).take();
            if untold.is_some() || ended {
                return untold;
            }
            self.0.changed.wait().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn the_newest_is_read_and_the_last_before_the_end() {
        let (meter, gauge) = Meter::new();
        let at = |loaded| Uploaded { loaded, total: 9 };
        assert_eq!(gauge.next().now_or_never(), None);
        meter.tell(at(1));
        meter.tell(at(2));
        assert_eq!(gauge.next().now_or_never(), Some(Some(at(2))));
        assert_eq!(gauge.next().now_or_never(), None);
        meter.tell(at(9));
        drop(meter);
        assert_eq!(gauge.next().now_or_never(), Some(Some(at(9))));
        assert_eq!(gauge.next().now_or_never(), Some(None));
        assert_eq!(gauge.next().now_or_never(), Some(None));
    }
}
