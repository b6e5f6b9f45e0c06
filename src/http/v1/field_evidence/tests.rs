use std::sync::Arc;

use serde_json::{Value, json};

use crate::domain::logprobs::ValueLogprob;
use crate::http::testing::{Api, parts};
use crate::pipeline::route::testing::Scripted;
use crate::ports::model::{FakeModel, Model, ObjectLogprobs, Reply};

const TICKET: &str = r#"{"intent":"refund","order":"A-1","amount":null}"#;

fn schema() -> Value {
    json!({
        "title": "ticket", "type": "object", "required": ["intent", "order"], "additionalProperties": false,
        "properties": {
            "intent": { "enum": ["refund", "other"] },
            "order": { "type": "string" },
            "amount": { "type": ["number", "null"] },
        },
    })
}

/// An API over a model that says this.
fn api(replies: &[&str]) -> Api {
    let model = Scripted::new("a", replies.iter().map(|reply| FakeModel::says(reply)));
    Api::new(parts(&[model as Arc<dyn Model>]))
}

async fn analyze(api: &Api, body: Value) -> Value {
    let answer = api.post("/v1/analyze", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The evidence of [`TICKET`] whose order stands at this place.
fn fields(source: &str, start: u32) -> Value {
    json!({
        "/intent": { "evidence": "judged" },
        "/order": { "evidence": "exact", "source": source, "spans": [[start, start + 3]] },
        "/amount": { "evidence": "absent" },
    })
}

#[tokio::test]
async fn each_value_has_its_place_in_the_prompt_and_counts_in_the_confidence() {
    let api = api(&[TICKET, r#"{"intent":"refund","order":"B-2","amount":3}"#]);
    let answer = analyze(&api, json!({ "prompt": "Größe: order A-1", "schema": schema() })).await;
    assert_eq!(answer["fields"], fields("/prompt", 13));
    assert_eq!((&answer["grounded"], &answer["confidence"], &answer["flags"]), (&json!(1.0), &json!(1.0), &json!([])));
    let factors = json!({ "validation": 1.0, "ladder": 1.0, "grounding": 1.0, "provider": "unknown" });
    assert_eq!(answer["confidence_factors"], factors);

    let invented = analyze(&api, json!({ "prompt": "B-2, please", "schema": schema() })).await;
    assert_eq!((&invented["grounded"], &invented["confidence"]), (&json!(0.5), &json!(0.5)));
    assert_eq!(invented["flags"], json!(["ungrounded:/amount"]));
}

#[tokio::test]
async fn a_remembered_answer_has_its_places_in_each_requests_own_prompt() {
    let api = api(&[TICKET]);
    for (prompt, start, cache) in
        [("order A-1", 6, "none"), ("order \n   A-1", 10, "memory"), ("order A-1", 6, "memory")]
    {
        let answer = analyze(&api, json!({ "prompt": prompt, "schema": schema() })).await;
        assert_eq!((&answer["fields"], &answer["cache"]), (&fields("/prompt", start), &json!(cache)), "{prompt:?}");
    }
}

/// A model that says [`TICKET`], and how likely two of its values were.
fn telling() -> Api {
    let value = |(field, mean): (&str, f64)| ValueLogprob { field: field.into(), mean, tokens: 1 };
    let values = [("/intent", 0.0), ("/order", -0.5)].map(value).into();
    let logprobs = vec![ObjectLogprobs { start: 0, values }];
    let reply = FakeModel::says(TICKET).map(|reply| Reply { logprobs, ..reply });
    Api::new(parts(&[Scripted::new("a", [reply]) as Arc<dyn Model>]))
}

#[tokio::test]
async fn a_value_has_the_log_probability_of_its_tokens_also_when_its_answer_is_remembered() {
    let api = telling();
    for cache in ["none", "memory"] {
        let answer = analyze(&api, json!({ "prompt": "order A-1", "schema": schema() })).await;
        let means = ["/intent", "/order", "/amount"].map(|field| &answer["fields"][field]["logprob_mean"]);
        assert_eq!((means, &answer["cache"]), ([&json!(0.0), &json!(-0.5), &Value::Null], &json!(cache)));
        assert_eq!(answer["confidence_factors"]["provider"], 0.7788, "e to the power of -0.25");
    }
}

#[tokio::test]
async fn values_stand_in_the_parameters_of_a_template() {
    let api = api(&[TICKET]);
    let parameters = json!({ "message": "Send A-1 back" });
    let body = json!({ "template_id": "support-intent", "parameters": parameters, "schema": schema() });
    assert_eq!(analyze(&api, body).await["fields"], fields("/parameters/message", 5));
}

#[tokio::test]
async fn xml_batches_and_openais_format_have_it_too() {
    let api = api(&[TICKET]);
    let xml = analyze(&api, json!({ "prompt": "A-1", "schema": schema(), "output_format": "xml" })).await;
    assert_eq!(xml["fields"], fields("/prompt", 0));

    let batch =
        api.post("/v1/analyze/batch", &json!({ "prompts": ["A-1", " A-1", "A-1"], "schema": schema() })).await.json();
    let of = |index: usize| batch["results"][index]["result"]["fields"].clone();
    assert_eq!([of(0), of(1), of(2)], [0, 1, 0].map(|start| fields("/prompt", start)));

    let format = json!({ "type": "json_schema", "json_schema": { "name": "ticket", "schema": schema() } });
    let body =
        json!({ "model": "a", "messages": [{ "role": "user", "content": "order A-1" }], "response_format": format });
    let completion = api.post("/v1/chat/completions", &body).await.json();
    assert_eq!(completion["structured_prompt"]["grounded"], 1.0, "{completion}");
    assert_eq!(completion["structured_prompt"]["fields"], fields("/prompt", 6));
}

#[tokio::test]
async fn it_can_be_turned_off_and_is_no_part_of_the_question() {
    let api = api(&[TICKET]);
    let ask = |options: Value| analyze(&api, json!({ "prompt": "x", "schema": schema(), "options": options }));
    assert_eq!(ask(json!({ "evidence": "locate" })).await["grounded"], 0.0);
    let off = ask(json!({ "evidence": "off" })).await;
    assert_eq!((&off["cached"], &off["grounded"], off.get("fields")), (&json!(true), &Value::Null, None));
    assert_eq!((&off["confidence"], &off["confidence_factors"]["grounding"]), (&json!(1.0), &json!("unknown")));
    let wrong = api.post("/v1/analyze", &json!({ "prompt": "x", "options": { "evidence": "guess" } })).await;
    assert_eq!((wrong.problem().0, wrong.places()), (400, vec!["#/options/evidence".to_owned()]));
}
