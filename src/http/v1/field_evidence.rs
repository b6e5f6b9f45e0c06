//! Where the values of an answer stand in what the client sent.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use utoipa::openapi::Object;
use utoipa::openapi::schema::{ArrayBuilder, Type};

use crate::domain::answer::Answer;
use crate::domain::evidence::{Evidence, EvidenceState};
use crate::domain::logprobs::ByField;
use crate::http::openapi::schemas::words;

/// The evidence of each value, by its JSON Pointer in `data`, in the order of the answer.
#[derive(Debug, Clone)]
pub struct FieldsEvidence(Vec<(String, ValueEvidence)>);

/// Where one value stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = FieldEvidence)]
pub struct ValueEvidence {
    #[schema(schema_with = states)]
    evidence: &'static str,
    /// The text that has it: a JSON Pointer in the request, `/prompt` or `/parameters/…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    source: Option<String>,
    /// The places in that text, from the first code point to before the last: `[[27, 31]]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(schema_with = spans)]
    spans: Vec<[u32; 2]>,
    /// Mean of the natural logarithms of the probabilities that the model gave to the value's tokens: 0 is certain, -0.69 is
    /// one half. Only where the provider is asked for log probabilities, and tells them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, maximum = 0)]
    logprob_mean: Option<f64>,
    /// Whether a second provider gave the same value, where one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    agreed: Option<bool>,
}

impl FieldsEvidence {
    /// Evidence in a request that has a template, or a prompt, with what else is known of the values of its answer.
    pub fn new(evidence: &Evidence, answer: &Answer, is_template: bool) -> Self {
        let (logprobs, agreement) = (ByField::new(&answer.logprobs), answer.agreement.as_ref());
        let fields = evidence.fields.iter().map(|field| {
            let place = ValueEvidence {
                evidence: field.state.as_str(),
                source: field.source.as_deref().map(|source| place(source, is_template)),
                spans: field.spans.iter().map(|span| [span.start, span.end]).collect(),
                logprob_mean: logprobs.mean(&field.field),
                agreed: agreement.and_then(|agreement| agreement.of(&field.field)),
            };
            (field.field.clone(), place)
        });
        Self(fields.collect())
    }
}

/// The place of a text in the request. The pipeline knows it by its place in the event that the request became: the
/// whole data for a prompt, a member of it for a parameter.
fn place(source: &str, is_template: bool) -> String {
    if is_template { format!("/parameters{source}") } else { format!("/prompt{source}") }
}

impl Serialize for FieldsEvidence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(field, evidence)| map.serialize_entry(field, evidence))?;
        map.end()
    }
}

fn states() -> Object {
    let description = "`exact`, `normalized` (in another writing) or `ambiguous` (several places, or readings) where the \
        text has it; `none` where it has not; `absent` is null or left out; `judged` is a conclusion, which is not looked \
        for; `unsearched` is beyond what one search may cost";
    words(description, EvidenceState::ALL.map(EvidenceState::as_str))
}

fn spans() -> utoipa::openapi::schema::Array {
    let number = Object::builder().schema_type(Type::Integer).minimum(Some(0)).build();
    let span = ArrayBuilder::new().items(number).min_items(Some(2)).max_items(Some(2));
    let description = "The places in that text in Unicode code points, each from its first to before its end";
    ArrayBuilder::new().items(span).description(Some(description)).build()
}

#[cfg(test)]
mod tests;
