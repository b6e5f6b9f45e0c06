use std::time::UNIX_EPOCH;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, RETRY_AFTER};
use serde_json::json;

use super::*;
use crate::llm::wire;

/// The error of a response with these headers, whatever its status.
fn with_headers(status: u16, headers: HeaderMap, body: &str) -> Option<ErrorResponse> {
    let status = StatusCode::from_u16(status).unwrap();
    let received = Received { status, headers, body: Bytes::from(body.to_owned()) };
    let body = wire::json(&received).ok();
    if status.is_success() {
        return ErrorResponse::reported(&received, body.as_ref()?, UNIX_EPOCH);
    }
    Some(ErrorResponse::read(&received, body.as_ref(), UNIX_EPOCH))
}

fn error(status: u16, body: &str) -> ErrorResponse {
    with_headers(status, HeaderMap::new(), body).unwrap_or_else(|| panic!("no error: {body}"))
}

fn openai(code: &str, kind: &str) -> String {
    format!(r#"{{"error":{{"message":"Bad secret prompt sk-123","type":"{kind}","param":null,"code":"{code}"}}}}"#)
}

#[test]
fn every_status_has_a_class() {
    for (status, code, transient) in [
        (302, Code::ProviderUnavailable, false),
        (400, Code::ProviderRejected, false),
        (401, Code::ProviderUnauthorized, false),
        (402, Code::ProviderQuotaExhausted, false),
        (403, Code::ProviderUnauthorized, false),
        (404, Code::ProviderUnauthorized, false),
        (405, Code::ProviderUnavailable, false),
        (408, Code::ProviderUnavailable, true),
        (409, Code::ProviderUnavailable, true),
        (413, Code::ProviderRejected, false),
        (422, Code::ProviderRejected, false),
        (429, Code::ProviderRateLimited, true),
        (500, Code::ProviderUnavailable, true),
        (502, Code::ProviderUnavailable, true),
        (503, Code::ProviderUnavailable, true),
        (504, Code::ProviderUnavailable, true),
        (529, Code::ProviderOverloaded, true),
    ] {
        for body in ["", "<html>Bad gateway</html>", "[]", "\"x\"", &openai("some_code", "some_type")] {
            let error = error(status, body);
            assert_eq!((error.failure("gpt").code, error.transient()), (code, transient), "{status} {body}");
        }
    }
}

#[test]
fn a_spent_quota_is_never_asked_again_wherever_the_word_stands() {
    for word in EXHAUSTED {
        for body in [openai(word, "x"), openai("x", word)] {
            let error = error(429, &body);
            assert_eq!(error.failure("gpt").code, Code::ProviderQuotaExhausted);
            assert!(!error.transient());
        }
    }
    assert!(error(429, &openai("rate_limit_exceeded", "tokens")).transient());
    assert!(error(429, &openai("slow_down", "requests")).transient());
}

#[test]
fn a_content_filter_in_front_of_the_model_is_a_refusal() {
    assert_eq!(error(400, &openai("content_filter", "x")).failure("gpt").code, Code::ProviderRefused);
}

#[test]
fn details_have_the_facts_but_never_the_message() {
    let body =
        r#"{"error":{"message":"secret","type":"invalid_request_error","param":"messages[0].content","code":null}}"#;
    assert_eq!(
        error(400, body).failure("gpt").detail,
        "gpt answered HTTP 400, type invalid_request_error, param messages[0].content: it does not accept this request"
    );
    let talkative = r#"{"error":{"message":"secret","type":"your prompt was: secret","param":"<secret>","code":"\n"}}"#;
    assert_eq!(error(400, talkative).failure("gpt").detail, "gpt answered HTTP 400: it does not accept this request");
    let flat = r#"{"object":"error","message":"secret","type":"BadRequestError","param":null,"code":400}"#;
    assert_eq!(
        error(400, flat).failure("vllm").detail,
        "vllm answered HTTP 400, code 400, type BadRequestError: it does not accept this request"
    );
}

#[test]
fn unsupported_parameters_are_named_by_bad_requests_only() {
    let body =
        r#"{"error":{"message":"m","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}}"#;
    assert_eq!(error(400, body).unsupported_parameter(), Some(Parameter::Temperature));
    assert_eq!(error(422, body).unsupported_parameter(), Some(Parameter::Temperature));
    assert_eq!(error(500, body).unsupported_parameter(), None);
    assert_eq!(error(400, &openai("context_length_exceeded", "x")).unsupported_parameter(), None);
}

#[test]
fn a_provider_that_says_so_is_not_asked_again() {
    let mut headers = HeaderMap::new();
    headers.insert("x-should-retry", "false".parse().unwrap());
    assert!(!with_headers(503, headers, "").unwrap().transient());
}

fn gemini(status: u16, word: &str, details: &str) -> ErrorResponse {
    error(status, &format!(r#"{{"error":{{"code":{status},"message":"m","status":"{word}","details":[{details}]}}}}"#))
}

#[test]
fn geminis_details_are_read() {
    let delay = |text: &str| format!(r#"{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{text}"}}"#);
    let pause = |text: &str| gemini(429, "RESOURCE_EXHAUSTED", &delay(text)).failure("gemini").retry_after;
    assert_eq!(pause("34s"), Some(Duration::from_secs(34)));
    assert_eq!(pause("3.5s"), Some(Duration::from_millis(3500)));
    for odd in ["", "s", "-1s", "34", "NaNs", "infs"] {
        assert_eq!(pause(odd), None, "{odd}");
    }
    let daily = r#"{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}"#;
    let spent = gemini(429, "RESOURCE_EXHAUSTED", &format!("{daily},{}", delay("34s")));
    assert_eq!((spent.failure("gemini").code, spent.transient()), (Code::ProviderQuotaExhausted, false));
    let key = r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}"#;
    assert_eq!(gemini(400, "INVALID_ARGUMENT", key).failure("gemini").code, Code::ProviderUnauthorized);
    assert_eq!(gemini(503, "UNAVAILABLE", "").failure("gemini").code, Code::ProviderOverloaded);
}

#[test]
fn anthropics_types_are_read() {
    let anthropic = |status, kind: &str, message: &str| {
        error(
            status,
            &format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"{message}"}},"request_id":"r"}}"#),
        )
    };
    assert_eq!(anthropic(402, "billing_error", "m").failure("claude").code, Code::ProviderQuotaExhausted);
    assert_eq!(anthropic(529, "overloaded_error", "m").failure("claude").code, Code::ProviderOverloaded);
    assert_eq!(anthropic(500, "api_error", "m").failure("claude").code, Code::ProviderUnavailable);
    let parameter = anthropic(400, "invalid_request_error", "temperature: not supported").unsupported_parameter();
    assert_eq!(parameter, Some(Parameter::Temperature));
    assert!(anthropic(400, "invalid_request_error", "output_config.format.schema: too deep").about_schema());
    assert_eq!(anthropic(400, "invalid_request_error", "prompt is too long").unsupported_parameter(), None);
}

#[test]
fn an_account_that_may_not_be_served_is_no_fault_of_the_request() {
    let message = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.";
    let broke =
        error(400, &format!(r#"{{"type":"error","error":{{"type":"invalid_request_error","message":"{message}"}}}}"#));
    assert_eq!((broke.failure("claude").code, broke.transient()), (Code::ProviderQuotaExhausted, false));
    let abroad = gemini(400, "FAILED_PRECONDITION", "");
    assert_eq!((abroad.failure("gemini").code, abroad.transient()), (Code::ProviderUnauthorized, false));
}

#[test]
fn every_status_that_may_pass_may_name_a_pause_and_the_longer_of_two_holds() {
    let with_header = |status: u16, pause: &'static str, body: &'static str| {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, pause.parse().unwrap())]);
        with_headers(status, headers, body).unwrap().failure("p").retry_after
    };
    for status in [408, 409, 425, 429, 500, 503, 529] {
        assert_eq!(with_header(status, "7", ""), Some(Duration::from_secs(7)), "{status}");
    }
    assert_eq!(with_header(400, "7", ""), None);
    let four = r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"4s"}]}}"#;
    assert_eq!(with_header(429, "0", four), Some(Duration::from_secs(4)));
    assert_eq!(with_header(429, "9", four), Some(Duration::from_secs(9)));
}

/// Bodies of one error in every shape that servers send.
fn shapes(error: &Value) -> Vec<String> {
    let raw = error.to_string();
    let shapes = [
        json!({ "error": error }),
        json!([{ "error": error }]),
        json!({ "errors": [error] }),
        json!({ "detail": error }),
        json!({ "detail": [error] }),
        json!({ "type": "error", "error": error, "request_id": "r" }),
        json!({ "success": false, "errors": [error], "result": null }),
        json!({ "error": { "message": json!({ "error": error }).to_string(), "code": 400, "status": "Bad Request" } }),
        json!({ "error": { "message": "Provider returned error", "metadata": { "raw": raw, "provider_name": "x" } } }),
        json!({ "id": "x", "choices": [], "error": error }),
        json!({ "id": "x", "choices": null, "error": error }),
        json!({ "id": "x", "choices": [{ "error": error, "message": { "content": "half" } }] }),
    ];
    let mut flat = error.clone();
    flat["object"] = "error".into();
    shapes.iter().chain([error, &flat]).map(Value::to_string).collect()
}

#[test]
fn an_error_is_read_in_every_shape_and_under_every_status_that_a_gateway_gives_it() {
    use Code::{ProviderOverloaded as Overloaded, ProviderQuotaExhausted as Spent, ProviderRateLimited as Limited};
    use Code::{
        ProviderRejected as Rejected, ProviderUnauthorized as Unauthorized, ProviderUnavailable as Unavailable,
    };
    for (error_of, code, transient) in [
        (json!({ "code": 429, "message": "m" }), Limited, true),
        (json!({ "code": "429", "message": "m" }), Limited, true),
        (json!({ "code": 429.0, "message": "m" }), Limited, true),
        (json!({ "status_code": 429, "message": "m" }), Limited, true),
        (json!({ "code": 402, "message": "m" }), Spent, false),
        (json!({ "code": 401, "message": "m" }), Unauthorized, false),
        (json!({ "code": 403, "message": "m", "type": null }), Unauthorized, false),
        (json!({ "code": "invalid_api_key", "message": "m", "status": 401 }), Unauthorized, false),
        (json!({ "code": 503, "message": "m", "status": "UNAVAILABLE" }), Overloaded, true),
        (json!({ "code": 529, "message": "m" }), Overloaded, true),
        (json!({ "code": 500, "message": "m" }), Unavailable, true),
        (json!({ "code": 400, "message": "m" }), Rejected, false),
    ] {
        for body in shapes(&error_of) {
            for status in [200, 400, 500, 502] {
                let found = error(status, &body);
                assert_eq!((found.failure("p").code, found.transient()), (code, transient), "{status} {body}");
            }
        }
    }
}

#[test]
fn words_stand_for_a_status_where_there_is_no_number() {
    for (kind, code) in [
        ("invalid_api_key", Code::ProviderUnauthorized),
        ("AuthenticationError", Code::ProviderUnauthorized),
        ("rate_limit_error", Code::ProviderRateLimited),
        ("RateLimitError", Code::ProviderRateLimited),
        ("RESOURCE_EXHAUSTED", Code::ProviderRateLimited),
        ("insufficient_quota", Code::ProviderQuotaExhausted),
        ("overloaded_error", Code::ProviderOverloaded),
        ("invalid_request_error", Code::ProviderRejected),
        ("content_filter", Code::ProviderRefused),
        ("who_knows", Code::ProviderUnavailable),
    ] {
        for body in
            [json!({ "error": { "type": kind } }), json!({ "error": { "code": kind } }), json!({ "error": kind })]
        {
            assert_eq!(error(200, &body.to_string()).failure("p").code, code, "{body}");
        }
    }
    // A status that makes everybody wait is not given up for one that blames the record.
    let blaming = json!({ "error": { "code": 400, "type": "invalid_request_error", "message": "m" } }).to_string();
    for (status, code) in [(401, Code::ProviderUnauthorized), (429, Code::ProviderRateLimited)] {
        assert_eq!(error(status, &blaming).failure("p").code, code);
    }
}

#[test]
fn a_key_that_is_not_valid_is_so_in_every_form_that_gemini_has_for_it() {
    let message = "API key not valid. Please pass a valid API key.";
    let info = json!({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID" });
    let whole = json!({ "code": 400, "message": "m", "status": "INVALID_ARGUMENT", "details": [info] });
    let bare = json!({ "code": 400, "message": message, "status": "INVALID_ARGUMENT" });
    for body in shapes(&whole).into_iter().chain(shapes(&bare)) {
        assert_eq!(error(400, &body).failure("p").code, Code::ProviderUnauthorized, "{body}");
    }
    let quoting = json!({ "error": { "code": 400, "message": "The prompt \"API key not valid\" is too long." } });
    assert_eq!(error(400, &quoting.to_string()).failure("p").code, Code::ProviderRejected);
}

#[test]
fn a_pause_is_read_in_every_shape_and_under_every_status() {
    let info = json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "6s" });
    let limited = json!({ "code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED", "details": [info] });
    let unnamed = json!({ "code": 429, "message": "m" });
    for status in [200, 429, 500] {
        for body in shapes(&limited) {
            assert_eq!(error(status, &body).failure("p").retry_after, Some(Duration::from_secs(6)), "{status} {body}");
        }
        for body in &shapes(&unnamed) {
            for (header, value) in [("retry-after", "2"), ("retry-after-ms", "2000")] {
                let headers = HeaderMap::from_iter([(HeaderName::from_static(header), value.parse().unwrap())]);
                let found = with_headers(status, headers, body).unwrap().failure("p").retry_after;
                assert_eq!(found, Some(Duration::from_secs(2)), "{status} {body}");
            }
        }
    }
}

#[test]
fn a_success_that_names_no_error_has_none() {
    for error in [
        json!(null),
        json!({}),
        json!(""),
        json!(false),
        json!([]),
        json!(0),
        json!({ "code": null, "message": null }),
        json!({ "code": 0, "message": "" }),
        json!({ "code": 200, "message": "OK" }),
    ] {
        for body in [
            json!({ "error": error, "choices": [] }),
            json!({ "choices": [{ "error": error }] }),
            json!({ "errors": error }),
        ] {
            assert!(with_headers(200, HeaderMap::new(), &body.to_string()).is_none(), "{body}");
        }
    }
    for body in
        [json!({ "code": 0, "message": "success" }), json!({ "type": "message", "content": [] }), json!([]), json!(7)]
    {
        assert!(with_headers(200, HeaderMap::new(), &body.to_string()).is_none(), "{body}");
    }
    let broken_off = json!({ "choices": [{ "finish_reason": "error", "message": { "content": "{\"a\":" } }] });
    assert!(error(200, &broken_off.to_string()).has_broken_off());
}

#[test]
fn an_answer_that_the_server_did_not_get_right_is_told_from_a_request_that_it_refuses() {
    let groq = |message: &str, generation: Value| {
        let (kind, code) = ("invalid_request_error", "json_validate_failed");
        json!({ "error": { "message": message, "type": kind, "code": code, "failed_generation": generation } })
            .to_string()
    };
    let failed = "Failed to generate JSON. Please adjust your prompt. See 'failed_generation' for more details.";
    let cut = "max completion tokens reached before generating a valid document";
    for (message, generation, wanted) in [
        (failed, json!("{\"label\": refund}"), ("{\"label\": refund}", Finish::Complete)),
        (failed, json!({ "label": 7 }), ("{\"label\":7}", Finish::Complete)),
        (failed, json!(""), ("", Finish::Complete)),
        (failed, json!(null), ("", Finish::Complete)),
        (cut, json!("{\"label\":"), ("{\"label\":", Finish::Truncated)),
    ] {
        let found = error(400, &groq(message, generation)).failed_generation().unwrap();
        assert_eq!((found.0.as_str(), found.1), wanted);
    }
    assert_eq!(error(400, &openai("json_schema_invalid", "x")).failed_generation(), None);
    assert_eq!(error(500, &openai("json_validate_failed", "x")).failed_generation(), None);
}

#[test]
fn a_422_is_a_refused_request_and_fastapis_path_names_the_parameter() {
    let deepseek = openai("invalid_request_error", "invalid_request_error");
    assert!(error(422, &deepseek).is_unexplained());
    let fastapi = |field: &str| {
        let entry = json!({ "type": "extra_forbidden", "loc": ["body", field, "type"], "msg": "m", "input": "secret" });
        error(422, &json!({ "detail": [entry] }).to_string())
    };
    assert!(fastapi("response_format").about_schema() && !fastapi("messages").is_unexplained());
    let detail = fastapi("response_format").failure("p").detail;
    assert!(detail.contains("param response_format.type") && !detail.contains("secret"), "{detail}");
}

#[test]
fn only_a_failure_without_a_reason_may_be_the_schemas() {
    for (status, wanted) in
        [(500, true), (501, true), (502, true), (503, false), (504, false), (529, false), (429, false)]
    {
        assert_eq!(error(status, "").has_failed(), wanted, "{status}");
    }
    let busy = json!({ "error": { "type": "overloaded_error" } }).to_string();
    assert!(!error(500, &busy).has_failed());
    let headers = HeaderMap::from_iter([(RETRY_AFTER, "2".parse().unwrap())]);
    assert!(!with_headers(500, headers, "").unwrap().has_failed());
}
