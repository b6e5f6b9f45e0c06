//! Good answers, and answers that are honest about not being one.

use structured_prompt::domain::answer::Usage;
use structured_prompt::llm::settings::RemoteSettings;
use structured_prompt::ports::model::{Call, Correction, Finish};

use super::stub_provider::{Fault, Script, StubProvider, When, Wire};
use super::{KEY, PROMPT, ask, call, model, settings, spec};

#[tokio::test]
async fn an_answer_comes_with_its_facts() {
    for wire in Wire::ALL {
        let stub = StubProvider::start(Script { api_key: Some(KEY.to_owned()), ..Script::default() });
        let reply = ask(settings(wire, &stub)).await.unwrap();
        assert!(reply.text.contains(r#""intent":"text salt 1""#), "{wire:?} {}", reply.text);
        assert_eq!((reply.model.as_str(), reply.finish), ("model-1-stub", Finish::Complete), "{wire:?}");
        assert!(reply.response_id.is_some_and(|id| id.ends_with("stub1")), "{wire:?}");
        assert_eq!((stub.calls(), stub.calls_for(PROMPT), stub.protocol_errors()), (1, 1, 0), "{wire:?}");
        // The stub's figures: input with what was cached, output with what was thought.
        let Usage { input_tokens, output_tokens, cached_tokens, reasoning_tokens } = reply.usage;
        let wanted = match wire {
            Wire::OpenAi => (28, 15, 4, 1),
            Wire::Anthropic => (100, 20, 30, 5),
            Wire::Gemini => (100, 20, 30, 5),
        };
        assert_eq!((input_tokens, output_tokens, cached_tokens, reasoning_tokens), wanted, "{wire:?}");
    }
}

#[tokio::test]
async fn tokens_from_the_prompt_cache_have_their_own_price() {
    let stub = StubProvider::start(Script::default());
    let usage = Usage { input_tokens: 1000, output_tokens: 100, cached_tokens: 400, reasoning_tokens: 50 };
    let cost = model(settings(Wire::Gemini, &stub)).cost_usd(usage);
    assert!((cost - (0.6 + 0.04 + 1.0)).abs() < 1e-9, "{cost}");
}

#[tokio::test]
async fn corrections_instructions_and_limits_reach_the_model() {
    for wire in Wire::ALL {
        let stub = StubProvider::start(Script::default());
        let instructions = Some("Be brief.".to_owned());
        let model = model(RemoteSettings { instructions, temperature: Some(0.25), ..settings(wire, &stub) });
        assert_eq!(model.instructions(), Some("Be brief."), "they are part of estimates");
        let spec = spec();
        let correction = Some(Correction { answer: "{\"a\":1}", errors: "/intent: missing" });
        model.ask(&Call { correction, max_tokens: Some(99), ..call(&spec) }).await.unwrap();
        let request = stub.requests().pop().unwrap();
        let text = request.to_string();
        for part in ["Extract the intent.\\n\\nBe brief.", "{\\\"a\\\":1}", "/intent: missing", "99", "0.25"] {
            assert!(text.contains(part), "{wire:?} lacks {part}: {text}");
        }
        assert_eq!(stub.protocol_errors(), 0, "{wire:?}");
    }
}

#[tokio::test]
async fn refusal_filter_and_truncation_are_told() {
    for wire in Wire::ALL {
        for (fault, finish) in [
            (Fault::Refusal, Finish::Refused),
            (Fault::ContentFilter, Finish::Refused),
            (Fault::Truncated, Finish::Truncated),
        ] {
            let stub = StubProvider::start(Script::default().fault(When::Every(1), fault));
            let reply = ask(settings(wire, &stub)).await.unwrap();
            assert_eq!(reply.finish, finish, "{wire:?}");
            assert_eq!(reply.text.is_empty(), finish == Finish::Refused, "{wire:?}");
        }
    }
}

#[tokio::test]
async fn whatever_the_model_says_is_handed_on_as_it_is() {
    let texts = [
        "```json\n{\"intent\":\"x\"}\n```",
        "Here it is: {\"intent\":\"x\"}",
        "{\"intent\":",
        "{\"intent\": NaN}",
        "{\"intent\": 1e999}",
        "{\"intent\":\"a\",\"intent\":\"b\"}",
        "{\"unexpected\":[1]}",
    ];
    for wire in Wire::ALL {
        for text in texts {
            let stub = StubProvider::start(Script::default().fault(When::Every(1), Fault::Says(text.to_owned())));
            let reply = ask(settings(wire, &stub)).await.unwrap();
            // OpenAI's dialect has nulls to take out again, which drops a repeated key; nothing else is touched.
            if wire != Wire::OpenAi || !text.contains("\"b\"") {
                assert_eq!(reply.text, text, "{wire:?}");
            }
        }
    }
}

#[tokio::test]
async fn nulls_for_absent_properties_are_removed_and_other_text_is_kept_as_it_is() {
    for (said, wanted) in [
        (r#"{"intent": "x", "urgent": null, "note": "n"}"#, r#"{"intent":"x","note":"n"}"#),
        ("{ \"intent\" :\"x\" }", "{ \"intent\" :\"x\" }"),
        ("```json\n{\"urgent\":null}\n```", "```json\n{}\n```"),
        ("I cannot say: null", "I cannot say: null"),
    ] {
        let stub = StubProvider::start(Script::default().fault(When::Every(1), Fault::Says(said.to_owned())));
        assert_eq!(ask(settings(Wire::OpenAi, &stub)).await.unwrap().text, wanted);
    }
}

#[tokio::test]
async fn a_parameter_that_a_400_names_is_dropped_once_for_all_calls() {
    for wire in Wire::ALL {
        let stub = StubProvider::start(Script::default().fault(When::Every(1), Fault::Refuses("temperature")));
        let model = model(RemoteSettings { temperature: Some(0.0), ..settings(wire, &stub) });
        let spec = spec();
        model.ask(&call(&spec)).await.unwrap();
        model.ask(&call(&spec)).await.unwrap();
        assert_eq!(stub.calls(), 3, "{wire:?}: one that was refused, two that were not");
        assert_eq!(wire.parameter(&stub.requests()[2], "temperature"), None, "{wire:?}");
    }
}
