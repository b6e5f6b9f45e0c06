//! The wire formats over real loopback HTTP: every way in which a provider answers or fails, in each of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test they are assertions")]

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use structured_prompt::domain::secret::Secret;
use structured_prompt::llm;
use structured_prompt::llm::settings::{
    AnthropicAuth, Api, Cassettes, Prices, ProviderKind, ProviderSettings, RemoteSettings, StructuredOutput,
    TokenLimitField,
};
use structured_prompt::pipeline::route::settings::Ceilings;
use structured_prompt::ports::model::{Call, CallError, CallSettings, CallSpec, Model, Reply};

#[path = "../support/stub_provider.rs"]
mod stub_provider;

mod answers;
mod cassettes;
mod errors;
mod faults;
mod formats;
mod keys;
mod logprobs;
mod logs;
mod openai;
mod page;
mod recipes;
mod refused_schemas;
mod sdk_types;

use stub_provider::{StubProvider, Wire};

const KEY: &str = "sk-canary-0123456789";
const PROMPT: &str = "My canary-prompt will not print.";

fn settings(wire: Wire, stub: &StubProvider) -> RemoteSettings {
    let (api, base_url) = match wire {
        Wire::OpenAi => {
            let (structured_output, token_limit) = (StructuredOutput::JsonSchema, TokenLimitField::Auto);
            (Api::OpenAi { structured_output, token_limit }, stub.base_url())
        }
        Wire::Anthropic => {
            let (version, auth) = ("2023-06-01".to_owned(), AnthropicAuth::ApiKey);
            (Api::Anthropic { version, auth }, stub.root_url())
        }
        Wire::Gemini => (Api::Gemini { version: "v1beta".to_owned() }, stub.root_url()),
    };
    RemoteSettings {
        api,
        base_url,
        model: "model-1".to_owned(),
        api_keys: vec![Secret::new(KEY).into()],
        proxy: None,
        timeout: Duration::from_secs(10),
        max_tokens: 256,
        temperature: None,
        logprobs: false,
        instructions: None,
        prices: Prices { input_per_1k: 1.0, output_per_1k: 10.0, cached_per_1k: 0.1 },
    }
}

fn provider(remote: RemoteSettings) -> ProviderSettings {
    let (name, kind) = ("prov".to_owned(), ProviderKind::Remote(remote));
    ProviderSettings { name, kind, ceilings: Ceilings::default(), max_retries: 2 }
}

fn model(remote: RemoteSettings) -> Arc<dyn Model> {
    llm::build(&provider(remote), &Cassettes::Off, None).unwrap()
}

fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["intent"],
        "properties": {
            "intent": { "type": "string", "minLength": 1 },
            "urgent": { "type": "boolean" },
            "note": { "type": "string" },
        },
    })
}

fn spec() -> CallSpec {
    spec_at(None)
}

fn spec_at(temperature: Option<f64>) -> CallSpec {
    CallSpec::new(CallSettings {
        instructions: "Extract the ".to_owned(),
        closing_instructions: "intent.".to_owned(),
        schema_name: "support-intent".to_owned(),
        schema: schema(),
        data_schema: None,
        temperature,
        max_tokens: None,
    })
}

fn call(spec: &CallSpec) -> Call<'_> {
    Call { spec, note: "", prompt: PROMPT, content: PROMPT, correction: None, max_tokens: None }
}

/// Asks once; a failure must not leak what it must not.
async fn ask(remote: RemoteSettings) -> Result<Reply, CallError> {
    let result = model(remote).ask(&call(&spec())).await;
    if let Err(error) = &result {
        assert!(!error.failure.detail.contains("canary"), "the prompt or the key leaks: {}", error.failure.detail);
    }
    result
}
