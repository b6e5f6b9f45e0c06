use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::domain::latency_histogram::LatencyHistogram;
use crate::domain::tenant::Tenant;
use crate::http::state::ApiParts;
use crate::http::testing::{Api, parts};
use crate::ports::clock::ManualClock;
use crate::ports::request_log::{LoggedRequest, MemoryRequestLog, RequestLog as _};

/// Wednesday, 20 November 2024, 15:42:07 UTC.
const NOW: Duration = Duration::from_secs(1_732_117_327);
const HOUR: u64 = 3600;

/// An API with a request each day for forty days, the last one a second ago.
fn api() -> Api {
    let (log, clock) = (MemoryRequestLog::default(), ManualClock::default());
    clock.advance(NOW);
    for n in 0..40 {
        log.log(LoggedRequest {
            tenant: Tenant::default(),
            request_id: n.to_string(),
            created_at: NOW - Duration::from_secs(n * 24 * HOUR + 1),
            endpoint: "/v1/analyze",
            api_key_id: None,
            status: if n == 0 { 422 } else { 200 },
            code: None,
            provider: Some(if n % 2 == 0 { "claude" } else { "gpt" }.to_owned()),
            model: None,
            schema: None,
            template: None,
            processing_time: Duration::from_millis(800),
            input_tokens: 10,
            output_tokens: 1,
            cost_usd: 0.1,
            cached: n == 0,
            validation_status: None,
            confidence: None,
            prompt: None,
            data: None,
        });
    }
    let parts = ApiParts { request_history: Some(Arc::new(log)), clock: Arc::new(clock), ..parts(&[]) };
    Api::new(parts)
}

async fn sums(query: &str) -> Vec<Value> {
    let answer = api().get(&format!("/v1/usage{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn without_parameters_it_is_the_last_thirty_days_by_day() {
    let sums = sums("").await;
    assert_eq!(sums.len(), 31, "the first of them is a part of a day");
    let mut latency = LatencyHistogram::default();
    latency.record(Duration::from_millis(800));
    let p50 = tenths_of_ms(latency.quantile(0.5).unwrap());
    let expected = json!({
        "start": "2024-11-20T00:00:00.000Z", "group": null, "requests": 1, "errors": 1, "cached": 1, "input_tokens": 10,
        "output_tokens": 1, "cost_usd": 0.1, "p50_ms": p50, "p95_ms": tenths_of_ms(latency.quantile(0.95).unwrap()),
    });
    assert_eq!(sums.last(), Some(&expected));
    assert!((560.0..=1000.0).contains(&p50), "{p50} is near 800");
}

#[tokio::test]
async fn weeks_and_months_are_those_of_the_calendar_and_have_groups() {
    let months = sums("?interval=month&from=2024-10-01T00:00:00Z&group_by=provider").await;
    let seen: Vec<_> = months
        .iter()
        .map(|sum| (sum["start"].as_str().unwrap(), sum["group"].as_str().unwrap(), sum["requests"].as_u64().unwrap()))
        .collect();
    let (october, november) = ("2024-10-01T00:00:00.000Z", "2024-11-01T00:00:00.000Z");
    assert_eq!(seen, [(october, "claude", 10), (october, "gpt", 10), (november, "claude", 10), (november, "gpt", 10)]);
    let weeks = sums("?interval=week&from=2024-11-11T00:00:00Z").await;
    let seen: Vec<_> = weeks.iter().map(|sum| (&sum["start"], sum["requests"].as_u64().unwrap())).collect();
    assert_eq!(seen, [(&json!("2024-11-11T00:00:00.000Z"), 7), (&json!("2024-11-18T00:00:00.000Z"), 3)]);
    let by_status = sums("?interval=month&group_by=status&from=2024-11-01T00:00:00Z").await;
    assert_eq!((&by_status[0]["group"], &by_status[1]["group"]), (&json!("200"), &json!("422")));
    assert_eq!(sums("?group_by=model&interval=hour&from=2024-11-20T00:00:00Z").await[0]["group"], json!(null));
}

#[tokio::test]
async fn what_is_wrong_is_named_and_no_time_is_too_long_to_be_read() {
    for (query, places) in [
        ("interval=minute&group_by=team&from=x&to=y&sum=1", vec!["?from", "?to", "?interval", "?group_by", "?sum"]),
        ("from=2024-11-20T00:00:00Z&to=2024-11-19T00:00:00Z", vec!["?to"]),
        ("interval=hour&from=2024-10-20T15:42:06Z", vec!["?from"]),
        ("interval=month&from=2022-11-17T00:00:00Z", vec!["?from"]),
    ] {
        let refused = api().get(&format!("/v1/usage?{query}")).await;
        assert_eq!(refused.problem(), (400, "invalid_request".to_owned()), "{query}");
        assert_eq!(refused.places(), places, "{query}");
    }
    assert_eq!(sums("?interval=hour&from=2024-10-20T15:42:07Z").await.len(), 32);
    assert!(!sums("?interval=month&from=2022-11-20T00:00:00Z").await.is_empty());
}
