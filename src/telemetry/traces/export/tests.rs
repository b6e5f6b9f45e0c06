use std::io::Read as _;
use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap as Headers;
use axum::response::{IntoResponse as _, Response as Answer};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::*;
use crate::telemetry::traces::settings;
use crate::telemetry::traces::span::{Span, SpanKind};
use crate::telemetry::traces::testing::ReadExport;

/// What a collector does with an export, and what it got.
struct Collector {
    answers: Mutex<Vec<Answer>>,
    exports: Mutex<Vec<(Headers, Vec<u8>)>>,
    delay: Duration,
}

impl Collector {
    /// Listens; the last answer is repeated.
    async fn start(answers: Vec<Answer>, delay: Duration) -> (Arc<Self>, String) {
        let mut answers = answers;
        answers.reverse();
        let collector = Arc::new(Self { answers: Mutex::new(answers), exports: Mutex::default(), delay });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(Arc::clone(&collector));
        drop(Handle::current().spawn(async move { axum::serve(listener, router).await }));
        (collector, endpoint)
    }

    fn exports(&self) -> usize {
        self.exports.lock().unwrap().len()
    }
}

async fn take(State(collector): State<Arc<Collector>>, headers: Headers, body: Bytes) -> Answer {
    collector.exports.lock().unwrap().push((headers, body.to_vec()));
    sleep(collector.delay).await;
    collector.answers.lock().unwrap().pop().unwrap_or_else(|| ().into_response())
}

fn status(status: u16) -> Answer {
    StatusCode::from_u16(status).unwrap().into_response()
}

/// An exporter to this endpoint, with these variables, at work.
struct Working {
    exporter: Exporter,
    metrics: TraceMetrics,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Working {
    fn new(endpoint: &str, variables: &[(&str, &str)]) -> Self {
        let get = |name: &str| match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(endpoint),
            "OTEL_BSP_SCHEDULE_DELAY" => Some("20"),
            _ => variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value),
        };
        let (metrics, stop) = (TraceMetrics::default(), CancellationToken::new());
        let (exporter, worker) = Exporter::open(settings::read(get).unwrap().unwrap(), metrics.clone()).unwrap();
        let task = Handle::current().spawn(worker.run(stop.clone()));
        Self { exporter, metrics, stop, task }
    }

    fn hand_over(&self, spans: usize) {
        let span = Span {
            attributes: vec![("sp.stage", "ask".into())],
            ended_at: Duration::from_secs(2),
            ..Span::begun(7, None, "ask".into(), SpanKind::Internal, Duration::from_secs(1))
        };
        let (has_remote_parent, tracestate) = (false, None);
        let spans = vec![span; spans];
        let batch = SpanBatch { trace_id: 1_u128.into(), is_sampled: true, has_remote_parent, tracestate, spans };
        self.exporter.hand_over(batch, 0);
    }

    async fn until(&self, is_reached: impl Fn(&TraceMetrics) -> bool) {
        let all = async {
            while !is_reached(&self.metrics) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), all).await.unwrap_or_else(|_| panic!("{:?}", self.metrics));
    }

    /// Tells it to stop. How long that took.
    async fn stop(self) -> Duration {
        let began_at = Instant::now();
        self.stop.cancel();
        self.task.await.unwrap();
        began_at.elapsed()
    }
}

#[tokio::test]
async fn a_collector_gets_compressed_batches_with_the_users_headers_and_names() {
    let (collector, endpoint) = Collector::start(Vec::new(), Duration::ZERO).await;
    let variables = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20key"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_SERVICE_NAME", "triage"),
    ];
    let working = Working::new(&endpoint, &variables);
    working.hand_over(2);
    working.hand_over(1);
    working.until(|metrics| metrics.exported.get() == 3).await;
    let exports = std::mem::take(&mut *collector.exports.lock().unwrap());
    let [(headers, body)] = &exports[..] else { panic!("one batch") };
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert_eq!(headers["authorization"], "Bearer key");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut bytes).unwrap();
    let export = ReadExport::of(&bytes);
    assert_eq!(export.resource["service.name"], "triage");
    assert_eq!(export.spans.len(), 3);
    assert_eq!(export.spans[0].attribute("sp.stage"), "ask");
}

#[tokio::test]
async fn a_collector_that_is_busy_is_asked_again() {
    let (collector, endpoint) = Collector::start(vec![status(503), status(429)], Duration::ZERO).await;
    let working = Working::new(&endpoint, &[]);
    working.hand_over(1);
    working.until(|metrics| metrics.exported.get() == 1).await;
    assert_eq!((collector.exports(), working.metrics.export_errors.get()), (3, 2));
}

#[tokio::test]
async fn a_collector_that_asks_for_no_pause_gets_one_all_the_same() {
    let at_once = (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")]).into_response();
    let (collector, endpoint) = Collector::start(vec![at_once], Duration::ZERO).await;
    let (working, began_at) = (Working::new(&endpoint, &[]), Instant::now());
    working.hand_over(1);
    working.until(|metrics| metrics.exported.get() == 1).await;
    assert!(began_at.elapsed() >= FIRST_PAUSE.mul_f64(0.8), "{:?}", began_at.elapsed());
    assert_eq!(collector.exports(), 2);
}

#[tokio::test]
async fn what_a_collector_refuses_is_counted_and_not_sent_again() {
    // The second answer has taken all but two: partial_success { rejected_spans: 2 }.
    let partial = vec![0x0a, 0x02, 0x08, 0x02].into_response();
    let (collector, endpoint) = Collector::start(vec![status(400), partial], Duration::ZERO).await;
    let working = Working::new(&endpoint, &[]);
    working.hand_over(3);
    working.until(|metrics| metrics.refused.get() == 3).await;
    working.hand_over(5);
    working.until(|metrics| metrics.exported.get() == 3).await;
    assert_eq!((collector.exports(), working.metrics.refused.get()), (2, 5));
}

#[tokio::test]
async fn nobody_waits_for_a_collector_that_is_slow_or_away_and_what_has_no_room_is_counted() {
    let (_collector, slow) = Collector::start(Vec::new(), Duration::from_secs(60)).await;
    let away = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    for endpoint in [slow, away] {
        let working = Working::new(&endpoint, &[("OTEL_BSP_MAX_QUEUE_SIZE", "100")]);
        let began_at = Instant::now();
        (0..10_000).for_each(|_| working.hand_over(1));
        assert!(began_at.elapsed() < Duration::from_secs(1), "{:?}", began_at.elapsed());
        working.until(|metrics| metrics.queue_full.get() >= 9_000).await;
        let took = working.stop().await;
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}

#[tokio::test]
async fn what_is_left_is_exported_when_the_process_ends() {
    let (collector, endpoint) = Collector::start(Vec::new(), Duration::ZERO).await;
    let working = Working::new(&endpoint, &[]);
    let metrics = working.metrics.clone();
    working.hand_over(4);
    let took = working.stop().await;
    assert_eq!((collector.exports(), metrics.exported.get()), (1, 4), "{took:?}");
}

#[test]
fn a_header_that_cannot_be_one_is_named_without_its_value() {
    let get = |name: &str| match name {
        "OTEL_TRACES_EXPORTER" => Some("otlp"),
        "OTEL_EXPORTER_OTLP_HEADERS" => Some("x-key=canary%0a"),
        _ => None,
    };
    let error = Exporter::open(settings::read(get).unwrap().unwrap(), TraceMetrics::default()).err().unwrap();
    assert!(error.contains("x-key") && !error.contains("canary"), "{error}");
}
