//! The clock of sessions and of the network.

use std::sync::LazyLock;
use std::time::Instant;

use orgo_core::Millis;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Returns the milliseconds since the first call, from a monotonic clock.
pub(crate) fn now() -> Millis {
    START.elapsed().as_millis().try_into().unwrap_or(Millis::MAX)
}
