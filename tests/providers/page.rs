//! The table of docs/providers.md is true: every name in it is tried against a server.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};
use structured_prompt::domain::answer::Usage;
use structured_prompt::domain::secret::Secret;
use structured_prompt::llm::settings::RemoteSettings;
use structured_prompt::ports::model::{CallError, Finish, Reply};

use super::stub_provider::{End, Fault, Script, StubProvider, When, Wire, gemini};
use super::{ask, call, model, settings, spec};

/// What stands between backticks in the rows of one format.
struct Page(HashMap<String, Vec<String>>);

impl Page {
    fn of(wire: Wire) -> Self {
        let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/providers.md")).unwrap();
        let mut lines = page.lines().skip_while(|line| !line.starts_with("| | `gemini`"));
        let cells = |line: &str| line.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect::<Vec<_>>();
        let name = format!("`{}`", format!("{wire:?}").to_lowercase());
        let column = cells(lines.next().expect("the table")).iter().position(|cell| *cell == name).expect("a column");
        let rows = lines.skip(1).take_while(|line| line.starts_with('|')).map(|line| {
            let cells = cells(line);
            let names = cells[column].split('`').skip(1).step_by(2).map(str::to_owned).collect();
            (cells[0].clone(), names)
        });
        Self(rows.collect())
    }

    fn names(&self, row: &str) -> &[String] {
        let names = self.0.get(row).unwrap_or_else(|| panic!("no row {row}"));
        assert!(!names.is_empty(), "nothing in row {row}");
        names
    }

    fn name(&self, row: &str) -> &str {
        let names = self.names(row);
        assert_eq!(names.len(), 1, "{row}");
        &names[0]
    }
}

/// A good response of this format, with one value put into it.
fn response(wire: Wire, pointer: &str, value: impl FnOnce(&Value) -> Value) -> Fault {
    let request = json!({ "model": "model-1", "logprobs": true, "generationConfig": { "responseLogprobs": true } });
    let text = wire.response(&request, "model-1", 1, Some("{\"intent\":\"x\"}"), End::Stop);
    let mut body: Value = serde_json::from_str(&text).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap_or_else(|| panic!("{wire:?} has no {pointer}"));
    let new = value(parent.get(name).unwrap_or_else(|| panic!("{wire:?} has no {pointer}")));
    parent[name] = new;
    Fault::Raw { content_type: "application/json", body: body.to_string() }
}

async fn asked(wire: Wire, fault: Fault) -> Result<Reply, CallError> {
    let stub = StubProvider::start(Script::default().fault(When::Call(1), fault));
    ask(settings(wire, &stub)).await
}

#[tokio::test]
async fn requests_have_what_the_page_says() {
    for wire in Wire::ALL {
        let (page, stub) = (Page::of(wire), StubProvider::start(Script::default()));
        ask(RemoteSettings { logprobs: true, ..settings(wire, &stub) }).await.unwrap();
        let request = stub.requests().remove(0);
        assert!(request.pointer(page.name("schema")).is_some_and(Value::is_object), "{wire:?}");
        for pointer in page.0.get("log probabilities").unwrap() {
            assert_eq!(request.pointer(pointer), Some(&Value::Bool(true)), "{wire:?} {pointer}");
        }
    }
}

#[tokio::test]
async fn usage_and_id_are_read_where_the_page_says() {
    for wire in Wire::ALL {
        let page = Page::of(wire);
        let id = asked(wire, response(wire, page.name("response id"), |_| "the-id".into())).await.unwrap();
        assert_eq!(id.response_id.as_deref(), Some("the-id"), "{wire:?}");
        type Figure = fn(&Usage) -> u64;
        let figures: [(&str, Figure); 4] = [
            ("input tokens", |usage| usage.input_tokens),
            ("output tokens", |usage| usage.output_tokens),
            ("cached tokens", |usage| usage.cached_tokens),
            ("reasoning tokens", |usage| usage.reasoning_tokens),
        ];
        for (row, figure) in figures {
            for pointer in page.names(row) {
                let before = asked(wire, response(wire, pointer, Value::clone)).await.unwrap();
                let more = response(wire, pointer, |tokens| (tokens.as_u64().unwrap() + 1000).into());
                let after = asked(wire, more).await.unwrap();
                assert_eq!(figure(&after.usage), figure(&before.usage) + 1000, "{wire:?} {pointer}");
            }
        }
    }
}

#[tokio::test]
async fn log_probabilities_are_read_where_the_page_says() {
    for wire in [Wire::OpenAi, Wire::Gemini] {
        let page = Page::of(wire);
        let told = asked(wire, response(wire, page.name("tokens"), Value::clone)).await.unwrap();
        let untold = asked(wire, response(wire, page.name("tokens"), |_| Value::Null)).await.unwrap();
        assert_eq!((told.logprobs.len(), untold.logprobs.len()), (1, 0), "{wire:?}");
    }
}

#[tokio::test]
async fn the_finish_is_what_the_page_says() {
    for wire in Wire::ALL {
        let page = Page::of(wire);
        for (row, finish) in [("finish: cut", Finish::Truncated), ("finish: refused", Finish::Refused)] {
            for reason in page.names(row) {
                let fault = response(wire, page.name("finish"), |_| reason.as_str().into());
                assert_eq!(asked(wire, fault).await.unwrap().finish, finish, "{wire:?} {reason}");
            }
        }
    }
}

/// 429 with this hint of seven seconds.
fn limited(wire: Wire, hint: &str) -> Fault {
    let body = if hint == "RetryInfo" {
        gemini::error(429, "RESOURCE_EXHAUSTED", "Later.", gemini::retry_info("7s"))
    } else {
        wire.error(429)
    };
    let date = "Tue, 24 Nov 2026 10:00:00 GMT".to_owned();
    let headers = match hint {
        "RetryInfo" => vec![],
        "retry-after-ms" => vec![("retry-after-ms", "7000".to_owned())],
        "retry-after" => vec![("retry-after", "7".to_owned())],
        "x-ratelimit-reset-requests" => spent("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests", "7s"),
        "x-ratelimit-reset-tokens" => spent("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens", "7s"),
        "anthropic-ratelimit-requests-reset" => {
            let (remaining, reset) = ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset");
            [spent(remaining, reset, "2026-11-24T10:00:07Z"), vec![("date", date)]].concat()
        }
        "anthropic-ratelimit-tokens-reset" => {
            let (remaining, reset) = ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset");
            [spent(remaining, reset, "2026-11-24T10:00:07Z"), vec![("date", date)]].concat()
        }
        other => panic!("this test does not know {other}"),
    };
    Fault::Status { status: 429, body, headers }
}

fn spent(remaining: &'static str, reset: &'static str, until: &str) -> Vec<(&'static str, String)> {
    vec![(remaining, "0".to_owned()), (reset, until.to_owned())]
}

#[tokio::test]
async fn the_pause_is_read_where_the_page_says() {
    for wire in Wire::ALL {
        for hint in Page::of(wire).names("retry hint") {
            let error = asked(wire, limited(wire, hint)).await.unwrap_err();
            assert_eq!(error.failure.retry_after.map(|pause| pause.as_secs()), Some(7), "{wire:?} {hint}");
        }
    }
}

#[tokio::test]
async fn the_next_key_is_used_after_what_the_page_says() {
    for wire in Wire::ALL {
        for status in Page::of(wire).names("next key after") {
            let fault = Fault::Error(status.parse().unwrap());
            let stub = StubProvider::start(Script { keys: vec![("first", fault)], ..Script::default() });
            let api_keys = vec![Secret::new("first").into(), Secret::new("second").into()];
            let spec = spec();
            model(RemoteSettings { api_keys, ..settings(wire, &stub) }).ask(&call(&spec)).await.unwrap();
            assert_eq!(stub.keys(), ["first", "second"], "{wire:?} {status}");
        }
    }
}
