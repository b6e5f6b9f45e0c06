//! Which request parameters a server takes, as far as it has shown.

use std::sync::atomic::{AtomicU8, Ordering};

use super::settings::TokenLimitField;

/// What goes into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestParameters {
    /// The name of OpenAI's limit on the answer's tokens; `Auto` where neither of its names is accepted. The other
    /// formats have one name for it.
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
    /// From a name in an error: exact, or the first part of a path.
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

    /// From a sentence, for formats whose errors have no field for it.
    pub(super) fn within(sentence: &str) -> Option<Self> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let named = sentence.split(|c: char| !is_part(c)).find_map(Self::of);
        named.filter(|parameter| !matches!(parameter, Self::MaxTokens | Self::MaxCompletionTokens))
    }
}

/// Parameters that are left out, or for a limit sent under its other name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Omitted(u8);

impl Omitted {
    const TEMPERATURE: Self = Self(1);
    const LOGPROBS: Self = Self(2);
    /// The limit's first name.
    const FIRST_LIMIT: Self = Self(4);
    /// Its other one.
    const SECOND_LIMIT: Self = Self(8);
    const ALL: [Self; 4] = [Self::TEMPERATURE, Self::LOGPROBS, Self::FIRST_LIMIT, Self::SECOND_LIMIT];

    /// These and those.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }
}

/// The parameters that one server takes, learned from its answers and kept until the process ends. A parameter is left
/// out of all requests only after one without it was answered: until then a refusal may be one record's bad luck.
#[derive(Debug)]
pub(super) struct Learned {
    first: RequestParameters,
    omitted: AtomicU8,
}

impl Learned {
    /// Nothing learned; `first` is tried first.
    pub(super) fn new(first: RequestParameters) -> Self {
        Self { first, omitted: AtomicU8::new(0) }
    }

    /// What to send now, in a call that leaves these out as well.
    pub(super) fn parameters(&self, also: Omitted) -> RequestParameters {
        let omitted = Omitted(self.omitted.load(Ordering::Relaxed)).and(also);
        let token_limit = match (omitted.has(Omitted::FIRST_LIMIT), omitted.has(Omitted::SECOND_LIMIT)) {
            (false, _) => self.first.token_limit,
            (true, false) => other(self.first.token_limit),
            (true, true) => TokenLimitField::Auto,
        };
        RequestParameters {
            token_limit,
            temperature: self.first.temperature && !omitted.has(Omitted::TEMPERATURE),
            schema: self.first.schema,
            logprobs: self.first.logprobs && !omitted.has(Omitted::LOGPROBS),
        }
    }

    /// What to leave out when `parameter` was refused in a request that had the parameters `sent`. `None` if that
    /// request did not have it: then there is nothing to change. Schemas have their own
    /// memory, see [`super::provider_schema`].
    pub(super) fn without(&self, parameter: Parameter, sent: RequestParameters) -> Option<Omitted> {
        let is_first = sent.token_limit == self.first.token_limit;
        let limit = if is_first { Omitted::FIRST_LIMIT } else { Omitted::SECOND_LIMIT };
        match parameter {
            Parameter::Temperature if sent.temperature => Some(Omitted::TEMPERATURE),
            Parameter::Logprobs if sent.logprobs => Some(Omitted::LOGPROBS),
            Parameter::MaxCompletionTokens if sent.token_limit == TokenLimitField::MaxCompletionTokens => Some(limit),
            Parameter::MaxTokens if sent.token_limit == TokenLimitField::MaxTokens => Some(limit),
            Parameter::Temperature
            | Parameter::Schema
            | Parameter::Logprobs
            | Parameter::MaxTokens
            | Parameter::MaxCompletionTokens => None,
        }
    }

    /// A request without these was answered. Calls that were in flight together all learn it; one of them says so.
    pub(super) fn answered(&self, provider: &str, omitted: Omitted) {
        if omitted == Omitted::default() {
            return;
        }
        let known = Omitted(self.omitted.fetch_or(omitted.0, Ordering::Relaxed));
        for news in Omitted::ALL.into_iter().filter(|one| omitted.has(*one) && !known.has(*one)) {
            let parameter = self.name(news);
            tracing::warn!(provider, parameter, "the provider refuses a parameter; it is not sent to it again");
        }
    }

    fn name(&self, omitted: Omitted) -> &'static str {
        let limit = match omitted {
            Omitted::TEMPERATURE => return "temperature",
            Omitted::LOGPROBS => return "log probabilities",
            Omitted::FIRST_LIMIT => self.first.token_limit,
            _ => other(self.first.token_limit),
        };
        match limit {
            TokenLimitField::MaxCompletionTokens => "max_completion_tokens",
            TokenLimitField::MaxTokens | TokenLimitField::Auto => "max_tokens",
        }
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

    const FIRST: RequestParameters =
        RequestParameters { token_limit: TokenLimitField::MaxTokens, temperature: true, schema: true, logprobs: false };

    fn now(learned: &Learned) -> RequestParameters {
        learned.parameters(Omitted::default())
    }

    #[test]
    fn the_limit_changes_its_name_once_and_then_goes() {
        let learned = Learned::new(FIRST);
        let first = learned.without(Parameter::MaxTokens, now(&learned)).unwrap();
        let sent = learned.parameters(first);
        assert_eq!(sent.token_limit, TokenLimitField::MaxCompletionTokens);
        assert_eq!(learned.without(Parameter::MaxTokens, sent), None, "it was not sent");
        let second = learned.without(Parameter::MaxCompletionTokens, sent).unwrap();
        learned.answered("p", first.and(second));
        assert_eq!(now(&learned).token_limit, TokenLimitField::Auto);
        assert!(now(&learned).temperature && now(&learned).schema);
    }

    #[test]
    fn nothing_is_learned_before_a_request_without_it_was_answered() {
        let learned = Learned::new(FIRST);
        let omitted = learned.without(Parameter::Temperature, now(&learned)).unwrap();
        assert!(!learned.parameters(omitted).temperature && now(&learned).temperature);
        learned.answered("p", omitted);
        assert!(!now(&learned).temperature);
    }

    #[test]
    fn calls_that_were_in_flight_together_are_all_repeated() {
        let learned = Learned::new(FIRST);
        let sent = now(&learned);
        let omitted = learned.without(Parameter::Temperature, sent).unwrap();
        learned.answered("p", omitted);
        assert_eq!(learned.without(Parameter::Temperature, sent), Some(omitted));
        assert_eq!(learned.without(Parameter::Temperature, now(&learned)), None);
        assert_eq!(learned.without(Parameter::Logprobs, now(&learned)), None, "it was never sent");
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
