//! Settles promises of JavaScript with the values of futures, even after a panic.
//!
//! In wasm a panic traps: no destructor runs and no pending future is polled again, so the promises would stay pending
//! forever. The panic hook rejects every pending promise, and later promises are rejected at once, because the state
//! after a panic cannot be trusted.

use std::cell::{OnceCell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use js_sys::{Error, Function, Promise};
use wasm_bindgen::JsValue;

use crate::task::spawn;

thread_local! {
    /// The functions that reject the pending promises. Their first argument is the error.
    static PENDING: RefCell<Vec<Rc<Function>>> = const { RefCell::new(Vec::new()) };
    /// The panic that ended this module.
    static PANIC: OnceCell<Error> = const { OnceCell::new() };
}

/// Calls a function that settles a promise, which never throws.
fn call(settle: &Function, value: &JsValue) {
    let _ = settle.call1(&JsValue::UNDEFINED, value);
}

/// Creates a promise for the value of a future.
pub(crate) fn promise(future: impl Future<Output = JsValue> + 'static) -> Promise {
    // The code of `settled` exists once for all types of futures.
    settled(Box::pin(future))
}

fn settled(future: Pin<Box<dyn Future<Output = JsValue>>>) -> Promise {
    if let Some(error) = PANIC.with(|panic| panic.get().cloned()) {
        return Promise::reject(&error);
    }
    let mut future = Some(future);
    Promise::new(&mut |resolve, reject| {
        // A promise calls its executor once.
        let Some(future) = future.take() else { return };
        guard(
            reject,
            Box::pin(async move {
                let value = future.await;
                Box::new(move || call(&resolve, &value)) as Settle
            }),
        );
    })
}

/// Settles a promise.
pub(crate) type Settle = Box<dyn FnOnce()>;

/// Runs a future whose result settles a promise.
fn guard(reject: Function, future: Pin<Box<dyn Future<Output = Settle>>>) {
    let reject = Rc::new(reject);
    PENDING.with_borrow_mut(|pending| pending.push(Rc::clone(&reject)));
    spawn(async move {
        let settle = future.await;
        PENDING.with_borrow_mut(|pending| pending.retain(|other| !Rc::ptr_eq(other, &reject)));
        settle();
    });
}

/// Runs a future, whose result calls `settle` with `undefined` and values. After a panic, calls it with the error instead.
#[cfg(feature = "rest")]
pub(crate) fn settle_with(settle: Function, future: impl Future<Output = Settle> + 'static) {
    match PANIC.with(|panic| panic.get().cloned()) {
        Some(error) => call(&settle, &error),
        None => guard(settle, Box::pin(future)),
    }
}

/// Reports a panic on the console, and rejects every pending promise with it.
pub(crate) fn reject_on_panic() {
    std::panic::set_hook(Box::new(|info| {
        let error = Error::new(&format!("orgo-wasm: {info}"));
        web_sys::console::error_1(&error);
        PANIC.with(|panic| {
            let _ = panic.set(error.clone());
        });
        for reject in PENDING.take() {
            call(&reject, &error);
        }
    }));
}
