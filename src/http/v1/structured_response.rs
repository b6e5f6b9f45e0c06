//! The answer to a PromptRequest, with how it came about.

use std::time::Duration;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::Object;
use utoipa::openapi::schema::{OneOf, Schema as OpenApiSchema, SchemaType, Type};

use super::field_evidence::{FieldsEvidence, ValueEvidence};
use super::prompt_request::OutputFormat;
use super::xml;
use crate::domain::answer::{Answer, AnswerFactors, Answered, CacheHit, Confidence, Flag, Usage, Validation};
use crate::domain::attempt;
use crate::domain::json;
use crate::http::openapi::schemas::words;
use crate::http::problem::{PlaceError, Problem};
use crate::http::request_id::RequestId;
use crate::http::request_log::Outcome;
use crate::pipeline::spec::{Spec, SpecSettings};
use crate::schema::Schema;

/// A StructuredResponse.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StructuredResponse {
    request_id: RequestId,
    #[schema(schema_with = object_or_text)]
    data: Value,
    #[schema(schema_with = validation_statuses)]
    validation_status: &'static str,
    /// What is wrong with data that was taken all the same.
    validation_errors: Vec<PlaceError>,
    /// From 0 to 1: the product of its factors that are known. It ranks answers; it is no probability.
    confidence: f64,
    confidence_factors: Factors,
    /// Whether the confidence is below the threshold.
    low_confidence: bool,
    /// What is remarkable about the request or its answer: `suspicious-input:…`, `ungrounded:…`, `low-confidence` and
    /// others.
    flags: Vec<String>,
    /// Where each value of the data stands in what was sent, by its JSON Pointer. Left out with `evidence: off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, ValueEvidence>>, nullable = false)]
    fields: Option<FieldsEvidence>,
    /// Share of the values to be found that were found there. Null where there is nothing to find.
    #[schema(required)]
    grounded: Option<f64>,
    /// Share of the schema's fields on which a second provider agrees. Only in remembered answers that a connector had
    /// compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    agreement: Option<f64>,
    cached: bool,
    #[schema(schema_with = caches)]
    cache: &'static str,
    provider: String,
    model: String,
    /// Calls that were made for it.
    attempts: u32,
    usage: Spent,
    /// The ISO 639-1 code of the language of what the client sent, where it can be told.
    #[schema(required)]
    original_language: Option<&'static str>,
    schema: String,
    #[schema(required)]
    template: Option<String>,
    processing_time_ms: u64,
}

/// What the confidence is made of.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = ConfidenceFactors)]
struct Factors {
    validation: f64,
    ladder: f64,
    #[schema(schema_with = factor)]
    grounding: Factor,
    #[schema(schema_with = factor)]
    provider: Factor,
}

/// A factor that is not always known.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
enum Factor {
    Known(f64),
    Unknown(Unknown),
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Unknown {
    Unknown,
}

impl From<Option<f64>> for Factor {
    fn from(factor: Option<f64>) -> Self {
        factor.map_or(Self::Unknown(Unknown::Unknown), |factor| Self::Known(rounded(factor)))
    }
}

/// Of this request: what a remembered answer cost was reported with the request that paid for it.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
#[schema(as = Usage)]
struct Spent {
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: f64,
}

/// What an answer is the answer to.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The request.
    pub id: &'a RequestId,
    /// How the data is written.
    pub format: OutputFormat,
    /// Whether the prompt was made by a template.
    pub is_template: bool,
    /// The language of what the client sent, by its ISO 639-1 code.
    pub language: Option<&'static str>,
    /// How long the answer took.
    pub took: Duration,
}

impl StructuredResponse {
    /// The answer to a request of this specification.
    ///
    /// # Errors
    /// `internal_error` if the answer's data cannot be read, which does not happen.
    pub fn new(spec: &Spec, answered: &Answered, asked: Asked<'_>) -> Result<Self, Problem> {
        let SpecSettings { schema, template, .. } = spec.settings();
        let Answered { answer, cache_hit, flags, confidence, grounding } = answered;
        let data = std::str::from_utf8(answered.data()).ok().and_then(|text| json::parse(text).ok());
        let data = data.ok_or_else(Problem::defect)?;
        let is_new = *cache_hit == CacheHit::None;
        let Confidence { score, answer: AnswerFactors { validation, ladder, provider }, grounding: grounded } =
            *confidence;
        let (evidence, agreement) =
            (grounding.as_ref().map(|grounding| &grounding.evidence), answer.agreement.as_ref());
        Ok(Self {
            request_id: asked.id.clone(),
            validation_status: answer.validation.as_str(),
            validation_errors: validation_errors(schema, answer, &data),
            data: match asked.format {
                OutputFormat::Json => data,
                OutputFormat::Xml => xml::document(schema.name(), &data).into(),
            },
            confidence: rounded(score),
            confidence_factors: Factors {
                validation: rounded(validation),
                ladder: rounded(ladder),
                grounding: grounded.into(),
                provider: provider.into(),
            },
            low_confidence: flags.contains(&Flag::LowConfidence),
            flags: flags.iter().map(|flag| flag.text().into_owned()).collect(),
            fields: evidence.map(|evidence| FieldsEvidence::new(evidence, answer, asked.is_template)),
            grounded: grounded.map(rounded),
            agreement: agreement.map(|agreement| rounded(agreement.share())),
            cached: !is_new,
            cache: cache_hit.as_str(),
            provider: answer.provider.to_string(),
            model: answer.model.to_string(),
            attempts: if is_new { attempt::calls(&answer.attempt_log) } else { 0 },
            usage: if is_new { Spent::of(answer.usage, answer.cost_usd) } else { Spent::default() },
            original_language: asked.language,
            schema: format!("{}@{}", schema.name(), schema.version()),
            template: asked.is_template.then(|| format!("{}@{}", template.name(), template.version())),
            processing_time_ms: milliseconds(asked.took),
        })
    }
}

impl StructuredResponse {
    /// The same answer for somebody who asked the same at the same time.
    #[must_use]
    pub fn repeated(&self) -> Self {
        let (cached, cache, attempts, usage) = (true, CacheHit::Memory.as_str(), 0, Spent::default());
        Self { cached, cache, attempts, usage, ..self.clone() }
    }

    /// What the request log learns of it.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            status: StatusCode::OK.as_u16(),
            code: None,
            provider: Some(self.provider.clone()),
            model: Some(self.model.clone()),
            schema: Some(self.schema.clone()),
            template: self.template.clone(),
            took: Some(Duration::from_millis(self.processing_time_ms)),
            input_tokens: self.usage.input_tokens,
            output_tokens: self.usage.output_tokens,
            cost_usd: self.usage.cost_usd,
            cached: self.cached,
            validation_status: Some(self.validation_status),
            confidence: Some(self.confidence),
            data: None,
        }
    }

    /// Its data, and everything else of it as an object.
    pub fn into_data_and_facts(mut self) -> (Value, Value) {
        let data = self.data.take();
        let mut facts = serde_json::to_value(self).unwrap_or_default();
        if let Some(members) = facts.as_object_mut() {
            members.shift_remove("data");
        }
        (data, facts)
    }

    /// Its data as JSON.
    pub fn data_text(&self) -> String {
        self.data.to_string()
    }

    /// Whether it was remembered.
    pub fn is_cached(&self) -> bool {
        self.cached
    }

    /// What it cost, in US dollars.
    pub fn cost_usd(&self) -> f64 {
        self.usage.cost_usd
    }
}

impl Spent {
    fn of(usage: Usage, cost_usd: f64) -> Self {
        let Usage { input_tokens, output_tokens, .. } = usage;
        Self { input_tokens, output_tokens, cost_usd: micro_dollars(cost_usd) }
    }
}

/// What is wrong with an answer that was taken all the same.
fn validation_errors(schema: &Schema, answer: &Answer, data: &Value) -> Vec<PlaceError> {
    let violations = match answer.validation {
        Validation::Passed => Vec::new(),
        Validation::Relaxed | Validation::Bypassed => schema.validate(data).err().unwrap_or_default(),
    };
    violations.into_iter().map(PlaceError::from).collect()
}

fn object_or_text() -> Object {
    let kinds = SchemaType::from_iter([Type::Object, Type::String]);
    Object::builder().schema_type(kinds).description(Some("The answer: an object, or the same as XML text")).build()
}

fn validation_statuses() -> Object {
    let all = [Validation::Passed, Validation::Relaxed, Validation::Bypassed];
    words("Whether the data is valid; not `passed` only where that was allowed", all.map(Validation::as_str))
}

fn caches() -> Object {
    let all = [CacheHit::None, CacheHit::Memory, CacheHit::Redis];
    words("Where the answer was remembered", all.map(CacheHit::as_str))
}

fn factor() -> OpenApiSchema {
    let number = Object::builder().schema_type(Type::Number).minimum(Some(0)).maximum(Some(1));
    let unknown = Object::builder().schema_type(Type::String).enum_values(Some(["unknown"]));
    OpenApiSchema::OneOf(OneOf::builder().item(number).item(unknown).build())
}

/// To four digits after the point: more are noise.
fn rounded(factor: f64) -> f64 {
    (factor * 1e4).round() / 1e4
}

/// US dollars to a millionth.
pub fn micro_dollars(usd: f64) -> f64 {
    (usd * 1e6).round() / 1e6
}

/// Whole milliseconds.
pub fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
