//! What was asked over HTTP, and what came of it: row by row, and in sums by the hour.

mod memory;

use std::time::Duration;

pub use self::memory::MemoryRequestLog;
use super::repository::RepositoryFuture;
use crate::domain::latency_histogram::LatencyHistogram;
use crate::domain::page::{Page, PageRequest};
use crate::domain::tenant::Tenant;

/// A request that was answered. Times are since the Unix epoch, to the millisecond.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedRequest {
    /// Whose it was.
    pub tenant: Tenant,
    /// Its id. A client may have sent the same one before.
    pub request_id: String,
    /// When it came.
    pub created_at: Duration,
    /// The route that it took.
    pub endpoint: &'static str,
    /// The key that it was made with.
    pub api_key_id: Option<String>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The code of the problem, if that was the answer.
    pub code: Option<String>,
    /// Who answered.
    pub provider: Option<String>,
    /// The model that the provider says it used.
    pub model: Option<String>,
    /// The schema with its version.
    pub schema: Option<String>,
    /// The template with its version.
    pub template: Option<String>,
    /// From the request to the answer.
    pub processing_time: Duration,
    /// Tokens that were sent to providers for it.
    pub input_tokens: u64,
    /// Tokens that providers answered with.
    pub output_tokens: u64,
    /// What the calls for it cost, in US dollars.
    pub cost_usd: f64,
    /// Whether the answer was remembered.
    pub cached: bool,
    /// How the answer was validated.
    pub validation_status: Option<&'static str>,
    /// How much the answer can be trusted, within 0.0–1.0.
    pub confidence: Option<f64>,
    /// The prompt, where texts are kept.
    pub prompt: Option<String>,
    /// The answer's data as JSON, where texts are kept.
    pub data: Option<String>,
}

/// Takes requests down. Never waits and never fails: what there is no room for is dropped and counted.
pub trait RequestLog: Send + Sync {
    /// Takes one down.
    fn log(&self, request: LoggedRequest);
}

/// Which requests are meant; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// From this time on.
    pub from: Option<Duration>,
    /// Before this time.
    pub to: Option<Duration>,
    /// Made with this key.
    pub key_id: Option<String>,
    /// Answered by this provider.
    pub provider: Option<String>,
    /// With this HTTP status.
    pub status: Option<u16>,
    /// With this problem code.
    pub code: Option<String>,
}

/// A request as it was taken down; [`LoggedRequest`] says what each field means.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of LoggedRequest")]
pub struct PastRequest {
    pub request_id: String,
    pub created_at: Duration,
    pub endpoint: String,
    pub api_key_id: Option<String>,
    pub status: u16,
    pub code: Option<String>,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub schema: Option<String>,
    pub template: Option<String>,
    pub processing_time: Duration,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_usd: f64,
    pub cached: bool,
    pub validation_status: Option<String>,
    pub confidence: Option<f64>,
    pub prompt: Option<String>,
    pub data: Option<String>,
}

/// By which sums are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageGroup {
    /// By the provider that answered.
    Provider,
    /// By its model.
    Model,
    /// By the key that the request was made with.
    ApiKey,
    /// By HTTP status.
    Status,
}

/// The time of one sum. Days begin at midnight UTC, weeks on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month of the calendar.
    Month,
}

/// Which sums are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageQuery {
    /// From the hour of this time on.
    pub from: Duration,
    /// Before this time.
    pub to: Duration,
    /// The time of one sum.
    pub interval: Interval,
    /// By what they are told apart.
    pub group_by: Option<UsageGroup>,
}

/// What was used in an interval by one group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// When the interval begins, since the Unix epoch.
    pub start: Duration,
    /// The group; `None` if sums are not told apart, or for requests that belong to none.
    pub group: Option<String>,
    /// Requests.
    pub requests: u64,
    /// Those with a status of 400 or more.
    pub errors: u64,
    /// Those whose answer was remembered.
    pub cached: u64,
    /// Tokens that were sent to providers.
    pub input_tokens: u64,
    /// Tokens that providers answered with.
    pub output_tokens: u64,
    /// What the calls cost, in US dollars.
    pub cost_usd: f64,
    /// How long they took.
    pub latency: LatencyHistogram,
}

/// What was taken down. Rows come within seconds of their request.
pub trait RequestHistory: Send + Sync {
    /// Requests of a tenant, newest first.
    fn page<'a>(
        &'a self,
        tenant: &'a Tenant,
        filter: RequestFilter,
        page: PageRequest,
    ) -> RepositoryFuture<'a, Page<PastRequest>>;
    /// The last request with this id.
    fn get<'a>(&'a self, tenant: &'a Tenant, request_id: &'a str) -> RepositoryFuture<'a, PastRequest>;
    /// Sums by interval and group, in the order of both.
    fn usage<'a>(&'a self, tenant: &'a Tenant, query: UsageQuery) -> RepositoryFuture<'a, Vec<Usage>>;
}

impl Interval {
    /// When the interval began that this time is in.
    pub fn start(self, time: Duration) -> Duration {
        const HOUR: u64 = 3600;
        const DAY: u64 = 24 * HOUR;
        // The first of January 1970 was a Thursday.
        const SINCE_MONDAY: u64 = 3 * DAY;
        let seconds = time.as_secs();
        Duration::from_secs(match self {
            Self::Hour => seconds - seconds % HOUR,
            Self::Day => seconds - seconds % DAY,
            Self::Week => seconds.saturating_sub((seconds + SINCE_MONDAY) % (7 * DAY)),
            Self::Month => month_start(seconds).unwrap_or_default(),
        })
    }
}

fn month_start(seconds: u64) -> Option<u64> {
    use chrono::{DateTime, Datelike as _};
    let date = DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)?.date_naive();
    u64::try_from(date.with_day(1)?.and_hms_opt(0, 0, 0)?.and_utc().timestamp()).ok()
}

impl Usage {
    /// Nothing yet of this group in the interval that begins then.
    pub fn of(start: Duration, group: Option<String>) -> Self {
        Self { start, group, ..Self::default() }
    }

    /// Adds what is in another one.
    pub fn add(&mut self, other: &Self) {
        let Self { start: _, group: _, requests, errors, cached, input_tokens, output_tokens, cost_usd, latency } =
            other;
        self.requests += requests;
        self.errors += errors;
        self.cached += cached;
        self.input_tokens += input_tokens;
        self.output_tokens += output_tokens;
        self.cost_usd += cost_usd;
        self.latency.add(latency);
    }
}

impl From<&LoggedRequest> for Usage {
    /// That of one request, in no group and no interval.
    fn from(request: &LoggedRequest) -> Self {
        let mut latency = LatencyHistogram::default();
        latency.record(request.processing_time);
        Self {
            start: Duration::ZERO,
            group: None,
            requests: 1,
            errors: u64::from(request.status >= 400),
            cached: u64::from(request.cached),
            input_tokens: request.input_tokens,
            output_tokens: request.output_tokens,
            cost_usd: request.cost_usd,
            latency,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_begin_with_the_calendar() {
        // Wednesday, 20 November 2024, 15:42:07 UTC.
        let time = Duration::from_secs(1_732_117_327);
        let start = |interval: Interval| {
            let start = i64::try_from(interval.start(time).as_secs()).unwrap();
            chrono::DateTime::from_timestamp(start, 0).unwrap().to_string()
        };
        assert_eq!(start(Interval::Hour), "2024-11-20 15:00:00 UTC");
        assert_eq!(start(Interval::Day), "2024-11-20 00:00:00 UTC");
        assert_eq!(start(Interval::Week), "2024-11-18 00:00:00 UTC");
        assert_eq!(start(Interval::Month), "2024-11-01 00:00:00 UTC");
        for interval in [Interval::Hour, Interval::Day, Interval::Week, Interval::Month] {
            assert_eq!(interval.start(interval.start(time)), interval.start(time));
        }
    }
}
