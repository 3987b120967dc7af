//! Runs futures on the thread of JavaScript.
//!
//! Unlike `spawn_local` of `wasm_bindgen_futures`, it can poll futures before it returns to JavaScript. So the start of a call and
//! the response to its request need no microtasks, each of which passes between JavaScript and the module two more times.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use js_sys::Function;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = queueMicrotask)]
    fn queue_microtask(run: &Closure<dyn FnMut()>);
}

struct Task {
    id: u32,
    /// `None` while it is polled.
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    waker: Waker,
    /// The function that rejects the promise that the task settles.
    reject: Option<Function>,
}

thread_local! {
    static TASKS: RefCell<Vec<Task>> = const { RefCell::new(Vec::new()) };
    static LAST_ID: Cell<u32> = const { Cell::new(0) };
    /// The ids of the tasks to poll.
    static READY: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    /// Whether the tasks are polled before the module returns to JavaScript.
    static ENTERED: Cell<bool> = const { Cell::new(false) };
    /// The time at which JavaScript entered the module, if it has passed the time.
    static NOW: Cell<Option<f64>> = const { Cell::new(None) };
    static SCHEDULED: Cell<bool> = const { Cell::new(false) };
    // `FnMut`, like the handlers of timers: wasm-bindgen generates code for each type.
    static MICROTASK: Closure<dyn FnMut()> = Closure::new(|| {
        SCHEDULED.set(false);
        run();
    });
}

/// Wakes a task. It contains only the id, because a waker may be passed to other threads.
struct TaskWaker(u32);

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        wake(self.0);
    }
}

fn wake(id: u32) {
    READY.with_borrow_mut(|ready| {
        if !ready.contains(&id) {
            ready.push(id);
        }
    });
    if !ENTERED.get() {
        schedule();
    }
}

fn schedule() {
    if !SCHEDULED.replace(true) {
        MICROTASK.with(queue_microtask);
    }
}

/// Runs a future. It is polled before [`enter`] returns, or in a microtask. `reject` is the function that rejects the promise that the
/// future settles at its end.
pub(crate) fn spawn(future: Pin<Box<dyn Future<Output = ()>>>, reject: Option<Function>) {
    let id = LAST_ID.get().wrapping_add(1);
    LAST_ID.set(id);
    let task = Task { id, future: Some(future), waker: Arc::new(TaskWaker(id)).into(), reject };
    TASKS.with_borrow_mut(|tasks| tasks.push(task));
    wake(id);
}

/// Returns the functions that reject the promises of all tasks.
pub(crate) fn take_rejects() -> Vec<Function> {
    TASKS.with_borrow_mut(|tasks| tasks.iter_mut().filter_map(|task| task.reject.take()).collect())
}

/// Executes `work` and polls the tasks that are ready. JavaScript has called the module at the time `now`.
pub(crate) fn enter<T>(now: f64, work: impl FnOnce() -> T) -> T {
    let outer = begin(now);
    let result = work();
    if outer {
        end();
    }
    result
}

/// Returns whether this is the outer function: otherwise a program called the module in a callback.
fn begin(now: f64) -> bool {
    let outer = !ENTERED.replace(true);
    if outer {
        NOW.set(Some(now));
    } else {
        // Usually the outer function polls the tasks. It never does if it has trapped, so a microtask polls them too.
        schedule();
    }
    outer
}

fn end() {
    run();
    NOW.set(None);
}

/// Returns the time at which JavaScript entered the module, if it has passed the time.
pub(crate) fn entered_at() -> Option<f64> {
    NOW.get()
}

fn run() {
    ENTERED.set(true);
    loop {
        let ready = READY.take();
        if ready.is_empty() {
            break;
        }
        for id in ready {
            poll(id);
        }
    }
    ENTERED.set(false);
}

fn poll(id: u32) {
    let taken = TASKS.with_borrow_mut(|tasks| {
        let task = tasks.iter_mut().find(|task| task.id == id)?;
        Some((task.future.take()?, task.waker.clone()))
    });
    let Some((mut future, waker)) = taken else { return };
    let pending = future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
    TASKS.with_borrow_mut(|tasks| {
        if !pending {
            tasks.retain(|task| task.id != id);
        } else if let Some(task) = tasks.iter_mut().find(|task| task.id == id) {
            task.future = Some(future);
        }
    });
}
