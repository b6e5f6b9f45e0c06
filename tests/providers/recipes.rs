//! The recipes of docs/providers.md: each is read as the configuration that it is, and asks a server that takes and
//! answers what that vendor's documentation says, at the address where it says so.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use serde_json::{Value, json};
use structured_prompt::config::{Environment, runtime};
use structured_prompt::llm;
use structured_prompt::llm::settings::{Cassettes, ProviderKind, ProviderSettings, RemoteSettings};
use structured_prompt::ports::model::{CallSettings, CallSpec};
use structured_prompt::prompt::{meta, parse};
use structured_prompt::schema::library;

use super::stub_provider::openai;
use super::{KEY, call};

/// What a vendor documents.
struct Vendor {
    /// The heading of its recipe.
    heading: &'static str,
    /// Below which address requests go, with the placeholders of the recipe.
    base_url: &'static str,
    /// The variable of its key, which is sent as a bearer token.
    key: Option<&'static str>,
    /// What it does with a request that OpenAI would take.
    answer: fn(&Value) -> (u16, String),
}

const VENDORS: [Vendor; 10] = [
    Vendor {
        heading: "Azure OpenAI",
        base_url: "https://RESOURCE.openai.azure.com/openai/v1",
        key: Some("AZURE_OPENAI_API_KEY"),
        answer: azure,
    },
    Vendor {
        heading: "Vertex AI",
        base_url: "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global/endpoints/openapi",
        key: None,
        answer: |request| (200, completion(request, &answer(request), json!({}))),
    },
    Vendor {
        heading: "Amazon Bedrock",
        base_url: "https://bedrock-mantle.REGION.api.aws/v1",
        key: Some("AWS_BEARER_TOKEN_BEDROCK"),
        answer: bedrock,
    },
    Vendor { heading: "Groq", base_url: "https://api.groq.com/openai/v1", key: Some("GROQ_API_KEY"), answer: groq },
    Vendor { heading: "Mistral", base_url: "https://api.mistral.ai/v1", key: Some("MISTRAL_API_KEY"), answer: mistral },
    Vendor {
        heading: "DeepSeek",
        base_url: "https://api.deepseek.com",
        key: Some("DEEPSEEK_API_KEY"),
        answer: deepseek,
    },
    Vendor {
        heading: "OpenRouter",
        base_url: "https://openrouter.ai/api/v1",
        key: Some("OPENROUTER_API_KEY"),
        // White space keeps the connection open while a provider thinks.
        answer: |request| (200, format!("\n\n   \n{}", completion(request, &answer(request), json!({})))),
    },
    Vendor {
        heading: "vLLM",
        base_url: "http://vllm:8000/v1",
        key: None,
        answer: |request| (200, completion(request, &answer(request), json!({ "reasoning": null, "tool_calls": [] }))),
    },
    Vendor {
        heading: "Ollama",
        base_url: "http://ollama:11434/v1",
        key: None,
        answer: |request| (200, completion(request, &answer(request), json!({ "reasoning": "Thinking." }))),
    },
    Vendor {
        heading: "llama.cpp",
        base_url: "http://llama:8081/v1",
        key: None,
        answer: |request| (200, completion(request, &answer(request), json!({ "reasoning_content": "Thinking." }))),
    },
];

/// Deployments of reasoning models refuse the older name of the limit.
fn azure(request: &Value) -> (u16, String) {
    if request.get("max_tokens").is_some() {
        let message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.";
        return (
            400,
            openai::error_body(message, "invalid_request_error", Some("max_tokens"), Some("unsupported_parameter")),
        );
    }
    (200, completion(request, &answer(request), json!({ "annotations": [] })))
}

/// Its open models put their reasoning into the answer.
fn bedrock(request: &Value) -> (u16, String) {
    let text = format!("<reasoning>The customer is upset about {{\"a\": 1}}.</reasoning>{}", answer(request));
    (200, completion(request, &text, json!({})))
}

/// Only some of its models take a schema.
fn groq(request: &Value) -> (u16, String) {
    let takes_schemas = request["model"].as_str().is_some_and(|model| model.starts_with("openai/gpt-oss-"));
    if request["response_format"]["type"] == "json_schema" && !takes_schemas {
        let message = "This model does not support response format `json_schema`.";
        return (400, openai::error_body(message, "invalid_request_error", Some("response_format"), None));
    }
    (200, completion(request, &answer(request), json!({ "reasoning": "Thinking." })))
}

/// Names what it does not know, and may answer in parts.
fn mistral(request: &Value) -> (u16, String) {
    if request.get("max_completion_tokens").is_some() {
        let detail = json!([{ "type": "extra_forbidden", "loc": ["body", "max_completion_tokens"] }]);
        return (422, json!({ "detail": detail }).to_string());
    }
    let mut body: Value = serde_json::from_str(&completion(request, "", json!({}))).unwrap();
    body["choices"][0]["message"]["content"] = json!([
        { "type": "thinking", "thinking": [{ "type": "text", "text": "Thinking." }] },
        { "type": "text", "text": answer(request) },
    ]);
    (200, body.to_string())
}

/// Takes no schema, and JSON mode only where somebody says JSON.
fn deepseek(request: &Value) -> (u16, String) {
    let refuse =
        |message| (400, openai::error_body(message, "invalid_request_error", None, Some("invalid_request_error")));
    if request["response_format"]["type"] == "json_schema" {
        return refuse("This response_format type is unavailable now");
    }
    if !request["messages"].to_string().to_ascii_lowercase().contains("json") {
        return refuse(
            "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.",
        );
    }
    (200, completion(request, &answer(request), json!({ "reasoning_content": "Thinking." })))
}

/// An answer by the schema of the request, or by the one in its instructions.
fn answer(request: &Value) -> String {
    let instructions = request["messages"][0]["content"].as_str().unwrap_or_default();
    match instructions.split_once("JSON Schema:\n") {
        Some((_, schema)) => {
            let schema: Value = serde_json::from_str(schema).expect("the schema ends the instructions");
            openai::fill(&schema, &schema, 1, 0).to_string()
        }
        None => openai::default_answer(request, 1),
    }
}

fn completion(request: &Value, text: &str, more: Value) -> String {
    let mut message = json!({ "role": "assistant", "content": text, "refusal": null });
    message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    openai::completion(request, 1, &message, "stop")
}

/// What a server was asked: path, `authorization`, body.
type Requests = Arc<Mutex<Vec<(String, Option<String>, Value)>>>;

/// A server that answers every path as this vendor does.
#[allow(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
async fn serve(vendor: &Vendor) -> (SocketAddr, Requests) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, requests, answer) = (listener.local_addr().unwrap(), Requests::default(), vendor.answer);
    let seen = Arc::clone(&requests);
    let handle = move |uri: Uri, headers: HeaderMap, body: Bytes| {
        let key = headers.get(header::AUTHORIZATION).map(|key| key.to_str().unwrap().to_owned());
        let (status, text) = match openai::check(&headers, &body) {
            Ok(body) => {
                seen.lock().unwrap().push((uri.path().to_owned(), key, body.clone()));
                answer(&body)
            }
            Err(complaint) => (400, complaint),
        };
        std::future::ready((StatusCode::from_u16(status).unwrap(), text))
    };
    let router = axum::Router::new().fallback(handle);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, requests)
}

/// The YAML below each heading of the section.
fn recipes() -> BTreeMap<String, String> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/providers.md")).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with("Recipes\n")).expect("the section");
    let recipe = |part: &str| {
        let (_, rest) = part.split_once("\n```yaml\n")?;
        Some((part.lines().next()?.to_owned(), rest.split("\n```").next()?.to_owned() + "\n"))
    };
    section.split("\n### ").skip(1).filter_map(recipe).collect()
}

/// The provider that a recipe adds to those that are built in.
fn read(recipe: &str, vendor: &Vendor) -> (ProviderSettings, RemoteSettings) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("structured-prompt.yaml");
    // Where a recipe names a file for the key, that is where it stands.
    let token = directory.path().join("token");
    std::fs::write(&token, KEY).unwrap();
    std::fs::write(&file, recipe.replace("/run/secrets/token", token.to_str().unwrap())).unwrap();
    let environment = vendor.key.map_or_else(Environment::default, |key| Environment::default().with(key, KEY));
    let config = runtime::load(Some(&file), &environment).unwrap_or_else(|findings| panic!("{findings}"));
    let built_in = ["gemini", "claude", "gpt", "llama", "offline"];
    let added = config.providers.into_iter().find(|provider| !built_in.contains(&provider.name.as_str()));
    let provider = added.unwrap_or_else(|| panic!("{} adds no provider with a key", vendor.heading));
    assert!(config.routing.fallback.contains(&provider.name), "{}: nobody asks it", vendor.heading);
    let ProviderKind::Remote(remote) = provider.kind.clone() else { panic!("{}", vendor.heading) };
    (provider, remote)
}

#[test]
fn every_recipe_has_a_vendor_and_every_vendor_a_recipe() {
    let headings: Vec<_> = recipes().into_keys().collect();
    let mut vendors = VENDORS.map(|vendor| vendor.heading.to_owned());
    vendors.sort();
    assert_eq!(headings, vendors);
}

#[tokio::test]
async fn each_recipe_is_answered_by_what_its_vendor_documents_at_the_first_request() {
    let schema = library::find("support-intent").unwrap();
    let spec = CallSpec::new(CallSettings {
        instructions: meta::opening(None),
        closing_instructions: meta::closing(schema.asked()),
        schema_name: "support-intent".to_owned(),
        schema: schema.asked().clone(),
        data_schema: None,
        temperature: Some(0.0),
        max_tokens: None,
    });
    let recipes = recipes();
    for vendor in VENDORS {
        let heading = vendor.heading;
        let (provider, remote) = read(&recipes[heading], &vendor);
        assert_eq!(remote.base_url, vendor.base_url, "{heading}");
        let (address, requests) = serve(&vendor).await;
        let without_scheme = vendor.base_url.split_once("://").unwrap().1;
        let path = without_scheme.find('/').map_or("", |start| &without_scheme[start..]);
        let base_url = format!("http://{address}{path}");
        let remote = RemoteSettings { base_url, ..remote };
        let has_key = !remote.api_keys.is_empty();
        assert!(has_key || vendor.key.is_none(), "{heading}: the key is not read");
        let provider = ProviderSettings { kind: ProviderKind::Remote(remote), ..provider };
        let model = llm::build(&provider, &Cassettes::Off, None).unwrap();
        let reply = model.ask(&call(&spec)).await.unwrap_or_else(|error| panic!("{heading}: {error:?}"));

        let reading = parse::parse_answer(&reply.text);
        assert_eq!(reading.candidates.len(), 1, "{heading}: {}", reply.text);
        assert!(reading.candidates[0].value["intent"].is_string(), "{heading}: {}", reply.text);
        let requests = requests.lock().unwrap();
        let [(asked, key, _)] = requests.as_slice() else { panic!("{heading}: {} requests", requests.len()) };
        assert_eq!(*asked, format!("{path}/chat/completions"), "{heading}");
        assert_eq!(*key, has_key.then(|| format!("Bearer {KEY}")), "{heading}");
    }
}
