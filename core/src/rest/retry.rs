//! When a failed call is sent again, and how long the wait before is. Pure: the driver sleeps.

use crate::Millis;
use crate::encoding::json;
use crate::error::{Delivered, Error};
use crate::rest::operation::Effect;

/// A small generator of pseudo-random numbers (SplitMix64) for jitter. Not for secrets.
#[derive(Debug, Clone)]
pub struct Jitter(u64);

impl Jitter {
    /// The same seed gives the same numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to `limit`, both included.
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
    /// The longest first wait.
    pub base: Millis,
    /// The longest wait of all.
    pub cap: Millis,
}

impl Backoff {
    /// Between calls: from 1 s, doubling, to 60 s, as the documentation advises for rate limits (G3).
    pub const CALL: Self = Self { base: 1_000, cap: 60_000 };
    /// Between dials of a channel.
    pub const CHANNEL: Self = Self { base: 500, cap: 30_000 };

    /// The wait before try number `attempt`, counted from 1: anything up to `base · 2^(attempt-1)`, capped.
    #[must_use]
    pub fn delay(self, attempt: u32, jitter: &mut Jitter) -> Millis {
        let longest =
            self.base.saturating_mul(1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX));
        jitter.up_to(longest.min(self.cap))
    }
}

/// The wait before a call is sent again; `None` where it must not be.
///
/// A call that must happen once is sent again only when it provably did nothing. The others are sent again after
/// every failure that may pass: of the network, of time, 408, 429, 5xx, and an answer that is not JSON.
#[must_use]
pub fn retry_delay(effect: Effect, error: &Error, attempt: u32, jitter: &mut Jitter) -> Option<Millis> {
    let passing = match error {
        Error::Transport(_) | Error::Timeout(_) => true,
        Error::Server(error) => error.nothing_executed() || matches!(error.status, 408 | 500 | 502..=504),
        Error::Decode(error) => error.garbled,
        // The next response would be as large.
        Error::TooLarge(_) | Error::Encode(_) | Error::Aborted(_) | Error::Closed(_) => false,
    };
    let harmless = effect != Effect::Once || error.delivered() == Delivered::No;
    if !passing || !harmless {
        return None;
    }
    let requested = match error {
        Error::Server(error) => error.retry_after,
        _ => None,
    };
    Some(requested.unwrap_or_else(|| Backoff::CALL.delay(attempt, jitter)))
}

/// A `Retry-After` field in seconds: a number, or a date in relation to the `Date` field of the same answer, so that
/// no clock of ours is asked. Capped at a day; `None` for anything else.
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

/// An IMF-fixdate (RFC 9110 section 5.6.7), as `Sun, 06 Nov 1994 08:49:37 GMT`, in seconds since 1970.
fn http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.trim().split_ascii_whitespace().skip(1);
    let day: i64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let year: i64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u8>().ok().map(i64::from));
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if words.next()? != "GMT" || !(1900..=9999).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since the epoch with March as the first month, so that the leap day is the last of a year.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_relation_to_the_answers_own() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date("Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800));
        let later = retry_after("Sun, 06 Nov 1994 08:49:37 GMT", Some("Sun, 06 Nov 1994 08:49:07 GMT"));
        assert_eq!(later, Some(30_000));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", None), None);
        assert_eq!(http_date("Sun, 06 Nov 1994 9223372036854775807:49:37 GMT"), None);
    }

    #[test]
    fn a_number_is_read_and_capped() {
        assert_eq!(retry_after(" 2 ", None), Some(2_000));
        assert_eq!(retry_after("1e300", None), Some(86_400_000));
        for wrong in ["", "-1", "NaN", "soon"] {
            assert_eq!(retry_after(wrong, None), None, "{wrong}");
        }
    }

    #[test]
    fn backoff_grows_and_stays_within_its_bounds() {
        let mut jitter = Jitter::new(7);
        for attempt in 1..200 {
            let delay = Backoff::CALL.delay(attempt, &mut jitter);
            assert!(delay <= 60_000 && delay <= 1_000_u64.saturating_mul(1 << (attempt - 1).min(40)));
        }
    }
}
