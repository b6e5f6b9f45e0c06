use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const CONNECTOR: &str = "
name: claims
source: { kafka: { topics: [claims] }, filter: \"data.body != 'spam'\" }
prompt: { inline: 'What is claimed? {{ data.body }}' }
schema:
  inline:
    type: object
    required: [kind]
    properties: { kind: { enum: [refund, repair] }, note: { type: string, maxLength: 40 } }
options: { provider: PROVIDER, max_tokens: 200 }
sink: { kafka: { topic: claims.structured } }
dead_letter: { kafka: { topic: claims.dlq } }
";
const RUNTIME: &str = "
providers:
  gpt:
    price: { input_per_1k: 1.0, output_per_1k: 10.0 }
    ceilings: { requests_per_minute: 60 }
store: { url: none }
";

fn event(id: u32, body: &str) -> String {
    json!({ "specversion": "1.0", "id": id.to_string(), "source": "/c", "type": "claim", "data": { "body": body } })
        .to_string()
}

/// Plans these lines for a connector that asks this provider.
fn plan_of(lines: &[String], provider: &str, ask: Option<u32>) -> Plan {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    let write =
        |directory: &TempDir, name: &str, text: &str| fs::write(directory.path().join(name), text).expect("a file");
    write(&directory, "claims.yaml", &CONNECTOR.replace("PROVIDER", provider));
    write(&directory, "runtime.yaml", RUNTIME);
    write(&directory, "events.jsonl", &lines.join("\n"));
    let args = Args {
        connector: path("claims.yaml"),
        input: Some(path("events.jsonl")),
        records: NonZeroU32::MIN,
        ask: ask.and_then(NonZeroU32::new),
        config: Some(path("runtime.yaml")),
        output: OutputFormat::Json,
    };
    runtime().expect("a runtime").block_on(plan(&args)).expect("a plan")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[test]
fn a_file_is_planned_without_a_key_and_without_asking() {
    let bodies = ["A refund, please.", "Repair it!", "Repair it!", " ", "spam"];
    let events = (1..).zip(bodies).map(|(id, body)| event(id, body));
    let lines: Vec<String> = events.chain(["{".to_owned()]).collect();
    let plan = show::json(&plan_of(&lines, "gpt", None));
    assert_eq!((&plan["sampled"], &plan["records_waiting"], &plan["asked"]), (&6.into(), &Value::Null, &Value::Null));
    assert_eq!(plan["skipped"], 1);
    assert_eq!(plan["dead_letters_by_code"], json!({ "invalid_json": 1, "prompt_empty": 1 }));
    // One of three questions is asked a second time.
    assert!((number(&plan["cache_hit_rate"]) - 1.0 / 3.0).abs() < 0.001, "{plan}");
    let gpt = &plan["per_provider"]["gpt"];
    let [input, output, usd] = ["input_tokens", "output_tokens", "cost_usd"].map(|name| number(&gpt[name]));
    assert!(input > 100.0 && output > 4.0 && output < 400.0, "{plan}");
    assert!((usd - (input / 1000.0 + output / 100.0)).abs() < 0.000_01, "at its prices: {plan}");
    assert!((number(&gpt["seconds"]) - 2.0).abs() < 0.01, "two calls at one a second: {plan}");
    assert_eq!(plan["per_provider"].as_object().map(serde_json::Map::len), Some(1), "only who is asked: {plan}");
}

#[test]
fn asking_about_some_says_how_many_come_to_a_valid_answer_and_how_sure_that_is() {
    let lines: Vec<String> = (0..20).map(|n| event(n, &format!("I want a refund for order {n}."))).collect();
    let plan = plan_of(&lines, "offline", Some(8));
    let shown = show::json(&plan);
    let asked = &shown["asked"];
    assert_eq!((&asked["asked"], &asked["valid"]), (&8.into(), &8.into()), "{shown}");
    assert_eq!(asked["ladder_steps"], json!({ "ask": 8 }));
    let [low, high] = [0, 1].map(|end| number(&asked["interval"][end]));
    assert!((0.6..0.7).contains(&low) && high > 0.999, "Wilson's interval of 8 of 8: {shown}");
    assert_eq!((number(&asked["cost_per_valid_usd"]), &asked["dead_letters_by_code"]), (0.0, &json!({})));
    let mut table = Vec::new();
    show::table(&plan, &mut table).expect("memory");
    let table = String::from_utf8(table).expect("UTF-8");
    for part in ["looked at the 20 records of the file", "asked about 8: 8 valid answers", "step ask: 8"] {
        assert!(table.contains(part), "no {part:?} in {table}");
    }
}
