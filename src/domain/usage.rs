//! What calls used.

/// Tokens that calls for one record used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the request, those read from the provider's prompt cache included.
    pub input_tokens: u64,
    /// Tokens of the answer, those of hidden reasoning included.
    pub output_tokens: u64,
    /// The part of `input_tokens` that the provider read from its prompt cache.
    pub cached_tokens: u64,
    /// The part of `output_tokens` that went into hidden reasoning.
    pub reasoning_tokens: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cached_tokens += other.cached_tokens;
        self.reasoning_tokens += other.reasoning_tokens;
    }
}
