//! That a computer ends, and why.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Shared by all that runs for one computer. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Shutdown {
    token: CancellationToken,
    reason: Arc<OnceLock<String>>,
}

impl Shutdown {
    /// Ends the computer, since it was asked to.
    pub(super) fn begin(&self) {
        self.token.cancel();
    }

    /// Ends the computer for a reason of its own, unless it ends already.
    pub(super) fn fail(&self, reason: impl Into<String>) {
        if !self.token.is_cancelled() {
            // The first reason led to the others.
            let _ = self.reason.set(reason.into());
            self.token.cancel();
        }
    }

    /// Cancelled as soon as the computer ends.
    pub(super) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Why it ends without having been asked to.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.get().map(String::as_str)
    }
}
