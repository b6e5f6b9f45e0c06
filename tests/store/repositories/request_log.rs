//! The request log and its sums.

use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use structured_prompt::domain::latency_histogram::LatencyHistogram;
use structured_prompt::domain::page::PageRequest;
use structured_prompt::domain::tenant::Tenant;
use structured_prompt::ports::repository::RepositoryError;
use structured_prompt::ports::request_log::{
    Interval, LoggedRequest, PastRequest, RequestFilter, Usage, UsageGroup, UsageQuery,
};
use structured_prompt::store::database::Database;
use structured_prompt::store::request_log::RequestTable;
use structured_prompt::store::settings::Location;

use super::super::postgres::connect;
use super::{Kept, RETENTION, all_pages, team};

const HOUR: u64 = 3600;

pub async fn check(kept: &Kept) {
    a_request_comes_back_as_it_was(kept).await;
    requests_are_found_by_what_is_asked_for(kept).await;
    nobody_sees_the_requests_of_another(kept).await;
    sums_are_those_of_the_requests(kept).await;
}

pub fn request(kept: &Kept, tenant: &Tenant, n: u64) -> LoggedRequest {
    LoggedRequest {
        tenant: tenant.clone(),
        request_id: format!("request-{n}"),
        created_at: kept.now(),
        endpoint: "/v1/analyze",
        api_key_id: Some(format!("key-{}", n % 2)),
        status: if n.is_multiple_of(5) { 422 } else { 200 },
        code: n.is_multiple_of(5).then(|| "answer_invalid".to_owned()),
        provider: (!n.is_multiple_of(3)).then(|| "claude".to_owned()),
        model: (!n.is_multiple_of(3)).then(|| "claude-sonnet".to_owned()),
        schema: Some("invoice@1.0.0".to_owned()),
        template: None,
        processing_time: Duration::from_millis(10 * n),
        input_tokens: n,
        output_tokens: 2 * n,
        cost_usd: 0.25 * n as f64,
        cached: n.is_multiple_of(2),
        validation_status: Some("passed"),
        confidence: Some(0.5),
        prompt: Some("with \0 and ü".to_owned()),
        data: Some("{}".to_owned()),
    }
}

/// Waits until so many requests of a tenant can be read.
pub async fn wait_for(kept: &Kept, tenant: &Tenant, requests: usize) {
    let count = || async {
        let page = kept.request_history.page(tenant, RequestFilter::default(), PageRequest::first(1000)).await;
        page.unwrap().items.len()
    };
    while count().await < requests {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn a_request_comes_back_as_it_was(kept: &Kept) {
    let tenant = team("single");
    let logged = request(kept, &tenant, 7);
    kept.request_log.log(logged.clone());
    wait_for(kept, &tenant, 1).await;
    let found = kept.request_history.get(&tenant, "request-7").await.unwrap();
    let text = found.prompt.clone().unwrap_or_default();
    assert!(text.starts_with("with ") && text.ends_with(" and ü"), "{text}");
    let expected = PastRequest { prompt: found.prompt.clone(), ..PastRequest::from(&logged) };
    assert_eq!(found, expected);
    assert_eq!(kept.request_history.get(&tenant, "request-8").await, Err(RepositoryError::NotFound));
    // A client may send an id again: the last one is meant.
    kept.pass(1);
    kept.request_log.log(LoggedRequest { status: 500, created_at: kept.now(), ..logged });
    wait_for(kept, &tenant, 2).await;
    assert_eq!(kept.request_history.get(&tenant, "request-7").await.unwrap().status, 500);
}

async fn requests_are_found_by_what_is_asked_for(kept: &Kept) {
    let tenant = team("many");
    let start = kept.now();
    for n in 0..30 {
        // Some have the same time.
        kept.pass(n % 2);
        kept.request_log.log(request(kept, &tenant, n));
    }
    wait_for(kept, &tenant, 30).await;
    let found = async |filter: RequestFilter| {
        let pages = all_pages(7, |page| kept.request_history.page(&tenant, filter.clone(), page)).await;
        let requests = pages.concat();
        assert!(requests.is_sorted_by(|one, next| one.created_at >= next.created_at));
        let mut numbers: Vec<u64> = requests.iter().map(|request| request.input_tokens).collect();
        numbers.sort_unstable();
        numbers
    };
    let all = || 0..30_u64;
    let any = RequestFilter::default;
    assert_eq!(found(any()).await, all().collect::<Vec<_>>());
    let with = |key_id: &str| RequestFilter { key_id: Some(key_id.to_owned()), ..any() };
    assert_eq!(found(with("key-1")).await, all().filter(|n| n % 2 == 1).collect::<Vec<_>>());
    assert!(found(with("no text of\0Postgres")).await.is_empty());
    let id = "neither is\0this";
    assert_eq!(kept.request_history.get(&tenant, id).await, Err(RepositoryError::NotFound));
    assert_eq!(found(RequestFilter { status: Some(422), ..any() }).await, [0, 5, 10, 15, 20, 25]);
    assert_eq!(found(RequestFilter { code: Some("answer_invalid".to_owned()), ..with("key-1") }).await, [5, 15, 25]);
    let provider = RequestFilter { provider: Some("claude".to_owned()), ..any() };
    assert_eq!(found(provider).await, all().filter(|n| !n.is_multiple_of(3)).collect::<Vec<_>>());
    let (from, to) = (Some(start + Duration::from_secs(2)), Some(start + Duration::from_secs(4)));
    assert_eq!(found(RequestFilter { from, to, ..any() }).await, [3, 4, 5, 6]);
}

async fn nobody_sees_the_requests_of_another(kept: &Kept) {
    let (one, other) = (Tenant::new("acme", "sales").unwrap(), Tenant::new("acme", "research").unwrap());
    kept.request_log.log(request(kept, &one, 1));
    wait_for(kept, &one, 1).await;
    let page = kept.request_history.page(&other, RequestFilter::default(), PageRequest::first(10)).await.unwrap();
    assert_eq!(page.items, []);
    assert_eq!(kept.request_history.get(&other, "request-1").await, Err(RepositoryError::NotFound));
    let query = UsageQuery { from: Duration::ZERO, to: kept.now() * 2, interval: Interval::Month, group_by: None };
    assert_eq!(kept.request_history.usage(&other, query).await, Ok(Vec::new()));
    assert_eq!(kept.request_history.usage(&one, query).await.unwrap().len(), 1);
}

async fn sums_are_those_of_the_requests(kept: &Kept) {
    let tenant = team("sums");
    let from = kept.now();
    let mut logged = Vec::new();
    for n in 0..60 {
        logged.push(request(kept, &tenant, n));
        kept.request_log.log(request(kept, &tenant, n));
        kept.pass(if n % 10 == 9 { 7 * 24 * HOUR + HOUR } else { HOUR });
    }
    wait_for(kept, &tenant, 60).await;
    let to = kept.now();
    for interval in [Interval::Hour, Interval::Day, Interval::Week, Interval::Month] {
        for group_by in [None, Some(UsageGroup::Provider), Some(UsageGroup::ApiKey), Some(UsageGroup::Status)] {
            let query = UsageQuery { from, to, interval, group_by };
            let found = kept.request_history.usage(&tenant, query).await.unwrap();
            assert_eq!(found, expected(&logged, query), "{interval:?} {group_by:?}");
        }
    }
    let weeks = UsageQuery { from, to, interval: Interval::Week, group_by: None };
    assert_eq!(kept.request_history.usage(&tenant, weeks).await.unwrap().len(), 6, "a week apart");
}

fn expected(logged: &[LoggedRequest], query: UsageQuery) -> Vec<Usage> {
    let mut sums: Vec<Usage> = Vec::new();
    for request in logged {
        let group = match query.group_by {
            None => None,
            Some(UsageGroup::Provider) => request.provider.clone(),
            Some(UsageGroup::Model) => request.model.clone(),
            Some(UsageGroup::ApiKey) => request.api_key_id.clone(),
            Some(UsageGroup::Status) => Some(request.status.to_string()),
        };
        let start = query.interval.start(request.created_at);
        let same = sums.iter_mut().find(|sum| (sum.start, &sum.group) == (start, &group));
        match same {
            Some(sum) => sum.add(&Usage::from(request)),
            None => {
                let mut sum = Usage::of(start, group);
                sum.add(&Usage::from(request));
                sums.push(sum);
            }
        }
    }
    sums.sort_by(|one, other| (one.start, &one.group).cmp(&(other.start, &other.group)));
    sums
}

/// A year of sums is read from the sums alone (there are no rows), in the time that a client waits.
pub async fn a_year_is_read_quickly(kept: &Kept, location: &Location) {
    // For each hour, one row for each provider and status.
    const COLUMNS: &str =
        "organization_id, team_id, hour, provider, model, api_key_id, status, requests, errors, cached,
        input_tokens, output_tokens, cost_usd";
    const HOURS: &str = "WITH RECURSIVE hours (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM hours WHERE n < 8759)";
    let buckets: Vec<_> = (0..LatencyHistogram::BUCKETS).map(|bucket| format!("latency_{bucket}")).collect();
    let counts = vec!["1"; buckets.len()].join(", ");
    let fill = format!(
        "INSERT INTO usage_hourly ({COLUMNS}, {}) {HOURS}
         SELECT 'default', 'year', CAST(n AS BIGINT) * 3600000, provider, 'm', '', status, 21, 0, 0, 1, 1, 0.5, {counts} FROM hours
         CROSS JOIN (SELECT 'claude' AS provider UNION SELECT 'gpt') AS providers
         CROSS JOIN (SELECT 200 AS status UNION SELECT 422) AS statuses",
        buckets.join(", ")
    );
    execute(location, fill).await;
    let tenant = team("year");
    let (from, to) = (Duration::ZERO, Duration::from_secs(365 * 24 * HOUR));
    for (interval, group_by, sums) in [
        (Interval::Month, None, 12),
        (Interval::Week, Some(UsageGroup::Provider), 2 * 53),
        (Interval::Day, Some(UsageGroup::Status), 2 * 365),
    ] {
        let began_at = Instant::now();
        let found = kept.request_history.usage(&tenant, UsageQuery { from, to, interval, group_by }).await.unwrap();
        println!("a year in {sums} sums: {:?}", began_at.elapsed());
        assert_eq!(found.len(), sums, "{interval:?}");
        assert_eq!(found.iter().map(|sum| sum.requests).sum::<u64>(), 365 * 24 * 4 * 21);
        assert!(found.iter().all(|sum| sum.latency.quantile(0.5).is_some()));
    }
}

async fn execute(location: &Location, statement: String) {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement));
    let done = match location {
        Location::Sqlite(path) => {
            let mut file = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
            statement.execute(&mut file).await.map(drop)
        }
        Location::Postgres(url) => statement.execute(&mut connect(url.get().expose()).await).await.map(drop),
        Location::Redis(_) => panic!("no database"),
    };
    done.unwrap();
}

/// What only a database does: rows that are written twice, and rows that are old.
pub async fn check_table(kept: &Kept, database: Database) {
    let (tenant, table) = (team("table"), RequestTable::new(database, RETENTION));
    let rows: Vec<_> = (0..3).map(|n| (i64::try_from(n).unwrap(), request(kept, &tenant, n))).collect();
    for _ in 0..2 {
        table.insert(&rows).await.unwrap();
    }
    let query = UsageQuery { from: kept.now(), to: kept.now() * 2, interval: Interval::Hour, group_by: None };
    let requests =
        async || kept.request_history.usage(&tenant, query).await.unwrap().iter().map(|sum| sum.requests).sum();
    let count = async || {
        let page = kept.request_history.page(&tenant, RequestFilter::default(), PageRequest::first(10)).await.unwrap();
        page.items.len()
    };
    assert_eq!((count().await, requests().await), (3, 3_u64), "the second time changes nothing");

    assert_eq!(table.delete_old(kept.now() + RETENTION, 2).await, Ok(false));
    assert_eq!(count().await, 3, "as old as they may be");
    let later = kept.now() + RETENTION + Duration::from_millis(1);
    assert_eq!(table.delete_old(later, 2).await, Ok(true));
    assert_eq!(count().await, 1);
    assert_eq!(table.delete_old(later, 2).await, Ok(false));
    assert_eq!((count().await, requests().await), (0, 3), "sums are kept longer");
    assert_eq!(table.delete_old(later + Duration::from_secs(3 * 366 * 24 * HOUR), 100).await, Ok(false));
    assert_eq!(requests().await, 0);
    rows_of_several_statements_are_written_once(kept, &table).await;
}

async fn rows_of_several_statements_are_written_once(kept: &Kept, table: &RequestTable) {
    let tenant = team("several-statements");
    let rows: Vec<_> = (0..120).map(|n| (i64::try_from(n).unwrap(), request(kept, &tenant, n))).collect();
    table.insert(&rows[..70]).await.unwrap();
    for _ in 0..2 {
        table.insert(&rows[70..]).await.unwrap();
    }
    let page = kept.request_history.page(&tenant, RequestFilter::default(), PageRequest::first(1000)).await.unwrap();
    assert_eq!(page.items.len(), 120);
    let query = UsageQuery { from: kept.now(), to: kept.now() * 2, interval: Interval::Hour, group_by: None };
    let sums = kept.request_history.usage(&tenant, query).await.unwrap();
    assert_eq!(sums.iter().map(|sum| sum.requests).sum::<u64>(), 120);
}
