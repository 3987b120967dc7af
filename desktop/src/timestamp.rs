//! Points in time as the protocol writes them: ISO 8601 in UTC.

use time::OffsetDateTime;
use time::macros::format_description;

/// Now, such as `2026-05-04T09:12:33Z`.
pub(crate) fn seconds() -> String {
    // A date of the system's clock has all the parts that the format names.
    OffsetDateTime::now_utc()
        .format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"))
        .unwrap_or_default()
}

/// Now, such as `2026-05-04T09:12:33.123Z`.
pub(crate) fn milliseconds() -> String {
    // A date of the system's clock has all the parts that the format names.
    OffsetDateTime::now_utc()
        .format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"))
        .unwrap_or_default()
}
