//! What reviewers of a connector have before them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::broker::{self, TestRecord};
use super::review::{event, options, script, wait_for};
use super::service::{Setup, Topics};
use super::stub_provider::StubProvider;

pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// A connector with results that wait, and what its reviewers type.
pub(super) struct Desk {
    /// Its directory has the files.
    _setup: Setup,
    pub(super) topics: Topics,
    pub(super) review: String,
    pub(super) runtime: PathBuf,
    pub(super) connector: PathBuf,
}

impl Desk {
    /// The results of these records wait, in one partition.
    pub(super) fn of(records: &[TestRecord]) -> Self {
        Self::of_batches(&[records], 1, "")
    }

    /// The results of these records wait in so many partitions. Each batch is sent when the one before it has results.
    pub(super) fn of_batches(batches: &[&[TestRecord]], partitions: i32, more: &str) -> Self {
        let stub = StubProvider::start(script());
        let (topics, review) = (Topics::create(1), broker::unique("review"));
        broker::create_topic(&review, partitions, &[]);
        let setup = Setup::patient(&stub.base_url()).connector(&topics, &(options(&review) + more));
        let mut service = setup.start();
        let mut count = 0;
        for batch in batches {
            broker::produce(&topics.source, 1, batch);
            count += batch.len();
            wait_for(count, &[&review], LIMIT);
        }
        let (status, _) = service.terminate();
        assert!(status.success(), "{status}: {}", service.log_text());
        let (runtime, connector) = (setup.write_runtime(), setup.connector_file(&topics));
        Self { _setup: setup, topics, review, runtime, connector }
    }

    /// The results of so many records that are not asked about for anything else.
    pub(super) fn of_doubtful(count: usize) -> Self {
        Self::of(&(0..count).map(|n| event(4 * n)).collect::<Vec<_>>())
    }

    pub(super) fn command(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
        command.args(["review", verb, "--config"]).arg(&self.runtime).arg(&self.connector).args(more);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(super) fn review(&self, verb: &str, more: &[&str]) -> Output {
        self.command(verb, more).output().expect("the binary")
    }

    /// A decision of somebody who knows that it may be the first one.
    pub(super) fn decision(&self, verb: &str, place: &str, reviewer: &str, more: &[&str]) -> Command {
        self.command(verb, &[&[place, "--reviewer", reviewer, "--first-decision"], more].concat())
    }

    pub(super) fn decide(&self, verb: &str, place: &str, reviewer: &str, more: &[&str]) -> Output {
        self.decision(verb, place, reviewer, more).output().expect("the binary")
    }

    /// The same, which must succeed.
    pub(super) fn done(&self, verb: &str, more: &[&str]) -> String {
        let output = self.review(verb, more);
        assert!(output.status.success(), "{verb} {more:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    pub(super) fn waiting(&self) -> Vec<Value> {
        self.done("list", &["--json"]).lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
    }

    pub(super) fn places(&self) -> Vec<String> {
        self.waiting().iter().map(|waiting| waiting["place"].as_str().expect("a place").to_owned()).collect()
    }

    /// Accepts until that is done, or somebody has done it.
    pub(super) fn accept_at_last(&self, place: &str, reviewer: &str) -> bool {
        let deadline = Instant::now() + LIMIT;
        let mut pause = Duration::from_millis(500);
        loop {
            let output = self.decide("accept", place, reviewer, &[]);
            let error = text(&output.stderr);
            if output.status.success() || error.contains("does not wait") {
                return output.status.success();
            }
            assert_eq!(output.status.code(), Some(1), "{error}");
            let is_overtaken = ["at the same time", "has not confirmed"].iter().any(|words| error.contains(words));
            assert!(is_overtaken && Instant::now() < deadline, "{error}");
            // Two who repeat without a pause could end each other's decisions for ever, and on a slow machine a pause
            // that does not grow is none.
            sleep(pause.mul_f64(fastrand::f64()));
            pause *= 2;
        }
    }

    /// How often the sink has a result of each event.
    pub(super) fn published(&self) -> HashMap<String, usize> {
        let mut published = HashMap::new();
        for (_, record) in broker::read(&self.topics.sink) {
            assert_eq!(record.text("ce_validation").as_deref(), Some("reviewed"));
            *published.entry(record.text("ce_causationid").expect("a cause")).or_default() += 1;
        }
        published
    }

    pub(super) fn group(&self) -> String {
        format!("{}-review", self.topics.group)
    }

    pub(super) fn transactional_id(&self) -> String {
        let group = &self.topics.group;
        format!("structured-prompt-{group}-review-{}", self.review)
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
