//! The requests: each asks about a text of 1 KB, and no two are alike unless they should be.

use serde_json::{Value, json};

use crate::topics::SENTENCE;

/// As providers take it, and every gateway that stands in for one.
pub fn chat_completion(model: &str, number: usize) -> String {
    let schema: Value =
        serde_json::from_str(include_str!("../../../src/schema/library/support-intent@1.0.0.json")).expect("JSON");
    json!({
        "model": model,
        "messages": [{ "role": "user", "content": text(number) }],
        "response_format": { "type": "json_schema", "json_schema": { "name": "support-intent", "schema": schema } },
    })
    .to_string()
}

/// As `/v1/analyze` takes it.
pub fn analyze(number: usize) -> String {
    json!({ "prompt": text(number), "schema_id": "support-intent" }).to_string()
}

/// As `/v1/analyze/batch` takes it.
pub fn batch(first: usize, prompts: usize) -> String {
    let prompts: Vec<String> = (first..first + prompts).map(text).collect();
    json!({ "prompts": prompts, "schema_id": "support-intent" }).to_string()
}

fn text(number: usize) -> String {
    format!("Ticket {number}: {}", padding())
}

/// What all texts have in common.
pub fn padding() -> String {
    SENTENCE.repeat(10)
}
