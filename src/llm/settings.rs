//! What a user chooses about providers.

use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::exchange_counts::ExchangeCounts;
use super::script::Script;
use crate::domain::secret::Secret;
use crate::file_watch::current_secret::CurrentSecret;
use crate::pipeline::route::settings::Ceilings;
pub use crate::pipeline::route::settings::Prices;

/// One entry of `providers`.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderSettings {
    /// The name under which connectors and routing refer to it.
    pub name: String,
    /// What stands behind it.
    pub kind: ProviderKind,
    /// Our own limits on what is sent to it.
    pub ceilings: Ceilings,
    /// Further attempts of one question after a transient error.
    pub max_retries: u32,
}

impl ProviderSettings {
    /// Its keys; none for what needs none.
    pub fn api_keys(&self) -> &[CurrentSecret] {
        match &self.kind {
            ProviderKind::Offline => &[],
            ProviderKind::Remote(remote) => &remote.api_keys,
        }
    }
}

/// The kinds of provider.
#[derive(Debug, Clone, PartialEq)]
pub enum ProviderKind {
    /// The built-in rule-based extractor.
    Offline,
    /// A language model behind an HTTP API.
    Remote(RemoteSettings),
}

impl ProviderKind {
    /// The name that users see (`kind`).
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Remote(RemoteSettings { api: Api::OpenAi { .. }, .. }) => "openai",
            Self::Remote(RemoteSettings { api: Api::Anthropic { .. }, .. }) => "anthropic",
            Self::Remote(RemoteSettings { api: Api::Gemini { .. }, .. }) => "gemini",
        }
    }
}

/// Settings of a model behind an HTTP API.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteSettings {
    /// Its wire format.
    pub api: Api,
    /// Base URL as the official SDKs take it (OpenAI with `/v1`, Anthropic and Gemini without a version), without a
    /// trailing slash.
    pub base_url: String,
    /// Model to ask for.
    pub model: String,
    /// API keys, used in turns; empty for local servers that want none.
    pub api_keys: Vec<CurrentSecret>,
    /// What calls go through, if they do not go straight to the server.
    pub proxy: Option<Box<ProxySettings>>,
    /// Limit for one HTTP exchange, connecting and reading included.
    pub timeout: Duration,
    /// Ceiling for the answer's tokens.
    pub max_tokens: u32,
    /// Sampling temperature where a connector does not say; `None` sends none.
    pub temperature: Option<f64>,
    /// Whether to ask for log probabilities, as a signal of confidence. Only where the wire format has them.
    pub logprobs: bool,
    /// Further instructions for this model, added to ours.
    pub instructions: Option<String>,
    /// What its tokens cost.
    pub prices: Prices,
}

impl RemoteSettings {
    /// Of all that changes the model's answers, a SHA-256.
    pub(super) fn digest(&self) -> [u8; 32] {
        // Exhaustive on purpose: a new setting does not compile until somebody decides whether it changes an answer.
        let Self {
            api,
            base_url,
            model,
            max_tokens,
            temperature,
            logprobs,
            instructions,
            api_keys: _,
            proxy: _,
            timeout: _,
            prices: _,
        } = self;
        let answering = (api, base_url, model, max_tokens, temperature.map(f64::to_bits), logprobs, instructions);
        // Debug quotes texts, so that no two settings are written alike.
        Sha256::digest(format!("{answering:?}")).into()
    }
}

/// A proxy that makes connections for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxySettings {
    /// Its URL, in which a user and a password may stand.
    pub url: Secret,
    /// Hosts that are asked without it, as `NO_PROXY` names them.
    pub not_for: String,
}

/// The wire formats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Api {
    /// OpenAI chat completions, or any server that speaks them.
    OpenAi {
        /// How the answer's shape is asked for.
        structured_output: StructuredOutput,
        /// The parameter that limits the answer's tokens.
        token_limit: TokenLimitField,
    },
    /// Anthropic Messages.
    Anthropic {
        /// `anthropic-version`.
        version: String,
        /// How the key is sent.
        auth: AnthropicAuth,
    },
    /// Gemini `generateContent`.
    Gemini {
        /// The path segment before `models`: `v1beta` or `v1`.
        version: String,
    },
}

/// How an OpenAI-compatible server is asked for structured output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StructuredOutput {
    /// `response_format` of type `json_schema`.
    JsonSchema,
    /// `response_format` of type `json_object` with the schema beside it, as older llama.cpp builds take it.
    JsonObject,
    /// Only through the instructions.
    Prompt,
}

/// The name of OpenAI's limit on the answer's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenLimitField {
    /// By host, corrected by the first 400 that names it.
    Auto,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
    /// `max_tokens`.
    MaxTokens,
}

/// How Anthropic is sent the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnthropicAuth {
    /// `x-api-key`.
    ApiKey,
    /// `Authorization: Bearer`.
    Bearer,
}

/// The `llm` section: recorded exchanges in place of live ones, or written ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Cassettes {
    /// Neither.
    #[default]
    Off,
    /// Every exchange is also written to this directory.
    Record(PathBuf),
    /// Every answer comes from this directory; nothing is sent, and no key is needed.
    Replay(PathBuf),
    /// Answers come from this directory as far as it has them; all others are asked for, and written to it.
    RecordMissing {
        /// The directory.
        directory: PathBuf,
        /// Counts both.
        counts: ExchangeCounts,
    },
    /// Every answer is the script's next, whoever is asked; nothing is sent.
    Scripted(Script),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> RemoteSettings {
        RemoteSettings {
            api: Api::Anthropic { version: "2023-06-01".to_owned(), auth: AnthropicAuth::ApiKey },
            base_url: "http://127.0.0.1:1".to_owned(),
            model: "m".to_owned(),
            api_keys: Vec::new(),
            proxy: None,
            timeout: Duration::from_secs(1),
            max_tokens: 1024,
            temperature: None,
            logprobs: false,
            instructions: None,
            prices: Prices { input_per_1k: 0.0, output_per_1k: 0.0, cached_per_1k: 0.0 },
        }
    }

    #[test]
    fn what_changes_an_answer_changes_the_digest_and_nothing_else_does() {
        let base = settings().digest();
        let others = [
            RemoteSettings { api: Api::Gemini { version: "v1".to_owned() }, ..settings() },
            RemoteSettings { base_url: "http://127.0.0.1:2".to_owned(), ..settings() },
            RemoteSettings { model: "n".to_owned(), ..settings() },
            RemoteSettings { max_tokens: 1025, ..settings() },
            RemoteSettings { temperature: Some(0.0), ..settings() },
            RemoteSettings { temperature: Some(-0.0), ..settings() },
            RemoteSettings { logprobs: true, ..settings() },
            RemoteSettings { instructions: Some(String::new()), ..settings() },
        ];
        let mut digests: Vec<_> = others.iter().map(RemoteSettings::digest).chain([base]).collect();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), 9);
        let timeout = Duration::from_secs(9);
        assert_eq!(RemoteSettings { timeout, ..settings() }.digest(), base);
    }
}
