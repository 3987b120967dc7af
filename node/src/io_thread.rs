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

/// Runs a future on the I/O thread. The future itself never leaves that thread, so it needs no `Send`.
///
/// # Errors
/// Why the thread could not be started.
pub(crate) fn spawn<F>(job: impl FnOnce() -> F + Send + 'static) -> Result<(), String>
where
    F: Future<Output = ()> + 'static,
{
    static JOBS: OnceLock<Result<UnboundedSender<Job>, String>> = OnceLock::new();
    let jobs = JOBS.get_or_init(start).as_ref().map_err(Clone::clone)?;
    jobs.send(Box::new(|| Box::pin(job()))).map_err(|_| "the I/O thread has ended".to_owned())
}

fn start() -> Result<UnboundedSender<Job>, String> {
    let explain = |error: std::io::Error| format!("the I/O thread could not be started: {error}");
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(explain)?;
    let (jobs, queue) = unbounded_channel();
    thread::Builder::new()
        .name("orgo-io".to_owned())
        .spawn(move || LocalSet::new().block_on(&runtime, serve(queue)))
        .map_err(explain)?;
    Ok(jobs)
}

async fn serve(mut queue: UnboundedReceiver<Job>) {
    while let Some(job) = queue.recv().await {
        // The job is called within its task, which contains its panics too.
        spawn_local(async move { job().await });
    }
}
