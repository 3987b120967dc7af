//! The execution of a call, without I/O: its requests, their time limits, and the progress of its upload.

use std::sync::Arc;

use super::platform::Progress;
use super::progress::ProgressSender;
use crate::Millis;
use crate::diagnostics::log::LogEntry;
use crate::error::Error;
use crate::rest::call::{Call, Limits, Output, Step};
use crate::rest::http::{Request, Response, SendFailure};

/// What the caller of an [`Execution`] does next.
#[derive(Debug)]
pub enum Next {
    /// Send the request, and report its result with [`Execution::handle_result`].
    Send(Arc<Request>, Progress),
    /// Wait until [`Execution::poll_timeout`].
    Wait,
    /// Nothing: the call is done.
    Done(Result<Output, Error>),
}

/// A call in progress.
///
/// Call [`next`](Self::next) first, and again after each event that ends a request or a wait: [`handle_result`](Self::handle_result),
/// [`abort`](Self::abort), and [`handle_timeout`](Self::handle_timeout) if it returns `true`. Before that, drop a request that has not
/// ended.
#[derive(Debug)]
pub struct Execution {
    call: Call,
    progress_sender: Option<ProgressSender>,
    /// The request in progress. `None` during a wait.
    sent: Option<Sent>,
    /// How the request or the wait ended.
    ended: Option<Ended>,
    timeout: Millis,
}

#[derive(Debug)]
struct Sent {
    limits: Limits,
    at: Millis,
    progress: Progress,
}

#[derive(Debug)]
enum Ended {
    Completed(Result<Response, SendFailure>),
    OutOfTime,
    Stalled,
    Canceled,
}

impl Execution {
    /// Creates an execution. `progress_sender` receives the progress of an upload.
    #[must_use]
    pub fn new(call: Call, progress_sender: Option<ProgressSender>) -> Self {
        Self { call, progress_sender, sent: None, ended: None, timeout: Millis::MAX }
    }

    /// Returns what to do next.
    #[must_use]
    pub fn next(&mut self, now: Millis) -> Next {
        if let Some(sent) = self.sent.take() {
            self.conclude(&sent.progress);
        } else if let Some(Ended::Canceled) = self.ended.take() {
            self.call.abort();
        }
        match self.call.step(now) {
            Step::Done(result) => Next::Done(result),
            Step::Wait(time) => {
                self.timeout = now.saturating_add(time);
                Next::Wait
            }
            Step::Send(request, limits) => {
                let progress = Progress::new(self.progress_sender.is_some());
                self.timeout = now.saturating_add(limits.request.min(limits.idle));
                self.sent = Some(Sent { limits, at: now, progress: progress.clone() });
                Next::Send(request, progress)
            }
        }
    }

    /// Reports how the last request ended to the call.
    fn conclude(&mut self, progress: &Progress) {
        let call = &mut self.call;
        if progress.is_unsent() {
            call.handle_unsent();
        }
        // The last bytes and the response may be reported together.
        if let Some(body) = progress.last_sent() {
            call.handle_sent(body);
        }
        if progress.has_opened_file() {
            call.handle_file_opened();
        }
        match self.ended.take() {
            Some(Ended::Completed(Ok(response))) => call.handle_response(response),
            Some(Ended::Completed(Err(failure))) => call.handle_failure(failure),
            Some(Ended::OutOfTime) => call.handle_timeout(),
            Some(Ended::Stalled) => call.handle_stall(),
            Some(Ended::Canceled) | None => call.abort(),
        }
        self.report();
    }

    /// Returns the next log entry. Call this method after each [`next`](Self::next) until it returns `None`.
    #[must_use]
    pub fn poll_log(&mut self) -> Option<LogEntry> {
        self.call.poll_log()
    }

    /// Returns the time at which to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Millis {
        self.timeout
    }

    /// Reports that the time is over. Returns whether a limit ended the request or the wait. Otherwise the time of the timeout has
    /// changed: one timer serves all limits, and a piece of the response does not reset it.
    #[must_use]
    pub fn handle_timeout(&mut self, now: Millis) -> bool {
        let Some(Sent { limits, at, progress }) = &self.sent else { return now >= self.timeout };
        let left = limits.request.saturating_sub(now.saturating_sub(*at));
        let last_piece = progress.last_received();
        let quiet = limits.idle.saturating_sub(last_piece.map_or(0, |last| now.saturating_sub(last)));
        if left == 0 {
            self.ended = Some(Ended::OutOfTime);
        } else if quiet == 0 && last_piece.is_some() {
            self.ended = Some(Ended::Stalled);
        } else {
            self.timeout = now.saturating_add(left.min(quiet.max(1)));
        }
        self.ended.is_some()
    }

    /// Reports the response to the request, or its failure.
    pub fn handle_result(&mut self, result: Result<Response, SendFailure>) {
        self.ended = Some(Ended::Completed(result));
    }

    /// Reports that the progress of the request contains a new number of sent bytes.
    pub fn handle_sent(&mut self) {
        if let Some(body) = self.sent.as_ref().and_then(|sent| sent.progress.last_sent()) {
            self.call.handle_sent(body);
            self.report();
        }
    }

    /// Cancels the call.
    pub fn abort(&mut self) {
        self.ended = Some(Ended::Canceled);
    }

    fn report(&mut self) {
        if let Some((sender, progress)) = self.progress_sender.as_ref().zip(self.call.poll_upload_progress())
        {
            sender.send(progress);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::config::Config;
    use crate::driver::{ProgressReceiver, prepare_call};
    use crate::encoding::json::Map;
    use crate::error::{Delivered, TimeoutKind};
    use crate::rest::upload::Content;
    use futures_util::FutureExt as _;

    fn execution() -> Execution {
        let params = [("id", "c1".into())].into_iter().collect();
        let options = [("max_retries", 1.into()), ("timeout", 100.into()), ("total_timeout", 10_000.into())];
        let options = options.into_iter().collect();
        Execution::new(
            prepare_call(&Config::default(), "computers.get", &params, &options, None, 1).unwrap(),
            None,
        )
    }

    fn is_sent(next: &Next) -> bool {
        matches!(next, Next::Send(..))
    }

    fn failure(next: Next) -> Error {
        match next {
            Next::Done(Err(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_timer_that_fires_too_early_ends_neither_a_wait_nor_a_request() {
        let mut execution = execution();
        assert!(is_sent(&execution.next(0)));
        assert!(!execution.handle_timeout(99));
        assert_eq!(execution.poll_timeout(), 100);
        execution.handle_result(Err(SendFailure::never("refused")));
        assert!(matches!(execution.next(10), Next::Wait));
        let end = execution.poll_timeout();
        assert!(!execution.handle_timeout(end - 1));
        assert_eq!(execution.poll_timeout(), end);
        assert!(execution.handle_timeout(end));
        assert!(is_sent(&execution.next(end)));
        assert!(execution.handle_timeout(end + 100));
        let Error::Timeout(timeout) = failure(execution.next(end + 100)) else { panic!("no timeout") };
        assert_eq!((timeout.kind, timeout.delivered), (TimeoutKind::Request, Delivered::Maybe));
    }

    #[test]
    fn a_call_can_be_aborted_before_and_during_a_request_and_during_a_wait() {
        let delivered = |execution: &mut Execution| {
            execution.abort();
            let Error::Aborted(aborted) = failure(execution.next(20)) else { panic!("not aborted") };
            aborted.delivered
        };
        let mut before = execution();
        assert_eq!(delivered(&mut before), Delivered::No);
        let mut during = execution();
        assert!(is_sent(&during.next(0)));
        assert_eq!(delivered(&mut during), Delivered::Maybe);
        let mut unsent = execution();
        let Next::Send(_, progress) = unsent.next(0) else { panic!("no request") };
        progress.waits_for_connection(true);
        assert_eq!(delivered(&mut unsent), Delivered::No);
        let mut waiting = execution();
        assert!(is_sent(&waiting.next(0)));
        waiting.handle_result(Err(SendFailure::never("refused")));
        assert!(matches!(waiting.next(0), Next::Wait));
        assert_eq!(delivered(&mut waiting), Delivered::No);
    }

    #[test]
    fn the_progress_of_an_upload_is_reported_while_it_is_sent() {
        let content = Content::read(
            "files.upload",
            Some("a.txt".into()),
            Some("text/plain".into()),
            Some(vec![7; 100].into()),
        );
        let (progress_sender, progress_receiver) = ProgressSender::new();
        let params = [("workspace_id", "w1".into())].into_iter().collect();
        let options = Map::new();
        let call =
            prepare_call(&Config::default(), "files.upload", &params, &options, Some(content.unwrap()), 1);
        let mut execution = Execution::new(call.unwrap(), Some(progress_sender));
        let Next::Send(_, progress) = execution.next(0) else { panic!("no request") };
        let loaded = |receiver: &ProgressReceiver| {
            receiver.next().now_or_never().flatten().map(|progress| progress.loaded)
        };
        progress.sent(u64::MAX);
        assert_eq!(loaded(&progress_receiver), None);
        execution.handle_sent();
        assert_eq!(loaded(&progress_receiver), Some(100));
    }
}
