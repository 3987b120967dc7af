//! Tests of the loop on an in-memory platform. The tests poll the loop directly, in virtual time.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, pending, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::FutureExt as _;

use super::run::CLOSE_TIMEOUT;
use super::*;
use crate::Millis;
use crate::channel::{ConnectFailure, State};
use crate::client::address::SocketUrl;
use crate::client::config::Config;
use crate::diagnostics::log::LogEntry;
use crate::encoding::json::{self, Map, Value};
use crate::encoding::plain::{Payload, PlainObject};
use crate::error::{Error, TimeoutKind};
use crate::rest::http::{Request, Response, SendFailure};

#[derive(Clone, Default)]
struct Host(Rc<HostState>);

#[derive(Default)]
struct HostState {
    now: Cell<Millis>,
    clock_reads: Cell<usize>,
    sockets: RefCell<Vec<Rc<Socket>>>,
    /// The progress of the last request, which never ends.
    request: RefCell<Option<Progress>>,
}

#[derive(Default)]
struct Socket {
    incoming: RefCell<VecDeque<Message>>,
    sent: RefCell<Vec<String>>,
    /// Whether sends never complete.
    stuck: Cell<bool>,
    /// Whether messages can wait in the system, and whether they do.
    can_defer: Cell<bool>,
    deferred: Cell<bool>,
    /// Whether the host reads ahead, so that the server does not wait for this side.
    reads_ahead: Cell<bool>,
    /// Whether a close never completes.
    close_hangs: Cell<bool>,
    closed_with: Cell<Option<u16>>,
}

struct Half(Rc<Socket>);

impl Host {
    fn advance(&self, time: Millis) {
        self.0.now.set(self.0.now.get() + time);
    }

    fn socket(&self, index: usize) -> Rc<Socket> {
        Rc::clone(&self.0.sockets.borrow()[index])
    }

    fn sockets(&self) -> usize {
        self.0.sockets.borrow().len()
    }
}

impl Socket {
    fn receives(&self, text: &str) {
        self.incoming.borrow_mut().push_back(Message::Text(text.to_owned()));
    }
}

impl Platform for Host {
    type Reader = Half;
    type Writer = Half;

    fn now(&self) -> Millis {
        self.0.clock_reads.set(self.0.clock_reads.get() + 1);
        self.0.now.get()
    }

    fn seed(&self) -> u64 {
        1
    }

    fn sleep(&self, time: Millis) -> impl Future<Output = ()> + 'static {
        let (host, end) = (self.clone(), self.now().saturating_add(time));
        poll_fn(move |_| if host.now() >= end { Poll::Ready(()) } else { Poll::Pending })
    }

    fn yield_now(&self) -> impl Future<Output = ()> {
        let mut yielded = false;
        poll_fn(move |_| if mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending })
    }

    fn connect(
        &self,
        _: SocketUrl,
        _: bool,
    ) -> impl Future<Output = Result<(Half, Half), ConnectFailure>> + 'static {
        let socket = Rc::<Socket>::default();
        self.0.sockets.borrow_mut().push(Rc::clone(&socket));
        async move { Ok((Half(Rc::clone(&socket)), Half(socket))) }
    }

    fn log(&self, _: &LogEntry) {}
}

impl HttpPlatform for Host {
    fn send(
        &self,
        _: Arc<Request>,
        progress: Progress,
    ) -> impl Future<Output = Result<Response, SendFailure>> + 'static {
        self.0.request.replace(Some(progress));
        pending()
    }
}

impl SocketReader for Half {
    type Text = String;
    type Binary = Vec<u8>;

    fn holds_sender_back(&self) -> bool {
        !self.0.reads_ahead.get()
    }

    fn defer(&mut self, deferred: bool) {
        self.0.deferred.set(deferred && self.0.can_defer.get());
    }

    fn poll_receive(&mut self, _: &mut Context<'_>) -> Poll<Message> {
        if self.0.deferred.get() {
            return Poll::Pending;
        }
        self.0.incoming.borrow_mut().pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

impl SocketWriter for Half {
    async fn send(&mut self, message: Outgoing) {
        let Outgoing::Text(text) = message else { panic!("a terminal sends only text: {message:?}") };
        poll_fn(|_| if self.0.stuck.get() { Poll::Pending } else { Poll::Ready(()) }).await;
        self.0.sent.borrow_mut().push(text);
    }

    async fn close(self, code: u16) {
        self.0.closed_with.set(Some(code));
        poll_fn(|_| if self.0.close_hangs.get() { Poll::Pending } else { Poll::Ready(()) }).await;
    }
}

/// A channel and its loop.
struct Running {
    host: Host,
    channel: Channel,
    driving: Pin<Box<dyn Future<Output = ()>>>,
}

impl Running {
    /// Opens a channel that the server has accepted.
    fn open(kind: &str) -> Self {
        let target = [("computer_id", "c1"), ("password", "pass")];
        let target = target.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let channel = Channel::open(&Config::default(), kind, &target, &Map::new(), 1, 0).unwrap();
        let host = Host::default();
        let driving = Box::pin(drive(host.clone(), channel.clone()));
        let mut running = Self { host, channel, driving };
        assert!(!running.poll());
        running.host.socket(0).receives(r#"{"type":"pong"}"#);
        assert!(!running.poll());
        assert_eq!(running.channel.state(), State::Open);
        running
    }

    /// Polls the loop. Returns whether it has ended.
    fn poll(&mut self) -> bool {
        self.driving.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// Advances the time in steps of a second until the condition is met.
    fn wait(&mut self, condition: impl Fn(&Self) -> bool) {
        for _ in 0..120 {
            if condition(self) {
                return;
            }
            self.host.advance(1_000);
            assert!(!self.poll(), "the loop has ended");
        }
        panic!("the condition was not met: {:?}", self.channel);
    }

    fn output(&self) -> Vec<String> {
        let items = self.channel.next().now_or_never().flatten().unwrap_or_default();
        let text = |PlainObject { payload, .. }| match payload {
            Some((_, Payload::Text(text))) => Some(text),
            _ => None,
        };
        items.into_iter().filter_map(text).collect()
    }
}

fn count_events(items: &[PlainObject]) -> usize {
    let count = |item: &PlainObject| {
        let item = json::parse(item.fields.clone().into_json().as_bytes()).unwrap();
        if let Some(Value::Array(events)) = item.get("events") { events.len() } else { 0 }
    };
    items.iter().map(count).sum()
}

#[test]
fn a_new_socket_works_while_the_close_of_the_old_one_hangs() {
    let mut running = Running::open("terminal");
    let old = running.host.socket(0);
    old.close_hangs.set(true);
    // The old link stays silent until it counts as dead, and the backoff passes.
    running.wait(|running| running.host.sockets() == 2);
    assert_eq!(old.closed_with.get(), Some(1000));

    // The following steps take no time, so the time limit of the close does not expire.
    let new = running.host.socket(1);
    let before = running.host.now();
    new.receives(r#"{"type":"pong"}"#);
    new.receives(r#"{"type":"output","data":"here"}"#);
    assert!(!running.poll());
    assert_eq!(running.channel.state(), State::Open);
    assert_eq!(running.output(), ["here"]);
    assert_eq!(running.channel.command("input", &"ls\r".into()), Ok(Value::Null));
    assert!(!running.poll());
    assert!(new.sent.borrow().iter().any(|text| text.contains("ls")), "{:?}", new.sent.borrow());
    assert_eq!(running.host.now(), before);
}

#[test]
fn a_hanging_close_delays_the_end_at_most_by_its_time_limit() {
    let mut running = Running::open("terminal");
    running.host.socket(0).close_hangs.set(true);
    running.channel.close();
    assert!(!running.poll());
    assert!(matches!(running.channel.state(), State::Closed(_)));
    running.host.advance(CLOSE_TIMEOUT - 1);
    assert!(!running.poll());
    running.host.advance(1);
    assert!(running.poll());
}

#[test]
fn a_close_waits_for_the_messages_before_it() {
    let mut running = Running::open("terminal");
    let socket = running.host.socket(0);
    socket.stuck.set(true);
    running.channel.command("input", &"exit\r".into()).unwrap();
    assert!(!running.poll());
    running.channel.close();
    assert!(!running.poll());
    assert_eq!(socket.closed_with.get(), None);
    socket.stuck.set(false);
    assert!(running.poll());
    assert!(socket.sent.borrow().iter().any(|text| text.contains("exit")), "{:?}", socket.sent.borrow());
    assert_eq!(socket.closed_with.get(), Some(1000));
}

#[test]
fn a_message_that_cannot_be_sent_does_not_keep_a_closed_channel_running() {
    let mut running = Running::open("terminal");
    let socket = running.host.socket(0);
    socket.stuck.set(true);
    running.channel.command("input", &"exit\r".into()).unwrap();
    assert!(!running.poll());
    running.channel.close();
    assert!(!running.poll());
    running.host.advance(CLOSE_TIMEOUT);
    assert!(running.poll());
    assert_eq!(socket.closed_with.get(), None);
}

/// Closes a channel when it is woken: another thread can do that at any time.
struct CloseOnWake(Channel);

impl Wake for CloseOnWake {
    fn wake(self: Arc<Self>) {
        self.0.close();
    }
}

#[test]
fn a_close_by_another_thread_at_the_end_of_a_turn_ends_everything() {
    let mut running = Running::open("terminal");
    let (channel, socket) = (running.channel.clone(), running.host.socket(0));
    let mut request = pin!(channel.next_password_request());
    assert_eq!(request.as_mut().now_or_never(), None);
    // The turns before have raised the flag.
    while channel.next_change().now_or_never().is_some() {}
    let waker = Waker::from(Arc::new(CloseOnWake(channel.clone())));
    let mut change = pin!(channel.next_change());
    assert!(change.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());

    socket.receives(r#"{"type":"output","data":"x"}"#);
    assert!(running.poll(), "the loop must end with the channel");
    assert_eq!(socket.closed_with.get(), Some(1000), "the server must learn of the close");
    assert_eq!(request.as_mut().now_or_never(), Some(false), "the consumer must not wait any longer");
}

#[test]
fn a_failure_without_the_loop_wakes_all_consumers() {
    let Running { channel, driving, .. } = Running::open("terminal");
    while channel.next_state().now_or_never().is_some() {}
    while channel.next_progress().now_or_never().is_some() {}
    let (mut items, mut states) = (pin!(channel.next()), pin!(channel.next_state()));
    let (mut progress, mut request) = (pin!(channel.next_progress()), pin!(channel.next_password_request()));
    assert!(items.as_mut().now_or_never().is_none() && states.as_mut().now_or_never().is_none());
    assert!(progress.as_mut().now_or_never().is_none() && request.as_mut().now_or_never().is_none());

    drop(driving);
    channel.fail(0, "boom");
    assert_eq!(items.as_mut().now_or_never(), Some(None));
    assert!(matches!(states.as_mut().now_or_never(), Some(Some(State::Closed(_)))));
    assert_eq!(progress.as_mut().now_or_never(), Some(false));
    assert_eq!(request.as_mut().now_or_never(), Some(false));
}

#[test]
fn a_flood_does_not_occupy_the_thread() {
    let event = r#"{"type":"event","event":{"type":"idle","timestamp":"","data":{}}}"#;
    let output = format!(r#"{{"type":"output","data":"{}"}}"#, "x".repeat(16 << 10));
    for (kind, message, at_once) in [("events", event, 128), ("terminal", &output, 5)] {
        let mut running = Running::open(kind);
        let socket = running.host.socket(0);
        (0..1000).for_each(|_| socket.receives(message));
        let left = || socket.incoming.borrow().len();
        while left() > 0 {
            let before = left();
            assert!(!running.poll());
            let handled = before - left();
            assert!((1..=at_once).contains(&handled), "{kind}: {handled} messages without a yield");
            running.channel.next().now_or_never();
        }
        assert_eq!(running.channel.counters().dropped, 0, "{kind}");
    }
}

#[test]
fn the_server_waits_for_a_slow_consumer_but_not_for_one_that_has_stopped() {
    let mut running = Running::open("events");
    let socket = running.host.socket(0);
    let event = r#"{"type":"event","event":{"type":"idle","timestamp":"","data":{}}}"#;
    let poll_all = |running: &mut Running| (0..100).for_each(|_| assert!(!running.poll()));
    (0..5000).for_each(|_| socket.receives(event));

    // One batch every four seconds.
    let mut read = 0;
    while !socket.incoming.borrow().is_empty() {
        poll_all(&mut running);
        running.host.advance(4_000);
        poll_all(&mut running);
        read += count_events(&running.channel.next().now_or_never().flatten().unwrap_or_default());
    }
    poll_all(&mut running);
    let counters = running.channel.counters();
    assert_eq!((counters.taken, counters.dropped), (read as u64, 0));
    assert_eq!(counters.taken + counters.buffered, 5000);

    (0..5000).for_each(|_| socket.receives(event));
    poll_all(&mut running);
    assert_eq!(running.channel.counters().dropped, 0);
    running.host.advance(4_999);
    poll_all(&mut running);
    assert_eq!(running.channel.counters().dropped, 0);
    running.host.advance(1);
    poll_all(&mut running);
    assert!(socket.incoming.borrow().is_empty(), "the consumer counts as stopped");
    let counters = running.channel.counters();
    assert_eq!((counters.buffered, counters.received), (1024, 10_000));
    assert_eq!(counters.taken + counters.dropped, 10_000 - 1024);

    // Once the consumer reads again, the server waits for it again.
    assert!(running.channel.next().now_or_never().flatten().is_some());
    (0..5000).for_each(|_| socket.receives(event));
    let dropped = running.channel.counters().dropped;
    poll_all(&mut running);
    assert_eq!(running.channel.counters().dropped, dropped);
    assert!(!socket.incoming.borrow().is_empty());
}

#[test]
fn a_host_that_reads_ahead_is_always_read() {
    let output = format!(r#"{{"type":"output","data":"{}"}}"#, "x".repeat(64 << 10));
    for reads_ahead in [false, true] {
        let mut running = Running::open("terminal");
        let socket = running.host.socket(0);
        socket.reads_ahead.set(reads_ahead);
        (0..32).for_each(|_| socket.receives(&output));
        (0..100).for_each(|_| assert!(!running.poll()));
        assert_eq!(socket.incoming.borrow().is_empty(), reads_ahead);
    }
}

#[test]
fn a_password_comes_from_the_consumer_if_the_target_is_refreshable() {
    let target = [("computer_id", "c1".into()), ("refreshable", true.into())];
    let target: Map =
        target.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect();
    let channel = Channel::open(&Config::default(), "events", &target, &Map::new(), 1, 0).unwrap();
    let host = Host::default();
    let mut driving = Box::pin(drive(host.clone(), channel.clone()));
    let mut poll = || driving.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
    assert!(!poll());
    assert_eq!(channel.next_password_request().now_or_never(), Some(true));
    channel.decline_password_request("the server is busy".into());
    assert!(!poll());
    let State::Reconnecting { cause, .. } = channel.state() else { panic!("{channel:?}") };
    assert_eq!(cause.message, "`refresh` failed: the server is busy");
    assert_eq!(cause.reason, crate::channel::CloseReason::Unreachable);

    host.advance(60_000);
    assert!(!poll());
    assert_eq!(channel.next_password_request().now_or_never(), Some(true));
    let mut fresh = target.clone();
    fresh.insert("password", "fresh".into());
    channel.provide_password(&fresh);
    assert!(!poll());
    assert_eq!(host.sockets(), 1);
}

#[test]
fn options_of_a_channel_are_refused_by_name() {
    let open = |kind: &str, options: &str| {
        let target = Map::from_iter([("computer_id".to_owned(), "c1".into())]);
        let options = crate::client::fields::read_object("channel", "options", Some(options)).unwrap();
        Channel::open(&Config::default(), kind, &target, &options, 1, 0).unwrap_err().to_string()
    };
    for (kind, options, message) in [
        ("radio", "{}", "channel: `kind` is not a kind of channel that this version knows"),
        (
            "terminal",
            r#"{"cols":"wide"}"#,
            "computers.terminal: `cols` must be a whole number of characters from 1 to 1000",
        ),
        ("audio", r#"{"channels":3}"#, "computers.audio: `channels` must be a whole number from 1 to 2"),
        ("events", r#"{"types":[1]}"#, "computers.events: `types` must be a list of strings"),
        (
            "events",
            r#"{"batch_ms":-1}"#,
            "computers.events: `batch_ms` must be a whole number of milliseconds from 0 to 1000",
        ),
    ] {
        assert_eq!(open(kind, options), message);
    }
}

/// Counts the wake-ups of a task.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn items_are_collected_while_the_other_thread_is_busy() {
    const EVENT: &str = r#"{"type":"event","event":{"type":"idle","timestamp":"","data":{}}}"#;
    let wakes = Arc::<Wakes>::default();
    let waker = Waker::from(Arc::clone(&wakes));
    let mut running = Running::open("events");
    let (host, channel) = (running.host.clone(), running.channel.clone());
    let socket = host.socket(0);
    let next = |busy: bool| {
        let sleep = |time| host.sleep(time);
        Box::pin(channel.next_batch(|| host.now(), sleep, move |time| busy && time == 8))
    };
    let read = |next: &mut Pin<Box<dyn Future<Output = Option<Vec<PlainObject>>> + '_>>| match next
        .as_mut()
        .poll(&mut Context::from_waker(&waker))
    {
        Poll::Ready(items) => Some(count_events(&items.unwrap_or_default())),
        Poll::Pending => None,
    };
    let arrive = |running: &mut Running, count: usize| {
        (0..count).for_each(|_| socket.receives(EVENT));
        (0..10).for_each(|_| assert!(!running.poll()));
    };

    let mut idle: Pin<Box<dyn Future<Output = _> + '_>> = next(false);
    assert_eq!(read(&mut idle), None);
    arrive(&mut running, 1);
    assert_eq!(read(&mut idle), Some(1), "a single event is not delayed");

    host.advance(9 - host.now() % 8);
    let mut busy: Pin<Box<dyn Future<Output = _> + '_>> = next(true);
    assert_eq!(read(&mut busy), None);
    arrive(&mut running, 1);
    assert_eq!(read(&mut busy), None);
    let before = wakes.0.load(Ordering::Relaxed);
    arrive(&mut running, 2);
    assert_eq!(wakes.0.load(Ordering::Relaxed), before, "more events do not wake the consumer");
    host.advance(6);
    assert_eq!(read(&mut busy), None);
    host.advance(1);
    assert_eq!(read(&mut busy), None, "the loop first receives the messages that wait in the system");
    assert!(!running.poll());
    assert_eq!(read(&mut busy), Some(3));

    let mut full: Pin<Box<dyn Future<Output = _> + '_>> = next(true);
    assert_eq!(read(&mut full), None);
    arrive(&mut running, 1);
    assert_eq!(read(&mut full), None);
    arrive(&mut running, 254);
    assert_eq!(read(&mut full), None);
    let before = wakes.0.load(Ordering::Relaxed);
    arrive(&mut running, 1);
    assert!(wakes.0.load(Ordering::Relaxed) > before);
    assert_eq!(read(&mut full), Some(256), "enough events are delivered at once");

    arrive(&mut running, 256);
    let mut waiting: Pin<Box<dyn Future<Output = _> + '_>> = next(true);
    assert_eq!(read(&mut waiting), Some(256), "enough events may be there already");

    arrive(&mut running, 3);
    let mut late: Pin<Box<dyn Future<Output = _> + '_>> = next(true);
    assert_eq!(read(&mut late), Some(3), "events that arrived before the call are not delayed");

    arrive(&mut running, 1);
    let mut idle: Pin<Box<dyn Future<Output = _> + '_>> = next(false);
    assert_eq!(read(&mut idle), Some(1), "a single event is not delayed");

    let mut ended: Pin<Box<dyn Future<Output = _> + '_>> = next(true);
    assert_eq!(read(&mut ended), None);
    arrive(&mut running, 1);
    assert_eq!(read(&mut ended), None);
    channel.close();
    assert_eq!(read(&mut ended), Some(1), "the end of the channel ends the collection");
}

#[test]
fn the_loop_unlocks_the_session_for_a_consumer_after_the_current_message() {
    let mut running = Running::open("events");
    /// Receives ten messages. Returns how often the loop read the clock, which it does each time before it locks the session.
    fn receive(running: &mut Running) -> usize {
        let socket = running.host.socket(0);
        (0..10).for_each(|_| socket.receives(r#"{"type":"pong"}"#));
        let before = running.host.0.clock_reads.get();
        assert!(!running.poll());
        assert!(socket.incoming.borrow().is_empty());
        running.host.0.clock_reads.get() - before
    }
    assert!(receive(&mut running) < 10);
    running.channel.set_session_wanted(true);
    assert!(receive(&mut running) > 10);
}

#[test]
fn a_consumer_that_waits_for_the_session_collects_more_items() {
    const EVENT: &str = r#"{"type":"event","event":{"type":"idle","timestamp":"","data":{}}}"#;
    let mut running = Running::open("events");
    running.host.socket(0).receives(EVENT);
    assert!(!running.poll());
    let session = running.channel.session();
    std::thread::scope(|scope| {
        let consumer = scope.spawn({
            let channel = running.channel.clone();
            move || {
                let batch = pin!(channel.next_batch(|| 1, |_| pending(), |_| true));
                batch.poll(&mut Context::from_waker(Waker::noop())).is_pending()
            }
        });
        while !running.channel.is_session_wanted() {
            std::thread::yield_now();
        }
        drop(session);
        assert!(consumer.join().unwrap(), "the loop handles more messages");
    });
    assert!(!running.channel.is_session_wanted());
    let batch = running.channel.next_batch(|| 1, |_| pending(), |_| true);
    assert_eq!(count_events(&batch.now_or_never().flatten().unwrap_or_default()), 1);
}

#[test]
fn messages_wait_in_the_system_while_items_are_collected() {
    const EVENT: &str = r#"{"type":"event","event":{"type":"idle","timestamp":"","data":{}}}"#;
    let mut running = Running::open("events");
    let (host, channel) = (running.host.clone(), running.channel.clone());
    let socket = host.socket(0);
    socket.can_defer.set(true);
    let next =
        || Box::pin(channel.next_batch(|| host.now(), |time| host.sleep(time), |_| true)) as Pin<Box<_>>;
    let read = |next: &mut Pin<Box<dyn Future<Output = Option<Vec<PlainObject>>> + '_>>| match next
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(items) => Some(count_events(&items.unwrap_or_default())),
        Poll::Pending => None,
    };
    let arrive = |running: &mut Running, count: usize| {
        (0..count).for_each(|_| socket.receives(EVENT));
        (0..10).for_each(|_| assert!(!running.poll()));
    };
    /// Starts a collection with one event.
    macro_rules! collect {
        () => {{
            host.advance(9 - host.now() % 8);
            let mut batch: Pin<Box<dyn Future<Output = _> + '_>> = next();
            assert_eq!(read(&mut batch), None);
            arrive(&mut running, 1);
            assert_eq!(read(&mut batch), None);
            arrive(&mut running, 0);
            batch
        }};
    }

    let mut rare = collect!();
    arrive(&mut running, 2);
    assert!(!socket.deferred.get(), "few messages do not wait");
    host.advance(7);
    assert_eq!(read(&mut rare), Some(3));

    let mut often = collect!();
    assert!(!socket.deferred.get(), "three messages are few");
    arrive(&mut running, 9);
    host.advance(7);
    assert_eq!(read(&mut often), Some(10));

    let mut deferred = collect!();
    assert!(socket.deferred.get());
    arrive(&mut running, 9);
    assert_eq!(channel.counters().received, 14, "the messages wait");
    host.advance(7);
    assert_eq!(read(&mut deferred), None, "the loop receives the messages first");
    assert!(!running.poll());
    assert_eq!(read(&mut deferred), Some(10), "the messages are not delivered later than without the wait");
    assert!(!socket.deferred.get());

    let mut answered = collect!();
    assert!(socket.deferred.get());
    let subscribed = channel.command("subscribe", &Value::Array(vec!["idle".into()]));
    assert!(subscribed.is_ok() && !running.poll());
    assert!(!socket.deferred.get(), "the response to a message of this side does not wait");

    arrive(&mut running, 9);
    host.advance(7);
    assert_eq!(read(&mut answered), Some(10));

    let mut ended = collect!();
    assert!(socket.deferred.get());
    channel.close();
    assert_eq!(read(&mut ended), Some(1), "the end of the channel ends the collection");
}

/// Runs a call with a limit of 100 ms for the request and of 30 ms between pieces of the response, which arrive at these times.
/// Returns the time and the kind of its end.
fn end_of_call(pieces: &[Millis]) -> (Millis, TimeoutKind) {
    let host = Host::default();
    let options = json::parse(br#"{"timeout":100,"idle_timeout":30,"max_retries":0}"#).unwrap();
    let params = json::parse(br#"{"id":"c1"}"#).unwrap();
    let (Value::Object(options), Value::Object(params)) = (options, params) else { panic!("not objects") };
    let call = prepare_call(&Config::default(), "computers.get", &params, &options, None, 1).unwrap();
    let (mut execution, never) = (Execution::new(call, None), pin!(pending::<()>()));
    let mut running = pin!(run_call(&host, &mut execution, never));
    loop {
        if let Some(result) = running.as_mut().now_or_never() {
            let Err(Error::Timeout(timeout)) = result else { panic!("{result:?}") };
            return (host.now(), timeout.kind);
        }
        if pieces.contains(&host.now()) {
            host.0.request.borrow().as_ref().unwrap().received(host.now());
        }
        host.advance(1);
    }
}

#[test]
fn a_call_ends_when_the_response_pauses_or_takes_too_long() {
    assert_eq!(end_of_call(&[]), (100, TimeoutKind::Request));
    assert_eq!(end_of_call(&[0]), (30, TimeoutKind::Idle));
    // The pause is measured from the last piece, wherever it is between two wake-ups of the timer.
    assert_eq!(end_of_call(&[29]), (59, TimeoutKind::Idle));
    assert_eq!(end_of_call(&[31]), (61, TimeoutKind::Idle));
    assert_eq!(end_of_call(&[10, 35, 45]), (75, TimeoutKind::Idle));
    assert_eq!(end_of_call(&[10, 39, 68, 97]), (100, TimeoutKind::Request));
}
