//! Ends the connection of an aborted request. Without this, hyper would send the rest of the body, as fast as the
//! server reads it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use futures_util::task::AtomicWaker;
use http::Extensions;
use hyper_util::client::legacy::connect::CaptureConnection;

/// Aborts one stream from another task. Clones abort the same stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Abort(Arc<State>);

#[derive(Debug, Default)]
struct State {
    done: AtomicBool,
    stream: AtomicWaker,
}

impl Abort {
    /// Fails after an abort. Before an abort, registers the task of the stream, so that an abort wakes the task. The
    /// stream calls this method.
    pub(crate) fn check(&self, context: &Context<'_>) -> io::Result<()> {
        self.0.stream.register(context.waker());
        if self.0.done.load(Ordering::Acquire) {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the request was aborted"));
        }
        Ok(())
    }

    fn abort(&self) {
        self.0.done.store(true, Ordering::Release);
        self.0.stream.wake();
    }
}

/// Ends the connection of a request that is dropped before both the request and its response are complete. After that, the
/// connection may serve other requests.
pub(crate) struct AbortOnDrop(Option<CaptureConnection>);

impl AbortOnDrop {
    pub(crate) fn new(connection: CaptureConnection) -> Self {
        Self(Some(connection))
    }

    /// Keeps the connection.
    pub(crate) fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        let Some(captured) = &self.0 else { return };
        let mut extras = Extensions::new();
        if let Some(connected) = captured.connection_metadata().as_ref() {
            connected.get_extras(&mut extras);
        }
        if let Some(abort) = extras.get::<Abort>() {
            abort.abort();
        }
    }
}
