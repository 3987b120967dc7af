//! Passes log lines to JavaScript.

use std::fmt;
use std::sync::Arc;

use napi::Status;
use napi::bindgen_prelude::FnArgs;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue};
use orgo_core::diagnostics::log::LogEntry;

/// The maximum number of lines that wait for a busy JavaScript thread. Further lines are dropped.
const WAITING: usize = 1024;

type Line = FnArgs<(String, String)>;

/// A function that receives the level and the text of each line. It is a weak reference: it does not keep the process
/// alive.
pub type LogFunction = ThreadsafeFunction<Line, UnknownReturnValue, Line, Status, false, true, WAITING>;

/// The function that receives the log lines, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Log(Option<Arc<LogFunction>>);

impl Log {
    pub(crate) fn new(function: Option<LogFunction>) -> Self {
        Self(function.map(Arc::new))
    }

    pub(crate) fn write(&self, entry: &LogEntry) {
        if let Some(function) = &self.0 {
            let line = (entry.level().name().to_owned(), entry.to_string());
            // If the queue is full or the environment shuts down, the line is dropped.
            function.call(line.into(), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Log").field(&self.0.is_some()).finish()
    }
}
