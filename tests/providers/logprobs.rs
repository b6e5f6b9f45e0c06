//! Log probabilities: from the tokens that a provider tells of to the values of an answer.

use serde_json::{Value, json};
use structured_prompt::llm::settings::RemoteSettings;
use structured_prompt::ports::model::Reply;

use super::stub_provider::{End, Fault, Script, StubProvider, When, Wire};
use super::{ask, settings};

/// The formats that have log probabilities.
const WIRES: [Wire; 2] = [Wire::OpenAi, Wire::Gemini];

/// The response of a model that chose these tokens, as the format tells of them.
fn response(wire: Wire, tokens: &[(&[u8], f64)]) -> String {
    let text: Vec<u8> = tokens.iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect();
    let text = String::from_utf8(text).unwrap();
    let body = wire.response(&json!({ "model": "model-1" }), "model-1", 1, Some(&text), End::Stop);
    let mut body: Value = serde_json::from_str(&body).unwrap();
    let told = tokens.iter().map(|(bytes, logprob)| {
        let token = String::from_utf8_lossy(bytes);
        if wire == Wire::Gemini {
            json!({ "token": token, "tokenId": 1, "logProbability": logprob })
        } else {
            json!({ "token": token, "bytes": bytes, "logprob": logprob, "top_logprobs": [] })
        }
    });
    let told: Vec<Value> = told.collect();
    if wire == Wire::Gemini {
        body["candidates"][0]["logprobsResult"] = json!({ "chosenCandidates": told });
    } else {
        body["choices"][0]["logprobs"] = json!({ "content": told });
    }
    body.to_string()
}

async fn reply(wire: Wire, tokens: &[(&[u8], f64)]) -> Reply {
    let fault = Fault::Raw { content_type: "application/json", body: response(wire, tokens) };
    let stub = StubProvider::start(Script::default().fault(When::Every(1), fault));
    ask(RemoteSettings { logprobs: true, ..settings(wire, &stub) }).await.unwrap()
}

/// Pointer, mean and number of tokens of each value in the only object.
fn values(reply: &Reply) -> Vec<(&str, f64, u32)> {
    let [object] = reply.logprobs.as_slice() else { panic!("{reply:?}") };
    object.values.iter().map(|value| (value.field.as_str(), value.mean, value.tokens)).collect()
}

#[tokio::test]
async fn they_are_asked_for_where_the_settings_say_so() {
    for wanted in [false, true] {
        let stub = StubProvider::start(Script::default());
        for wire in WIRES {
            let reply = ask(RemoteSettings { logprobs: wanted, ..settings(wire, &stub) }).await.unwrap();
            assert_eq!(!reply.logprobs.is_empty(), wanted, "{wire:?}");
            assert_eq!(reply.confidence, None, "{wire:?}: that of the values is not the provider's");
        }
        let requests = stub.requests();
        assert_eq!(requests[0]["logprobs"].as_bool(), wanted.then_some(true));
        assert_eq!(requests[1]["generationConfig"]["responseLogprobs"].as_bool(), wanted.then_some(true));
    }
}

#[tokio::test]
async fn a_value_has_the_mean_of_its_own_tokens_and_of_no_others() {
    let tokens: [(&[u8], f64); 7] = [
        (b"{\"intent\"", -7.0),
        (b":\"re", -0.2),
        (b"fund", -0.4),
        (b"\",\"", -7.0),
        (b"urgent\": ", -7.0),
        (b"true", -1.0),
        (b"}", -7.0),
    ];
    for wire in WIRES {
        let reply = reply(wire, &tokens).await;
        assert_eq!(values(&reply), [("/intent", -0.3, 2), ("/urgent", -1.0, 1)], "{wire:?}");
    }
}

#[tokio::test]
async fn nulls_that_stand_for_absent_properties_move_no_value() {
    let first: [(&[u8], f64); 4] =
        [(b"Maybe {\"note\":null,\"intent\":\"", -7.0), (b"x", -2.0), (b"\"}, no: ", -7.0), (b"{\"urgent\":", -7.0)];
    let second: [(&[u8], f64); 4] =
        [(b"null", -0.5), (b",\"intent\":\"", -7.0), (b"y", -1.0), (b"\",\"note\":null}", -0.25)];
    let reply = reply(Wire::OpenAi, &[first, second].concat()).await;
    assert_eq!(reply.text, r#"Maybe {"intent":"x"}, no: {"intent":"y"}"#);
    let [_, last] = reply.logprobs.as_slice() else { panic!("{reply:?}") };
    assert_eq!(last.start, reply.text.rfind('{').unwrap());
    let values: Vec<_> = last.values.iter().map(|value| (value.field.as_str(), value.mean)).collect();
    assert_eq!(values, [("/urgent", -0.5), ("/intent", -1.0), ("/note", -0.25)]);
}

#[tokio::test]
async fn a_letter_may_be_cut_between_tokens_where_their_bytes_are_told() {
    let letters = "日本".as_bytes();
    let cut: [(&[u8], f64); 5] = [
        (b"{\"intent\":\"", -7.0),
        (&letters[..2], -0.1),
        (&letters[2..4], -0.3),
        (&letters[4..], -0.5),
        (b"\"}", -7.0),
    ];
    assert_eq!(values(&reply(Wire::OpenAi, &cut).await), [("/intent", -0.3, 3)]);
    let without_bytes = reply(Wire::Gemini, &cut).await;
    assert_eq!((without_bytes.text.as_str(), without_bytes.logprobs.len()), ("{\"intent\":\"日本\"}", 0));
    let whole: [(&[u8], f64); 4] =
        [(b"{\"intent\":\"", -7.0), (&letters[..3], -0.1), (&letters[3..], -0.3), (b"\"}", -7.0)];
    assert_eq!(values(&reply(Wire::Gemini, &whole).await), [("/intent", -0.2, 2)]);
}

#[tokio::test]
async fn an_answer_that_has_to_be_mended_has_none() {
    let tokens: [(&[u8], f64); 3] = [(b"{\"intent\":\"", -7.0), (b"x", -1.0), (b"\",}", -7.0)];
    for wire in WIRES {
        assert_eq!(reply(wire, &tokens).await.logprobs, [], "{wire:?}");
    }
}
