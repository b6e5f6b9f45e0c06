//! Times as they are written for people and programs: RFC 3339 in UTC.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat};

/// A time since the Unix epoch, to the millisecond.
pub fn rfc3339(since_epoch: Duration) -> Option<String> {
    let millis = i64::try_from(since_epoch.as_millis()).ok()?;
    Some(DateTime::from_timestamp_millis(millis)?.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// The time since the Unix epoch that a text names; `None` for any other text, and before 1970.
pub fn parse_rfc3339(text: &str) -> Option<Duration> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    u64::try_from(time.timestamp_millis()).ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_and_read_from_any_zone() {
        let time = Duration::from_millis(1_800_000_000_123);
        assert_eq!(rfc3339(time).as_deref(), Some("2027-01-15T08:00:00.123Z"));
        assert_eq!(parse_rfc3339("2027-01-15T09:00:00.123+01:00"), Some(time));
        for text in ["", "2027-01-15", "2027-01-15T08:00:00", "tomorrow", "1969-12-31T23:59:59Z"] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
        assert_eq!(rfc3339(Duration::MAX), None);
    }
}
