//! What each kind of provider is told by its settings, and what it has where they do not say.

use std::time::Duration;

use crate::config::document::Node;
use crate::config::section::Section;
use crate::config::units::duration;
use crate::config::values::{Problem, base_url, choice, flag, integer, number, quoted, text};
use crate::llm::settings::{AnthropicAuth, Api, Prices, RemoteSettings, StructuredOutput, TokenLimitField};
use crate::schema::dialect::Dialect;

/// Answers of this size take a few seconds; what takes longer is more often stuck than slow.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Several times what the built-in schemas need, and a bound on what one runaway answer costs.
const DEFAULT_MAX_TOKENS: u32 = 1024;

/// The highest that any known model offers.
const MAX_TOKENS: u32 = 1_000_000;

/// What most clients send; the official SDKs of late 2026 send `2026-10-21`.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// The kinds of provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Gemini,
    Anthropic,
    OpenAi,
    Offline,
}

impl Kind {
    /// The dialect of JSON Schema that it takes.
    pub(crate) fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Gemini => Some(Dialect::Gemini),
            Self::Anthropic => Some(Dialect::Anthropic),
            Self::OpenAi => Some(Dialect::OpenAi),
            Self::Offline => None,
        }
    }
}

/// What a provider has where the file does not say: everything for the built-in ones, little for others.
pub(super) struct Defaults {
    pub(super) kind: Kind,
    base_url: &'static str,
    model: Option<&'static str>,
    pub(super) key_variable: Option<&'static str>,
    /// US dollars per 1,000 tokens.
    price: f64,
}

impl Defaults {
    /// Of a built-in provider.
    pub(super) fn of(name: &str) -> Option<Self> {
        let of = |kind, model| Some(Self { model: Some(model), ..Self::of_kind(kind) });
        match name {
            "gemini" => of(Kind::Gemini, "gemini-3.8-flash"),
            "claude" => of(Kind::Anthropic, "claude-sonnet-5-5"),
            "gpt" => of(Kind::OpenAi, "gpt-4.1"),
            // A machine of one's own costs, but not by the token.
            "llama" => Some(Self {
                kind: Kind::OpenAi,
                base_url: "http://127.0.0.1:8000/v1",
                model: Some("llama-3.3-70b"),
                key_variable: None,
                price: 0.0,
            }),
            "offline" => Some(Self::of_kind(Kind::Offline)),
            _ => None,
        }
    }

    /// Of any provider of this kind. The prices are on the high side, so that estimates do not flatter.
    pub(super) fn of_kind(kind: Kind) -> Self {
        let (base_url, key_variable, price) = match kind {
            Kind::Gemini => ("https://generativelanguage.googleapis.com", Some("GEMINI_API_KEY"), 0.01),
            Kind::Anthropic => ("https://api.anthropic.com", Some("ANTHROPIC_API_KEY"), 0.015),
            Kind::OpenAi => ("https://api.openai.com/v1", Some("OPENAI_API_KEY"), 0.03),
            Kind::Offline => ("", None, 0.0),
        };
        Self { kind, base_url, model: None, key_variable, price }
    }
}

/// Reads everything but keys, retries and ceilings. `None` when something required is missing.
pub(super) fn remote(section: &mut Section<'_>, defaults: &Defaults) -> Option<RemoteSettings> {
    let model = match defaults.model {
        Some(model) => section.get("model", text).or_else(|| Some(model.to_owned())),
        None => section.require("model", text),
    };
    let api = api(section, defaults.kind);
    let has_logprobs = matches!(defaults.kind, Kind::OpenAi | Kind::Gemini);
    Some(RemoteSettings {
        base_url: section.get("base_url", base_url).unwrap_or_else(|| defaults.base_url.to_owned()),
        api_keys: Vec::new(),
        proxy: None,
        timeout: section.get("timeout", timeout).unwrap_or(DEFAULT_TIMEOUT),
        max_tokens: section.get("max_tokens", integer(1..=MAX_TOKENS)).unwrap_or(DEFAULT_MAX_TOKENS),
        temperature: section.get("temperature", number(0.0..=2.0)),
        logprobs: has_logprobs && section.get("logprobs", flag).unwrap_or(false),
        instructions: section.get("instructions", text),
        prices: prices(section.section("price"), defaults.price),
        api: api?,
        model: model?,
    })
}

fn api(section: &mut Section<'_>, kind: Kind) -> Option<Api> {
    const OUTPUT: &[(&str, StructuredOutput)] = &[
        ("json_schema", StructuredOutput::JsonSchema),
        ("json_object", StructuredOutput::JsonObject),
        ("prompt", StructuredOutput::Prompt),
    ];
    const LIMIT: &[(&str, TokenLimitField)] = &[
        ("auto", TokenLimitField::Auto),
        ("max_completion_tokens", TokenLimitField::MaxCompletionTokens),
        ("max_tokens", TokenLimitField::MaxTokens),
    ];
    const AUTH: &[(&str, AnthropicAuth)] = &[("x-api-key", AnthropicAuth::ApiKey), ("bearer", AnthropicAuth::Bearer)];
    match kind {
        Kind::Gemini => {
            let version = section.get("api_version", api_version).unwrap_or_else(|| "v1beta".to_owned());
            Some(Api::Gemini { version })
        }
        Kind::Anthropic => {
            let version = section.get("anthropic_version", date).unwrap_or_else(|| ANTHROPIC_VERSION.to_owned());
            let auth = section.get("auth", choice(AUTH, &[])).unwrap_or(AnthropicAuth::ApiKey);
            Some(Api::Anthropic { version, auth })
        }
        Kind::OpenAi => {
            let output = section.get("structured_output", choice(OUTPUT, &[]));
            let limit = section.get("max_tokens_field", choice(LIMIT, &[]));
            Some(Api::OpenAi {
                structured_output: output.unwrap_or(StructuredOutput::JsonSchema),
                token_limit: limit.unwrap_or(TokenLimitField::Auto),
            })
        }
        Kind::Offline => None,
    }
}

fn timeout(node: &Node) -> Result<Duration, Problem> {
    let limit = duration(node)?;
    let sane = (Duration::from_millis(1)..=Duration::from_secs(600)).contains(&limit);
    if sane { Ok(limit) } else { Err(Problem::new("the limit is not between 1ms and 10m", "write for example 10s")) }
}

fn api_version(node: &Node) -> Result<String, Problem> {
    let version = text(node)?;
    let is_sane = version.starts_with('v') && version.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let problem =
        || Problem::new(format!("{} is not an API version", quoted(&version)), "write for example v1beta or v1");
    if is_sane { Ok(version.clone()) } else { Err(problem()) }
}

fn date(node: &Node) -> Result<String, Problem> {
    let version = text(node)?;
    let is_date = version.len() == 10 && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let problem = || Problem::new(format!("{} is not a version", quoted(&version)), "write for example \"2023-06-01\"");
    if is_date { Ok(version.clone()) } else { Err(problem()) }
}

fn prices(mut section: Section<'_>, default: f64) -> Prices {
    const DOLLARS: std::ops::RangeInclusive<f64> = 0.0..=1000.0;
    let input_per_1k = section.get("input_per_1k", number(DOLLARS)).unwrap_or(default);
    let output_per_1k = section.get("output_per_1k", number(DOLLARS)).unwrap_or(default);
    let cached_per_1k = section.get("cached_per_1k", number(DOLLARS)).unwrap_or(input_per_1k);
    section.finish();
    Prices { input_per_1k, output_per_1k, cached_per_1k }
}
