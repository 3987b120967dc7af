//! The loop that runs a channel.

use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_util::future::{Either, select};

use super::authorize::request_password;
use super::channel::{Channel, Credentials, Progress, is_closed};
use super::platform::{Message, Outgoing, Platform, SocketReader, SocketWriter};
use crate::Millis;
use crate::channel::{Action, ConnectFailure, Incoming};
use crate::client::address::SocketUrl;

/// The time limit for each step of a close: the message in flight, each queued message, and the close itself.
pub(super) const CLOSE_TIMEOUT: Millis = 5_000;

/// After this size of received messages, the loop yields. Otherwise a server that sends faster than this side handles the
/// messages would occupy the thread, and delay every other channel and call.
const YIELD_AFTER: usize = 64 << 10;
/// The assumed size of a message without its payload, in bytes, because handling a message takes time regardless of its
/// size.
const MESSAGE_OVERHEAD: usize = 512;

/// If this number of messages arrives between the starts of two collections, messages wait in the system during the second
/// one. Fewer messages would not be worth the two system calls.
const OFTEN: u32 = 4;

/// Whether the consumer can be on another thread. In a page it is not, so the page need not download this code.
const HAS_THREADS: bool = cfg!(not(target_family = "wasm"));

type Task<T> = Pin<Box<dyn Future<Output = T>>>;

/// An event for the loop.
enum Event<P: Platform> {
    Password(Box<Credentials>),
    Connected(Result<(P::Reader, P::Writer), ConnectFailure>),
    /// At least one message was handled.
    Received,
    /// The socket has closed, with a code and a reason.
    Closed(u16, String),
    Sent(P::Writer),
    /// An abandoned socket has closed.
    Left,
    Command,
    Timer,
}

/// The writing half of the current socket.
enum Writing<P: Platform> {
    /// There is no socket.
    Unconnected,
    Idle(P::Writer),
    /// A message is being sent. The task ends with [`Event::Sent`].
    Busy(Task<Event<P>>),
}

/// Runs a channel until it has ended and its sockets are closed.
pub fn drive<P: Platform>(platform: P, channel: Channel) -> impl Future<Output = ()> + 'static {
    Driver {
        platform: Rc::new(platform),
        channel,
        connecting: None,
        reading: None,
        writing: Writing::Unconnected,
        closing: Vec::new(),
        timer: None,
        received: 0,
        drained: false,
        collecting: false,
        deferring: false,
        since_collection: 0,
        progress: None,
    }
    .run()
}

struct Driver<P: Platform> {
    platform: Rc<P>,
    channel: Channel,
    /// The task that requests the password or opens the socket.
    connecting: Option<Task<Event<P>>>,
    /// The reading half of the current socket.
    reading: Option<P::Reader>,
    writing: Writing<P>,
    /// Abandoned sockets that are not closed yet. They never delay the current socket.
    closing: Vec<Task<()>>,
    /// The deadline of the timer, and the timer.
    timer: Option<(Millis, Task<()>)>,
    /// The size of the messages that were received since the last yield.
    received: usize,
    /// Whether the socket had no more messages, and will wake this task.
    drained: bool,
    /// Whether the consumer collected items at the last turn of the loop.
    collecting: bool,
    /// Whether messages wait in the system (interrupt moderation). They are received when the collection ends, so none is
    /// delivered later than without this.
    deferring: bool,
    /// The number of messages since the start of the last collection.
    since_collection: u32,
    /// The progress that the consumers know.
    progress: Option<Progress>,
}

impl<P: Platform> Driver<P> {
    async fn run(mut self) {
        loop {
            let ended = self.perform_actions();
            self.write_log();
            self.wake_consumers();
            if ended && self.closing.is_empty() {
                // JavaScript keeps the channel until its garbage collector runs, which does not know the size of a screen.
                self.channel.session().free();
                return;
            }
            // The consumer can end the channel at any time, on another thread or in the function of the log. After that, a complete turn
            // is needed to close the socket and to wake all consumers.
            if !ended && is_closed(&self.channel.state()) {
                continue;
            }
            self.arm_timer();
            self.moderate();
            let event = self.next_event().await;
            self.handle_event(event);
            if self.received >= YIELD_AFTER {
                self.received = 0;
                self.platform.yield_now().await;
                self.drained = false;
            }
        }
    }

    /// Performs the actions of the session. While a message is being sent, later messages wait in the session, whose
    /// queue is bounded. A send has no time limit: the pings of the session detect a dead link. Returns whether the channel had ended
    /// before.
    fn perform_actions(&mut self) -> bool {
        let (leaves_socket, closed) = {
            let session = self.channel.session();
            (session.leaves_socket(), is_closed(&session.state()))
        };
        if leaves_socket && closed {
            self.finish_socket();
        } else if leaves_socket && matches!(self.writing, Writing::Busy(_)) {
            // The link is dead, so the message cannot be sent.
            self.writing = Writing::Unconnected;
        }
        while !matches!(self.writing, Writing::Busy(_)) {
            let Some(action) = self.channel.session().poll_action() else { break };
            match action {
                Action::Authorize => self.authorize(),
                Action::Connect(url) => self.connect(url),
                Action::Send(text) => self.send(Outgoing::Text(text)),
                Action::SendBinary(bytes) => self.send(Outgoing::Binary(bytes)),
                Action::Close(code) => {
                    let writer = self.take_socket();
                    self.close_beside(writer, Vec::new(), code);
                }
            }
        }
        closed
    }

    fn authorize(&mut self) {
        self.take_socket();
        let platform = Rc::clone(&self.platform);
        let channel = self.channel.clone();
        self.connecting = Some(Box::pin(async move {
            Event::Password(Box::new(request_password(&channel, |time| platform.sleep(time)).await))
        }));
    }

    fn connect(&mut self, url: SocketUrl) {
        self.take_socket();
        let accepts_output = self.channel.session().accepts_output();
        let socket = self.platform.connect(url, accepts_output);
        self.connecting = Some(Box::pin(async move { Event::Connected(socket.await) }));
    }

    fn send(&mut self, message: Outgoing) {
        // The response must not wait.
        self.defer(false);
        if let Writing::Idle(mut writer) = mem::replace(&mut self.writing, Writing::Unconnected) {
            self.writing = Writing::Busy(Box::pin(async move {
                writer.send(message).await;
                Event::Sent(writer)
            }));
        }
    }

    /// Detaches the socket, and cancels a connection attempt.
    fn take_socket(&mut self) -> Writing<P> {
        self.defer(false);
        (self.connecting, self.reading) = (None, None);
        mem::replace(&mut self.writing, Writing::Unconnected)
    }

    /// Closes the socket of a channel that this side has ended, after the queued messages are sent.
    fn finish_socket(&mut self) {
        let (mut messages, mut code) = (Vec::new(), None);
        while let Some(action) = { self.channel.session().poll_action() } {
            match action {
                Action::Send(text) => messages.push(Outgoing::Text(text)),
                Action::SendBinary(bytes) => messages.push(Outgoing::Binary(bytes)),
                Action::Close(close) => code = Some(close),
                Action::Authorize | Action::Connect(_) => {}
            }
        }
        let writer = self.take_socket();
        if let Some(code) = code {
            self.close_beside(writer, messages, code);
        }
    }

    /// Closes a socket in a separate task, concurrently with the loop.
    fn close_beside(&mut self, writing: Writing<P>, messages: Vec<Outgoing>, code: u16) {
        if matches!(writing, Writing::Unconnected) {
            return;
        }
        let platform = Rc::clone(&self.platform);
        self.closing.push(Box::pin(async move {
            // If a message is not sent in time, the socket is dropped, which closes the socket at once.
            let mut writer = match writing {
                Writing::Idle(writer) => writer,
                Writing::Busy(sending) => match in_time(&*platform, sending).await {
                    Some(Event::Sent(writer)) => writer,
                    _ => return,
                },
                Writing::Unconnected => return,
            };
            for message in messages {
                if in_time(&*platform, writer.send(message)).await.is_none() {
                    return;
                }
            }
            in_time(&*platform, writer.close(code)).await;
        }));
    }

    fn write_log(&mut self) {
        // The session is not locked during the call of the log, because the log may access the channel.
        while let Some(entry) = { self.channel.session().poll_log() } {
            self.platform.log(&entry);
        }
    }

    /// Wakes the consumers. Most messages only add items, and waking a consumer without a reason takes time.
    fn wake_consumers(&mut self) {
        let progress = self.channel.progress();
        if self.progress.as_ref() == Some(&progress) {
            self.channel.wake_for_items();
        } else {
            self.progress = Some(progress);
            self.channel.wake_consumers();
        }
    }

    /// Sets the timer for the session's next deadline. A timer with an earlier deadline is kept, so that not every
    /// message needs a new timer.
    fn arm_timer(&mut self) {
        let deadline = self.channel.session().poll_timeout();
        match (deadline, &self.timer) {
            (Some(deadline), Some((at, _))) if *at <= deadline => {}
            (Some(deadline), _) => {
                let time = deadline.saturating_sub(self.platform.now());
                self.timer = Some((deadline, Box::pin(self.platform.sleep(time))));
            }
            (None, _) => self.timer = None,
        }
    }

    /// Lets messages wait in the system while the consumer collects items, if messages arrive often.
    fn moderate(&mut self) {
        if !HAS_THREADS {
            return;
        }
        let collecting = self.channel.is_collecting();
        if collecting && !self.collecting {
            self.defer(self.since_collection >= OFTEN);
            self.since_collection = 0;
        } else if !collecting {
            self.defer(false);
        }
        self.collecting = collecting;
    }

    fn defer(&mut self, deferring: bool) {
        if HAS_THREADS && deferring != self.deferring {
            self.deferring = deferring && self.reading.is_some();
            if let Some(reader) = &mut self.reading {
                reader.defer(deferring);
            }
            // The messages that have waited are received next.
            self.drained = false;
            self.channel.set_deferring(self.deferring);
        }
    }

    async fn next_event(&mut self) -> Event<P> {
        // Before this function waits, no time has passed since the socket was found to be drained.
        let mut drained = mem::take(&mut self.drained);
        poll_fn(|context| {
            let count = self.closing.len();
            self.closing.retain_mut(|close| close.as_mut().poll(context).is_pending());
            if self.closing.len() < count {
                return Poll::Ready(Event::Left);
            }
            if let Writing::Busy(sending) = &mut self.writing
                && let Poll::Ready(event) = sending.as_mut().poll(context)
            {
                self.writing = Writing::Unconnected;
                return Poll::Ready(event);
            }
            if let Some(running) = &mut self.connecting
                && let Poll::Ready(event) = running.as_mut().poll(context)
            {
                self.connecting = None;
                return Poll::Ready(event);
            }
            if !mem::take(&mut drained)
                && let Poll::Ready(event) = self.poll_receive(context)
            {
                return Poll::Ready(event);
            }
            if let Some((_, timer)) = &mut self.timer
                && timer.as_mut().poll(context).is_ready()
            {
                self.timer = None;
                return Poll::Ready(Event::Timer);
            }
            self.channel.poll_command(context).map(|()| Event::Command)
        })
        .await
    }

    /// Passes the messages that have arrived to the session, until it is time to yield or the session does not want more.
    /// Everything that the loop does for an event is done once for all of them.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Event<P>> {
        let Some(reader) = &mut self.reading else { return Poll::Pending };
        let now = self.platform.now();
        let mut session = self.channel.session();
        if HAS_THREADS {
            self.channel.take_recycled(&mut **session);
        }
        let mut any = false;
        while self.received < YIELD_AFTER && (!reader.holds_sender_back() || session.wants_read()) {
            match reader.poll_receive(context) {
                Poll::Ready(message) => {
                    let incoming = match &message {
                        Message::Text(text) => Incoming::Text(text.as_ref()),
                        Message::Binary(bytes) => Incoming::Binary(bytes.as_ref()),
                        Message::Output(output) => Incoming::Output(output),
                        Message::Closed { code, reason } => {
                            drop(session);
                            self.reading = None;
                            return Poll::Ready(Event::Closed(*code, reason.clone()));
                        }
                    };
                    self.since_collection += 1;
                    self.received += MESSAGE_OVERHEAD + incoming.size();
                    session.handle_message(now, incoming);
                    any = true;
                    if HAS_THREADS && self.channel.is_session_wanted() {
                        break;
                    }
                }
                Poll::Pending => {
                    self.drained = any;
                    break;
                }
            }
        }
        if any { Poll::Ready(Event::Received) } else { Poll::Pending }
    }

    fn handle_event(&mut self, event: Event<P>) {
        let now = self.platform.now();
        let mut session = self.channel.session();
        match event {
            Event::Password(provided) => match *provided {
                Ok((address, password)) => session.handle_password(now, address, password),
                Err(problem) => session.handle_no_password(now, &problem),
            },
            Event::Connected(Ok((reader, writer))) => {
                self.reading = Some(reader);
                self.writing = Writing::Idle(writer);
                session.handle_open(now);
            }
            Event::Connected(Err(failure)) => session.handle_failure(now, &failure),
            Event::Closed(code, reason) => {
                self.writing = Writing::Unconnected;
                session.handle_close(now, code, &reason);
            }
            Event::Sent(writer) => self.writing = Writing::Idle(writer),
            Event::Timer => session.handle_timeout(now),
            Event::Received | Event::Left | Event::Command => {}
        }
    }
}

/// Awaits a step of a close. Returns `None` if the step takes longer than [`CLOSE_TIMEOUT`].
async fn in_time<T>(platform: &impl Platform, step: impl Future<Output = T>) -> Option<T> {
    match select(pin!(step), pin!(platform.sleep(CLOSE_TIMEOUT))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}
