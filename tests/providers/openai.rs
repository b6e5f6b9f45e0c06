//! What is OpenAI's own.

use std::time::Duration;

use serde_json::json;
use structured_prompt::llm::settings::RemoteSettings;
use structured_prompt::ports::model::{Call, Correction};

use super::stub_provider::{Fault, Latency, Script, StubProvider, When, Wire};
use super::{PROMPT, call, model, settings, spec, spec_at};

#[tokio::test]
async fn the_request_is_what_openai_understands() {
    let stub = StubProvider::start(Script::default());
    let spec = spec();
    let model = model(RemoteSettings { temperature: Some(0.25), ..settings(Wire::OpenAi, &stub) });
    let correction = Correction { answer: "{}", errors: "/intent: missing" };
    model.ask(&Call { correction: Some(correction), max_tokens: Some(99), ..call(&spec) }).await.unwrap();
    model.ask(&call(&spec_at(Some(0.5)))).await.unwrap();
    let requests = stub.requests();
    assert_eq!(requests[0]["model"], "model-1");
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
async fn a_parameter_that_a_400_names_is_dropped_or_renamed_once_for_all_calls() {
    let script = Script::default().fault(When::Call(1), Fault::Refuses("temperature"));
    let stub = StubProvider::start(script.fault(When::Every(1), Fault::Refuses("max_tokens")));
    let spec = spec();
    let model = model(RemoteSettings { temperature: Some(0.0), ..settings(Wire::OpenAi, &stub) });
    model.ask(&call(&spec)).await.unwrap();
    assert_eq!(stub.calls(), 3, "one call for each parameter that was refused, and one that succeeds");
    model.ask(&call(&spec_at(Some(0.7)))).await.unwrap();
    assert_eq!(stub.calls(), 4, "what was learned is kept");
    let last = stub.requests().pop().unwrap();
    assert_eq!((last.get("temperature"), last.get("max_tokens")), (None, None));
    assert_eq!(last["max_completion_tokens"], 256);
    assert_eq!(stub.protocol_errors(), 0);
}

#[tokio::test]
async fn a_refused_strict_schema_is_sent_as_it_is() {
    let stub = StubProvider::start(Script::default().fault(When::Every(1), Fault::RefusesStrict));
    let spec = spec();
    let model = model(settings(Wire::OpenAi, &stub));
    model.ask(&call(&spec)).await.unwrap();
    model.ask(&call(&spec)).await.unwrap();
    assert_eq!(stub.calls(), 3);
    assert_eq!(stub.requests()[2]["response_format"]["json_schema"]["schema"], spec.schema);
}

#[tokio::test]
async fn many_calls_run_at_once() {
    let (low, high) = (Duration::from_millis(50), Duration::from_millis(80));
    let stub = StubProvider::start(Script::default().latency(Latency::Between(low, high)));
    let (model, spec) = (model(settings(Wire::OpenAi, &stub)), spec());
    let calls: Vec<_> = (0..64).map(|_| call(&spec)).collect();
    let replies = futures_util::future::join_all(calls.iter().map(|call| model.ask(call))).await;
    let texts: std::collections::HashSet<_> = replies.into_iter().map(|reply| reply.unwrap().text).collect();
    assert_eq!(texts.len(), 64, "each call has its own salt");
    assert!(stub.max_concurrency() > 16, "{}", stub.max_concurrency());
}
