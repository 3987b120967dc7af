//! The threads for all input and output. The first job starts each of them. They serve every client and every
//! `worker_threads` environment of the process, and do not keep the process alive.
//!
//! The second thread runs the channels whose items are always collected. If many messages arrive there, it sleeps for a few
//! milliseconds and then receives them together, instead of being woken for each message.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{mem, thread};

use orgo_core::Millis;
use tokio::runtime;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};

use crate::allocator;
use crate::clock;
use crate::mailbox::Mailbox;
use crate::promise::Waiting;

/// The interval in which the second thread receives messages together, in milliseconds. The default time for which audio is
/// collected is a multiple.
const INTERVAL: Millis = 8;
/// The second thread wakes up this long after each multiple of the interval, in milliseconds, because timers for a multiple
/// fire up to this much later.
const TIMER_DELAY: Millis = 2;
/// The number of waits within an interval after which the second thread sleeps until the next one. Few channels cause fewer
/// waits, so they are not delayed.
const MAX_WAITS: u32 = 4;

type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// The queue of the thread.
pub(crate) struct Jobs(UnboundedSender<Job>);

/// Returns the queue of the thread, and starts the thread if it is not running.
///
/// # Errors
/// Returns the reason why the thread could not be started.
pub(crate) fn jobs() -> Result<&'static Jobs, String> {
    static JOBS: OnceLock<Result<Jobs, String>> = OnceLock::new();
    JOBS.get_or_init(|| start("orgo-io", || {})).as_ref().map_err(Clone::clone)
}

/// Returns the queue of the thread for channels whose items are collected for at least this time, in milliseconds.
///
/// # Errors
/// As [`jobs`].
pub(crate) fn jobs_of_collected(time: Millis) -> Result<&'static Jobs, String> {
    static JOBS: OnceLock<Result<Jobs, String>> = OnceLock::new();
    if time < 2 * INTERVAL {
        return jobs();
    }
    JOBS.get_or_init(|| start("orgo-collect", sleep_if_busy)).as_ref().map_err(Clone::clone)
}

/// Sleeps until the next interval if this thread has waited often in the current one. The thread calls this before each wait.
fn sleep_if_busy() {
    thread_local! {
        /// The current interval, and the number of waits in it.
        static WAITS: Cell<(Millis, u32)> = const { Cell::new((0, 0)) };
    }
    let now = clock::now() + INTERVAL - TIMER_DELAY;
    let (interval, waits) = WAITS.get();
    if now / INTERVAL != interval {
        WAITS.set((now / INTERVAL, 1));
    } else if waits < MAX_WAITS {
        WAITS.set((interval, waits + 1));
    } else {
        thread::sleep(Duration::from_millis(INTERVAL - now % INTERVAL));
    }
}

impl Jobs {
    /// Runs a future on the thread. The future never leaves the thread, so it need not be `Send`.
    pub(crate) fn spawn<F>(&self, job: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        let sent = self.0.send(Box::new(|| Box::pin(job())));
        debug_assert!(sent.is_ok(), "the thread accepts jobs until the process ends");
    }
}

/// Starts a thread. It calls `before_wait` each time before it waits for the system.
fn start(name: &str, before_wait: fn()) -> Result<Jobs, String> {
    let explain = |error: std::io::Error| format!("the I/O thread could not be started: {error}");
    let mut builder = runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().on_thread_park(before_wait).build().map_err(explain)?;
    let (jobs, queue) = unbounded_channel();
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            allocator::prepare();
            LocalSet::new().block_on(&runtime, serve(queue));
        })
        .map_err(explain)?;
    Ok(Jobs(jobs))
}

/// The work that is collected until all tasks that are ready have run once.
#[derive(Default)]
struct Turn {
    /// Whether this thread is an I/O thread.
    here: Cell<bool>,
    resumed: RefCell<Vec<Arc<Waiting>>>,
    mailboxes: RefCell<Vec<Mailbox>>,
    changed: Rc<Notify>,
}

thread_local! {
    static TURN: Turn = Turn::default();
}

/// Wakes the JavaScript thread of a mailbox at the end of the turn. Call this on an I/O thread.
pub(crate) fn wake_later(mailbox: Mailbox) {
    TURN.with(|turn| {
        let mut mailboxes = turn.mailboxes.borrow_mut();
        if !mailboxes.iter().any(|own| own.is(&mailbox)) {
            mailboxes.push(mailbox);
            turn.changed.notify_one();
        }
    });
}

/// Polls a future on an I/O thread at the end of the turn. Can be called on any thread.
pub(crate) fn resume_later(waiting: Arc<Waiting>) {
    let on_this_thread = TURN.try_with(|turn| turn.here.get()).unwrap_or_default();
    if on_this_thread {
        TURN.with(|turn| {
            turn.resumed.borrow_mut().push(waiting);
            turn.changed.notify_one();
        });
    } else if let Ok(jobs) = jobs() {
        jobs.spawn(move || async move { waiting.resume() });
    }
}

/// Performs the work at the end of each turn. The task is woken during the turn, so it runs after the tasks that were
/// ready before.
async fn end_turns() {
    let changed = TURN.with(|turn| Rc::clone(&turn.changed));
    loop {
        changed.notified().await;
        let resumed = TURN.with(|turn| mem::take(&mut *turn.resumed.borrow_mut()));
        resumed.iter().for_each(Waiting::resume);
        let mailboxes = TURN.with(|turn| mem::take(&mut *turn.mailboxes.borrow_mut()));
        mailboxes.iter().for_each(Mailbox::wake);
    }
}

async fn serve(mut queue: UnboundedReceiver<Job>) {
    TURN.with(|turn| turn.here.set(true));
    spawn_local(end_turns());
    while let Some(job) = queue.recv().await {
        // Called within the task, so that a panic of the job itself ends only the task.
        spawn_local(async move { job().await });
    }
}
