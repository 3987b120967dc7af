//! Log entries. Each entry describes an event of a call or a channel, on one line and without secrets.

use std::collections::VecDeque;
use std::fmt;

use crate::Millis;

/// The severity of a log entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// A channel ended unexpectedly.
    Error,
    /// A connection broke, data was or may be lost, or a password or input was refused.
    Warn,
    /// A call is retried.
    Info,
    /// A call ended, or a channel opened or ended as expected.
    Debug,
}

impl LogLevel {
    /// Every level with its name, the most severe first.
    pub const ALL: [(&'static str, Self); 4] =
        [("error", Self::Error), ("warn", Self::Warn), ("info", Self::Info), ("debug", Self::Debug)];

    /// Returns the name of the level: `error`, `warn`, `info` or `debug`.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// One entry of the log. `Display` writes it as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The call, such as `computers.click`, or the channel with its computer, such as `terminal of 5c1e`.
    pub subject: String,
    /// The event.
    pub event: LogEvent,
}

/// An event of a call or a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogEvent {
    /// A call ended.
    Called {
        /// The error, if the call failed.
        error: Option<String>,
        /// The duration of the call with its waits, in milliseconds.
        took: Millis,
        /// The number of requests that were sent.
        requests: u32,
        /// The request id of the last response.
        request_id: Option<String>,
    },
    /// A call failed, and is retried.
    Retry {
        /// Why the call failed.
        error: String,
        /// The request id of the failed response.
        request_id: Option<String>,
        /// The number of the retry, from 1.
        attempt: u32,
        /// The largest number of retries.
        of: u32,
        /// The wait before the retry, in milliseconds.
        wait: Millis,
    },
    /// The server accepted a channel.
    Opened,
    /// The connection of a channel broke, and the channel reconnects.
    Reconnecting {
        /// Why the connection broke.
        cause: String,
        /// The number of the attempt, from 1.
        attempt: u32,
        /// The wait before the attempt, in milliseconds.
        delay: Millis,
    },
    /// The server refused the password; the channel requests a new password.
    PasswordRefused {
        /// The message of the server.
        cause: String,
    },
    /// Input was refused, because the connection is down or too much input is pending.
    InputRefused {
        /// The number of refusals since the channel was created.
        count: u64,
    },
    /// The connection broke or the channel ended before the server had acknowledged all input.
    InputUnacknowledged {
        /// The number of bytes that may not have arrived.
        bytes: u64,
    },
    /// Unread items were dropped, the oldest first.
    Dropped {
        /// The total amount that was dropped since the channel was created, in the unit of the channel's counters.
        count: u64,
    },
    /// A channel ended.
    Ended {
        /// Why the channel ended.
        cause: String,
        /// Whether the end was expected: the consumer closed the channel, or the shell exited.
        proper: bool,
    },
}

impl LogEntry {
    /// Returns the severity of the entry.
    #[must_use]
    pub fn level(&self) -> LogLevel {
        match &self.event {
            LogEvent::Called { .. } | LogEvent::Opened | LogEvent::Ended { proper: true, .. } => {
                LogLevel::Debug
            }
            LogEvent::Retry { .. } => LogLevel::Info,
            LogEvent::Reconnecting { .. }
            | LogEvent::PasswordRefused { .. }
            | LogEvent::InputRefused { .. }
            | LogEvent::InputUnacknowledged { .. }
            | LogEvent::Dropped { .. } => LogLevel::Warn,
            LogEvent::Ended { proper: false, .. } => LogLevel::Error,
        }
    }
}

impl fmt::Display for LogEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, event } = self;
        write!(f, "{subject}: ")?;
        match event {
            LogEvent::Called { error, took, requests, request_id } => {
                f.write_str(error.as_deref().unwrap_or("ok"))?;
                write!(f, "; {took} ms, {requests} requests")?;
                write_id(f, request_id.as_deref())
            }
            LogEvent::Retry { error, request_id, attempt, of, wait } => {
                write!(f, "{error}; retrying in {wait} ms ({attempt} of {of})")?;
                write_id(f, request_id.as_deref())
            }
            LogEvent::Opened => f.write_str("open"),
            LogEvent::Reconnecting { cause, attempt, delay } => {
                write!(f, "{cause}; reconnecting in {delay} ms, attempt {attempt}")
            }
            LogEvent::PasswordRefused { cause } => write!(f, "{cause}; asking for a fresh one"),
            LogEvent::InputRefused { count } => {
                write!(f, "input refused: the link is down or too slow, {count} times so far")
            }
            LogEvent::InputUnacknowledged { bytes } => {
                write!(f, "the last {bytes} bytes of input may not have arrived")
            }
            LogEvent::Dropped { count } => write!(f, "dropped unread items, {count} so far"),
            LogEvent::Ended { cause, .. } => write!(f, "ended: {cause}"),
        }
    }
}

fn write_id(f: &mut fmt::Formatter<'_>, id: Option<&str>) -> fmt::Result {
    id.map_or(Ok(()), |id| write!(f, ", request id {id}"))
}

/// The unread log entries of one call or channel.
#[derive(Debug)]
pub(crate) struct LogQueue {
    level: Option<LogLevel>,
    queue: VecDeque<LogEntry>,
}

impl LogQueue {
    /// Creates a queue that keeps the entries that are at least as severe as `level`. With `None`, it keeps no entries.
    pub(crate) fn new(level: Option<LogLevel>) -> Self {
        Self { level, queue: VecDeque::new() }
    }

    /// Adds an entry. `entry` is called only if the log is on.
    pub(crate) fn add(&mut self, entry: impl FnOnce() -> LogEntry) {
        if let Some(level) = self.level {
            let entry = entry();
            if entry.level() <= level {
                self.queue.push_back(entry);
            }
        }
    }

    /// Removes and returns the oldest entry.
    pub(crate) fn pop(&mut self) -> Option<LogEntry> {
        self.queue.pop_front()
    }
}

/// Limits the log lines of a growing counter: the first count is logged, then each doubling.
#[derive(Debug)]
pub(crate) struct LogThrottle(u64);

impl Default for LogThrottle {
    fn default() -> Self {
        Self(1)
    }
}

impl LogThrottle {
    /// Returns whether to log `count`.
    pub(crate) fn reached(&mut self, count: u64) -> bool {
        let reached = count >= self.0;
        if reached {
            self.0 = count.saturating_mul(2);
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_logged_at_each_doubling() {
        let mut throttle = LogThrottle::default();
        let logged: Vec<u64> = (0..=20).filter(|count| throttle.reached(*count)).collect();
        assert_eq!(logged, [1, 2, 4, 8, 16]);
    }

    #[test]
    fn entries_below_the_level_are_not_kept() {
        let entry = |event| LogEntry { subject: "terminal of c".to_owned(), event };
        let mut log = LogQueue::new(Some(LogLevel::Warn));
        log.add(|| entry(LogEvent::Opened));
        log.add(|| entry(LogEvent::InputRefused { count: 2 }));
        let kept = log.pop().expect("the second entry is severe enough");
        assert_eq!(
            kept.to_string(),
            "terminal of c: input refused: the link is down or too slow, 2 times so far"
        );
        assert_eq!((kept.level().name(), log.pop()), ("warn", None));
        LogQueue::new(None).add(|| unreachable!("the log is off"));
    }
}
