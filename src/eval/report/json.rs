//! The report as JSON, and an earlier one as the baseline of a later run.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Report, Variant};
use crate::domain::evidence::Evidence;
use crate::eval::comparison::{Comparison, Scores};
use crate::eval::confusion::Confusion;
use crate::eval::fields::Field;
use crate::eval::outcome::{End, Row};
use crate::eval::summary::Summary;

/// The form of the report.
const FORMAT: u32 = 1;

/// The report.
#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    connector: &'a str,
    labels: usize,
    variants: Vec<VariantDocument<'a>>,
    comparisons: &'a [Comparison],
    with_baseline: &'a [Comparison],
}

/// One variant of it.
#[derive(Serialize)]
struct VariantDocument<'a> {
    name: &'a str,
    settings: Map<String, Value>,
    is_replayed: bool,
    summary: &'a Summary,
    confusion: &'a [Confusion],
    labels: Vec<Value>,
    scores: &'a Scores,
}

/// What a later run reads of it.
#[derive(Deserialize)]
struct Earlier {
    format: u32,
    variants: Vec<EarlierVariant>,
}

#[derive(Deserialize)]
struct EarlierVariant {
    scores: Scores,
}

/// The report as JSON.
///
/// # Errors
/// Never in practice: everything in it can be written as JSON.
pub fn write(report: &Report<'_>) -> serde_json::Result<String> {
    let document = Document {
        format: FORMAT,
        connector: report.connector,
        labels: report.labels.len(),
        variants: report.variants.iter().map(|variant| document(report, variant)).collect(),
        comparisons: &report.comparisons,
        with_baseline: &report.with_baseline,
    };
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

/// The scores of an earlier run, by the report that it wrote.
///
/// # Errors
/// A sentence: why it cannot be compared with.
pub fn read_scores(text: &str) -> Result<Vec<Scores>, String> {
    let earlier: Earlier = serde_json::from_str(text)
        .map_err(|error| format!("it is no report of eval: {error}; name the report.json of an earlier run"))?;
    if earlier.format != FORMAT {
        return Err(format!("its format is {}, and only {FORMAT} can be compared with; evaluate anew", earlier.format));
    }
    Ok(earlier.variants.into_iter().map(|variant| variant.scores).collect())
}

fn document<'a>(report: &Report<'a>, variant: &'a Variant<'a>) -> VariantDocument<'a> {
    let Variant { run, summary, scores, confusion } = variant;
    let settings = run.settings.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
    VariantDocument {
        name: &run.name,
        settings: settings.collect(),
        is_replayed: run.is_replayed,
        summary,
        confusion,
        labels: run.rows(report.labels).map(|row| label(report.fields, row)).collect(),
        scores,
    }
}

fn label(fields: &[Field], row: Row<'_>) -> Value {
    let judged = row.judged.map(|judged| &judged.fields);
    let verdicts: Map<String, Value> = fields
        .iter()
        .zip(judged.into_iter().flatten())
        .map(|(field, one)| (field.pointer.clone(), json!({ "verdict": one.verdict, "score": one.score })))
        .collect();
    let mut label = json!({
        "id": row.label.id,
        "calls": row.outcome.calls,
        "input_tokens": row.outcome.usage.input_tokens,
        "output_tokens": row.outcome.usage.output_tokens,
        "cost_usd": row.outcome.cost_usd,
    });
    match &row.outcome.end {
        End::Answer(given) => {
            label["data"] = given.data.clone();
            label["confidence"] = given.confidence.into();
            label["validation"] = given.validation.as_str().into();
            label["provider"] = given.provider.as_str().into();
            label["model"] = given.model.as_str().into();
            label["fields"] = given.evidence.as_ref().map_or(Value::Null, places);
        }
        End::NoAnswer { code, detail } => {
            label["code"] = code.as_str().into();
            label["detail"] = detail.as_str().into();
        }
    }
    label["verdicts"] = Value::Object(verdicts);
    label
}

/// Evidence in the form that results over HTTP have.
fn places(evidence: &Evidence) -> Value {
    let fields = evidence.fields.iter().map(|field| {
        let mut shown = json!({ "evidence": field.state.as_str() });
        if let Some(source) = &field.source {
            shown["source"] = (**source).into();
            shown["spans"] = field.spans.iter().map(|span| json!([span.start, span.end])).collect();
        }
        (field.field.to_string(), shown)
    });
    Value::Object(fields.collect())
}
