use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::domain::api_key::ApiKey;
use crate::domain::tenant::{Scope, Tenant};
use crate::http::auth::Authenticator;
use crate::http::testing::{Answer, Api, parts};
use crate::ports::clock::{Clock, ManualClock};
use crate::ports::keys::{Keys as _, MemoryKeys, NewKey};
use crate::ports::model::FakeModel;

/// Every route that needs a key and no body.
const WITHOUT_BODY: [(&str, &str); 3] =
    [("GET", "/v1/providers"), ("GET", "/v1/cache/stats"), ("DELETE", "/v1/cache?pattern=*")];

/// Every route that needs a key and a body, with one that it takes.
fn routes() -> Vec<(&'static str, serde_json::Value)> {
    let options = json!({ "bypass_validation": true });
    vec![
        ("/v1/analyze", json!({ "prompt": "x", "options": options })),
        ("/v1/analyze/batch", json!({ "prompts": ["x"], "options": options })),
    ]
}

struct Setup {
    api: Api,
    clock: Arc<ManualClock>,
    keys: Arc<MemoryKeys>,
}

fn setup() -> Setup {
    let clock = Arc::new(ManualClock::default());
    let keys = Arc::new(MemoryKeys::new(Arc::clone(&clock) as Arc<dyn Clock>));
    let mut parts = parts(&[Arc::new(FakeModel::new((0..99).map(|_| FakeModel::says("{}"))))]);
    parts.authenticator =
        Arc::new(Authenticator::keys(Some(Arc::clone(&keys) as _), Arc::clone(&clock) as _, Arc::default()));
    Setup { api: Api::new(parts), clock, keys }
}

impl Setup {
    async fn key(&self, rate_limit: u32, expires_at: Option<Duration>) -> ApiKey {
        let new = NewKey { tenant: Tenant::default(), name: "mine".to_owned(), rate_limit, expires_at };
        self.keys.create(new).await.unwrap().0
    }

    async fn send(&self, path: &str, key: Option<&str>, content_type: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(path).header("content-type", content_type).body(body.into()).unwrap();
        self.with_key(key, request).await
    }

    async fn with_key(&self, key: Option<&str>, mut request: Request<Body>) -> Answer {
        if let Some(key) = key {
            request.headers_mut().insert("authorization", format!("Bearer {key}").try_into().unwrap());
        }
        self.api.send(request).await
    }
}

#[tokio::test]
async fn every_route_refuses_every_bad_key_alike() {
    let it = setup();
    let (expired, revoked) = (it.key(9, Some(Duration::from_secs(1))).await, it.key(9, None).await);
    it.clock.advance(Duration::from_secs(1));
    it.keys.revoke(&Scope::from(&Tenant::default()), revoked.id()).await.unwrap();
    let unknown = ApiKey::new([9; ApiKey::RANDOM_BYTES]);
    let bad = [None, Some("sk_wrong"), Some(unknown.expose()), Some(expired.expose()), Some(revoked.expose())];
    let with_body = routes().into_iter().map(|(path, body)| ("POST", path, Some(body.to_string())));
    for (method, path, body) in with_body.chain(WITHOUT_BODY.map(|(method, path)| (method, path, None))) {
        let mut details = Vec::new();
        for key in bad {
            let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
            let request = request.body(body.clone().map_or_else(Body::empty, Body::from)).unwrap();
            let answer = it.with_key(key, request).await;
            assert_eq!(answer.problem(), (401, "unauthorized".to_owned()), "{path} {key:?}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            details.push(answer.json()["detail"].clone());
        }
        details.dedup();
        assert_eq!(details.len(), 1, "{details:?}");
    }
}

#[tokio::test]
async fn every_route_without_a_body_answers_a_good_key() {
    let it = setup();
    let key = it.key(9, None).await;
    for (method, path) in WITHOUT_BODY {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let answer = it.with_key(Some(key.expose()), request).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert!(answer.headers.contains_key("ratelimit"), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn every_route_refuses_a_body_that_it_does_not_take() {
    let it = setup();
    let key = it.key(1000, None).await;
    let key = Some(key.expose());
    for (path, body) in routes() {
        let good = it.send(path, key, "application/json", body.to_string()).await;
        assert_eq!(good.status, 200, "{good:?}");
        let media_type = it.send(path, key, "text/plain", body.to_string()).await;
        assert_eq!(media_type.problem(), (415, "unsupported_media_type".to_owned()));
        let mut unknown = body.clone();
        unknown["unknown"] = json!(1);
        let unknown = it.send(path, key, "application/json", unknown.to_string()).await;
        assert_eq!(
            (unknown.problem(), unknown.places()),
            ((400, "invalid_request".to_owned()), vec!["#/unknown".to_owned()])
        );
        for body in ["", "null", "[]", "\"x\"", "{}"] {
            assert_eq!(it.send(path, key, "application/json", body).await.problem().0, 400, "{path} {body}");
        }
        let oversized = it.send(path, key, "application/json", " ".repeat((1 << 20) + 1)).await;
        assert_eq!(oversized.problem(), (413, "payload_too_large".to_owned()));
    }
}

#[tokio::test]
async fn every_route_says_which_methods_it_takes() {
    let it = setup();
    for (path, _) in routes() {
        let answer = it.api.send(Request::put(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.problem(), (405, "method_not_allowed".to_owned()), "{path}");
        assert_eq!(answer.header("allow"), "POST", "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_may_ask_as_often_as_its_limit_says() {
    let it = setup();
    let (key, other) = (it.key(2, None).await, it.key(2, None).await);
    let ask = |key: &ApiKey| {
        let key = key.expose().to_owned();
        let it = &it;
        async move { it.send("/v1/analyze", Some(&key), "application/json", routes()[0].1.to_string()).await }
    };
    let first = ask(&key).await;
    assert_eq!(first.header("ratelimit-policy"), "\"default\";q=2;w=3600");
    assert_eq!(first.header("ratelimit"), "\"default\";r=1;t=1800");
    assert_eq!(ask(&key).await.header("ratelimit"), "\"default\";r=0;t=3600");
    let refused = ask(&key).await;
    assert_eq!(refused.problem(), (429, "rate_limited".to_owned()));
    assert_eq!((refused.header("retry-after"), refused.header("ratelimit")), ("1800", "\"default\";r=0;t=3600"));
    assert_eq!(ask(&other).await.status, 200);
    tokio::time::advance(Duration::from_secs(1800)).await;
    assert_eq!(ask(&key).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn each_prompt_of_a_batch_counts() {
    let it = setup();
    let key = it.key(10, None).await;
    let ask = |prompts: usize| {
        let body = json!({ "prompts": vec!["x"; prompts], "options": { "bypass_validation": true } });
        it.send("/v1/analyze/batch", Some(key.expose()), "application/json", body.to_string())
    };
    assert_eq!(ask(8).await.header("ratelimit"), "\"default\";r=2;t=2880");
    let refused = ask(3).await;
    assert_eq!((refused.problem(), refused.header("retry-after")), ((429, "rate_limited".to_owned()), "360"));
    assert_eq!(refused.header("ratelimit"), "\"default\";r=2;t=2880", "a batch that is refused takes nothing");
    tokio::time::advance(Duration::from_secs(360)).await;
    assert_eq!(ask(3).await.status, 200, "who waits as long as was said is answered");
}

#[tokio::test]
async fn open_routes_need_no_key() {
    let it = setup();
    for path in ["/v1/health", "/v1/health/live", "/v1/health/ready", "/v1/metrics"] {
        assert_eq!(it.api.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_process_that_ends_takes_no_request_and_is_not_ready() {
    let parts = parts(&[Arc::new(FakeModel::default())]);
    let open = parts.open_requests.clone();
    let api = Api::new(parts);
    assert_eq!(api.get("/v1/health/ready").await.status, 200);
    open.close();
    let answer = api.post("/v1/analyze", &json!({ "prompt": "x" })).await;
    assert_eq!(answer.problem(), (503, "shutting_down".to_owned()));
    assert_eq!((answer.header("retry-after"), answer.header("connection")), ("1", "close"));
    let ready = api.get("/v1/health/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.json()["reasons"][0]), (503, &json!("the process is about to end")));
    open.wait().await;
}
