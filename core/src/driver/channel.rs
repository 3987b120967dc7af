//! The handle to a channel of any kind.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll};

use futures_util::future::{Either, select};

use super::signal::Signal;
use crate::Millis;
use crate::channel::{AnySession, Batching, Command, Counters, Kind, Session, State, Target, open};
use crate::client::address::ComputerAddress;
use crate::client::config::Config;
use crate::client::credentials::Password;
use crate::client::fields::Fields;
use crate::encoding::json::{Map, Value};
use crate::encoding::plain::{Payload, PlainObject};
use crate::error::Error;

/// The largest number of payloads that wait for the loop.
const MAX_RECYCLED: usize = 8;

/// A channel that [`drive`](super::drive) runs. Clones are handles to the same channel.
#[derive(Clone)]
pub struct Channel(Arc<Shared>);

struct Shared {
    session: Mutex<Box<dyn AnySession>>,
    /// Whether the consumer waits for the session while the loop handles messages.
    session_wanted: AtomicBool,
    password_source: PasswordSource,
    batching: Batching,
    /// Whether the consumer collects items, so that a new item does not wake it.
    collecting: AtomicBool,
    /// Whether messages wait in the system while the consumer collects items.
    deferring: AtomicBool,
    /// Payloads whose content the consumer has copied, until the loop gives them back to the session. The consumer does not
    /// wait for the session, which the loop locks while it handles messages.
    recycled: Mutex<Vec<Payload>>,
    reported: Mutex<State>,
    progress: Mutex<Progress>,
    password_request: Mutex<PasswordRequest>,
    /// Wakes the loop after the consumer has changed the session.
    command: Signal,
    /// These signals wake the consumer. Each method that waits has a separate signal.
    items: Signal,
    states: Signal,
    input: Signal,
    changes: Signal,
    password_wanted: Signal,
    /// Wakes the loop after the consumer has provided or declined the password.
    password_provided: Signal,
}

/// The source of a fresh password.
#[derive(Debug, Clone, Copy)]
pub(super) enum PasswordSource {
    /// There is none: the channel ends if the server refuses the password.
    None,
    /// The consumer, by [`Channel::next_password_request`]. It makes calls of the service, which have their own limits.
    Service,
    /// The consumer, by [`Channel::next_password_request`], within this number of milliseconds.
    Consumer(Millis),
}

/// The progress of the input: the number of acknowledged bytes, the number of bytes that may be lost, and the channel's
/// state.
pub(super) type Progress = (u64, u64, Option<State>);

/// The computer's address and password, or the problem: a text, or the record of the error of a call.
pub(super) type Credentials = Result<(ComputerAddress, Password), Value>;

/// A request to the consumer for a fresh password.
#[derive(Default)]
enum PasswordRequest {
    #[default]
    None,
    Open,
    /// The consumer has read the request, but has not provided the password yet.
    Read,
    Provided(Credentials),
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let session = self.session();
        write!(f, "Channel({}, {:?})", session.kind(), session.state())
    }
}

impl Channel {
    /// Opens a channel of a kind (`terminal`, `audio`, `events`) from the plain objects of a binding. `target` names
    /// the computer: `computer_id`, `instance_id`, `connection_url`, `password`, `refreshable`, `max_reconnects`.
    /// `options` contains the options of the kind, and `batch_ms`.
    ///
    /// # Errors
    /// [`Error::Encode`] for an invalid field or option. The error contains the name.
    pub fn open(
        config: &Config,
        kind: &str,
        target: &Map,
        options: &Map,
        seed: u64,
        now: Millis,
    ) -> Result<Self, Error> {
        Self::open_with(config, target, |target| open(kind, target, options, seed, now))
    }

    /// Opens a channel like [`open`](Self::open), with a protocol that the caller has created.
    ///
    /// # Errors
    /// [`Error::Encode`] for an invalid field of the target.
    pub fn open_protocol<K: Kind>(
        config: &Config,
        protocol: K,
        target: &Map,
        seed: u64,
        now: Millis,
    ) -> Result<Self, Error> {
        Self::open_with(config, target, |target| {
            Ok((Box::new(Session::begin(protocol, target, seed, now)), K::BATCHING))
        })
    }

    fn open_with(
        config: &Config,
        target: &Map,
        open: impl FnOnce(Target) -> Result<(Box<dyn AnySession>, Batching), Error>,
    ) -> Result<Self, Error> {
        let fields = Fields::new("channel", target);
        let (address, password) = credentials(fields)?;
        let password_source = match fields.flag("refreshable")? {
            false => PasswordSource::None,
            true if config.api_key.is_some() => PasswordSource::Service,
            true => PasswordSource::Consumer(config.request_timeout()),
        };
        let mut target = Target::new(config, address, password);
        target.limit_reconnects(fields.number("max_reconnects")?)?;
        let (session, batching) = open(target)?;
        Ok(Self(Arc::new(Shared {
            session: Mutex::new(session),
            session_wanted: AtomicBool::new(false),
            password_source,
            batching,
            collecting: AtomicBool::new(false),
            deferring: AtomicBool::new(false),
            recycled: Mutex::default(),
            reported: Mutex::new(State::Connecting),
            progress: Mutex::default(),
            password_request: Mutex::default(),
            command: Signal::default(),
            items: Signal::default(),
            states: Signal::default(),
            input: Signal::default(),
            changes: Signal::default(),
            password_wanted: Signal::default(),
            password_provided: Signal::default(),
        })))
    }

    /// Executes a command of the kind.
    ///
    /// # Errors
    /// [`Error::Encode`] for an unknown command or a wrong argument.
    pub fn command(&self, name: &str, argument: &Value) -> Result<Value, Error> {
        self.change(|session| session.command(Command { name, argument }))
    }

    /// Ends the channel. Items that were received before can still be read.
    pub fn close(&self) {
        self.change(|session| session.close());
    }

    /// Ends the channel because of an error in this library, which may have ended the loop.
    pub fn fail(&self, now: Millis, message: &str) {
        // After a protocol error (1002) the session does not reconnect.
        self.change(|session| session.handle_close(now, 1002, message));
        // Otherwise only the loop raises it.
        self.0.password_wanted.raise();
    }

    /// Returns the current state.
    #[must_use]
    pub fn state(&self) -> State {
        self.session_of_consumer().0.state()
    }

    /// Returns when the items are collected.
    #[must_use]
    pub fn batching(&self) -> Batching {
        self.0.batching
    }

    /// Returns the current counters.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.session_of_consumer().0.counters()
    }

    /// Waits for the next items like [`next`](Self::next), for a consumer on another thread. Collects items for a short
    /// time if many arrive. `now` returns the time of the clock, `sleep` waits for a time, and `is_busy` returns whether the
    /// other thread was woken within the last time and has sent nothing since, so that it expects no response.
    pub async fn next_batch<S: Future<Output = ()>>(
        &self,
        now: impl FnOnce() -> Millis,
        sleep: impl FnOnce(Millis) -> S,
        is_busy: impl Fn(Millis) -> bool,
    ) -> Option<Vec<PlainObject>> {
        let Batching { time, always, enough } = self.0.batching;
        let mut waited = false;
        loop {
            let (unread, is_receiving) = {
                let (session, is_receiving) = self.session_of_consumer();
                (session.counters().buffered, is_receiving)
            };
            // Items that arrived before the call were collected while the consumer was busy. But if the loop handles more
            // messages at this moment, they can be very few.
            if (waited || is_receiving)
                && time > 0
                && (1..enough).contains(&unread)
                && (always || is_busy(time))
            {
                self.collect(pin!(sleep(time - now() % time))).await;
                return self.next().await;
            }
            if let Poll::Ready(items) = self.take_items() {
                return items;
            }
            self.0.items.wait().await;
            waited = true;
        }
    }

    /// Waits until the time is over, the channel has ended, or there are enough items. Then the loop has received the messages
    /// that waited in the system.
    async fn collect(&self, time: Pin<&mut impl Future<Output = ()>>) {
        /// Ends the collection even if the future is dropped.
        struct Collecting<'a>(&'a Shared);
        impl Drop for Collecting<'_> {
            fn drop(&mut self) {
                self.0.collecting.store(false, Ordering::Release);
                self.0.command.raise();
            }
        }
        self.0.collecting.store(true, Ordering::Release);
        self.0.command.raise();
        let collecting = Collecting(&self.0);
        let enough = async {
            while !self.has_enough_items() && !is_closed(&self.state()) {
                self.0.items.wait().await;
            }
        };
        let is_over = match select(time, pin!(enough)).await {
            Either::Left(_) => true,
            Either::Right(_) => false,
        };
        drop(collecting);
        if is_over && self.0.deferring.load(Ordering::Acquire) && !is_closed(&self.state()) {
            // The loop wakes the consumers after it has received the messages.
            self.0.items.wait().await;
        }
    }

    fn has_enough_items(&self) -> bool {
        self.counters().buffered >= self.0.batching.enough
    }

    /// Waits for the next items. Returns at least one item, in order, or `None` once the channel has ended and every
    /// item was read.
    pub async fn next(&self) -> Option<Vec<PlainObject>> {
        loop {
            if let Poll::Ready(items) = self.take_items() {
                return items;
            }
            self.0.items.wait().await;
        }
    }

    fn take_items(&self) -> Poll<Option<Vec<PlainObject>>> {
        let (mut session, _) = self.session_of_consumer();
        let was_held_back = !session.wants_read();
        let items = session.poll_items();
        let closed = is_closed(&session.state());
        drop(session);
        if items.is_empty() {
            return if closed { Poll::Ready(None) } else { Poll::Pending };
        }
        if was_held_back {
            self.0.command.raise();
        }
        Poll::Ready(Some(items))
    }

    /// Takes back the memory of an item's payload, whose content the consumer has copied.
    pub fn recycle(&self, payload: Payload) {
        let mut recycled = lock(&self.0.recycled);
        if recycled.len() < MAX_RECYCLED {
            recycled.push(payload);
        }
    }

    /// Waits for a state that differs from the last returned state. Returns `None` after the final state was returned.
    pub async fn next_state(&self) -> Option<State> {
        loop {
            let state = self.state();
            {
                let mut reported = lock(&self.0.reported);
                if *reported != state {
                    *reported = state.clone();
                    return Some(state);
                }
                if is_closed(&state) {
                    return None;
                }
            }
            self.0.states.wait().await;
        }
    }

    /// Waits until more input is acknowledged or may be lost than at the last return, or until the state changes.
    /// Returns `false` after the end of the channel, and `true` otherwise.
    pub async fn next_progress(&self) -> bool {
        loop {
            let progress = self.progress();
            let closed = progress.2.as_ref().is_some_and(is_closed);
            {
                let mut reported = lock(&self.0.progress);
                if *reported != progress {
                    *reported = progress;
                    return !closed;
                }
            }
            if closed {
                return false;
            }
            self.0.input.wait().await;
        }
    }

    /// Waits until anything may have changed. Returns `false` after the end of the channel.
    pub async fn next_change(&self) -> bool {
        self.0.changes.wait().await;
        !is_closed(&self.state())
    }

    /// Reports that the consumer has changed the protocol of [`open_protocol`](Self::open_protocol), so that the loop sends
    /// its output.
    pub fn wake(&self) {
        self.change(|_| ());
    }

    /// Waits until the channel needs a fresh password from the consumer, and returns `true`. The consumer then calls
    /// [`provide_password`](Self::provide_password). Returns `false` after the end of the channel.
    pub async fn next_password_request(&self) -> bool {
        loop {
            {
                let mut request = lock(&self.0.password_request);
                if matches!(*request, PasswordRequest::Open) {
                    *request = PasswordRequest::Read;
                    return true;
                }
            }
            if is_closed(&self.state()) {
                return false;
            }
            self.0.password_wanted.wait().await;
        }
    }

    /// Provides the requested password in a target as in [`open`](Self::open). A late call has no effect.
    pub fn provide_password(&self, target: &Map) {
        self.end_password_request(match credentials(Fields::new("channel", target)) {
            Ok((address, Some(password))) => Ok((address, password)),
            Ok((_, None)) => Err("the target has no password".into()),
            Err(error) => Err(error.to_string().into()),
        });
    }

    /// Declines a request for a password. `problem` is the reason, or the [record](Error::record) of the error of the
    /// call that requested the password. A late call has no effect.
    pub fn decline_password_request(&self, problem: Value) {
        self.end_password_request(Err(problem));
    }

    fn end_password_request(&self, provided: Credentials) {
        let mut request = lock(&self.0.password_request);
        if matches!(*request, PasswordRequest::Read) {
            *request = PasswordRequest::Provided(provided);
            self.0.password_provided.raise();
        }
    }

    /// Locks the session for the consumer. Returns whether the loop had locked it to handle messages. Then the loop unlocks it
    /// after the current message, which takes less time than the consumer's thread needs to sleep and wake up.
    fn session_of_consumer(&self) -> (MutexGuard<'_, Box<dyn AnySession>>, bool) {
        match self.0.session.try_lock() {
            Ok(session) => (session, false),
            Err(TryLockError::Poisoned(poisoned)) => (poisoned.into_inner(), false),
            Err(TryLockError::WouldBlock) => {
                self.set_session_wanted(true);
                let session = self.session();
                self.set_session_wanted(false);
                (session, true)
            }
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut dyn AnySession) -> T) -> T {
        let result = change(&mut **self.session_of_consumer().0);
        self.0.command.raise();
        self.0.items.raise();
        self.0.states.raise();
        self.0.input.raise();
        self.0.changes.raise();
        result
    }
}

/// The interface for the loop.
impl Channel {
    pub(super) fn session(&self) -> MutexGuard<'_, Box<dyn AnySession>> {
        lock(&self.0.session)
    }

    /// Returns whether the consumer waits for the session.
    pub(super) fn is_session_wanted(&self) -> bool {
        self.0.session_wanted.load(Ordering::Relaxed)
    }

    /// Records whether the consumer waits for the session.
    pub(super) fn set_session_wanted(&self, wanted: bool) {
        self.0.session_wanted.store(wanted, Ordering::Relaxed);
    }

    /// Gives the recycled payloads back to the session.
    pub(super) fn take_recycled(&self, session: &mut dyn AnySession) {
        for payload in lock(&self.0.recycled).drain(..) {
            session.recycle(payload);
        }
    }

    pub(super) fn progress(&self) -> Progress {
        let session = self.session();
        let Counters { acknowledged, unacknowledged, .. } = session.counters();
        (acknowledged, unacknowledged, Some(session.state()))
    }

    pub(super) fn password_source(&self) -> PasswordSource {
        self.0.password_source
    }

    pub(super) fn poll_command(&self, context: &mut Context<'_>) -> Poll<()> {
        self.0.command.poll(context)
    }

    /// Returns whether the consumer collects items.
    pub(super) fn is_collecting(&self) -> bool {
        self.0.collecting.load(Ordering::Acquire)
    }

    /// Records whether messages wait in the system while the consumer collects items.
    pub(super) fn set_deferring(&self, deferring: bool) {
        self.0.deferring.store(deferring, Ordering::Release);
    }

    /// Wakes the consumers that wait for items, if there are items for them, and those that wait for any change.
    pub(super) fn wake_for_items(&self) {
        if !self.0.collecting.load(Ordering::Acquire) || self.has_enough_items() {
            self.0.items.raise();
        }
        self.0.changes.raise();
    }

    /// Wakes every waiting consumer to check for changes.
    pub(super) fn wake_consumers(&self) {
        self.0.items.raise();
        self.0.states.raise();
        self.0.input.raise();
        self.0.changes.raise();
        self.0.password_wanted.raise();
    }

    pub(super) async fn request_password(&self) -> Credentials {
        *lock(&self.0.password_request) = PasswordRequest::Open;
        self.0.password_wanted.raise();
        loop {
            self.0.password_provided.wait().await;
            let mut request = lock(&self.0.password_request);
            match mem::take(&mut *request) {
                PasswordRequest::Provided(provided) => return provided,
                other => *request = other,
            }
        }
    }

    pub(super) fn withdraw_password_request(&self) {
        *lock(&self.0.password_request) = PasswordRequest::None;
    }
}

fn credentials(target: Fields<'_>) -> Result<(ComputerAddress, Option<Password>), Error> {
    let address = ComputerAddress {
        computer_id: target.text("computer_id")?.unwrap_or_default(),
        instance_id: target.text("instance_id")?,
        connection_url: target.text("connection_url")?,
    };
    Ok((address, target.text("password")?.map(Password::new)))
}

pub(super) fn is_closed(state: &State) -> bool {
    matches!(state, State::Closed(_))
}

/// Locks a mutex. Ignores poisoning, because the data is valid even after a panic of another holder.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
