//! Promises that the I/O thread resolves.

use std::future::Future;

use napi::bindgen_prelude::{Object, ToNapiValue};
use napi::{Env, Error};

use crate::io_thread;

/// Creates a promise for the value of a future on the I/O thread. The promise keeps the process alive until it is
/// resolved, so the future must end and must not panic.
pub(crate) fn promise<'env, T, F>(
    env: &'env Env,
    job: impl FnOnce() -> F + Send + 'static,
) -> napi::Result<Object<'env>>
where
    T: ToNapiValue + Send + 'static,
    F: Future<Output = T> + 'static,
{
    // Starts the thread first, because a promise that no thread resolves would keep the process alive forever.
    let jobs = io_thread::jobs().map_err(Error::from_reason)?;
    let (deferred, promise) = env.create_deferred()?;
    jobs.spawn(move || async move {
        let value = job().await;
        deferred.resolve(move |_| Ok(value));
    });
    Ok(promise)
}
