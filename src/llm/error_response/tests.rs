use std::time::UNIX_EPOCH;

use bytes::Bytes;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::*;
use crate::llm::wire_format;

/// The error of a response with these headers, whatever its status.
fn with_headers(status: u16, headers: HeaderMap, body: &str) -> Option<ErrorResponse> {
    let status = StatusCode::from_u16(status).unwrap();
    let response = HttpResponse { status, headers, body: Bytes::from(body.to_owned()) };
    let body = wire_format::json(&response).ok();
    if status.is_success() {
        return ErrorResponse::reported(&response, body.as_ref()?, UNIX_EPOCH);
    }
    Some(ErrorResponse::read(&response, body.as_ref(), UNIX_EPOCH))
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
fn a_request_that_is_too_large_waits_for_nothing_whatever_it_is_called() {
    let error = error(413, &openai("rate_limit_exceeded", "tokens"));
    assert_eq!((error.failure("groq").code, error.transient()), (Code::ProviderRejected, false));
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

mod shapes;
