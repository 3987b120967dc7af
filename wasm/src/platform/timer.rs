//! Timers of the complete module. Each wait has its own timer, because some servers stop the timers of a request when the request ends.

use std::future::Future;

use gloo_timers::future::TimeoutFuture;
use orgo_core::Millis;

/// A browser's timer ends immediately if its time is longer than this.
const LONGEST: u32 = i32::MAX as u32;

/// Waits for at least this time.
pub(super) fn sleep(time: Millis) -> impl Future<Output = ()> + 'static {
    TimeoutFuture::new(u32::try_from(time).map_or(LONGEST, |time| time.min(LONGEST)))
}
