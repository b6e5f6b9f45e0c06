//! What a collector is told of records.

use super::*;
use crate::codec::trace::of_result;
use crate::domain::record::Outgoing;
use crate::kafka::record_trace::published;
use crate::telemetry::traces::sampler::Sampler;
use crate::telemetry::traces::testing::{ReadSpan, Recorded, TICK, tree};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn traced(handler: RecordHandler, recorded: &Recorded) -> RecordHandler {
    handler.with_tracer(Some(Arc::clone(&recorded.tracer)))
}

/// A record that its sender traces, and samples if the flags say so.
fn of_sender(value: &str, flags: &str) -> Arc<Record> {
    let mut record = Arc::unwrap_or_clone(record(value, 7));
    record.headers.push(Header::text("traceparent", format!("00-{TRACE}-b7ad6b7169203331-{flags}")));
    Arc::new(record)
}

/// Takes a record to the acknowledgement of its outcome.
async fn publish(handler: &RecordHandler, record: &Arc<Record>) -> Outgoing {
    let settled = match handler.begin(record).step {
        RecordStep::Settled(settled) => settled,
        RecordStep::Ask(job) => handler.finish(*job).await,
        RecordStep::Skip(why) => panic!("{why:?}"),
    };
    settled.trace.send();
    published(&settled, "out");
    settled.outgoing
}

fn named<'a>(spans: &'a [ReadSpan], name: &str) -> &'a ReadSpan {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {spans:?}"))
}

#[tokio::test(start_paused = true)]
async fn a_record_is_one_trace_from_its_senders_span_to_that_of_its_result() {
    let (mut recorded, journal) = (Recorded::new(true), Arc::new(MemoryJournal::default()));
    let handler = traced(handler_with(remembered(&journal)), &recorded);
    let result = publish(&handler, &of_sender("answer me", "01")).await;
    let spans = recorded.spans();
    let expected = "process in\n  decode\n  resolve\n  accept\n  recall\n  wait\n  journal recall\n  ask\n    \
                    chat obedient-1\n    approve\n  ground\n  score\n  encode\n  journal record\n  send out\n";
    assert_eq!(tree(&spans), expected);
    assert!(spans.iter().all(|span| span.trace_id == TRACE));
    let process = named(&spans, "process in");
    assert_eq!((process.parent.as_str(), process.kind, process.status), ("b7ad6b7169203331", 5, 0));
    let attributes = ["messaging.system", "messaging.kafka.offset", "messaging.destination.partition.id"];
    assert_eq!(attributes.map(|name| process.attribute(name)), ["kafka", "7", "0"]);
    let outcome = ["sp.connector", "sp.outcome", "sp.cache_hit"].map(|name| process.attribute(name));
    assert_eq!(outcome, ["test", "result", "none"]);
    let chat = named(&spans, "chat obedient-1");
    let attributes = ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "sp.step"];
    assert_eq!(attributes.map(|name| chat.attribute(name)), ["chat", "obedient", "obedient-1", "ask"]);
    assert_eq!((chat.kind, chat.attribute("gen_ai.response.finish_reasons")), (3, "[stop]"));
    let send = named(&spans, "send out");
    let in_result = of_result(&result).unwrap();
    assert_eq!(format!("{:016x}", in_result.span_id), send.id, "whoever reads the result goes on from here");
    assert!(in_result.is_sampled);
    assert!(!format!("{spans:?}").contains("answer me"), "texts are not exported unless the user wants them");
}

#[tokio::test(start_paused = true)]
async fn a_remembered_answer_is_a_shorter_trace() {
    let mut recorded = Recorded::new(true);
    let handler = traced(handler(), &recorded);
    publish(&handler, &of_sender("answer me", "01")).await;
    recorded.spans();
    publish(&handler, &of_sender("answer me", "01")).await;
    let spans = recorded.spans();
    let expected = "process in\n  decode\n  resolve\n  accept\n  recall\n  ground\n  score\n  encode\n  send out\n";
    assert_eq!(tree(&spans), expected);
    assert_eq!(named(&spans, "process in").attribute("sp.cache_hit"), "memory");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_waits_for_the_answer_to_another_links_to_the_trace_of_that_one() {
    let mut recorded = Recorded::new(true);
    let handler = traced(handler(), &recorded);
    let (first, second) = (record("answer me", 1), record("answer me", 2));
    tokio::join!(publish(&handler, &first), publish(&handler, &second));
    let spans = recorded.spans();
    let (asked, waited) = (named(&spans, "ask"), named(&spans, "ask shared"));
    assert_eq!(spans.iter().filter(|span| span.name.starts_with("chat")).count(), 1);
    let leader = spans.iter().find(|span| span.name == "process in" && span.trace_id == asked.trace_id).unwrap();
    assert_ne!(waited.trace_id, leader.trace_id);
    assert_eq!(waited.link, format!("{}/{}", leader.trace_id, leader.id));
}

#[tokio::test(start_paused = true)]
async fn a_record_without_a_trace_begins_one_that_its_result_names() {
    let mut recorded = Recorded::new(true);
    let handler = traced(handler(), &recorded);
    let result = publish(&handler, &record("answer me", 1)).await;
    let spans = recorded.spans();
    let start = result.headers.iter().find(|header| header.name == "ce_traceparent").unwrap();
    let process = named(&spans, "process in");
    let expected = format!("00-{}-{}-01", process.trace_id, process.id);
    assert_eq!(start.value.as_deref(), Some(expected.as_bytes()));
    assert_eq!(process.parent, "");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_sampled_leaves_nothing_unless_it_is_a_dead_letter() {
    let mut recorded = Recorded::new(false);
    let too_long = "x".repeat(1_000_000);
    let handler = traced(handler_to(Arc::new(Obedient), None), &recorded);
    let result = publish(&handler, &of_sender("answer me", "00")).await;
    assert!(!of_result(&result).unwrap().is_sampled);
    let before = recorded.tracer.now();
    publish(&handler, &of_sender("answer me", "00")).await;
    let looks = recorded.tracer.now() - before - TICK;
    assert_eq!(looks, TICK, "a remembered answer costs one look at the clock");
    assert_eq!(recorded.spans(), []);
    publish(&handler, &of_sender(&too_long, "00")).await;
    let spans = recorded.spans();
    assert_eq!(tree(&spans), "process in !\n  send out\n");
    let process = named(&spans, "process in");
    assert_eq!((process.trace_id.as_str(), process.attribute("error.type")), (TRACE, "event_too_large"));
    assert_eq!((process.attribute("sp.outcome"), process.attribute("sp.stage")), ("dead_letter", "decode"));
    publish(&handler, &of_sender("hang", "00")).await;
    let spans = recorded.spans();
    let tree = tree(&spans);
    assert!(tree.starts_with("process in !\n  wait\n  ask !\n    chat obedient-1 !\n"), "{tree}");
    assert_eq!(named(&spans, "chat obedient-1").attribute("error.type"), "provider_timeout");
}

#[tokio::test(start_paused = true)]
async fn texts_are_exported_if_the_user_wants_them() {
    let mut recorded = Recorded::with(Sampler::default(), true);
    publish(&traced(handler(), &recorded), &of_sender("answer me", "01")).await;
    let spans = recorded.spans();
    let chat = named(&spans, "chat obedient-1");
    let said = |name| serde_json::from_str::<serde_json::Value>(chat.attribute(name)).unwrap();
    assert_eq!(said("gen_ai.input.messages")[0]["parts"][0]["content"], "answer me");
    assert_eq!(said("gen_ai.output.messages")[0]["parts"][0]["content"], "{}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_its_process_gives_up_says_so() {
    let mut recorded = Recorded::new(true);
    let handler = traced(handler(), &recorded);
    drop(handler.begin(&of_sender("answer me", "01")));
    assert_eq!(named(&recorded.spans(), "process in").attribute("sp.outcome"), "left");
}
