//! A result as a CloudEvent, before it is in any wire format. Each door has an encoder of it.

use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use super::attribute_list::AttributeList;
pub use super::attribute_list::AttributeName;
use super::field_evidence;
use super::trace::TraceContext;
use super::write;
use crate::domain::answer::{Answer, Answered, CacheHit, Usage};
use crate::domain::attempt::{self, Attempt};
use crate::domain::event::Event;
use crate::domain::grounding::Grounding;

/// `type` of a result.
pub const RESULT: &str = "com.structuredprompt.result.v1";

/// Namespace of results' ids: the UUIDv5 of [`RESULT`] in the nil namespace. It must never change: readers recognise a
/// repeated result by its id.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x4b01_4fb9_70ce_5541_9666_8856_c354_5c1f);

/// What made a result, beside the answer itself: written once for all results of a connector.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Name of the connector.
    connector: String,
    source: Bytes,
    schema_uri: Bytes,
    schema_version: Bytes,
    prompt_version: Bytes,
    config_hash: Bytes,
}

/// Versions of what a connector asks, as its results name them.
#[derive(Debug, Clone, Copy)]
pub struct Versions<'a> {
    /// `dataschema`: an absolute URI.
    pub schema_uri: &'a str,
    /// Version of the schema.
    pub schema: &'a str,
    /// Version of the prompt template.
    pub prompt: &'a str,
    /// Hash of the connector's configuration.
    pub config_hash: &'a str,
}

impl Origin {
    /// The origin of results of the connector of this name.
    pub fn new(connector: &str, versions: Versions<'_>) -> Self {
        let text = |text: &str| Bytes::from(text.to_owned());
        let Versions { schema_uri, schema, prompt, config_hash } = versions;
        Self {
            source: source(connector).into(),
            schema_uri: text(schema_uri),
            schema_version: text(schema),
            prompt_version: text(prompt),
            config_hash: text(config_hash),
            connector: connector.to_owned(),
        }
    }
}

/// A result as a CloudEvent. Its data is the answer's, shared, not copied.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultEvent {
    /// Context attributes in the order in which they are written; each value is text.
    pub attributes: Vec<(AttributeName, Bytes)>,
    /// The content type of the data.
    pub content_type: &'static str,
    /// The extracted object.
    pub data: Bytes,
    /// `traceparent` of the hop that writes it, for a transport that has a place for one.
    pub traceparent: Bytes,
    /// `tracestate` beside it.
    pub tracestate: Option<Bytes>,
}

/// `source` of the results of a connector.
pub fn source(connector: &str) -> String {
    format!("/structured-prompt/{connector}")
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

impl ResultEvent {
    /// The event that carries an answer to `event`, which belongs to this trace, at `now` since the Unix epoch.
    pub fn new(trace: &TraceContext, event: &Event, answered: &Answered, origin: &Origin, now: Duration) -> Self {
        let id = id(&origin.connector, event).to_string();
        let hop = trace.hop(&id);
        let tracestate = trace.tracestate.clone().map(Bytes::from);
        let mut list = AttributeList::new();
        list.shared("ce_specversion", "1.0");
        list.text("ce_id", &id);
        list.shared("ce_source", origin.source.clone());
        list.shared("ce_type", RESULT);
        list.text("ce_time", &write::time(now));
        list.shared("ce_dataschema", origin.schema_uri.clone());
        list.text("ce_traceparent", &trace.traceparent);
        if let Some(state) = &tracestate {
            list.shared("ce_tracestate", state.clone());
        }
        add_cause(&mut list, event);
        add_provenance(&mut list, answered, origin);
        let (attributes, traceparent) = list.finish(&hop);
        let data = answered.data().clone();
        Self { attributes, content_type: "application/json", data, traceparent, tracestate }
    }
}

/// What ties the result to the event that asked for it.
fn add_cause(list: &mut AttributeList, event: &Event) {
    if let Some(subject) = &event.subject {
        list.text("ce_subject", subject);
    }
    list.text("ce_causationid", &event.id);
    list.text("ce_causationsource", &event.source);
    list.text("ce_correlationid", event.extensions.get("correlationid").unwrap_or(&event.id));
    if let Some(key) = event.extensions.get("partitionkey") {
        list.text("ce_partitionkey", key);
    }
}

/// Where the answer's values stand in the record. Results that share a grounding share its text, and the answer.
fn add_evidence(list: &mut AttributeList, grounding: &Grounding, answer: &Answer) {
    if let Some(grounded) = grounding.grounded {
        list.number("ce_grounded", grounded, 2);
    }
    let Answer { logprobs, agreement, .. } = answer;
    let written =
        grounding.written.get_or_init(|| field_evidence::encode(&grounding.evidence, logprobs, agreement.as_ref()));
    list.shared("ce_fieldevidence", written.clone());
}

/// How the answer came about. A cached answer's cost was reported with the record that paid for it.
fn add_provenance(list: &mut AttributeList, answered: &Answered, origin: &Origin) {
    let answer = &answered.answer;
    let (attempts, usage, cost_usd) = match answered.cache_hit {
        CacheHit::None => (attempt::calls(&answer.attempt_log), answer.usage, answer.cost_usd),
        CacheHit::Memory | CacheHit::Redis | CacheHit::Journal => (0, Usage::default(), 0.0),
    };
    list.allowed_text("ce_provider", &answer.provider);
    list.allowed_text("ce_model", &answer.model);
    list.shared("ce_validation", answer.validation.as_str());
    list.number("ce_confidence", answered.confidence.score, 2);
    list.shown("ce_confidencefactors", answered.confidence);
    if let Some(grounding) = &answered.grounding {
        add_evidence(list, grounding, answer);
    }
    if let Some(agreement) = &answer.agreement {
        list.number("ce_agreement", agreement.share(), 2);
    }
    list.shown("ce_attempts", attempts);
    // One plain call has nothing to tell beyond the attributes, if its provider gives no ids.
    let tells = |attempt: &Attempt| attempt.response_id.is_some() || !attempt.passed_over.is_empty();
    let is_worth_it = answer.attempt_log.len() > 1 || answer.attempt_log.iter().any(tells);
    if is_worth_it && answered.cache_hit == CacheHit::None {
        list.text("ce_attemptlog", &super::attempt_log::encode(&answer.attempt_log));
    }
    list.shown("ce_inputtokens", usage.input_tokens);
    list.shown("ce_outputtokens", usage.output_tokens);
    list.number("ce_costusd", cost_usd, 6);
    list.shared("ce_cachehit", answered.cache_hit.as_str());
    list.shared("ce_promptversion", origin.prompt_version.clone());
    list.shared("ce_schemaversion", origin.schema_version.clone());
    list.shared("ce_confighash", origin.config_hash.clone());
    if !answered.flags.is_empty() {
        let flags: Vec<_> = answered.flags.iter().map(|flag| flag.text()).collect();
        list.text("ce_flags", &flags.join(","));
    }
}

#[cfg(test)]
mod tests;
