//! Ends the connection of an aborted request. hyper alone would keep sending the rest of the body, as fast as the server
//! reads it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use futures_util::task::AtomicWaker;
use http::Extensions;
use hyper_util::client::legacy::connect::CaptureConnection;

/// Ends one stream from outside. Clones end the same stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Abort(Arc<State>);

#[derive(Debug, Default)]
struct State {
    done: AtomicBool,
    stream: AtomicWaker,
}

impl Abort {
    /// For the stream: fails once it is aborted. Until then it registers the task of the stream to be woken by the abort.
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

/// Ends the connection of a request that is dropped before its response has begun. After that the connection may serve
/// other requests.
pub(crate) struct AbortOnDrop(Option<CaptureConnection>);

impl AbortOnDrop {
    pub(crate) fn new(connection: CaptureConnection) -> Self {
        Self(Some(connection))
    }

    /// The response has begun, or there will be none.
    pub(crate) fn disarm(mut self) {
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
