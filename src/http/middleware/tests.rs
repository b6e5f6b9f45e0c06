use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::{get, post};

use super::*;
use crate::domain::health::Component;
use crate::http::json_body::JsonBody;
use crate::http::router::{admin_router, router};
use crate::http::testing::{Answer, Api, parts, state};
use crate::ports::health::Health;
use crate::ports::model::FakeModel;

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_are_problems_with_the_requests_id() {
    let api = Api::of(router(state()));
    let missing = api.get("/v1/nothing").await;
    assert_eq!(missing.problem(), (404, "not_found".to_owned()));
    let request = Request::delete("/v1/health").header("x-request-id", "mine").body(Body::empty()).unwrap();
    let wrong = api.send(request).await;
    assert_eq!(wrong.problem(), (405, "method_not_allowed".to_owned()));
    assert_eq!((wrong.header("x-request-id"), wrong.header("allow")), ("mine", "GET,HEAD"));
}

#[tokio::test]
async fn an_unknown_path_at_the_address_of_administrators_is_sent_to_no_other_that_is_unknown_there() {
    let api = Api::of(admin_router(state()));
    for path in ["/openapi.json", "/docs", "/v1/health"] {
        let missing = api.get(path).await;
        assert_eq!(missing.problem(), (404, "not_found".to_owned()));
        let detail = missing.json()["detail"].as_str().unwrap().replacen(path, "", 1);
        assert!(detail.contains("http.listen") && !detail.contains("/openapi.json"), "{detail}");
    }
}

#[tokio::test]
async fn a_panic_is_a_problem_of_its_request_and_of_no_other() {
    async fn defect() {
        panic!("as told");
    }
    let router = Router::new().route("/defect", get(defect)).route("/good", get(async || "good"));
    let api = Api::of(router.layer(axum::middleware::from_fn(around)));
    let answer = api.get("/defect").await;
    assert_eq!(answer.problem(), (500, "internal_error".to_owned()));
    assert!(!answer.text.contains("as told"), "{}", answer.text);
    assert_eq!(api.get("/good").await.text, "good");
}

#[tokio::test]
async fn a_panic_is_counted_as_the_answer_that_its_client_gets() {
    struct Defect;
    impl Health for Defect {
        fn components(&self) -> Vec<Component> {
            panic!("as told");
        }
    }
    let mut parts = parts(&[Arc::new(FakeModel::default())]);
    parts.health = Arc::new(Defect);
    let api = Api::new(parts);
    assert_eq!(api.get("/v1/health").await.problem(), (500, "internal_error".to_owned()));
    let metrics = api.get("/v1/metrics").await.text;
    assert!(metrics.contains(r#"{method="GET",endpoint="/v1/health",status="500"} 1"#), "{metrics}");
}

#[tokio::test]
async fn every_answer_has_an_id_and_what_browsers_should_know() {
    let api = Api::of(router(state()));
    for path in ["/v1/health", "/v1/metrics", "/nothing"] {
        let answer = api.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-request-id").len(), 36, "{path}");
    }
}

/// Sends a body to a route that takes any JSON.
async fn sent(content_type: Option<&str>, body: impl Into<Body>) -> Answer {
    async fn echo(JsonBody(body): JsonBody) -> String {
        body.to_string()
    }
    let router = Router::new().route("/", post(echo)).with_state(state());
    let mut request = Request::post("/");
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    Api::of(router.layer(axum::middleware::from_fn(around))).send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn a_body_is_json_of_bounded_size_and_depth() {
    let json = Some("application/json");
    assert_eq!(sent(json, r#"{"a": 1.50}"#).await.text, r#"{"a":1.50}"#);
    assert_eq!(sent(Some("Application/JSON; charset=UTF-8"), "1").await.text, "1");
    for content_type in [None, Some("text/plain"), Some("application/json; charset=latin1"), Some("application/xml")] {
        let answer = sent(content_type, "{}").await;
        assert_eq!(answer.problem(), (415, "unsupported_media_type".to_owned()));
    }
    let deep = "[".repeat(100_000);
    for body in [&b""[..], b" \n", b"{", b"{}}", b"nul", br#"{"a": 1, "a": 2}"#, b"\"\xff\"", deep.as_bytes()] {
        let answer = sent(json, body.to_vec()).await;
        assert_eq!(answer.problem(), (400, "invalid_request".to_owned()), "{body:?}");
    }
    let answer = sent(json, " ".repeat((1 << 20) + 1)).await;
    assert_eq!(answer.problem(), (413, "payload_too_large".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let answer =
        sent(Some("application/json"), Body::from_stream(futures_util::stream::pending::<Result<&str, axum::Error>>()))
            .await;
    assert_eq!(answer.problem(), (408, "request_timeout".to_owned()));
}
