//! Shuts down a computer and records the reason.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Notifies all tasks of a computer that the computer shuts down. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Shutdown {
    token: CancellationToken,
    reason: Arc<OnceLock<String>>,
}

impl Shutdown {
    /// Begins to shut down the computer on request.
    pub(super) fn begin(&self) {
        self.token.cancel();
    }

    /// Begins to shut down the computer because of a failure, unless it is already shutting down.
    pub(super) fn fail(&self, reason: impl Into<String>) {
        if !self.token.is_cancelled() {
            // The first reason is kept, because it is the cause of the later ones.
            let _ = self.reason.set(reason.into());
            self.token.cancel();
        }
    }

    /// Returns a token that is canceled as soon as the computer begins to shut down.
    pub(super) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Returns the reason, if the computer shuts down because of a failure.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.get().map(String::as_str)
    }
}
