//! How far an upload is, on its way from the loop to whoever waits for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::signal::Signal;
use crate::rest::upload::UploadProgress;

#[derive(Debug, Default)]
struct Shared {
    pending: Mutex<Option<UploadProgress>>,
    ended: AtomicBool,
    changed: Signal,
}

/// The end that a call writes to. The other end comes to its end when this one is dropped, however the call ended.
#[derive(Debug)]
pub struct ProgressSender(Arc<Shared>);

/// The end that is read, by one reader, also from another thread. What was not read in time is replaced by what is newer.
#[derive(Debug, Clone)]
pub struct ProgressReceiver(Arc<Shared>);

impl ProgressSender {
    /// Both ends.
    #[must_use]
    pub fn new() -> (Self, ProgressReceiver) {
        let shared = Arc::<Shared>::default();
        (Self(Arc::clone(&shared)), ProgressReceiver(shared))
    }

    pub(super) fn tell(&self, uploaded: UploadProgress) {
        *self.0.pending.lock().unwrap_or_else(PoisonError::into_inner) = Some(uploaded);
        self.0.changed.raise();
    }
}

impl Drop for ProgressSender {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
        self.0.changed.raise();
    }
}

impl ProgressReceiver {
    /// How far the upload is, as soon as that has changed; `None` after the end.
    pub async fn next(&self) -> Option<UploadProgress> {
        loop {
            // In this order: what is told last is told before the end.
            let ended = self.0.ended.load(Ordering::Acquire);
            let pending = self.0.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
            if pending.is_some() || ended {
                return pending;
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
        let (progress_sender, progress_receiver) = ProgressSender::new();
        let at = |loaded| UploadProgress { loaded, total: 9 };
        assert_eq!(progress_receiver.next().now_or_never(), None);
        progress_sender.tell(at(1));
        progress_sender.tell(at(2));
        assert_eq!(progress_receiver.next().now_or_never(), Some(Some(at(2))));
        assert_eq!(progress_receiver.next().now_or_never(), None);
        progress_sender.tell(at(9));
        drop(progress_sender);
        assert_eq!(progress_receiver.next().now_or_never(), Some(Some(at(9))));
        assert_eq!(progress_receiver.next().now_or_never(), Some(None));
        assert_eq!(progress_receiver.next().now_or_never(), Some(None));
    }
}
