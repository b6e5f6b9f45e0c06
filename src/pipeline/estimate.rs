//! What a question would take, before anybody is asked.

use std::sync::Arc;

use crate::domain::answer::Usage;
use crate::pipeline::ask::ceiling::need;
use crate::pipeline::request::Question;
use crate::pipeline::route::provider::tokens_of;

/// What one call of a provider would take.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The provider, as configured.
    pub provider: Arc<str>,
    /// Its tokens; none of rules.
    pub usage: Usage,
    /// What they cost in US dollars.
    pub cost_usd: f64,
}

impl Question {
    /// The record's own part of the prompt; the whole prompt where the two cannot be told apart.
    pub fn content(&self) -> &str {
        self.content.as_deref().unwrap_or(&self.prompt)
    }

    /// What one call would take of each provider that may be asked, if the answer has so many bytes. Tokens are counted
    /// as ceilings count them, on the safe side.
    pub fn estimates(&mut self, answer_bytes: usize) -> Vec<Estimate> {
        let Self { spec, prompt, content, progress, .. } = self;
        progress.find_language(content.as_deref().unwrap_or(prompt.as_str()));
        let estimates = spec.router().providers().iter().map(|provider| {
            let most = need(spec.call(), provider, progress.language_note(), prompt.len(), None);
            let has_tokens = most.output_tokens > 0;
            let output_tokens = tokens_of(answer_bytes).min(most.output_tokens);
            let usage = if has_tokens { Usage { output_tokens, ..most } } else { Usage::default() };
            Estimate { provider: Arc::clone(provider.name()), usage, cost_usd: provider.model().cost_usd(usage) }
        });
        estimates.collect()
    }
}
