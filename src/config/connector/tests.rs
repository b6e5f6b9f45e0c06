use std::fs;

use proptest::prelude::*;

use super::*;
use crate::pipeline::agreement::{AgreementSettings, Sample};
use crate::pipeline::spec::{EvidenceMode, UngroundedPolicy};

mod forms;
mod names;
mod schemas;

const SHIPPED: &str = include_str!("../../../connectors/support-triage.yaml");

fn defaults() -> RuntimeDefaults {
    let providers = BTreeMap::from([("gpt".to_owned(), Some("OPENAI_API_KEY".to_owned())), ("llama".to_owned(), None)]);
    RuntimeDefaults {
        cache_ttl: Duration::from_secs(7),
        has_store: true,
        providers: Some(providers),
        nobody_to_ask: None,
    }
}

/// Loads files that are given as name and text; findings without the directory.
fn load(files: &[(&str, &str)]) -> Result<Vec<ConnectorConfig>, String> {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let prefix = format!("{}/", directory.path().display());
    let loaded = load_connectors(&[directory.path().to_path_buf()], &defaults());
    loaded.map_err(|found| found.to_string().replace(&prefix, ""))
}

fn one(text: &str) -> ConnectorConfig {
    load(&[("c.yaml", text)]).unwrap().remove(0)
}

fn findings(text: &str) -> String {
    load(&[("c.yaml", text)]).expect_err("there should be findings")
}

fn connector(name: &str, source: &str, sink: &str, dead_letter: &str) -> String {
    format!(
        "name: {name}\nsource: {{ kafka: {{ topics: [{source}] }} }}\nprompt: {{ inline: Sort }}\n\
         sink: {{ kafka: {{ topic: {sink} }} }}\ndead_letter: {{ kafka: {{ topic: {dead_letter} }} }}\n"
    )
}

#[test]
fn files_of_tests_are_no_connectors() {
    let connector = connector("c", "a", "b", "d");
    assert_eq!(load(&[("c.yaml", &connector), ("c_test.yaml", "tests: []"), ("d_test.yml", "x: [")]).unwrap().len(), 1);
    assert!(load(&[("c_test.yaml", "tests: []")]).unwrap_err().contains("there is no connector"));
}

#[test]
fn the_connector_we_ship_loads() {
    let read = one(SHIPPED);
    assert_eq!(&*read.name, "support-triage");
    assert_eq!(&*read.topics.sink_topic, "support.triaged");
    assert_eq!(read.spec.cache.ttl, Duration::from_secs(3600));
    assert_eq!(read.config_hash.len(), 12);
    let plain = one(&connector("plain", "a", "b", "c"));
    assert_eq!((plain.topics.group.as_str(), plain.topics.max_in_flight), ("plain", 256));
    assert_eq!(plain.topics.consumers, 1);
    assert_eq!((plain.spec.cache.ttl, plain.spec.checks.max_prompt_chars), (Duration::from_secs(7), 10_000));
}

#[test]
fn every_key_is_documented() {
    let diagnostics = Diagnostics::new(None);
    for text in [SHIPPED, "schema: { inline: {} }"] {
        read(&diagnostics, Path::new("c.yaml"), &diagnostics.tree(text).unwrap(), &defaults());
    }
    let page = include_str!("../../../docs/configuration.md");
    let known = diagnostics.known();
    assert!(known.len() > 30, "{known:?}");
    for key in known {
        assert!(page.contains(&format!("| `{key}` |")), "docs/configuration.md does not describe {key}");
    }
}

#[test]
fn findings_come_at_once_and_point_at_their_lines() {
    let text = "name: Bad Name\nsource:\n  kafka: { topics: [ok, 'no good'], format: avro, topic: x }\nprompt:\n  inline: |\n    fine\n    {%% bad\n\
                schema:\n  inline:\n    type: object\n    properties:\n      amount:\n        type: nonsense\noptions: { provider: gpt, temperature: 3 }\n\
                delivery: { guarantee: exactly-twice, deduplicate: 24, max_in_flight: 0 }\nsink: { kafka: {} }\n";
    let found = findings(text);
    for part in [
        "c.yaml:1:7: name: `Bad Name` is not a valid name",
        "c.yaml:3:25: source.kafka.topics[1]: `no good` is not a valid topic name",
        "source.kafka.format: avro is not in this version yet",
        "source.kafka.topic: there is no such key\n    did you mean `topics`?",
        "c.yaml:7:1: prompt.inline: the template is not valid",
        "c.yaml:13:9: schema.inline: the schema is not valid at /properties/amount/type",
        "options.provider: the provider gpt cannot be used: OPENAI_API_KEY is not set",
        "options.temperature: expected a number from 0 to 2, found 3",
        "delivery.guarantee: `exactly-twice` is not one of the choices",
        "delivery.deduplicate: expected a duration",
        "delivery.max_in_flight: expected a whole number",
        "sink.kafka.topic: is missing",
        "dead_letter.kafka.topic: is missing",
    ] {
        assert!(found.contains(part), "{part}\nis not in\n{found}");
    }
}

#[test]
fn a_process_has_from_one_to_64_consumers_of_a_connector() {
    let base = connector("a", "s", "b", "c");
    let with = |consumers: &str| base.replace("topics: [s]", &format!("topics: [s], consumers: {consumers}"));
    for count in [1, 64] {
        assert_eq!(one(&with(&count.to_string())).topics.consumers, count);
    }
    for refused in ["0", "65", "-1", "1.5", "many"] {
        let found = findings(&with(refused));
        let expected = "source.kafka.consumers: expected a whole number from 1 to 64";
        assert!(found.contains(expected), "{refused}: {found}");
    }
}

/// A calibration that counts this field.
fn calibration_of(field: &str) -> String {
    let counted = r#"{"exact":{"p":0.9,"n":20,"low":0.7,"high":0.97}}"#;
    format!(
        r#"{{"format":1,"connector":"a","variant":"a","labels":20,"fields":{{"{field}":{counted}}},"all":{counted}}}"#
    )
}

#[test]
fn a_calibration_is_read_beside_the_connector_and_belongs_to_its_schema() {
    let schema = "schema: { inline: { type: object, properties: { intent: {}, order_id: {} } } }\n";
    let text = connector("a", "a", "b", "c") + schema + "options: { calibration: counted.json }\n";
    let with = |file: &str| load(&[("c.yaml", &text), ("counted.json", file)]).map(|mut read| read.remove(0));
    let read = with(&calibration_of("/intent")).unwrap();
    assert_eq!(read.spec.calibration.as_ref().map(|counted| counted.labels), Some(20));
    let other = with(&calibration_of("/order_id")).unwrap();
    assert_ne!(read.config_hash, other.config_hash, "results say something else");
    for (file, message) in [
        (calibration_of("/no_such_field"), "options.calibration: the calibration was made for another schema"),
        ("{}".to_owned(), "counted.json: it is no calibration: missing field"),
    ] {
        let found = with(&file).unwrap_err();
        assert!(found.contains(message) && found.contains("eval --calibration"), "{found}");
    }
    let missing = load(&[("c.yaml", &text)]).unwrap_err();
    assert!(missing.contains("options.calibration: counted.json cannot be read"), "{missing}");
    let off = text.replace("{ calibration", "{ evidence: off, calibration");
    let found = load(&[("c.yaml", &off), ("counted.json", &calibration_of("/intent"))]).unwrap_err();
    assert!(found.contains("options.calibration: nothing is looked for"), "{found}");
}

#[test]
fn a_calibration_is_not_held_against_a_built_in_schema_where_a_store_may_have_another_of_its_name() {
    let text = connector("a", "a", "b", "c") + "schema: invoice\noptions: { calibration: counted.json }\n";
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("counted.json"), calibration_of("/cost_centre")).unwrap();
    let with = |has_store| {
        let defaults = RuntimeDefaults { has_store, ..RuntimeDefaults::default() };
        read_text(&directory.path().join("c.yaml"), &text, &defaults).map_err(|findings| findings.to_string())
    };
    assert!(with(true).is_ok());
    assert!(with(false).unwrap_err().contains("invoice has no /cost_centre"));
}

#[test]
fn an_answer_must_fit_into_the_records_ceiling() {
    let with = |options: &str| connector("a", "a", "b", "c") + &format!("options: {{ {options} }}\n");
    for refused in ["max_tokens: 40000", "max_tokens: 500, max_record_tokens: 500"] {
        let found = findings(&with(refused));
        assert!(found.contains("options.max_tokens: no call fits into max_record_tokens"), "{found}");
    }
    one(&with("max_tokens: 40000, max_record_tokens: 100000"));
}

#[test]
fn evidence_is_on_and_what_is_done_without_it_is_for_the_user_to_say() {
    let with = |options: &str| connector("a", "a", "b", "c") + &format!("options: {{ {options} }}\n");
    let checks = |options: &str| one(&with(options)).spec.checks;
    assert_eq!(checks("temperature: 0").evidence, EvidenceMode::Locate);
    assert_eq!(checks("temperature: 0").on_ungrounded, UngroundedPolicy::Flag);
    assert_eq!(checks("evidence: off").evidence, EvidenceMode::Off);
    assert_eq!(checks("evidence: quote").evidence, EvidenceMode::Quote);
    assert_eq!(checks("on_ungrounded: null").on_ungrounded, UngroundedPolicy::Null);
    let found = findings(&with("evidence: off, on_ungrounded: dead-letter"));
    assert!(found.contains("options.on_ungrounded: nothing is looked for"), "{found}");
}

#[test]
fn who_asks_for_reviews_names_a_topic_for_them() {
    const REVIEW: &str = "review: { kafka: { topic: r } }\n";
    let with = |extra: &str| connector("a", "s", "b", "c") + extra;
    assert_eq!(one(&with("")).topics.review_topic, None);
    let asking = one(&with(&format!("{REVIEW}options: {{ on_low_confidence: review }}\n")));
    assert_eq!(asking.topics.review_topic.as_deref(), Some("r"));
    let both = "options: { on_ungrounded: review, on_low_confidence: review }\n";
    for (wrong, messages) in [
        (both.to_owned(), ["options.on_ungrounded: there is no topic", "options.on_low_confidence: there is no topic"]),
        (
            format!("review: {{}}\n{both}"),
            ["review.kafka.topic: is missing", "options.on_ungrounded: there is no topic"],
        ),
        (REVIEW.replace(": r", ": b") + both, ["b is the sink and the review topic", "use two topics"]),
        (REVIEW.replace(": r", ": c") + both, ["c is the dead letter topic and the review topic", "use two topics"]),
        (REVIEW.replace(": r", ": s") + both, ["events would go round in circles: s → [a] → s", "review.kafka.topic"]),
    ] {
        let found = findings(&with(&wrong));
        assert!(messages.iter().all(|message| found.contains(message)), "{messages:?}\n{found}");
    }
}

#[test]
fn a_schema_that_asks_for_reviews_wants_a_topic_for_them() {
    let asking = |place: &str| connector("a", "s", "b", "c") + &format!("schema: {{ inline: {place} }}\n");
    for (place, is_asking) in [
        ("{ type: object, properties: { n: { type: [string, 'null'], x-on-ungrounded: review } } }", true),
        (
            "{ type: object, properties: { l: { type: array, items: { $ref: '#/$defs/d' } } }, $defs: { d: { type: string, x-on-ungrounded: review } } }",
            true,
        ),
        ("{ type: object, additionalProperties: { type: string, x-on-ungrounded: review } }", true),
        ("{ type: object, properties: { n: { type: string, x-on-ungrounded: flag, const: review } } }", false),
    ] {
        let found = load(&[("c.yaml", &asking(place))]).err().unwrap_or_default();
        assert_eq!(found.contains("schema: the schema asks for results to review"), is_asking, "{place}\n{found}");
        let with_topic = asking(place) + "review: { kafka: { topic: r } }\n";
        assert!(load(&[("c.yaml", &with_topic)]).is_ok(), "{place}");
    }
}

#[test]
fn results_of_one_connector_for_review_are_kept_apart_from_all_others() {
    let reviewed = |name: &str, source: &str, review: &str| {
        connector(name, source, &format!("{name}-out"), "c") + &format!("review: {{ kafka: {{ topic: {review} }} }}\n")
    };
    let together = |[one, other]: [String; 2]| load(&[("0.yaml", &one), ("1.yaml", &other)]).err().unwrap_or_default();
    assert_eq!(together([reviewed("a", "s", "a-doubts"), reviewed("b", "s", "b-doubts")]), "");
    let shared = together([reviewed("a", "s", "doubts"), reviewed("b", "s", "doubts")]);
    assert!(shared.contains("review.kafka.topic: doubts is also written by b"), "{shared}");
    let target = together([reviewed("a", "s", "b-out"), connector("b", "s", "b-out", "c")]);
    assert!(target.contains("b-out is also written by b"), "{target}");
    let group = together([reviewed("claims", "s", "doubts"), connector("claims-review", "s", "b", "c")]);
    assert!(group.contains("the group claims-review of claims-review is where decisions"), "{group}");
}

#[test]
fn a_second_provider_is_asked_about_a_sample_or_about_answers_without_ground() {
    let with = |options: &str| connector("a", "a", "b", "c") + &format!("options: {{ {options} }}\n");
    assert_eq!(one(&with("temperature: 0")).agreement, None);
    let agreement = one(&with("agreement: { sample: 5%, provider: llama, when: ungrounded }")).agreement.unwrap();
    let settings = AgreementSettings { sample: Some(Sample::millionths(50_000)), when_ungrounded: true };
    assert_eq!(agreement, ConnectorAgreement { provider: "llama".to_owned(), settings });
    for (wrong, message) in [
        ("agreement: {}", "options.agreement.provider: is missing"),
        ("agreement: { provider: llama }", "options.agreement: nothing says which answers are compared"),
        ("agreement: { provider: lama, sample: 5% }", "did you mean `llama`?"),
        ("agreement: { provider: gpt, sample: 5% }", "options.agreement.provider: the provider gpt cannot be used"),
        ("agreement: { provider: llama, sample: 0.05 }", "options.agreement.sample: expected a percentage"),
        ("agreement: { provider: llama, sample: 0% }", "options.agreement.sample: expected more than 0%"),
        ("agreement: { provider: llama, when: always }", "options.agreement.when: `always` is not one of the choices"),
        ("agreement: 5%", "options.agreement: expected a mapping"),
        ("provider: llama, agreement: { provider: llama, sample: 5% }", "llama is the provider that is asked first"),
        ("evidence: off, agreement: { provider: llama, when: ungrounded }", "nothing is looked for: evidence is off"),
    ] {
        let found = findings(&with(wrong));
        assert!(found.contains(message), "{wrong}: {found}");
    }
}

#[test]
fn files_are_relative_to_the_connector() {
    let base = connector("a", "a", "b", "c").replace("inline: Sort", "file: p.txt") + "schema: { file: s.json }\n";
    assert_eq!(load(&[("c.yaml", &base), ("p.txt", "Sort"), ("s.json", "{\"type\": \"object\"}")]).unwrap().len(), 1);
    let found = load(&[
        ("c.yaml", &base),
        ("p.txt", "x\n{%%"),
        ("s.json", "{\"type\": \"object\", \"properties\": {\n\"a\": {\"type\": \"nonsense\"}}}"),
    ])
    .unwrap_err();
    assert!(found.contains("p.txt:2:1: prompt.file: the template is not valid"), "{found}");
    assert!(found.contains("s.json:2:7: schema.file: the schema is not valid at /properties/a/type"), "{found}");
}

#[test]
fn circles_are_found_and_shown() {
    let load = |files: &[String]| {
        let files: Vec<_> = files.iter().enumerate().map(|(i, text)| (format!("{i}.yaml"), text.as_str())).collect();
        load(&files.iter().map(|(name, text)| (name.as_str(), *text)).collect::<Vec<_>>())
    };
    let own = load(&[connector("a", "t", "t", "d")]).unwrap_err();
    assert!(own.contains("0.yaml:4:25: sink.kafka.topic: events would go round in circles: t → [a] → t"), "{own}");
    let three = load(&[
        connector("a", "1", "2", "x").replace("[1]", "['1']").replace(": 2 ", ": '2' "),
        connector("b", "'2'", "'3'", "y"),
        connector("c", "'3'", "z", "'1'"),
    ])
    .unwrap_err();
    assert!(three.contains("1 → [a] → 2 → [b] → 3 → [c] → 1"), "{three}");
    assert_eq!(three.matches("circles").count(), 1, "{three}");
    assert!(load(&[connector("a", "t", "u", "d"), connector("b", "d", "v", "w")]).is_ok());
    let same = load(&[connector("a", "t", "u", "u"), connector("a", "x", "y", "z")]).unwrap_err();
    assert!(same.contains("u is the sink and the dead letter topic"), "{same}");
    assert!(same.contains("1.yaml:1:7: name: the name a is taken by 0.yaml:1:7"), "{same}");
}

#[test]
fn the_hash_is_of_the_meaning() {
    let hash = |text: &str| one(text).config_hash;
    let base = connector("a", "s", "b", "c");
    let same = format!("# comment\ndelivery: {{ ordering: partition }}\n{base}");
    assert_eq!(hash(&base), hash(&same));
    let scaled = base.replace("topics: [s]", "topics: [s], consumers: 8");
    assert_eq!(hash(&base), hash(&scaled), "how many work changes no outcome");
    for other in [
        base.replace("Sort", "Sort it"),
        base.replace("topic: b", "topic: e"),
        format!("{base}options: {{ cache_ttl: 1s }}"),
        format!("{base}options: {{ evidence: off }}"),
        format!("{base}options: {{ on_ungrounded: dead-letter }}"),
        format!("{base}options: {{ on_ungrounded: review }}\nreview: {{ kafka: {{ topic: r }} }}"),
        format!("{base}options: {{ agreement: {{ provider: llama, sample: 5% }} }}"),
    ] {
        assert_ne!(hash(&base), hash(&other), "{other}");
    }
}

proptest! {
    #[test]
    fn no_change_of_a_valid_file_panics(at in 0..SHIPPED.len(), cut in 0..40_usize, put in "[-:{}\\[\\]&*!|>'\"\n a0]{0,4}") {
        let bytes = SHIPPED.as_bytes();
        let changed = [&bytes[..at], put.as_bytes(), &bytes[(at + cut).min(bytes.len())..]].concat();
        let diagnostics = Diagnostics::new(None);
        if let Some(node) = diagnostics.tree(&String::from_utf8_lossy(&changed)) {
            read(&diagnostics, Path::new("c.yaml"), &node, &defaults());
        }
    }
}

#[test]
fn a_connector_without_a_provider_needs_somebody_to_ask() {
    let runtime = crate::config::runtime::load(None, &crate::config::Environment::default()).unwrap();
    let defaults = RuntimeDefaults::from(&runtime);
    let text = connector("a", "a", "b", "c");
    let found = read_text(Path::new("c.yaml"), &text, &defaults).unwrap_err().to_string();
    assert!(
        found.contains("no provider of routing.fallback is usable: claude needs ANTHROPIC_API_KEY, gemini needs"),
        "{found}"
    );
    let named = text + "options: { provider: offline }\n";
    assert!(read_text(Path::new("c.yaml"), &named, &defaults).is_ok());
}
