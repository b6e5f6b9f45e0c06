//! The trace of a record, from its receipt to the acknowledgement of its outcome (the semantic conventions for messaging).
//!
//! A record that is not sampled costs a look at the clock and a comparison, unless it has to wait for a provider: then its
//! spans are kept until it is known whether it fails.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::codec::trace::{self, SpanContext, TraceContext};
use crate::delivery::outcome::{RecordOutcome, Settled};
use crate::domain::event::Event;
use crate::domain::record::Record;
use crate::telemetry::traces::names::{cloudevents, messaging, own, stage};
use crate::telemetry::traces::span::{Attribute, SpanKind, Value};
use crate::telemetry::traces::trace::Trace;
use crate::telemetry::traces::tracer::{FirstSpan, TraceOrigin, Tracer};

/// Begins the traces of one connector's records.
pub struct RecordTraces {
    /// `None` where nothing is recorded.
    tracer: Option<Arc<Tracer>>,
    connector: Arc<str>,
}

/// A record whose trace begins.
#[derive(Clone, Copy)]
pub(super) struct ReceivedRecord<'a> {
    pub(super) record: &'a Record,
    /// What it says, if it could be read.
    pub(super) event: Option<&'a Event>,
    /// When it was received, where that is recorded.
    pub(super) began_at: Option<Duration>,
}

impl RecordTraces {
    /// Traces of this connector's records.
    pub fn new(tracer: Option<Arc<Tracer>>, connector: Arc<str>) -> Self {
        Self { tracer, connector }
    }

    /// What time it is, where that is recorded.
    pub(super) fn now(&self) -> Option<Duration> {
        self.tracer.as_ref().map(|tracer| tracer.now())
    }

    /// The trace of a record that was just decoded. If it is sampled, it is recorded, and its context says so from then
    /// on.
    pub(super) fn of_decoded(&self, received: ReceivedRecord<'_>, context: &mut TraceContext) -> Trace {
        let Some(origin) = origin(context) else { return Trace::default() };
        match (&self.tracer, received.began_at) {
            (Some(tracer), Some(began_at)) if tracer.samples(&origin) => {
                context.sample();
                let trace = tracer.begin(origin, true, self.first_span(received, began_at));
                trace.add(stage::DECODE, began_at);
                trace
            }
            _ => origin.unrecorded(),
        }
    }

    /// The trace of a record that is not sampled. It is recorded in case that it fails.
    pub(super) fn of_unsampled(&self, received: ReceivedRecord<'_>, context: &TraceContext) -> Trace {
        let Some(origin) = origin(context) else { return Trace::default() };
        match (&self.tracer, received.began_at) {
            (Some(tracer), Some(began_at)) if tracer.keeps_failures() => {
                tracer.begin(origin, false, self.first_span(received, began_at))
            }
            _ => origin.unrecorded(),
        }
    }

    fn first_span(&self, received: ReceivedRecord<'_>, began_at: Duration) -> FirstSpan {
        const PROCESS: &str = "process";
        let ReceivedRecord { record, event, .. } = received;
        let position = &record.position;
        let mut attributes = about(PROCESS, &position.topic);
        attributes.extend([
            (messaging::PARTITION, Value::Text(position.partition.to_string().into())),
            (messaging::OFFSET, Value::Int(position.offset)),
            (own::CONNECTOR, Value::text(&self.connector)),
        ]);
        attributes.push(match &record.value {
            Some(value) => (messaging::BODY_SIZE, Value::count(value.len() as u64)),
            None => (messaging::TOMBSTONE, Value::Bool(true)),
        });
        if let Some(event) = event {
            let texts =
                [(cloudevents::ID, &event.id), (cloudevents::SOURCE, &event.source), (cloudevents::TYPE, &event.kind)];
            attributes.extend(texts.map(|(name, text)| (name, Value::text(text))));
        }
        let name = Cow::Owned(format!("{PROCESS} {}", position.topic));
        FirstSpan { name, kind: SpanKind::Consumer, began_at, attributes }
    }
}

/// A record's outcome is acknowledged by the broker: its trace ends.
pub(super) fn published(settled: &Settled, topic: &str) {
    const SEND: &str = "send";
    let Settled { trace, outcome, outgoing, .. } = settled;
    let Some(sent_at) = trace.sent_at() else { return };
    let (word, span) = match outcome {
        RecordOutcome::Result { is_for_review, cache_hit, .. } => {
            trace.note(own::CACHE_HIT, cache_hit.as_str());
            (if *is_for_review { "review" } else { "result" }, trace::of_result(outgoing))
        }
        RecordOutcome::DeadLetter { code } => {
            trace.note(own::STAGE, code.stage().as_str());
            trace.fail(code.as_str());
            ("dead_letter", None)
        }
    };
    let mut attributes = about(SEND, topic);
    let body = outgoing.value.as_ref().map_or(0, bytes::Bytes::len);
    attributes.push((messaging::BODY_SIZE, Value::count(body as u64)));
    trace.add_sent(format!("{SEND} {topic}"), span.map(|span| span.span_id), sent_at, attributes);
    trace.end(word);
}

fn origin(context: &TraceContext) -> Option<TraceOrigin> {
    let SpanContext { trace_id, span_id, is_sampled } = context.span()?;
    Some(TraceOrigin {
        trace_id: trace_id.into(),
        parent: context.is_given.then_some((span_id, is_sampled)),
        // The result names it as the start of the trace.
        first_span: (!context.is_given).then_some(span_id),
        tracestate: context.tracestate.as_deref().map(Arc::from),
    })
}

fn about(operation: &'static str, topic: &str) -> Vec<Attribute> {
    vec![
        (messaging::SYSTEM, "kafka".into()),
        (messaging::OPERATION_NAME, operation.into()),
        (messaging::OPERATION_TYPE, operation.into()),
        (messaging::DESTINATION, Value::text(topic)),
    ]
}
