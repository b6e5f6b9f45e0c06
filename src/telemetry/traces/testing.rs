//! Traces as a collector sees them, for tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;

use super::export::Exporter;
use super::otlp;
use super::protobuf::{Field, fields};
use super::sampler::Sampler;
use super::span::{SpanBatch, SpanKind};
use super::trace::Trace;
use super::tracer::{FirstSpan, TraceOrigin, Tracer};
use crate::ports::clock::Clock;

/// How far the clock moves at each look.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// A clock that moves whenever it is looked at, so that spans have an order.
#[derive(Debug, Default)]
struct TickingClock(AtomicU64);

impl Clock for TickingClock {
    fn now(&self) -> Duration {
        let looks = self.0.fetch_add(1, Ordering::Relaxed);
        TICK * u32::try_from(looks + 1).unwrap()
    }
}

/// A tracer, and what it would export.
pub(crate) struct Recorded {
    pub(crate) tracer: Arc<Tracer>,
    queue: mpsc::Receiver<SpanBatch>,
}

/// A span as a collector reads it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ReadSpan {
    pub(crate) trace_id: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) tracestate: String,
    pub(crate) name: String,
    pub(crate) kind: u64,
    pub(crate) began_at: u64,
    pub(crate) ended_at: u64,
    pub(crate) attributes: BTreeMap<String, String>,
    /// `trace id/span id` of the span that it links to.
    pub(crate) link: String,
    pub(crate) status: u64,
    pub(crate) flags: u64,
}

/// What one export says.
#[derive(Debug, Default)]
pub(crate) struct ReadExport {
    pub(crate) resource: BTreeMap<String, String>,
    pub(crate) spans: Vec<ReadSpan>,
}

impl Recorded {
    /// Records all traces, or those of failures alone.
    pub(crate) fn new(samples_all: bool) -> Self {
        // Above 0: failures are kept. No id of a test is among so few.
        let ratio = if samples_all { 1.0 } else { f64::EPSILON };
        Self::with(Sampler { ratio, follows_parent: true }, false)
    }

    pub(crate) fn with(sampler: Sampler, has_texts: bool) -> Self {
        let (exporter, queue) = Exporter::to_queue(10_000);
        let clock = Arc::new(TickingClock::default());
        Self { tracer: Arc::new(Tracer::new(sampler, has_texts, clock, exporter)), queue }
    }

    /// Begins a trace that nobody has decided about before.
    pub(crate) fn begin(&self) -> Trace {
        let origin = TraceOrigin::new_trace();
        let (is_sampled, began_at) = (self.tracer.samples(&origin), self.tracer.now());
        let first = FirstSpan { name: "first".into(), kind: SpanKind::Consumer, began_at, attributes: Vec::new() };
        self.tracer.begin(origin, is_sampled, first)
    }

    /// What was handed over since the last time.
    pub(crate) fn spans(&mut self) -> Vec<ReadSpan> {
        let mut batches = Vec::new();
        while let Ok(batch) = self.queue.try_recv() {
            batches.push(batch);
        }
        ReadExport::of(&otlp::request(&[], &batches)).spans
    }
}

impl ReadSpan {
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// The names of spans as a tree, in the order in which they began.
pub(crate) fn tree(spans: &[ReadSpan]) -> String {
    let is_known = |id: &str| spans.iter().any(|span| span.id == id);
    let mut text = String::new();
    for root in spans.iter().filter(|span| !is_known(&span.parent)) {
        write_tree(&mut text, spans, root, 0);
    }
    text
}

fn write_tree(text: &mut String, spans: &[ReadSpan], span: &ReadSpan, depth: usize) {
    let error = if span.status == 2 { " !" } else { "" };
    writeln!(text, "{}{}{error}", "  ".repeat(depth), span.name).unwrap();
    let mut children: Vec<_> = spans.iter().filter(|child| child.parent == span.id).collect();
    children.sort_by_key(|child| child.began_at);
    for child in children {
        write_tree(text, spans, child, depth + 1);
    }
}

impl ReadExport {
    /// Reads an `ExportTraceServiceRequest`.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut export = Self::default();
        for resource_spans in messages(bytes, 1) {
            for resource in messages(resource_spans, 1) {
                export.resource.extend(messages(resource, 1).map(attribute));
            }
            for scope_spans in messages(resource_spans, 2) {
                export.spans.extend(messages(scope_spans, 2).map(span));
            }
        }
        export
    }
}

fn messages(bytes: &[u8], number: u64) -> impl Iterator<Item = &[u8]> {
    fields(bytes).filter_map(move |(field, value)| match value {
        Field::Bytes(bytes) if field == number => Some(bytes),
        Field::Bytes(_) | Field::Number(_) => None,
    })
}

fn span(bytes: &[u8]) -> ReadSpan {
    let mut span = ReadSpan::default();
    for field in fields(bytes) {
        match field {
            (1, Field::Bytes(id)) => span.trace_id = hex(id),
            (2, Field::Bytes(id)) => span.id = hex(id),
            (3, Field::Bytes(state)) => span.tracestate = text(state),
            (4, Field::Bytes(id)) => span.parent = hex(id),
            (5, Field::Bytes(name)) => span.name = text(name),
            (6, Field::Number(kind)) => span.kind = kind,
            (7, Field::Number(at)) => span.began_at = at,
            (8, Field::Number(at)) => span.ended_at = at,
            (9, Field::Bytes(bytes)) => span.attributes.extend([attribute(bytes)]),
            (13, Field::Bytes(link)) => {
                span.link = [1, 2].map(|id| messages(link, id).next().map(hex).unwrap()).join("/");
            }
            (15, Field::Bytes(status)) => {
                span.status = fields(status)
                    .find_map(|field| if let (3, Field::Number(code)) = field { Some(code) } else { None })
                    .unwrap();
            }
            (16, Field::Number(flags)) => span.flags = flags,
            other => panic!("an unknown field: {other:?}"),
        }
    }
    span
}

fn attribute(bytes: &[u8]) -> (String, String) {
    let name = messages(bytes, 1).next().map(text).unwrap();
    (name, value(messages(bytes, 2).next().unwrap()))
}

fn value(bytes: &[u8]) -> String {
    match fields(bytes).next().unwrap() {
        (1, Field::Bytes(bytes)) => text(bytes),
        (2, Field::Number(flag)) => (flag == 1).to_string(),
        (3, Field::Number(number)) => number.cast_signed().to_string(),
        (4, Field::Number(bits)) => f64::from_bits(bits).to_string(),
        (5, Field::Bytes(list)) => format!("[{}]", messages(list, 1).map(value).collect::<Vec<_>>().join(",")),
        other => panic!("an unknown value: {other:?}"),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
