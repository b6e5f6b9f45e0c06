//! Errors in the shapes and under the statuses that gateways and compatible servers give them.

use std::time::Duration;

use serde_json::{Value, json};
use structured_prompt::domain::failure::Code;
use structured_prompt::ports::model::Finish;

use super::stub_provider::{End, Fault, Script, StubProvider, When, Wire, gemini};
use super::{ask, settings};

async fn outcome(
    wire: Wire,
    status: u16,
    body: &Value,
    headers: &[(&'static str, &str)],
) -> (Code, bool, Option<Duration>) {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let fault = Fault::Status { status, body: body.to_string(), headers };
    let stub = StubProvider::start(Script::default().fault(When::Every(1), fault));
    let error = ask(settings(wire, &stub)).await.unwrap_err();
    (error.failure.code, error.is_transient, error.failure.retry_after)
}

#[tokio::test]
async fn an_error_under_status_200_is_that_error() {
    let pause = Some(Duration::from_secs(2));
    for wire in Wire::ALL {
        for (error, wanted) in [
            (json!({ "code": 429, "message": "m" }), (Code::ProviderRateLimited, true, pause)),
            (json!({ "code": "429" }), (Code::ProviderRateLimited, true, pause)),
            (json!({ "type": "rate_limit_error" }), (Code::ProviderRateLimited, true, pause)),
            (json!({ "code": 402 }), (Code::ProviderQuotaExhausted, false, None)),
            (json!({ "type": "invalid_api_key" }), (Code::ProviderUnauthorized, false, None)),
            (json!({ "code": 503 }), (Code::ProviderUnavailable, true, pause)),
            (json!("model is loading"), (Code::ProviderUnavailable, true, pause)),
        ] {
            for body in
                [json!({ "error": error }), json!([{ "error": error }]), json!({ "error": error, "choices": [] })]
            {
                assert_eq!(outcome(wire, 200, &body, &[("retry-after", "2")]).await, wanted, "{wire:?} {body}");
            }
        }
    }
}

#[tokio::test]
async fn geminis_compatible_endpoint_is_understood() {
    let key = json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID" }]);
    let error = |code: u16, status: &str, details: &Value| json!([{ "error": { "code": code, "message": "m", "status": status, "details": details } }]);
    let refused = outcome(Wire::OpenAi, 400, &error(400, "INVALID_ARGUMENT", &key), &[]).await;
    assert_eq!(refused, (Code::ProviderUnauthorized, false, None));
    let limited = outcome(Wire::OpenAi, 429, &error(429, "RESOURCE_EXHAUSTED", &gemini::retry_info("6s")), &[]).await;
    assert_eq!(limited, (Code::ProviderRateLimited, true, Some(Duration::from_secs(6))));
}

#[tokio::test]
async fn an_answer_beside_a_report_is_an_answer_unless_it_broke_off() {
    for wire in Wire::ALL {
        let text = wire.response(&json!({ "model": "m" }), "m", 1, Some("{\"intent\":\"x\"}"), End::Stop);
        for error in [json!(null), json!({}), json!(""), json!({ "code": 502, "message": "the first server failed" })] {
            let mut body: Value = serde_json::from_str(&text).unwrap();
            body["error"] = error.clone();
            let fault = Fault::Raw { content_type: "application/json", body: body.to_string() };
            let stub = StubProvider::start(Script::default().fault(When::Every(1), fault));
            assert_eq!(ask(settings(wire, &stub)).await.unwrap().text, "{\"intent\":\"x\"}", "{wire:?} {error}");
        }
    }
    for end in [json!({ "finish_reason": "error" }), json!({ "error": { "code": 502, "message": "m" } })] {
        let mut choice = json!({ "message": { "role": "assistant", "content": "{\"intent\":\"" } });
        choice.as_object_mut().unwrap().extend(end.as_object().unwrap().clone());
        let found = outcome(Wire::OpenAi, 200, &json!({ "choices": [choice] }), &[]).await;
        assert_eq!(found, (Code::ProviderUnavailable, true, None), "{end}");
    }
}

#[tokio::test]
async fn an_answer_that_groq_found_invalid_is_an_answer_and_changes_no_request() {
    let error = json!({ "error": {
        "message": "Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for more details.",
        "type": "invalid_request_error",
        "code": "json_validate_failed",
        "failed_generation": "{\"intent\": refund}",
    } });
    let fault = Fault::Status { status: 400, body: error.to_string(), headers: Vec::new() };
    let stub = StubProvider::start(Script::default().fault(When::Call(1), fault));
    let (model, spec) = (super::model(settings(Wire::OpenAi, &stub)), super::spec());
    let reply = model.ask(&super::call(&spec)).await.unwrap();
    assert_eq!((reply.text.as_str(), reply.finish), ("{\"intent\": refund}", Finish::Complete));
    model.ask(&super::call(&spec)).await.unwrap();
    let formats: Vec<_> = stub.requests().iter().map(|request| request["response_format"].clone()).collect();
    assert_eq!(formats.len(), 2);
    assert_eq!(formats[0], formats[1], "the schema is still sent, as it was");
    assert_eq!(formats[1]["json_schema"]["strict"], true);
}
