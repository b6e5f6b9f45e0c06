//! Which request parameters a server takes, as far as it has told us.

use std::sync::atomic::{AtomicU8, Ordering};

/// The parameter that limits the answer's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenLimit {
    /// OpenAI's present one.
    MaxCompletionTokens,
    /// Its deprecated name, which compatible servers know.
    MaxTokens,
    /// Neither is accepted.
    Neither,
}

/// What goes into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Habits {
    /// The limit's name.
    pub(super) tokens: TokenLimit,
    /// Whether `temperature` may be sent.
    pub(super) temperature: bool,
    /// Whether `response_format` may be sent. Without it the instructions alone ask for JSON.
    pub(super) response_format: bool,
}

/// The habits of one server, learned from its 400s and kept until the process ends. Each is unlearned at most once, so a
/// call is adapted at most four times.
#[derive(Debug)]
pub(super) struct Learned {
    first: TokenLimit,
    refused: AtomicU8,
}

const TEMPERATURE: u8 = 1;
const RESPONSE_FORMAT: u8 = 2;
const FIRST_LIMIT: u8 = 4;
const SECOND_LIMIT: u8 = 8;

impl Learned {
    /// Nothing learned; `first` is tried first.
    pub(super) fn new(first: TokenLimit) -> Self {
        Self { first, refused: AtomicU8::new(0) }
    }

    /// What to send now.
    pub(super) fn habits(&self) -> Habits {
        let refused = self.refused.load(Ordering::Relaxed);
        let tokens = match (refused & FIRST_LIMIT != 0, refused & SECOND_LIMIT != 0) {
            (false, _) => self.first,
            (true, false) => other(self.first),
            (true, true) => TokenLimit::Neither,
        };
        Habits { tokens, temperature: refused & TEMPERATURE == 0, response_format: refused & RESPONSE_FORMAT == 0 }
    }

    /// Takes note that `parameter` was refused in a request made with the habits `sent`. False if that request did not
    /// have it: then there is nothing to change.
    pub(super) fn without(&self, provider: &str, parameter: &str, sent: Habits) -> bool {
        let limit = if sent.tokens == self.first { FIRST_LIMIT } else { SECOND_LIMIT };
        let flag = match parameter {
            "temperature" if sent.temperature => TEMPERATURE,
            "response_format" if sent.response_format => RESPONSE_FORMAT,
            "max_completion_tokens" if sent.tokens == TokenLimit::MaxCompletionTokens => limit,
            "max_tokens" if sent.tokens == TokenLimit::MaxTokens => limit,
            _ => return false,
        };
        // Calls that were in flight together all learn it; one of them says so.
        if self.refused.fetch_or(flag, Ordering::Relaxed) & flag == 0 {
            tracing::warn!(provider, parameter, "the provider refuses a parameter; it is not sent to it again");
        }
        true
    }
}

fn other(limit: TokenLimit) -> TokenLimit {
    match limit {
        TokenLimit::MaxCompletionTokens => TokenLimit::MaxTokens,
        TokenLimit::MaxTokens => TokenLimit::MaxCompletionTokens,
        TokenLimit::Neither => TokenLimit::Neither,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_changes_its_name_once_and_then_goes() {
        let learned = Learned::new(TokenLimit::MaxTokens);
        assert!(learned.without("p", "max_tokens", learned.habits()));
        assert_eq!(learned.habits().tokens, TokenLimit::MaxCompletionTokens);
        assert!(!learned.without("p", "max_tokens", learned.habits()), "it was not sent");
        assert!(learned.without("p", "max_completion_tokens", learned.habits()));
        assert_eq!(learned.habits().tokens, TokenLimit::Neither);
        assert!(learned.habits().temperature && learned.habits().response_format);
    }

    #[test]
    fn calls_that_were_in_flight_together_are_all_repeated() {
        let learned = Learned::new(TokenLimit::MaxTokens);
        let sent = learned.habits();
        assert!(learned.without("p", "temperature", sent));
        assert!(learned.without("p", "temperature", sent));
        assert!(!learned.without("p", "temperature", learned.habits()));
        assert!(!learned.without("p", "messages", learned.habits()));
    }
}
