//! What a client asks: a PromptRequest, as far as it can be judged by itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::domain::json;
use crate::http::fields::{Fields, Place, PlaceErrors, kind};
use crate::http::problem::Problem;
use crate::pipeline::route::settings::Strategy;
use crate::pipeline::spec::EvidenceMode;
use crate::schema::{Schema, SchemaError};

/// Shortest and longest time that a request may be given. Below, no provider answers; above, no client waits.
const TIMEOUTS: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(600);
/// Longest time that an answer may be remembered: longer ones are slips.
const MAX_TTL: Duration = Duration::from_secs(366 * 24 * 3600);
/// Most tokens of an answer. The largest models give as many.
pub(super) const MAX_TOKENS: u32 = 131_072;
/// Whether it is found out where values stand, by its names in `options.evidence`.
const EVIDENCE: &[(&str, EvidenceMode)] =
    &[("locate", EvidenceMode::Locate), ("quote", EvidenceMode::Quote), ("off", EvidenceMode::Off)];
/// Longest tag of an answer in the cache, in characters.
const MAX_TAG_CHARS: usize = 128;

/// A request for one answer. What is `None` was left out.
#[derive(Debug, Clone, Default)]
pub struct PromptRequest {
    /// Where it stands in the body.
    pub place: Place,
    /// What it has from its batch.
    pub inherited: Inherited,
    /// The text to read.
    pub prompt: Option<String>,
    /// The template to fill.
    pub template_id: Option<String>,
    /// What the template's parameters are filled with.
    pub parameters: Option<BTreeMap<String, String>>,
    /// What the template's only parameter is filled with, whatever its name.
    pub only_parameter: Option<String>,
    /// What the answer has to look like.
    pub schema: Option<SchemaChoice>,
    /// How the answer's data is written.
    pub output_format: Option<OutputFormat>,
    /// Everything else.
    pub options: PromptOptions,
}

/// What an answer has to look like.
#[derive(Debug, Clone, PartialEq)]
pub enum SchemaChoice {
    /// A schema by name: `invoice`, `invoice@1`.
    Named(String),
    /// The client's own JSON Schema. The requests of a batch share one.
    Own(Arc<OwnSchema>),
}

/// A client's own JSON Schema.
#[derive(Debug, PartialEq)]
pub struct OwnSchema {
    /// As it was sent.
    pub json: Value,
    /// Of its canonical form; of a schema that is too large, why it is refused.
    pub digest: Result<[u8; 32], SchemaError>,
}

/// Those of a request's fields that it has from its batch, as far as something can be wrong with them when all of the
/// request is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inherited {
    /// `template_id`.
    pub template: bool,
    /// `schema` or `schema_id`.
    pub schema: bool,
    /// `options.provider`.
    pub provider: bool,
}

/// How an answer's data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OutputFormat {
    /// As a JSON object.
    #[default]
    Json,
    /// As XML, in a JSON string.
    Xml,
}

/// The `options` of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PromptOptions {
    /// The only provider to ask.
    pub provider: Option<String>,
    /// How the first provider is chosen.
    pub strategy: Option<Strategy>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// Ceiling for the answer's tokens.
    pub max_tokens: Option<u32>,
    /// How long the client waits.
    pub timeout: Option<Duration>,
    /// Whether a provider is asked in any case.
    pub bypass_cache: Option<bool>,
    /// How long the answer is remembered.
    pub cache_ttl: Option<Duration>,
    /// A name by which remembered answers can be dropped.
    pub cache_tag: Option<String>,
    /// Whether any object is an answer.
    pub bypass_validation: Option<bool>,
    /// Whether an answer that is only nearly valid is one.
    pub allow_relaxed: Option<bool>,
    /// Confidence below which the answer is marked.
    pub confidence_threshold: Option<f64>,
    /// Whether the answer's values are looked for in what the client sent.
    pub evidence: Option<EvidenceMode>,
}

impl PromptRequest {
    /// Reads a body that is one request.
    ///
    /// # Errors
    /// `invalid_request`, with everything that is wrong.
    pub fn of_body(body: Value) -> Result<Self, Problem> {
        let errors = PlaceErrors::default();
        let request = Self::read(body, Place::default(), &errors);
        errors.check(request)
    }

    /// The same without what is to be read: what its specification depends on.
    pub fn without_input(&self) -> Self {
        let Self { place, inherited, template_id, schema, output_format, options, .. } = self;
        Self {
            place: place.clone(),
            inherited: *inherited,
            template_id: template_id.clone(),
            schema: schema.clone(),
            output_format: *output_format,
            options: options.clone(),
            ..Self::default()
        }
    }

    /// Reads a request at its place in a body. Whatever is wrong is noted.
    pub fn read(body: Value, place: Place, errors: &PlaceErrors) -> Option<Self> {
        let mut fields = Fields::of(body, place.clone(), errors)?;
        let request = Self {
            place,
            inherited: Inherited::default(),
            prompt: fields.text("prompt"),
            template_id: fields.text("template_id"),
            parameters: fields.object("parameters").map(parameters),
            only_parameter: None,
            schema: schema(&mut fields),
            output_format: fields.choice("output_format", &[("json", OutputFormat::Json), ("xml", OutputFormat::Xml)]),
            options: fields.object("options").map(PromptOptions::read).unwrap_or_default(),
        };
        fields.finish();
        Some(request)
    }

    /// The same with what a batch says for all of its requests, where this one says nothing.
    #[must_use]
    pub fn within(mut self, shared: &Self) -> Self {
        if self.prompt.is_none() && self.template_id.is_none() {
            self.template_id.clone_from(&shared.template_id);
            self.inherited.template = true;
        }
        self.inherited.schema = self.schema.is_none();
        self.schema = self.schema.or_else(|| shared.schema.clone());
        self.inherited.provider = self.options.provider.is_none();
        self.options = self.options.within(&shared.options);
        self
    }

    /// Where a field stands, by whether it is inherited: in this request, or in the body of its batch.
    pub fn place_of(&self, is_inherited: bool) -> Place {
        if is_inherited { Place::default() } else { self.place.clone() }
    }
}

impl OwnSchema {
    /// A schema as it was sent.
    pub fn new(json: Value) -> Self {
        let digest = Schema::check_size(&json).map(|()| Sha256::digest(json::canonical(&json)).into());
        Self { json, digest }
    }
}

impl PromptOptions {
    /// Reads them all. Whatever is wrong is noted.
    pub fn read(mut fields: Fields<'_>) -> Self {
        let strategies = [Strategy::LeastBusy, Strategy::Cost, Strategy::Latency, Strategy::Priority];
        let options = Self {
            provider: fields.text("provider"),
            strategy: fields.choice("strategy", &strategies.map(|strategy| (strategy.as_str(), strategy))),
            temperature: fields.number("temperature", 0.0..=2.0),
            max_tokens: fields.integer("max_tokens", 1..=MAX_TOKENS),
            timeout: fields.duration("timeout", TIMEOUTS),
            bypass_cache: fields.flag("bypass_cache"),
            cache_ttl: fields.duration("cache_ttl", Duration::ZERO..=MAX_TTL),
            cache_tag: cache_tag(&mut fields),
            bypass_validation: fields.flag("bypass_validation"),
            allow_relaxed: fields.flag("allow_relaxed"),
            confidence_threshold: fields.number("confidence_threshold", 0.0..=1.0),
            evidence: fields.choice("evidence", EVIDENCE),
        };
        fields.finish();
        options
    }
}

impl PromptOptions {
    /// The same with other options where these say nothing.
    #[must_use]
    pub fn within(self, shared: &Self) -> Self {
        let shared = shared.clone();
        Self {
            provider: self.provider.or(shared.provider),
            strategy: self.strategy.or(shared.strategy),
            temperature: self.temperature.or(shared.temperature),
            max_tokens: self.max_tokens.or(shared.max_tokens),
            timeout: self.timeout.or(shared.timeout),
            bypass_cache: self.bypass_cache.or(shared.bypass_cache),
            cache_ttl: self.cache_ttl.or(shared.cache_ttl),
            cache_tag: self.cache_tag.or(shared.cache_tag),
            bypass_validation: self.bypass_validation.or(shared.bypass_validation),
            allow_relaxed: self.allow_relaxed.or(shared.allow_relaxed),
            confidence_threshold: self.confidence_threshold.or(shared.confidence_threshold),
            evidence: self.evidence.or(shared.evidence),
        }
    }
}

/// What the answer has to look like, in one of two ways.
pub fn schema(fields: &mut Fields<'_>) -> Option<SchemaChoice> {
    let (own, named) = (fields.value("schema"), fields.text("schema_id"));
    if own.is_some() && named.is_some() {
        fields.error("schema_id", "there is a schema already; send one of the two");
    }
    own.map(|schema| SchemaChoice::Own(Arc::new(OwnSchema::new(schema)))).or(named.map(SchemaChoice::Named))
}

/// Values that are printed into a prompt as they were written.
pub fn parameters(fields: Fields<'_>) -> BTreeMap<String, String> {
    let (place, errors) = (fields.place().clone(), fields.errors());
    let text = |(name, value): (String, Value)| {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            other @ (Value::Null | Value::Array(_) | Value::Object(_)) => {
                let detail = format!("expected text, a number, true or false, found {}", kind(&other));
                errors.add(place.at(&name).error("", detail));
                return None;
            }
        };
        Some((name, text))
    };
    Map::into_iter(fields.into_members()).filter_map(text).collect()
}

fn cache_tag(fields: &mut Fields<'_>) -> Option<String> {
    let tag = fields.text("cache_tag")?;
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
    if tag.len() > MAX_TAG_CHARS || !tag.chars().all(is_legal) {
        fields.error("cache_tag", format!("a tag has 1 to {MAX_TAG_CHARS} letters, digits, `.`, `_`, `:` or `-`"));
        return None;
    }
    Some(tag)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::json::number;

    #[test]
    fn every_field_of_a_request_is_read() {
        let body = json!({
            "template_id": "invoice", "parameters": { "document": "x", "n": number("1.50"), "flag": true },
            "schema": { "type": "object" }, "output_format": "xml",
            "options": {
                "provider": "claude", "strategy": "cost", "temperature": 0, "max_tokens": 512, "timeout": "10s",
                "bypass_cache": false, "cache_ttl": "1h", "cache_tag": "invoice_2026", "bypass_validation": false,
                "allow_relaxed": true, "confidence_threshold": 0.6, "evidence": "off",
            },
        });
        let request = PromptRequest::of_body(body).unwrap();
        let expected = PromptOptions {
            provider: Some("claude".to_owned()),
            strategy: Some(Strategy::Cost),
            temperature: Some(0.0),
            max_tokens: Some(512),
            timeout: Some(Duration::from_secs(10)),
            bypass_cache: Some(false),
            cache_ttl: Some(Duration::from_secs(3600)),
            cache_tag: Some("invoice_2026".to_owned()),
            bypass_validation: Some(false),
            allow_relaxed: Some(true),
            confidence_threshold: Some(0.6),
            evidence: Some(EvidenceMode::Off),
        };
        assert_eq!(request.options, expected);
        let parameters = request.parameters.unwrap();
        let written: Vec<_> = parameters.values().map(String::as_str).collect();
        assert_eq!(written, ["x", "true", "1.50"], "by name: document, flag, n");
        let own = OwnSchema::new(json!({ "type": "object" }));
        assert_eq!(request.schema, Some(SchemaChoice::Own(Arc::new(own))));
        assert_eq!((request.template_id.as_deref(), request.output_format), (Some("invoice"), Some(OutputFormat::Xml)));
    }

    #[test]
    fn an_own_schema_has_a_digest_of_its_content_unless_it_is_too_large() {
        let (one, same) = (json!({ "type": "object", "title": "a" }), json!({ "title": "a", "type": "object" }));
        let other = json!({ "type": "object", "title": "b" });
        let [one, same, other] = [one, same, other].map(|json| OwnSchema::new(json).digest.unwrap());
        assert_eq!(one, same);
        assert_ne!(one, other);
        let large = OwnSchema::new(json!({ "type": "object", "description": "x".repeat(1 << 20) }));
        assert!(large.digest.unwrap_err().message.contains("bytes long"));
    }

    #[test]
    fn whatever_is_wrong_is_said_at_once() {
        let body = json!({
            "prompt": 1, "parameters": { "a/b": [] }, "schema": {}, "schema_id": "z", "promt": 1,
            "options": { "evidence": "guess", "timeout": "1h", "cache_tag": "*", "temperature": 3 },
        });
        let problem = serde_json::to_value(PromptRequest::of_body(body).unwrap_err()).unwrap();
        let errors = problem["errors"].as_array().unwrap();
        let places: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        let expected = [
            "#/prompt",
            "#/parameters/a~1b",
            "#/schema_id",
            "#/options/temperature",
            "#/options/timeout",
            "#/options/cache_tag",
            "#/options/evidence",
            "#/promt",
        ];
        assert_eq!(places, expected, "{problem}");
    }
}
