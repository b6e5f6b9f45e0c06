//! How keys are shown to a person.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat};

use crate::domain::api_key::KeyEntry;

pub(super) const HEADING: &str =
    "ID           STATE    PER HOUR  CREATED               EXPIRES               TEAM             NAME";

/// What a new key is, beside itself.
pub(super) fn created(entry: &KeyEntry) -> String {
    let KeyEntry { id, name, tenant, rate_limit, expires_at, .. } = entry;
    let end = expires_at.map_or_else(|| "never".to_owned(), time);
    format!(
        "key {id} ({name}) of team {}: {rate_limit} requests an hour, expires {end}; keep it now, it is not shown again",
        tenant.team()
    )
}

/// A line below [`HEADING`].
pub(super) fn line(entry: &KeyEntry, now: Duration) -> String {
    let KeyEntry { id, name, tenant, rate_limit, created_at, expires_at, revoked_at, .. } = entry;
    let state = match (revoked_at, expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if *end <= now => "expired",
        (None, _) => "active",
    };
    let end = expires_at.map_or_else(|| "never".to_owned(), time);
    let id = id.as_str();
    format!("{id:<12} {state:<8} {rate_limit:<9} {:<21} {end:<21} {:<16} {name}", time(*created_at), tenant.team())
}

fn time(since_epoch: Duration) -> String {
    let seconds = i64::try_from(since_epoch.as_secs()).ok();
    let time = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    time.map_or_else(|| "?".to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}
