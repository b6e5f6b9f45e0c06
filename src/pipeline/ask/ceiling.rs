//! What the next call can take, and whether the record may have it.

use super::ladder::Ladder;
use crate::domain::answer::Usage;
use crate::domain::failure::{Code, Failure};
use crate::pipeline::route::provider::{Provider, tokens_of, total};
use crate::ports::model::CallSpec;

/// By how much the ceiling of tokens is raised, once, after a truncated answer.
const LENGTHEN: u32 = 4;

/// What a wire format and the words around a correction add to a request.
const FRAME_CHARS: usize = 300;

/// The most that a call with this note can take, by an estimate on the safe side: everything that is sent, which has
/// `chars` beside our instructions and the schema, and an answer as long as it may be.
pub(in crate::pipeline) fn need(
    call_spec: &CallSpec,
    provider: &Provider,
    note: &str,
    chars: usize,
    lengthened: Option<u32>,
) -> Usage {
    let own = provider.model().instructions().map_or(0, str::len);
    Usage {
        input_tokens: tokens_of(call_spec.sent_len(note) + own + chars + FRAME_CHARS),
        output_tokens: lengthened.unwrap_or_else(|| limit(call_spec, provider)).into(),
        ..Usage::default()
    }
}

fn limit(call_spec: &CallSpec, provider: &Provider) -> u32 {
    call_spec.max_tokens.unwrap_or_else(|| provider.model().max_tokens())
}

impl Ladder<'_> {
    /// The most that the next call can take.
    pub(super) fn need(&self, provider: &Provider) -> Usage {
        let rejected = self.progress.owed.as_ref().and_then(|owed| owed.rejected.as_ref());
        let correction = rejected.map_or(0, |rejected| rejected.answer.len() + rejected.errors.len());
        let chars = self.prompt.len() + correction;
        need(self.call_spec, provider, self.language_note(), chars, self.progress.lengthened)
    }

    /// The limit after a truncated answer: raised, but to no more than the record's ceiling leaves. Where that is no
    /// raise, the full one is taken, and the ceiling ends the record with its own name.
    pub(super) fn longer(&self, provider: &Provider) -> u32 {
        let limit = limit(self.call_spec, provider);
        let input = self.need(provider).input_tokens;
        let left = self.settings.ceiling.tokens.saturating_sub(self.progress.charged_tokens + input);
        let raised = limit.saturating_mul(LENGTHEN);
        let within = raised.min(u32::try_from(left).unwrap_or(u32::MAX));
        if within > limit { within } else { raised }
    }

    /// # Errors
    /// `record_ceiling`, with the last reason for another call.
    pub(super) fn check_ceiling(&self, need: Usage, most_usd: f64) -> Result<(), Failure> {
        let ceiling = self.settings.ceiling;
        let tokens = self.progress.charged_tokens + total(need);
        let usd = self.progress.spending.cost_usd + most_usd;
        if ceiling.allows(tokens, usd) {
            return Ok(());
        }
        let calls = self.progress.calls();
        let mut detail = format!(
            "after {calls} calls another could bring this record to {tokens} tokens and {usd:.4} USD, its ceiling is {} tokens",
            ceiling.tokens
        );
        if let Some(limit) = ceiling.usd {
            detail.push_str(&format!(" and {limit} USD"));
        }
        if let Some(failure) = &self.progress.failure {
            detail.push_str(&format!("; the last call ended with {}", failure.code));
        }
        Err(Failure::new(Code::RecordCeiling, detail))
    }
}
