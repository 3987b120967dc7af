//! The one thread that does all input and output. It is started by the first job and serves every client and every
//! `worker_threads` environment of the process; it does not keep the process alive.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::thread;

use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};

type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// The way to the thread.
pub(crate) struct Jobs(UnboundedSender<Job>);

/// The way to the thread, which is started if it does not run yet.
///
/// # Errors
/// Why it could not be started.
pub(crate) fn jobs() -> Result<&'static Jobs, String> {
    static JOBS: OnceLock<Result<Jobs, String>> = OnceLock::new();
    JOBS.get_or_init(start).as_ref().map_err(Clone::clone)
}

impl Jobs {
    /// Runs a future on the thread. The future itself never leaves it, so it needs no `Send`.
    pub(crate) fn spawn<F>(&self, job: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        let sent = self.0.send(Box::new(|| Box::pin(job())));
        debug_assert!(sent.is_ok(), "the thread takes jobs as long as the process lives");
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
        // The job is called within its task, which contains its panics too.
        spawn_local(async move { job().await });
    }
}
