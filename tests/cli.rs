//! The commands as a user types them: what they print and how they exit.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "in a test they are assertions")]

use std::collections::HashSet;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn command(directory: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
    // A user without any settings: nothing of the machine that runs the tests may decide.
    command.args(args).current_dir(directory).env_clear();
    command
}

fn run(directory: &Path, args: &[&str]) -> Output {
    command(directory, args).output().expect("the binary")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a file");
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

#[test]
fn the_demo_accounts_for_every_example_event() {
    let directory = tempfile::tempdir().expect("a directory");
    let args = ["demo", "--json", "--results", "results.jsonl", "--dead-letters", "letters.jsonl"];
    let output = run(directory.path(), &args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let count = |name: &str| usize::try_from(summary[name].as_u64().expect("a count")).expect("a small count");
    assert!(count("received") >= 200);
    assert_eq!(count("received"), count("results") + count("dead_letters"));
    assert_eq!((count("lost"), count("repeated_outcomes"), &summary["gave_up"]), (0, 0, &Value::Null));
    let (kill, log) = (&summary["kill"], &summary["correction"]["attempt_log"]);
    assert_eq!((&kill["lost"], &kill["answered_calls_repeated"]), (&0.into(), &0.into()), "{kill}");
    assert_eq!(kill["repeated_outcomes"], kill["repeated_with_same_id"], "{kill}");
    assert!(kill["results_before"].as_u64() >= Some(8) && kill["open_calls"].as_u64() > Some(0), "{kill}");
    assert_eq!((&log[0]["error"], &log[0]["step"]), (&"answer_invalid".into(), &"ask".into()), "{log}");
    assert!(log.as_array().and_then(|log| log.last()).is_some_and(|last| last.get("error").is_none()), "{log}");
    assert!(count("cache_hits") >= 20, "{summary}");
    let codes = summary["dead_letters_by_code"].as_object().expect("codes");
    assert!(codes.len() >= 5, "{summary}");
    assert_eq!(codes.values().map(|n| n.as_u64().expect("a count")).sum::<u64>(), summary["dead_letters"]);

    let results = lines(&directory.path().join("results.jsonl"));
    assert_eq!(results.len(), count("results"));
    for result in &results {
        assert_eq!(result["specversion"], "1.0");
        assert_eq!(result["type"], "com.structuredprompt.result.v1");
        assert_eq!(result["provider"], "offline");
        assert!(result["data"]["intent"].is_string(), "{result}");
    }
    // A repeated event has the same result id: a reader can drop the repetition.
    let identity = |result: &Value| (result["causationsource"].to_string(), result["causationid"].to_string());
    let causes: HashSet<_> = results.iter().map(identity).collect();
    let ids: HashSet<_> = results.iter().map(|result| result["id"].to_string()).collect();
    assert_eq!(causes.len(), ids.len());
    assert!(ids.len() < results.len(), "the examples repeat no event");
    assert_eq!(lines(&directory.path().join("letters.jsonl")).len(), count("dead_letters"));
    let files = std::fs::read_dir(directory.path()).expect("a directory").count();
    assert_eq!(files, 2, "a demonstration leaves nothing behind but what was asked for");
}

#[test]
fn the_demo_takes_any_lines_and_loses_none() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut child = command(directory.path(), &["demo", "--json", "--input", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary");
    let good = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"body":"Please cancel my plan"}}"#;
    let mut input = format!("{good}\n\n   \nnot json\n{{\"a\":1}}\n[]\n").into_bytes();
    input.extend_from_slice(b"\xff\xfe\x00\n");
    input.extend_from_slice("[".repeat(100_000).as_bytes());
    child.stdin.take().expect("its input").write_all(&input).expect("room");
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success());
    let summary: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(
        (&summary["received"], &summary["results"], &summary["dead_letters"]),
        (&6.into(), &1.into(), &5.into())
    );
}

#[test]
fn a_wrong_configuration_stops_the_start_with_every_finding() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("a file");
    write("runtime.yaml", "kafka: { broker: [x] }\nhttp: { listen: nonsense }\n");
    write("a.yaml", "name: a\nsource: { kafka: { topics: [t] } }\nsink: { kafka: { topic: t } }\n");
    let output = run(directory.path(), &["run", "--config", "runtime.yaml", "--connectors", "a.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    let findings = text(&output.stderr);
    for part in ["kafka.broker", "did you mean `brokers`", "http.listen", "dead_letter", "prompt"] {
        assert!(findings.contains(part), "{part} is not in\n{findings}");
    }
}

#[test]
fn without_any_usable_provider_the_start_stops_and_names_the_variable() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("a.yaml"), include_str!("../connectors/support-triage.yaml")).expect("a file");
    let output = run(directory.path(), &["run", "--connectors", "a.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("OPENAI_API_KEY"), "{}", text(&output.stderr));
}

#[test]
fn a_client_option_that_librdkafka_refuses_stops_the_start() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("a file");
    write("runtime.yaml", "kafka: { client: { no.such.option: 1 } }\nrouting: { fallback: [offline] }\n");
    write("a.yaml", include_str!("../connectors/support-triage.yaml"));
    let output = run(directory.path(), &["run", "--config", "runtime.yaml", "--connectors", "a.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no.such.option"), "{}", text(&output.stderr));
}

#[test]
fn a_budget_that_cannot_pay_an_answer_of_the_second_provider_stops_the_start() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("a file");
    let price = "max_tokens: 1000, price: { input_per_1k: 0, output_per_1k: 2 }";
    let dear = format!("kind: openai, model: m, api_key_env: null, {price}");
    write("runtime.yaml", &format!("store: {{ url: none }}\nproviders: {{ dear: {{ {dear} }} }}\n"));
    write(
        "a.yaml",
        "name: a\nsource: { kafka: { topics: [in] } }\nprompt: { inline: Sort }\n\
         sink: { kafka: { topic: out } }\ndead_letter: { kafka: { topic: dlq } }\n\
         options: { provider: offline, budget: { usd: 1 }, agreement: { provider: dear, sample: 1% } }\n",
    );
    let output = run(directory.path(), &["run", "--config", "runtime.yaml", "--connectors", "a.yaml"]);
    let found = text(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{found}");
    assert!(found.contains("options.budget.usd: an answer of dear may cost 2 USD"), "{found}");
}

#[test]
fn wrong_use_exits_with_two_and_help_with_zero() {
    let directory = tempfile::tempdir().expect("a directory");
    assert_eq!(run(directory.path(), &["run", "--no-such-flag"]).status.code(), Some(2));
    assert_eq!(run(directory.path(), &["lint", "no-such-file.yaml"]).status.code(), Some(2));
    assert_eq!(run(directory.path(), &["demo", "--input", "no-such-file"]).status.code(), Some(2));
    assert_eq!(run(directory.path(), &["healthcheck", "--address", "127.0.0.1:9"]).status.code(), Some(1));
    for args in [&["--help"][..], &["run", "--help"], &["--version"]] {
        assert_eq!(run(directory.path(), args).status.code(), Some(0));
    }
}

#[test]
fn roles_that_leave_nothing_to_do_stop_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let of = |args: &[&str]| {
        let output = run(directory.path(), &[&["run"], args].concat());
        (output.status.code(), text(&output.stderr))
    };
    let (code, said) = of(&["--roles", "connectors"]);
    assert!(code == Some(2) && said.contains("there is no connector to run"), "{said}");
    let (code, said) = of(&["--roles", "api", "--connectors", "."]);
    assert!(code == Some(2) && said.contains("add the role connectors"), "{said}");
    let (code, said) = of(&["--roles", "api,workers"]);
    assert!(code == Some(2) && said.contains("[possible values: connectors, api]"), "{said}");
}

#[test]
fn the_openapi_document_is_printed_as_it_is_documented() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = run(directory.path(), &["openapi"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), include_str!("../docs/openapi.json"));
}

#[test]
fn what_is_built_in_can_be_listed_and_shown() {
    let directory = tempfile::tempdir().expect("a directory");
    let shown = |args: &[&str]| {
        let output = run(directory.path(), args);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    for (list, show) in [(["schema", "list"], ["schema", "show"]), (["template", "list"], ["template", "show"])] {
        let listed = shown(&list);
        assert!(listed.lines().count() >= 6, "{listed}");
        for line in listed.lines() {
            let (name, description) = line.split_once(' ').expect("a description");
            assert!(name.contains("@1.") && description.trim().len() > 20, "{line}");
            assert!(shown(&[show[0], show[1], name]).len() > 100);
        }
    }
    let page = shown(&["template", "show", "translation"]);
    for part in [
        "target_language  the language to translate into",
        "(required)",
        "schema: translation",
        "\"specversion\":\"1.0\"",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    let example: Value = serde_json::from_str(&shown(&["schema", "show", "invoice", "--example"])).expect("JSON");
    assert!(example["total"].is_number());
    assert_eq!(run(directory.path(), &["template", "show", "nothing"]).status.code(), Some(2));
    assert_eq!(run(directory.path(), &["schema", "show", "nothing", "--example"]).status.code(), Some(2));
}

#[test]
fn lint_fails_on_what_costs_money_and_takes_any_runtime_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("a file");
    let connector = |schema: &str| {
        format!(
            "name: a\nsource: {{ kafka: {{ topics: [t] }} }}\nprompt: {{ inline: '{{{{ data }}}}' }}\nschema: {{ inline: {schema} }}\n\
             sink: {{ kafka: {{ topic: u }} }}\ndead_letter: {{ kafka: {{ topic: v }} }}\n"
        )
    };
    let lint = |schema: &str| {
        write("a.yaml", &connector(schema));
        let output = run(directory.path(), &["lint", "a.yaml"]);
        (output.status.code(), text(&output.stdout))
    };
    let closed = "{ type: object, additionalProperties: false, required: [sentimnt], properties: { sentiment: { type: string } } }";
    let (code, out) = lint(closed);
    assert!(code == Some(1) && out.contains("did you mean `sentiment`?"), "{out}");
    let (code, out) = lint("{ type: object, properties: { a: { type: string, maxLenght: 3 } } }");
    assert!(code == Some(1) && out.contains("did you mean `maxLength`?"), "{out}");
    let (code, out) = lint("{ type: object, properties: { a: { type: integer, minimum: 3, maximum: 1 } } }");
    assert!(code == Some(1) && out.contains("minimum and maximum"), "{out}");
    let (code, out) = lint("{ type: object, properties: { a: { type: string, x-own: 3, example: b } } }");
    assert_eq!((code, out.as_str()), (Some(0), "1 file, no findings\n"));
    write("runtime.yaml", "store: { url: none }\n");
    assert_eq!(run(directory.path(), &["lint", "runtime.yaml"]).status.code(), Some(0));
}

/// A command with an SQLite file as its store.
fn on_file(directory: &Path, args: &[&str]) -> Output {
    command(directory, args).env("STRUCTURED_PROMPT_STORE__URL", "sqlite://store.db").output().expect("the binary")
}

#[test]
fn a_key_is_made_listed_and_revoked_without_a_service() {
    let directory = tempfile::tempdir().expect("a directory");
    let key = |args: &[&str]| on_file(directory.path(), &[&["key"][..], args].concat());
    let list = || text(&key(&["list"]).stdout);
    let ours = ["create", "--name", "ours", "--team", "sales", "--rate-limit", "50", "--expires-in", "90d"];
    let output = key(&ours);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mode = std::fs::metadata(directory.path().join("store.db")).expect("the database").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it is its owner's alone");
    let made = text(&output.stdout);
    let parts: Vec<&str> = made.trim_end().split('_').collect();
    assert!(parts.len() == 3 && parts[0] == "sk" && made.lines().count() == 1, "only the key is printed: {made}");
    let notes = text(&output.stderr);
    assert!(notes.contains("50 requests an hour") && !notes.contains(parts[2]), "{notes}");
    let other = text(&key(&["create", "--name", "mine"]).stdout);
    assert_ne!(other, made);

    let listed = list();
    let line = listed.lines().find(|line| line.starts_with(parts[1])).expect("a line of the key");
    for part in ["active", "50", "sales", "ours"] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    assert!(listed.lines().count() == 3 && !listed.contains(parts[2]), "{listed}");

    // As it is shown, or as the key begins.
    for id in [parts[1].to_owned(), format!("sk_{}", parts[1])] {
        let output = key(&["revoke", &id]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let is_second = id.starts_with("sk_");
        assert_eq!(text(&output.stderr).contains("nothing was changed"), is_second, "{}", text(&output.stderr));
    }
    assert!(list().lines().any(|line| line.starts_with(parts[1]) && line.contains("revoked")));
    assert!(list().lines().any(|line| line.contains("active") && line.contains("mine")));

    let (unknown, no_id) = (key(&["revoke", "00000000000"]), key(&["revoke", "nonsense"]));
    assert_eq!((unknown.status.code(), no_id.status.code()), (Some(1), Some(2)));
    assert!(text(&unknown.stderr).contains("key list"), "{}", text(&unknown.stderr));
    for wrong in [
        &["--name", "a", "--team", "no team"][..],
        &["--name", "a", "--rate-limit", "0"],
        &["--name", "a", "--rate-limit", "100000001"],
        &[],
    ] {
        assert_eq!(key(&[&["create"][..], wrong].concat()).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn keys_and_tables_need_a_database_and_say_so() {
    let directory = tempfile::tempdir().expect("a directory");
    let with = |url: &str, args: &[&str]| {
        command(directory.path(), args).env("STRUCTURED_PROMPT_STORE__URL", url).output().expect("the binary")
    };
    for url in ["none", "redis://127.0.0.1:9"] {
        let output = with(url, &["key", "list"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("postgres://"), "{}", text(&output.stderr));
        let output = with(url, &["migrate"]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("nothing to do"), "{}", text(&output.stdout));
    }
    let away = "postgres://nobody:canary@127.0.0.1:9/x";
    for args in [&["migrate"][..], &["key", "list"]] {
        let output = with(away, args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let why = text(&output.stderr);
        assert!(why.contains("127.0.0.1:9") && !why.contains("canary"), "{why}");
    }
}

#[test]
fn what_is_built_in_is_shown_without_a_store_and_beside_one_that_is_away() {
    let directory = tempfile::tempdir().expect("a directory");
    for kind in ["schema", "template"] {
        let output = run(directory.path(), &[kind, "list"]);
        assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("invoice@1.0.0"), "{}", text(&output.stdout));
        assert_eq!(std::fs::read_dir(directory.path()).expect("the directory").count(), 0, "no database was made");
        let away = |args: &[&str]| {
            let url = "postgres://nobody:canary@127.0.0.1:9/x";
            let mut command = command(directory.path(), &[&[kind][..], args].concat());
            let output = command.env("STRUCTURED_PROMPT_STORE__URL", url).output().expect("the binary");
            let why = text(&output.stderr);
            assert!(why.contains("127.0.0.1:9") && !why.contains("canary"), "{why}");
            (output.status.code(), text(&output.stdout).contains("invoice"))
        };
        assert_eq!(away(&["list"]), (Some(1), true), "the list is not whole");
        assert_eq!(away(&["show", "invoice"]), (Some(0), true));
        assert_eq!(away(&["show", "mine"]), (Some(1), false));
    }
}

#[test]
fn migrate_says_what_it_applied_and_then_that_there_is_nothing_to_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let migrate = || text(&on_file(directory.path(), &["migrate"]).stdout);
    let first = migrate();
    assert!(first.starts_with("sqlite store.db: applied 0001 journal\n"), "{first}");
    assert!(first.contains("applied 0002 api_keys\n") && first.lines().count() >= 8, "{first}");
    let second = migrate();
    assert!(second.contains("nothing to do") && second.lines().count() == 1, "{second}");
}
