//! Which kept connection may still be used for a call that must not arrive twice.
//!
//! A server closes a connection that was idle for long enough, and its close may cross with the next request: nobody can
//! then know whether the request was executed. So such a call gets a connection that was used a moment ago, or a fresh one.
//! What a moment is follows from what the server says (`Keep-Alive: timeout=5`) and from the idle times after which it was
//! seen to close connections.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use http::header::CONNECTION;
use http::{Extensions, HeaderMap, HeaderValue, Uri};
use hyper_util::client::legacy::connect::CaptureConnection;

/// How long a connection may have been idle, where nothing is known of the server. Calls that follow one another at once
/// stay below it; for the others a fresh connection costs little beside the pause.
const TRUSTED_IDLE: Duration = Duration::from_millis(250);
/// How much earlier than announced a server may close: its clock began before ours, and a request takes its time.
const MARGIN: Duration = Duration::from_secs(1);
/// How soon after a request a close crosses with it; what comes later is another failure.
const CROSSES_WITHIN: Duration = Duration::from_secs(1);
/// How long an observed close counts: a server that restarted closed its connections, whatever their age.
const REMEMBERED: Duration = Duration::from_secs(300);

/// The connections of a client, by server. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<HashMap<String, Arc<Server>>>>);

/// What is known of a server and its connections.
#[derive(Default)]
struct Server(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The shortest time of idleness after which it closed a connection, and when that was.
    closed_after: Option<(Duration, Instant)>,
    /// How long it says that it keeps a connection.
    announced: Option<Duration>,
    connections: Vec<(Life, CaptureConnection)>,
}

/// The life of one connection. Clones are of the same one.
#[derive(Clone)]
pub(crate) struct Life(Arc<LifeState>);

struct LifeState {
    server: Weak<Server>,
    moments: Mutex<Moments>,
}

/// The life of a stream, which ends with it.
pub(crate) struct StreamLife(Life);

#[derive(Default)]
struct Moments {
    /// When the last answer was complete, if no request followed.
    idle_since: Option<Instant>,
    /// A request is under way, and nothing of its answer has come: how long the connection had been idle, and when it was
    /// sent.
    resumed: Option<(Duration, Instant)>,
    over: bool,
}

impl Kept {
    /// The life of a connection that is about to be opened to the server of this address.
    pub(crate) fn begin(&self, uri: &Uri) -> StreamLife {
        let server = Arc::downgrade(&self.server(uri));
        StreamLife(Life(Arc::new(LifeState { server, moments: Mutex::default() })))
    }

    /// Takes out of use what was idle for too long. The pool does not give it out any more.
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
        known.connections.retain(|(life, connection)| {
            let mut moments = lock(&life.0.moments);
            if moments.idle_since.is_some_and(|since| now.duration_since(since) > limit) {
                moments.over = true;
                if let Some(connected) = connection.connection_metadata().as_ref() {
                    connected.poison();
                }
            }
            !moments.over
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

impl Known {
    fn observed(&self, now: Instant) -> Option<Duration> {
        self.closed_after.filter(|(_, when)| now.duration_since(*when) < REMEMBERED).map(|(idle, _)| idle)
    }

    /// How long a connection may have been idle.
    fn limit(&self, now: Instant) -> Duration {
        let said = self.announced.map_or(TRUSTED_IDLE, |announced| announced.saturating_sub(MARGIN));
        // The next close may come earlier than the last one.
        self.observed(now).map_or(said, |observed| said.min(observed / 2))
    }
}

impl Life {
    /// The life of the connection that took a request.
    pub(crate) fn of(connection: &CaptureConnection) -> Option<Self> {
        let mut extras = Extensions::new();
        connection.connection_metadata().as_ref()?.get_extras(&mut extras);
        extras.remove()
    }

    /// An answer is complete, and the connection may serve another request.
    pub(crate) fn answered(&self, connection: &CaptureConnection, headers: &HeaderMap) {
        let closes = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"close");
        let Some(server) = self.0.server.upgrade() else { return };
        if headers.get(CONNECTION).is_some_and(closes) {
            return;
        }
        lock(&self.0.moments).idle(Instant::now());
        let mut known = lock(&server.0);
        if let Some(announced) = announced(headers) {
            known.announced = Some(announced);
        }
        known.connections.retain(|(life, _)| !lock(&life.0.moments).over && !Arc::ptr_eq(&life.0, &self.0));
        known.connections.push((self.clone(), connection.clone()));
    }
}

impl StreamLife {
    /// What the connection's requests are told of it.
    pub(crate) fn handle(&self) -> Life {
        self.0.clone()
    }

    /// Bytes were read.
    pub(crate) fn read(&self) {
        lock(&self.0.0.moments).resumed = None;
    }

    /// Bytes were written.
    pub(crate) fn written(&self) {
        lock(&self.0.0.moments).written(Instant::now());
    }

    /// The server closed the connection.
    pub(crate) fn closed(&self) {
        let now = Instant::now();
        let idle = lock(&self.0.0.moments).closed(now);
        if let (Some(idle), Some(server)) = (idle, self.0.0.server.upgrade()) {
            server.closed(idle, now);
        }
    }
}

impl Drop for StreamLife {
    fn drop(&mut self) {
        lock(&self.0.0.moments).over = true;
    }
}

impl Moments {
    fn idle(&mut self, now: Instant) {
        (self.idle_since, self.resumed) = (Some(now), None);
    }

    fn written(&mut self, now: Instant) {
        if let Some(since) = self.idle_since.take() {
            self.resumed = Some((now - since, now));
        }
    }

    /// After how long a time of idleness the server closed, as far as the close has to do with that.
    fn closed(&mut self, now: Instant) -> Option<Duration> {
        self.over = true;
        let crossed = self.resumed.take().filter(|(_, sent)| now.duration_since(*sent) < CROSSES_WITHIN);
        self.idle_since.take().map(|since| now - since).or(crossed.map(|(idle, _)| idle))
    }
}

/// The `timeout` of a `Keep-Alive` field.
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

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({} servers)", lock(&self.0).len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_follows_what_the_server_says_and_does() {
        let mut known = Known::default();
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
        // What is forgotten is not compared with.
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
    fn a_close_counts_while_idle_or_as_it_crosses_a_request() {
        let start = Instant::now();
        let later = |millis| start + Duration::from_millis(millis);
        let idle = |then: fn(&mut Moments, Instant)| {
            let mut moments = Moments::default();
            moments.idle(start);
            then(&mut moments, later(40));
            moments
        };
        let closed = |moments: &mut Moments, at| moments.closed(later(at)).map(|idle| idle.as_millis());
        assert_eq!(closed(&mut idle(|_, _| {}), 60), Some(60));
        assert_eq!(closed(&mut idle(Moments::written), 60), Some(40));
        // A request that the server thought about, or began to answer.
        assert_eq!(closed(&mut idle(Moments::written), 5000), None);
        let mut begun = idle(Moments::written);
        begun.resumed = None;
        assert_eq!(closed(&mut begun, 60), None);
        assert_eq!(closed(&mut Moments::default(), 60), None);
        let mut twice = idle(|_, _| {});
        assert_eq!((closed(&mut twice, 60), closed(&mut twice, 70), twice.over), (Some(60), None, true));
    }
}
