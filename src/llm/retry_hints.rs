//! What a provider says about when it may be asked again.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The longest pause that is passed on: a provider that names a day by mistake is asked again within the hour.
const MAX_PAUSE: Duration = Duration::from_secs(3600);

/// The limits that providers count, as their headers name them: what is left, and when it is renewed.
const LIMITS: [(&str, &str); 6] = [
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
];

/// The pause that a response asks for: `retry-after-ms`, `Retry-After` in seconds or as an HTTP date (RFC 9110, section
/// 10.2.3), or the renewal of a limit of which nothing is left. Dates are compared with the response's own `Date`, so
/// that clocks need not agree; `now` stands in for it.
pub(super) fn pause(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    if let Some(ms) = text("retry-after-ms").and_then(|ms| ms.parse::<f64>().ok()) {
        return capped(ms / 1000.0);
    }
    let Some(value) = text(RETRY_AFTER.as_str()) else { return spent(headers, now) };
    if value.parse::<f64>().is_ok() {
        return seconds(value);
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(sent_at(headers, now)).unwrap_or_default().min(MAX_PAUSE))
}

/// The names of all headers that speak of limits.
pub(super) fn headers() -> impl Iterator<Item = &'static &'static str> {
    LIMITS.iter().flat_map(|(remaining, reset)| [remaining, reset])
}

/// The longest time until a limit is renewed of which nothing is left. Successes say it, too: for the next call.
pub(super) fn spent(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let spent = LIMITS.iter().filter(|(remaining, _)| text(remaining) == Some("0"));
    spent.filter_map(|(_, reset)| renewal(text(reset)?, sent_at(headers, now))).max().map(|pause| pause.min(MAX_PAUSE))
}

/// Seconds, possibly with a fraction.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    capped(text.trim().parse().ok()?)
}

fn capped(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().map(|pause| pause.min(MAX_PAUSE))
}

fn sent_at(headers: &HeaderMap, now: SystemTime) -> SystemTime {
    let date = headers.get(DATE).and_then(|v| v.to_str().ok());
    date.and_then(|text| httpdate::parse_http_date(text).ok()).unwrap_or(now)
}

/// A time as Anthropic writes it (RFC 3339), or a length as OpenAI does (`6m30s`, `120ms`, `1.5s`).
fn renewal(text: &str, sent_at: SystemTime) -> Option<Duration> {
    if let Ok(at) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(SystemTime::from(at).duration_since(sent_at).unwrap_or_default());
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let (unit, length) = [("ms", 0.001), ("h", 3600.0), ("m", 60.0), ("s", 1.0)]
            .into_iter()
            .find(|(unit, _)| tail.starts_with(unit))?;
        total += number.parse::<f64>().ok()? * length;
        rest = tail.get(unit.len()..)?;
    }
    if text.is_empty() { None } else { Duration::try_from_secs_f64(total).ok() }
}

#[cfg(test)]
mod tests;
