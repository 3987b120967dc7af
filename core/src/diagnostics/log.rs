//! What a client reports of its work to a log: facts, one line each, without secrets.

use std::collections::VecDeque;
use std::fmt;

use crate::Millis;

/// How much a line of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A channel ended that should not have.
    Error,
    /// Something was lost or refused.
    Warn,
    /// Something was tried again.
    Info,
    /// Every call and every state of a channel.
    Debug,
}

impl Level {
    /// Every level by its name, the gravest first.
    pub const ALL: [(&'static str, Self); 4] =
        [("error", Self::Error), ("warn", Self::Warn), ("info", Self::Info), ("debug", Self::Debug)];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// What happened to a call or a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The call, as `computers.click`, or the channel and its computer.
    pub subject: String,
    /// What happened to it.
    pub event: LogEvent,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    /// A call came to its end.
    Called {
        /// The error, if it failed.
        error: Option<String>,
        /// How long it took, waits included.
        took: Millis,
        /// How many requests were sent.
        requests: u32,
        /// The id of the last answer.
        request_id: Option<String>,
    },
    /// A call failed and will be sent again.
    Retry {
        /// Why it failed.
        error: String,
        /// The id of the answer that refused it.
        request_id: Option<String>,
        /// The number of the retry, from 1.
        attempt: u32,
        /// How many there may be.
        of: u32,
        /// The wait before it.
        wait: Millis,
    },
    /// The server accepted a channel.
    Opened,
    /// A channel broke and will be dialled again.
    Reconnecting {
        /// Why it broke.
        cause: String,
        /// The number of the try, from 1.
        attempt: u32,
        /// The wait before it.
        delay: Millis,
    },
    /// The password was refused; a fresh one is asked for.
    PasswordRefused {
        /// In the server's words.
        cause: String,
    },
    /// Input was refused, since the link is down or too much waits to be sent.
    InputRefused {
        /// How many times, since the channel began.
        count: u64,
    },
    /// The link broke, or the channel ended, before the server had acknowledged all input.
    InputUnacknowledged {
        /// The bytes of input that may not have arrived.
        bytes: u64,
    },
    /// What nobody took was dropped, the oldest first.
    Dropped {
        /// How much, since the channel began, in the unit of its counters.
        count: u64,
    },
    /// A channel ended for good.
    Ended {
        /// Why.
        cause: String,
        /// Whether it was meant to.
        proper: bool,
    },
}

impl LogEntry {
    /// How much it matters.
    #[must_use]
    pub fn level(&self) -> Level {
        match &self.event {
            LogEvent::Called { .. } | LogEvent::Opened | LogEvent::Ended { proper: true, .. } => Level::Debug,
            LogEvent::Retry { .. } => Level::Info,
            LogEvent::Reconnecting { .. }
            | LogEvent::PasswordRefused { .. }
            | LogEvent::InputRefused { .. }
            | LogEvent::InputUnacknowledged { .. }
            | LogEvent::Dropped { .. } => Level::Warn,
            LogEvent::Ended { proper: false, .. } => Level::Error,
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
                write!(f, "{error}; sent again in {wait} ms, retry {attempt} of {of}")?;
                write_id(f, request_id.as_deref())
            }
            LogEvent::Opened => f.write_str("open"),
            LogEvent::Reconnecting { cause, attempt, delay } => {
                write!(f, "{cause}; dialled again in {delay} ms, try {attempt}")
            }
            LogEvent::PasswordRefused { cause } => write!(f, "{cause}; asking for a fresh one"),
            LogEvent::InputRefused { count } => {
                write!(f, "keystrokes refused: the link is down or too slow, {count} times so far")
            }
            LogEvent::InputUnacknowledged { bytes } => {
                write!(f, "the last {bytes} bytes of input may not have arrived")
            }
            LogEvent::Dropped { count } => write!(f, "dropped what nobody took, {count} so far"),
            LogEvent::Ended { cause, .. } => write!(f, "ended: {cause}"),
        }
    }
}

fn write_id(f: &mut fmt::Formatter<'_>, id: Option<&str>) -> fmt::Result {
    id.map_or(Ok(()), |id| write!(f, ", request id {id}"))
}

/// The log of one call or channel that nobody took yet.
#[derive(Debug)]
pub(crate) struct LogQueue {
    level: Option<Level>,
    queue: VecDeque<LogEntry>,
}

impl LogQueue {
    /// Keeps what matters as much as `level`; nothing for `None`.
    pub(crate) fn new(level: Option<Level>) -> Self {
        Self { level, queue: VecDeque::new() }
    }

    /// Adds what `note` makes, which is called only if somebody may want it.
    pub(crate) fn add(&mut self, note: impl FnOnce() -> LogEntry) {
        if let Some(level) = self.level {
            let note = note();
            if note.level() <= level {
                self.queue.push_back(note);
            }
        }
    }

    /// The oldest of them.
    pub(crate) fn pop(&mut self) -> Option<LogEntry> {
        self.queue.pop_front()
    }
}

/// Says of a count that grows when it is worth a line: at first, and each time it has doubled.
#[derive(Debug)]
pub(crate) struct LogThrottle(u64);

impl Default for LogThrottle {
    fn default() -> Self {
        Self(1)
    }
}

impl LogThrottle {
    /// Whether `count` is worth a line.
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
    fn a_count_is_told_at_its_doublings() {
        let mut throttle = LogThrottle::default();
        let told: Vec<u64> = (0..=20).filter(|count| throttle.reached(*count)).collect();
        assert_eq!(told, [1, 2, 4, 8, 16]);
    }

    #[test]
    fn what_matters_less_than_the_level_is_not_kept() {
        let note = |event| LogEntry { subject: "terminal of c".to_owned(), event };
        let mut log = LogQueue::new(Some(Level::Warn));
        log.add(|| note(LogEvent::Opened));
        log.add(|| note(LogEvent::InputRefused { count: 2 }));
        let kept = log.pop().expect("the second matters");
        assert_eq!(
            kept.to_string(),
            "terminal of c: keystrokes refused: the link is down or too slow, 2 times so far"
        );
        assert_eq!((kept.level().name(), log.pop()), ("warn", None));
        LogQueue::new(None).add(|| unreachable!("nobody wants it"));
    }
}
