//! What the next call can take, and whether the record may have it.

use super::ladder::Ladder;
use crate::domain::answer::Usage;
use crate::domain::failure::{Code, Failure};
use crate::pipeline::route::provider::{Provider, tokens_of, total};

/// By how much the ceiling of tokens is raised, once, after a truncated answer.
const LENGTHEN: u32 = 4;

/// What a wire format and the words around a correction add to a request.
const FRAME_CHARS: usize = 300;

impl Ladder<'_> {
    /// The most that the next call can take, by an estimate on the safe side: everything that is sent, and an answer as
    /// long as it may be.
    pub(super) fn need(&self, provider: &Provider) -> Usage {
        Usage {
            input_tokens: tokens_of(self.chars(provider)),
            output_tokens: self.progress.lengthened.unwrap_or_else(|| self.limit(provider)).into(),
            ..Usage::default()
        }
    }

    fn chars(&self, provider: &Provider) -> usize {
        let rejected = self.progress.owed.as_ref().and_then(|owed| owed.rejected.as_ref());
        let correction = rejected.map_or(0, |rejected| rejected.answer.len() + rejected.errors.len());
        let own = provider.model().instructions().map_or(0, str::len);
        self.call_spec.sent_len(self.language_note()) + own + self.prompt.len() + correction + FRAME_CHARS
    }

    fn limit(&self, provider: &Provider) -> u32 {
        self.settings.generation.max_tokens.unwrap_or_else(|| provider.model().max_tokens())
    }

    /// The limit after a truncated answer: raised, but to no more than the record's ceiling leaves. Where that is no
    /// raise, the full one is taken, and the ceiling ends the record with its own name.
    pub(super) fn longer(&self, provider: &Provider) -> u32 {
        let limit = self.limit(provider);
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
        let usd = self.progress.cost_usd + most_usd;
        if tokens <= ceiling.tokens && ceiling.usd.is_none_or(|limit| usd <= limit) {
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
