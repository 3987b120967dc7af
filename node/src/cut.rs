//! How a connection ends whose request is given up. hyper would go on and send what it holds of the body, as fast as the
//! server takes it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use futures_util::task::AtomicWaker;
use http::Extensions;
use hyper_util::client::legacy::connect::CaptureConnection;

/// What ends one stream from elsewhere. Clones end the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cut(Arc<State>);

#[derive(Debug, Default)]
struct State {
    done: AtomicBool,
    stream: AtomicWaker,
}

impl Cut {
    /// For the stream: fails once it was cut, and until then lets the cut wake the task that works the stream.
    pub(crate) fn check(&self, context: &Context<'_>) -> io::Result<()> {
        self.0.stream.register(context.waker());
        if self.0.done.load(Ordering::Acquire) {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the request was given up"));
        }
        Ok(())
    }

    fn cut(&self) {
        self.0.done.store(true, Ordering::Release);
        self.0.stream.wake();
    }
}

/// Cuts the connection of a request that is dropped before it is answered. After that the connection may serve others.
pub(crate) struct CutOnDrop(Option<CaptureConnection>);

impl CutOnDrop {
    pub(crate) fn new(connection: CaptureConnection) -> Self {
        Self(Some(connection))
    }

    /// The answer has begun, or there will be none.
    pub(crate) fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        let Some(captured) = &self.0 else { return };
        let mut extras = Extensions::new();
        if let Some(connected) = captured.connection_metadata().as_ref() {
            connected.get_extras(&mut extras);
        }
        if let Some(cut) = extras.get::<Cut>() {
            cut.cut();
        }
    }
}
