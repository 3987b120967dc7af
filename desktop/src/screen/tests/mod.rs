//! The screen against a real X server, with windows that record what reaches them and with real applications.

mod applications;
mod failure;
mod hostile;
mod keyboard;
mod layouts;
mod picture;
mod pointer;
mod recorder;
mod server;
mod signs;
mod spellings;
mod typing;
mod viewer;
mod watch;

use std::{
    thread,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

/// Far more than anything here takes, so that it only ends a test which would wait for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// The token of a caller that waits for the outcome.
fn wanted() -> CancellationToken {
    CancellationToken::new()
}

/// Waits until `condition` gives a value, and fails the test when it never does.
#[track_caller]
fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < end, "never saw {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
