//! Answers with odd surroundings: what is not needed for the text never makes it unreadable.

use serde_json::{Value, json};
use structured_prompt::domain::answer::Usage;
use structured_prompt::domain::failure::Code;
use structured_prompt::llm::settings::RemoteSettings;
use structured_prompt::ports::model::{CallError, Finish, Reply};

use super::stub_provider::{End, Fault, Script, StubProvider, When, Wire};
use super::{ask, settings};

const TEXT: &str = "{\"intent\":\"x\"}";

/// A good response of this format.
fn response(wire: Wire) -> Value {
    let request = json!({ "model": "model-1", "logprobs": true, "generationConfig": { "responseLogprobs": true } });
    let text = wire.response(&request, "model-1", 1, Some(TEXT), End::Stop);
    let mut response: Value = serde_json::from_str(&text).unwrap();
    if wire == Wire::OpenAi {
        response["choices"][0]["message"]["tool_calls"] = json!([{ "id": "x", "type": "function" }]);
    }
    response
}

async fn read(wire: Wire, content_type: &'static str, body: String) -> Result<Reply, CallError> {
    let stub = StubProvider::start(Script::default().fault(When::Every(1), Fault::Raw { content_type, body }));
    let reply = ask(RemoteSettings { logprobs: true, ..settings(wire, &stub) }).await;
    assert_eq!((stub.calls(), stub.protocol_errors()), (1, 0));
    reply
}

/// Every pointer into a value, outermost first.
fn pointers(value: &Value, path: &str, found: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, inner)| (name.clone(), inner)).collect(),
        Value::Array(entries) => entries.iter().enumerate().map(|(n, inner)| (n.to_string(), inner)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (name, inner) in members {
        let path = format!("{path}/{name}");
        found.push(path.clone());
        pointers(inner, &path, found);
    }
}

/// The way to the text.
fn is_on_the_way(wire: Wire, pointer: &str) -> bool {
    let text = match wire {
        Wire::OpenAi => "/choices/0/message/content",
        Wire::Anthropic => "/content/0/text",
        Wire::Gemini => "/candidates/0/content/parts/0/text",
    };
    text.starts_with(pointer)
}

#[tokio::test]
async fn no_field_beside_the_text_can_make_an_answer_unreadable() {
    let odd = [
        json!(-35),
        json!(50.5),
        json!(1e300),
        json!("5"),
        json!("n/a"),
        json!(""),
        json!(null),
        json!(false),
        json!([]),
        json!({}),
        json!([null, 7, "x"]),
    ];
    for wire in Wire::ALL {
        let good = response(wire);
        let mut places = Vec::new();
        pointers(&good, "", &mut places);
        places.retain(|place| !is_on_the_way(wire, place));
        assert!(places.len() > 10, "{wire:?} {places:?}");
        let stub = StubProvider::start(Script::default());
        for place in places {
            for value in &odd {
                let mut body = good.clone();
                *body.pointer_mut(&place).unwrap() = value.clone();
                // A block that is of no known type is no text, and a refusal in words is one.
                if place == "/content/0/type" && value.is_string() || place.ends_with("/refusal") && value.is_string() {
                    continue;
                }
                let fault = Fault::Raw { content_type: "application/json", body: body.to_string() };
                stub.set_script(Script::default().fault(When::Every(1), fault));
                let reply = ask(settings(wire, &stub)).await;
                let reply = reply.unwrap_or_else(|error| panic!("{wire:?} {place} = {value}: {error:?}"));
                assert_eq!((reply.text.as_str(), reply.finish), (TEXT, Finish::Complete), "{wire:?} {place} = {value}");
            }
        }
    }
}

#[tokio::test]
async fn figures_are_read_in_every_form_that_can_be_true() {
    for (figure, tokens) in [
        (json!(50), 50),
        (json!(50.0), 50),
        (json!("50"), 50),
        (json!(-35), 0),
        (json!(50.5), 0),
        (json!(1e300), 0),
        (json!(u64::MAX), 0),
        (json!("n/a"), 0),
        (json!(null), 0),
        (json!([50]), 0),
    ] {
        for (wire, input, output) in [
            (Wire::OpenAi, "/usage/prompt_tokens", "/usage/completion_tokens"),
            (Wire::Anthropic, "/usage/input_tokens", "/usage/output_tokens"),
            (Wire::Gemini, "/usageMetadata/promptTokenCount", "/usageMetadata/candidatesTokenCount"),
        ] {
            let base = response(wire);
            let mut body = base.clone();
            *body.pointer_mut(input).unwrap() = figure.clone();
            *body.pointer_mut(output).unwrap() = figure.clone();
            let whole = read(wire, "application/json", base.to_string()).await.unwrap().usage;
            let found = read(wire, "application/json", body.to_string()).await.unwrap().usage;
            let old = |pointer: &str| base.pointer(pointer).unwrap().as_u64().unwrap();
            let wanted = Usage {
                input_tokens: whole.input_tokens - old(input) + tokens,
                output_tokens: whole.output_tokens - old(output) + tokens,
                ..whole
            };
            assert_eq!(found, wanted, "{wire:?} {figure}");
        }
    }
}

#[tokio::test]
async fn a_figure_that_no_float_holds_costs_no_answer() {
    for wire in Wire::ALL {
        let body = response(wire).to_string();
        let figure = if wire == Wire::Gemini { "\"promptTokenCount\":" } else { "_tokens\":" };
        let body = body.replace(figure, &format!("{figure}1e999,\"x\":"));
        let reply = read(wire, "application/json", body).await.unwrap();
        assert_eq!((reply.text.as_str(), reply.usage.input_tokens), (TEXT, 0), "{wire:?}");
    }
}

#[tokio::test]
async fn a_text_of_another_type_is_no_answer() {
    for (wire, text) in [
        (Wire::OpenAi, "/choices/0/message/content"),
        (Wire::Anthropic, "/content/0/text"),
        (Wire::Gemini, "/candidates/0/content/parts/0/text"),
    ] {
        for value in [json!(7), json!(true), json!({ "intent": "x" }), json!([7])] {
            let mut body = response(wire);
            *body.pointer_mut(text).unwrap() = value.clone();
            let error = read(wire, "application/json", body.to_string()).await.unwrap_err();
            assert_eq!((error.failure.code, error.is_transient), (Code::ProviderMalformed, true), "{wire:?} {value}");
        }
    }
}

#[tokio::test]
async fn the_text_parts_of_an_answer_are_joined_and_others_left_out() {
    let thinking = json!({ "type": "thinking", "thinking": [{ "type": "text", "text": "{\"intent\":\"wrong\"}" }] });
    let (head, tail) = TEXT.split_at(5);
    let parts = |kind: &str| {
        json!([thinking, { "type": kind, "text": head }, null, { "type": "server_tool_use", "text": "no" },
            { "type": "redacted_thinking", "data": "x" }, { "text": tail }])
    };
    let thoughts = json!([{ "text": "{\"intent\":\"wrong\"}", "thought": true }, { "text": head }, { "functionCall": {} },
        { "text": tail, "thoughtSignature": "x" }]);
    let mut openai = response(Wire::OpenAi);
    openai["choices"][0]["message"]["reasoning_content"] = "{\"intent\":\"wrong\"}".into();
    for (wire, pointer, content) in [
        (Wire::OpenAi, "/choices/0/message/content", parts("text")),
        (Wire::OpenAi, "/choices/0/message/content", parts("output_text")),
        (Wire::OpenAi, "/choices/0/message/content", json!([head, tail])),
        (Wire::OpenAi, "/choices/0/message/content", json!(TEXT)),
        (Wire::Anthropic, "/content", parts("text")),
        (Wire::Gemini, "/candidates/0/content/parts", thoughts),
    ] {
        let mut body = if wire == Wire::OpenAi { openai.clone() } else { response(wire) };
        *body.pointer_mut(pointer).unwrap() = content.clone();
        let reply = read(wire, "application/json", body.to_string()).await.unwrap();
        assert_eq!(reply.text, TEXT, "{wire:?} {content}");
    }
    openai["choices"][0]["message"]["content"] = json!([thinking]);
    let error = read(Wire::OpenAi, "application/json", openai.to_string()).await.unwrap_err();
    assert_eq!(error.failure.code, Code::ProviderMalformed, "a thought is no answer");
}

#[tokio::test]
async fn an_answer_is_read_whatever_its_content_type_and_a_page_is_none() {
    for wire in Wire::ALL {
        for content_type in ["text/plain", "text/plain; charset=utf-8", "application/octet-stream", "text/html", ""] {
            let reply = read(wire, content_type, response(wire).to_string()).await.unwrap();
            assert_eq!(reply.text, TEXT, "{wire:?} {content_type}");
        }
        let marked = format!("\u{feff}{}", response(wire));
        assert_eq!(read(wire, "application/json", marked).await.unwrap().text, TEXT, "{wire:?}");
        let error = read(wire, "text/html", "<html>canary</html>".to_owned()).await.unwrap_err();
        assert_eq!(error.failure.code, Code::ProviderMalformed);
        assert!(error.failure.detail.contains("\"text/html\""), "{}", error.failure.detail);
    }
}

#[tokio::test]
async fn the_request_says_what_is_read_and_what_is_packed_all_the_same_says_so() {
    for wire in Wire::ALL {
        let stub = StubProvider::start(Script::default().fault(When::Call(2), Fault::GzipBomb));
        ask(settings(wire, &stub)).await.unwrap();
        let headers = stub.headers().remove(0);
        assert_eq!(
            (&headers["accept-encoding"], &headers["accept"]),
            (&"identity".parse().unwrap(), &"application/json".parse().unwrap())
        );
        let error = ask(settings(wire, &stub)).await.unwrap_err();
        assert_eq!(error.failure.code, Code::ProviderMalformed);
        assert!(error.failure.detail.contains("compressed (gzip)"), "{}", error.failure.detail);
        // A header that is merely wrong costs no answer.
        let headers = vec![("content-encoding", "utf-8".to_owned())];
        let says = Fault::Under { status: 200, headers, body: Box::new(Fault::Says(TEXT.to_owned())) };
        stub.set_script(Script::default().fault(When::Every(1), says));
        assert_eq!(ask(settings(wire, &stub)).await.unwrap().text, TEXT);
    }
}
