//! `structured-prompt dlq`: letters that are meant come back once, byte for byte, whatever kills the command.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::broker::{self, TestRecord};
use super::service::{Service, Setup, Topics};
use super::stub_provider::{Script, StubProvider};
use super::{triage, wait_until};

const LIMIT: Duration = Duration::from_secs(120);
/// The codes of [`faulty`] records, by the number of the record.
const CODES: [&str; 5] = ["tombstone", "not_a_cloudevent", "missing_attribute", "template_failed", "invalid_json"];

/// A connector whose dead letters are sent again.
struct Desk {
    setup: Setup,
    topics: Topics,
    runtime: PathBuf,
}

impl Desk {
    fn new(setup: Setup, partitions: i32, extra: &str) -> Self {
        let topics = Topics::create(partitions);
        let setup = setup.connector(&topics, extra);
        let runtime = setup.write_runtime();
        Self { setup, topics, runtime }
    }

    fn command(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
        command.args(["dlq", verb, "--config"]).arg(&self.runtime).arg("--connectors");
        command.arg(self.setup.connector_file(&self.topics)).args(more);
        if !more.contains(&"--output") {
            command.args(["--output", "json"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, verb: &str, more: &[&str]) -> Output {
        self.command(verb, more).output().expect("the binary")
    }

    /// The objects that a command prints which exits with this code.
    fn objects(&self, exit: i32, verb: &str, more: &[&str]) -> Vec<Value> {
        let output = self.run(verb, more);
        assert_eq!(output.status.code(), Some(exit), "{verb} {more:?}: {}", text(&output.stderr));
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
    }

    /// The summary of a replay that exits with this code.
    fn replay(&self, exit: i32, more: &[&str]) -> Value {
        let mut objects = self.objects(exit, "replay", more);
        assert_eq!(objects.len(), 1, "{objects:?}");
        objects.remove(0)
    }

    fn letters(&self) -> usize {
        count(&self.topics.dead_letters)
    }

    fn wait_for_letters(&self, service: &Service, count: usize) {
        wait_until("the letters", LIMIT, || match self.letters() {
            letters if letters >= count => Ok(()),
            letters => Err(format!("{letters}: {}", service.log_text())),
        });
    }
}

/// Records in a topic, without the ends of transactions.
fn count(topic: &str) -> usize {
    broker::read(topic).len()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// `matched`, `sent`, `skipped` and `remaining` of a summary.
fn numbers(summary: &Value) -> [u64; 4] {
    ["matched", "sent", "skipped", "remaining"].map(|name| summary[name].as_u64().expect("a number"))
}

/// A record that fails with the code of its number.
fn faulty(n: usize) -> TestRecord {
    let event = TestRecord::event(&format!("e-{n}"), "hello");
    let mut record = match CODES[n % CODES.len()] {
        "tombstone" => TestRecord::default(),
        "not_a_cloudevent" => TestRecord::new("hello"),
        "missing_attribute" => {
            TestRecord { headers: event.headers.into_iter().filter(|(name, _)| name != "ce_id").collect(), ..event }
        }
        "template_failed" => TestRecord { value: Some(b"{\"other\":1}".to_vec()), ..event },
        _ => TestRecord { value: Some(b"{".to_vec()), ..event },
    };
    record.headers.push(("empty".to_owned(), None));
    let tenant = if n.is_multiple_of(2) { "even" } else { "odd" };
    record
        .key(&format!("k-{}", n % 40))
        .header("number", n.to_string())
        .header("tenant", tenant)
        .header("raw", [0xff, 0])
}

fn number(record: &TestRecord) -> usize {
    record.text("number").expect("its number").parse().expect("a number")
}

#[test]
fn of_ten_thousand_letters_those_that_are_meant_come_back_once_though_the_command_is_killed() {
    const RECORDS: usize = 10_000;
    const PER_CODE: usize = RECORDS / CODES.len();
    let desk = Desk::new(Setup::offline(), 3, "delivery: { guarantee: exactly-once }");
    let records: Vec<_> = (0..RECORDS).map(faulty).collect();
    broker::produce(&desk.topics.source, 3, &records);
    let mut service = desk.setup.start();
    desk.wait_for_letters(&service, RECORDS);
    assert!(service.terminate().0.success());

    let stats = desk.objects(0, "stats", &[]).remove(0);
    let by_code: Value =
        CODES.iter().map(|code| ((*code).to_owned(), json!(PER_CODE))).collect::<serde_json::Map<_, _>>().into();
    let sorted = |counts: &Value| {
        counts.as_object().expect("counts").clone().into_iter().collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!((&stats["letters"], &stats["others"]), (&json!(RECORDS), &json!(0)));
    assert_eq!(sorted(&stats["by_code"]), sorted(&by_code));
    assert_eq!(stats["by_topic"], json!({ desk.topics.source.clone(): RECORDS }));

    // Every second of these two codes.
    let meant = ["--code", "tombstone", "--code", "template_failed", "--header", "tenant=odd"];
    let is_meant = |n: &usize| matches!(CODES[n % CODES.len()], "tombstone" | "template_failed") && n % 2 == 1;
    let planned = desk.replay(0, &meant);
    assert_eq!(numbers(&planned), [PER_CODE as u64, 0, 0, PER_CODE as u64], "{planned}");
    assert_eq!(planned["by_topic"], json!({ desk.topics.source.clone(): PER_CODE }));
    assert_eq!(count(&desk.topics.source), RECORDS, "a dry run sends nothing");

    let directory = tempfile::tempdir().expect("a directory");
    let state = directory.path().join("state.json");
    let send = [&meant[..], &["--execute", "--state", state.to_str().expect("UTF-8")]].concat();
    let returned = || count(&desk.topics.source) - RECORDS;
    for _ in 0..2 {
        let before = returned();
        let mut child = desk.command("replay", &[&send[..], &["--rate", "200"]].concat()).spawn().expect("the binary");
        wait_until("records that were sent again", LIMIT, || match returned() {
            count if count > before => Ok(()),
            _ => Err(format!("{:?}", child.try_wait())),
        });
        child.kill().expect("a process");
        child.wait().expect("its end");
    }
    let before = returned();
    assert!(before > 0 && before < PER_CODE, "{before}: it was not interrupted");
    let rest = desk.replay(0, &send);
    // The last transaction of the killed process counts, or does not.
    let sent = PER_CODE - usize::try_from(rest["sent"].as_u64().expect("a number")).expect("a small number");
    assert!(sent >= before && sent < PER_CODE, "{before} {rest}");
    assert_eq!((&rest["remaining"], &rest["skipped"]), (&json!(0), &json!(0)));

    let all = broker::read(&desk.topics.source);
    let mut again: Vec<&TestRecord> =
        all.iter().map(|(_, record)| record).filter(|record| record.text("sp-replays").is_some()).collect();
    again.sort_by_key(|record| number(record));
    assert_eq!(
        again.iter().map(|record| number(record)).collect::<Vec<_>>(),
        (0..RECORDS).filter(is_meant).collect::<Vec<_>>()
    );
    for record in again {
        let original = &records[number(record)];
        assert_eq!((&record.key, &record.value), (&original.key, &original.value));
        assert_eq!(record.headers[..original.headers.len()], original.headers);
        let added: Vec<_> = record.headers[original.headers.len()..].iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(added, ["sp-replays", "sp-replay-of", "sp-replay-of-trace-id"]);
    }
    assert_eq!(numbers(&desk.replay(0, &send)), [0, 0, 0, 0], "nothing is sent twice");
}

#[test]
fn a_letter_that_fails_again_three_times_is_left_alone() {
    const EVENTS: usize = 3;
    let stub = StubProvider::start(Script::default().answer(|_request, _call| "{}".to_owned()));
    // An event that has its outcome within the window is dropped, unless it is a letter that is sent again.
    let desk =
        Desk::new(Setup::patient(&stub.base_url()), 1, "delivery: { deduplicate: 24h, guarantee: exactly-once }");
    let events: Vec<_> = (0..EVENTS).map(|n| TestRecord::event(&format!("e-{n}"), &format!("Ticket {n}"))).collect();
    broker::produce(&desk.topics.source, 1, &events);
    let service = desk.setup.start();
    for times in 1..=3 {
        desk.wait_for_letters(&service, EVENTS * times);
        let summary = desk.replay(0, &["--code", "answer_invalid", "--execute"]);
        assert_eq!(numbers(&summary), [EVENTS as u64, EVENTS as u64, 0, 0], "{times}: {summary}");
    }
    desk.wait_for_letters(&service, EVENTS * 4);
    let last = desk.replay(1, &["--code", "answer_invalid", "--execute"]);
    assert_eq!(numbers(&last), [EVENTS as u64, 0, EVENTS as u64, 0], "{last}");
    assert_eq!(last["skipped_by_reason"], json!({ "replayed_too_often": EVENTS }));
    assert_eq!(count(&desk.topics.source), EVENTS * 4);
    let stats = desk.objects(0, "stats", &[]).remove(0);
    assert_eq!(stats["by_replays"], json!({ "0": EVENTS, "1": EVENTS, "2": EVENTS, "3": EVENTS }));
    assert_eq!(broker::read(&desk.topics.sink), []);
}

#[test]
fn an_event_whose_fault_is_mended_has_a_result_in_a_trace_that_links_to_its_letter() {
    let stub = StubProvider::start(Script::default().answer(|_request, _call| "{}".to_owned()));
    let desk = Desk::new(Setup::patient(&stub.base_url()), 1, "");
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    broker::produce(&desk.topics.source, 1, &[TestRecord::event("e-1", "Ticket").header("ce_traceparent", trace)]);
    let service = desk.setup.start();
    desk.wait_for_letters(&service, 1);
    let letter = desk.objects(0, "list", &["--connector", desk.topics.group.trim_end_matches("-group")]).remove(0);
    assert_eq!((&letter["code"], &letter["providers"]), (&json!("answer_invalid"), &json!(["stub"])), "{letter}");
    assert_eq!(letter["trace_id"], json!("0af7651916cd43dd8448eb211c80319c"));

    stub.set_script(triage());
    let place = letter["place"].as_str().expect("a place");
    assert_eq!(numbers(&desk.replay(0, &["--at", place, "--execute"])), [1, 1, 0, 0]);
    wait_until("the result", LIMIT, || match count(&desk.topics.sink) {
        1 => Ok(()),
        count => Err(format!("{count}: {}", service.log_text())),
    });
    let (_, result) = broker::read(&desk.topics.sink).remove(0);
    assert!(result.headers.iter().all(|(name, _)| !name.starts_with("sp-replay")), "{result:?}");
    let own = result.text("ce_traceparent").expect("a trace");
    assert!(!own.contains("0af7651916cd43dd8448eb211c80319c"), "{own}");
    let (_, sent) = broker::read(&desk.topics.source).remove(1);
    assert_eq!(sent.text("sp-replay-of-trace-id").as_deref(), letter["trace_id"].as_str());
    assert_eq!(sent.text("ce_traceparent").as_deref(), Some(trace));
}

#[test]
fn a_replay_that_asks_another_provider_publishes_what_becomes_of_the_records() {
    const EVENTS: usize = 4;
    let invalid = StubProvider::start(Script::default().answer(|_request, _call| "{}".to_owned()));
    let valid = StubProvider::start(triage());
    let provider = |name: &str, stub: &StubProvider| {
        let url = stub.base_url();
        format!("  {name}: {{ kind: openai, base_url: \"{url}\", model: m, api_key_env: null, timeout: 120s }}\n")
    };
    let providers = provider("first", &invalid) + &provider("second", &valid);
    let setup = Setup::with_providers(&format!("providers:\n{providers}routing: {{ fallback: [first] }}"));
    let desk = Desk::new(setup, 1, "delivery: { guarantee: exactly-once }");
    let events: Vec<_> = (0..EVENTS).map(|n| TestRecord::event(&format!("e-{n}"), &format!("Ticket {n}"))).collect();
    broker::produce(&desk.topics.source, 1, &events);
    let mut service = desk.setup.start();
    desk.wait_for_letters(&service, EVENTS);
    assert!(service.terminate().0.success());

    // The same provider fails again, and is asked again each time.
    let mut calls = invalid.calls();
    for times in 2..=3 {
        let summary = desk.replay(0, &["--provider", "first", "--execute"]);
        assert_eq!(numbers(&summary), [EVENTS as u64, EVENTS as u64, 0, 0], "{summary}");
        assert_eq!(summary["by_topic"], json!({ desk.topics.dead_letters.clone(): EVENTS }));
        assert_eq!(desk.letters(), EVENTS * times);
        assert!(invalid.calls() >= calls + EVENTS as u64, "an answer that made a letter was taken again");
        calls = invalid.calls();
    }
    let last = desk.objects(0, "list", &["--provider", "first"]).pop().expect("letters");
    assert_eq!(
        (&last["replays"], last["record"].as_str().expect("a place")),
        (&json!(2), &*format!("{}/0/3", desk.topics.source))
    );

    let meant = ["--asked", "first", "--provider", "second"];
    let planned = desk.replay(0, &meant);
    assert_eq!((planned["matched"].as_u64(), valid.calls()), (Some(EVENTS as u64 * 3), 0), "{planned}");
    assert_eq!(planned["by_topic"], json!({ desk.topics.sink.clone(): EVENTS * 3 }));
    let summary = desk.replay(0, &[&meant[..], &["--limit", "4", "--execute"]].concat());
    assert_eq!(numbers(&summary), [EVENTS as u64 * 3, EVENTS as u64, 0, EVENTS as u64 * 2], "{summary}");
    let results = broker::read(&desk.topics.sink);
    let causes: std::collections::BTreeSet<_> =
        results.iter().filter_map(|(_, result)| result.text("ce_causationid")).collect();
    assert_eq!((results.len(), causes.len(), valid.calls()), (EVENTS, EVENTS, EVENTS as u64));
    for (_, result) in &results {
        assert_eq!(result.text("ce_provider").as_deref(), Some("second"));
    }
    assert_eq!(count(&desk.topics.source), EVENTS, "nothing goes to the source");
    let nobody = desk.run("replay", &["--provider", "third"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(text(&nobody.stderr).contains("--provider"), "{}", text(&nobody.stderr));
}

/// Letters as another program could have written them: with what each letter has, and this instead.
fn forged(replaced: &[(&str, &str)]) -> TestRecord {
    let headers = [
        ("__connect.errors.topic", "t"),
        ("__connect.errors.partition", "0"),
        ("__connect.errors.offset", "7"),
        ("__connect.errors.connector.name", "c"),
        ("sp-error-code", "internal_error"),
        ("sp-error-detail", "d"),
        ("sp-stage", "ask"),
        ("sp-first-failed-at", "2026-01-31T12:00:00.000Z"),
        ("sp-trace-id", "0af7651916cd43dd8448eb211c80319c"),
    ];
    let of = |name: &str, value: &str| {
        let replacement = replaced.iter().find(|(replaced, _)| *replaced == name).map(|(_, value)| *value);
        replacement.unwrap_or(value).to_owned()
    };
    let mut record = TestRecord::new("value");
    for (name, value) in headers {
        record = record.header(name, of(name, value));
    }
    replaced
        .iter()
        .filter(|(name, _)| !headers.iter().any(|(known, _)| known == name))
        .fold(record, |record, (name, value)| record.header(name, value))
}

#[test]
fn what_must_not_be_sent_is_left_alone_and_a_limit_goes_on_where_it_ended() {
    let desk = Desk::new(Setup::offline(), 2, "");
    let connector = desk.topics.group.trim_end_matches("-group").to_owned();
    let (topic, name) = (desk.topics.source.as_str(), connector.as_str());
    let other = broker::unique("other");
    broker::create_topic(&other, 1, &[]);
    let of_connector = [("__connect.errors.topic", topic), ("__connect.errors.connector.name", name)];
    let mut letters: Vec<_> = (0..5).map(|_| forged(&of_connector)).collect();
    letters.push(forged(&[&of_connector[..], &[("sp-value-omitted", "true")]].concat()));
    letters.push(forged(&[("__connect.errors.topic", other.as_str()), of_connector[1]]));
    letters.push(TestRecord::new("no letter"));
    broker::produce(&desk.topics.dead_letters, 2, &letters);

    let stats = desk.objects(0, "stats", &[]).remove(0);
    assert_eq!((&stats["letters"], &stats["others"]), (&json!(7), &json!(1)), "{stats}");
    let by_reason = json!({ "value_omitted": 1, "unknown_topic": 1 });
    let planned = desk.replay(0, &[]);
    assert_eq!((numbers(&planned), &planned["skipped_by_reason"]), ([7, 0, 2, 5], &by_reason), "{planned}");
    let first = desk.replay(0, &["--limit", "2", "--stage", "ask", "--execute"]);
    assert_eq!(numbers(&first)[..2], [7, 2], "{first}");
    let second = desk.replay(1, &["--stage", "ask", "--execute"]);
    assert_eq!((second["sent"].as_u64(), second["remaining"].as_u64()), (Some(3), Some(0)), "{second}");
    assert_eq!((count(topic), count(&other)), (5, 0), "whoever writes a letter does not choose a topic");

    let everything = desk.replay(1, &["--to", other.as_str(), "--execute"]);
    assert_eq!(numbers(&everything), [7, 6, 1, 0], "another replay: {everything}");
    assert_eq!(count(&other), 6);
    for (wrong, words) in [
        (vec!["--to", desk.topics.dead_letters.as_str()], "is a dead-letter topic"),
        (vec!["--code", "answer_invalit"], "answer_invalid"),
        (vec!["--connector", "no-such"], "there is no no-such"),
        (vec!["--since", "yesterday"], "how long ago"),
    ] {
        let output = desk.run("replay", &wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(text(&output.stderr).contains(words), "{wrong:?}: {}", text(&output.stderr));
    }
    let missing = desk.run("replay", &["--to", "there-is-no-such-topic", "--execute"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("there-is-no-such-topic"), "{}", text(&missing.stderr));
    // What a terminal shows.
    let shown = desk.run("show", &["--output", "table", "--limit", "1"]);
    assert!(text(&shown.stdout).contains("internal_error, stage ask"), "{}", text(&shown.stdout));
}
