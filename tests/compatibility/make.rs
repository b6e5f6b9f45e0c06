//! Makes the fixtures of a version with its own binary; README.md beside them tells how to call it.

use std::path::PathBuf;
use std::time::Duration;

use super::LIMIT;
use super::cluster::Cluster;
use super::fixtures::{COMMIT, CONNECTORS, Commit, Fixtures, HELD, Published};
use super::program::{self, Program};
use super::stub_provider::StubProvider;
use super::upgrade::{answers_but_held, execute, sources, topics};
use super::wait::wait_until;

#[test]
#[ignore = "writes the fixtures of another version: needs STRUCTURED_PROMPT_TEST_OLD_BINARY"]
fn make_fixtures() {
    let binary = PathBuf::from(std::env::var("STRUCTURED_PROMPT_TEST_OLD_BINARY").expect("the path of the binary"));
    let fixtures = Fixtures::of(COMMIT);
    let (cluster, stub) = (Cluster::start(topics()), StubProvider::start(answers_but_held()));
    let records = fixtures.records();
    cluster.produce(&records);
    let directory = tempfile::tempdir().expect("a directory");
    let program = Program::start(&binary, &fixtures, &cluster, &stub, directory.path());
    let answered = records.iter().filter(|record| !record.value.contains(HELD)).count();
    let mut results: Vec<Published> = Vec::new();
    wait_until("all results", LIMIT, || {
        results = CONNECTORS.iter().flat_map(|(_, _, sink)| cluster.read(sink)).collect();
        if results.len() == answered { Ok(()) } else { Err(format!("{results:?}\n{}", program.log())) }
    });
    // A commit follows within a second; what is completed by then is in its map.
    std::thread::sleep(Duration::from_secs(5));
    let committed = |(group, topic)| cluster.committed(group, topic).unwrap_or_else(|| panic!("no commit for {topic}"));
    let commits: Vec<Commit> = sources().map(committed).collect();
    program.kill();
    results.sort();
    fixtures.write("results.jsonl", &results);
    fixtures.write("commits.jsonl", &commits);
    let store = program::store(directory.path());
    // Folds the log of the killed process into the file itself.
    execute(&store, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE; VACUUM;");
    std::fs::copy(store, fixtures.path(program::STORE)).expect("a fixture");
}
