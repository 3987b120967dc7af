//! Timers of the modules for pages. All waits share one timer of the browser: each call has several time limits, which are rarely
//! reached, and starting and stopping timers would take longer than checking a response.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use gloo_timers::callback::Timeout;
use orgo_core::Millis;

use super::{clock, performance_now};

/// A browser's timer ends immediately if its time is longer than this.
const LONGEST: f64 = i32::MAX as f64;

thread_local! {
    static TIMERS: RefCell<Timers> = const { RefCell::new(Timers { waiting: Vec::new(), next: None }) };
}

struct Timers {
    waiting: Vec<Rc<Waiting>>,
    /// The timer of the browser and its time. It is not stopped when a wait is dropped, because the next wait needs it.
    next: Option<(f64, Timeout)>,
}

struct Waiting {
    until: f64,
    due: Cell<bool>,
    notify: Notify,
}

/// What happens when the time has come.
enum Notify {
    Wake(Cell<Option<Waker>>),
    #[cfg(feature = "rest")]
    Ring(u32, fn(u32)),
}

impl Timers {
    /// Starts the timer of the browser unless it ends early enough.
    fn arm(&mut self, until: f64) {
        if self.next.as_ref().is_none_or(|(time, _)| *time > until) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in the range")]
            let time = (until - clock()).ceil().clamp(0.0, LONGEST) as u32;
            self.next = Some((until, Timeout::new(time, fire)));
        }
    }
}

/// Wakes the tasks whose time has come, and rings the alarms. A timer may end too early.
fn fire() {
    let mut due = Vec::new();
    TIMERS.with_borrow_mut(|timers| {
        timers.next = None;
        let now = performance_now();
        let mut next = f64::INFINITY;
        timers.waiting.retain(|waiting| {
            if waiting.until > now {
                next = next.min(waiting.until);
                return true;
            }
            waiting.due.set(true);
            due.push(Rc::clone(waiting));
            false
        });
        if next.is_finite() {
            timers.arm(next);
        }
    });
    for waiting in due {
        match &waiting.notify {
            Notify::Wake(waker) => waker.take().into_iter().for_each(Waker::wake),
            #[cfg(feature = "rest")]
            // An alarm may have been dropped since.
            Notify::Ring(id, ring) if Rc::strong_count(&waiting) > 1 => ring(*id),
            #[cfg(feature = "rest")]
            Notify::Ring(..) => {}
        }
    }
}

fn wait(time: Millis, notify: Notify) -> Sleep {
    #[allow(clippy::cast_precision_loss, reason = "it is far below 2^53")]
    let until = clock() + time as f64;
    let waiting = Rc::new(Waiting { until, due: Cell::new(false), notify });
    TIMERS.with_borrow_mut(|timers| {
        timers.arm(until);
        timers.waiting.push(Rc::clone(&waiting));
    });
    Sleep(waiting)
}

/// Waits for at least this time.
pub(super) fn sleep(time: Millis) -> Sleep {
    wait(time, Notify::Wake(Cell::default()))
}

/// A wait that ends with a call of a function. Dropping it ends it without the call.
#[cfg(feature = "rest")]
pub(crate) struct Alarm {
    _sleep: Sleep,
}

#[cfg(feature = "rest")]
impl Alarm {
    /// Calls `ring` with the id after at least this time.
    pub(crate) fn new(time: Millis, id: u32, ring: fn(u32)) -> Self {
        Self { _sleep: wait(time, Notify::Ring(id, ring)) }
    }
}

pub(super) struct Sleep(Rc<Waiting>);

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0.due.get() {
            return Poll::Ready(());
        }
        match &self.0.notify {
            Notify::Wake(waker) => waker.set(Some(context.waker().clone())),
            #[cfg(feature = "rest")]
            Notify::Ring(..) => {}
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        TIMERS.with_borrow_mut(|timers| timers.waiting.retain(|waiting| !Rc::ptr_eq(waiting, &self.0)));
    }
}
