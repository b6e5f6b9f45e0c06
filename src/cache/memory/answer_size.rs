//! What a remembered answer takes of the process's memory.

use std::sync::Arc;

use crate::domain::agreement::Agreement;
use crate::domain::answer::Answer;
use crate::domain::attempt::Attempt;
use crate::domain::evidence::FieldEvidence;
use crate::domain::grounding::Grounding;
use crate::domain::logprobs::ValueLogprob;
use crate::domain::quotes::FieldQuotes;

/// What the allocator adds to each allocation, its rounding included.
const ALLOCATION: usize = 16;
/// What the text of a field's evidence has beside names and numbers.
const WRITTEN_FIELD: usize = 48;
/// Usual length of a span as text.
const WRITTEN_SPAN: usize = 12;
/// Usual length of a share with its count as text.
const WRITTEN_ACCURACY: usize = 18;
/// What the text of a field's evidence has for a log probability.
const WRITTEN_LOGPROB: usize = 24;

/// What an allocation of this size takes when it is counted by those who hold it.
pub(super) fn counted(bytes: usize) -> usize {
    let counts = 2 * size_of::<usize>();
    counts + bytes + ALLOCATION
}

/// What an answer takes of the process's memory, with all that only it holds on to.
pub(super) fn answer_bytes(answer: &Answer) -> usize {
    // Exhaustive on purpose: a new field does not compile until somebody decides what it takes.
    let Answer {
        data,
        model,
        attempt_log,
        provider: _, // the provider's own
        validation: _,
        factors: _,
        usage: _,
        cost_usd: _,
        quotes,
        logprobs,
        grounding,
        agreement,
    } = answer;
    // Data that is shared has its counts in an allocation of its own.
    let data = data.len() + ALLOCATION + counted(size_of::<usize>());
    let attempts = attempt_log.iter().map(|attempt| {
        let id = attempt.response_id.as_ref().map_or(0, |id| counted(id.len()));
        let is_own = !Arc::ptr_eq(&attempt.model, model);
        size_of::<Attempt>() + id + if is_own { counted(attempt.model.len()) } else { 0 }
    });
    let quotes = quotes.iter().map(|FieldQuotes { field, quotes }| {
        let texts = quotes.iter().map(|quote| size_of::<String>() + quote.len() + ALLOCATION);
        size_of::<FieldQuotes>() + field.len() + 2 * ALLOCATION + texts.sum::<usize>()
    });
    let logprobs = logprobs
        .iter()
        .map(|ValueLogprob { field, .. }| size_of::<ValueLogprob>() + field.len() + ALLOCATION + WRITTEN_LOGPROB);
    let grounding = grounding.get().map_or(0, |grounding| grounding_bytes(&grounding));
    let agreement = agreement.as_ref().map_or(0, agreement_bytes);
    counted(size_of::<Answer>())
        + data
        + counted(model.len())
        + ALLOCATION
        + attempts.sum::<usize>()
        + quotes.sum::<usize>()
        + logprobs.sum::<usize>()
        + grounding
        + agreement
}

/// What is kept of what a second provider said.
fn agreement_bytes(agreement: &Agreement) -> usize {
    let values = agreement.values().iter().map(|value| size_of_val(value) + value.0.len() + ALLOCATION);
    values.sum::<usize>() + ALLOCATION
}

/// What is kept of where an answer's values stand. Results have it as text, which is written after this is asked.
fn grounding_bytes(grounding: &Grounding) -> usize {
    let Grounding { evidence, grounded: _, data, flags, is_for_review: _, refused, written: _ } = grounding;
    let fields = evidence.fields.iter().map(|field| {
        let FieldEvidence { field: pointer, state: _, source, spans, accuracy } = field;
        let source_len = source.as_ref().map_or(0, |source| source.len());
        let kept = size_of::<FieldEvidence>() + pointer.len() + size_of_val(spans.as_slice()) + 3 * ALLOCATION;
        let accuracy = accuracy.map_or(0, |_| WRITTEN_ACCURACY);
        let written = WRITTEN_FIELD + pointer.len() + source_len + WRITTEN_SPAN * spans.len() + accuracy;
        kept + source_len + written
    });
    let data = data.as_ref().map_or(0, |data| data.len() + 2 * ALLOCATION);
    counted(size_of::<Grounding>())
        + data
        + size_of_val(evidence.quotes.as_slice())
        + size_of_val(flags.as_slice())
        + size_of_val(refused.as_slice())
        + fields.sum::<usize>()
}
