//! Passes the progress of an upload from the loop to a reader.

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

/// The sending half, for a call. The receiving half ends when the sending half is dropped.
#[derive(Debug)]
pub struct ProgressSender(Arc<Shared>);

/// The receiving half, for one reader on any thread. Newer progress replaces unread progress.
#[derive(Debug, Clone)]
pub struct ProgressReceiver(Arc<Shared>);

impl ProgressSender {
    /// Creates both halves.
    #[must_use]
    pub fn new() -> (Self, ProgressReceiver) {
        let shared = Arc::<Shared>::default();
        (Self(Arc::clone(&shared)), ProgressReceiver(shared))
    }

    pub(super) fn send(&self, progress: UploadProgress) {
        *self.0.pending.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
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
    /// Waits for new progress. Returns `None` after the sending half was dropped.
    pub async fn next(&self) -> Option<UploadProgress> {
        loop {
            // `ended` is read before `pending`, because the last progress is sent before the end.
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
    fn only_the_newest_progress_is_read_and_the_last_before_the_end() {
        let (progress_sender, progress_receiver) = ProgressSender::new();
        let at = |loaded| UploadProgress { loaded, total: Some(9) };
        assert_eq!(progress_receiver.next().now_or_never(), None);
        progress_sender.send(at(1));
        progress_sender.send(at(2));
        assert_eq!(progress_receiver.next().now_or_never(), Some(Some(at(2))));
        assert_eq!(progress_receiver.next().now_or_never(), None);
        progress_sender.send(at(9));
        drop(progress_sender);
        assert_eq!(progress_receiver.next().now_or_never(), Some(Some(at(9))));
        assert_eq!(progress_receiver.next().now_or_never(), Some(None));
        assert_eq!(progress_receiver.next().now_or_never(), Some(None));
    }
}
