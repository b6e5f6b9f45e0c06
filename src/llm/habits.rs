//! Which request parameters a server takes, as far as it has told us.

use std::sync::atomic::{AtomicU8, Ordering};

use super::settings::TokenLimitField;

/// What goes into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Habits {
    /// The name of OpenAI's limit on the answer's tokens; `Auto` where neither of its names is accepted. The other formats
    /// have one name for it.
    pub(super) token_limit: TokenLimitField,
    /// Whether `temperature` may be sent.
    pub(super) temperature: bool,
    /// Whether the schema may be sent. Without it the instructions alone ask for JSON.
    pub(super) schema: bool,
    /// Whether log probabilities may be asked for.
    pub(super) logprobs: bool,
}

/// A parameter that can be done without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    Temperature,
    Schema,
    Logprobs,
    MaxTokens,
    MaxCompletionTokens,
}

impl Parameter {
    /// From a name in a complaint: exact, or the first part of a path.
    pub(super) fn of(name: &str) -> Option<Self> {
        let first = name.split(['.', '[']).next().unwrap_or_default();
        match first {
            "temperature" => Some(Self::Temperature),
            "response_format" | "output_config" | "output_format" | "responseJsonSchema" | "response_json_schema" => {
                Some(Self::Schema)
            }
            "logprobs" | "top_logprobs" | "responseLogprobs" | "response_logprobs" => Some(Self::Logprobs),
            "max_tokens" => Some(Self::MaxTokens),
            "max_completion_tokens" => Some(Self::MaxCompletionTokens),
            _ => None,
        }
    }

    /// From a sentence, for formats whose complaints have no field for it.
    pub(super) fn within(sentence: &str) -> Option<Self> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let named = sentence.split(|c: char| !is_part(c)).find_map(Self::of);
        named.filter(|parameter| !matches!(parameter, Self::MaxTokens | Self::MaxCompletionTokens))
    }
}

const TEMPERATURE: u8 = 1;
const SCHEMA: u8 = 2;
const LOGPROBS: u8 = 4;
const FIRST_LIMIT: u8 = 8;
const SECOND_LIMIT: u8 = 16;

/// The habits of one server, learned from its 400s and kept until the process ends. Each is unlearned at most once, so a
/// call is adapted at most five times.
#[derive(Debug)]
pub(super) struct Learned {
    first: Habits,
    refused: AtomicU8,
}

impl Learned {
    /// Nothing learned; `first` is tried first.
    pub(super) fn new(first: Habits) -> Self {
        Self { first, refused: AtomicU8::new(0) }
    }

    /// What to send now.
    pub(super) fn habits(&self) -> Habits {
        let refused = self.refused.load(Ordering::Relaxed);
        let may = |flag: u8, first: bool| first && refused & flag == 0;
        let token_limit = match (refused & FIRST_LIMIT != 0, refused & SECOND_LIMIT != 0) {
            (false, _) => self.first.token_limit,
            (true, false) => other(self.first.token_limit),
            (true, true) => TokenLimitField::Auto,
        };
        Habits {
            token_limit,
            temperature: may(TEMPERATURE, self.first.temperature),
            schema: may(SCHEMA, self.first.schema),
            logprobs: may(LOGPROBS, self.first.logprobs),
        }
    }

    /// Takes note that `parameter` was refused in a request made with the habits `sent`. False if that request did not
    /// have it: then there is nothing to change.
    pub(super) fn without(&self, provider: &str, parameter: Parameter, sent: Habits) -> bool {
        let limit = if sent.token_limit == self.first.token_limit { FIRST_LIMIT } else { SECOND_LIMIT };
        let flag = match parameter {
            Parameter::Temperature if sent.temperature => TEMPERATURE,
            Parameter::Schema if sent.schema => SCHEMA,
            Parameter::Logprobs if sent.logprobs => LOGPROBS,
            Parameter::MaxCompletionTokens if sent.token_limit == TokenLimitField::MaxCompletionTokens => limit,
            Parameter::MaxTokens if sent.token_limit == TokenLimitField::MaxTokens => limit,
            Parameter::Temperature
            | Parameter::Schema
            | Parameter::Logprobs
            | Parameter::MaxTokens
            | Parameter::MaxCompletionTokens => return false,
        };
        // Calls that were in flight together all learn it; one of them says so.
        if self.refused.fetch_or(flag, Ordering::Relaxed) & flag == 0 {
            tracing::warn!(provider, ?parameter, "the provider refuses a parameter; it is not sent to it again");
        }
        true
    }
}

fn other(limit: TokenLimitField) -> TokenLimitField {
    match limit {
        TokenLimitField::MaxCompletionTokens => TokenLimitField::MaxTokens,
        TokenLimitField::MaxTokens => TokenLimitField::MaxCompletionTokens,
        TokenLimitField::Auto => TokenLimitField::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Habits =
        Habits { token_limit: TokenLimitField::MaxTokens, temperature: true, schema: true, logprobs: false };

    #[test]
    fn the_limit_changes_its_name_once_and_then_goes() {
        let learned = Learned::new(FIRST);
        assert!(learned.without("p", Parameter::MaxTokens, learned.habits()));
        assert_eq!(learned.habits().token_limit, TokenLimitField::MaxCompletionTokens);
        assert!(!learned.without("p", Parameter::MaxTokens, learned.habits()), "it was not sent");
        assert!(learned.without("p", Parameter::MaxCompletionTokens, learned.habits()));
        assert_eq!(learned.habits().token_limit, TokenLimitField::Auto);
        assert!(learned.habits().temperature && learned.habits().schema);
    }

    #[test]
    fn calls_that_were_in_flight_together_are_all_repeated() {
        let learned = Learned::new(FIRST);
        let sent = learned.habits();
        assert!(learned.without("p", Parameter::Temperature, sent));
        assert!(learned.without("p", Parameter::Temperature, sent));
        assert!(!learned.without("p", Parameter::Temperature, learned.habits()));
        assert!(!learned.without("p", Parameter::Logprobs, learned.habits()), "it was never sent");
    }

    #[test]
    fn a_parameter_is_found_in_a_path_and_in_a_sentence() {
        assert_eq!(Parameter::of("output_config.format.schema"), Some(Parameter::Schema));
        assert_eq!(Parameter::of("messages[0].content"), None);
        assert_eq!(Parameter::within("`temperature` is not supported by this model"), Some(Parameter::Temperature));
        assert_eq!(Parameter::within("output_config.format: schema too complex"), Some(Parameter::Schema));
        assert_eq!(Parameter::within("max_tokens: 9 > 8"), None, "it is a value that is wrong there");
    }
}
