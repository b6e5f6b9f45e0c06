//! A result as a CloudEvent in Kafka's binary mode.

use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use super::attributes::is_allowed;
use super::dead_letter;
use super::trace::{self, TraceContext};
use super::{payload, write};
use crate::domain::answer::{Answered, CacheHit, Usage};
use crate::domain::attempt::{self, Attempt};
use crate::domain::event::Event;
use crate::domain::record::{Header, Outgoing, Record};

/// `type` of a result.
pub const RESULT: &str = "com.structuredprompt.result.v1";

/// Namespace of results' ids: the UUIDv5 of [`RESULT`] in the nil namespace. It must never change: readers recognise a
/// repeated result by its id.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x4b01_4fb9_70ce_5541_9666_8856_c354_5c1f);

/// What made a result, beside the answer itself.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Name of the connector.
    pub connector: &'a str,
    /// `dataschema`: an absolute URI.
    pub schema_uri: &'a str,
    /// Version of the schema.
    pub schema_version: &'a str,
    /// Version of the prompt template.
    pub prompt_version: &'a str,
    /// Hash of the connector's configuration.
    pub config_hash: &'a str,
}

/// The `id` of the result that `connector` gives to `cause`. The same event asked again has the same result id.
///
/// Source and id contain no line feed (attributes have no control characters), so no two names are alike.
pub fn id(connector: &str, cause: &Event) -> Uuid {
    let mut name = String::with_capacity(connector.len() + cause.source.len() + cause.id.len() + 2);
    name.push_str(connector);
    name.push('\n');
    name.push_str(&cause.source);
    name.push('\n');
    name.push_str(&cause.id);
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// The record that carries an answer. Its data is the answer's, shared, not copied.
pub fn encode(record: &Record, event: &Event, answered: &Answered, origin: &Origin<'_>, now: Duration) -> Outgoing {
    const OURS: usize = 32;
    let id = id(origin.connector, event).to_string();
    let mut headers = Vec::with_capacity(OURS + record.headers.len());
    trace_headers(&mut headers, &trace::context(record, Some(event)), &id);
    write::push(&mut headers, "content-type", "application/json");
    write::push(&mut headers, "ce_specversion", "1.0");
    write::push(&mut headers, "ce_id", id);
    write::push(&mut headers, "ce_source", format!("/structured-prompt/{}", origin.connector));
    write::push(&mut headers, "ce_type", RESULT);
    write::push(&mut headers, "ce_time", write::time(now));
    write::push(&mut headers, "ce_dataschema", origin.schema_uri.to_owned());
    cause_headers(&mut headers, event);
    provenance_headers(&mut headers, answered, origin);
    headers.extend(record.headers.iter().filter(|header| !is_replaced(&header.name)).cloned());
    Outgoing { key: record.key.clone(), value: Some(answered.answer.data.clone()), headers, timestamp_ms: None }
}

fn trace_headers(headers: &mut Vec<Header>, trace: &TraceContext, id: &str) {
    write::push(headers, "traceparent", trace.hop(id));
    write::push(headers, "ce_traceparent", trace.traceparent.clone());
    if let Some(state) = &trace.tracestate {
        let state = Bytes::from(state.clone());
        write::push(headers, "tracestate", state.clone());
        write::push(headers, "ce_tracestate", state);
    }
}

/// What ties the result to the event that asked for it.
fn cause_headers(headers: &mut Vec<Header>, event: &Event) {
    if let Some(subject) = &event.subject {
        write::push(headers, "ce_subject", subject.clone());
    }
    write::push(headers, "ce_causationid", event.id.clone());
    write::push(headers, "ce_causationsource", event.source.clone());
    let correlation = event.extensions.get("correlationid").unwrap_or(&event.id);
    write::push(headers, "ce_correlationid", correlation.clone());
    if let Some(key) = event.extensions.get("partitionkey") {
        write::push(headers, "ce_partitionkey", key.clone());
    }
}

/// How the answer came about. A cached answer's cost was reported with the record that paid for it.
fn provenance_headers(headers: &mut Vec<Header>, answered: &Answered, origin: &Origin<'_>) {
    let answer = &answered.answer;
    let (attempts, usage, cost_usd) = match answered.cache_hit {
        CacheHit::None => (attempt::calls(&answer.trail), answer.usage, answer.cost_usd),
        CacheHit::Memory | CacheHit::Redis | CacheHit::Journal => (0, Usage::default(), 0.0),
    };
    write::push(headers, "ce_provider", allowed(&answer.provider));
    write::push(headers, "ce_model", allowed(&answer.model));
    write::push(headers, "ce_validation", answer.validation.as_str());
    write::push(headers, "ce_confidence", format!("{:.2}", answer.confidence.score));
    write::push(headers, "ce_confidencefactors", answer.confidence.to_string());
    write::push(headers, "ce_attempts", attempts.to_string());
    // One plain call has nothing to tell beyond the attributes, if its provider gives no ids.
    let tells = |attempt: &Attempt| attempt.response_id.is_some() || !attempt.passed_over.is_empty();
    let is_worth_it = answer.trail.len() > 1 || answer.trail.iter().any(tells);
    if is_worth_it && answered.cache_hit == CacheHit::None {
        write::push(headers, "ce_attemptlog", super::trail::encode(&answer.trail));
    }
    write::push(headers, "ce_inputtokens", usage.input_tokens.to_string());
    write::push(headers, "ce_outputtokens", usage.output_tokens.to_string());
    write::push(headers, "ce_costusd", format!("{cost_usd:.6}"));
    write::push(headers, "ce_cachehit", answered.cache_hit.as_str());
    write::push(headers, "ce_promptversion", origin.prompt_version.to_owned());
    write::push(headers, "ce_schemaversion", origin.schema_version.to_owned());
    write::push(headers, "ce_confighash", origin.config_hash.to_owned());
    if !answered.flags.is_empty() {
        let flags: Vec<_> = answered.flags.iter().map(|flag| flag.text()).collect();
        write::push(headers, "ce_flags", flags.join(","));
    }
}

/// A text that a provider chose, without what an attribute may not contain.
fn allowed(text: &str) -> String {
    text.chars().filter(|c| is_allowed(*c)).collect()
}

/// Whether a header of the source record speaks of that record only, so that the result has its own or none.
fn is_replaced(name: &str) -> bool {
    const REPLACED: [&str; 3] = ["content-type", "traceparent", "tracestate"];
    payload::strip_prefix(name, "ce_").is_some()
        || REPLACED.iter().any(|ours| name.eq_ignore_ascii_case(ours))
        || dead_letter::is_mark(name)
}

#[cfg(test)]
mod tests;
