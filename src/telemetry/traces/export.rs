//! Hands spans to a collector, in batches.
//!
//! Nobody waits for it: a bounded queue leads to one task. While the collector is away, slow or refuses, the queue fills,
//! and what there is no room for is dropped and counted. Records and requests do not notice.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::otlp;
use super::protobuf::{Field, fields};
use super::settings::TraceSettings;
use super::span::SpanBatch;
use crate::telemetry::metrics::TraceMetrics;

/// Before the second attempt at a batch; before each later one twice as long as before the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How long a batch is tried. After that the spans that wait behind it are of more use.
const LONGEST_TRY: Duration = Duration::from_secs(60);
/// The longest pause that a collector may ask for.
const LONGEST_REQUESTED: Duration = Duration::from_secs(300);
/// How long the last batch may take of a process that ends.
const LAST_EXPORT: Duration = Duration::from_millis(700);
/// Bytes of an answer that are read. One that accepts everything has two at most.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Where traces are handed over that have ended.
#[derive(Debug, Clone)]
pub struct Exporter {
    queue: mpsc::Sender<SpanBatch>,
    /// Spans that wait.
    waiting: Arc<AtomicUsize>,
    max_waiting: usize,
    metrics: TraceMetrics,
}

/// The task behind it.
pub struct ExportWorker {
    settings: TraceSettings,
    client: Client,
    queue: mpsc::Receiver<SpanBatch>,
    waiting: Arc<AtomicUsize>,
    metrics: TraceMetrics,
    /// Whether the last export failed, which is said once.
    is_failing: bool,
    /// Until when the collector wants to be left alone.
    not_before: Instant,
}

/// Why a batch was not taken.
enum ExportError {
    /// It may be taken later, perhaps after the pause that the collector asks for.
    Passing(String, Option<Duration>),
    /// It never will be.
    Lasting(String),
}

impl Exporter {
    /// An exporter, and the task that its spans wait for. Connects to nothing yet.
    ///
    /// # Errors
    /// A sentence that says which setting cannot be used.
    pub fn open(settings: TraceSettings, metrics: TraceMetrics) -> Result<(Self, ExportWorker), String> {
        let (max_waiting, waiting) = (settings.queue_spans, Arc::new(AtomicUsize::new(0)));
        // A trace has one span at least.
        let (sender, queue) = mpsc::channel(max_waiting);
        let client = client(&settings)?;
        let exporter = Self { queue: sender, waiting: Arc::clone(&waiting), max_waiting, metrics: metrics.clone() };
        Ok((
            exporter,
            ExportWorker { settings, client, queue, waiting, metrics, is_failing: false, not_before: Instant::now() },
        ))
    }

    /// An exporter without a collector, and what it would have got.
    #[cfg(test)]
    pub(super) fn to_queue(max_waiting: usize) -> (Self, mpsc::Receiver<SpanBatch>) {
        let (sender, queue) = mpsc::channel(max_waiting);
        let waiting = Arc::new(AtomicUsize::new(0));
        (Self { queue: sender, waiting, max_waiting, metrics: TraceMetrics::default() }, queue)
    }

    /// Hands over a trace that has ended, of which so many spans were left out. Never waits: without room it is dropped
    /// as a whole.
    pub(super) fn hand_over(&self, batch: SpanBatch, left_out: u64) {
        self.metrics.too_many.inc_by(left_out);
        let spans = batch.spans.len();
        let before = self.waiting.fetch_add(spans, Ordering::Relaxed);
        if before + spans <= self.max_waiting && self.queue.try_send(batch).is_ok() {
            return;
        }
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        self.metrics.queue_full.inc_by(spans as u64);
    }
}

fn client(settings: &TraceSettings) -> Result<Client, String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    if settings.is_compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    for (name, value) in &settings.headers {
        let wrong = || format!("{name} in OTEL_EXPORTER_OTLP_HEADERS cannot be a header");
        let mut secret = HeaderValue::from_str(value.expose()).map_err(|_| wrong())?;
        secret.set_sensitive(true);
        headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, secret);
    }
    Client::builder()
        .user_agent(concat!("structured-prompt/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .timeout(settings.timeout)
        // One export at a time.
        .pool_max_idle_per_host(1)
        // A redirect would carry credentials to a host that nobody configured.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|error| format!("traces cannot be exported: {error}"))
}

impl ExportWorker {
    /// Exports until it is told to stop, and then what is left, as far as that is soon done.
    pub async fn run(mut self, stop: CancellationToken) {
        while let Some(batches) = self.collect(&stop).await {
            let Some(unsent) = stop.run_until_cancelled(self.export(&batches)).await else {
                // The collector was being waited for. There is no time for that any more.
                let last = self.send(&batches);
                if !matches!(timeout(LAST_EXPORT, last).await, Ok(Ok(()))) {
                    self.metrics.unreachable.inc_by(count(&batches));
                }
                break;
            };
            if let Some(counter) = unsent {
                counter.inc_by(count(&batches));
            }
        }
        let mut left = Vec::new();
        while let Ok(batch) = self.queue.try_recv() {
            left.push(batch);
        }
        if !left.is_empty() && !matches!(timeout(LAST_EXPORT, self.send(&left)).await, Ok(Ok(()))) {
            self.metrics.unreachable.inc_by(count(&left));
        }
    }

    /// The next batch: full, or as much as there is after the delay. `None` when it is told to stop.
    async fn collect(&mut self, stop: &CancellationToken) -> Option<Vec<SpanBatch>> {
        let first = stop.run_until_cancelled(self.queue.recv()).await??;
        let (mut spans, mut batches, due) = (first.spans.len(), vec![first], Instant::now() + self.settings.delay);
        while spans < self.settings.batch_spans {
            let next = stop.run_until_cancelled(timeout_at(due, self.queue.recv())).await;
            let Some(Ok(Some(batch))) = next else { break };
            spans += batch.spans.len();
            batches.push(batch);
        }
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
        Some(batches)
    }

    /// Tries a batch until it is taken. Otherwise returns what its spans count as.
    async fn export(&mut self, batches: &[SpanBatch]) -> Option<prometheus_client::metrics::counter::Counter> {
        sleep_until(self.not_before).await;
        let (began_at, mut pause) = (Instant::now(), FIRST_PAUSE);
        loop {
            let (why, asked_for) = match self.send(batches).await {
                Ok(()) => {
                    if std::mem::take(&mut self.is_failing) {
                        tracing::info!(endpoint = self.settings.collector(), "traces are exported again");
                    }
                    return None;
                }
                Err(ExportError::Lasting(why)) => {
                    self.say(&why);
                    return Some(self.metrics.refused.clone());
                }
                Err(ExportError::Passing(why, asked_for)) => (why, asked_for),
            };
            self.say(&why);
            let jittered = pause.mul_f64(fastrand::f64().mul_add(0.4, 0.8));
            let wait = asked_for.unwrap_or_default().max(jittered);
            if began_at.elapsed() + wait > LONGEST_TRY {
                // What the collector asked for holds for the next batch as well.
                self.not_before = Instant::now() + asked_for.unwrap_or_default().min(LONGEST_REQUESTED);
                return Some(self.metrics.unreachable.clone());
            }
            sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn say(&mut self, why: &str) {
        self.metrics.export_errors.inc();
        if !std::mem::replace(&mut self.is_failing, true) {
            let endpoint = self.settings.collector();
            tracing::warn!(endpoint, why, "traces are not exported; what there is no room for is dropped");
        }
    }

    /// One attempt.
    async fn send(&self, batches: &[SpanBatch]) -> Result<(), ExportError> {
        let mut body = otlp::request(&self.settings.resource, batches);
        if self.settings.is_compressed {
            body = compressed(&body).map_err(|error| ExportError::Lasting(error.to_string()))?;
        }
        let response = self.client.post(&self.settings.endpoint).body(body).send().await;
        // Without the URL, which may carry a credential.
        let response = response.map_err(|error| ExportError::Passing(reason(&error.without_url()), None))?;
        let status = response.status();
        if !status.is_success() {
            return Err(not_taken(status, &response));
        }
        let rejected = rejected(response).await.min(count(batches));
        self.metrics.refused.inc_by(rejected);
        self.metrics.exported.inc_by(count(batches) - rejected);
        Ok(())
    }
}

/// Why the collector has not taken a batch (OTLP 1.9, section «OTLP/HTTP Response»).
fn not_taken(status: StatusCode, response: &Response) -> ExportError {
    let why = format!("the collector answers {status}");
    let may_pass = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    );
    if !may_pass {
        return ExportError::Lasting(why);
    }
    let pause = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    ExportError::Passing(why, pause.map(Duration::from_secs))
}

/// The error with its causes: what reqwest says by itself is only that there is one.
fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// How many spans the collector has not taken though it has taken the batch (`partial_success`).
async fn rejected(mut response: Response) -> u64 {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    let partial = fields(&body).find_map(|field| if let (1, Field::Bytes(bytes)) = field { Some(bytes) } else { None });
    let rejected = partial.and_then(|partial| {
        fields(partial).find_map(|field| if let (1, Field::Number(spans)) = field { Some(spans) } else { None })
    });
    rejected.unwrap_or(0)
}

fn compressed(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

fn count(batches: &[SpanBatch]) -> u64 {
    batches.iter().map(|batch| batch.spans.len() as u64).sum()
}

#[cfg(test)]
mod tests;
