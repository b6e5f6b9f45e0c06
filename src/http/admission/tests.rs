use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::until_given_up;
use crate::domain::name_pattern::NamePattern;
use crate::domain::tenant::Tenant;
use crate::http::auth::Authenticator;
use crate::http::state::ApiParts;
use crate::http::testing::{Answer, Api, parts};
use crate::ports::answer_cache::{AnswerCache, NotInvalidated, TierStats};
use crate::ports::clock::ManualClock;
use crate::ports::keys::{Keys as _, MemoryKeys, NewKey};
use crate::ports::model::FakeModel;
use crate::telemetry::captured::Captured;

struct Setup {
    api: Api,
    keys: Arc<MemoryKeys>,
}

fn setup() -> Setup {
    setup_with(|parts| parts)
}

fn setup_with(change: impl FnOnce(ApiParts) -> ApiParts) -> Setup {
    let clock = Arc::new(ManualClock::default());
    let keys = Arc::new(MemoryKeys::new(Arc::clone(&clock) as _));
    let mut parts = parts(&[Arc::new(FakeModel::new((0..99).map(|_| FakeModel::says("{}"))))]);
    parts.authenticator = Arc::new(Authenticator::keys(Some(Arc::clone(&keys) as _), clock, Arc::default()));
    Setup { api: Api::new(change(parts)), keys }
}

impl Setup {
    /// A key that may make so many requests an hour.
    async fn key(&self, rate_limit: u32) -> String {
        let new = NewKey { tenant: Tenant::default(), name: "mine".to_owned(), rate_limit, expires_at: None };
        self.keys.create(new).await.unwrap().0.expose().to_owned()
    }

    async fn send(&self, path: &str, key: &str, mut body: Value) -> Answer {
        body["options"] = json!({ "bypass_validation": true });
        let request = Request::post(path).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {key}"));
        self.api.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_may_ask_as_often_as_its_limit_says() {
    let it = setup();
    let (key, other) = (it.key(2).await, it.key(2).await);
    let ask = async |key: &str| it.send("/v1/analyze", key, json!({ "prompt": "x" })).await;
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
    let key = it.key(10).await;
    let ask = async |prompts: usize| it.send("/v1/analyze/batch", &key, json!({ "prompts": vec!["x"; prompts] })).await;
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

/// A cache that cannot be reached, which is logged.
struct Away;

impl AnswerCache for Away {
    fn stats(&self) -> BoxFuture<'_, Vec<TierStats>> {
        ready(Vec::new()).boxed()
    }

    fn invalidate<'a>(
        &'a self,
        _tenant: &'a Tenant,
        _pattern: &'a NamePattern,
    ) -> BoxFuture<'a, Result<u64, NotInvalidated>> {
        ready(Err(NotInvalidated("away".to_owned()))).boxed()
    }
}

#[tokio::test]
async fn log_lines_name_the_request_its_key_and_its_trace() {
    let it = setup_with(|parts| ApiParts { cache: Arc::new(Away), ..parts });
    let key = it.key(9).await;
    let captured = Captured::start();
    let request = Request::delete("/v1/cache?pattern=*").header("authorization", format!("Bearer {key}"));
    let request = request.header("x-request-id", "the-request");
    let request = request.header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
    assert_eq!(it.api.send(request.body(Body::empty()).unwrap()).await.status, 503);
    let lines = captured.lines();
    let id = &key[3..14];
    let parts =
        ["request_id=\"the-request\"", "trace_id=0af7651916cd43dd8448eb211c80319c", &format!("api_key_id={id}")];
    assert!(lines.iter().any(|line| parts.iter().all(|part| line.contains(part))), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_given_up_is_told_to_go_to_another_process() {
    let state = Arc::new(parts(&[Arc::new(FakeModel::new([]))]));
    let layer = from_fn_with_state(Arc::clone(&state), until_given_up);
    let routes = Router::new().route("/", get(std::future::pending::<()>)).route_layer(layer);
    let slow: Router = routes.with_state(Arc::clone(&state));
    let ask = slow.oneshot(Request::get("/").body(Body::empty()).unwrap());
    let end = async {
        tokio::time::sleep(Duration::from_secs(27)).await;
        state.requests_given_up.cancel();
    };
    let (answer, ()) = tokio::join!(ask, end);
    let answer = answer.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!([header("retry-after"), header("connection")], ["1", "close"]);
}
