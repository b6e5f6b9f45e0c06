//! Servers that do not take the schema, in their own words.

use serde_json::{Value, json};
use structured_prompt::domain::failure::Code;

use super::stub_provider::wire::schema as schema_of;
use super::stub_provider::{Fault, Script, StubProvider, When, Wire};
use super::{call, model, schema, settings};

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
        let (model, schema) = (model(settings(wire, &stub)), schema());
        model.ask(&call(&schema)).await.unwrap_or_else(|error| panic!("{body}: {error:?}"));
        let calls = stub.calls();
        assert!(calls <= 3, "{calls} calls for {body}");
        model.ask(&call(&schema)).await.unwrap();
        assert_eq!(stub.calls(), calls + 1, "{body} is not provoked again");
        assert!(stub.requests().last().is_some_and(|request| schema_of(request).is_none()), "{body}");
    }
}

#[tokio::test]
async fn a_400_that_has_other_reasons_is_the_records_and_changes_nothing() {
    for wire in Wire::ALL {
        let stub = StubProvider::start(Script::default().fault(When::UpTo(2), Fault::Error(400)));
        let (model, schema) = (model(settings(wire, &stub)), schema());
        let error = model.ask(&call(&schema)).await.unwrap_err();
        assert_eq!((error.failure.code, stub.calls()), (Code::ProviderRejected, 2), "{wire:?}");
        model.ask(&call(&schema)).await.unwrap();
        assert!(stub.requests().last().is_some_and(|request| schema_of(request).is_some()), "{wire:?}");
    }
}

#[tokio::test]
async fn a_schema_that_was_taken_before_is_not_given_up_for_one_request() {
    for wire in Wire::ALL {
        let stub = StubProvider::start(Script::default().fault(When::Call(2), Fault::Error(400)));
        let (model, schema) = (model(settings(wire, &stub)), schema());
        for _ in 0..3 {
            model.ask(&call(&schema)).await.unwrap();
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
        let schema = schema();
        let error = model(settings(Wire::OpenAi, &stub)).ask(&call(&schema)).await.unwrap_err();
        assert_eq!((error.failure.code, stub.calls()), (Code::ProviderRejected, 1));
    }
}
