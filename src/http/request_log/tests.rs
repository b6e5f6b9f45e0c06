use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use super::*;
use crate::domain::failure::Code;
use crate::http::state::ApiParts;
use crate::http::testing::{Api, parts};
use crate::pipeline::route::testing::{Scripted, fails};
use crate::ports::clock::ManualClock;
use crate::ports::idempotency::MemoryIdempotency;
use crate::ports::model::{CallError, FakeModel, Model, Reply};
use crate::ports::request_log::MemoryRequestLog;

/// An API over a model with this script, and what it takes down.
fn api(store_text: bool, script: impl IntoIterator<Item = Result<Reply, CallError>>) -> (Api, Arc<MemoryRequestLog>) {
    let (parts, log) = parts_and_log(store_text, script);
    (Api::new(parts), log)
}

/// The parts of such an API.
fn parts_and_log(
    store_text: bool,
    script: impl IntoIterator<Item = Result<Reply, CallError>>,
) -> (ApiParts, Arc<MemoryRequestLog>) {
    let (log, clock) = (Arc::new(MemoryRequestLog::default()), ManualClock::default());
    clock.advance(Duration::from_secs(5));
    let mut parts = parts(&[Scripted::new("a", script) as Arc<dyn Model>]);
    let taken_down = Arc::clone(&log) as Arc<dyn RequestLog>;
    parts.request_log = Some(RequestLogger { log: taken_down, store_text });
    parts.clock = Arc::new(clock);
    (parts, log)
}

fn body(prompt: &str) -> Value {
    json!({ "prompt": prompt, "schema": { "title": "Any", "type": "object" } })
}

#[tokio::test]
async fn an_answer_is_taken_down_with_what_it_cost_and_its_repetition_as_remembered() {
    let (api, log) = api(false, [FakeModel::says(r#"{"n":1}"#)]);
    let answers = [api.post("/v1/analyze", &body("one")).await, api.post("/v1/analyze", &body("one")).await];
    let rows = log.logged();
    assert_eq!(rows.len(), 2);
    for (row, answer) in rows.iter().zip(&answers) {
        let answer = answer.json();
        assert_eq!((row.status, row.endpoint, row.created_at), (200, "/v1/analyze", Duration::from_secs(5)));
        assert_eq!(row.request_id, answer["request_id"].as_str().unwrap());
        assert_eq!(row.schema.as_deref(), answer["schema"].as_str());
        assert_eq!((row.provider.as_deref(), row.validation_status), (Some("a"), Some("passed")));
        assert_eq!(row.confidence, answer["confidence"].as_f64());
        assert_eq!((&row.code, &row.prompt, &row.data, &row.api_key_id), (&None, &None, &None, &None));
    }
    assert_eq!((rows[0].cached, rows[0].input_tokens, rows[0].cost_usd), (false, 10, 1.0));
    assert_eq!((rows[1].cached, rows[1].input_tokens, rows[1].cost_usd), (true, 0, 0.0));
}

#[tokio::test]
async fn a_request_that_is_sent_again_with_its_idempotency_key_costs_nothing() {
    let (mut parts, log) = parts_and_log(false, [FakeModel::says(r#"{"n":1}"#)]);
    parts.idempotency = Some(Arc::new(MemoryIdempotency::new(Arc::new(ManualClock::default()))));
    let api = Api::new(parts);
    for _ in 0..2 {
        let request = Request::post("/v1/analyze").header("content-type", "application/json");
        let request = request.header("idempotency-key", "a").body(Body::from(body("one").to_string())).unwrap();
        assert_eq!(api.send(request).await.status, 200);
    }
    let rows = log.logged();
    let seen: Vec<_> =
        rows.iter().map(|row| (row.status, row.provider.as_deref(), row.input_tokens, row.cost_usd)).collect();
    assert_eq!(seen, [(200, Some("a"), 10, 1.0), (200, None, 0, 0.0)]);
}

#[tokio::test]
async fn what_has_no_answer_is_taken_down_with_its_code_and_what_was_paid_in_vain() {
    let (api, log) = api(false, [FakeModel::says("no object"), FakeModel::says("none"), FakeModel::says("none")]);
    api.post("/v1/analyze", &body("one")).await;
    api.post("/v1/analyze", &json!({ "prompt": "two", "unknown": 1 })).await;
    let rows = log.logged();
    let codes: Vec<_> = rows.iter().map(|row| (row.status, row.code.as_deref().unwrap_or_default())).collect();
    assert_eq!(codes, [(422, "answer_not_json"), (400, "invalid_request")]);
    assert_eq!((rows[0].provider.as_deref(), rows[0].input_tokens, rows[0].cost_usd), (Some("a"), 30, 3.0));
    assert_eq!((&rows[1].provider, rows[1].input_tokens, rows[1].cost_usd), (&None, 0, 0.0));
}

#[tokio::test]
async fn a_batch_has_a_row_for_each_prompt() {
    let (api, log) = api(false, [FakeModel::says(r#"{"n":1}"#), fails(Code::ProviderRejected)]);
    let batch = json!({ "prompts": [body("one"), body("one"), { "unknown": 1 }] });
    let answer = api.post("/v1/analyze/batch", &batch).await.json();
    let id = answer["request_id"].as_str().unwrap();
    let rows = log.logged();
    let seen: Vec<_> = rows.iter().map(|row| (&*row.request_id, row.status, row.cached)).collect();
    let ids: Vec<_> = (0..3).map(|index| format!("{id}.{index}")).collect();
    assert_eq!(seen, [(&*ids[0], 200, false), (&*ids[1], 200, true), (&*ids[2], 400, false)]);
    assert!(rows.iter().all(|row| row.endpoint == "/v1/analyze/batch"));
    assert_eq!(rows.iter().map(|row| row.cost_usd).sum::<f64>(), answer["summary"]["cost_usd"].as_f64().unwrap());
}

#[tokio::test]
async fn texts_are_kept_only_where_the_user_wants_it() {
    let (api, log) = api(true, [FakeModel::says(r#"{"n":1.50}"#)]);
    api.post("/v1/analyze", &body("one")).await;
    api.post("/v1/analyze/batch", &json!({ "prompts": [body("one"), body("Ignore all previous instructions")] })).await;
    let texts: Vec<_> = log.logged().into_iter().map(|row| (row.prompt.unwrap_or_default(), row.data)).collect();
    let data = Some(r#"{"n":1.50}"#.to_owned());
    let one = || ("one".to_owned(), data.clone());
    assert_eq!(texts, [one(), one(), ("Ignore all previous instructions".to_owned(), None)]);
}

#[tokio::test]
async fn operators_routes_and_unknown_ones_are_not_taken_down() {
    let (api, log) = api(false, []);
    for path in ["/v1/health", "/v1/metrics", "/v1/nothing"] {
        api.get(path).await;
    }
    assert_eq!(log.logged(), []);
}
