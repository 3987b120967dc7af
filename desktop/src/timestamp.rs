//! Timestamps in the protocol's format: ISO 8601 in UTC.

use time::OffsetDateTime;
use time::macros::format_description;

/// Returns the current time with a precision of one second, such as `2026-05-04T09:12:33Z`.
pub(crate) fn seconds() -> String {
    // Formatting cannot fail: a date with a time contains all components of the format.
    OffsetDateTime::now_utc()
        .format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"))
        .unwrap_or_default()
}

/// Returns the current time with a precision of one millisecond, such as `2026-05-04T09:12:33.123Z`.
pub(crate) fn milliseconds() -> String {
    // Formatting cannot fail: a date with a time contains all components of the format.
    OffsetDateTime::now_utc()
        .format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"))
        .unwrap_or_default()
}
