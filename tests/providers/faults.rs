//! What a provider can do wrong, and what we call it.

use std::time::{Duration, Instant};

use structured_prompt::domain::failure::Code;
use structured_prompt::llm::settings::RemoteSettings;
use structured_prompt::ports::model::Finish;

use super::stub_provider::{Fault, Script, StubProvider, When, Wire, gemini};
use super::{ask, settings};

/// Asks a stub with this fault; the code, whether it may pass, and the pause that was asked for.
async fn outcome(wire: Wire, fault: Fault) -> (Code, bool, Option<Duration>) {
    let stub = StubProvider::start(Script::default().fault(When::Every(1), fault.clone()));
    let result = ask(settings(wire, &stub)).await;
    // What is refused without a reason is asked once more without the schema.
    let calls = if matches!(fault, Fault::Error(400)) { 2 } else { 1 };
    assert_eq!((stub.protocol_errors(), stub.calls()), (0, calls), "{wire:?} {fault:?}");
    let error = result.expect_err(&format!("{wire:?} {fault:?}"));
    (error.failure.code, error.is_transient, error.failure.retry_after)
}

#[tokio::test]
async fn every_status_has_its_class_in_every_format() {
    for wire in Wire::ALL {
        let overloaded = if wire == Wire::Gemini { Code::ProviderOverloaded } else { Code::ProviderUnavailable };
        for (status, code, is_transient) in [
            (400, Code::ProviderRejected, false),
            (401, Code::ProviderUnauthorized, false),
            (402, Code::ProviderQuotaExhausted, false),
            (403, Code::ProviderUnauthorized, false),
            (404, Code::ProviderUnauthorized, false),
            (413, Code::ProviderRejected, false),
            (429, Code::ProviderRateLimited, true),
            (500, Code::ProviderUnavailable, true),
            (502, Code::ProviderUnavailable, true),
            (503, overloaded, true),
            (504, Code::ProviderUnavailable, true),
            (529, Code::ProviderOverloaded, true),
        ] {
            let found = outcome(wire, Fault::Error(status)).await;
            assert_eq!(found, (code, is_transient, None), "{wire:?} {status}");
        }
    }
}

#[tokio::test]
async fn every_form_of_a_pause_is_understood() {
    const DATE: &str = "Wed, 21 Oct 2026 07:28:00 GMT";
    const LATER: &str = "Wed, 21 Oct 2026 07:28:30 GMT";
    let limited = |wire: Wire| Fault::Status { status: 429, body: wire.error(429), headers: Vec::new() };
    for wire in Wire::ALL {
        for (fault, pause) in [
            (limited(wire).with("retry-after", "7"), Duration::from_secs(7)),
            (limited(wire).with("retry-after-ms", "250"), Duration::from_millis(250)),
            (limited(wire).with("retry-after", LATER).with("date", DATE), Duration::from_secs(30)),
            (
                limited(wire).with("x-ratelimit-remaining-requests", "0").with("x-ratelimit-reset-requests", "1m5s"),
                Duration::from_secs(65),
            ),
        ] {
            assert_eq!(outcome(wire, fault).await, (Code::ProviderRateLimited, true, Some(pause)), "{wire:?}");
        }
    }
    let of_gemini = |details| Fault::Status {
        status: 429,
        body: gemini::error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", details),
        headers: Vec::new(),
    };
    let pause = Some(Duration::from_millis(34_500));
    let found = outcome(Wire::Gemini, of_gemini(gemini::retry_info("34.5s"))).await;
    assert_eq!(found, (Code::ProviderRateLimited, true, pause));
    let daily = outcome(Wire::Gemini, of_gemini(gemini::daily_quota())).await;
    assert_eq!(daily, (Code::ProviderQuotaExhausted, false, None));
}

#[tokio::test]
async fn a_pause_holds_though_the_body_that_came_with_it_is_cut_slow_or_endless() {
    for wire in Wire::ALL {
        for body in [Fault::Cut(3), Fault::Drip(Duration::from_millis(20)), Fault::Endless(5 << 20)] {
            let (status, headers) = (429, vec![("retry-after", "6".to_owned())]);
            let fault = Fault::Under { status, headers, body: Box::new(body.clone()) };
            let stub = StubProvider::start(Script::default().fault(When::Every(1), fault));
            let timeout = Duration::from_millis(if matches!(body, Fault::Drip(_)) { 250 } else { 5000 });
            let error = ask(RemoteSettings { timeout, ..settings(wire, &stub) }).await.unwrap_err();
            let found = (error.failure.code, error.failure.retry_after);
            assert_eq!(found, (Code::ProviderRateLimited, Some(Duration::from_secs(6))), "{wire:?} {body:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_was_the_last_of_a_limit_says_so() {
    for wire in Wire::ALL {
        let left = |left: &str| {
            let headers =
                vec![("x-ratelimit-remaining-tokens", left.to_owned()), ("x-ratelimit-reset-tokens", "5s".to_owned())];
            Fault::Under { status: 200, headers, body: Box::new(Fault::Says("{}".to_owned())) }
        };
        for (fault, pause) in [(left("0"), Some(Duration::from_secs(5))), (left("1"), None)] {
            let stub = StubProvider::start(Script::default().fault(When::Every(1), fault));
            assert_eq!(ask(settings(wire, &stub)).await.unwrap().pause, pause, "{wire:?}");
        }
    }
}

#[tokio::test]
async fn money_that_is_spent_is_never_transient() {
    let fault = Fault::error(429, "insufficient_quota", Some("insufficient_quota")).with("retry-after", "1");
    assert_eq!(outcome(Wire::OpenAi, fault).await, (Code::ProviderQuotaExhausted, false, None));
}

#[tokio::test]
async fn a_provider_that_says_so_is_not_asked_again() {
    for wire in Wire::ALL {
        let fault =
            Fault::Status { status: 500, body: wire.error(500), headers: vec![("x-should-retry", "false".to_owned())] };
        assert_eq!(outcome(wire, fault).await, (Code::ProviderUnavailable, false, None));
    }
}

#[tokio::test]
async fn answers_that_are_none_are_the_providers_fault() {
    let raw = |content_type, body: &str| Fault::Raw { content_type, body: body.to_owned() };
    for wire in Wire::ALL {
        for fault in [
            Fault::Empty,
            Fault::NullContent,
            Fault::NoChoices,
            raw("text/html", "<html>canary</html>"),
            raw("application/json", "{\"id\": \"x\", \"choi"),
            raw("application/json", "[1, 2]"),
            raw("application/json", r#"{"choices": [{"message": {"content": 7}}], "content": 7, "candidates": 7}"#),
            raw("application/json", "\"canary\""),
            Fault::Huge(5 * 1024 * 1024),
            Fault::GzipBomb,
        ] {
            assert_eq!(outcome(wire, fault.clone()).await, (Code::ProviderMalformed, true, None), "{wire:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn usage_that_is_not_told_costs_no_answer() {
    let raw = |body: &str| Fault::Raw { content_type: "application/json", body: body.to_owned() };
    let openai = r#"{"choices":[{"message":{"content":"{}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":null}}"#;
    let gemini = r#"{"candidates":[{"content":{"parts":[{"text":"{}"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":null}}"#;
    for (wire, body) in [(Wire::OpenAi, openai), (Wire::Gemini, gemini)] {
        let stub = StubProvider::start(Script::default().fault(When::Every(1), raw(body)));
        let usage = ask(settings(wire, &stub)).await.unwrap().usage;
        assert_eq!((usage.input_tokens, usage.output_tokens), (5, 0), "{wire:?}");
    }
}

#[tokio::test]
async fn geminis_malformed_answers_are_answers_without_text() {
    for reason in ["MALFORMED_RESPONSE", "OTHER"] {
        let body = format!("{{\"candidates\":[{{\"content\":{{}},\"finishReason\":\"{reason}\"}}]}}");
        let fault = Fault::Raw { content_type: "application/json", body };
        let stub = StubProvider::start(Script::default().fault(When::Every(1), fault));
        let reply = ask(settings(Wire::Gemini, &stub)).await.unwrap();
        assert_eq!((reply.text.as_str(), reply.finish), ("", Finish::Complete), "{reason}");
    }
}

#[tokio::test]
async fn a_body_without_end_stops_at_the_cap() {
    let before = resident_bytes();
    for wire in Wire::ALL {
        let began_at = Instant::now();
        let (code, ..) = outcome(wire, Fault::Endless(1 << 30)).await;
        assert_eq!(code, Code::ProviderMalformed);
        assert!(began_at.elapsed() < Duration::from_secs(5), "{:?}", began_at.elapsed());
    }
    // The cap is 4 MiB; the stub runs in this process too.
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes");
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn silence_and_a_slow_drip_end_at_the_deadline() {
    for wire in Wire::ALL {
        for fault in [Fault::Hang, Fault::Drip(Duration::from_millis(20))] {
            let stub = StubProvider::start(Script::default().fault(When::Every(1), fault));
            let (began_at, timeout) = (Instant::now(), Duration::from_millis(250));
            let error = ask(RemoteSettings { timeout, ..settings(wire, &stub) }).await.unwrap_err();
            assert_eq!((error.failure.code, error.is_transient), (Code::ProviderTimeout, true));
            assert!(began_at.elapsed() >= timeout && began_at.elapsed() < Duration::from_secs(3));
        }
    }
}

#[tokio::test]
async fn a_body_cut_at_any_byte_gives_no_partial_answer() {
    for wire in Wire::ALL {
        let stub = StubProvider::start(Script::default());
        for bytes in 0..400 {
            stub.set_script(Script::default().fault(When::Every(1), Fault::Cut(bytes)));
            let error = ask(settings(wire, &stub)).await.expect_err("a partial answer");
            assert_eq!(error.failure.code, Code::ProviderUnavailable, "{wire:?} cut after {bytes} bytes");
        }
    }
}

#[tokio::test]
async fn no_server_no_host_and_no_tls_are_unavailable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let stub = StubProvider::start(Script::default());
    for wire in Wire::ALL {
        for base_url in [
            format!("http://{free}/v1"),
            "http://no-such-host.invalid/v1?key=canary".to_owned(),
            stub.base_url().replace("http:", "https:"),
        ] {
            let error = ask(RemoteSettings { base_url, ..settings(wire, &stub) }).await.unwrap_err();
            assert_eq!((error.failure.code, error.is_transient), (Code::ProviderUnavailable, true));
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = StubProvider::start(Script::default());
    for wire in Wire::ALL {
        let moved =
            Fault::Status { status: 307, body: String::new(), headers: vec![("location", elsewhere.base_url())] };
        assert_eq!(outcome(wire, moved).await, (Code::ProviderUnavailable, false, None));
    }
    assert_eq!(elsewhere.calls(), 0);
}
