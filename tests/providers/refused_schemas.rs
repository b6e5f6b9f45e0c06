//! Servers that do not take the schema, in their own words.

use serde_json::{Value, json};
use structured_prompt::domain::failure::Code;
use structured_prompt::ports::model::{CallSettings, CallSpec};

use super::stub_provider::wire::schema as schema_of;
use super::stub_provider::{Fault, Script, StubProvider, When, Wire};
use super::{call, model, settings, spec};

fn openai(message: &str, kind: &str, param: &Value) -> String {
    json!({ "error": { "message": message, "type": kind, "param": param, "code": null } }).to_string()
}

fn llama(message: &str) -> String {
    json!({ "error": { "code": 400, "message": message, "type": "invalid_request_error" } }).to_string()
}

fn anthropic(message: &str) -> String {
    json!({ "type": "error", "error": { "type": "invalid_request_error", "message": message } }).to_string()
}

fn gemini(message: &str) -> String {
    json!({ "error": { "code": 400, "message": message, "status": "INVALID_ARGUMENT" } }).to_string()
}

/// What servers answer to a schema that they cannot work with, each in the version of 2026.
fn complaints() -> Vec<(Wire, String)> {
    let unsupported = "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.";
    let xgrammar = "The provided JSON schema contains features not supported by xgrammar.";
    vec![
        (Wire::OpenAi, openai(unsupported, "invalid_request_error", &json!("response_format"))),
        (Wire::OpenAi, openai(unsupported, "invalid_request_error", &Value::Null)),
        (
            Wire::OpenAi,
            json!({ "object": "error", "message": xgrammar, "type": "BadRequestError", "param": null, "code": 400 })
                .to_string(),
        ),
        (Wire::OpenAi, openai(xgrammar, "BadRequestError", &Value::Null)),
        (Wire::OpenAi, llama("failed to parse grammar")),
        (Wire::OpenAi, llama("JSON schema conversion failed:\nUnrecognized schema")),
        (Wire::OpenAi, openai("invalid format: expected json schema", "invalid_request_error", &Value::Null)),
        (Wire::Anthropic, anthropic("Schema is too complex for compilation. Try simplifying it.")),
        (Wire::Anthropic, anthropic("The compiled grammar is too large.")),
        (Wire::Anthropic, anthropic("output_config.format.schema: 'minimum' is not supported")),
        (Wire::Gemini, gemini("The specified schema produces a constraint that has too many states for serving.")),
        (Wire::Gemini, gemini("Request contains an invalid argument.")),
        (
            Wire::Gemini,
            gemini("Invalid JSON payload received. Unknown name \"responseJsonSchema\": Cannot find field."),
        ),
    ]
}

#[tokio::test]
async fn whatever_it_is_called_the_instructions_alone_ask_then_and_for_good() {
    for (wire, body) in complaints() {
        let stub = StubProvider::start(Script::default().fault(When::Every(1), Fault::RefusesSchema(body.clone())));
        let (model, spec) = (model(settings(wire, &stub)), spec());
        model.ask(&call(&spec)).await.unwrap_or_else(|error| panic!("{body}: {error:?}"));
        let calls = stub.calls();
        assert!(calls <= 3, "{calls} calls for {body}");
        model.ask(&call(&spec)).await.unwrap();
        assert_eq!(stub.calls(), calls + 1, "{body} is not provoked again");
        assert!(stub.requests().last().is_some_and(|request| schema_of(request).is_none()), "{body}");
    }
}

#[tokio::test]
async fn a_400_that_has_other_reasons_is_the_records_and_changes_nothing() {
    for wire in Wire::ALL {
        let stub = StubProvider::start(Script::default().fault(When::UpTo(2), Fault::Error(400)));
        let (model, spec) = (model(settings(wire, &stub)), spec());
        let error = model.ask(&call(&spec)).await.unwrap_err();
        assert_eq!((error.failure.code, stub.calls()), (Code::ProviderRejected, 2), "{wire:?}");
        model.ask(&call(&spec)).await.unwrap();
        assert!(stub.requests().last().is_some_and(|request| schema_of(request).is_some()), "{wire:?}");
    }
}

#[tokio::test]
async fn a_schema_that_was_taken_before_is_not_given_up_for_one_request() {
    for wire in Wire::ALL {
        let stub = StubProvider::start(Script::default().fault(When::Call(2), Fault::Error(400)));
        let (model, spec) = (model(settings(wire, &stub)), spec());
        for _ in 0..3 {
            model.ask(&call(&spec)).await.unwrap();
        }
        let has_schema: Vec<_> = stub.requests().iter().map(|request| schema_of(request).is_some()).collect();
        assert_eq!(has_schema, [true, true, false, true], "{wire:?}");
    }
}

#[tokio::test]
async fn a_400_that_names_its_reason_is_not_sent_twice() {
    let too_long = Fault::error(400, "invalid_request_error", Some("context_length_exceeded"));
    let body = openai("Invalid content.", "invalid_request_error", &json!("messages"));
    for fault in [too_long, Fault::Status { status: 400, body, headers: Vec::new() }] {
        let stub = StubProvider::start(Script::default().fault(When::Every(1), fault));
        let spec = spec();
        let error = model(settings(Wire::OpenAi, &stub)).ask(&call(&spec)).await.unwrap_err();
        assert_eq!((error.failure.code, stub.calls()), (Code::ProviderRejected, 1));
    }
}

#[tokio::test]
async fn a_422_is_asked_again_without_the_schema_like_a_400() {
    let deepseek = json!({ "error": { "message": "Failed to deserialize the JSON body into the target type", "type":
        "invalid_request_error", "param": null, "code": "invalid_request_error" } });
    let hugging_face = json!({ "error": "Input validation error: grammar is not valid", "error_type": "validation" });
    let entry = json!({ "type": "extra_forbidden", "loc": ["body", "response_format", "json_schema"], "msg": "m" });
    for body in [deepseek, hugging_face, json!({ "detail": [entry] }), json!({ "detail": "Unprocessable" })] {
        let refuse = Fault::Status { status: 422, body: body.to_string(), headers: Vec::new() };
        let stub = refusing(move |_| Some(refuse.clone()));
        let (model, spec) = (model(settings(Wire::OpenAi, &stub)), spec());
        model.ask(&call(&spec)).await.unwrap_or_else(|error| panic!("{body}: {error:?}"));
        let calls = stub.calls();
        model.ask(&call(&spec)).await.unwrap();
        assert_eq!(stub.calls(), calls + 1, "{body} is not provoked again");
        assert!(stub.requests().last().is_some_and(|request| schema_of(request).is_none()), "{body}");
    }
}

/// A server with a fault for requests that have a schema.
fn refusing(fault: impl Fn(u64) -> Option<Fault> + Send + Sync + 'static) -> StubProvider {
    StubProvider::start(Script::default().fault_of(move |request, call| schema_of(request).and_then(|_| fault(call))))
}

fn with_schema(stub: &StubProvider) -> usize {
    stub.requests().iter().filter(|request| schema_of(request).is_some()).count()
}

#[tokio::test]
async fn a_server_that_fails_on_every_schema_is_soon_asked_without() {
    for (wire, status) in Wire::ALL.into_iter().flat_map(|wire| [(wire, 500), (wire, 502)]) {
        let stub = refusing(move |_| Some(Fault::Error(status)));
        let (model, spec) = (model(settings(wire, &stub)), spec());
        let mut answers = 0;
        for _ in 0..10 {
            answers += u32::from(model.ask(&call(&spec)).await.is_ok());
        }
        assert!(answers >= 8 && with_schema(&stub) <= 4, "{wire:?}: {answers} answers, {} with", with_schema(&stub));
        let calls = stub.calls();
        model.ask(&call(&spec)).await.unwrap();
        assert_eq!(stub.calls(), calls + 1, "{wire:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_down_for_a_while_is_sent_schemas_again() {
    for wire in Wire::ALL {
        // The third failure is tried out without the schema, and just then the server is back.
        let stub = StubProvider::start(Script::default().fault(When::UpTo(3), Fault::Error(500)));
        let (model, spec) = (model(settings(wire, &stub)), spec());
        let mut found = Vec::new();
        for _ in 0..3 {
            found.push(model.ask(&call(&spec)).await.is_ok());
        }
        assert_eq!(found, [false, false, true], "{wire:?}");
        for _ in 0..2 {
            model.ask(&call(&spec)).await.unwrap();
        }
        let has_schema: Vec<_> = stub.requests().iter().map(|request| schema_of(request).is_some()).collect();
        assert_eq!(has_schema, [true, true, true, false, true, true], "{wire:?}");
    }
}

#[tokio::test]
async fn a_server_that_answered_with_the_schema_keeps_it_through_any_outage() {
    for wire in Wire::ALL {
        let stub = refusing(|call| (2..=20).contains(&call).then_some(Fault::Error(500)));
        let (model, spec) = (model(settings(wire, &stub)), spec());
        for _ in 0..22 {
            model.ask(&call(&spec)).await.ok();
        }
        assert_eq!(with_schema(&stub), 22, "{wire:?}");
    }
}

#[tokio::test]
async fn a_strict_form_that_was_answered_is_not_given_up_for_one_record() {
    let stub = StubProvider::start(Script::default().fault(When::Call(2), Fault::RefusesStrict));
    let (model, spec) = (model(settings(Wire::OpenAi, &stub)), spec());
    for _ in 0..3 {
        model.ask(&call(&spec)).await.unwrap();
    }
    let strict: Vec<_> =
        stub.requests().iter().map(|request| request["response_format"]["json_schema"]["strict"].clone()).collect();
    assert_eq!(strict, [true, true, false, true].map(Value::from));
}

#[tokio::test]
async fn nothing_is_given_up_when_the_changed_request_fails_too() {
    for wire in Wire::ALL {
        let refusal = Fault::Refuses("temperature");
        let script = Script::default().fault(When::Call(1), refusal).fault(When::Call(2), Fault::Error(503));
        let stub = StubProvider::start(script);
        let remote =
            structured_prompt::llm::settings::RemoteSettings { temperature: Some(0.5), ..settings(wire, &stub) };
        let (model, spec) = (model(remote), spec());
        model.ask(&call(&spec)).await.unwrap_err();
        model.ask(&call(&spec)).await.unwrap();
        let sent: Vec<_> =
            stub.requests().iter().map(|request| wire.parameter(request, "temperature").is_some()).collect();
        assert_eq!(sent, [true, false, true], "{wire:?}");
    }
}

/// A specification with a schema that no other one has.
fn spec_with(number: usize) -> CallSpec {
    CallSpec::new(CallSettings {
        schema: json!({ "type": "object", "title": number, "properties": { "intent": { "type": "string" } } }),
        ..CallSettings::clone(&spec())
    })
}

#[tokio::test]
async fn schemas_that_come_with_requests_are_not_refused_one_by_one() {
    for (wire, body) in complaints() {
        let stub = StubProvider::start(Script::default().fault(When::Every(1), Fault::RefusesSchema(body.clone())));
        let model = model(settings(wire, &stub));
        for number in 0..100 {
            model.ask(&call(&spec_with(number))).await.unwrap_or_else(|error| panic!("{body}: {error:?}"));
        }
        let refused = with_schema(&stub);
        assert!((8..=30).contains(&refused), "{refused} of 100 requests had a schema, for {body}");
    }
}

#[tokio::test]
async fn a_provider_that_takes_most_schemas_is_sent_each_new_one() {
    for wire in Wire::ALL {
        // The tenth has too many states, and so on.
        let refuse = |request: &Value, _| {
            let title = schema_of(request)?["title"].as_u64()?;
            title.is_multiple_of(10).then_some(Fault::Error(400))
        };
        let stub = StubProvider::start(Script::default().fault_of(refuse));
        let model = model(settings(wire, &stub));
        for number in 0..200 {
            model.ask(&call(&spec_with(number))).await.unwrap();
        }
        assert_eq!(with_schema(&stub), 200, "{wire:?}");
    }
}
