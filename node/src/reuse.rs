//! Decides which idle connection may be reused for a call that must not be executed twice.
//!
//! A server closes a connection after some idle time, and the close may race with the next request. Then it is unknown
//! whether the request was executed. So such a call gets a connection that was used recently, or a new one. The limit
//! of the idle time depends on the `Keep-Alive` field of the server (`timeout=5`) and on the idle times after which the
//! server closed connections before.

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use http::header::CONNECTION;
use http::{Extensions, HeaderMap, HeaderValue, Uri};
use hyper_util::client::legacy::connect::CaptureConnection;

/// The longest idle time of a reused connection if nothing is known about the server. The pauses between calls in quick
/// succession are shorter. For other calls the cost of a new connection is small, compared with the pause before them.
const TRUSTED_IDLE: Duration = Duration::from_millis(250);
/// How much earlier than announced a server may close a connection: its timer started earlier, and a request takes time
/// to arrive.
const MARGIN: Duration = Duration::from_secs(1);
/// A close within this time after a request was sent may have raced with the request. A later close has another cause.
const RACE_WINDOW: Duration = Duration::from_secs(1);
/// How long an observed close is remembered. The close can be unrelated to the idle time: a restart of the server
/// closes every connection.
const REMEMBERED: Duration = Duration::from_secs(300);

/// The connections of a client, by server. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Connections(Arc<Mutex<HashMap<String, Arc<Server>>>>);

/// The state of a server and its connections.
#[derive(Default)]
struct Server(Mutex<ServerState>);

#[derive(Default)]
struct ServerState {
    /// The shortest idle time after which the server closed a connection, and the time of the close.
    closed_after: Option<(Duration, Instant)>,
    /// The idle time that the server announced in `Keep-Alive`.
    announced: Option<Duration>,
    connections: Vec<(Usage, CaptureConnection)>,
}

/// The usage of one connection. Clones share it.
#[derive(Clone)]
pub(crate) struct Usage(Arc<UsageState>);

struct UsageState {
    server: Weak<Server>,
    times: Mutex<Times>,
}

/// The usage of a stream. Dropping this value ends the usage.
pub(crate) struct StreamUsage(Usage);

#[derive(Default)]
struct Times {
    /// The time at which the last response was complete, if no request has followed.
    idle_since: Option<Instant>,
    /// For a request whose response has not begun: the idle time of the connection before the request, and the time at
    /// which the request was sent.
    resumed: Option<(Duration, Instant)>,
    over: bool,
    /// Whether the list of the server contains the connection.
    listed: bool,
}

impl Connections {
    /// Starts to track a new connection to the server of this URI.
    pub(crate) fn track(&self, uri: &Uri) -> StreamUsage {
        let server = Arc::downgrade(&self.server(uri));
        StreamUsage(Usage(Arc::new(UsageState { server, times: Mutex::default() })))
    }

    /// Retires the connections that have been idle for too long. The pool does not reuse them.
    pub(crate) fn retire(&self, uri: &Uri) {
        self.server(uri).retire(Instant::now());
    }

    fn server(&self, uri: &Uri) -> Arc<Server> {
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let key = format!("{}://{authority}", uri.scheme_str().unwrap_or_default());
        Arc::clone(lock(&self.0).entry(key).or_default())
    }
}

impl Server {
    fn retire(&self, now: Instant) {
        let mut known = lock(&self.0);
        let limit = known.limit(now);
        known.connections.retain(|(usage, connection)| {
            let mut times = lock(&usage.0.times);
            if times.idle_since.is_some_and(|since| now.duration_since(since) > limit) {
                times.over = true;
                if let Some(connected) = connection.connection_metadata().as_ref() {
                    connected.poison();
                }
            }
            !times.over
        });
    }

    fn closed(&self, idle: Duration, now: Instant) {
        let mut known = lock(&self.0);
        let shorter = known.observed(now).is_none_or(|known| idle < known);
        if shorter {
            known.closed_after = Some((idle, now));
        }
    }
}

impl ServerState {
    fn observed(&self, now: Instant) -> Option<Duration> {
        self.closed_after.filter(|(_, when)| now.duration_since(*when) < REMEMBERED).map(|(idle, _)| idle)
    }

    /// Returns the longest idle time of a reused connection.
    fn limit(&self, now: Instant) -> Duration {
        let announced = self.announced.map_or(TRUSTED_IDLE, |announced| announced.saturating_sub(MARGIN));
        // The server may close the next connection after a shorter idle time than the last one.
        self.observed(now).map_or(announced, |observed| announced.min(observed / 2))
    }
}

impl Usage {
    /// Returns the usage of the connection that a request used.
    pub(crate) fn of(connection: &CaptureConnection) -> Option<Self> {
        let mut extras = Extensions::new();
        connection.connection_metadata().as_ref()?.get_extras(&mut extras);
        extras.remove()
    }

    /// Records that a response is complete, and that the connection may serve another request.
    pub(crate) fn completed(&self, connection: &CaptureConnection, headers: &HeaderMap) {
        let closes = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"close");
        let Some(server) = self.0.server.upgrade() else { return };
        if headers.get(CONNECTION).is_some_and(closes) {
            return;
        }
        let is_listed = {
            let mut times = lock(&self.0.times);
            times.idle(Instant::now());
            mem::replace(&mut times.listed, true)
        };
        let mut known = lock(&server.0);
        if let Some(announced) = announced(headers) {
            known.announced = Some(announced);
        }
        if !is_listed {
            known.connections.retain(|(usage, _)| !lock(&usage.0.times).over);
            known.connections.push((self.clone(), connection.clone()));
        }
    }
}

impl StreamUsage {
    /// Returns the handle for the requests on the connection.
    pub(crate) fn handle(&self) -> Usage {
        self.0.clone()
    }

    /// Records that bytes were read.
    pub(crate) fn read(&self) {
        lock(&self.0.0.times).resumed = None;
    }

    /// Records that bytes were written.
    pub(crate) fn written(&self) {
        lock(&self.0.0.times).written(Instant::now());
    }

    /// Records that the server closed the connection.
    pub(crate) fn closed(&self) {
        let now = Instant::now();
        let idle = lock(&self.0.0.times).closed(now);
        if let (Some(idle), Some(server)) = (idle, self.0.0.server.upgrade()) {
            server.closed(idle, now);
        }
    }
}

impl Drop for StreamUsage {
    fn drop(&mut self) {
        lock(&self.0.0.times).over = true;
    }
}

impl Times {
    fn idle(&mut self, now: Instant) {
        (self.idle_since, self.resumed) = (Some(now), None);
    }

    fn written(&mut self, now: Instant) {
        if let Some(since) = self.idle_since.take() {
            self.resumed = Some((now - since, now));
        }
    }

    /// Records a close. Returns the idle time after which the server closed the connection, if the close depends on it.
    fn closed(&mut self, now: Instant) -> Option<Duration> {
        self.over = true;
        let raced = self.resumed.take().filter(|(_, sent)| now.duration_since(*sent) < RACE_WINDOW);
        self.idle_since.take().map(|since| now - since).or(raced.map(|(idle, _)| idle))
    }
}

/// Returns the `timeout` of a `Keep-Alive` field.
fn announced(headers: &HeaderMap) -> Option<Duration> {
    let parameters = headers.get("keep-alive")?.to_str().ok()?.split(',');
    parameters.filter_map(|parameter| parameter.split_once('=')).find_map(|(name, value)| {
        let seconds = value.trim().trim_matches('"').parse::<u32>().ok()?;
        name.trim().eq_ignore_ascii_case("timeout").then(|| Duration::from_secs(seconds.into()))
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connections({} servers)", lock(&self.0).len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_depends_on_the_announced_timeouts_and_the_closes_of_the_server() {
        let mut known = ServerState::default();
        let start = Instant::now();
        assert_eq!(known.limit(start), TRUSTED_IDLE);
        known.announced = Some(Duration::from_secs(5));
        assert_eq!(known.limit(start), Duration::from_secs(4));
        let server = Server(Mutex::new(known));
        let limit = |now| lock(&server.0).limit(now);
        server.closed(Duration::from_secs(3), start);
        assert_eq!(limit(start), Duration::from_millis(1500));
        server.closed(Duration::from_millis(50), start);
        server.closed(Duration::from_secs(9), start);
        assert_eq!(limit(start), Duration::from_millis(25));
        assert_eq!(limit(start + REMEMBERED), Duration::from_secs(4));
        // A close that is no longer remembered does not count.
        server.closed(Duration::from_secs(2), start + REMEMBERED);
        assert_eq!(limit(start + REMEMBERED), Duration::from_secs(1));
    }

    #[test]
    fn a_keep_alive_field_is_read_in_every_form() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("keep-alive", HeaderValue::from_static(value));
            announced(&headers)
        };
        for (value, seconds) in
            [("timeout=5", 5), ("max=100, Timeout = 2", 2), ("timeout=\"7\", max=1", 7), ("timeout=0", 0)]
        {
            assert_eq!(read(value), Some(Duration::from_secs(seconds)), "{value}");
        }
        for value in ["", "max=5", "timeout", "timeout=x", "timeout=-1"] {
            assert_eq!(read(value), None, "{value}");
        }
        assert_eq!(announced(&HeaderMap::new()), None);
    }

    #[test]
    fn a_close_counts_while_idle_or_if_it_races_with_a_request() {
        let start = Instant::now();
        let later = |millis| start + Duration::from_millis(millis);
        let idle = |then: fn(&mut Times, Instant)| {
            let mut times = Times::default();
            times.idle(start);
            then(&mut times, later(40));
            times
        };
        let closed = |times: &mut Times, at| times.closed(later(at)).map(|idle| idle.as_millis());
        assert_eq!(closed(&mut idle(|_, _| {}), 60), Some(60));
        assert_eq!(closed(&mut idle(Times::written), 60), Some(40));
        // The server processed the request for some time, or had begun to respond.
        assert_eq!(closed(&mut idle(Times::written), 5000), None);
        let mut begun = idle(Times::written);
        begun.resumed = None;
        assert_eq!(closed(&mut begun, 60), None);
        assert_eq!(closed(&mut Times::default(), 60), None);
        let mut twice = idle(|_, _| {});
        assert_eq!((closed(&mut twice, 60), closed(&mut twice, 70), twice.over), (Some(60), None, true));
    }
}
