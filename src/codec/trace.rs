//! W3C trace context (Trace Context level 1) through a record and its outcome.
//!
//! Two contexts travel with an event. The extension attributes `traceparent` and `tracestate` (CloudEvents distributed
//! tracing extension) say where the delivery started, and are passed on unchanged. Plain Kafka headers of the same
//! names say which hop wrote the record, and each hop writes its own.

use sha2::{Digest, Sha256};

use super::plain;
use super::replay_mark::ReplayMark;
use crate::domain::event::Event;
use crate::domain::record::{Outgoing, Record};

/// The trace that a record belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The start of the delivery; always valid.
    pub traceparent: String,
    /// The trace id in it: 32 lower-case hexadecimal digits.
    pub trace_id: String,
    /// Vendors' state that came with `traceparent`.
    pub tracestate: Option<String>,
    /// Whether it came with the record; otherwise it begins with us.
    pub is_given: bool,
    /// Whether our own hop is sampled.
    is_sampled: bool,
}

/// What a `traceparent` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanContext {
    /// The trace.
    pub trace_id: u128,
    /// The span in it.
    pub span_id: u64,
    /// Whether its process samples the trace.
    pub is_sampled: bool,
}

impl TraceContext {
    /// The `traceparent` of our own hop: same trace and flags, and a span id that depends on `seed` alone, so that a
    /// repeated hop is the same span. The seed is the result's id, or the record's position where there is no result.
    pub fn hop(&self, seed: &str) -> String {
        let given = parse(&self.traceparent).map_or(NOT_SAMPLED, |parts| parts.flags);
        let (_, span) = ids(&[seed]);
        let flags = given | u8::from(self.is_sampled);
        format!("00-{}-{span:016x}-{flags:02x}", self.trace_id)
    }

    /// The same of a trace that we sample. If it begins with us, its start says so, too.
    pub fn sample(&mut self) {
        self.is_sampled = true;
        let parts = parse(&self.traceparent).filter(|_| !self.is_given);
        if let Some(Parts { trace, span, flags }) = parts {
            self.traceparent = format!("00-{trace}-{span}-{:02x}", flags | SAMPLED);
        }
    }

    /// What its `traceparent` says.
    pub fn span(&self) -> Option<SpanContext> {
        span_of(&self.traceparent)
    }
}

/// The context that the headers of these names give to a request. An invalid one counts as none, as W3C asks.
pub fn of_headers(traceparent: &str, tracestate: Option<&str>) -> Option<TraceContext> {
    let Parts { trace, .. } = parse(traceparent)?;
    let tracestate = tracestate.filter(|state| is_tracestate(state)).map(str::to_owned);
    let (traceparent, trace_id) = (traceparent.to_owned(), trace.to_owned());
    Some(TraceContext { traceparent, trace_id, tracestate, is_given: true, is_sampled: false })
}

/// The span that a result names as the one that it was sent in. A dead letter has that of its sender.
pub fn of_result(result: &Outgoing) -> Option<SpanContext> {
    let header = result.headers.iter().find(|header| header.name == "traceparent")?;
    span_of(std::str::from_utf8(header.value.as_ref()?).ok()?)
}

fn span_of(traceparent: &str) -> Option<SpanContext> {
    let Parts { trace, span, flags } = parse(traceparent)?;
    let (trace_id, span_id) = (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
    Some(SpanContext { trace_id, span_id, is_sampled: flags & SAMPLED != 0 })
}

/// The flags of a trace that we make up: nobody has recorded its start.
const NOT_SAMPLED: u8 = 0;
/// The flag of a trace that is recorded.
const SAMPLED: u8 = 1;

/// The trace of a record: from its event's extension, else from its Kafka headers, else made from what identifies it,
/// so that a redelivery continues the same trace. Invalid contexts are ignored, as W3C asks. A dead letter that is sent
/// again begins a trace each time, and its [`ReplayMark`] links to that of the letter.
///
/// Give the event if it could be decoded: in structured mode the extension is inside the value.
pub fn context(record: &Record, event: Option<&Event>) -> TraceContext {
    match ReplayMark::of(record) {
        Some(mark) => begun(record, event, Some(mark.times)),
        None => given(record, event).unwrap_or_else(|| begun(record, event, None)),
    }
}

/// A trace that begins with us.
fn begun(record: &Record, event: Option<&Event>, replays: Option<u32>) -> TraceContext {
    let (source, id) = match event {
        Some(event) => (event.source.clone(), event.id.clone()),
        None => (plain::source(&record.position), plain::id(&record.position)),
    };
    let replays = replays.map(|times| times.to_string());
    let parts: Vec<&str> = [source.as_str(), id.as_str()].into_iter().chain(replays.as_deref()).collect();
    let (trace, span) = ids(&parts);
    let trace_id = format!("{trace:032x}");
    let traceparent = format!("00-{trace_id}-{span:016x}-{NOT_SAMPLED:02x}");
    TraceContext { traceparent, trace_id, tracestate: None, is_given: false, is_sampled: false }
}

fn given(record: &Record, event: Option<&Event>) -> Option<TraceContext> {
    let extension = |name: &str, header: &str| match event {
        Some(event) => event.extensions.get(name).map(String::as_str),
        None => last(record, header),
    };
    let start = extension("traceparent", "ce_traceparent");
    start
        .and_then(|parent| of_headers(parent, extension("tracestate", "ce_tracestate")))
        .or_else(|| of_headers(last(record, "traceparent")?, last(record, "tracestate")))
}

/// The last header of that name, as Kafka's own `lastHeader` reads it.
fn last<'a>(record: &'a Record, name: &str) -> Option<&'a str> {
    let header = record.headers.iter().rev().find(|header| header.name.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(header.value.as_ref()?).ok()
}

/// The parts of a `traceparent` as they are written.
struct Parts<'a> {
    trace: &'a str,
    span: &'a str,
    flags: u8,
}

/// The parts of a version 00 `traceparent`, if it is valid (Trace Context, section 3.2).
fn parse(traceparent: &str) -> Option<Parts<'_>> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_id = |id: &str, digits| is_hex(id, digits) && id.bytes().any(|digit| digit != b'0');
    let valid = version == "00" && is_id(trace, 32) && is_id(span, 16) && is_hex(flags, 2) && parts.next().is_none();
    let flags = u8::from_str_radix(flags, 16).ok().filter(|_| valid)?;
    Some(Parts { trace, span, flags })
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether to pass a `tracestate` on: within the sizes of Trace Context, section 3.3, and safe to write as an
/// attribute. Its members are the vendors' business.
fn is_tracestate(text: &str) -> bool {
    const MOST_MEMBERS: usize = 32;
    const LONGEST: usize = 512;
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && text.split(',').count() <= MOST_MEMBERS
}

/// A trace and a span id from a hash of the parts. Zero is not a valid id.
fn ids(parts: &[&str]) -> (u128, u64) {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update(b"\n");
    }
    let hash = hash.finalize();
    let trace = hash.iter().take(16).fold(0, |id, byte| id << 8 | u128::from(*byte));
    let span = hash.iter().skip(16).take(8).fold(0, |id, byte| id << 8 | u64::from(*byte));
    (trace.max(1), span.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::cloudevents;
    use crate::codec::fixtures::{binary, envelope, record};

    const START: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const HOP: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

    fn of(record: &Record) -> TraceContext {
        context(record, Some(&cloudevents::decode(record).unwrap()))
    }

    #[test]
    fn the_extension_wins_over_the_kafka_header() {
        let both = binary(&[("traceparent", HOP), ("ce_traceparent", START), ("ce_tracestate", "a=1")], None);
        let context = of(&both);
        assert_eq!(context.traceparent, START);
        assert_eq!(context.trace_id, "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(context.tracestate.as_deref(), Some("a=1"));
        assert_eq!(super::context(&both, None), context, "the same without the event");
        let mut inside = envelope(&format!(r#","traceparent":"{START}""#));
        inside.headers.push(crate::domain::record::Header::text("traceparent", HOP));
        assert_eq!(of(&inside).traceparent, START);
        assert_eq!(super::context(&inside, None).traceparent, HOP);
    }

    #[test]
    fn invalid_contexts_are_ignored() {
        for invalid in [
            "",
            "00",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert_eq!(
                of(&binary(&[("ce_traceparent", invalid), ("traceparent", HOP)], None)).traceparent,
                HOP,
                "{invalid}"
            );
        }
        let long = "a=1,".repeat(33);
        for state in ["", "a=\u{e9}", long.as_str()] {
            assert_eq!(of(&binary(&[("traceparent", HOP), ("tracestate", state)], None)).tracestate, None, "{state}");
        }
    }

    #[test]
    fn a_made_up_trace_survives_redelivery() {
        let event = binary(&[], None);
        let mut again = event.clone();
        again.position.offset += 1;
        assert_eq!(of(&event), of(&again), "by source and id");
        assert_ne!(
            of(&event),
            of(&record(&[("ce_specversion", "1.0"), ("ce_id", "b"), ("ce_source", "s"), ("ce_type", "t")], None))
        );
        assert_ne!(context(&event, None), context(&again, None), "by position");
        assert!(parse(&of(&event).traceparent).is_some());
        let text = record(&[], Some(b"hello"));
        let plain = plain::decode_text(&text).unwrap();
        assert_eq!(context(&text, Some(&plain)), context(&text, None), "a plain record is its position");
    }

    #[test]
    fn a_dead_letter_that_is_sent_again_begins_a_trace_each_time() {
        let again = |times| {
            let mark = [("sp-replays", times), ("sp-replay-of", "in/3/42@0"), ("sp-replay-of-trace-id", "1b")];
            of(&binary(&[&[("ce_traceparent", START), ("ce_tracestate", "a=1")], &mark[..]].concat(), None))
        };
        let (first, second) = (again("1"), again("2"));
        assert_eq!(first, again("1"), "a redelivery continues it");
        assert_ne!(first.trace_id, second.trace_id);
        assert_ne!(first.trace_id, of(&binary(&[], None)).trace_id);
        assert_eq!((first.tracestate.as_deref(), parse(&first.traceparent).is_some()), (None, true));
    }

    #[test]
    fn a_hop_stays_in_the_trace() {
        let context = of(&binary(&[("ce_traceparent", START)], None));
        let hop = context.hop("seed");
        let trace_and_flags = |parent| span_of(parent).map(|span| (span.trace_id, span.is_sampled));
        assert_eq!(trace_and_flags(&hop), trace_and_flags(START));
        assert_ne!(hop, START);
        assert_eq!(hop, context.hop("seed"));
        assert_ne!(hop, context.hop("other"));
    }

    #[test]
    fn a_trace_that_we_sample_says_so_at_our_hop_and_at_a_start_of_ours() {
        let mut given = of(&binary(&[("traceparent", HOP)], None));
        given.sample();
        assert_eq!(given.traceparent, HOP, "what others said stays");
        assert!(span_of(&given.hop("seed")).unwrap().is_sampled);
        let mut ours = of(&binary(&[], None));
        let before = ours.span().unwrap();
        ours.sample();
        assert_eq!(ours.span(), Some(SpanContext { is_sampled: true, ..before }));
        assert!(span_of(&ours.hop("seed")).unwrap().is_sampled);
    }
}
