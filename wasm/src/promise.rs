//! Converts futures to promises that are settled even after a panic.
//!
//! In wasm a panic traps: no destructor runs and no pending future is polled again, so the promises would stay pending
//! forever. The panic hook rejects every pending promise, and later promises are rejected at once, because the state
//! after a panic cannot be trusted.

use std::cell::OnceCell;
use std::future::Future;
use std::pin::Pin;

use js_sys::{Error, Function, Promise, Set};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;

thread_local! {
    /// The `reject` functions of the promises that are pending.
    static PENDING: Set = Set::new(&JsValue::UNDEFINED);
    /// The panic that ended this module.
    static PANIC: OnceCell<Error> = const { OnceCell::new() };
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
        PENDING.with(|pending| pending.add(&reject));
        spawn_local(async move {
            let value = future.await;
            PENDING.with(|pending| pending.delete(&reject));
            call(&resolve, &value);
        });
    })
}

/// Reports a panic on the console, and rejects every pending promise with it.
pub(crate) fn reject_on_panic() {
    std::panic::set_hook(Box::new(|info| {
        let error = Error::new(&format!("orgo-wasm: {info}"));
        web_sys::console::error_1(&error);
        PANIC.with(|panic| {
            let _ = panic.set(error.clone());
        });
        PENDING.with(|pending| {
            pending.for_each(&mut |reject, _, _| call(reject.unchecked_ref(), &error));
            pending.clear();
        });
    }));
}

/// Calls the `resolve` or `reject` function of a promise, which never throws.
fn call(settle: &Function, value: &JsValue) {
    let _ = settle.call1(&JsValue::UNDEFINED, value);
}
