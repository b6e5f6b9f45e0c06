//! The shapes of error bodies, and the statuses under which they come.

use reqwest::header::HeaderName;
use serde_json::json;

use super::*;

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
fn a_prompt_that_a_gateways_moderation_declined_is_no_fault_of_the_key() {
    let metadata = json!({ "reasons": ["violence"], "flagged_input": "secret", "provider_name": "x" });
    let body = json!({ "error": { "code": 403, "message": "m", "metadata": metadata } }).to_string();
    for status in [200, 403] {
        let failure = error(status, &body).failure("p");
        assert_eq!((failure.code, failure.detail.contains("secret")), (Code::ProviderRefused, false), "{status}");
    }
    let choice = json!({ "finish_reason": "content_filter", "error": { "code": 403, "message": "m" } });
    assert!(with_headers(200, HeaderMap::new(), &json!({ "choices": [choice] }).to_string()).is_none());
}

#[test]
fn a_403_that_is_a_limit_is_a_limit() {
    let entry = json!({ "domain": "usageLimits", "reason": "rateLimitExceeded", "message": "m" });
    let body = json!({ "error": { "code": 403, "message": "m", "errors": [entry] } }).to_string();
    for status in [200, 403] {
        assert_eq!(error(status, &body).failure("p").code, Code::ProviderRateLimited, "{status}");
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
