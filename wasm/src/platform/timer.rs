//! Timers of the complete module. Each wait has its own timer, because some servers stop the timers of a request when the request ends.

use std::future::Future;

use gloo_timers::callback::Timeout;
use gloo_timers::future::TimeoutFuture;
use orgo_core::Millis;

/// A browser's timer ends immediately if its time is longer than this.
const LONGEST: u32 = i32::MAX as u32;

fn limited(time: Millis) -> u32 {
    u32::try_from(time).map_or(LONGEST, |time| time.min(LONGEST))
}

/// Waits for at least this time.
pub(super) fn sleep(time: Millis) -> impl Future<Output = ()> + 'static {
    TimeoutFuture::new(limited(time))
}

/// A wait that ends with a call of a function. Dropping it ends it without the call.
pub(crate) struct Alarm {
    _timeout: Timeout,
}

impl Alarm {
    /// Calls `ring` with the id after at least this time.
    pub(crate) fn new(time: Millis, id: u32, ring: fn(u32)) -> Self {
        Self { _timeout: Timeout::new(limited(time), move || ring(id)) }
    }
}
