//! How much room outcomes and claims take in each store. The figures stand in docs/operations.md.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::Connection as _;
use structured_prompt::delivery::remembered::RememberedOutcomes;
use structured_prompt::domain::fingerprint::Fingerprint;
use structured_prompt::domain::secret::Secret;
use structured_prompt::ports::journal::Journal;
use structured_prompt::store::settings::Location;

use super::place::Place;
use super::postgres::{connect, database};
use super::servers::Redis;
use super::sqlite::open;
use super::ticket::Ticket;

const RECORDS: u64 = 10_000;
/// As many as fill some batches.
const AT_ONCE: u64 = 2_000;
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The most bytes that an outcome may take, and a claim.
struct Bounds {
    outcome: u64,
    claim: u64,
}

fn connector(place: &Place) -> RememberedOutcomes {
    let journal: Arc<dyn Journal> = Arc::new(place.keeping(KEPT));
    RememberedOutcomes::new(journal, "support-triage".into(), "c0d1e5f96a83".into(), true, Some(KEPT))
}

async fn remember(place: &Place) {
    let connector = &connector(place);
    for first in (0..RECORDS).step_by(AT_ONCE as usize) {
        let records = (first..first + AT_ONCE).map(|number| async move {
            let mut ticket = Ticket::new(number);
            let (record, event) = ticket.record();
            let keys = connector.keys(&record, &event, &Fingerprint([1; 32])).expect("a call is paid");
            connector.record(keys, &ticket.settled()).await;
        });
        join_all(records).await;
    }
}

async fn claim(place: &Place) {
    let connector = &connector(place);
    let claims = (0..RECORDS).filter_map(|number| {
        let (record, event) = Ticket::new(number).record();
        connector.claim(&record, &event)
    });
    let claims: Vec<_> = claims.collect();
    for part in claims.chunks(500) {
        connector.decide(part.to_vec()).await;
    }
}

/// Bytes of an outcome, then of a claim.
async fn growth(store: &str, place: &Place, size: impl AsyncFn() -> u64, most: Bounds) {
    // A first one makes the tables.
    connector(place).decide(Vec::new()).await;
    let empty = size().await;
    remember(place).await;
    let with_outcomes = size().await;
    claim(place).await;
    let (outcome, claim) = ((with_outcomes - empty) / RECORDS, (size().await - with_outcomes) / RECORDS);
    println!("{store}: {outcome} MB per million paid outcomes, {claim} MB per million claims");
    assert!((1..most.outcome).contains(&outcome), "{store}: {outcome} bytes an outcome");
    assert!((1..most.claim).contains(&claim), "{store}: {claim} bytes a claim");
}

async fn pages(path: &Path) -> u64 {
    let mut file = open(path).await;
    let bytes: i64 = sqlx::query_scalar("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        .fetch_one(&mut file)
        .await
        .expect("its size");
    file.close().await.expect("its end");
    bytes as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_and_claims_take_little_in_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let place = Place::new(Location::Sqlite(path.clone()), false);
    growth("SQLite", &place, async || pages(&path).await, Bounds { outcome: 1000, claim: 250 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_and_claims_take_little_in_postgres() {
    let url = database("growth").await;
    let place = Place::new(Location::Postgres(Secret::new(url.clone()).into()), false);
    let size = async || {
        let query = "SELECT pg_total_relation_size('outcomes') + pg_total_relation_size('claims')";
        let bytes: i64 = sqlx::query_scalar(query).fetch_one(&mut connect(&url).await).await.expect("its size");
        bytes as u64
    };
    growth("Postgres", &place, size, Bounds { outcome: 1000, claim: 350 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_and_claims_take_little_in_redis() {
    let server = Redis::start(&["--appendonly", "yes"]);
    let place = Place::new(Location::Redis(Secret::new(server.url()).into()), true);
    let size = async || {
        let text: String = ::redis::from_redis_value(server.command(&["INFO", "memory"])).expect("text");
        let line = text.lines().find_map(|line| line.strip_prefix("used_memory:")).expect("a line");
        line.trim().parse().expect("a number")
    };
    growth("Redis", &place, size, Bounds { outcome: 1200, claim: 400 }).await;
}
