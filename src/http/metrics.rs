//! `GET /v1/metrics`: what Prometheus scrapes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::state::ApiState;
use crate::telemetry::metrics::TextFormat;

/// The media type that a client names who reads OpenMetrics.
const OPEN_METRICS: &str = "application/openmetrics-text";

/// Metrics as text
///
/// In the classic format of Prometheus, or as OpenMetrics, with exemplars, for clients whose `Accept` names that.
#[utoipa::path(
    get, path = "/v1/metrics", tag = "Operations", operation_id = "metrics",
    responses((status = 200, description = "The metrics", content(
        (String = "text/plain", example = json!("# TYPE sp_ready gauge\nsp_ready 1\n")),
        (String = "application/openmetrics-text", example = json!("# TYPE sp_ready gauge\nsp_ready 1\n# EOF\n")),
    ))),
)]
pub async fn metrics(State(state): State<ApiState>, headers: HeaderMap) -> Response {
    let format = format(&headers);
    let asking = Arc::clone(&state);
    // Thousands of series take milliseconds.
    match asking.computed(move || state.metrics.encode(format)).await {
        Ok(Ok(text)) => {
            let content_type = HeaderValue::from_static(format.content_type());
            ([(header::CONTENT_TYPE, content_type), (header::VARY, HeaderValue::from_static("accept"))], text)
                .into_response()
        }
        Ok(Err(_written_to_memory)) => Problem::defect().into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// OpenMetrics for clients who name it and do not refuse it. Who takes anything may be a person or an old tool.
fn format(headers: &HeaderMap) -> TextFormat {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let mut ranges = lines.flat_map(|line| line.split(','));
    let is_open_metrics = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let is_named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(OPEN_METRICS));
        is_named && !parts.any(|parameter| parameter.strip_prefix("q=").is_some_and(is_zero))
    };
    if ranges.any(is_open_metrics) { TextFormat::OpenMetrics } else { TextFormat::Classic }
}

fn is_zero(weight: &str) -> bool {
    weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::body::Body;
    use axum::http::Request;

    use super::*;
    use crate::domain::health::{Component, Status};
    use crate::http::health::show_in_metrics;
    use crate::http::testing::{Answer, Api, parts};
    use crate::ports::health::Health;
    use crate::ports::model::FakeModel;

    /// As Prometheus 3 asks.
    const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
         application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";

    async fn scraped(api: &Api, accept: Option<&str>) -> Answer {
        let request = Request::get("/v1/metrics");
        let request = accept.into_iter().fold(request, |request, accept| request.header("accept", accept));
        api.send(request.body(Body::empty()).unwrap()).await
    }

    #[tokio::test]
    async fn whoever_names_open_metrics_gets_it_and_all_others_the_classic_format() {
        let api = Api::new(parts(&[Arc::new(FakeModel::default())]));
        for (accept, is_open_metrics) in [
            (None, false),
            (Some("*/*"), false),
            (Some("text/plain"), false),
            (Some("text/html, application/openmetrics-text;q=0"), false),
            (Some("application/openmetrics-text"), true),
            (Some(PROMETHEUS), true),
        ] {
            let answer = scraped(&api, accept).await;
            let expected = if is_open_metrics { TextFormat::OpenMetrics } else { TextFormat::Classic };
            assert_eq!(answer.header("content-type"), expected.content_type(), "{accept:?}");
            assert_eq!(answer.text.ends_with("# EOF\n"), is_open_metrics, "{accept:?}: {answer:?}");
            assert_eq!(
                answer.text.contains("# TYPE sp_journal_errors_total counter\n"),
                !is_open_metrics,
                "{accept:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_recorded_trace_is_an_exemplar_of_its_latency() {
        let api = Api::new(parts(&[]));
        let ask = async |flags: &str| {
            let traceparent = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
            let request = Request::get("/v1/health").header("traceparent", traceparent);
            api.send(request.body(Body::empty()).unwrap()).await;
            scraped(&api, Some(PROMETHEUS)).await.text.contains("# {trace_id=\"0af7651916cd43dd8448eb211c80319c\"}")
        };
        assert!(!ask("00").await, "nobody recorded it");
        assert!(ask("01").await);
    }

    #[tokio::test]
    async fn readiness_and_parts_are_shown_as_they_are_at_the_scrape() {
        struct Broken;
        impl Health for Broken {
            fn components(&self) -> Vec<Component> {
                let component = |kind, name: &str, status, is_ready| {
                    let (name, facts) = (name.to_owned(), Vec::new());
                    Component { kind, name, status, latency: None, detail: None, facts, is_ready, is_alive: true }
                };
                vec![
                    component("provider", "claude", Status::Up, true),
                    component("connector", "tickets", Status::Degraded, true),
                ]
            }
        }
        let mut parts = parts(&[]);
        parts.health = Arc::new(Broken);
        show_in_metrics(&parts);
        let open_requests = parts.open_requests.clone();
        let api = Api::new(parts);
        let text = scraped(&api, None).await.text;
        for line in [
            "\nsp_ready 1\n",
            "\nsp_component_health{kind=\"provider\",name=\"claude\"} 1.0\n",
            "\nsp_component_health{kind=\"connector\",name=\"tickets\"} 0.5\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        open_requests.close();
        assert!(scraped(&api, None).await.text.contains("\nsp_ready 0\n"), "it is about to end");
    }

    #[tokio::test]
    async fn whatever_is_sent_makes_few_series() {
        let api = Api::new(parts(&[]));
        let (mut sent, methods) = (0, ["GET", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "X1", "X2", "X3"]);
        for endpoint in crate::http::endpoint::ENDPOINTS.iter().chain(&["/nothing/{n}", "/v1/requests/{n}"]) {
            for method in methods {
                for number in 0..3 {
                    let path = endpoint.replace("{n}", &number.to_string()).replace(['{', '}', '*'], "");
                    api.request(method, &path).await;
                    sent += 1;
                }
            }
        }
        let text = scraped(&api, None).await.text;
        let series = |name: &str| text.lines().filter(|line| line.starts_with(name)).count();
        let endpoints: BTreeSet<&str> =
            text.lines().filter_map(|line| line.strip_prefix("sp_http_requests_total{")?.split('"').nth(3)).collect();
        assert!(endpoints.len() <= crate::http::endpoint::ENDPOINTS.len() + 1, "{endpoints:?}");
        let (requests, durations) = (series("sp_http_requests_total{"), series("sp_http_request_seconds"));
        assert!(sent > 900 && requests < 150, "{requests} series of {sent} requests");
        assert!(durations < 2_500, "{durations} series of durations");
    }
}
