//! A result as a CloudEvent, before it is in any wire format. Each door has an encoder of it.

use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use super::attributes::is_allowed;
use super::trace::{self, TraceContext};
use super::write;
use crate::domain::answer::{Answered, CacheHit, Usage};
use crate::domain::attempt::{self, Attempt};
use crate::domain::event::Event;
use crate::domain::record::Record;

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
            source: format!("/structured-prompt/{connector}").into(),
            schema_uri: text(schema_uri),
            schema_version: text(schema),
            prompt_version: text(prompt),
            config_hash: text(config_hash),
            connector: connector.to_owned(),
        }
    }
}

/// The name of a context attribute, kept as Kafka's binary mode writes it: that is written most often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeName(&'static str);

impl AttributeName {
    /// With the prefix of Kafka headers (CloudEvents Kafka binding 1.0.2, section 3.2.3.1).
    pub fn kafka_header(self) -> &'static str {
        self.0
    }

    /// The name itself.
    pub fn as_str(self) -> &'static str {
        self.0.strip_prefix("ce_").unwrap_or(self.0)
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
    pub traceparent: String,
    /// `tracestate` beside it.
    pub tracestate: Option<Bytes>,
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
    /// The event that carries an answer to `event`, which came in `record`, at `now` since the Unix epoch.
    pub fn new(record: &Record, event: &Event, answered: &Answered, origin: &Origin, now: Duration) -> Self {
        const MOST: usize = 32;
        let id = id(&origin.connector, event).to_string();
        let trace = trace::context(record, Some(event));
        let hop = trace.hop(&id);
        let TraceContext { traceparent, tracestate, .. } = trace;
        let tracestate = tracestate.map(Bytes::from);
        let mut it = Self {
            attributes: Vec::with_capacity(MOST),
            content_type: "application/json",
            data: answered.answer.data.clone(),
            traceparent: hop,
            tracestate: tracestate.clone(),
        };
        it.push("ce_specversion", "1.0");
        it.push("ce_id", id);
        it.push("ce_source", origin.source.clone());
        it.push("ce_type", RESULT);
        it.push("ce_time", write::time(now));
        it.push("ce_dataschema", origin.schema_uri.clone());
        it.push("ce_traceparent", traceparent);
        if let Some(state) = tracestate {
            it.push("ce_tracestate", state);
        }
        it.push_cause(event);
        it.push_provenance(answered, origin);
        it
    }

    fn push(&mut self, name: &'static str, value: impl Into<Bytes>) {
        self.attributes.push((AttributeName(name), value.into()));
    }

    /// What ties the result to the event that asked for it.
    fn push_cause(&mut self, event: &Event) {
        if let Some(subject) = &event.subject {
            self.push("ce_subject", subject.clone());
        }
        self.push("ce_causationid", event.id.clone());
        self.push("ce_causationsource", event.source.clone());
        let correlation = event.extensions.get("correlationid").unwrap_or(&event.id);
        self.push("ce_correlationid", correlation.clone());
        if let Some(key) = event.extensions.get("partitionkey") {
            self.push("ce_partitionkey", key.clone());
        }
    }

    /// How the answer came about. A cached answer's cost was reported with the record that paid for it.
    fn push_provenance(&mut self, answered: &Answered, origin: &Origin) {
        let answer = &answered.answer;
        let (attempts, usage, cost_usd) = match answered.cache_hit {
            CacheHit::None => (attempt::calls(&answer.attempt_log), answer.usage, answer.cost_usd),
            CacheHit::Memory | CacheHit::Redis | CacheHit::Journal => (0, Usage::default(), 0.0),
        };
        self.push("ce_provider", allowed(&answer.provider));
        self.push("ce_model", allowed(&answer.model));
        self.push("ce_validation", answer.validation.as_str());
        self.push("ce_confidence", format!("{:.2}", answer.confidence.score));
        self.push("ce_confidencefactors", answer.confidence.to_string());
        self.push("ce_attempts", attempts.to_string());
        // One plain call has nothing to tell beyond the attributes, if its provider gives no ids.
        let tells = |attempt: &Attempt| attempt.response_id.is_some() || !attempt.passed_over.is_empty();
        let is_worth_it = answer.attempt_log.len() > 1 || answer.attempt_log.iter().any(tells);
        if is_worth_it && answered.cache_hit == CacheHit::None {
            self.push("ce_attemptlog", super::attempt_log::encode(&answer.attempt_log));
        }
        self.push("ce_inputtokens", usage.input_tokens.to_string());
        self.push("ce_outputtokens", usage.output_tokens.to_string());
        self.push("ce_costusd", format!("{cost_usd:.6}"));
        self.push("ce_cachehit", answered.cache_hit.as_str());
        self.push("ce_promptversion", origin.prompt_version.clone());
        self.push("ce_schemaversion", origin.schema_version.clone());
        self.push("ce_confighash", origin.config_hash.clone());
        if !answered.flags.is_empty() {
            let flags: Vec<_> = answered.flags.iter().map(|flag| flag.text()).collect();
            self.push("ce_flags", flags.join(","));
        }
    }
}

/// A text that a provider chose, without what an attribute may not contain.
fn allowed(text: &str) -> String {
    text.chars().filter(|c| is_allowed(*c)).collect()
}

#[cfg(test)]
mod tests;
