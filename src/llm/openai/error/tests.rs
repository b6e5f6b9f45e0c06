use bytes::Bytes;
use reqwest::header::HeaderMap;

use super::*;

fn complaint(status: u16, body: &str) -> Complaint {
    let status = StatusCode::from_u16(status).unwrap();
    Complaint::read(&Received { status, headers: HeaderMap::new(), body: Bytes::from(body.to_owned()) })
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
        (529, Code::ProviderUnavailable, true),
    ] {
        for body in ["", "<html>Bad gateway</html>", "[]", "\"x\"", &openai("some_code", "some_type")] {
            let complaint = complaint(status, body);
            assert_eq!((complaint.failure("gpt").code, complaint.transient()), (code, transient), "{status} {body}");
        }
    }
}

#[test]
fn a_spent_quota_is_never_asked_again_wherever_the_word_stands() {
    for word in EXHAUSTED {
        for body in [openai(word, "x"), openai("x", word)] {
            let complaint = complaint(429, &body);
            assert_eq!(complaint.failure("gpt").code, Code::ProviderQuotaExhausted);
            assert!(!complaint.transient());
        }
    }
    assert!(complaint(429, &openai("rate_limit_exceeded", "tokens")).transient());
    assert!(complaint(429, &openai("slow_down", "requests")).transient());
}

#[test]
fn a_content_filter_in_front_of_the_model_is_a_refusal() {
    assert_eq!(complaint(400, &openai("content_filter", "x")).failure("gpt").code, Code::ProviderRefused);
}

#[test]
fn details_have_the_facts_but_never_the_message() {
    let body =
        r#"{"error":{"message":"secret","type":"invalid_request_error","param":"messages[0].content","code":null}}"#;
    assert_eq!(
        complaint(400, body).failure("gpt").detail,
        "gpt answered HTTP 400, type invalid_request_error, param messages[0].content: it does not accept this request"
    );
    let talkative = r#"{"error":{"message":"secret","type":"your prompt was: secret","param":"<secret>","code":"\n"}}"#;
    assert_eq!(
        complaint(400, talkative).failure("gpt").detail,
        "gpt answered HTTP 400: it does not accept this request"
    );
    let flat = r#"{"object":"error","message":"secret","type":"BadRequestError","param":null,"code":400}"#;
    assert_eq!(
        complaint(400, flat).failure("vllm").detail,
        "vllm answered HTTP 400, code 400, type BadRequestError: it does not accept this request"
    );
}

#[test]
fn unsupported_parameters_are_named_by_400s_only() {
    let body =
        r#"{"error":{"message":"m","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}}"#;
    assert_eq!(complaint(400, body).unsupported_parameter(), Some("temperature"));
    assert_eq!(complaint(422, body).unsupported_parameter(), None);
    assert_eq!(complaint(400, &openai("context_length_exceeded", "x")).unsupported_parameter(), None);
}

#[test]
fn a_provider_that_says_so_is_not_asked_again() {
    let mut headers = HeaderMap::new();
    headers.insert("x-should-retry", "false".parse().unwrap());
    let received = Received { status: StatusCode::SERVICE_UNAVAILABLE, headers, body: Bytes::new() };
    assert!(!Complaint::read(&received).transient());
}
