//! The tests of all files, one after the other.

use std::path::PathBuf;
use std::time::Instant;

use super::compare::compare;
use super::report::{FileReport, Report, TestReport};
use super::snapshot::{self, Snapshots};
use super::{Args, TestError};
use crate::app::connector_test::{Published, TestRecord, TestedConnector};
use crate::cli::run::config_file;
use crate::cli::stored;
use crate::config::connector::{ConnectorConfig, RuntimeDefaults, load_connectors};
use crate::config::connector_test::{self, Answers, ConnectorTest, TestFile};
use crate::config::runtime::{self, RuntimeConfig};
use crate::config::{Environment, Finding, Findings};
use crate::llm::script::Script;
use crate::llm::settings::Cassettes;
use crate::store::settings::StoreUrl;

/// Runs the tests of all files behind the paths.
pub(super) async fn try_all(args: &Args) -> Result<Report, TestError> {
    let files = connector_test::find(&args.paths)?;
    // Nothing is run before everything is known to be right: a run that stops in the middle says little.
    let prepared = prepare(args, files)?;
    let mut files = Vec::new();
    for Prepared { file, connector, runtime } in prepared {
        files.push(try_file(&file, &connector, &runtime, args.update).await?);
    }
    Ok(Report { files })
}

/// The tests of a file, with what they need.
struct Prepared {
    file: TestFile,
    connector: ConnectorConfig,
    runtime: RuntimeConfig,
}

/// Reads everything; all findings at once.
fn prepare(args: &Args, files: Vec<PathBuf>) -> Result<Vec<Prepared>, Findings> {
    // No provider is asked, so none needs its key. What answers is set for each test.
    let environment = Environment::of_process().replaying(".");
    let mut runtime = runtime::load(config_file(args.config.as_deref()), &environment)?;
    let has_store = args.config.is_some() && stored::may_exist(&runtime.store.url);
    if !has_store {
        runtime.store.url = StoreUrl::Memory;
    }
    let defaults = RuntimeDefaults { has_store, ..RuntimeDefaults::from(&runtime) };
    let (mut prepared, mut findings) = (Vec::new(), Vec::<Finding>::new());
    for path in files {
        let read = connector_test::load(&path).and_then(|file| {
            let connectors = load_connectors(std::slice::from_ref(&file.connector), &defaults)?;
            Ok((file, connectors))
        });
        match read {
            Ok((file, connectors)) => prepared.extend(connectors.into_iter().map(|connector| Prepared {
                file: file.clone(),
                connector,
                runtime: runtime.clone(),
            })),
            Err(found) => findings.extend(found.as_slice().iter().cloned()),
        }
    }
    if findings.is_empty() { Ok(prepared) } else { Err(Findings::new(findings)) }
}

async fn try_file(
    file: &TestFile,
    connector: &ConnectorConfig,
    runtime: &RuntimeConfig,
    update: bool,
) -> Result<FileReport, TestError> {
    let mut snapshots = Snapshots::of(&file.path)?;
    let mut tests = Vec::new();
    for test in &file.tests {
        let started = Instant::now();
        let (tried, calls) = try_one(test, connector, runtime).await?;
        let mut failures = calls;
        match tried {
            Ok(published) => {
                failures.extend(compare(&test.expected, &published));
                if test.expected.snapshot {
                    failures.extend(snapshots.compare(&test.name, snapshot::kept(&published), update));
                }
            }
            Err(why) => {
                failures.push(why);
                snapshots.keep(&test.name);
            }
        }
        tests.push(TestReport { name: test.name.clone(), line: test.line, failures, took: started.elapsed() });
    }
    if update {
        snapshots.write()?;
    }
    Ok(FileReport { path: file.path.clone(), tests })
}

/// Takes a test's record to its end, and says what was wrong with the calls on its way.
async fn try_one(
    test: &ConnectorTest,
    connector: &ConnectorConfig,
    runtime: &RuntimeConfig,
) -> Result<(Result<Published, String>, Vec<String>), TestError> {
    let script = match &test.answers {
        Answers::Written(texts) => Script::new(texts.iter().cloned()),
        Answers::Recorded(_) => Script::default(),
    };
    let cassettes = match &test.answers {
        Answers::Written(_) => Cassettes::Scripted(script.clone()),
        Answers::Recorded(directory) => Cassettes::Replay(directory.clone()),
    };
    let runtime = RuntimeConfig { cassettes, ..runtime.clone() };
    let tested = TestedConnector::start(runtime, connector.clone()).await?;
    let record = TestRecord { event: &test.event, key: test.key.as_deref(), headers: &test.headers };
    let published = tested.receive(record).await;
    tested.finish().await;
    let wrong_calls = match &test.answers {
        Answers::Written(texts) => wrong_calls(texts.len(), script.calls()),
        Answers::Recorded(_) => None,
    };
    Ok((published, wrong_calls.into_iter().collect()))
}

/// What is wrong where a provider was asked more often than the test has answers, or less often.
fn wrong_calls(answers: usize, calls: usize) -> Option<String> {
    match (answers, calls) {
        (0, 1..) => Some("a provider was asked, and the test has no answer".to_owned()),
        (answers, calls) if calls > answers => {
            let have = if answers == 1 { "1 answer".to_owned() } else { format!("{answers} answers") };
            Some(format!("a provider was asked once more after the test's {have}"))
        }
        (answers, calls) if calls < answers => {
            Some(format!("the test has {answers} answers, and a provider was asked {calls} times"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_for_one_call() {
        assert_eq!(wrong_calls(0, 0), None);
        assert_eq!(wrong_calls(2, 2), None);
        for (answers, calls, part) in
            [(0, 3, "no answer"), (1, 2, "after the test's 1 answer"), (2, 1, "asked 1 times")]
        {
            let wrong = wrong_calls(answers, calls).expect("something is wrong");
            assert!(wrong.contains(part), "{wrong}");
        }
    }
}
