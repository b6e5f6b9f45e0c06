//! What both kinds of outgoing record are written with.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Datelike, SecondsFormat};

use crate::domain::record::Header;

/// Appends a header.
pub(super) fn push(headers: &mut Vec<Header>, name: &'static str, value: impl Into<Bytes>) {
    headers.push(Header { name: name.into(), value: Some(value.into()) });
}

/// A time as RFC 3339 in UTC with milliseconds. Later than the year 9999, the last that RFC 3339 can write, it stays
/// there.
pub(super) fn time(since_epoch: Duration) -> String {
    const LAST_MS: i64 = 253_402_300_799_999;
    let ms = i64::try_from(since_epoch.as_millis()).map_or(LAST_MS, |ms| ms.min(LAST_MS));
    timestamp(ms).unwrap_or_default()
}

/// A Kafka timestamp as RFC 3339, if it is one that RFC 3339 can write.
pub(super) fn timestamp(ms: i64) -> Option<String> {
    let time = DateTime::from_timestamp_millis(ms).filter(|time| (0..=9999).contains(&time.year()))?;
    Some(time.to_rfc3339_opts(SecondsFormat::Millis, true))
}
