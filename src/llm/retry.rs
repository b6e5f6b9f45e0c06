//! When to ask a provider again, and how long to wait before.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use tokio::time::sleep;

use crate::domain::failure::{Code, Failure};

/// The longest wait that is slept here. A longer one is returned as [`Failure::retry_after`], so that the pipeline pauses
/// intake instead of holding records in sleeping calls.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(10);

/// The longest pause that is passed on: a provider that names a day by mistake is asked again within the hour.
const MAX_PAUSE: Duration = Duration::from_secs(3600);

/// Before the n-th retry we wait at most 0.5 s × 2ⁿ, and never more than 8 s: the official SDKs' numbers.
const BASE_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// How often a call may be repeated because the request was adapted; an adapter has fewer things to give up than this.
const MAX_ADAPTATIONS: u32 = 8;

/// How one attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attempt {
    /// Asking again cannot help.
    Final(Failure),
    /// Asking again may help, not before `Failure::retry_after` if that is set.
    Transient(Failure),
    /// The request has been changed to the server's liking: ask again at once. The failure counts if that never ends.
    Adapted(Failure),
}

/// Runs `attempt` until it succeeds, fails for good, or has been repeated `max_retries` times after transient failures.
///
/// The failure carries the number of attempts. A timeout is reported only if every attempt timed out: otherwise the
/// provider is known to have trouble, and the last failure of another kind says more.
pub(super) async fn run<T, F>(max_retries: u32, mut attempt: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Attempt>>,
{
    let (mut attempts, mut retries, mut adaptations) = (0, 0, 0);
    let mut former: Option<Failure> = None;
    loop {
        attempts += 1;
        let failure = match attempt().await {
            Ok(value) => return Ok(value),
            Err(Attempt::Final(failure)) => return Err(failure.after(attempts)),
            Err(Attempt::Adapted(failure)) if adaptations == MAX_ADAPTATIONS => return Err(failure.after(attempts)),
            Err(Attempt::Adapted(_)) => {
                adaptations += 1;
                continue;
            }
            Err(Attempt::Transient(failure)) => failure,
        };
        let asked = failure.retry_after.unwrap_or_default();
        let failure = more_telling(former.take(), failure);
        if retries == max_retries || asked > MAX_WAIT {
            return Err(failure.after(attempts));
        }
        sleep(wait(asked, retries)).await;
        retries += 1;
        former = Some(failure);
    }
}

fn more_telling(former: Option<Failure>, latest: Failure) -> Failure {
    match former {
        // The pause that it asked for is over.
        Some(former) if latest.code == Code::ProviderTimeout && former.code != Code::ProviderTimeout => {
            former.retry_after(None)
        }
        _ => latest,
    }
}

/// The pause before the retry with this index (from 0): what the provider asked for and up to a quarter more, or else full
/// jitter under an exponential ceiling. Jitter keeps all callers from coming back at the same moment.
fn wait(asked: Duration, index: u32) -> Duration {
    if asked.is_zero() {
        let ceiling = BASE_BACKOFF.saturating_mul(2_u32.saturating_pow(index)).min(MAX_BACKOFF);
        return ceiling.mul_f64(fastrand::f64());
    }
    asked.mul_f64(fastrand::f64().mul_add(0.25, 1.0))
}

/// The pause that a response asks for: `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date (RFC 9110, section
/// 10.2.3). A date is compared with the response's own `Date`, so that clocks need not agree; `now` stands in for it.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let number = |s: &str| s.parse::<f64>().ok();
    if let Some(ms) = text("retry-after-ms").and_then(number) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok().map(|d| d.min(MAX_PAUSE));
    }
    let value = text(RETRY_AFTER.as_str())?;
    if let Some(seconds) = number(value) {
        return Duration::try_from_secs_f64(seconds).ok().map(|d| d.min(MAX_PAUSE));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let since = text(DATE.as_str()).and_then(|s| httpdate::parse_http_date(s).ok()).unwrap_or(now);
    Some(until.duration_since(since).unwrap_or_default().min(MAX_PAUSE))
}

#[cfg(test)]
mod tests;
