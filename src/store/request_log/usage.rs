//! Reading sums.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{ColumnIndex, Decode, FromRow, QueryBuilder, Row, Type};

use crate::domain::latency_histogram::LatencyHistogram;
use crate::domain::tenant::Tenant;
use crate::ports::repository::RepositoryError;
use crate::ports::request_log::{Interval, Usage, UsageGroup, UsageQuery};
use crate::store::database::Database;
use crate::store::database::columns::{count, millis, time};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Sums by interval and group. The database adds up hours or days; weeks and months are added up here.
pub(super) async fn select(
    database: &Database,
    tenant: &Tenant,
    query: UsageQuery,
) -> Result<Vec<Usage>, RepositoryError> {
    let UsageQuery { from, to, interval, group_by } = query;
    let unit = millis(if interval == Interval::Hour { HOUR } else { DAY });
    let group = match group_by {
        None => "''",
        Some(UsageGroup::Provider) => "provider",
        Some(UsageGroup::Model) => "model",
        Some(UsageGroup::ApiKey) => "api_key_id",
        Some(UsageGroup::Status) => "CAST(status AS TEXT)",
    };
    let found: Vec<Sum> = with_connection!(database, |connection| {
        let mut query = QueryBuilder::new("SELECT ");
        // The unit is a number of ours: as a parameter it would be another expression in each place.
        query.push(format_args!("hour - hour % {unit} AS start_at, {group} AS group_name, SUM(cost_usd) AS cost_usd"));
        for column in super::write::COUNTERS.iter() {
            // The sum of integers is no integer in Postgres.
            query.push(format_args!(", CAST(SUM({column}) AS BIGINT) AS {column}"));
        }
        query.push(" FROM usage_hourly WHERE organization_id = ").push_bind(tenant.organization());
        query.push(" AND team_id = ").push_bind(tenant.team());
        query.push(" AND hour >= ").push_bind(millis(Interval::Hour.start(from)));
        query.push(" AND hour < ").push_bind(millis(to)).push(" GROUP BY 1, 2");
        query.build_query_as().fetch_all(connection).await?
    });
    let mut sums: BTreeMap<_, Usage> = BTreeMap::new();
    for Sum(mut sum) in found {
        sum.start = interval.start(sum.start);
        let key = (sum.start, sum.group.clone());
        sums.entry(key).or_insert_with(|| Usage::of(sum.start, sum.group.clone())).add(&sum);
    }
    Ok(sums.into_values().collect())
}

/// A row of the result.
struct Sum(Usage);

impl<'r, R: Row> FromRow<'r, R> for Sum
where
    &'r str: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    f64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let group: String = row.try_get("group_name")?;
        let counter = |column: &'r str| row.try_get::<i64, _>(column).map(count::<u64>);
        let mut latency = LatencyHistogram::default();
        for (column, bucket) in super::write::latency_columns().zip(&mut latency.0) {
            *bucket = counter(column)?;
        }
        Ok(Self(Usage {
            start: time(row.try_get("start_at")?),
            group: Some(group).filter(|group| !group.is_empty()),
            requests: counter("requests")?,
            errors: counter("errors")?,
            cached: counter("cached")?,
            input_tokens: counter("input_tokens")?,
            output_tokens: counter("output_tokens")?,
            cost_usd: row.try_get("cost_usd")?,
            latency,
        }))
    }
}
