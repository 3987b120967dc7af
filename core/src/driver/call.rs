//! Carries out a call.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use futures_util::future::{Either, select};

use super::platform::{Platform, Progress};
use super::progress::ProgressSender;
use crate::error::Error;
use crate::rest::call::{Call, Limits, Output, Step};
use crate::rest::http::{Request, Response, SendFailure};

/// How a request ended.
enum Ended {
    Answered(Result<Response, SendFailure>),
    OutOfTime,
    Stalled,
    Cancelled,
}

/// Runs a call to its end, or until `cancelled` is ready. With a progress_sender it tells how far an upload is.
///
/// # Errors
/// Every [`Error`] that ends a call.
pub async fn run_call<P: Platform>(
    platform: &P,
    mut call: Call,
    cancelled: impl Future<Output = ()>,
    progress_sender: Option<ProgressSender>,
) -> Result<Output, Error> {
    let mut cancelled = pin!(cancelled);
    let tell = |call: &mut Call| {
        if let Some((progress_sender, uploaded)) = progress_sender.as_ref().zip(call.poll_upload_progress()) {
            progress_sender.tell(uploaded);
        }
    };
    loop {
        let step = call.step(platform.now());
        while let Some(note) = call.poll_log() {
            platform.log(&note);
        }
        match step {
            Step::Done(result) => return result,
            Step::Wait(time) => {
                if let Either::Right(_) = select(pin!(platform.sleep(time)), cancelled.as_mut()).await {
                    call.abort();
                }
            }
            Step::Send(request, limits) => {
                let progress = Progress::new(progress_sender.is_some());
                let on_sent = |body| {
                    call.handle_sent(body);
                    tell(&mut call);
                };
                match exchange(platform, request, limits, progress, on_sent, cancelled.as_mut()).await {
                    Ended::Answered(Ok(response)) => call.handle_response(response),
                    Ended::Answered(Err(failure)) => call.handle_failure(failure),
                    Ended::OutOfTime => call.handle_timeout(),
                    Ended::Stalled => call.handle_stall(),
                    Ended::Cancelled => call.abort(),
                }
                tell(&mut call);
            }
        }
    }
}

async fn exchange<P: Platform>(
    platform: &P,
    request: Request,
    limits: Limits,
    progress: Progress,
    mut on_sent: impl FnMut(usize),
    mut cancelled: Pin<&mut impl Future<Output = ()>>,
) -> Ended {
    let mut answer = pin!(platform.send(request, progress.clone()));
    let mut limit = pin!(platform.sleep(limits.request));
    let mut heard = None;
    let mut idle: Option<Pin<Box<dyn Future<Output = ()>>>> = None;
    poll_fn(|context| {
        if let Poll::Ready(answer) = answer.as_mut().poll(context) {
            return Poll::Ready(Ended::Answered(answer));
        }
        if cancelled.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ended::Cancelled);
        }
        if limit.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ended::OutOfTime);
        }
        if let Poll::Ready(body) = progress.poll_sent(context) {
            on_sent(body);
        }
        if progress.poll_heard(context).is_ready() {
            heard = Some(platform.now());
        }
        // One timer serves many pieces: it is set again for what is left when it goes off.
        while let Some(heard) = heard {
            let silence = platform.now().saturating_sub(heard);
            if idle.is_none() && silence >= limits.idle {
                return Poll::Ready(Ended::Stalled);
            }
            let timer = idle.get_or_insert_with(|| Box::pin(platform.sleep(limits.idle - silence)));
            if timer.as_mut().poll(context).is_pending() {
                break;
            }
            idle = None;
        }
        Poll::Pending
    })
    .await
}
