//! Writing requests, and adding them to the sums of their hours.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use sqlx::QueryBuilder;

use crate::domain::latency_histogram::LatencyHistogram;
use crate::ports::repository::RepositoryError;
use crate::ports::request_log::{Interval, LoggedRequest, Usage};
use crate::store::database::Database;
use crate::store::database::columns::{millis, number, text};

const INSERT_ROWS: &str = "
    INSERT INTO request_logs (organization_id, team_id, created_at, number, request_id, endpoint, api_key_id,
    status, code, provider, model, schema_name, template_name, processing_time_us, input_tokens, output_tokens,
    cost_usd, cached, validation_status, confidence, prompt, data) ";
/// What a former attempt has written stays as it is.
const UNLESS_THERE: &str = " ON CONFLICT (organization_id, team_id, created_at, number) DO NOTHING";

/// Rows of a statement. To put one together keeps a thread busy which has requests to serve: these for a tenth of a
/// millisecond. Between two of them others have their turn.
const ROWS_A_STATEMENT: usize = 50;

/// Columns of the sums that are added up, in the order of [`counters`].
pub(super) static COUNTERS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let names = ["requests", "errors", "cached", "input_tokens", "output_tokens"].map(str::to_owned);
    let buckets = (0..LatencyHistogram::BUCKETS).map(|bucket| format!("latency_{bucket}"));
    names.into_iter().chain(buckets).collect()
});
static INSERT_SUMS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO usage_hourly (organization_id, team_id, hour, provider, model, api_key_id, status, cost_usd, {}) ",
        COUNTERS.join(", ")
    )
});
static ADD_SUMS: LazyLock<String> = LazyLock::new(|| {
    let add = |column: &String| format!("{column} = usage_hourly.{column} + excluded.{column}");
    let added: Vec<String> = COUNTERS.iter().map(add).collect();
    format!(
        " ON CONFLICT (organization_id, team_id, hour, provider, model, api_key_id, status) DO UPDATE SET \
         cost_usd = usage_hourly.cost_usd + excluded.cost_usd, {}",
        added.join(", ")
    )
});

/// Those of the histogram's buckets.
pub(super) fn latency_columns() -> impl Iterator<Item = &'static str> {
    COUNTERS[COUNTERS.len() - LatencyHistogram::BUCKETS..].iter().map(String::as_str)
}

/// Which sum a request is added to. Ordered, so that two processes lock rows in the same order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SumKey<'a> {
    organization: &'a str,
    team: &'a str,
    hour: Duration,
    provider: &'a str,
    model: &'a str,
    api_key_id: &'a str,
    status: u16,
}

/// Writes all rows with their numbers, or none. Those that a former attempt has written change nothing.
pub(super) async fn insert(database: &Database, rows: &[(i64, LoggedRequest)]) -> Result<(), RepositoryError> {
    let sums = sums(rows);
    with_transaction!(database, |transaction| {
        let mut written = 0;
        for part in rows.chunks(ROWS_A_STATEMENT) {
            let mut insert = QueryBuilder::new(INSERT_ROWS);
            insert.push_values(part, |mut row, (unique, request)| {
                row.push_bind(request.tenant.organization()).push_bind(request.tenant.team());
                row.push_bind(millis(request.created_at)).push_bind(*unique);
                row.push_bind(text(&request.request_id)).push_bind(request.endpoint);
                row.push_bind(request.api_key_id.as_deref().map(text)).push_bind(i64::from(request.status));
                for value in [&request.code, &request.provider, &request.model, &request.schema, &request.template] {
                    row.push_bind(value.as_deref().map(text));
                }
                row.push_bind(i64::try_from(request.processing_time.as_micros()).unwrap_or(i64::MAX));
                row.push_bind(number(request.input_tokens)).push_bind(number(request.output_tokens));
                row.push_bind(finite(request.cost_usd)).push_bind(request.cached);
                row.push_bind(request.validation_status).push_bind(request.confidence);
                row.push_bind(request.prompt.as_deref().map(text)).push_bind(request.data.as_deref().map(text));
            });
            insert.push(UNLESS_THERE);
            // Each number of rows is another statement, of which the connection would keep many: it keeps the usual one.
            let is_usual = part.len() == ROWS_A_STATEMENT;
            written += insert.build().persistent(is_usual).execute(&mut *transaction).await?.rows_affected();
        }
        // None are new if a former attempt wrote all of them and its answer was lost: the sums have them as well.
        if written > 0 {
            let mut add = QueryBuilder::new(INSERT_SUMS.as_str());
            add.push_values(&sums, |mut row, (key, sum)| {
                row.push_bind(key.organization).push_bind(key.team).push_bind(millis(key.hour));
                row.push_bind(text(key.provider)).push_bind(text(key.model)).push_bind(text(key.api_key_id));
                row.push_bind(i64::from(key.status)).push_bind(finite(sum.cost_usd));
                for counter in counters(sum) {
                    row.push_bind(number(counter));
                }
            });
            add.push(ADD_SUMS.as_str());
            add.build().persistent(false).execute(transaction).await.map(drop)?;
        }
    });
    Ok(())
}

fn sums(rows: &[(i64, LoggedRequest)]) -> BTreeMap<SumKey<'_>, Usage> {
    let mut sums: BTreeMap<_, Usage> = BTreeMap::new();
    for (_, request) in rows {
        let key = SumKey {
            organization: request.tenant.organization(),
            team: request.tenant.team(),
            hour: Interval::Hour.start(request.created_at),
            provider: request.provider.as_deref().unwrap_or_default(),
            model: request.model.as_deref().unwrap_or_default(),
            api_key_id: request.api_key_id.as_deref().unwrap_or_default(),
            status: request.status,
        };
        sums.entry(key).or_default().add(&Usage::from(request));
    }
    sums
}

/// A number that every database stores: SQLite takes what is none for a missing value, and refuses the batch.
fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}

/// The numbers of a sum, in the order of [`COUNTERS`].
fn counters(sum: &Usage) -> impl Iterator<Item = u64> {
    let Usage { start: _, group: _, cost_usd: _, requests, errors, cached, input_tokens, output_tokens, latency } = sum;
    [*requests, *errors, *cached, *input_tokens, *output_tokens].into_iter().chain(latency.0)
}
