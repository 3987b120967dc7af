//! Promises that the I/O thread resolves.

use std::future::Future;

use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, Error};

use crate::io_thread;

/// A promise for the value of a future on the I/O thread. Until then it keeps the process alive, so the future has to
/// come to an end: it must not panic.
pub(crate) fn promise<'env, T, F>(
    env: &'env Env,
    job: impl FnOnce() -> F + Send + 'static,
) -> napi::Result<Object<'env>>
where
    T: ToNapiValue + Send + 'static,
    F: Future<Output = T> + 'static,
{
    // In this order: a promise without a thread to resolve it would never let the process exit.
    let jobs = io_thread::jobs().map_err(Error::from_reason)?;
    let (deferred, promise) = env.create_deferred()?;
    jobs.spawn(move || async move {
        let value = job().await;
        deferred.resolve(move |_| Ok(value));
    });
    Ok(promise)
}
