use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::*;
use crate::domain::failure::Code;
use crate::http::testing::{Answer, Api, parts};
use crate::pipeline::route::testing::{Scripted, fails};
use crate::ports::clock::ManualClock;
use crate::ports::idempotency::MemoryIdempotency;
use crate::ports::model::{CallError, FakeModel, Model, Reply};
use crate::ports::repository::RepositoryFuture;

struct Setup {
    api: Api,
    model: Arc<Scripted>,
    requests: Arc<Store>,
}

/// Requests in memory behind a connection that is slow or breaks as told.
struct Store {
    memory: MemoryIdempotency,
    /// How long it takes until a request knows that it has its key.
    begin_takes: Duration,
    /// So many keys are taken without an answer.
    lost_begins: AtomicUsize,
    /// So many attempts to store an end fail.
    failing_ends: AtomicUsize,
}

impl Store {
    fn fails(left: &AtomicUsize) -> Result<(), RepositoryError> {
        match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
            Ok(_) => Err(RepositoryError::Unavailable("connection reset".to_owned())),
            Err(_) => Ok(()),
        }
    }
}

impl Idempotency for Store {
    fn begin<'a>(&'a self, tenant: &'a Tenant, request: IdempotentRequest) -> RepositoryFuture<'a, Begun> {
        async {
            let begun = self.memory.begin(tenant, request).await?;
            sleep(self.begin_takes).await;
            Self::fails(&self.lost_begins).map(|()| begun)
        }
        .boxed()
    }

    fn finish<'a>(
        &'a self,
        tenant: &'a Tenant,
        key: &'a str,
        ticket: Ticket,
        answer: StoredAnswer,
        ttl: Duration,
    ) -> RepositoryFuture<'a, ()> {
        async move {
            Self::fails(&self.failing_ends)?;
            self.memory.finish(tenant, key, ticket, answer, ttl).await
        }
        .boxed()
    }

    fn abandon<'a>(&'a self, tenant: &'a Tenant, key: &'a str, ticket: Ticket) -> RepositoryFuture<'a, ()> {
        async move {
            Self::fails(&self.failing_ends)?;
            self.memory.abandon(tenant, key, ticket).await
        }
        .boxed()
    }
}

fn setup(latency: Duration, script: impl IntoIterator<Item = Result<Reply, CallError>>) -> Setup {
    with_store(latency, script, |_| ())
}

fn with_store(
    latency: Duration,
    script: impl IntoIterator<Item = Result<Reply, CallError>>,
    change: impl FnOnce(&mut Store),
) -> Setup {
    let model = Scripted::with("a", 1.0, latency, script);
    let mut store = Store {
        memory: MemoryIdempotency::new(Arc::new(ManualClock::default())),
        begin_takes: Duration::ZERO,
        lost_begins: AtomicUsize::new(0),
        failing_ends: AtomicUsize::new(0),
    };
    change(&mut store);
    let requests = Arc::new(store);
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

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_while_its_key_is_taken_leaves_no_key_that_nobody_works_on() {
    let slow = |store: &mut Store| store.begin_takes = Duration::from_secs(2);
    let it = with_store(Duration::ZERO, [FakeModel::says("{}")], slow);
    assert!(timeout(Duration::from_secs(1), it.ask("a", "x")).await.is_err());
    sleep(Duration::from_secs(5)).await;
    let answer = it.ask("a", "x").await;
    assert_eq!((answer.status.as_u16(), answer.header("idempotency-replayed")), (200, "true"), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_taken_without_an_answer_is_given_back() {
    let broken = |store: &mut Store| {
        store.lost_begins = AtomicUsize::new(1);
        store.failing_ends = AtomicUsize::new(2);
    };
    let it = with_store(Duration::ZERO, [FakeModel::says("{}")], broken);
    assert_eq!(it.ask("a", "x").await.problem(), (503, "store_unavailable".to_owned()));
    assert_eq!(it.ask("a", "x").await.problem(), (409, "idempotency_in_progress".to_owned()));
    sleep(Duration::from_secs(10)).await;
    let answer = it.ask("a", "x").await;
    assert_eq!((answer.status.as_u16(), answer.header("idempotency-replayed")), (200, ""), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_stored_at_once_is_stored_later_and_its_client_does_not_wait() {
    let broken = |store: &mut Store| store.failing_ends = AtomicUsize::new(3);
    let it = with_store(Duration::ZERO, [FakeModel::says("{}")], broken);
    let answer = timeout(Duration::from_millis(100), it.ask("a", "x")).await.expect("an answer at once");
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    sleep(Duration::from_secs(10)).await;
    let again = it.ask("a", "x").await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (200, "true"), "{again:?}");
    assert_eq!(it.model.calls(), 1);
}

#[tokio::test]
async fn what_cannot_be_promised_is_refused() {
    let it = setup(Duration::ZERO, [FakeModel::says("{}")]);
    it.requests.memory.set_away(Some("gone"));
    assert_eq!(it.ask("a", "x").await.problem(), (503, "store_unavailable".to_owned()));
    let it = Setup { api: Api::new(parts(&[Arc::clone(&it.model) as Arc<dyn Model>])), ..it };
    assert_eq!(it.ask("a", "x").await.problem(), (400, "invalid_request".to_owned()));
    assert_eq!(it.model.calls(), 0);
}
