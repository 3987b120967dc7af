//! The retry policy: which failed calls are retried, and after which wait.

use crate::Millis;
use crate::encoding::json;
use crate::encoding::text::{digits, take_field};
use crate::error::{Delivered, Error};
use crate::rest::operation::Effect;

/// A pseudo-random number generator (SplitMix64) for jitter. It is not cryptographically secure.
#[derive(Debug, Clone)]
pub struct Jitter(u64);

impl Jitter {
    /// Creates a generator. The same seed produces the same numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a random number from 0 to `limit`, inclusive.
    pub fn up_to(&mut self, limit: Millis) -> Millis {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        limit.checked_add(1).map_or(z, |modulus| z % modulus)
    }
}

/// Exponential backoff with full jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first wait, in milliseconds.
    pub base: Millis,
    /// The upper limit of every wait, in milliseconds.
    pub cap: Millis,
}

impl Backoff {
    /// The backoff of calls: from 1 s, doubling, up to 60 s. The documentation of the service recommends this for rate
    /// limits.
    pub const CALL: Self = Self { base: 1_000, cap: 60_000 };
    /// The backoff of the reconnects of a channel: from 0.5 s, doubling, up to 30 s.
    pub const CHANNEL: Self = Self { base: 500, cap: 30_000 };

    /// Returns the wait before the retry number `attempt`, counted from 1: a random time up to `base · 2^(attempt-1)`,
    /// at most `cap`.
    #[must_use]
    pub fn delay(self, attempt: u32, jitter: &mut Jitter) -> Millis {
        let longest =
            self.base.saturating_mul(1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX));
        jitter.up_to(longest.min(self.cap))
    }
}

/// Returns the wait before a retry, in milliseconds. Returns `None` if the call must not be retried.
///
/// A call with [`Effect::Once`] is retried only if it had no effect. Other calls are retried after every temporary
/// failure: a network failure, an expired time limit, the statuses 408, 429, 500, 502, 503 and 504, and a response that
/// is not JSON.
#[must_use]
pub fn retry_delay(effect: Effect, error: &Error, attempt: u32, jitter: &mut Jitter) -> Option<Millis> {
    let temporary = match error {
        Error::Transport(_) | Error::Timeout(_) => true,
        Error::Server(error) => error.nothing_executed() || matches!(error.status, 408 | 500 | 502..=504),
        Error::Decode(error) => error.garbled,
        // A retry would return a response of the same size.
        Error::TooLarge(_) | Error::Encode(_) | Error::Aborted(_) | Error::Closed(_) => false,
    };
    let harmless = effect != Effect::Once || error.delivered() == Delivered::No;
    if !temporary || !harmless {
        return None;
    }
    let requested = match error {
        Error::Server(error) => error.retry_after,
        _ => None,
    };
    Some(requested.unwrap_or_else(|| Backoff::CALL.delay(attempt, jitter)))
}

/// Parses a `Retry-After` field: a number of seconds, or a date relative to the `Date` field of the same response,
/// which needs no clock. The result is in milliseconds, at most a day; `None` for an invalid value.
#[must_use]
pub fn retry_after(value: &str, date: Option<&str>) -> Option<Millis> {
    const DAY: f64 = 86_400.0;
    if let Some(seconds) = json::parse(value.as_bytes()).ok().and_then(|seconds| seconds.as_f64()) {
        return (seconds >= 0.0).then(|| millis_from_seconds(seconds.min(DAY)));
    }
    let (until, now) = (http_date(value)?, http_date(date?)?);
    #[allow(clippy::cast_precision_loss, reason = "the difference of two dates is exact")]
    Some(millis_from_seconds(((until - now).max(0) as f64).min(DAY)))
}

/// Converts seconds of the wire to milliseconds, rounded up. Negative values and NaN become 0.
#[must_use]
pub fn millis_from_seconds(seconds: f64) -> Millis {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    let milliseconds = (seconds * 1000.0).ceil() as Millis;
    milliseconds
}

/// Parses an IMF-fixdate (RFC 9110 section 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`, to seconds since 1970.
fn http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let number =
        |text| digits(text).filter(|number| *number <= 9999).and_then(|number| i64::try_from(number).ok());
    let mut rest = text.trim_ascii();
    take_field(&mut rest, b" ");
    let day = number(take_field(&mut rest, b" "))?;
    let month = take_field(&mut rest, b" ");
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let year = number(take_field(&mut rest, b" "))?;
    let hour = number(take_field(&mut rest, b":"))?;
    let minute = number(take_field(&mut rest, b":"))?;
    let second = number(take_field(&mut rest, b" "))?;
    if rest != "GMT" || year < 1900 || !(1..=31).contains(&day) {
        return None;
    }
    // The days since the epoch. The year starts in March, so that the leap day is its last day.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_date_is_relative_to_the_date_of_the_response() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date("Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800));
        let later = retry_after("Sun, 06 Nov 1994 08:49:37 GMT", Some("Sun, 06 Nov 1994 08:49:07 GMT"));
        assert_eq!(later, Some(30_000));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", None), None);
        assert_eq!(http_date("Sun, 06 Nov 1994 9223372036854775807:49:37 GMT"), None);
    }

    #[test]
    fn a_number_of_seconds_is_capped_at_a_day() {
        assert_eq!(retry_after(" 2 ", None), Some(2_000));
        assert_eq!(retry_after("1e300", None), Some(86_400_000));
        for wrong in ["", "-1", "NaN", "soon"] {
            assert_eq!(retry_after(wrong, None), None, "{wrong}");
        }
    }

    #[test]
    fn the_backoff_grows_within_its_limits() {
        let mut jitter = Jitter::new(7);
        for attempt in 1..200 {
            let delay = Backoff::CALL.delay(attempt, &mut jitter);
            assert!(delay <= 60_000 && delay <= 1_000_u64.saturating_mul(1 << (attempt - 1).min(40)));
        }
    }
}
