use std::fs;

use super::*;

fn lint(directory: &Path, paths: &[&str]) -> (Exit, String) {
    lint_with(directory, paths, &Environment::default())
}

fn lint_with(directory: &Path, paths: &[&str], environment: &Environment) -> (Exit, String) {
    let mut out = Vec::new();
    let args = Args { paths: paths.iter().map(PathBuf::from).collect() };
    let exit = run(&args, directory, environment, &mut out).unwrap();
    (exit, String::from_utf8(out).unwrap())
}

#[test]
fn what_we_ship_has_no_findings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (exit, out) = lint(root, &["config/structured-prompt.yaml", "connectors"]);
    assert_eq!(exit, Exit::Done);
    let (notes, end) = out.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(end, "3 files, no findings", "the configuration, a connector and its tests");
    let notes: Vec<&str> = notes.lines().collect();
    assert_eq!(notes.len(), 3, "one for each provider that may be asked: {out}");
    assert!(notes[0].contains("note: gemini does not enforce /properties/summary/minLength, "), "{out}");
}

#[test]
fn findings_are_printed_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.yaml"), "name: a\n").unwrap();
    fs::write(directory.path().join("b.yaml"), "hello: 1\n").unwrap();
    fs::write(directory.path().join("c.yaml"), "providers: { gpt: { modle: x } }\n").unwrap();
    let (exit, out) = lint(directory.path(), &["."]);
    assert_eq!(exit, Exit::Failed);
    assert!(out.contains("source.kafka.topics: is missing"), "{out}");
    assert!(out.contains("neither a connector nor a runtime configuration"), "{out}");
    assert!(out.contains("did you mean `model`?"), "{out}");
    assert!(out.ends_with("6 findings in 3 files\n"), "{out}");
}

#[test]
fn tests_of_a_connector_are_checked_too_and_are_no_connectors() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("c.yaml", include_str!("../../../connectors/support-triage.yaml"));
    write("c_test.yaml", "tests: [{ name: a, event: {}, expcet: {}, expect: { review: true } }]\n");
    for path in [".", "c_test.yaml"] {
        let (exit, out) = lint(directory.path(), &[path]);
        assert_eq!(exit, Exit::Failed);
        assert!(out.contains("c_test.yaml:1:") && out.contains("did you mean `expect`?"), "{out}");
        assert!(out.ends_with("1 finding in 1 file\n"), "{out}");
    }
}

#[test]
fn what_the_environment_says_is_checked_with_the_file_and_without_one() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("r.yaml"), "http: { listen: '127.0.0.1:0' }\n").unwrap();
    let valid = CONNECTOR
        .replace("[sentimnt]", "[sentiment]")
        .replace("maxLenght", "maxLength")
        .replace("maximum: 1", "maximum: 9");
    fs::write(directory.path().join("c.yaml"), valid).unwrap();
    for file in ["r.yaml", "c.yaml"] {
        let check = |name, value| lint_with(directory.path(), &[file], &[(name, value)].into_iter().collect());
        assert_eq!(check("STRUCTURED_PROMPT_HTTP__TIMEOUT", "20s").0, Exit::Done);
        let (exit, out) = check("STRUCTURED_PROMPT_HTTP__TIMEOUT", "canary");
        assert!(exit == Exit::Failed && out.contains("STRUCTURED_PROMPT_HTTP__TIMEOUT: http.timeout: "), "{out}");
        assert!(out.ends_with("1 finding in the environment\n") && !out.contains("canary"), "{out}");
        let (exit, out) = check("STRUCTURED_PROMPT_HTTP__TIMEUOT", "20s");
        assert!(exit == Exit::Failed && out.contains("did you mean `timeout`?"), "{out}");
        let (exit, out) = check("STRUCTURED_PROMPT_HTTP_TIMEOUT", "20s");
        assert!(exit == Exit::Done && out.contains("did you mean STRUCTURED_PROMPT_HTTP__TIMEOUT?"), "{out}");
    }
}

#[test]
fn a_place_where_the_audit_file_cannot_be_is_a_finding() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("logs")).unwrap();
    let check = |path: &str| {
        fs::write(directory.path().join("r.yaml"), format!("audit: {{ file: {path} }}\n")).unwrap();
        lint(directory.path(), &["r.yaml"])
    };
    assert_eq!(check("logs/audit.jsonl").0, Exit::Done);
    assert!(!directory.path().join("logs/audit.jsonl").exists(), "it only looks");
    let (exit, out) = check("log/audit.jsonl");
    assert!(exit == Exit::Failed && out.contains("r.yaml:1:16: audit.file: there is no directory "), "{out}");
    let (exit, out) = check("logs");
    assert!(exit == Exit::Failed && out.contains("logs is a directory"), "{out}");
}

#[test]
fn a_path_that_does_not_exist_is_wrong_use() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(lint(directory.path(), &[]).0, Exit::WrongUse);
    let (exit, out) = lint(directory.path(), &["nowhere.yaml"]);
    assert!(exit == Exit::WrongUse && out.contains("nowhere.yaml: there is no such file"), "{out}");
}

#[test]
fn a_name_that_only_the_store_can_have_is_a_note_with_the_nearest_name() {
    let directory = tempfile::tempdir().unwrap();
    let connector = CONNECTOR
        .split("schema:")
        .next()
        .unwrap()
        .replace("prompt: { inline: 'Sort: {{ data }}' }", "prompt: { template: invioce }");
    let rest = "schema: order@1\nsink: { kafka: { topic: out } }\ndead_letter: { kafka: { topic: dlq } }\n";
    fs::write(directory.path().join("c.yaml"), format!("{connector}{rest}")).unwrap();
    let (exit, out) = lint(directory.path(), &["c.yaml"]);
    assert_eq!(exit, Exit::Done, "{out}");
    let note =
        "note: prompt.template: no template invioce is built in, so it must be in the store; did you mean `invoice`?";
    assert!(out.contains(note), "{out}");
    assert!(out.contains("note: schema: no schema order@1 is built in, so it must be in the store\n"), "{out}");
    fs::write(directory.path().join("r.yaml"), "store: { url: none }\n").unwrap();
    let (exit, out) = lint(directory.path(), &["."]);
    assert!(exit == Exit::Failed && out.contains("there is no schema `order@1`"), "{out}");
}

const CONNECTOR: &str = "name: reviews
source: { kafka: { topics: [in] } }
prompt: { inline: 'Sort: {{ data }}' }
schema:
  inline:
    type: object
    additionalProperties: false
    required: [sentimnt]
    properties:
      sentiment: { enum: [good, bad] }
      note: { type: string, maxLenght: 20 }
      stars: { type: integer, minimum: 5, maximum: 1 }
sink: { kafka: { topic: out } }
dead_letter: { kafka: { topic: dlq } }
";

#[test]
fn a_schema_that_costs_money_is_a_finding_at_its_line_and_run_takes_it() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("c.yaml"), CONNECTOR).unwrap();
    let (exit, out) = lint(directory.path(), &["c.yaml"]);
    assert_eq!(exit, Exit::Failed, "{out}");
    for part in [
        "c.yaml:8:16: schema.inline: /required/0: no answer can have the required property `sentimnt`",
        "did you mean `sentiment`?",
        "c.yaml:11:29: schema.inline: /properties/note/maxLenght: JSON Schema has no keyword `maxLenght`",
        "did you mean `maxLength`?",
        "c.yaml:12:31: schema.inline: /properties/stars/minimum: minimum and maximum exclude each other",
        "3 findings in 1 file",
    ] {
        assert!(out.contains(part), "{part}\nis not in\n{out}");
    }
    let defaults = crate::config::connector::RuntimeDefaults::default();
    let read = crate::config::connector::load_connectors(&[directory.path().join("c.yaml")], &defaults);
    assert!(read.is_ok(), "{read:?}");
    let schema = r#"{"type": "object", "properties": {
        "a": {"type": "string", "colour": 1, "minLength": 3, "maxLength": 2}}}"#;
    let inline = CONNECTOR.split_once("  inline:\n").unwrap().0.to_owned()
        + "  file: s.json\n"
        + &CONNECTOR[CONNECTOR.find("sink:").unwrap()..];
    fs::write(directory.path().join("c.yaml"), inline).unwrap();
    fs::write(directory.path().join("s.json"), schema).unwrap();
    let (exit, out) = lint(directory.path(), &["c.yaml"]);
    assert_eq!(exit, Exit::Failed, "{out}");
    assert!(out.contains("s.json:2:46: schema.file: /properties/a/minLength: "), "{out}");
    assert!(out.contains("s.json:2:33: note: schema.file: /properties/a/colour: "), "{out}");
}

#[test]
fn a_runtime_file_may_have_any_one_section() {
    let directory = tempfile::tempdir().unwrap();
    for text in
        ["store: { url: none }", "http: { listen: '127.0.0.1:0' }", "log: { format: json }", "llm: { record: x }"]
    {
        fs::write(directory.path().join("r.yaml"), text).unwrap();
        let (exit, out) = lint(directory.path(), &["r.yaml"]);
        assert_eq!((exit, out.as_str()), (Exit::Done, "1 file, no findings\n"), "{text}");
    }
}

#[test]
fn notes_are_for_providers_that_can_be_asked() {
    let directory = tempfile::tempdir().unwrap();
    let connector = |options: &str| {
        CONNECTOR
            .replace("[sentimnt]", "[sentiment]")
            .replace("maxLenght", "maxLength")
            .replace("maximum: 1", "maximum: 9")
            + options
    };
    let notes = |options: &str, variables: &[(&str, &str)]| {
        fs::write(directory.path().join("c.yaml"), connector(options)).unwrap();
        let environment: Environment = variables.iter().copied().collect();
        let (exit, out) = lint_with(directory.path(), &["c.yaml"], &environment);
        assert_eq!(exit, Exit::Done, "{out}");
        ["claude", "gemini", "gpt"]
            .into_iter()
            .filter(|name| out.contains(&format!("note: {name} ")))
            .collect::<Vec<_>>()
    };
    // Nobody's notes without a runtime file: nothing is known of providers.
    assert_eq!(notes("", &[]), [] as [&str; 0]);
    fs::create_dir(directory.path().join("config")).unwrap();
    fs::write(directory.path().join("config/structured-prompt.yaml"), "routing: { fallback: [gemini, gpt] }").unwrap();
    assert_eq!(notes("", &[]), ["gemini", "gpt"], "which of them is not known");
    assert_eq!(notes("", &[("OPENAI_API_KEY", "k")]), ["gpt"]);
    assert_eq!(notes("", &[("ANTHROPIC_API_KEY", "k")]), ["gemini", "gpt"], "it is not in the routing");
    assert_eq!(notes("options: { provider: claude }\n", &[("OPENAI_API_KEY", "k")]), ["claude"]);
    assert_eq!(notes("options: { provider: offline }\n", &[]), [] as [&str; 0]);
}

#[test]
fn what_is_too_small_for_long_prompts_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let check = |options: &str, client: &str| {
        let valid = CONNECTOR
            .replace("[sentimnt]", "[sentiment]")
            .replace("maxLenght", "maxLength")
            .replace("maximum: 1", "maximum: 9");
        fs::write(directory.path().join("c.yaml"), format!("{valid}options: {{ provider: offline, {options} }}\n"))
            .unwrap();
        fs::write(directory.path().join("r.yaml"), format!("kafka: {{ client: {{ {client} }} }}")).unwrap();
        lint(directory.path(), &["."])
    };
    let long = "max_prompt_chars: 1000000, max_record_tokens: 1200000";
    let (exit, out) = check(long, "linger.ms: 5");
    assert_eq!(exit, Exit::Done, "{out}");
    assert!(out.contains("need max.message.bytes of at least 8065536, which is 1048588"), "{out}");
    assert!(out.contains("delivery.max_in_flight of 256 such events"), "{out}");
    for (client, wanted) in [
        ("message.max.bytes: 1000000", "kafka.client.message.max.bytes is 1000000"),
        (
            "receive.message.max.bytes: 2000000, fetch.max.bytes: 1000000",
            "set receive.message.max.bytes to at least 8065536",
        ),
        ("queue.buffering.max.kbytes: 1024", "set queue.buffering.max.kbytes to at least 7877"),
    ] {
        let (exit, out) = check(long, client);
        assert!(exit == Exit::Failed && out.contains(wanted), "{out}");
    }
    let (exit, out) = check("max_prompt_chars: 1000000", "linger.ms: 5");
    assert!(exit == Exit::Failed && out.contains("does not fit into max_record_tokens, which is 32768"), "{out}");
    assert!(out.contains("write for example max_record_tokens: 1012287"), "{out}");
    assert_eq!(check("max_prompt_chars: 1000001", "linger.ms: 5").0, Exit::Failed);
    assert_eq!(check("max_prompt_chars: 10000, max_record_tokens: 2000", "message.max.bytes: 1000000").0, Exit::Done);
}
