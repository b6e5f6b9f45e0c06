use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use super::*;
use crate::domain::tenant::Tenant;
use crate::http::auth::Authenticator;
use crate::http::testing::{Answer, Api, parts};
use crate::ports::clock::ManualClock;
use crate::ports::keys::{Keys as _, MemoryKeys, NewKey};
use crate::ports::request_log::{LoggedRequest, MemoryRequestLog, RequestLog as _};

const START: u64 = 1_800_000_000;

fn logged(tenant: &Tenant, n: u64) -> LoggedRequest {
    LoggedRequest {
        tenant: tenant.clone(),
        request_id: format!("request-{n}"),
        created_at: Duration::from_secs(START + n),
        endpoint: "/v1/analyze",
        api_key_id: Some(format!("key-{}", n % 2)),
        status: if n == 3 { 422 } else { 200 },
        code: (n == 3).then(|| "answer_invalid".to_owned()),
        provider: Some(if n == 4 { "claude" } else { "gpt" }.to_owned()),
        model: Some("m".to_owned()),
        schema: Some("invoice@1.0.0".to_owned()),
        template: None,
        processing_time: Duration::from_micros(1500),
        input_tokens: n,
        output_tokens: 2,
        cost_usd: 0.25,
        cached: false,
        validation_status: Some("passed"),
        confidence: Some(0.5),
        prompt: (n == 4).then(|| "a prompt".to_owned()),
        data: (n == 4).then(|| r#"{"n":1.50}"#.to_owned()),
    }
}

/// An API that has taken five requests of the default team down.
fn api() -> Api {
    let log = MemoryRequestLog::default();
    (0..5).for_each(|n| log.log(logged(&Tenant::default(), n)));
    Api::new(crate::http::state::ApiParts { request_history: Some(Arc::new(log)), ..parts(&[]) })
}

fn ids(answer: &Answer) -> Vec<String> {
    let page = answer.json();
    let rows = page["data"].as_array().unwrap_or_else(|| panic!("{page}"));
    rows.iter().map(|row| row["request_id"].as_str().unwrap().trim_start_matches("request-").to_owned()).collect()
}

#[tokio::test]
async fn a_request_is_shown_with_everything_that_is_known_of_it() {
    let api = api();
    let expected = json!({
        "request_id": "request-3", "created_at": "2027-01-15T08:00:03.000Z", "endpoint": "/v1/analyze",
        "api_key_id": "key-1", "status": 422, "code": "answer_invalid", "provider": "gpt", "model": "m",
        "schema": "invoice@1.0.0", "template": null, "processing_time_ms": 1, "input_tokens": 3, "output_tokens": 2,
        "cost_usd": 0.25, "cached": false, "validation_status": "passed", "confidence": 0.5,
    });
    assert_eq!(api.get("/v1/requests/request-3").await.json(), expected, "no texts where none are kept");
    let with_texts = api.get("/v1/requests/request-4").await;
    assert_eq!(with_texts.json()["prompt"], "a prompt");
    assert!(with_texts.text.contains(r#""data":{"n":1.50}"#), "{with_texts:?}");
    for path in ["/v1/requests/request-9", "/v1/requests/%FF"] {
        assert_eq!(api.get(path).await.problem(), (404, "not_found".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn requests_are_listed_in_pages_and_found_by_what_is_asked_for() {
    let api = api();
    let first = api.get("/v1/requests?limit=3").await;
    assert_eq!((ids(&first), &first.json()["has_more"]), (["4", "3", "2"].map(str::to_owned).to_vec(), &json!(true)));
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let rest = api.get(&format!("/v1/requests?limit=3&after={next}")).await;
    assert_eq!((ids(&rest), &rest.json()["next"]), (["1", "0"].map(str::to_owned).to_vec(), &json!(null)));
    for (query, expected) in [
        ("key_id=key-1", vec!["3", "1"]),
        ("provider=claude", vec!["4"]),
        ("status=422", vec!["3"]),
        ("code=answer_invalid", vec!["3"]),
        ("code=answer_invalid&provider=claude", vec![]),
        ("from=2027-01-15T08:00:03Z", vec!["4", "3"]),
        ("from=2027-01-15T09:00:01%2B01:00&to=2027-01-15T08:00:03Z", vec!["2", "1"]),
    ] {
        assert_eq!(ids(&api.get(&format!("/v1/requests?{query}")).await), expected, "{query}");
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_the_query_is_said_at_once() {
    let api = api();
    let query = "from=yesterday&to=2027-01-15&status=9&limit=101&after=x&code=a&code=b&page=2";
    let refused = api.get(&format!("/v1/requests?{query}")).await;
    assert_eq!(refused.problem(), (400, "invalid_request".to_owned()));
    assert_eq!(refused.places(), ["?from", "?to", "?status", "?code", "?limit", "?after", "?page"]);
    let refused = api.get("/v1/requests?from=2027-01-15T08:00:00Z&to=2027-01-15T08:00:00Z").await;
    assert_eq!(refused.places(), ["?to"]);
    assert_eq!(api.get("/v1/requests/request-3?x=1").await.places(), ["?x"]);
}

#[tokio::test]
async fn a_team_sees_its_own_requests_only() {
    let clock = Arc::new(ManualClock::default());
    let (keys, log) = (Arc::new(MemoryKeys::new(clock.clone())), MemoryRequestLog::default());
    let mut parts = parts(&[]);
    parts.authenticator = Arc::new(Authenticator::keys(Some(keys.clone()), clock, Arc::default()));
    let mut bearers = Vec::new();
    for (n, team) in (0..).zip(["sales", "research"]) {
        let tenant = Tenant::of_team(team).unwrap();
        log.log(logged(&tenant, n));
        let new = NewKey { tenant, name: "mine".to_owned(), rate_limit: 100, expires_at: None };
        bearers.push(format!("Bearer {}", keys.create(new).await.unwrap().0.expose()));
    }
    parts.request_history = Some(Arc::new(log));
    let api = Api::new(parts);
    let get = async |path: &str, key: usize| {
        let request = Request::get(path).header("authorization", &bearers[key]);
        api.send(request.body(Body::empty()).unwrap()).await
    };
    for key in 0..2 {
        assert_eq!(ids(&get("/v1/requests", key).await), [key.to_string()]);
        assert_eq!(get(&format!("/v1/requests/request-{key}"), key).await.status, 200);
        assert_eq!(get(&format!("/v1/requests/request-{}", 1 - key), key).await.status, 404);
        assert_eq!(
            get("/v1/usage?to=2030-01-01T00:00:00Z&from=2029-01-01T00:00:00Z", key).await.json()["data"],
            json!([])
        );
        let sums = get("/v1/usage?from=2027-01-01T00:00:00Z&to=2027-02-01T00:00:00Z", key).await.json();
        assert_eq!(sums["data"][0]["requests"], 1);
    }
    assert_eq!(api.get("/v1/requests").await.problem().0, 401);
}

#[tokio::test]
async fn a_store_that_is_away_or_none_is_said() {
    let log = MemoryRequestLog::default();
    log.set_away(Some("as told"));
    let away = Api::new(crate::http::state::ApiParts { request_history: Some(Arc::new(log)), ..parts(&[]) });
    let none = Api::new(parts(&[]));
    for path in ["/v1/requests", "/v1/requests/a", "/v1/usage"] {
        let refused = away.get(path).await;
        assert_eq!(refused.problem(), (503, "store_unavailable".to_owned()), "{path}");
        assert_eq!(refused.header("retry-after"), "1");
        assert!(none.get(path).await.json()["detail"].as_str().unwrap().contains("store.url"), "{path}");
    }
}
