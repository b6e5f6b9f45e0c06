use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::*;
use crate::domain::failure::Code;
use crate::http::testing::{Answer, Api, parts};
use crate::pipeline::route::testing::{Scripted, fails};
use crate::ports::clock::ManualClock;
use crate::ports::idempotency::MemoryIdempotency;
use crate::ports::model::{CallError, FakeModel, Model, Reply};

struct Setup {
    api: Api,
    model: Arc<Scripted>,
    requests: Arc<MemoryIdempotency>,
}

fn setup(latency: Duration, script: impl IntoIterator<Item = Result<Reply, CallError>>) -> Setup {
    let model = Scripted::with("a", 1.0, latency, script);
    let requests = Arc::new(MemoryIdempotency::new(Arc::new(ManualClock::default())));
    let mut parts = parts(&[Arc::clone(&model) as Arc<dyn Model>]);
    parts.idempotency = Some(Arc::clone(&requests) as _);
    Setup { api: Api::new(parts), model, requests }
}

impl Setup {
    async fn ask(&self, key: &str, prompt: &str) -> Answer {
        let options = json!({ "bypass_validation": true, "bypass_cache": true });
        self.send(key, &json!({ "prompt": prompt, "options": options })).await
    }

    async fn send(&self, key: &str, body: &Value) -> Answer {
        let request = Request::post("/v1/analyze").header("content-type", "application/json").header(KEY, key);
        self.api.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

#[tokio::test]
async fn a_request_that_is_sent_again_gets_the_first_answer() {
    let it = setup(Duration::ZERO, [FakeModel::says(r#"{"n":1}"#), FakeModel::says(r#"{"n":2}"#)]);
    let first = it.ask("\"a\"", "x").await;
    assert_eq!((first.status.as_u16(), first.header("idempotency-replayed")), (200, ""), "{first:?}");
    let again = it.ask("a", "x").await;
    assert_eq!((again.status, &again.text, again.header("idempotency-replayed")), (first.status, &first.text, "true"));
    assert_eq!(again.header("content-type"), "application/json");
    assert_eq!(it.model.calls(), 1);
    assert_eq!(it.ask("a", "y").await.problem(), (422, "idempotency_mismatch".to_owned()));
    assert_eq!(it.ask("b", "x").await.json()["data"], json!({ "n": 2 }), "another key is another request");
    for key in ["", "\"\"", "a b", "\"a\"b\"", &"x".repeat(256)] {
        assert_eq!(it.ask(key, "x").await.problem(), (400, "invalid_request".to_owned()), "{key}");
    }
}

#[tokio::test]
async fn what_has_no_answer_may_be_tried_again() {
    let it = setup(Duration::ZERO, [fails(Code::ProviderRejected), FakeModel::says("{}")]);
    assert_eq!(it.ask("a", "x").await.problem(), (502, "provider_rejected".to_owned()));
    assert_eq!(it.ask("a", "x").await.status, 200);
    assert_eq!(it.send("b", &json!({ "promt": 1 })).await.places(), ["#/promt"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_client_has_gone_is_finished_for_the_next_one() {
    let it = setup(Duration::from_secs(2), [FakeModel::says("{}")]);
    assert!(timeout(Duration::from_secs(1), it.ask("a", "x")).await.is_err());
    let running = it.ask("a", "x").await;
    assert_eq!(running.problem(), (409, "idempotency_in_progress".to_owned()));
    assert_eq!(running.header("retry-after"), "1");
    sleep(Duration::from_secs(2)).await;
    let answer = it.ask("a", "x").await;
    assert_eq!((answer.status.as_u16(), answer.header("idempotency-replayed")), (200, "true"), "{answer:?}");
    assert_eq!(it.model.calls(), 1);
}

#[tokio::test]
async fn what_cannot_be_promised_is_refused() {
    let it = setup(Duration::ZERO, [FakeModel::says("{}")]);
    it.requests.set_away(Some("gone"));
    assert_eq!(it.ask("a", "x").await.problem(), (503, "store_unavailable".to_owned()));
    let it = Setup { api: Api::new(parts(&[Arc::clone(&it.model) as Arc<dyn Model>])), ..it };
    assert_eq!(it.ask("a", "x").await.problem(), (400, "invalid_request".to_owned()));
    assert_eq!(it.model.calls(), 0);
}
