//! What a model quotes of its input for the values of an answer.

/// The quotes for one value. Nothing of them is taken on trust: the text may not have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldQuotes {
    /// JSON Pointer (RFC 6901) of the value within the answer.
    pub field: String,
    /// The quotes, the most telling first.
    pub quotes: Vec<String>,
}

/// What came of a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuoteOutcome {
    /// The text has it, and the value stands in it.
    Used,
    /// No text of the record has it.
    NotFound,
    /// The text has it, and the value does not stand in it; of a judged value, it does not say which of several places
    /// is meant.
    WithoutValue,
}

impl QuoteOutcome {
    /// Every outcome, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Used, Self::NotFound, Self::WithoutValue];

    /// The word that metrics have for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::NotFound => "not_found",
            Self::WithoutValue => "without_value",
        }
    }
}
