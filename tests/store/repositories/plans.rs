//! Every statement finds its rows by an index, and every page in its order: what the planners of both databases say of
//! the statements that the contract executes.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, SqliteConnection};
use structured_prompt::domain::tenant::Tenant;
use structured_prompt::store::audit::AuditTable;
use structured_prompt::store::idempotency::StoredIdempotency;
use structured_prompt::store::request_log::RequestTable;
use structured_prompt::store::settings::Location;

use super::super::place::soon;
use super::super::servers::Postgres;
use super::request_log::request;
use super::{Kept, RETENTION, check, database, postgres};

const TABLES: [&str; 10] = [
    "api_keys",
    "revisions",
    "request_logs",
    "usage_hourly",
    "schemas",
    "schema_versions",
    "prompt_templates",
    "prompt_template_versions",
    "audit_log",
    "idempotency",
];

/// A statement, and how Postgres found its rows.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Plan {
    statement: String,
    plan: String,
}

/// The plans in a log of `auto_explain`. Lines that belong to an entry begin with a tab; the plan's first has a cost.
fn plans(log: &str) -> BTreeSet<Plan> {
    let entries = log.split("\tQuery Text: ").skip(1).filter_map(|entry| {
        let mut lines = entry.split("\n\t").collect::<Vec<_>>();
        let last = lines.pop()?;
        lines.push(last.lines().next().unwrap_or_default());
        let plan_at = lines.iter().position(|line| line.contains("(cost="))?;
        let (statement, plan) = lines.split_at(plan_at);
        Some(Plan { statement: statement.join("\n"), plan: plan.join("\n") })
    });
    let is_ours = |plan: &Plan| {
        let words: BTreeSet<&str> = plan.statement.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let is_data =
            ["SELECT", "UPDATE", "DELETE", "INSERT"].iter().any(|verb| plan.statement.trim().starts_with(verb));
        is_data && TABLES.iter().any(|table| words.contains(table))
    };
    entries.filter(is_ours).collect()
}

async fn explain(database: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let rows = sqlx::raw_sql(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"))).fetch_all(database).await;
    rows.unwrap_or_else(|error| panic!("{error}\n{statement}")).iter().map(|row| row.get("detail")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_reads_a_whole_table() {
    let settings = ["session_preload_libraries=auto_explain", "auto_explain.log_min_duration=0"];
    let server = Postgres::with_settings(&settings);
    let location = postgres(&server.url());
    let kept = Kept::stored(&location).await;
    check(&kept).await;
    let requests = RequestTable::new(database(&location), RETENTION);
    requests.insert(&[(1, request(&kept, &Tenant::default(), 1))]).await.unwrap();
    requests.delete_old(kept.now(), 100).await.unwrap();
    AuditTable::new(database(&location), RETENTION).delete_old(kept.now(), 100).await.unwrap();
    let clock = std::sync::Arc::clone(&kept.clock);
    StoredIdempotency::new(database(&location), clock).delete_expired(100).await.unwrap();

    // The server writes its log behind its answers.
    let all = || plans(&server.log());
    let has_last =
        |plans: &BTreeSet<Plan>| plans.iter().any(|plan| plan.statement.contains("DELETE FROM idempotency WHERE (org"));
    soon(async {
        while !has_last(&all()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let plans = all();
    for table in TABLES {
        assert!(plans.iter().any(|plan| plan.statement.contains(table)), "nothing was done with {table}");
    }
    for Plan { statement, plan } in &plans {
        assert!(!plan.contains("Seq Scan on"), "Postgres reads all rows:\n{statement}\n{plan}");
    }

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    database(&Location::Sqlite(path.clone())).migrate().await.unwrap();
    let mut file = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let statements: BTreeSet<&String> = plans.iter().map(|plan| &plan.statement).collect();
    for statement in statements {
        let plan = explain(&mut file, statement).await;
        let reads_all = plan
            .iter()
            .any(|line| line.starts_with("SCAN ") && !line.contains("CONSTANT ROW") && !line.contains("VALUES CLAUSE"));
        assert!(!reads_all, "SQLite reads all rows:\n{statement}\n{plan:#?}");
        // A name has few owners, and a sum is no page.
        let may_sort = statement.contains("CASE WHEN team_id") || statement.contains("GROUP BY");
        let sorts = plan.iter().any(|line| line.contains("TEMP B-TREE"));
        assert!(!sorts || may_sort, "SQLite sorts:\n{statement}\n{plan:#?}");
    }
}
