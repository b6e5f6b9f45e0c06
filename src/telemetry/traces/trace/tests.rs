use std::sync::atomic::Ordering;

use super::*;
use crate::telemetry::traces::sampler::Sampler;
use crate::telemetry::traces::testing::{Recorded, tree};
use crate::telemetry::traces::tracer::{FirstSpan, TraceOrigin};

const PARENT: u64 = 0xb7ad_6b71_6920_3331;

fn origin(parent: Option<bool>) -> TraceOrigin {
    let parent = parent.map(|is_sampled| (PARENT, is_sampled));
    TraceOrigin { parent, tracestate: Some("vendor=1".into()), ..TraceOrigin::new_trace() }
}

fn begin(recorded: &Recorded, origin: TraceOrigin) -> Trace {
    let (is_sampled, began_at) = (recorded.tracer.samples(&origin), recorded.tracer.now());
    let first = FirstSpan { name: "first".into(), kind: SpanKind::Consumer, began_at, attributes: Vec::new() };
    recorded.tracer.begin(origin, is_sampled, first)
}

#[test]
fn spans_stand_where_they_were_begun_and_belong_to_the_senders_trace() {
    let mut recorded = Recorded::new(true);
    let (origin, trace) = {
        let origin = origin(Some(true));
        (origin.clone(), begin(&recorded, origin))
    };
    trace.stage("short", || ());
    let mut outer = trace.span("outer");
    outer.note("sp.number", Value::Int(-7));
    outer.note("sp.share", Value::Double(0.25));
    outer.note("sp.flag", Value::Bool(true));
    outer.note("sp.list", Value::in_list("stop"));
    outer.trace().span_of(SpanKind::Client, || "inner".into()).fail("provider_timeout");
    drop(outer);
    trace.add_sent("send out".to_owned(), Some(0x42), recorded.tracer.now(), Vec::new());
    trace.end("result");
    drop(trace);
    let spans = recorded.spans();
    assert_eq!(tree(&spans), "first\n  short\n  outer\n    inner !\n  send out\n");
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let first = named("first");
    assert_eq!(first.parent, format!("{PARENT:016x}"));
    assert_eq!((first.kind, first.flags, first.attribute("sp.outcome")), (5, 0x301, "result"));
    assert!(spans.iter().all(|span| span.trace_id == origin.trace_id.to_string()));
    assert!(spans.iter().all(|span| span.tracestate == "vendor=1" && span.ended_at > span.began_at));
    assert_eq!((named("inner").kind, named("inner").flags), (3, 0x101));
    assert_eq!(named("inner").attribute("error.type"), "provider_timeout");
    let outer = ["sp.number", "sp.share", "sp.flag", "sp.list"].map(|name| named("outer").attribute(name));
    assert_eq!(outer, ["-7", "0.25", "true", "[stop]"]);
    assert_eq!((named("send out").id.as_str(), named("send out").kind), ("0000000000000042", 4));
}

#[test]
fn a_trace_is_exported_when_the_last_who_works_on_it_is_done() {
    let mut recorded = Recorded::new(true);
    let trace = begin(&recorded, origin(None));
    let beside = trace.clone();
    trace.end("result");
    drop(trace);
    assert_eq!(recorded.spans(), []);
    beside.stage("late", || ());
    drop(beside);
    assert_eq!(tree(&recorded.spans()), "first\n  late\n");
}

#[test]
fn what_is_not_sampled_is_exported_if_it_fails() {
    let mut recorded = Recorded::new(false);
    for parent in [None, Some(false)] {
        let trace = begin(&recorded, origin(parent));
        trace.stage("resolve", || ());
        trace.end("result");
        drop(trace);
        assert_eq!(recorded.spans(), []);
        let trace = begin(&recorded, origin(parent));
        trace.stage("resolve", || ());
        trace.fail("provider_refused");
        trace.end("dead_letter");
        drop(trace);
        let spans = recorded.spans();
        assert_eq!(tree(&spans), "first !\n  resolve\n");
        assert!(spans.iter().all(|span| span.flags & 1 == 0), "it says that it is not sampled");
    }
    let mut off = Recorded::with(Sampler { ratio: 0.0, follows_parent: false }, false);
    let trace = begin(&off, origin(None));
    trace.fail("provider_refused");
    drop(trace);
    assert_eq!(off.spans(), [], "the user wants none at all");
}

#[test]
fn a_trace_can_be_looked_up_if_somebody_samples_it_or_it_has_failed() {
    let recorded = Recorded::new(false);
    let (of_sender, ours) = (begin(&recorded, origin(Some(true))), begin(&recorded, origin(None)));
    assert_eq!((of_sender.exported_id(), ours.exported_id()), (of_sender.id(), None));
    assert!(of_sender.id().is_some() && ours.id().is_some());
    ours.fail("provider_refused");
    assert_eq!(ours.exported_id(), ours.id());
    let (sampled, not_sampled) = (origin(Some(true)), origin(Some(false)));
    assert_eq!(sampled.unrecorded().exported_id(), Some(sampled.trace_id), "its sender exports it");
    let unrecorded = not_sampled.unrecorded();
    assert_eq!((unrecorded.id(), unrecorded.exported_id()), (Some(not_sampled.trace_id), None));
    assert_eq!(unrecorded.span("ask").trace().id(), Some(not_sampled.trace_id));
}

#[test]
fn a_span_links_to_the_one_of_another_trace_that_does_its_work() {
    let mut recorded = Recorded::new(true);
    let (leader, follower) = (begin(&recorded, origin(None)), begin(&recorded, origin(None)));
    let leading = leader.span("ask");
    follower.span("ask shared").link(leading.trace().link());
    drop((leading, leader, follower));
    let spans = recorded.spans();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    assert_eq!(named("ask shared").link, format!("{}/{}", named("ask").trace_id, named("ask").id));
    assert_eq!(named("ask").link, "");
}

#[tokio::test]
async fn work_has_a_span_if_it_was_waited_for() {
    let mut recorded = Recorded::new(true);
    let trace = begin(&recorded, origin(None));
    assert_eq!(trace.wait("remembered", async { 1 }).await, 1);
    let looked_up = async {
        tokio::task::yield_now().await;
        2
    };
    assert_eq!(trace.wait("look up", looked_up).await, 2);
    drop(trace);
    assert_eq!(tree(&recorded.spans()), "first\n  look up\n");
}

#[test]
fn a_trace_that_nobody_ended_says_that_its_record_was_left() {
    let mut recorded = Recorded::new(true);
    drop(begin(&recorded, origin(None)));
    let spans = recorded.spans();
    assert_eq!(spans[0].attribute("sp.outcome"), "left");
    assert!(spans[0].ended_at > spans[0].began_at);
}

#[test]
fn a_trace_has_an_end_however_long_its_record_waits() {
    let mut recorded = Recorded::new(true);
    let trace = begin(&recorded, origin(None));
    (0..2 * MAX_SPANS).for_each(|_| trace.stage("probe", || ()));
    drop(trace);
    assert_eq!(recorded.spans().len(), MAX_SPANS + 1);
}

#[test]
fn a_trace_that_is_off_makes_no_names_and_looks_at_no_clock() {
    let trace = Trace::default();
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let mut span = trace.span_of(SpanKind::Client, || {
        calls.fetch_add(1, Ordering::Relaxed);
        "name".into()
    });
    span.note_all(|_| {
        calls.fetch_add(1, Ordering::Relaxed);
    });
    assert!(!span.trace().is_on() && trace.now().is_none());
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}
