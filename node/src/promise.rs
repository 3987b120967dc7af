//! Promises that the I/O thread resolves.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use napi::bindgen_prelude::Object;
use napi::{Env, Error};

use crate::io_thread::{self, Jobs};
use crate::mailbox::{Environment, Mailbox};
use crate::values::Prepared;

/// Creates a promise for the value of a future on the I/O thread. The job gets the mailbox of the environment. The promise
/// keeps the process alive until it is resolved, so the future must end and must not panic.
pub(crate) fn promise<'env, T, F>(
    env: &'env Env,
    job: impl FnOnce(Mailbox) -> F + Send + 'static,
) -> napi::Result<Object<'env>>
where
    T: Into<Prepared>,
    F: Future<Output = T> + 'static,
{
    promise_on(io_thread::jobs(), env, job)
}

/// Creates a promise like [`promise`], for a future on this thread.
pub(crate) fn promise_on<'env, T, F>(
    thread: Result<&Jobs, String>,
    env: &'env Env,
    job: impl FnOnce(Mailbox) -> F + Send + 'static,
) -> napi::Result<Object<'env>>
where
    T: Into<Prepared>,
    F: Future<Output = T> + 'static,
{
    // Starts the thread first, because a promise that no thread resolves would keep the process alive forever.
    let jobs = thread.map_err(Error::from_reason)?;
    let environment = Environment::of(env)?;
    let (deferred, promise) = environment.defer(env)?;
    let mailbox = environment.mailbox();
    mailbox.expect_response();
    jobs.spawn(move || async move {
        mailbox.resolve(deferred, job(mailbox.clone()).await.into());
        io_thread::wake_later(mailbox);
    });
    Ok(promise)
}

/// Creates a promise like [`promise`], for a future that waits for a change. The JavaScript thread polls the future
/// first, so that the I/O thread is woken only by the change.
pub(crate) fn waiting<'env, T, F>(
    env: &'env Env,
    wait: impl FnOnce(Mailbox) -> F,
) -> napi::Result<Object<'env>>
where
    T: Into<Prepared>,
    F: Future<Output = T> + Send + 'static,
{
    io_thread::jobs().map_err(Error::from_reason)?;
    let environment = Environment::of(env)?;
    let (deferred, promise) = environment.defer(env)?;
    let mailbox = environment.mailbox();
    let wait: Wait = {
        let (mailbox, future) = (mailbox.clone(), wait(mailbox.clone()));
        Box::pin(async move { mailbox.resolve(deferred, future.await.into()) })
    };
    let waiting = Arc::new(Waiting { wait: Mutex::new(Some(wait)), mailbox, queued: AtomicBool::new(false) });
    // A value that is available is reported in a later turn of the event loop as well. Otherwise a program that reads in
    // a loop would never let its other events be processed.
    if waiting.poll() {
        waiting.mailbox.wake();
    }
    Ok(promise)
}

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A future that was polled at least once, and that is polled on the I/O thread after each wake-up.
pub(crate) struct Waiting {
    /// `None` after its end.
    wait: Mutex<Option<Wait>>,
    mailbox: Mailbox,
    /// Whether the I/O thread will poll the future.
    queued: AtomicBool,
}

impl Waiting {
    /// Polls the future. Returns whether the future has just ended, and its value is in the mailbox.
    fn poll(self: &Arc<Self>) -> bool {
        self.queued.store(false, Ordering::Release);
        let mut wait = self.wait.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(future) = wait.as_mut() else { return false };
        let waker = Waker::from(Arc::clone(self));
        let ended = future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        if ended {
            *wait = None;
        }
        ended
    }

    /// Polls the future on the I/O thread.
    pub(crate) fn resume(self: &Arc<Self>) {
        if self.poll() {
            io_thread::wake_later(self.mailbox.clone());
        }
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            io_thread::resume_later(self);
        }
    }
}
