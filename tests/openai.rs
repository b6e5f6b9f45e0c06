//! The OpenAI adapter over real loopback HTTP: one test for each way in which a provider answers or fails.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test they are assertions")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use structured_prompt::domain::failure::{Code, Failure};
use structured_prompt::domain::secret::Secret;
use structured_prompt::llm;
use structured_prompt::llm::settings::{OpenAiSettings, ProviderKind, ProviderSettings};
use structured_prompt::ports::model::{Call, Correction, Finish, Model, Reply};

#[path = "support/stub_provider.rs"]
mod stub_provider;

use stub_provider::{Fault, Latency, Script, StubProvider, When};

const KEY: &str = "sk-canary-0123456789";
const PROMPT: &str = "My canary-prompt will not print.";

fn settings(base_url: String) -> OpenAiSettings {
    OpenAiSettings {
        base_url,
        model: "gpt-4.1".to_owned(),
        api_key: Some(Secret::new(KEY)),
        timeout: Duration::from_secs(10),
        max_tokens: 256,
        temperature: None,
        max_retries: 2,
        price_per_1k: (0.0, 0.0),
    }
}

fn model(settings: OpenAiSettings) -> Arc<dyn Model> {
    llm::build(&ProviderSettings { name: "gpt".to_owned(), kind: ProviderKind::OpenAi(settings) }).unwrap()
}

fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["intent"],
        "properties": { "intent": { "type": "string" }, "urgent": { "type": "boolean" }, "note": { "type": "string" } }
    })
}

fn call(schema: &Value) -> Call<'_> {
    Call {
        system: "Extract the intent.",
        prompt: PROMPT,
        content: PROMPT,
        schema_name: "support-intent",
        schema,
        correction: None,
        temperature: None,
        max_tokens: None,
    }
}

async fn ask(settings: OpenAiSettings) -> Result<Reply, Failure> {
    let result = model(settings).ask(&call(&schema())).await;
    if let Err(failure) = &result {
        assert!(!failure.detail.contains("canary"), "the prompt or the key leaks: {}", failure.detail);
        assert!(failure.attempts > 0, "{failure}");
    }
    result
}

/// Asks a stub with this fault in every call. Two retries would follow a transient failure.
async fn ask_with(fault: Fault) -> (Result<Reply, Failure>, u64) {
    let stub = StubProvider::start(Script::default().fault(When::Every(1), fault));
    let result = ask(settings(stub.base_url())).await;
    assert_eq!(stub.protocol_errors(), 0);
    (result, stub.calls())
}

fn code(result: &Result<Reply, Failure>) -> Code {
    result.as_ref().expect_err("it should have failed").code
}

#[tokio::test]
async fn an_answer_comes_with_its_facts() {
    let stub = StubProvider::start(Script { api_key: Some(KEY.to_owned()), ..Script::default() });
    let reply = ask(settings(stub.base_url())).await.unwrap();
    assert_eq!(reply.text, r#"{"intent":"text salt 1","urgent":true,"note":"text salt 1"}"#);
    assert_eq!((reply.model.as_str(), reply.finish), ("gpt-4.1-stub", Finish::Complete));
    assert_eq!(reply.response_id.as_deref(), Some("chatcmpl-stub1"));
    assert!(reply.usage.input_tokens > 0 && reply.usage.output_tokens > 0);
    assert_eq!((stub.calls(), stub.calls_for(PROMPT), stub.protocol_errors()), (1, 1, 0));
}

#[tokio::test]
async fn the_request_is_what_openai_understands() {
    let stub = StubProvider::start(Script::default());
    let schema = schema();
    let model = model(OpenAiSettings { temperature: Some(0.25), ..settings(stub.base_url()) });
    let correction = Correction { answer: "{}", errors: "/intent: missing" };
    model.ask(&Call { correction: Some(correction), max_tokens: Some(99), ..call(&schema) }).await.unwrap();
    model.ask(&Call { temperature: Some(0.5), ..call(&schema) }).await.unwrap();
    let requests = stub.requests();
    assert_eq!(requests[0]["model"], "gpt-4.1");
    assert_eq!(requests[0]["max_tokens"], 99);
    assert_eq!(requests[0]["temperature"], 0.25);
    let roles: Vec<_> = requests[0]["messages"].as_array().unwrap().iter().map(|m| m["role"].clone()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    assert_eq!(requests[0]["messages"][1]["content"], PROMPT);
    assert_eq!(requests[0]["messages"][2]["content"], "{}");
    assert!(requests[0]["messages"][3]["content"].as_str().unwrap().ends_with("/intent: missing"));
    let format = &requests[0]["response_format"]["json_schema"];
    assert_eq!((&format["name"], &format["strict"]), (&json!("support-intent"), &json!(true)));
    assert_eq!(format["schema"]["required"], json!(["intent", "urgent", "note"]));
    assert_eq!((&requests[1]["temperature"], &requests[1]["max_tokens"]), (&json!(0.5), &json!(256)));
    assert_eq!(stub.protocol_errors(), 0);
}

#[tokio::test]
async fn nulls_for_absent_properties_are_removed_and_other_text_is_kept_as_it_is() {
    let (reply, _) = ask_with(Fault::Says(r#"{"intent": "x", "urgent": null, "note": "n"}"#.to_owned())).await;
    assert_eq!(reply.unwrap().text, r#"{"intent":"x","note":"n"}"#);
    for same in ["{ \"intent\" :\"x\" }", "no JSON", "```json\n{\"urgent\":null}\n```"] {
        let (reply, _) = ask_with(Fault::Says(same.to_owned())).await;
        assert_eq!(reply.unwrap().text, same);
    }
}

#[tokio::test]
async fn fences_prose_and_wrong_shapes_are_the_parsers_business() {
    for (fault, start) in [(Fault::Fenced, "```json"), (Fault::Prose, "Here is"), (Fault::Invalid, "{\"unexp")] {
        let (reply, calls) = ask_with(fault).await;
        assert!(reply.unwrap().text.starts_with(start));
        assert_eq!(calls, 1);
    }
}

#[tokio::test]
async fn refusal_filter_and_truncation_end_the_answer_and_are_not_asked_again() {
    for (fault, finish) in [
        (Fault::Refusal, Finish::Refused),
        (Fault::ContentFilter, Finish::Refused),
        (Fault::Truncated, Finish::Truncated),
    ] {
        let (reply, calls) = ask_with(fault).await;
        let reply = reply.unwrap();
        assert_eq!((reply.finish, calls), (finish, 1));
        assert_eq!(reply.text.is_empty(), finish == Finish::Refused);
    }
}

#[tokio::test]
async fn answers_that_are_no_completions_are_the_providers_fault() {
    let raw = |content_type, body: &str| Fault::Raw { content_type, body: body.to_owned() };
    for (fault, expected) in [
        Fault::Empty,
        Fault::NullContent,
        Fault::NoChoices,
        raw("text/html", "<html>canary</html>"),
        raw("application/json", "{\"id\": \"x\", \"choi"),
        raw("application/json", "[1, 2]"),
        raw("application/json", r#"{"choices": [{"message": {"content": 7}}]}"#),
        Fault::Huge(5 * 1024 * 1024),
    ]
    .map(|fault| (fault, Code::ProviderMalformed))
    .into_iter()
    .chain([(Fault::Cut(40), Code::ProviderUnavailable)])
    {
        let (result, calls) = ask_with(fault.clone()).await;
        assert_eq!((code(&result), calls), (expected, 3), "{fault:?}");
        assert_eq!(result.unwrap_err().attempts, 3);
    }
}

#[tokio::test]
async fn statuses_that_pass_are_asked_again_and_others_are_not() {
    for (status, kind, word, expected, calls) in [
        (500, "server_error", None, Code::ProviderUnavailable, 3),
        (503, "server_error", Some("overloaded"), Code::ProviderUnavailable, 3),
        (429, "tokens", Some("rate_limit_exceeded"), Code::ProviderRateLimited, 3),
        (429, "insufficient_quota", Some("insufficient_quota"), Code::ProviderQuotaExhausted, 1),
        (401, "invalid_request_error", Some("invalid_api_key"), Code::ProviderUnauthorized, 1),
        (404, "invalid_request_error", Some("model_not_found"), Code::ProviderUnauthorized, 1),
        (400, "invalid_request_error", Some("context_length_exceeded"), Code::ProviderRejected, 1),
    ] {
        let (result, made) = ask_with(Fault::error(status, kind, word)).await;
        assert_eq!((code(&result), made), (expected, calls), "{status}");
        assert!(result.unwrap_err().detail.contains(word.unwrap_or(kind)));
    }
}

#[tokio::test]
async fn a_passing_fault_passes() {
    let stub = StubProvider::start(Script::default().fault(When::UpTo(2), Fault::error(502, "server_error", None)));
    assert!(ask(settings(stub.base_url())).await.is_ok());
    assert_eq!(stub.calls(), 3);
}

#[tokio::test]
async fn a_short_pause_is_slept_and_a_long_one_handed_back() {
    let limited = || Fault::error(429, "requests", Some("rate_limit_exceeded"));
    let stub = StubProvider::start(Script::default().fault(When::Call(1), limited().with("retry-after-ms", "300")));
    let start = Instant::now();
    assert!(ask(settings(stub.base_url())).await.is_ok());
    assert!(start.elapsed() >= Duration::from_millis(300));
    let soon = httpdate::fmt_http_date(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_030));
    let date = httpdate::fmt_http_date(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000));
    for fault in [limited().with("retry-after", "30"), limited().with("retry-after", &soon).with("date", &date)] {
        let (result, calls) = ask_with(fault).await;
        let failure = result.unwrap_err();
        assert_eq!((failure.code, calls), (Code::ProviderRateLimited, 1));
        assert_eq!(failure.retry_after, Some(Duration::from_secs(30)));
    }
}

#[tokio::test]
async fn silence_and_a_slow_drip_end_at_the_deadline() {
    for fault in [Fault::Hang, Fault::Drip(Duration::from_millis(20))] {
        let stub = StubProvider::start(Script::default().fault(When::Every(1), fault));
        let start = Instant::now();
        let short = Duration::from_millis(250);
        let result = ask(OpenAiSettings { timeout: short, max_retries: 1, ..settings(stub.base_url()) }).await;
        assert_eq!((code(&result), stub.calls()), (Code::ProviderTimeout, 2));
        assert!(start.elapsed() >= 2 * short && start.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn one_timeout_among_other_faults_is_not_reported_as_a_timeout() {
    let script = Script::default().fault(When::Call(1), Fault::error(500, "server_error", None));
    let stub = StubProvider::start(script.fault(When::Every(1), Fault::Hang));
    let quick = Duration::from_millis(200);
    let result = ask(OpenAiSettings { timeout: quick, max_retries: 1, ..settings(stub.base_url()) }).await;
    assert_eq!(code(&result), Code::ProviderUnavailable);
}

#[tokio::test]
async fn a_body_cut_at_any_byte_gives_no_partial_answer() {
    let stub = StubProvider::start(Script::default());
    for bytes in (0..600).step_by(37) {
        stub.set_script(Script::default().fault(When::Every(1), Fault::Cut(bytes)));
        let result = ask(OpenAiSettings { max_retries: 0, ..settings(stub.base_url()) }).await;
        assert_eq!(code(&result), Code::ProviderUnavailable, "cut after {bytes} bytes");
    }
}

#[tokio::test]
async fn no_server_no_host_and_no_tls_are_unavailable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let stub = StubProvider::start(Script::default());
    for base_url in [
        format!("http://{free}/v1"),
        "http://no-such-host.invalid/v1?key=canary".to_owned(),
        stub.base_url().replace("http:", "https:"),
    ] {
        let result = ask(OpenAiSettings { max_retries: 1, ..settings(base_url) }).await;
        assert_eq!(code(&result), Code::ProviderUnavailable);
        assert_eq!(result.unwrap_err().attempts, 2);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = StubProvider::start(Script::default());
    let moved =
        Fault::error(307, "moved", None).with("location", &format!("{}/chat/completions", elsewhere.base_url()));
    let (result, calls) = ask_with(moved).await;
    assert_eq!((code(&result), calls, elsewhere.calls()), (Code::ProviderUnavailable, 1, 0));
}

#[tokio::test]
async fn a_parameter_that_a_400_names_is_dropped_or_renamed_once_for_all_calls() {
    let script = Script::default().fault(When::Call(1), Fault::Refuses("temperature"));
    let stub = StubProvider::start(script.fault(When::Every(1), Fault::Refuses("max_tokens")));
    let schema = schema();
    let model = model(OpenAiSettings { temperature: Some(0.0), max_retries: 0, ..settings(stub.base_url()) });
    model.ask(&call(&schema)).await.unwrap();
    assert_eq!(stub.calls(), 3, "one call for each parameter that was refused, and one that succeeds");
    model.ask(&Call { temperature: Some(0.7), ..call(&schema) }).await.unwrap();
    assert_eq!(stub.calls(), 4, "what was learned is kept");
    let last = stub.requests().pop().unwrap();
    assert_eq!((last.get("temperature"), last.get("max_tokens")), (None, None));
    assert_eq!(last["max_completion_tokens"], 256);
    assert_eq!(stub.protocol_errors(), 0);
}

#[tokio::test]
async fn a_refused_strict_schema_is_sent_as_it_is() {
    let stub = StubProvider::start(Script::default().fault(When::Every(1), Fault::RefusesStrict));
    let schema = schema();
    let model = model(settings(stub.base_url()));
    model.ask(&call(&schema)).await.unwrap();
    model.ask(&call(&schema)).await.unwrap();
    assert_eq!(stub.calls(), 3);
    assert_eq!(stub.requests()[2]["response_format"]["json_schema"]["schema"], schema);
}

#[tokio::test]
async fn many_calls_run_at_once() {
    let (low, high) = (Duration::from_millis(50), Duration::from_millis(80));
    let stub = StubProvider::start(Script::default().latency(Latency::Between(low, high)));
    let (model, schema) = (model(settings(stub.base_url())), schema());
    let calls: Vec<_> = (0..64).map(|_| call(&schema)).collect();
    let replies = futures_util::future::join_all(calls.iter().map(|call| model.ask(call))).await;
    let texts: std::collections::HashSet<_> = replies.into_iter().map(|reply| reply.unwrap().text).collect();
    assert_eq!(texts.len(), 64, "each call has its own salt");
    assert!(stub.max_concurrency() > 16, "{}", stub.max_concurrency());
}

#[test]
fn settings_that_cannot_work_are_refused_by_name() {
    for (base_url, key) in
        [("api.openai.com/v1", "k"), ("https://me:canary@host/v1", "k"), ("http://host/v1", "canary\n")]
    {
        let openai = OpenAiSettings { api_key: Some(Secret::new(key)), ..settings(base_url.to_owned()) };
        let error = llm::build(&ProviderSettings { name: "gpt".to_owned(), kind: ProviderKind::OpenAi(openai) });
        let text = error.err().unwrap().to_string();
        assert!(text.starts_with("provider \"gpt\": ") && !text.contains("canary"), "{text}");
    }
}
