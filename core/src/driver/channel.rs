//! Carries out a channel, and the handle to it.

use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures_util::future::{Either, select};

use super::call::run_call;
use super::platform::{Message, Platform, SocketReader, SocketWriter};
use super::signal::Signal;
use crate::Millis;
use crate::channel::{Action, ConnectFailure, Counters, InputRefusal, Protocol, Session, State, Terminal};
use crate::client::address::ComputerAddress;
use crate::client::config::{CallOptions, Config};
use crate::client::credentials::Password;
use crate::diagnostics::log::LogEntry;
use crate::encoding::json::Map;
use crate::error::Error;
use crate::rest::call::Call;

/// How long a close may take, with the message before it that is on its way out.
const CLOSE_LIMIT: Millis = 5_000;

/// A handle to a channel that [`drive`] carries out. Clones are handles to the same channel.
pub struct Channel<C: Protocol>(Arc<Shared<Session<C>>>);

struct Shared<S: ?Sized> {
    reported: Mutex<Option<State>>,
    progress: Mutex<Progress>,
    password_request: Mutex<PasswordRequest>,
    driver: Signal,
    consumer: Signal,
    watcher: Signal,
    writer: Signal,
    asked: Signal,
    answered: Signal,
    session: Mutex<S>,
}

/// How far input is: what was acknowledged or may be lost, and the state.
type Progress = (u64, u64, Option<State>);

/// A password_request for a fresh password, put to the consumer.
#[derive(Default)]
enum PasswordRequest {
    #[default]
    None,
    Open,
    /// The consumer is about to answer it.
    Taken,
    Answered(Answer),
}

/// Where the computer is and its password, or why they are not known.
type Answer = Result<(ComputerAddress, Password), String>;

impl<S: ?Sized> Shared<S> {
    // Nothing in here holds an invariant across a panic that a caller could see broken: go on with it.
    fn session(&self) -> MutexGuard<'_, S> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn password_request(&self) -> MutexGuard<'_, PasswordRequest> {
        self.password_request.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the loop needs of a session, whatever travels on it: the loop exists once in a program, not once for each
/// protocol.
trait Driven {
    fn address(&self) -> &ComputerAddress;
    fn handle_credentials(&mut self, now: Millis, found: Result<(ComputerAddress, Password), Error>);
    fn handle_open(&mut self, now: Millis);
    fn handle_failure(&mut self, now: Millis, failure: &ConnectFailure);
    fn handle_text(&mut self, now: Millis, text: &str);
    fn handle_binary(&mut self, now: Millis, bytes: &[u8]);
    fn handle_close(&mut self, now: Millis, code: u16, reason: &str);
    fn handle_timeout(&mut self, now: Millis);
    fn poll_action(&mut self) -> Option<Action>;
    fn poll_log(&mut self) -> Option<LogEntry>;
    fn poll_timeout(&self) -> Option<Millis>;
    fn wants_read(&self) -> bool;
    fn leaves_socket(&self) -> bool;
    fn is_closed(&self) -> bool;
}

impl<C: Protocol> Driven for Session<C> {
    fn address(&self) -> &ComputerAddress {
        self.address()
    }

    fn handle_credentials(&mut self, now: Millis, found: Result<(ComputerAddress, Password), Error>) {
        self.handle_credentials(now, found);
    }

    fn handle_open(&mut self, now: Millis) {
        self.handle_open(now);
    }

    fn handle_failure(&mut self, now: Millis, failure: &ConnectFailure) {
        self.handle_failure(now, failure);
    }

    fn handle_text(&mut self, now: Millis, text: &str) {
        self.handle_text(now, text);
    }

    fn handle_binary(&mut self, now: Millis, bytes: &[u8]) {
        self.handle_binary(now, bytes);
    }

    fn handle_close(&mut self, now: Millis, code: u16, reason: &str) {
        self.handle_close(now, code, reason);
    }

    fn handle_timeout(&mut self, now: Millis) {
        self.handle_timeout(now);
    }

    fn poll_action(&mut self) -> Option<Action> {
        self.poll_action()
    }

    fn poll_log(&mut self) -> Option<LogEntry> {
        self.poll_log()
    }

    fn poll_timeout(&self) -> Option<Millis> {
        self.poll_timeout()
    }

    fn wants_read(&self) -> bool {
        self.wants_read()
    }

    fn leaves_socket(&self) -> bool {
        self.leaves_socket()
    }

    fn is_closed(&self) -> bool {
        matches!(self.state(), State::Closed(_))
    }
}

impl<C: Protocol> Clone for Channel<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Protocol> fmt::Debug for Channel<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({}, {:?})", C::CHANNEL, self.state())
    }
}

impl<C: Protocol> Channel<C> {
    /// Wraps a session.
    #[must_use]
    pub fn new(session: Session<C>) -> Self {
        Self(Arc::new(Shared {
            session: Mutex::new(session),
            reported: Mutex::new(Some(State::Connecting)),
            progress: Mutex::default(),
            password_request: Mutex::default(),
            driver: Signal::default(),
            consumer: Signal::default(),
            watcher: Signal::default(),
            writer: Signal::default(),
            asked: Signal::default(),
            answered: Signal::default(),
        }))
    }

    fn session(&self) -> MutexGuard<'_, Session<C>> {
        self.0.session()
    }

    /// Gives a command to the session.
    pub fn command<T>(&self, command: impl FnOnce(&mut Session<C>) -> T) -> T {
        let result = command(&mut self.session());
        self.0.driver.raise();
        self.0.consumer.raise();
        self.0.watcher.raise();
        self.0.writer.raise();
        result
    }

    /// The next items in order, at least one; `None` once the channel has ended and all were taken.
    pub async fn next(&self) -> Option<Vec<C::Item>> {
        loop {
            {
                let mut session = self.session();
                let was_held_back = !session.wants_read();
                let items: Vec<C::Item> = std::iter::from_fn(|| session.poll_item()).collect();
                let closed = matches!(session.state(), State::Closed(_));
                drop(session);
                if !items.is_empty() {
                    if was_held_back {
                        self.0.driver.raise();
                    }
                    return Some(items);
                }
                if closed {
                    return None;
                }
            }
            self.0.consumer.wait().await;
        }
    }

    /// The state once it differs from the one that was reported last; `None` after the end was reported.
    pub async fn next_state(&self) -> Option<State> {
        loop {
            let state = self.state();
            {
                let mut reported = self.0.reported.lock().unwrap_or_else(PoisonError::into_inner);
                if reported.as_ref() != Some(&state) {
                    *reported = Some(state.clone());
                    return Some(state);
                }
                if matches!(state, State::Closed(_)) {
                    return None;
                }
            }
            self.0.watcher.wait().await;
        }
    }

    /// Waits until more input is acknowledged or may be lost than when it returned last, or until the state changes:
    /// `true`. `false` after the end.
    pub async fn next_progress(&self) -> bool {
        loop {
            let state = self.state();
            let closed = matches!(state, State::Closed(_));
            let counters = self.counters();
            let progress = (counters.acknowledged, counters.unacknowledged, Some(state));
            {
                let mut reported = self.0.progress.lock().unwrap_or_else(PoisonError::into_inner);
                if *reported != progress {
                    *reported = progress;
                    return !closed;
                }
            }
            if closed {
                return false;
            }
            self.0.writer.wait().await;
        }
    }

    /// Waits until a fresh password is wanted, where the consumer knows it: `true`, and then [`answer`](Self::answer)
    /// is to be called. `false` after the end.
    pub async fn next_password_request(&self) -> bool {
        loop {
            {
                let mut password_request = self.0.password_request();
                if matches!(*password_request, PasswordRequest::Open) {
                    *password_request = PasswordRequest::Taken;
                    return true;
                }
            }
            if matches!(self.state(), State::Closed(_)) {
                return false;
            }
            self.0.asked.wait().await;
        }
    }

    /// Answers the password_request: the computer's address and password, or why there is no answer. An answer that comes too
    /// late does nothing.
    pub fn answer(&self, answer: Result<(ComputerAddress, Password), String>) {
        let mut password_request = self.0.password_request();
        if matches!(*password_request, PasswordRequest::Taken) {
            *password_request = PasswordRequest::Answered(answer);
            self.0.answered.raise();
        }
    }

    /// The state now.
    #[must_use]
    pub fn state(&self) -> State {
        self.session().state()
    }

    /// The counters now.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.session().counters()
    }

    /// Ends the channel. Items that came before can still be taken.
    pub fn close(&self) {
        self.command(Session::close);
    }
}

impl Channel<Terminal> {
    /// Why input would be refused now.
    #[must_use]
    pub fn refusal(&self) -> Option<InputRefusal> {
        self.session().refusal()
    }
}

type Task<T> = Pin<Box<dyn Future<Output = T>>>;

/// What the world reports to the loop.
enum Event<P: Platform> {
    Credentials(Box<Result<(ComputerAddress, Password), Error>>),
    Unanswered(String),
    Connected(Result<(P::Reader, P::Writer), ConnectFailure>),
    Received(P::Reader, Message),
    Sent(P::Writer),
    Command,
    Timer,
}

/// Who knows a fresh password when one is needed.
#[derive(Debug, Clone)]
pub enum Source {
    /// The service: it is asked with the key of this configuration.
    Service(Config),
    /// The consumer, by [`Channel::next_password_request`], within so many milliseconds.
    Consumer(Millis),
}

/// Carries a channel out until it has ended.
pub fn drive<P: Platform, C: Protocol + 'static>(
    platform: P,
    channel: Channel<C>,
    source: Source,
) -> impl Future<Output = ()> + 'static {
    run(platform, channel.0, source)
}

async fn run<P: Platform>(platform: P, channel: Arc<Shared<dyn Driven>>, source: Source) {
    let platform = std::rc::Rc::new(platform);
    let mut opening: Option<Task<Event<P>>> = None;
    let mut reading: Option<Task<Event<P>>> = None;
    let mut writer: Option<P::Writer> = None;
    let mut sending: Option<Task<Event<P>>> = None;
    let mut armed: Option<(Millis, Task<()>)> = None;

    loop {
        let (leaves_socket, closed) = {
            let session = channel.session();
            (session.leaves_socket(), session.is_closed())
        };
        if leaves_socket
            && let Some(running) = sending.take()
            && closed
        {
            // A socket that is closed in the normal way may still take it. A dead one will not.
            let limit = platform.sleep(CLOSE_LIMIT);
            if let Either::Left((Event::Sent(free), _)) = select(running, Box::pin(limit)).await {
                writer = Some(free);
            }
        }
        // While a message is on its way out the others wait in the session, where they are bounded. The server may take its
        // time: whether the link is dead, pings tell.
        while sending.is_none() {
            let Some(output) = channel.session().poll_action() else { break };
            match output {
                Action::Authorize => {
                    (reading, writer) = (None, None);
                    let address = channel.session().address().clone();
                    opening = Some(match &source {
                        Source::Service(config) => {
                            let (platform, config) = (platform.clone(), config.clone());
                            Box::pin(async move {
                                Event::Credentials(Box::new(authorize(&*platform, &config, address).await))
                            })
                        }
                        Source::Consumer(limit) => {
                            Box::pin(ask(Arc::clone(&channel), platform.sleep(*limit), *limit))
                        }
                    });
                }
                Action::Connect(url) => {
                    (reading, writer) = (None, None);
                    let socket = platform.connect(url);
                    opening = Some(Box::pin(async move { Event::Connected(socket.await) }));
                }
                Action::Send(text) => {
                    if let Some(mut free) = writer.take() {
                        sending = Some(Box::pin(async move {
                            free.send(text).await;
                            Event::Sent(free)
                        }));
                    }
                }
                Action::Close(code) => {
                    (opening, reading) = (None, None);
                    if let Some(writer) = writer.take() {
                        select(Box::pin(writer.close(code)), Box::pin(platform.sleep(CLOSE_LIMIT))).await;
                    }
                }
            }
        }
        // The lock is not held while the log has its turn: it may look at the channel.
        while let Some(note) = { channel.session().poll_log() } {
            platform.log(&note);
        }
        channel.consumer.raise();
        channel.watcher.raise();
        channel.writer.raise();
        channel.asked.raise();

        let (closed, wants_read, deadline) = {
            let session = channel.session();
            let wants_read = session.wants_read() || !P::HOLDS_SENDER_BACK;
            (session.is_closed(), wants_read, session.poll_timeout())
        };
        if closed && (sending.is_none() || opening.is_none() && reading.is_none()) {
            return;
        }
        match (deadline, &armed) {
            // A timer that is too early does no harm, and arming one for every message does.
            (Some(deadline), Some((at, _))) if *at <= deadline => {}
            (Some(deadline), _) => {
                let time = deadline.saturating_sub(platform.now());
                armed = Some((deadline, Box::pin(platform.sleep(time))));
            }
            (None, _) => armed = None,
        }

        let event = poll_fn(|context| {
            for task in [&mut opening, &mut sending] {
                if let Some(running) = task
                    && let Poll::Ready(event) = running.as_mut().poll(context)
                {
                    *task = None;
                    return Poll::Ready(event);
                }
            }
            if wants_read
                && let Some(running) = &mut reading
                && let Poll::Ready(event) = running.as_mut().poll(context)
            {
                reading = None;
                return Poll::Ready(event);
            }
            if let Some((_, timer)) = &mut armed
                && timer.as_mut().poll(context).is_ready()
            {
                armed = None;
                return Poll::Ready(Event::Timer);
            }
            channel.driver.poll(context).map(|()| Event::Command)
        })
        .await;

        let now = platform.now();
        let mut session = channel.session();
        match event {
            Event::Credentials(found) => session.handle_credentials(now, *found),
            Event::Unanswered(message) => {
                session.handle_failure(now, &ConnectFailure { status: None, message });
            }
            Event::Connected(Ok((reader, free))) => {
                reading = Some(receive::<P>(reader));
                writer = Some(free);
                session.handle_open(now);
            }
            Event::Connected(Err(failure)) => session.handle_failure(now, &failure),
            Event::Received(_, Message::Closed { code, reason }) => {
                (writer, sending) = (None, None);
                session.handle_close(now, code, &reason);
            }
            Event::Received(reader, message) => {
                match message {
                    Message::Text(text) => session.handle_text(now, &text),
                    Message::Binary(bytes) => session.handle_binary(now, &bytes),
                    Message::Closed { .. } => {}
                }
                reading = Some(receive::<P>(reader));
            }
            Event::Sent(free) => writer = Some(free),
            Event::Command => {}
            Event::Timer => session.handle_timeout(now),
        }
    }
}

fn receive<P: Platform>(mut reader: P::Reader) -> Task<Event<P>> {
    Box::pin(async move {
        let message = reader.receive().await;
        Event::Received(reader, message)
    })
}

/// Puts the password_request for a fresh password to the consumer.
async fn ask<P: Platform>(
    channel: Arc<Shared<dyn Driven>>,
    sleep: impl Future<Output = ()>,
    limit: Millis,
) -> Event<P> {
    let answer = async {
        *channel.password_request() = PasswordRequest::Open;
        channel.asked.raise();
        loop {
            channel.answered.wait().await;
            let mut password_request = channel.password_request();
            match std::mem::take(&mut *password_request) {
                PasswordRequest::Answered(answer) => return answer,
                other => *password_request = other,
            }
        }
    };
    match select(std::pin::pin!(answer), std::pin::pin!(sleep)).await {
        Either::Left((Ok(found), _)) => Event::Credentials(Box::new(Ok(found))),
        Either::Left((Err(message), _)) => {
            Event::Unanswered(format!("a fresh password was asked for in vain: {message}"))
        }
        Either::Right(_) => {
            *channel.password_request() = PasswordRequest::None;
            Event::Unanswered(format!("a fresh password was asked for in vain: no answer within {limit} ms"))
        }
    }
}

/// Finds out what a channel needs: the computer's password, and its address if nothing is known of it.
async fn authorize<P: Platform>(
    platform: &P,
    config: &Config,
    mut address: ComputerAddress,
) -> Result<(ComputerAddress, Password), Error> {
    if config.api_key.is_none() {
        let problem = "is outdated, wrong or missing, and there is no API key to ask for another one: a restart of the \
                       computer changes it, so get a fresh connection, or give `refresh` to Orgo.connect";
        return Err(Error::encode("channel", "password", problem));
    }
    let mut params = Map::new();
    params.insert("id", address.computer_id.as_str().into());
    let ask = async |operation: &str| {
        let call = Call::new(config, operation, &params, &CallOptions::default(), None, platform.seed())?;
        run_call(platform, call, pending(), None).await
    };
    let needed = match &config.realtime_url {
        Some(template) => template.needs_instance() && address.instance_id.is_none(),
        None => address.connection_url.is_none() && address.instance_id.is_none(),
    };
    if needed {
        let computer = ask("computers.get").await?;
        address.connection_url = text(&computer, "connection_url");
        address.instance_id = text(&computer, "instance_id").or_else(|| text(&computer, "fly_instance_id"));
    }
    let answer = ask("computers.vncPassword").await?;
    Ok((address, Password::new(text(&answer, "password").unwrap_or_default())))
}

/// A field of an answer, which was checked against its declaration. Decoding it whole is 10 kB of code in a page.
fn text(output: &crate::rest::call::Output, field: &str) -> Option<String> {
    match output {
        crate::rest::call::Output::Value(value) => value.get(field)?.as_str().map(str::to_owned),
        _ => None,
    }
}
