//! The handles of HTTP requests.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::latency::{self, Exemplar, Latencies, latencies};

/// The status of a method that a route does not take.
const METHOD_NOT_ALLOWED: u16 = 405;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Requests {
    method: &'static str,
    endpoint: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Durations {
    method: &'static str,
    endpoint: &'static str,
    status_class: &'static str,
}

/// The metrics of HTTP requests.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    requests: Family<Requests, Counter>,
    seconds: Latencies<Durations>,
    in_flight: Gauge,
}

/// A request that has ended.
#[derive(Debug, Clone, Copy)]
pub struct EndedRequest {
    /// Its method, one of a fixed list.
    pub method: &'static str,
    /// The pattern of its route, never a path as sent.
    pub endpoint: &'static str,
    /// The status of its answer.
    pub status: u16,
    /// How long it took.
    pub took: Duration,
    /// Its trace, if that is recorded.
    pub exemplar: Option<Exemplar>,
}

impl Default for HttpMetrics {
    fn default() -> Self {
        Self { requests: Family::default(), seconds: latencies(), in_flight: Gauge::default() }
    }
}

impl HttpMetrics {
    /// A request has come.
    pub fn begun(&self) {
        self.in_flight.inc();
    }

    /// It has its answer, or its client has gone.
    pub fn ended(&self, request: EndedRequest) {
        let EndedRequest { method, endpoint, status, took, exemplar } = request;
        // Anybody can send any method to any route: those that it does not take are one.
        let method = if status == METHOD_NOT_ALLOWED { "other" } else { method };
        self.in_flight.dec();
        self.requests.get_or_create(&Requests { method, endpoint, status }).inc();
        let labels = Durations { method, endpoint, status_class: class(status) };
        latency::observe(&self.seconds.get_or_create(&labels), took, exemplar);
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("http_requests", "HTTP requests", self.requests.clone());
        registry.register("http_request_seconds", "Duration of an HTTP request", self.seconds.clone());
        registry.register("http_requests_in_flight", "HTTP requests under way", self.in_flight.clone());
    }
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::{Metrics, TextFormat};

    #[test]
    fn durations_have_a_bound_at_two_and_at_five_seconds_and_name_a_recorded_trace() {
        let metrics = Metrics::default();
        let trace_id = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.into();
        let exemplar = Some(Exemplar { trace_id, at: Duration::from_secs(1_700_000_000) });
        let took = Duration::from_secs(3);
        let request = EndedRequest { method: "POST", endpoint: "/v1/analyze", status: 503, took, exemplar };
        metrics.http().begun();
        metrics.http().ended(request);
        let text = metrics.encode(TextFormat::OpenMetrics).unwrap();
        let line = |le: &str| {
            let start = format!("sp_http_request_seconds_bucket{{le=\"{le}\",");
            text.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no {le}: {text}"))
        };
        assert!(line("2.0").ends_with("status_class=\"5xx\"} 0"), "{text}");
        assert!(line("5.0").contains("} 1 # {trace_id=\"0af7651916cd43dd8448eb211c80319c\"} 3.0 1700000000"), "{text}");
        assert!(line("10.0").ends_with("} 1"), "{text}");
    }

    #[test]
    fn requests_under_way_are_counted_until_they_end() {
        let metrics = Metrics::default();
        let in_flight = || {
            let text = metrics.encode(TextFormat::OpenMetrics).unwrap();
            let value = text.lines().find_map(|line| line.strip_prefix("sp_http_requests_in_flight "));
            value.unwrap_or_default().to_owned()
        };
        metrics.http().begun();
        metrics.http().begun();
        assert_eq!(in_flight(), "2");
        let took = Duration::ZERO;
        metrics.http().ended(EndedRequest { method: "GET", endpoint: "other", status: 404, took, exemplar: None });
        assert_eq!(in_flight(), "1");
    }

    #[test]
    fn methods_that_a_route_does_not_take_are_one_series() {
        let metrics = Metrics::default();
        for method in ["PUT", "PATCH", "DELETE", "other"] {
            metrics.http().begun();
            let took = Duration::ZERO;
            metrics.http().ended(EndedRequest { method, endpoint: "/v1/health", status: 405, took, exemplar: None });
        }
        let text = metrics.encode(TextFormat::OpenMetrics).unwrap();
        let series: Vec<&str> = text.lines().filter(|line| line.starts_with("sp_http_requests_total{")).collect();
        assert_eq!(series, [r#"sp_http_requests_total{method="other",endpoint="/v1/health",status="405"} 4"#]);
    }
}
