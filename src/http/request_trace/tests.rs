use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::domain::failure::{Code, Failure};
use crate::http::state::ApiParts;
use crate::http::testing::{Api, parts};
use crate::pipeline::route::testing::Scripted;
use crate::ports::model::{CallError, FakeModel, Model};
use crate::telemetry::traces::testing::{Recorded, tree};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn api(recorded: &Recorded) -> Api {
    let malformed = CallError::lasting(Failure::new(Code::ProviderMalformed, "not an answer"));
    let model = Scripted::new("a", [FakeModel::says(r#"{"intent":"refund"}"#), Err(malformed)]);
    let tracer = Some(Arc::clone(&recorded.tracer));
    Api::new(ApiParts { tracer, ..parts(&[model as Arc<dyn Model>]) })
}

fn request(flags: &str, body: &serde_json::Value) -> Request<Body> {
    Request::post("/v1/analyze")
        .header("content-type", "application/json")
        .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-{flags}"))
        .header("tracestate", "vendor=1")
        .body(Body::from(body.to_string()))
        .unwrap()
}

/// Whether the metrics name the trace.
async fn is_exemplar(api: &Api) -> bool {
    let scrape = Request::get("/v1/metrics").header("accept", "application/openmetrics-text").body(Body::empty());
    api.send(scrape.unwrap()).await.text.contains(&format!("# {{trace_id=\"{TRACE}\"}}"))
}

#[tokio::test]
async fn a_request_is_one_trace_with_that_of_its_client() {
    let mut recorded = Recorded::new(true);
    let api = api(&recorded);
    let body = json!({ "prompt": "canary", "schema": { "type": "object" } });
    let request = request("01", &body);
    let answer = api.send(request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let spans = recorded.spans();
    let expected =
        "POST /v1/analyze\n  resolve\n  accept\n  recall\n  ask\n    chat a\n    approve\n  ground\n  score\n";
    assert_eq!(tree(&spans), expected);
    let server = &spans[0];
    assert_eq!((server.trace_id.as_str(), server.parent.as_str()), (TRACE, "b7ad6b7169203331"));
    assert_eq!((server.kind, server.tracestate.as_str()), (2, "vendor=1"));
    let about = ["http.request.method", "http.route", "http.response.status_code", "url.path"];
    assert_eq!(about.map(|name| server.attribute(name)), ["POST", "/v1/analyze", "200", "/v1/analyze"]);
    assert_eq!(server.attribute("sp.request_id"), answer.header("x-request-id"));
    assert!(!format!("{spans:?}").contains("canary"));
}

#[tokio::test]
async fn of_what_is_not_sampled_only_failures_of_ours_are_exported() {
    let mut recorded = Recorded::new(false);
    let api = api(&recorded);
    let refused = api.send(request("00", &json!({}))).await;
    assert!(refused.status.is_client_error(), "{refused:?}");
    assert_eq!(recorded.spans(), []);
    let body = json!({ "prompt": "one", "schema": { "type": "object" } });
    let first = request("00", &body);
    assert_eq!(api.send(first).await.status, 200);
    assert_eq!(recorded.spans(), []);
    assert!(!is_exemplar(&api).await);
    let body = json!({ "prompt": "two", "schema": { "type": "object" }, "options": { "timeout": "1s" } });
    let second = request("00", &body);
    let failed = api.send(second).await;
    assert!(failed.status.is_server_error(), "{failed:?}");
    assert!(is_exemplar(&api).await);
    // The task that asks may end a little later than the answer.
    let mut spans = recorded.spans();
    while spans.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        spans = recorded.spans();
    }
    assert_eq!((spans[0].status, spans[0].attribute("sp.outcome")), (2, "failed"));
}

#[tokio::test]
async fn probes_and_scrapes_are_no_traces() {
    let mut recorded = Recorded::new(true);
    let api = api(&recorded);
    for path in ["/v1/health", "/v1/health/live", "/v1/health/ready", "/v1/metrics"] {
        api.get(path).await;
    }
    assert_eq!(recorded.spans(), []);
    api.get("/v1/nowhere").await;
    assert_eq!(tree(&recorded.spans()), "GET other\n");
}
