//! Today's program where an earlier one was killed: the same settings, records and journal.

use std::path::Path;

use serde_json::json;
use sqlx::Connection as _;
use tempfile::TempDir;

use super::LIMIT;
use super::cluster::Cluster;
use super::fixtures::{COMMIT, CONNECTORS, DEAD_LETTERS, Fixtures, HELD, Published, SourceRecord};
use super::program::{self, Program};
use super::stub_provider::{Fault, Script, StubProvider};
use super::wait::wait_until;

/// The scene of one test.
pub struct Upgrade {
    pub fixtures: Fixtures,
    pub records: Vec<SourceRecord>,
    pub cluster: Cluster,
    pub stub: StubProvider,
    directory: TempDir,
}

impl Upgrade {
    pub fn new() -> Self {
        let fixtures = Fixtures::of(COMMIT);
        let records = fixtures.records();
        let directory = tempfile::tempdir().expect("a directory");
        let store = program::store(directory.path());
        std::fs::copy(fixtures.path(program::STORE), &store).expect("a copy");
        // What was remembered for a week has expired since the fixtures were made.
        execute(&store, "UPDATE outcomes SET expires_at = 1 << 50; UPDATE claims SET expires_at = 1 << 50;");
        let cluster = Cluster::start(topics());
        cluster.produce(&records);
        Self { fixtures, records, cluster, stub: StubProvider::start(answers_but_held()), directory }
    }

    pub fn start(&self) -> Program {
        let today = Path::new(env!("CARGO_BIN_EXE_structured-prompt"));
        Program::start(today, &self.fixtures, &self.cluster, &self.stub, self.directory.path())
    }

    /// All results.
    pub fn published(&self) -> Vec<Published> {
        CONNECTORS.iter().flat_map(|(_, _, sink)| self.cluster.read(sink)).collect()
    }

    pub fn dead_letters(&self) -> Vec<Published> {
        DEAD_LETTERS.iter().flat_map(|topic| self.cluster.read(topic)).collect()
    }

    /// Records that had no answer when the earlier program was killed.
    pub fn held(&self) -> impl Iterator<Item = &SourceRecord> {
        self.records.iter().filter(|record| record.value.contains(HELD))
    }

    /// Waits until every group has committed every record.
    pub fn wait_for_the_end_of_all_topics(&self, program: &Program) {
        for (group, topic) in sources() {
            let end = self.cluster.end(topic);
            wait_until(topic, LIMIT, || match self.cluster.committed(group, topic) {
                Some(commit) if commit.offset == end => Ok(()),
                commit => Err(format!("{commit:?} of {end}\n{}", program.log())),
            });
        }
    }
}

/// Each group with its source topics.
pub fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    CONNECTORS.iter().flat_map(|(group, sources, _)| sources.iter().map(|topic| (*group, *topic)))
}

/// All topics of the fixtures.
pub fn topics() -> impl Iterator<Item = &'static str> {
    let sinks = CONNECTORS.iter().map(|(_, _, sink)| *sink);
    sources().map(|(_, topic)| topic).chain(sinks).chain(DEAD_LETTERS.iter().copied())
}

/// A provider that never answers what is held.
pub fn answers_but_held() -> Script {
    answers().fault_of(|request, _| request.to_string().contains(HELD).then_some(Fault::Hang))
}

/// A provider with an answer for each of the schemas.
pub fn answers() -> Script {
    Script::default().answer(|request, call| {
        let schema = request["response_format"].to_string();
        if schema.contains("requires_human") {
            let answer = json!({
                "intent": "delivery_problem", "urgency": "normal", "sentiment": "neutral", "summary": format!("call {call}"),
                "product": null, "order_id": null, "customer_email": null, "amount": 12.5, "currency": "EUR",
                "language": "en", "requires_human": false,
            });
            answer.to_string()
        } else if schema.contains("justified") {
            // The reason stands in each record: this connector dead-letters what is not grounded enough.
            json!({ "justified": true, "share": 0.25, "reason": "mail" }).to_string()
        } else if schema.contains("parts") {
            json!({ "parts": [format!("call {call}")], "weight": 1.5 }).to_string()
        } else {
            let entities = json!([{ "type": "product", "value": format!("call {call}"), "normalized": null }]);
            let answer = json!({
                "intent": "ask", "subject": null, "entities": entities, "output_format": null, "original_language": "en",
            });
            answer.to_string()
        }
    })
}

/// Executes statements in an SQLite file.
pub fn execute(store: &Path, statements: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let url = format!("sqlite://{}", store.display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("the store");
        sqlx::raw_sql(statements).execute(&mut connection).await.expect("statements that are right");
        connection.close().await.expect("an end");
    });
}
