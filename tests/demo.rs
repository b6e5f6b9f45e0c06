//! The demonstration as a user types it: who answers, what it says while it waits, when it gives up, and what it shows.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "in a test they are assertions")]

#[path = "support/stub_provider.rs"]
mod stub_provider;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stub_provider::{Fault, Latency, Script, StubProvider, When};

/// What a run may take on a machine that is busy with other tests.
const SOON: Duration = Duration::from_secs(60);

struct Demo {
    directory: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
    stdin: Vec<u8>,
}

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
    took: Duration,
}

impl Demo {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory"), environment: Vec::new(), stdin: Vec::new() }
    }

    /// A key for gpt is set, and whoever calls it calls this.
    fn with_gpt(mut self, stub: &StubProvider) -> Self {
        self.environment.push(("OPENAI_API_KEY", "sk-test-0123456789".to_owned()));
        self.environment.push(("STRUCTURED_PROMPT_PROVIDERS__GPT__BASE_URL", stub.base_url()));
        self
    }

    fn setting(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.directory.path().join(name), text).expect("a file");
        self
    }

    fn tickets(mut self, count: usize) -> Self {
        self.stdin = tickets(count).into_bytes();
        self
    }

    fn run(&self, args: &[&str]) -> Ended {
        let began_at = Instant::now();
        let mut child = Command::new(Path::new(env!("CARGO_BIN_EXE_structured-prompt")))
            .arg("demo")
            .args(args)
            .current_dir(self.directory.path())
            // A user without any settings: nothing of the machine that runs the tests may decide.
            .env_clear()
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        // A process that is already at its end reads nothing.
        drop(child.stdin.take().expect("its input").write_all(&self.stdin));
        let Output { status, stdout, stderr } = child.wait_with_output().expect("its end");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ended { code: status.code(), out: text(stdout), err: text(stderr), took: began_at.elapsed() }
    }
}

impl Ended {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }

    fn count(&self, name: &str) -> u64 {
        self.json()[name].as_u64().unwrap_or_else(|| panic!("no {name} in {}", self.out))
    }

    #[track_caller]
    fn says(&self, where_: &str, parts: &[&str]) {
        let text = if where_ == "out" { &self.out } else { &self.err };
        for part in parts {
            assert!(text.contains(part), "no {part:?} in {where_}:\n{}\n{}", self.out, self.err);
        }
    }

    #[track_caller]
    fn ends_with(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
    }
}

fn tickets(count: usize) -> String {
    let line = |id: usize| {
        let data = json!({"body": format!("Please cancel plan number {id}")});
        json!({"specversion": "1.0", "id": id.to_string(), "source": "/s", "type": "t", "data": data}).to_string()
            + "\n"
    };
    (0..count).map(line).collect()
}

fn answers() -> Script {
    Script::default().answer(|_, _| {
        json!({"intent": "cancellation", "urgency": "low", "sentiment": "neutral", "summary": "Cancel it.",
            "language": "en", "requires_human": false})
        .to_string()
    })
}

fn connector(provider: &str) -> String {
    format!(
        "name: own\nsource: {{ kafka: {{ topics: [own], format: cloudevents }} }}\nprompt: {{ inline: '{{{{ data.body }}}}' }}\n\
         schema: support-intent\noptions: {{ {provider} }}\nsink: {{ kafka: {{ topic: own.out }} }}\n\
         dead_letter: {{ kafka: {{ topic: own.dlq }} }}\n"
    )
}

#[test]
fn a_key_in_the_environment_asks_nobody() {
    let stub = StubProvider::start(answers());
    for args in [&["--json", "--input", "-"][..], &["--json", "--input", "-", "--connector", "own.yaml"]] {
        let demo = Demo::new().with_gpt(&stub).tickets(2).file("own.yaml", &connector("temperature: 0"));
        let ended = demo.setting("STRUCTURED_PROMPT_ROUTING__FALLBACK", "gpt").run(args);
        ended.ends_with(0);
        assert_eq!((ended.count("results"), &ended.json()["providers"]), (2, &json!(["offline"])));
        ended.says("err", &["offline", "no model", "--provider gpt asks a model and costs money"]);
    }
    assert_eq!(stub.calls(), 0);
}

#[test]
fn a_model_is_asked_by_those_who_say_so() {
    let stub = StubProvider::start(answers());
    let config =
        format!("routing: {{ fallback: [gpt] }}\nproviders: {{ gpt: {{ base_url: '{}' }} }}\n", stub.base_url());
    let ways = [
        (&["--provider", "gpt"][..], "--provider says so"),
        (&["--connector", "own.yaml"], "options.provider of the connector says so"),
        (&["--config", "runtime.yaml"], "routing.fallback of runtime.yaml"),
        (&["--connector", "offline.yaml", "--provider", "gpt"], "--provider says so"),
    ];
    for (calls, (way, why)) in ways.iter().enumerate() {
        let demo = Demo::new().with_gpt(&stub).tickets(1).file("own.yaml", &connector("provider: gpt"));
        let demo = demo.file("runtime.yaml", &config).file("offline.yaml", &connector("provider: offline"));
        let ended = demo.run(&[&["--json", "--input", "-"], *way].concat());
        ended.ends_with(0);
        assert_eq!((ended.count("results"), &ended.json()["providers"]), (1, &json!(["gpt"])));
        ended.says("err", &[why, "gpt (model gpt-4.1", "costs money"]);
        assert_eq!(stub.calls(), calls as u64 + 1);
    }
}

#[test]
fn a_provider_that_cannot_be_asked_is_wrong_use() {
    let demo = Demo::new().tickets(1).file("own.yaml", &connector("provider: claude"));
    let no_key = demo.run(&["--input", "-", "--provider", "gpt"]);
    no_key.ends_with(2);
    no_key.says("err", &["gpt", "OPENAI_API_KEY is not set"]);
    let no_key = demo.run(&["--input", "-", "--connector", "own.yaml"]);
    no_key.ends_with(2);
    no_key.says("err", &["claude", "ANTHROPIC_API_KEY is not set"]);
    let unknown = demo.run(&["--input", "-", "--provider", "gtp"]);
    unknown.ends_with(2);
    unknown.says("err", &["`gtp`", "did you mean `gpt`"]);
}

#[test]
fn what_waiting_cannot_mend_ends_at_once_with_the_reason() {
    let refusals = [
        (Fault::error(401, "invalid_request_error", Some("invalid_api_key")), "provider_unauthorized", "HTTP 401"),
        (Fault::error(404, "invalid_request_error", Some("model_not_found")), "provider_unauthorized", "HTTP 404"),
        (Fault::error(429, "insufficient_quota", Some("insufficient_quota")), "provider_quota_exhausted", "HTTP 429"),
        (Fault::error(402, "billing_error", None), "provider_quota_exhausted", "HTTP 402"),
    ];
    for (fault, code, status) in refusals {
        let stub = StubProvider::start(answers().fault(When::Every(1), fault));
        let ended = Demo::new().with_gpt(&stub).tickets(3).run(&["--input", "-", "--provider", "gpt"]);
        ended.ends_with(1);
        ended.says("err", &[code, status, "3 of 3 records have no outcome", "waiting does not change that"]);
        ended.says("out", &[code, "INCOMPLETE"]);
        assert!(!ended.out.contains("NEXT"), "{}", ended.out);
        assert!(!ended.err.contains("sk-test"), "{}", ended.err);
        assert!(ended.took < SOON, "{:?}", ended.took);
    }
}

#[test]
fn another_provider_that_answers_is_waited_for() {
    let stub = StubProvider::start(answers().fault(When::Call(1), Fault::error(401, "authentication_error", None)));
    let config = format!(
        "routing: {{ fallback: [one, other], strategy: priority }}\nproviders:\n  \
         one: {{ kind: openai, model: m, base_url: '{url}', api_key_env: null }}\n  \
         other: {{ kind: openai, model: m, base_url: '{url}', api_key_env: null }}\n",
        url = stub.base_url()
    );
    let ended = Demo::new().tickets(3).file("r.yaml", &config).run(&["--json", "--input", "-", "--config", "r.yaml"]);
    ended.ends_with(0);
    assert_eq!(ended.count("results"), 3);
    ended.says("err", &["one: provider_unauthorized"]);
}

#[test]
fn a_pause_that_a_provider_asks_for_is_said_and_waited_for() {
    let limited = Fault::error(429, "rate_limit_error", None).with("retry-after", "3");
    let stub = StubProvider::start(answers().fault(When::Call(1), limited));
    let ended = Demo::new().with_gpt(&stub).tickets(1).run(&["--json", "--input", "-", "--provider", "gpt"]);
    ended.ends_with(0);
    ended.says("err", &["gpt: provider_rate_limited", "HTTP 429", "asked again in ", "may be asked again"]);
}

#[test]
fn a_slow_model_is_waited_for_and_shown() {
    let stub = StubProvider::start(answers().latency(Latency::Fixed(Duration::from_secs(9))));
    let ended = Demo::new().with_gpt(&stub).tickets(2).run(&["--json", "--input", "-", "--provider", "gpt"]);
    ended.ends_with(0);
    assert_eq!(ended.count("results"), 2);
    ended.says("err", &["2 of 2 received, 2 asked, 0 answered, 0 finished, oldest call "]);
    assert!(!ended.err.contains(['\r', '\u{1b}']), "{:?}", ended.err);
}

#[test]
fn a_provider_that_hangs_ends_with_the_timeout_and_what_was_waited_for() {
    let stub = StubProvider::start(answers().fault(When::Every(1), Fault::Hang));
    let demo = Demo::new().with_gpt(&stub).tickets(2).setting("STRUCTURED_PROMPT_PROVIDERS__GPT__TIMEOUT", "10m");
    let ended = demo.run(&["--json", "--input", "-", "--provider", "gpt", "--timeout", "25s"]);
    ended.ends_with(1);
    let gave_up = ended.json()["gave_up"].as_str().expect("why").to_owned();
    for part in ["25 s (--timeout)", "2 of 2 records have no outcome", "gpt: 2 calls are open, the oldest for "] {
        assert!(gave_up.contains(part), "no {part:?} in {gave_up}");
    }
    assert_eq!((ended.count("lost"), ended.count("results")), (2, 0));
    assert!(ended.took < SOON, "{:?}", ended.took);
    let wrong = Demo::new().run(&["--timeout", "30"]);
    wrong.ends_with(2);
    wrong.says("err", &["without a unit", "5m"]);
}

#[test]
fn nobody_at_the_address_is_said_while_it_waits() {
    let stub = StubProvider::start(answers());
    let demo = Demo::new().with_gpt(&stub).tickets(1);
    drop(stub);
    let ended = demo.run(&["--json", "--input", "-", "--provider", "gpt", "--timeout", "2m"]);
    ended.ends_with(1);
    ended.says("err", &["gpt: provider_unavailable", "asked again in", "gave up: nobody can answer"]);
}

#[test]
fn nothing_to_do_is_said_and_done_at_once() {
    for stdin in ["", "\n", " \n\t\n\r\n"] {
        let mut demo = Demo::new();
        demo.stdin = stdin.into();
        let ended = demo.run(&["--input", "-"]);
        ended.ends_with(0);
        ended.says("out", &["nothing to do: standard input has no records"]);
        let ended = demo.run(&["--input", "-", "--json", "--results", "results.jsonl"]);
        ended.ends_with(0);
        assert_eq!((ended.count("received"), ended.count("results"), ended.count("lost")), (0, 0, 0));
        let results = std::fs::read_to_string(demo.directory.path().join("results.jsonl")).expect("a file");
        assert_eq!(results, "");
    }
    let demo = Demo::new().file("empty.jsonl", "\n\n");
    demo.run(&["--input", "empty.jsonl"]).says("out", &["nothing to do: empty.jsonl"]);
    for args in [["--input", "gone.jsonl"], ["--connector", "gone.jsonl"], ["--config", "gone.jsonl"]] {
        let missing = demo.run(&args);
        missing.ends_with(2);
        missing.says("err", &["gone.jsonl"]);
    }
    let unwritable = demo.run(&["--input", "empty.jsonl", "--results", "no/such/directory"]);
    unwritable.ends_with(2);
    unwritable.says("err", &["no/such/directory"]);
}

#[test]
fn events_that_have_an_outcome_are_accounted_for() {
    let deduplicating = connector("temperature: 0") + "delivery: { deduplicate: 1h }\n";
    let mut demo = Demo::new().file("own.yaml", &deduplicating);
    // The same event three times, the same identity with another body, and one that is no event, twice.
    let other = tickets(1).replace("number 0", "number zero");
    demo.stdin = format!("{}{}{}{other}nothing\nnothing\n", tickets(2), tickets(1), tickets(1)).into_bytes();
    let ended = demo.run(&["--json", "--input", "-", "--connector", "own.yaml"]);
    ended.ends_with(0);
    let counts = ["received", "results", "dead_letters", "repeats", "lost"].map(|name| ended.count(name));
    let conflicts = ended.json()["dead_letters_by_code"]["id_conflict"].as_u64();
    // They are in different partitions, so that either body may be received first.
    let either = [([7, 2, 3, 2, 0], Some(1)), ([7, 2, 5, 0, 0], Some(3))];
    assert!(either.contains(&(counts, conflicts)), "{}", ended.out);
}

#[test]
fn own_records_are_shown_beside_their_results_with_a_letter_of_each_code() {
    let mut demo = Demo::new().file("own.yaml", &format!("\u{feff}{}", connector("temperature: 0")));
    let mark = '\u{feff}';
    demo.stdin = format!("{mark}{}not json\n{{\"a\":1}}\nnot json either\n", tickets(5)).into_bytes();
    let ended = demo.run(&["--input", "-", "--connector", "own.yaml"]);
    ended.ends_with(0);
    ended.says(
        "out",
        &["source  own", "answered by offline", "Please cancel plan number", "\"intent\": \"cancellation\""],
    );
    ended.says("out", &["ce_confighash", "8 in = 5 results + 3 dead letters", "demo --connector own.yaml --input -"]);
    assert_eq!(ended.out.matches("sp-error-detail").count(), 2, "{}", ended.out);
    assert!(!ended.out.contains(['\r', '\u{1b}']) && !ended.out.contains("SIGKILL"), "{}", ended.out);
}

#[test]
fn a_show_that_is_cut_short_says_so_and_leaves_nothing_running() {
    let ended = Demo::new().run(&["--timeout", "1s"]);
    ended.ends_with(1);
    ended.says("out", &["INCOMPLETE", "1.0 s (--timeout)", "connector support-triage: "]);
    assert!(!ended.out.contains("SIGKILL") && !ended.err.contains("ERROR"), "{}\n{}", ended.out, ended.err);
}

#[test]
fn the_show_convinces_step_by_step() {
    let demo = Demo::new();
    let ended = demo.run(&[]);
    ended.ends_with(0);
    let steps = ["\n1  ", "\n2  ", "\n3  ", "\n4  ", "\n5  ", "\n6  ", "\n7  "];
    let places: Vec<_> = steps.iter().map(|step| ended.out.find(step).expect("each step")).collect();
    assert!(places.is_sorted(), "{}", ended.out);
    let step = |number: usize| &ended.out[places[number - 1]..places.get(number).copied().unwrap_or(ended.out.len())];
    for (number, part) in [
        (1, "source  support.tickets"),
        (2, "maria.ortega@example.com"),
        (2, "\"order_id\": \"48213\""),
        (2, "ce_causationid       tkt-10023"),
        (2, "/customer_email      exact       /body"),
        (3, "Scripted"),
        (3, "answer_invalid"),
        (3, "/intent"),
        (3, "correct "),
        (4, "sp-error-code        missing_attribute"),
        (4, "tkt-10074"),
        (5, "from the cache"),
        (5, "flagged low-confidence"),
        (5, "every record has its outcome"),
        (6, "SIGKILL"),
        (6, "0  of 24 tickets lost"),
        (7, "--input my.jsonl --provider gpt"),
    ] {
        assert!(step(number).contains(part), "step {number} lacks {part:?}:\n{}", ended.out);
    }
    assert!(!ended.out.contains(['\r', '\u{1b}']) && !ended.err.contains(['\r', '\u{1b}']), "{:?}", ended.err);
    let wide = step(2).lines().chain(step(3).lines()).filter(|line| line.chars().count() > 100);
    assert_eq!(wide.count(), 0, "{}", ended.out);

    // What it says to type next works as it stands there.
    let echo = step(7).lines().find(|line| line.contains("echo ")).expect("an event").trim();
    let next = step(7).lines().find(|line| line.ends_with("demo --input my.jsonl")).expect("a command").trim();
    let typed = Command::new("/bin/sh")
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .args(["-ec", &format!("{echo}\n{next}")])
        .current_dir(demo.directory.path())
        .output()
        .expect("a shell");
    let out = String::from_utf8_lossy(&typed.stdout);
    assert!(typed.status.success() && out.contains("1 in = 1 results + 0 dead letters"), "{out}");
}
