//! The single thread for all input and output. The first job starts it. It serves every client and every
//! `worker_threads` environment of the process, and does not keep the process alive.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::thread;

use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};

type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// The queue of the thread.
pub(crate) struct Jobs(UnboundedSender<Job>);

/// Returns the queue of the thread, and starts the thread if it is not running.
///
/// # Errors
/// Returns the reason why the thread could not be started.
pub(crate) fn jobs() -> Result<&'static Jobs, String> {
    static JOBS: OnceLock<Result<Jobs, String>> = OnceLock::new();
    JOBS.get_or_init(start).as_ref().map_err(Clone::clone)
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

fn start() -> Result<Jobs, String> {
    let explain = |error: std::io::Error| format!("the I/O thread could not be started: {error}");
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(explain)?;
    let (jobs, queue) = unbounded_channel();
    thread::Builder::new()
        .name("orgo-io".to_owned())
        .spawn(move || LocalSet::new().block_on(&runtime, serve(queue)))
        .map_err(explain)?;
    Ok(Jobs(jobs))
}

async fn serve(mut queue: UnboundedReceiver<Job>) {
    while let Some(job) = queue.recv().await {
        // Called within the task, so that a panic of the job itself ends only the task.
        spawn_local(async move { job().await });
    }
}
