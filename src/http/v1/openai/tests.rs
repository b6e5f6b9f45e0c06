mod teams;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::models;
use super::other_parameters::{IGNORED, REFUSED};
use crate::domain::failure::Code;
use crate::http::error_status::RequestCode;
use crate::http::problem::{PlaceError, Problem};
use crate::http::state::ApiParts;
use crate::http::testing::{Answer, Api, parts};
use crate::pipeline::route::testing::{Scripted, fails, fails_for, finished};
use crate::ports::clock::ManualClock;
use crate::ports::model::{CallError, FakeModel, Finish, Model, Reply};

const TICKET: &str = r#"{"intent":"refund"}"#;

/// An API over a provider `a` with this script, and the provider.
fn api(script: impl IntoIterator<Item = Result<Reply, CallError>>) -> (Api, Arc<Scripted>) {
    let model = Scripted::new("a", script);
    (Api::new(parts(&[Arc::clone(&model) as Arc<dyn Model>])), model)
}

fn response_format(is_strict: bool) -> Value {
    let schema = json!({
        "type": "object", "required": ["intent"], "additionalProperties": false,
        "properties": { "intent": { "enum": ["refund", "other"] }, "count": { "type": "integer" } },
    });
    json!({ "type": "json_schema", "json_schema": { "name": "ticket", "strict": is_strict, "schema": schema } })
}

/// A request to the provider, with these members beside its schema and message, or in their place.
fn request(members: Value) -> Value {
    let mut request = json!({
        "model": "a", "messages": [{ "role": "user", "content": "I want my money back" }],
        "response_format": response_format(true),
    });
    for (name, value) in members.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

async fn ask(api: &Api, members: Value) -> Answer {
    api.post("/v1/chat/completions", &request(members)).await
}

/// Status, code and parameter of an error, whose form is checked.
fn error(answer: &Answer) -> (u16, String, Value) {
    assert_eq!(answer.header("content-type"), "application/json", "{answer:?}");
    let error = &answer.json()["error"];
    assert!(error["message"].is_string() && error["type"].is_string(), "{answer:?}");
    (answer.status.as_u16(), error["code"].as_str().unwrap().to_owned(), error["param"].clone())
}

#[tokio::test]
async fn the_content_is_the_valid_object_and_what_we_know_of_it_stands_beside_it() {
    let (model, clock) = (Scripted::new("a", [FakeModel::says(TICKET)]), ManualClock::default());
    clock.advance(Duration::from_secs(1_790_000_000));
    let api = Api::new(ApiParts { clock: Arc::new(clock), ..parts(&[Arc::clone(&model) as Arc<dyn Model>]) });
    let first = ask(&api, json!({ "seed": 7, "user": "u-1" })).await;
    assert_eq!(first.status, 200, "{first:?}");
    let body = first.json();
    assert_eq!((&body["object"], &body["model"]), (&json!("chat.completion"), &json!("a")));
    assert_eq!(body["id"], format!("chatcmpl-{}", first.header("x-request-id")));
    assert_eq!(body["created"], 1_790_000_000);
    let message = json!({ "role": "assistant", "content": TICKET, "refusal": null });
    let choice = json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": "stop" });
    assert_eq!(body["choices"], json!([choice]));
    assert_eq!(body["usage"], json!({ "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 }));
    let facts = &body["structured_prompt"];
    assert_eq!((&facts["provider"], &facts["validation_status"]), (&json!("a"), &json!("passed")), "{facts}");
    assert_eq!((&facts["cached"], &facts["usage"]["cost_usd"]), (&json!(false), &json!(1.0)), "{facts}");
    assert_eq!((&facts["ignored_parameters"], facts.get("data")), (&json!(["seed", "user"]), None));
    assert!(facts["schema"].as_str().unwrap().starts_with("ticket@"), "{facts}");

    let again = ask(&api, json!({})).await.json();
    assert_eq!((&again["structured_prompt"]["cached"], &again["usage"]["total_tokens"]), (&json!(true), &json!(0)));
    assert_eq!(model.calls(), 1);
}

#[tokio::test]
async fn a_stream_has_the_whole_answer_in_its_first_chunk_and_ends_as_clients_expect() {
    let (api, _) = api([FakeModel::says(TICKET)]);
    let answer = ask(&api, json!({ "stream": true, "stream_options": { "include_usage": true } })).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "text/event-stream"));
    let events: Vec<&str> = answer.text.split_terminator("\n\n").collect();
    assert_eq!((events.len(), events[3]), (4, "data: [DONE]"), "{answer:?}");
    let chunks: Vec<Value> =
        events[..3].iter().map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap()).collect();
    assert!(chunks.iter().all(|chunk| chunk["object"] == "chat.completion.chunk" && chunk["id"] == chunks[0]["id"]));
    assert_eq!(chunks[0]["choices"][0]["delta"], json!({ "role": "assistant", "content": TICKET }));
    assert_eq!((&chunks[0]["usage"], &chunks[0]["choices"][0]["finish_reason"]), (&Value::Null, &Value::Null));
    assert_eq!(chunks[1]["choices"][0]["delta"], json!({}));
    assert_eq!(chunks[1]["choices"][0]["finish_reason"], "stop");
    assert_eq!(chunks[1]["structured_prompt"]["provider"], "a");
    assert_eq!((&chunks[2]["choices"], &chunks[2]["usage"]["total_tokens"]), (&json!([]), &json!(15)));

    let without = ask(&api, json!({ "stream": true })).await.text;
    assert!(!without.contains("\"usage\":null") && without.matches("data: ").count() == 3, "{without}");
}

#[tokio::test]
async fn a_refusal_and_an_answer_that_was_cut_are_answers() {
    let (api, _) = api([fails(Code::ProviderRefused)]);
    let body = ask(&api, json!({})).await.json();
    let choice = &body["choices"][0];
    assert_eq!((&choice["finish_reason"], &choice["message"]["content"]), (&json!("stop"), &Value::Null), "{body}");
    assert_eq!(choice["message"]["refusal"], "as told");
    assert_eq!(body["structured_prompt"]["code"], "provider_refused");
    let streamed = ask(&api, json!({ "stream": true })).await.text;
    assert!(streamed.contains(r#""delta":{"role":"assistant","refusal":"as told"}"#), "{streamed}");

    let (api, _) = self::api([finished(Finish::Truncated, r#"{"int"#)]);
    let body = ask(&api, json!({})).await.json();
    let choice = &body["choices"][0];
    assert_eq!((&choice["finish_reason"], &choice["message"]["content"]), (&json!("length"), &Value::Null), "{body}");
    let (usage, facts) = (&body["usage"], &body["structured_prompt"]);
    assert_eq!((&facts["attempts"], &usage["prompt_tokens"]), (&json!(2), &json!(20)), "{body}");
}

#[tokio::test]
async fn only_who_does_not_ask_for_a_strict_schema_is_given_an_answer_that_is_nearly_valid() {
    let (api, _) = api([FakeModel::says(r#"{"intent":"refund","count":"3"}"#)]);
    let strict = ask(&api, json!({})).await;
    assert_eq!(error(&strict), (422, "answer_invalid".to_owned(), Value::Null), "{strict:?}");
    assert_eq!(strict.json()["error"]["errors"][0]["pointer"], "#/count", "{strict:?}");
    let lenient = ask(&api, json!({ "response_format": response_format(false) })).await.json();
    assert_eq!(lenient["structured_prompt"]["validation_status"], "relaxed", "{lenient}");
    let any = ask(&api, json!({ "response_format": { "type": "json_object" } })).await.json();
    assert_eq!(any["choices"][0]["message"]["content"], r#"{"intent":"refund","count":"3"}"#);
    assert_eq!(any["structured_prompt"]["validation_status"], "passed", "{any}");
}

#[tokio::test]
async fn a_template_reads_the_last_message_or_parameters_and_a_schema_reads_all_messages() {
    let valid = r#"{"intent":"refund_request","urgency":"low","sentiment":"neutral","summary":"wants money back"}"#;
    let (api, _) = api([FakeModel::says(valid)]);
    let of_template = |members: Value| {
        let mut body = json!({ "model": "template/support-intent@1", "options": { "bypass_validation": true } });
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        let api = &api;
        async move { api.post("/v1/chat/completions", &body).await }
    };
    let said = |role: &str| json!({ "role": role, "content": "I want my money back" });
    for members in [
        json!({ "messages": [said("assistant"), said("user")] }),
        json!({ "messages": [], "parameters": { "message": "I want my money back" } }),
    ] {
        let body = of_template(members).await.json();
        assert_eq!(body["structured_prompt"]["template"], "support-intent@1.0.0", "{body}");
        assert_eq!(body["model"], "template/support-intent@1");
    }
    for (members, param) in [
        (json!({ "messages": [said("system"), said("user")] }), "messages[0]"),
        (json!({ "messages": [said("assistant")] }), "messages"),
        (json!({ "messages": [said("user")], "parameters": { "message": "x" } }), "messages"),
        (json!({ "messages": [], "parameters": { "massage": "x" } }), "parameters.massage"),
    ] {
        assert_eq!(error(&of_template(members).await), (400, "invalid_request".to_owned(), json!(param)));
    }
    let options = json!({ "bypass_validation": true });
    let named = json!({ "model": "schema/support-intent@1", "messages": [said("user")], "options": options });
    let body = api.post("/v1/chat/completions", &named).await.json();
    assert_eq!(body["structured_prompt"]["schema"], "support-intent@1.0.0", "{body}");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_at_its_place() {
    let (api, model) = api([FakeModel::says(TICKET)]);
    let image = json!([{ "type": "image_url", "image_url": { "url": "data:," } }]);
    let places = [
        (json!({ "tools": [{ "type": "function" }] }), "tools"),
        (json!({ "n": 2 }), "n"),
        (json!({ "modalities": ["text", "audio"] }), "modalities"),
        (json!({ "temprature": 1 }), "temprature"),
        (json!({ "temperature": 3 }), "temperature"),
        (json!({ "max_tokens": 5, "max_completion_tokens": 6 }), "max_tokens"),
        (json!({ "messages": null }), "messages"),
        (json!({ "messages": [{ "role": "tool", "content": "x" }] }), "messages[0].role"),
        (json!({ "messages": [{ "role": "user", "content": image }] }), "messages[0].content[0].type"),
        (json!({ "response_format": null }), "response_format"),
        (json!({ "response_format": { "type": "grammar" } }), "response_format.type"),
        (json!({ "response_format": { "type": "json_schema" } }), "response_format.json_schema"),
        (json!({ "model": "schema/invoice" }), "response_format"),
        (json!({ "model": null }), "model"),
        (json!({ "parameters": { "a": "b" } }), "parameters"),
        (json!({ "options": { "timeout": "10" } }), "options.timeout"),
        (json!({ "options": { "provider": "b" } }), "options"),
    ];
    for (members, param) in places {
        let answer = ask(&api, members.clone()).await;
        assert_eq!(error(&answer), (400, "invalid_request".to_owned(), json!(param)), "{members}: {answer:?}");
    }
    let schema = json!({ "type": "object", "properties": { "a": { "type": "strin" } } });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": schema } });
    let (status, code, param) = error(&ask(&api, json!({ "response_format": format })).await);
    assert_eq!((status, code.as_str()), (400, "invalid_schema"));
    assert!(param.as_str().unwrap().starts_with("response_format.json_schema.schema.properties.a"), "{param}");
    for model in ["gpt-5", "template/nothing", "schema/nothing"] {
        let answer = ask(&api, json!({ "model": model, "response_format": null })).await;
        assert_eq!(error(&answer), (404, "not_found".to_owned(), json!("model")), "{answer:?}");
    }
    assert_eq!(model.calls(), 0);
}

#[test]
fn an_unknown_model_is_told_by_the_kind_of_its_problem_and_not_by_its_words() {
    let place = |pointer: &str| PlaceError { pointer: pointer.to_owned(), detail: "as told".to_owned() };
    let models = [("template/a", "#/template_id"), ("schema/a", "#/schema_id"), ("a", "#/options/provider")];
    for (model, pointer) in models {
        let code = |problem| models::Model::of(model.to_owned()).place_problem(problem).code();
        assert_eq!(code(Problem::unknown_name(place(pointer))), "not_found");
        assert_eq!(code(Problem::unknown_name(place("#/options/strategy"))), "invalid_request", "another name");
        let unusable = Problem::at_places(RequestCode::InvalidRequest, vec![place(pointer)]);
        assert_eq!(code(unusable), "invalid_request", "there is one");
    }
}

#[tokio::test]
async fn values_that_ask_for_nothing_are_taken() {
    let (api, _) = api([FakeModel::says(TICKET)]);
    let nothing = json!({
        "tools": [], "functions": [], "tool_choice": "none", "function_call": "auto", "n": 1, "logprobs": false,
        "modalities": ["text"], "stop": null, "logit_bias": {},
        "messages": [
            { "role": "assistant", "content": null, "refusal": null, "annotations": [], "tool_calls": null },
            { "role": "user", "content": [{ "type": "text", "text": "x" }], "name": "me" },
        ],
    });
    let answer = ask(&api, nothing).await;
    assert_eq!(answer.json()["structured_prompt"]["ignored_parameters"], json!([]), "{answer:?}");
    let mut ignored = json!({});
    for name in IGNORED {
        ignored[name] = json!("x");
    }
    assert_eq!(ask(&api, ignored).await.json()["structured_prompt"]["ignored_parameters"], json!(IGNORED));
    for (name, reason) in REFUSED {
        let answer = ask(&api, json!({ name: "x" })).await;
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains(reason), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn errors_of_all_kinds_have_openais_form_and_the_time_to_wait() {
    let (api, _) = api([fails_for(Code::ProviderRateLimited, Duration::from_secs(90))]);
    let answer = ask(&api, json!({})).await;
    assert_eq!(error(&answer), (503, "provider_rate_limited".to_owned(), Value::Null));
    assert_eq!((&answer.json()["error"]["type"], answer.header("retry-after")), (&json!("server_error"), "90"));
    let wrong_method = api.get("/v1/chat/completions").await;
    assert_eq!(error(&wrong_method).1, "method_not_allowed");
    let elsewhere = api.get("/v1/analyze").await;
    assert_eq!(elsewhere.problem().1, "method_not_allowed");
}

#[tokio::test]
async fn models_are_templates_schemas_and_providers() {
    let (api, _) = api([]);
    let list = api.get("/v1/models").await.json();
    assert_eq!(list["object"], "list");
    let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    for id in ["template/invoice@1.0.0", "schema/support-intent@1.0.0", "a"] {
        assert!(ids.contains(&id), "{ids:?}");
        let one = api.get(&format!("/v1/models/{}", id.replace('/', "%2F"))).await;
        assert_eq!((&one.json()["id"], &one.json()["object"]), (&json!(id), &json!("model")), "{one:?}");
        assert_eq!(api.get(&format!("/v1/models/{id}")).await.json(), one.json());
    }
    assert_eq!(api.get("/v1/models/template/invoice").await.json()["id"], "template/invoice@1.0.0");
    for id in ["b", "template/nothing", "schema/nothing@2", "%ff"] {
        let missing = api.get(&format!("/v1/models/{id}")).await;
        assert_eq!(error(&missing), (404, "not_found".to_owned(), json!("model")));
    }
}
