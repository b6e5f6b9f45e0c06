//! Begins traces.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::export::Exporter;
use super::sampler::Sampler;
use super::span::{Attribute, Span, SpanBatch, SpanKind, TraceId, new_id};
use super::trace::{Recording, Trace};
use crate::ports::clock::Clock;

/// Where a trace comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceOrigin {
    /// Its id.
    pub trace_id: TraceId,
    /// The span before ours, and whether its process samples the trace. `None` where the trace begins with us.
    pub parent: Option<(u64, bool)>,
    /// The id of our first span, where others know it already.
    pub first_span: Option<u64>,
    /// What vendors have noted on the trace.
    pub tracestate: Option<Arc<str>>,
}

impl TraceOrigin {
    /// A trace that begins here.
    pub fn new_trace() -> Self {
        Self { trace_id: fastrand::u128(1..).into(), parent: None, first_span: None, tracestate: None }
    }

    /// The trace, of which this process records nothing.
    pub fn unrecorded(&self) -> Trace {
        Trace::unrecorded(self.trace_id, self.is_sampled_before_us())
    }

    fn is_sampled_before_us(&self) -> bool {
        self.parent.is_some_and(|(_, is_sampled)| is_sampled)
    }
}

/// The first span of a trace.
#[derive(Debug)]
pub struct FirstSpan {
    /// What it is called.
    pub name: Cow<'static, str>,
    /// On which side it is.
    pub kind: SpanKind,
    /// When it began.
    pub began_at: Duration,
    /// What is known of it.
    pub attributes: Vec<Attribute>,
}

/// Begins traces. One for the process.
pub struct Tracer {
    sampler: Sampler,
    recording: Arc<Recording>,
}

impl Tracer {
    /// A tracer whose traces go to this exporter. `has_texts` says whether prompts and answers are among them.
    pub fn new(sampler: Sampler, has_texts: bool, clock: Arc<dyn Clock>, exporter: Exporter) -> Self {
        let keeps_failures = sampler.keeps_failures();
        Self { sampler, recording: Arc::new(Recording { clock, exporter, has_texts, keeps_failures }) }
    }

    /// What time it is.
    pub fn now(&self) -> Duration {
        self.recording.clock.now()
    }

    /// Whether a trace is sampled.
    pub fn samples(&self, origin: &TraceOrigin) -> bool {
        self.sampler.samples(origin.trace_id.number(), origin.parent.map(|(_, is_sampled)| is_sampled))
    }

    /// Whether the traces of failures are exported though they are not sampled.
    pub fn keeps_failures(&self) -> bool {
        self.recording.keeps_failures
    }

    /// Begins to record a trace.
    pub fn begin(&self, origin: TraceOrigin, is_sampled: bool, first: FirstSpan) -> Trace {
        let is_kept = is_sampled || origin.is_sampled_before_us();
        let TraceOrigin { trace_id, parent, first_span, tracestate } = origin;
        let FirstSpan { name, kind, began_at, attributes } = first;
        let (id, parent) = (first_span.unwrap_or_else(new_id), parent.map(|(span, _)| span));
        let root = Span { attributes, ..Span::begun(id, parent, name, kind, began_at) };
        let has_remote_parent = parent.is_some();
        let batch = SpanBatch { trace_id, is_sampled, has_remote_parent, tracestate, spans: Vec::new() };
        Trace::new(Arc::clone(&self.recording), root, batch, is_kept)
    }
}
