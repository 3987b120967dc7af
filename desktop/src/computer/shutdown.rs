//! Shuts down a computer and records the reason.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Notifies all tasks of a computer that it shuts down. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Shutdown {
    token: CancellationToken,
    reason: Arc<OnceLock<String>>,
}

impl Shutdown {
    /// Ends the computer on request.
    pub(super) fn begin(&self) {
        self.token.cancel();
    }

    /// Ends the computer because of a failure, unless it is already shutting down.
    pub(super) fn fail(&self, reason: impl Into<String>) {
        if !self.token.is_cancelled() {
            // The first reason is kept, because it is the cause of the later ones.
            let _ = self.reason.set(reason.into());
            self.token.cancel();
        }
    }

    /// Canceled as soon as the computer ends.
    pub(super) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// The reason, if the computer ends because of a failure.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.get().map(String::as_str)
    }
}
