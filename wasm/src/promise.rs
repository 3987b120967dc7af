//! Settles promises of JavaScript with the values of futures, even after a panic.
//!
//! In wasm a panic traps: no destructor runs and no pending future is polled again, so the promises would stay pending
//! forever. The panic hook rejects every pending promise, and later promises are rejected at once, because the state
//! after a panic cannot be trusted.

use std::cell::OnceCell;
use std::future::Future;
use std::pin::Pin;

use js_sys::{Error, Function, Promise};
use wasm_bindgen::JsValue;

use crate::task::{spawn, take_rejects};

thread_local! {
    /// The panic that ended this module.
    static PANIC: OnceCell<Error> = const { OnceCell::new() };
}

/// Calls a function that settles a promise, which never throws.
pub(crate) fn call(settle: &Function, value: &JsValue) {
    let _ = settle.call1(&JsValue::UNDEFINED, value);
}

/// Creates a promise for the value of a future.
pub(crate) fn promise(future: impl Future<Output = JsValue> + 'static) -> Promise {
    // The code of `settled` exists once for all types of futures.
    settled(Box::pin(future))
}

fn settled(future: Pin<Box<dyn Future<Output = JsValue>>>) -> Promise {
    if let Some(error) = panic_error() {
        return Promise::reject(&error);
    }
    let mut future = Some(future);
    Promise::new(&mut |resolve, reject| {
        // A promise calls its executor once.
        let Some(future) = future.take() else { return };
        let settled = async move { call(&resolve, &future.await) };
        spawn(Box::pin(settled), Some(reject));
    })
}

/// Returns the panic that ended this module.
pub(crate) fn panic_error() -> Option<Error> {
    PANIC.with(|panic| panic.get().cloned())
}

/// Reports a panic on the console, and rejects every pending promise with it. `take_others` returns the functions that reject the promises
/// of calls.
pub(crate) fn reject_on_panic(take_others: fn() -> Vec<Function>) {
    std::panic::set_hook(Box::new(move |info| {
        let error = Error::new(&format!("orgo-wasm: {info}"));
        web_sys::console::error_1(&error);
        PANIC.with(|panic| {
            let _ = panic.set(error.clone());
        });
        for reject in take_rejects().into_iter().chain(take_others()) {
            call(&reject, &error);
        }
    }));
}
